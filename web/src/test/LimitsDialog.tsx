import { useState } from "preact/hooks";
import type { OpenProject } from "../state/project";
import { Button, Dialog, Labelled } from "../ui/basics";
import { limits, testing } from "./store";

const FIELDS = [
  ["record_limit", "Records at most"],
  ["page_limit", "Pages of each partition"],
  ["slice_limit", "Partitions"],
] as const;

/** How far a test goes, and which state it begins with. */
export function LimitsDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const store = testing(project);
  const stream = store.stream.value ?? "";
  const [wanted, setWanted] = useState(limits.value);
  const [state, setState] = useState(store.inputState.value[stream] ?? "");
  let fault: string | null = null;
  try {
    if (state.trim()) JSON.parse(state);
  } catch (error) {
    fault = error instanceof Error ? error.message : String(error);
  }
  const save = () => {
    if (fault) return;
    limits.value = wanted;
    store.inputState.value = { ...store.inputState.value, [stream]: state };
    onClose();
  };
  return (
    <Dialog
      title="Limits and input state"
      onClose={onClose}
      onSubmit={save}
      foot={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" disabled={fault !== null}>
            Save
          </Button>
        </>
      }
    >
      <div class="three">
        {FIELDS.map(([key, label]) => (
          <Labelled key={key} label={label}>
            {(id) => (
              <input
                id={id}
                class="input"
                type="number"
                min={1}
                value={wanted[key]}
                onInput={(event) =>
                  setWanted({ ...wanted, [key]: Math.max(1, Number(event.currentTarget.value) || 1) })
                }
              />
            )}
          </Labelled>
        ))}
      </div>
      <Labelled
        label={`Input state of “${stream}”`}
        fault={fault}
        help="The state that a sync before would have left: the test reads what is new since then. Empty for a first sync."
      >
        {(id) => (
          <textarea
            id={id}
            class="input code"
            rows={9}
            value={state}
            placeholder={'[{"type": "STREAM", "stream": {…}}]'}
            onInput={(event) => setState(event.currentTarget.value)}
          />
        )}
      </Labelled>
    </Dialog>
  );
}
