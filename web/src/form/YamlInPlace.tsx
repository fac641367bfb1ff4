import { Suspense, lazy } from "preact/compat";
import { useEffect, useState } from "preact/hooks";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import type { Path } from "../api/types";
import { pathText } from "../document/walk";
import { Button } from "../ui/basics";
import { useForm } from "./context";

const CodeField = lazy(() => import("../editor/CodeField"));

/** One component as the YAML that it is written in, to be read and changed where it stands. */
export function YamlInPlace({ path, onClose, label }: { path: Path; onClose?: () => void; label: string }) {
  const { project, readOnly } = useForm();
  const [yaml, setYaml] = useState<string | null>(null);
  const [typed, setTyped] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const outside = project.outside.value;
  useEffect(() => {
    api.yamlOf(project.text.value, path).then(
      (found) => {
        setYaml(found.yaml);
        setTyped(found.yaml);
      },
      (error: unknown) => {
        setYaml("");
        setTyped("");
        if (project.node(path).value !== undefined) setFault(messageOf(error));
      },
    );
  }, [pathText(path), outside]);
  if (yaml === null)
    return (
      <div class="yaml-in-place">
        <span class="spinner" />
      </div>
    );
  const apply = async () => {
    setFault(null);
    try {
      await project.change([{ op: "replace_yaml", path, yaml: typed }], `Edit ${path.at(-1) ?? "manifest"} as YAML`);
      onClose?.();
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  return (
    <div class="yaml-in-place">
      <Suspense fallback={<span class="spinner" />}>
        <CodeField
          value={yaml}
          onChange={setTyped}
          label={`${label} as YAML`}
          language="yaml"
          readOnly={readOnly}
          onSubmit={apply}
        />
      </Suspense>
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      {!readOnly && (
        <div class="row">
          <Button small kind="primary" disabled={typed === yaml} onClick={apply}>
            Apply
          </Button>
          {onClose && (
            <Button small onClick={onClose}>
              {typed === yaml ? "Back to the form" : "Discard"}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
