import type { ComponentChildren } from "preact";
import type { ProjectSummary } from "../api/types";
import { projectPath } from "../state/router";
import { ago, moment } from "../ui/time";
import { Link } from "./App";

/** Connectors, each a row: its name, what is said of its versions, its last change, and what can be done with it. */
export function ProjectTable({
  workspace,
  projects,
  versions,
  note,
  version,
  actions,
  empty,
}: {
  workspace: string;
  projects: ProjectSummary[];
  /** The title over the versions. */
  versions: string;
  note?: (project: ProjectSummary) => ComponentChildren;
  version: (project: ProjectSummary) => ComponentChildren;
  actions: (project: ProjectSummary) => ComponentChildren;
  /** What stands there in place of rows. */
  empty?: string;
}) {
  return (
    <div class="panel">
      <table class="table rows">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">{versions}</th>
            <th scope="col">Last change</th>
            <th scope="col">
              <span class="hidden-text">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {projects.map((project) => (
            <tr key={project.id}>
              <td>
                <Link class="name" to={projectPath(workspace, project.id)}>
                  {project.name}
                </Link>
                {note?.(project)}
              </td>
              <td>
                <span class="row">{version(project)}</span>
              </td>
              <td class="muted" title={moment(project.updated_at)}>
                {ago(project.updated_at)}
              </td>
              <td class="actions">{actions(project)}</td>
            </tr>
          ))}
          {!projects.length && (
            <tr>
              <td colSpan={4} class="muted">
                {empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
