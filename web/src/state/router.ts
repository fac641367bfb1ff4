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

/** Tells whether a page may be left now; set by the page that has something to lose. */
export const mayLeave = signal<() => boolean>(() => true);
/** Where somebody wanted to go who was held back. */
export const wanted = signal<string | null>(null);

addEventListener("popstate", () => {
  const to = location.pathname;
  if (to !== pathname.value && !mayLeave.value()) {
    history.pushState(null, "", pathname.value);
    wanted.value = to;
  } else pathname.value = to;
});

export function go(to: string, { replace = false, anyway = false } = {}): void {
  if (to !== location.pathname && !anyway && !mayLeave.value()) {
    wanted.value = to;
    return;
  }
  wanted.value = null;
  if (to !== location.pathname) history[replace ? "replaceState" : "pushState"](null, "", to);
  pathname.value = location.pathname;
}

export const projectsPath = (workspace: string) => `/${encodeURIComponent(workspace)}/connector-builder`;
export const projectPath = (workspace: string, project: string) =>
  `${projectsPath(workspace)}/${encodeURIComponent(project)}`;
export const connectorsPath = (workspace: string) => `/${encodeURIComponent(workspace)}/connectors`;
