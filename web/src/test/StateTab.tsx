import type { Json } from "../api/types";
import type { OpenProject } from "../state/project";
import { toast } from "../state/toasts";
import { Button, Empty } from "../ui/basics";
import { JsonView } from "./JsonView";
import { testing } from "./store";

/** The state after a partition, which a next sync would begin with. */
export function StateTab({ project, stream, state }: { project: OpenProject; stream: string; state: Json }) {
  const store = testing(project);
  const isNone = state === null || (Array.isArray(state) && !state.length);
  if (isNone)
    return (
      <Empty icon="clock" title="No state">
        The stream is read whole each time. Turn on “Incremental sync” to read only what is new.
      </Empty>
    );
  const use = () => {
    store.inputState.value = { ...store.inputState.value, [stream]: JSON.stringify(state, null, 2) };
    toast("success", "The next test begins with this state.", {
      label: "Undo",
      run: () => (store.inputState.value = { ...store.inputState.value, [stream]: "" }),
    });
  };
  return (
    <>
      <div class="body-tools">
        <Button small icon="history" onClick={use}>
          Use as input state
        </Button>
        {store.inputState.value[stream] && (
          <Button
            small
            kind="quiet"
            onClick={() => (store.inputState.value = { ...store.inputState.value, [stream]: "" })}
          >
            Clear the input state
          </Button>
        )}
      </div>
      <JsonView value={state} />
    </>
  );
}
