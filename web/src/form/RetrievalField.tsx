import { useId } from "preact/hooks";
import type { Path } from "../api/types";
import { starterOf } from "../document/starters";
import { titleOfComponent } from "../document/words";
import { toast } from "../state/toasts";
import { useForm } from "./context";
import { Field } from "./Field";

const KINDS = ["SimpleRetriever", "AsyncRetriever", "CustomRetriever"];

/** How the records are got: by requests, by a job that the API does, or by custom code. */
export function RetrievalField({ path, kind }: { path: Path; kind: string }) {
  const { project, readOnly } = useForm();
  const id = useId();
  const at = project.node([...path, "retriever"]).at;
  const choose = async (wanted: string) => {
    const value = starterOf(wanted);
    if (!value || !(await project.set(at, value, `Retrieve by ${titleOfComponent(wanted)}`))) return;
    toast("info", "The settings of the retrieval before were replaced.", {
      label: "Undo",
      run: () => void project.undo(),
    });
  };
  return (
    <Field path={[...path, "retriever", "type"]} title="Retrieved" id={id}>
      <select
        id={id}
        class="input"
        value={kind}
        disabled={readOnly}
        onChange={(event) => void choose(event.currentTarget.value)}
      >
        {[...new Set([...KINDS, kind])].map((one) => (
          <option key={one} value={one}>
            {titleOfComponent(one)}
          </option>
        ))}
      </select>
    </Field>
  );
}
