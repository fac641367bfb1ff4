import { Suspense, lazy } from "preact/compat";
import { useEffect, useRef, useState } from "preact/hooks";
import * as api from "../api/calls";
import { messageOf } from "../api/client";
import type { Path } from "../api/types";
import { pathText } from "../document/walk";
import { Button } from "../ui/basics";
import { useForm } from "./context";
import { useTyped } from "./useTyped";

const CodeField = lazy(() => import("../editor/CodeField"));

interface Props {
  path: Path;
  onClose?: () => void;
  label: string;
}

/** One component as the YAML that it is written in, to be read and changed where it stands. */
export function YamlInPlace(props: Props) {
  // What was typed for one component is nothing for another.
  return <ComponentYaml key={pathText(props.path)} {...props} />;
}

function ComponentYaml({ path, onClose, label }: Props) {
  const { project, readOnly } = useForm();
  const [yaml, setYaml] = useState<string | null>(null);
  const typed = useTyped(yaml ?? "");
  const [fault, setFault] = useState<string | null>(null);
  const outside = project.outside.value;
  const asked = useRef(0);
  /** Reads the component; only the answer to the last question counts. */
  const load = async (): Promise<boolean> => {
    asked.current += 1;
    const mine = asked.current;
    try {
      const found = await api.yamlOf(project.text.value, path);
      if (asked.current === mine) setYaml(found.yaml);
      return true;
    } catch (error) {
      if (asked.current !== mine) return false;
      const isThere = project.node(path).value !== undefined;
      setYaml((now) => (isThere ? (now ?? "") : ""));
      if (isThere) setFault(messageOf(error));
      return false;
    }
  };
  useEffect(() => {
    void load();
  }, [outside]);
  if (yaml === null)
    return (
      <div class="yaml-in-place">
        <span class="spinner" />
      </div>
    );
  const apply = async () => {
    if (readOnly) return;
    setFault(null);
    try {
      await project.change(
        [{ op: "replace_yaml", path, yaml: typed.text }],
        `Edit ${path.at(-1) ?? "manifest"} as YAML`,
      );
      if ((onClose || (await load())) && typed.applied(typed.text)) onClose?.();
    } catch (error) {
      setFault(messageOf(error));
    }
  };
  return (
    <div class="yaml-in-place">
      <Suspense fallback={<span class="spinner" />}>
        <CodeField
          value={yaml}
          isChanged={typed.isChanged}
          onChange={typed.type}
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
          <Button small kind="primary" disabled={!typed.isChanged} onClick={apply}>
            Apply
          </Button>
          {onClose && (
            <Button small onClick={onClose}>
              {typed.isChanged ? "Discard" : "Back to the form"}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
