import type { TestResult } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";
import { Icon } from "../ui/Icon";
import { Sentence } from "../ui/Words";
import { type Run, testing } from "./store";
import { type Warning, warningsOf } from "./warnings";

/** Entries of a template are no stream of their own. */
const NEEDS_NONE = ["none"];

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
  const made = testing(project).generated.value.find((stream) => stream.name === run.stream)?.definition;
  const primaryKey = found
    ? project.node([...found.path, "primary_key"]).value
    : isObject(made)
      ? made.primary_key
      : NEEDS_NONE;
  const usesCustomCode = run.definition.includes('"class_name"');
  const warnings = warningsOf(result, { primaryKey, usesCustomCode });
  if (!warnings.length) return null;
  return (
    <ul class="warnings" aria-label="What to mind">
      {warnings.map((warning, index) => (
        <li key={index} class={warning.kind} role={warning.kind === "error" ? "alert" : undefined}>
          <Icon name={warning.kind === "info" ? "info" : "alert"} size={14} />
          <span class="grow">
            <Sentence text={warning.text} />
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
