import { lazy, Suspense } from "preact/compat";
import { useEffect, useState } from "preact/hooks";
import { workspaceApi } from "../api/calls";
import { messageOf } from "../api/client";
import type { DiffLine } from "../api/types";
import { notSaved, type OpenProject } from "../state/project";
import { go, projectPath } from "../state/router";
import { tell, toast } from "../state/toasts";
import { Badge, Button, Dialog, Empty, Notice, Segments } from "../ui/basics";
import { ago, moment } from "../ui/time";

type Side = number | "draft";
const CodeField = lazy(() => import("../editor/CodeField"));
/** Equal lines that are shown around a change. */
const AROUND = 3;

/** All versions: what each changed, which is active, and the way back to any. */
export function VersionsDialog({ project, onClose }: { project: OpenProject; onClose: () => void }) {
  const info = project.info.value;
  const versions = [...(info?.versions ?? [])].sort((a, b) => b.version - a.version);
  const [chosen, setChosen] = useState<number | null>(versions[0]?.version ?? null);
  const [to, setTo] = useState<Side>("draft");
  const [lines, setLines] = useState<DiffLine[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [view, setView] = useState<"changes" | "text">("changes");
  const [isReverting, setReverting] = useState(false);
  useEffect(() => {
    setLines(null);
    setFault(null);
    if (chosen === null) return;
    let isGone = false;
    const load = async () => {
      if (to === "draft" && !(await project.save())) throw new Error(notSaved("they cannot be compared"));
      const found = await project.api.diff(project.id, chosen, to);
      if (!isGone) setLines(found.lines);
    };
    load().catch((error: unknown) => {
      if (!isGone) setFault(messageOf(error));
    });
    return () => {
      isGone = true;
    };
  }, [chosen, to]);
  const activate = async (version: number) => {
    await tell(project.api.activate(project.id, version));
    await project.refresh();
  };
  const revert = async (version: number) => {
    if (!(await project.revert(version))) return;
    toast("success", `The draft is version ${version} again.`, { label: "Undo", run: () => void project.undo() });
    onClose();
  };
  const fork = async (version: number) => {
    const name = `${info?.name ?? "Connector"} (fork of version ${version})`;
    const made = await tell(workspaceApi(project.workspace).create({ name, fork: { project: project.id, version } }));
    if (made) go(projectPath(project.workspace, made.id));
  };
  if (!versions.length) {
    return (
      <Dialog title="Versions" onClose={onClose}>
        <Empty icon="history" title="No versions yet">
          Publish the draft to make the first. Every version can be compared and brought back.
        </Empty>
      </Dialog>
    );
  }
  return (
    <Dialog title="Versions" wide onClose={onClose}>
      {fault && <Notice kind="error">{fault}</Notice>}
      <div class="versions">
        <ul class="list">
          {versions.map((version) => (
            <li key={version.version}>
              <button
                type="button"
                class="list-item"
                aria-pressed={chosen === version.version}
                onClick={() => {
                  setChosen(version.version);
                  setReverting(false);
                }}
              >
                <span class="row">
                  <strong>Version {version.version}</strong>
                  {info?.active_version === version.version && <Badge kind="success">active</Badge>}
                </span>
                <span class="small">{version.description}</span>
                <span class="muted small" title={moment(version.published_at)}>
                  {ago(version.published_at)}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {chosen !== null && (
          <div class="stack tight">
            <div class="row wrap">
              <Segments
                label="What is shown of the version"
                value={view}
                onChange={setView}
                options={[
                  { value: "changes", title: "Changes" },
                  { value: "text", title: "YAML" },
                ]}
              />
              {view === "changes" && (
                <label class="row">
                  Compared with
                  <select
                    class="input"
                    value={String(to)}
                    onChange={(event) =>
                      setTo(event.currentTarget.value === "draft" ? "draft" : Number(event.currentTarget.value))
                    }
                  >
                    <option value="draft">the draft</option>
                    {versions
                      .filter((one) => one.version !== chosen)
                      .map((one) => (
                        <option key={one.version} value={String(one.version)}>
                          version {one.version}
                        </option>
                      ))}
                  </select>
                </label>
              )}
              <span class="grow" />
              <a class="button small" href={project.api.exportUrl(project.id, chosen)}>
                Download
              </a>
              <Button small icon="fork" onClick={() => void fork(chosen)}>
                Fork
              </Button>
              {info?.active_version !== chosen && (
                <Button small onClick={() => void activate(chosen)}>
                  Make active
                </Button>
              )}
              {isReverting ? (
                <Button small kind="danger" onClick={() => void revert(chosen)}>
                  Replace the draft
                </Button>
              ) : (
                <Button small icon="undo" onClick={() => setReverting(true)}>
                  Load as draft
                </Button>
              )}
            </div>
            {isReverting && (
              <Notice kind="warning">The draft becomes version {chosen}. Undo brings the present draft back.</Notice>
            )}
            {view === "text" && <VersionText project={project} version={chosen} />}
            {view === "changes" && !lines && !fault && <span class="spinner" />}
            {view === "changes" && lines && <DiffView lines={lines} />}
          </div>
        )}
      </div>
    </Dialog>
  );
}

/** A version as it was published: to be read. */
function VersionText({ project, version }: { project: OpenProject; version: number }) {
  const [text, setText] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    setText(null);
    setFault(null);
    let isGone = false;
    project.api.version(project.id, version).then(
      (found) => {
        if (!isGone) setText(found.text);
      },
      (error: unknown) => {
        if (!isGone) setFault(messageOf(error));
      },
    );
    return () => {
      isGone = true;
    };
  }, [version]);
  if (fault !== null) return <Notice kind="error">{fault}</Notice>;
  if (text === null) return <span class="spinner" />;
  return (
    <Suspense fallback={<span class="spinner" />}>
      <CodeField value={text} language="yaml" label={`Version ${version} as YAML, read-only`} readOnly />
    </Suspense>
  );
}

function DiffView({ lines }: { lines: DiffLine[] }) {
  if (!lines.some((line) => line.kind !== "same")) return <Empty icon="check" title="No differences" />;
  const near = new Set<number>();
  for (const [index, line] of lines.entries()) {
    if (line.kind !== "same") for (let at = index - AROUND; at <= index + AROUND; at += 1) near.add(at);
  }
  const rows: preact.JSX.Element[] = [];
  let skipped = false;
  for (const [index, line] of lines.entries()) {
    if (!near.has(index)) {
      if (!skipped)
        rows.push(
          <div key={`gap${index}`} class="diff-gap">
            ⋯
          </div>,
        );
      skipped = true;
      continue;
    }
    skipped = false;
    const sign = line.kind === "added" ? "+" : line.kind === "removed" ? "−" : " ";
    rows.push(
      <div key={index} class={`diff-line ${line.kind}`}>
        <span class="number">{line.from_line ?? ""}</span>
        <span class="number">{line.to_line ?? ""}</span>
        <span>{sign}</span>
        <code>{line.text || " "}</code>
      </div>,
    );
  }
  return (
    <div class="diff" tabIndex={0} role="region" aria-label="Differences">
      {rows.slice(0, 3000)}
    </div>
  );
}
