import { useEffect, useState } from "preact/hooks";
import { workspaceApi } from "../api/calls";
import { messageOf } from "../api/client";
import type { ProjectSummary } from "../api/types";
import { go, projectPath } from "../state/router";
import { tell, toast } from "../state/toasts";
import { Badge, Button, Dialog, Empty, Notice } from "../ui/basics";
import { Icon } from "../ui/Icon";
import { Menu } from "../ui/Menu";
import { CreateDialog, type CreateKind } from "./CreateDialog";
import { ProjectTable } from "./ProjectTable";

/** The connectors that are being built in a workspace. */
export function ListPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const [projects, setProjects] = useState<ProjectSummary[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [creating, setCreating] = useState<CreateKind | null>(null);
  const [deleting, setDeleting] = useState<ProjectSummary | null>(null);
  const [sought, setSought] = useState("");
  const load = () =>
    api.list().then(
      (list) => {
        setProjects(list);
        setFault(null);
      },
      (error: unknown) => setFault(messageOf(error)),
    );
  useEffect(() => {
    document.title = "Connector Builder";
    void load();
  }, [workspace]);
  const remove = async () => {
    if (!deleting) return;
    await tell(api.remove(deleting.id).then(() => toast("success", `“${deleting.name}” was deleted.`)));
    setDeleting(null);
    void load();
  };
  const fork = async (project: ProjectSummary) => {
    const made = await api.create({
      name: `${project.name} (fork)`,
      fork: { project: project.id, version: "draft" },
    });
    go(projectPath(workspace, made.id));
  };
  const shown = projects?.filter((project) => project.name.toLowerCase().includes(sought.toLowerCase()));
  return (
    <div class="page">
      <header class="page-head">
        <div class="grow">
          <h1>Connector Builder</h1>
          <p class="muted">Build, test and publish a connector for any HTTP API.</p>
        </div>
        {projects && projects.length > 0 && (
          <>
            <Button icon="upload" onClick={() => setCreating("import")}>
              Import YAML
            </Button>
            <Button kind="primary" icon="plus" onClick={() => setCreating("scratch")}>
              New connector
            </Button>
          </>
        )}
      </header>
      {fault && (
        <Notice kind="error">
          {fault}{" "}
          <button type="button" class="link" onClick={() => void load()}>
            Try again
          </button>
        </Notice>
      )}
      {!projects && !fault && (
        <div class="empty">
          <span class="spinner" />
        </div>
      )}
      {projects && !projects.length && <Start onStart={setCreating} />}
      {projects && projects.length > 0 && (
        <>
          {projects.length > 6 && (
            <input
              class="input search"
              type="search"
              placeholder="Find a connector"
              aria-label="Find a connector"
              value={sought}
              onInput={(event) => setSought(event.currentTarget.value)}
            />
          )}
          <ProjectTable
            workspace={workspace}
            projects={shown ?? []}
            versions="Active version"
            empty={`No connector has “${sought}” in its name.`}
            note={(project) =>
              project.forked_from && (
                <span class="muted small row">
                  <Icon name="fork" size={12} />
                  forked from {forkName(project.forked_from, projects)}
                </span>
              )
            }
            version={(project) => (
              <>
                {project.active_version === null ? (
                  <Badge>not published</Badge>
                ) : (
                  <Badge kind="success">version {project.active_version}</Badge>
                )}
                {project.latest_version !== null && project.changed_since_version && (
                  <Badge kind="warning" title={`Changed since version ${project.latest_version}`}>
                    changed
                  </Badge>
                )}
              </>
            )}
            actions={(project) => (
              <Menu
                label={`More for ${project.name}`}
                items={[
                  { title: "Open", icon: "edit", run: () => go(projectPath(workspace, project.id)) },
                  { title: "Fork", icon: "fork", run: () => void tell(fork(project)) },
                  {
                    title: "Download YAML",
                    icon: "download",
                    run: () => location.assign(api.exportUrl(project.id, "draft")),
                  },
                  null,
                  {
                    title: project.latest_version === null ? "Delete" : "Published: cannot be deleted",
                    icon: "trash",
                    danger: true,
                    disabled: project.latest_version !== null,
                    run: () => setDeleting(project),
                  },
                ]}
              />
            )}
          />
        </>
      )}
      {creating && (
        <CreateDialog
          kind={creating}
          workspace={workspace}
          projects={projects ?? []}
          onClose={() => setCreating(null)}
        />
      )}
      {deleting && (
        <Dialog
          title={`Delete “${deleting.name}”?`}
          onClose={() => setDeleting(null)}
          onSubmit={() => void remove()}
          foot={
            <>
              <Button onClick={() => setDeleting(null)}>Keep it</Button>
              <Button kind="danger" type="submit">
                Delete
              </Button>
            </>
          }
        >
          <p>The draft and its history go. This cannot be undone.</p>
        </Dialog>
      )}
    </div>
  );
}

function forkName(forked: NonNullable<ProjectSummary["forked_from"]>, projects: ProjectSummary[]): string {
  if (typeof forked === "string") return forked;
  const name = forked.name ?? projects.find((project) => project.id === forked.project)?.name ?? forked.project;
  return forked.version === "draft" ? name : `${name}, version ${forked.version}`;
}

function Start({ onStart }: { onStart: (kind: CreateKind) => void }) {
  const card = (kind: CreateKind, icon: "plus" | "upload", title: string, about: string) => (
    <button type="button" class="start-card" onClick={() => onStart(kind)}>
      <Icon name={icon} size={22} />
      <strong>{title}</strong>
      <span class="muted">{about}</span>
    </button>
  );
  return (
    <div class="start">
      <Empty icon="builder" title="Build your first connector">
        Give the API's address, add a stream, press Test. Five minutes are enough; you can see every request and undo
        every step.
      </Empty>
      <div class="start-cards">
        {card("scratch", "plus", "Start from scratch", "A name and a base URL are all it needs to begin.")}
        {card("import", "upload", "Import a YAML", "Go on with a manifest.yaml that you have. Comments stay.")}
      </div>
    </div>
  );
}
