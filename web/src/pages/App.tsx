import { useEffect } from "preact/hooks";
import { connectorsPath, go, projectsPath, route } from "../state/router";
import { isDark, nextTheme } from "../state/theme";
import { Empty } from "../ui/basics";
import { Icon, type IconName } from "../ui/Icon";
import { Toasts } from "../ui/Toasts";
import { ConnectorsPage } from "./ConnectorsPage";
import { EditorPage } from "./EditorPage";
import { ListPage } from "./ListPage";

/** A link that changes the address without loading the page anew. */
export function Link({
  to,
  children,
  ...rest
}: {
  to: string;
  children: preact.ComponentChildren;
  class?: string;
  "aria-current"?: "page" | undefined;
  title?: string;
}) {
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

export function App() {
  const where = route.value;
  const { workspace } = where;
  useEffect(() => {
    if (location.pathname === "/") go(projectsPath(workspace), { replace: true });
  }, []);
  const isBuilder = where.page === "projects" || where.page === "project";
  const entry = (to: string, icon: IconName, title: string, isHere: boolean) => (
    <Link to={to} class="rail-link" aria-current={isHere ? "page" : undefined}>
      <Icon name={icon} size={19} />
      {title}
    </Link>
  );
  return (
    <div class="app">
      <nav class="rail" aria-label="Workspace">
        <Link to={projectsPath(workspace)} class="logo" title="Connector Builder">
          <Logo />
          <span class="hidden-text">Connector Builder</span>
        </Link>
        {entry(connectorsPath(workspace), "plug", "Connectors", where.page === "connectors")}
        {entry(projectsPath(workspace), "builder", "Builder", isBuilder)}
        <span class="grow" />
        <button
          type="button"
          class="rail-link"
          onClick={nextTheme}
          aria-label={isDark.value ? "Light colours" : "Dark colours"}
        >
          <Icon name={isDark.value ? "sun" : "moon"} size={18} />
          {isDark.value ? "Light" : "Dark"}
        </button>
      </nav>
      <main class="main">
        {where.page === "projects" && <ListPage workspace={workspace} />}
        {where.page === "connectors" && <ConnectorsPage workspace={workspace} />}
        {where.page === "project" && (
          <EditorPage key={`${workspace}/${where.project}`} workspace={workspace} id={where.project} />
        )}
        {where.page === "unknown" && (
          <Empty
            icon="info"
            title="There is nothing here"
            actions={
              <Link class="button" to={projectsPath(workspace)}>
                To the Connector Builder
              </Link>
            }
          >
            No page has this address.
          </Empty>
        )}
      </main>
      <Toasts />
    </div>
  );
}

function Logo() {
  return (
    <svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <path
        d="M9 12h7a4 4 0 0 1 0 8h-2m9 0h-7"
        fill="none"
        stroke="var(--on-accent)"
        stroke-width="2.6"
        stroke-linecap="round"
      />
      <circle cx="9" cy="12" r="2.6" fill="var(--on-accent)" />
      <circle cx="23" cy="20" r="2.6" fill="var(--on-accent)" />
    </svg>
  );
}
