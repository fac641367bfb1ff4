import { computed, signal } from "@preact/signals";

/** Where a person is: the address decides what is shown. */
export type Route =
  | { page: "projects"; workspace: string }
  | { page: "project"; workspace: string; project: string }
  | { page: "connectors"; workspace: string }
  | { page: "unknown"; workspace: string };

export function routeOf(pathname: string): Route {
  const [workspace = "default", room, project] = pathname.split("/").filter(Boolean).map(decodeURIComponent);
  if (room === "connector-builder" && project) return { page: "project", workspace, project };
  if (room === "connector-builder" || (!room && pathname === "/")) return { page: "projects", workspace };
  if (room === "connectors") return { page: "connectors", workspace };
  return { page: "unknown", workspace };
}

const pathname = signal(location.pathname);
export const route = computed(() => routeOf(pathname.value));

addEventListener("popstate", () => (pathname.value = location.pathname));

export function go(to: string, { replace = false } = {}): void {
  if (to !== location.pathname) history[replace ? "replaceState" : "pushState"](null, "", to);
  pathname.value = location.pathname;
}

export const projectsPath = (workspace: string) => `/${encodeURIComponent(workspace)}/connector-builder`;
export const projectPath = (workspace: string, project: string) =>
  `${projectsPath(workspace)}/${encodeURIComponent(project)}`;
export const connectorsPath = (workspace: string) => `/${encodeURIComponent(workspace)}/connectors`;
