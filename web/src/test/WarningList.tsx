import type { TestResult } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { Icon } from "../ui/Icon";
import { Words } from "../ui/Words";
import type { Run } from "./store";
import { type Warning, warningsOf } from "./warnings";

export function Warnings({
  project,
  run,
  result,
  onTab,
}: {
  project: OpenProject;
  run: Run;
  result: TestResult;
  onTab: (tab: NonNullable<Warning["tab"]>) => void;
}) {
  const found = project.analysis.value.outline.streams.find((stream) => stream.name === run.stream);
  const primaryKey = found ? project.node([...found.path, "primary_key"]).value : ["of the template"];
  const definition = found ? project.node(found.path).value : null;
  const usesCustomCode = isObject(definition) && run.definition.includes('"class_name"');
  const warnings = warningsOf(result, { primaryKey, usesCustomCode, allowsCustomCode: project.allowsCustomCode });
  if (!warnings.length) return null;
  return (
    <ul class="warnings">
      {warnings.map((warning, index) => (
        <li key={index} class={warning.kind} role={warning.kind === "error" ? "alert" : undefined}>
          <Icon name={warning.kind === "info" ? "info" : "alert"} size={14} />
          <span class="grow">
            <Words text={warning.text} />
          </span>
          {warning.tab && (
            <button type="button" class="link small" onClick={() => warning.tab && onTab(warning.tab)}>
              Show
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
