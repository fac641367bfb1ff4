import type { Json, Path } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";

/** A component with its `type`, which may come from what it builds on by `$ref`. */
export function typedValue(project: OpenProject, path: Path, value: Json | undefined): Json | undefined {
  if (!isObject(value) || value.type !== undefined) return value;
  const type = project.node([...path, "type"]).value;
  return type === undefined ? value : { ...value, type };
}
