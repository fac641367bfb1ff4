import { useEffect, useState } from "preact/hooks";
import { workspaceApi } from "../api/calls";
import { messageOf } from "../api/client";
import type { ProjectSummary } from "../api/types";
import { projectsPath } from "../state/router";
import { Badge, Empty, Notice } from "../ui/basics";
import { Link } from "./App";
import { ProjectTable } from "./ProjectTable";

/** The connectors of a workspace that are published, each with the version that is in use. */
export function ConnectorsPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const [projects, setProjects] = useState<ProjectSummary[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    document.title = "Connectors";
    api.list().then(setProjects, (error: unknown) => setFault(messageOf(error)));
  }, [workspace]);
  const published = projects?.filter((project) => project.active_version !== null);
  return (
    <div class="page">
      <header class="page-head">
        <div class="grow">
          <h1>Connectors</h1>
          <p class="muted">What has been published in this workspace.</p>
        </div>
        <Link to={projectsPath(workspace)} class="button">
          Connector Builder
        </Link>
      </header>
      {fault && <Notice kind="error">{fault}</Notice>}
      {published?.length === 0 && (
        <Empty
          icon="plug"
          title="Nothing is published yet"
          actions={
            <Link class="button primary" to={projectsPath(workspace)}>
              Open the Connector Builder
            </Link>
          }
        >
          A connector appears here once one of its versions is published and active.
        </Empty>
      )}
      {published && published.length > 0 && (
        <ProjectTable
          workspace={workspace}
          projects={published}
          versions="Version in use"
          version={(project) => (
            <>
              <Badge kind="success">version {project.active_version}</Badge>
              {project.latest_version !== project.active_version && <Badge>latest is {project.latest_version}</Badge>}
            </>
          )}
          actions={(project) => (
            <a class="button small" href={api.exportUrl(project.id, project.active_version ?? "draft")}>
              Download YAML
            </a>
          )}
        />
      )}
    </div>
  );
}
