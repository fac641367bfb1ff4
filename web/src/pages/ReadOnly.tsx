import { useEffect } from "preact/hooks";
import { workspaceApi } from "../api/calls";
import type { OpenProject } from "../state/project";
import { isReachable } from "../state/reach";
import { go, mayLeave, projectPath, wanted } from "../state/router";
import { tell } from "../state/toasts";
import { Button, Dialog } from "../ui/basics";
import { Icon } from "../ui/Icon";

/** Why the form cannot be changed, or that something waits to be decided; nothing is lost by waiting. */
export function ReadOnlyBar({ project }: { project: OpenProject }) {
  const state = project.saver.state.value;
  const copy = async (text: string) => {
    const name = `${project.info.value?.name ?? "Connector"} (my changes)`;
    const made = await tell(workspaceApi(project.workspace).create({ name, text }));
    if (!made) return;
    if (state.kind === "conflict") await project.load(state.theirs);
    else await project.decide(false);
    go(projectPath(project.workspace, made.id), { anyway: true });
  };
  if (state.kind === "conflict") {
    return (
      <Bar
        title="Another window has saved a newer draft."
        actions={
          <>
            <Button small onClick={() => void project.load(state.theirs)}>
              Load theirs
            </Button>
            <Button small onClick={() => void project.saver.keepMine(project.text.value)}>
              Keep mine
            </Button>
            <Button small onClick={() => void copy(project.text.value)}>
              Keep mine as a copy
            </Button>
          </>
        }
      >
        Your changes are kept in this browser. The form is read-only until you choose.
      </Bar>
    );
  }
  if (!isReachable.value) {
    return (
      <Bar title="The Builder's server does not answer.">
        {project.saver.isSettled
          ? "Everything is saved."
          : project.isUnsent.value
            ? "Your last change waits in this window: leave it open."
            : "Your changes are kept in this browser."}{" "}
        The form is read-only until it answers again; it is asked every three seconds.
      </Bar>
    );
  }
  const { value: kept } = project.kept;
  if (kept === null) return null;
  return (
    <Bar
      title="This browser has changes that were never saved."
      actions={
        <>
          <Button small onClick={() => void project.decide(true)}>
            Use them
          </Button>
          <Button small onClick={() => void copy(kept)}>
            Keep them as a copy
          </Button>
          <Button small onClick={() => void project.decide(false)}>
            Discard
          </Button>
        </>
      }
    >
      The connector was changed since then: this is its newer draft.
    </Bar>
  );
}

function Bar({
  title,
  children,
  actions,
}: {
  title: string;
  children: preact.ComponentChildren;
  actions?: preact.ComponentChildren;
}) {
  return (
    <div class="read-only" role="alert">
      <Icon name="lock" size={15} />
      <span class="grow">
        <strong>{title}</strong> {children}
      </span>
      {actions}
    </div>
  );
}

/** Holds back who leaves while something is not saved; they can go all the same. */
export function LeaveDialog({ project }: { project: OpenProject }) {
  useEffect(() => {
    mayLeave.value = () => {
      project.flushEditor();
      const { kind } = project.saver.state.value;
      return kind !== "failed" && kind !== "conflict" && !project.isUnsent.value;
    };
    return () => {
      mayLeave.value = () => true;
      wanted.value = null;
    };
  }, [project]);
  const to = wanted.value;
  if (to === null) return null;
  return (
    <Dialog
      title="Leave without saving?"
      onClose={() => (wanted.value = null)}
      onSubmit={() => go(to, { anyway: true })}
      foot={
        <>
          <Button onClick={() => (wanted.value = null)}>Stay</Button>
          <Button kind="danger" type="submit">
            Leave anyway
          </Button>
        </>
      }
    >
      <p>
        {project.isUnsent.value
          ? "Your last change could not be made yet. It is lost when you leave."
          : "Your last changes could not be saved. They stay in this browser, and are offered when you come back."}
      </p>
    </Dialog>
  );
}
