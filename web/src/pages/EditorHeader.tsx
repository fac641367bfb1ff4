import { useRef, useState } from "preact/hooks";
import { notSaved, type OpenProject } from "../state/project";
import { projectsPath } from "../state/router";
import { toast } from "../state/toasts";
import { jumpTo, mode } from "../state/view";
import { Badge, Button, Segments } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { ago } from "../ui/time";
import { Link } from "./App";
import { HotKeysDialog, showsHotKeys } from "./hotkeys";
import { ImageDialog } from "./ImageDialog";
import { PublishDialog } from "./PublishDialog";
import { VersionsDialog } from "./VersionsDialog";

/** The name of the connector, whether it is saved, and what is done with it as a whole. */
export function EditorHeader({ project }: { project: OpenProject }) {
  const [dialog, setDialog] = useState<"publish" | "versions" | "image" | null>(null);
  const info = project.info.value;
  const isReadOnly = project.isReadOnly.value;
  const close = () => setDialog(null);
  return (
    <header class="bar">
      <Link to={projectsPath(project.workspace)} class="button quiet icon" title="All connectors">
        <span class="flip">
          <Icon name="right" />
        </span>
        <span class="hidden-text">All connectors</span>
      </Link>
      <NameInput key={info?.name} project={project} />
      <SaveIndicator project={project} />
      <span class="grow" />
      <FindingsMenu project={project} />
      <Segments
        label="View"
        value={mode.value}
        onChange={(next) => {
          project.flushEditor();
          // The form must not lag behind what was typed.
          if (next === "form") void project.analyze();
          mode.value = next;
        }}
        options={[
          { value: "form", title: "Form" },
          { value: "yaml", title: "YAML" },
        ]}
      />
      <span class="row tight">
        <Button
          kind="quiet"
          icon="undo"
          aria-label="Undo"
          title="Undo (Ctrl+Z)"
          disabled={!project.saver.canUndo.value || isReadOnly}
          onClick={() => void project.undo()}
        />
        <Button
          kind="quiet"
          icon="redo"
          aria-label="Redo"
          title="Redo (Ctrl+Shift+Z)"
          disabled={!project.saver.canRedo.value || isReadOnly}
          onClick={() => void project.redo()}
        />
      </span>
      <Menu
        label="More"
        icon="more"
        small={false}
        items={[
          { title: "Download YAML", icon: "download", run: () => void download(project) },
          { title: "Build image", icon: "box", run: () => setDialog("image") },
          {
            title: "Versions",
            icon: "history",
            hint: info?.versions.length ? String(info.versions.length) : "",
            run: () => setDialog("versions"),
          },
          null,
          { title: "Hot keys", icon: "keyboard", hint: "?", run: () => (showsHotKeys.value = true) },
        ]}
      />
      <Button kind="primary" disabled={isReadOnly} onClick={() => setDialog("publish")}>
        Publish
      </Button>
      {dialog === "publish" && <PublishDialog project={project} onClose={close} />}
      {dialog === "versions" && <VersionsDialog project={project} onClose={close} />}
      {dialog === "image" && <ImageDialog project={project} onClose={close} />}
      <HotKeysDialog />
    </header>
  );
}

async function download(project: OpenProject): Promise<void> {
  if (!(await project.save())) return toast("error", notSaved("nothing was downloaded"));
  const link = document.createElement("a");
  link.href = project.api.exportUrl(project.id, "draft");
  link.download = "";
  link.click();
}

function NameInput({ project }: { project: OpenProject }) {
  const name = project.info.value?.name ?? "";
  const [typed, setTyped] = useState(name);
  /** Whether the field is left by Escape: then the name stays as it is. */
  const cancelled = useRef(false);
  const leave = () => {
    if (!cancelled.current && typed.trim()) void project.rename(typed);
    else setTyped(name);
    cancelled.current = false;
  };
  return (
    <input
      class="name-input"
      aria-label="Name of the connector"
      value={typed}
      size={Math.max(8, typed.length)}
      spellcheck={false}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onBlur={leave}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          cancelled.current = true;
          event.currentTarget.blur();
        }
      }}
    />
  );
}

function SaveIndicator({ project }: { project: OpenProject }) {
  const state = project.saver.state.value;
  if (project.isUnsent.value && state.kind !== "conflict")
    return <NotSaved project={project} why="What was changed last could not be put into the manifest." />;
  switch (state.kind) {
    case "saved":
      // Before the draft is here, nothing can be said of it.
      if (!state.at) return null;
      return (
        <span class="save muted" role="status" title={`Saved ${ago(state.at)}`}>
          <Icon name="check" size={13} />
          Saved
        </span>
      );
    case "unsaved":
    case "saving":
      return (
        <span class="save muted" role="status">
          <span class="spinner" />
          Saving…
        </span>
      );
    case "failed":
      return <NotSaved project={project} why={state.message} />;
    case "conflict":
      return (
        <span class="save failed" role="alert">
          <Icon name="alert" size={13} />
          Changed elsewhere
        </span>
      );
  }
}

function NotSaved({ project, why }: { project: OpenProject; why: string }) {
  return (
    <span class="save failed" role="alert" title={why}>
      <Icon name="alert" size={13} />
      Not saved
      <button type="button" class="link small" onClick={() => void project.save()}>
        Retry
      </button>
    </span>
  );
}

const MOST = 60;

/** What is wrong in the whole connector; each leads to its place. */
function FindingsMenu({ project }: { project: OpenProject }) {
  const findings = project.findings.value.filter((finding) => finding.level !== "note");
  if (!findings.length)
    return (
      <span class="save ok">
        <Icon name="check" size={14} />
        No problems
      </span>
    );
  const errors = project.errors.value.length;
  const rank = { error: 0, warning: 1, note: 2 };
  const sorted = [...findings].sort((a, b) => rank[a.level] - rank[b.level] || a.line - b.line).slice(0, MOST);
  return (
    <Menu
      label="Problems"
      icon="alert"
      small={false}
      kind="quiet"
      items={sorted.map((finding) => ({
        title: finding.message.replaceAll("`", ""),
        icon: "alert",
        danger: finding.level === "error",
        hint: `line ${finding.line}`,
        run: () => jumpTo(finding.path),
      }))}
    >
      <Badge kind={errors ? "error" : "warning"}>
        {errors || findings.length}{" "}
        {errors ? (errors === 1 ? "error" : "errors") : findings.length === 1 ? "warning" : "warnings"}
      </Badge>
    </Menu>
  );
}
