import { useState } from "preact/hooks";
import type { Finding, Path } from "../api/types";
import { addTemplateEdits } from "../document/template";
import { isWithin, samePath } from "../document/walk";
import type { OpenProject } from "../state/project";
import { mode, section, type Section, target } from "../state/view";
import { testing } from "../test/store";
import { Badge, Button } from "../ui/basics";
import { Icon, type IconName } from "../ui/Icon";
import { NewStreamDialog } from "./StreamHead";

/** The parts of a connector, with what is wrong in each. */
export function Navigation({ project }: { project: OpenProject }) {
  const [isAdding, setAdding] = useState(false);
  const { outline } = project.analysis.value;
  const findings = project.findings.value;
  const store = testing(project);
  const isReadOnly = project.isReadOnly.value;
  const shown = section.value;
  const show = (next: Section, path: Path) => {
    section.value = next;
    target.value = mode.value === "yaml" ? { path } : null;
  };
  const serious = (found: Finding[]) => found.filter((one) => one.level !== "note");
  const within = (path: Path) => serious(findings.filter((finding) => isWithin(finding.path, path)));
  const ofInputs = within(["spec"]).filter((finding) => !isApi(finding.path));
  const isElsewhere = ({ path }: Finding) =>
    !["streams", "dynamic_streams", "spec"].includes(String(path[0])) && !isApi(path);
  const entry = (
    next: Section,
    path: Path,
    icon: IconName,
    title: string,
    faults: Finding[],
    extra?: preact.ComponentChildren,
  ) => (
    <button
      type="button"
      class="nav-item"
      aria-current={same(shown, next) ? "page" : undefined}
      onClick={() => show(next, path)}
      title={title}
    >
      <Icon name={icon} size={15} />
      <span class="clip grow">{title}</span>
      {extra}
      <Count faults={faults} />
    </button>
  );
  const mark = (name: string) => {
    const standing = store.standing(name);
    return standing && <span class={`dot ${standing}`} title={MARKS[standing]} />;
  };
  const addTemplate = async () => {
    const at = outline.dynamic_streams.length;
    if (await project.edit(addTemplateEdits, "Add a template of streams"))
      section.value = { kind: "template", index: at };
  };
  return (
    <nav class="parts" aria-label="Parts of the connector">
      {entry(
        { kind: "api" },
        ["definitions"],
        "globe",
        "API settings",
        serious(findings.filter((finding) => isApi(finding.path))),
      )}
      {entry(
        { kind: "inputs" },
        ["spec"],
        "user",
        "User inputs",
        ofInputs,
        !ofInputs.length && <span class="muted small">{outline.inputs.length || ""}</span>,
      )}
      {entry({ kind: "advanced" }, ["version"], "settings", "Advanced", serious(findings.filter(isElsewhere)))}
      <div class="parts-head">
        <h2>Streams</h2>
        <Button
          kind="quiet"
          small
          icon="plus"
          aria-label="Add a stream"
          title="Add a stream"
          disabled={isReadOnly}
          onClick={() => setAdding(true)}
        />
      </div>
      {outline.streams.map((stream) => (
        <div key={stream.index}>
          {entry(
            { kind: "stream", index: stream.index },
            stream.path,
            "stream",
            stream.name,
            within(stream.path),
            mark(stream.name),
          )}
        </div>
      ))}
      {project.isAnalyzed.value && !outline.streams.length && (
        <button type="button" class="nav-add" disabled={isReadOnly} onClick={() => setAdding(true)}>
          <Icon name="plus" size={14} />
          Add the first stream
        </button>
      )}
      <div class="parts-head">
        <h2>Stream templates</h2>
        <Button
          kind="quiet"
          small
          icon="plus"
          aria-label="Add a stream template"
          title="Add a stream template: many streams made alike"
          disabled={isReadOnly}
          onClick={() => void addTemplate()}
        />
      </div>
      {outline.dynamic_streams.map((template) => (
        <div key={template.index}>
          {entry(
            { kind: "template", index: template.index },
            template.path,
            "template",
            template.name || `Template ${template.index + 1}`,
            within(template.path),
            !store.generated.value.some((one) => one.dynamic_stream_name === template.name) ? (
              <span class="dot stale" title="No streams have been generated from it yet" />
            ) : store.isOutdated(template.name) ? (
              <span class="dot stale" title="Changed since its streams were generated" />
            ) : null,
          )}
          {store.generated.value
            .filter((one) => one.dynamic_stream_name === template.name)
            .slice(0, 50)
            .map((one) => (
              <div key={one.name} class="nav-inner">
                {entry(
                  { kind: "generated", template: template.name, name: one.name },
                  template.path,
                  "lock",
                  one.name,
                  [],
                  mark(one.name),
                )}
              </div>
            ))}
        </div>
      ))}
      {isAdding && <NewStreamDialog project={project} onClose={() => setAdding(false)} />}
    </nav>
  );
}

const MARKS = {
  stale: "Changed since its last test",
  tested: "Tested",
  failed: "The last test failed",
  running: "Being tested",
};
const isApi = (path: Path) =>
  path[0] === "check" ||
  path[0] === "api_budget" ||
  path[0] === "concurrency_level" ||
  (path[0] === "spec" && path[1] === "advanced_auth") ||
  (path[0] === "definitions" && path[1] === "base_requester");
const same = (a: Section, b: Section) => samePath(Object.values(a) as Path, Object.values(b) as Path);

function Count({ faults }: { faults: Finding[] }) {
  if (!faults.length) return null;
  const kind = faults.some((one) => one.level === "error") ? "error" : "warning";
  return (
    <Badge kind={kind} title={faults[0]?.message}>
      {faults.length}
      <span class="hidden-text">{faults.length === 1 ? "problem" : "problems"}</span>
    </Badge>
  );
}
