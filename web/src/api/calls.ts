import { call, send } from "./client";
import { eventsOf } from "./events";
import type {
  Analysis,
  Completion,
  ConsentStatus,
  DiffLine,
  Draft,
  Edit,
  GeneratedStream,
  Hover,
  ImageEvent,
  JsonObject,
  Path,
  Place,
  Project,
  ProjectSummary,
  Session,
  TestEvent,
  TestingValues,
  TestSettings,
} from "./types";

const part = encodeURIComponent;

/** The calls on the projects of one workspace. */
export function workspaceApi(workspace: string) {
  const projects = `/api/workspaces/${part(workspace)}/projects`;
  const at = (id: string, rest = "") => `${projects}/${part(id)}${rest}`;
  return {
    list: () => call<ProjectSummary[]>("GET", projects),
    create: (body: {
      name?: string;
      text?: string;
      url?: string;
      fork?: { project: string; version: number | "draft" };
    }) => call<Project>("POST", projects, body),
    get: (id: string) => call<Project>("GET", at(id)),
    rename: (id: string, name: string) => call<unknown>("PATCH", at(id), { name }),
    remove: (id: string) => call<unknown>("DELETE", at(id)),
    save: (id: string, body: { text: string; revision: number; label?: string }) =>
      call<Omit<Draft, "text">>("PUT", at(id, "/draft"), body),
    undo: (id: string) => call<Draft & { label?: string }>("POST", at(id, "/undo"), {}),
    redo: (id: string) => call<Draft & { label?: string }>("POST", at(id, "/redo"), {}),
    version: (id: string, version: number) => call<{ text: string }>("GET", at(id, `/versions/${version}`)),
    publish: (id: string, body: { description: string; activate: boolean; ignore_warnings: boolean }) =>
      call<{ version: number }>("POST", at(id, "/versions"), body),
    activate: (id: string, version: number) => call<unknown>("POST", at(id, "/active"), { version }),
    revert: (id: string, version: number) => call<Draft>("POST", at(id, "/revert"), { version }),
    diff: (id: string, from: number | "draft", to: number | "draft") =>
      call<{ lines: DiffLine[] }>("GET", at(id, `/diff?from=${from}&to=${to}`)),
    exportUrl: (id: string, version: number | "draft") => at(id, `/export?version=${version}`),
    testingValues: (id: string) => call<TestingValues>("GET", at(id, "/testing_values")),
    saveTestingValues: (id: string, values: JsonObject) => call<unknown>("PUT", at(id, "/testing_values"), { values }),
    check: (id: string, text: string, values?: JsonObject) =>
      call<{ success: boolean; message: string | null }>("POST", at(id, "/check"), { text, values }),
    /** Begins a consent: its id, and where the user agrees. */
    consent: (id: string, text: string) => call<{ consent: string; url: string }>("POST", at(id, "/oauth"), { text }),
    generate: (id: string, text: string, stream_limit: number) =>
      call<{ streams: GeneratedStream[] }>("POST", at(id, "/generate"), { text, stream_limit }),
    async *test(id: string, text: string, settings: TestSettings, signal: AbortSignal): AsyncGenerator<TestEvent> {
      yield* eventsOf<TestEvent>(await send("POST", at(id, "/tests"), { text, ...settings }, signal));
    },
    async *image(
      id: string,
      body: { version: number | "draft"; tag: string; push: boolean },
      signal: AbortSignal,
    ): AsyncGenerator<ImageEvent> {
      yield* eventsOf<ImageEvent>(await send("POST", at(id, "/image"), body, signal));
    },
  };
}

export const consentStatus = (consent: string) => call<ConsentStatus>("GET", `/api/oauth/${part(consent)}`);
export const session = () => call<Session>("GET", "/api/session");
export const manifestSchema = () => call<JsonObject>("GET", "/api/schema");
export const analyze = (text: string, signal?: AbortSignal) => call<Analysis>("POST", "/api/analyze", { text }, signal);
export const edit = (text: string, edits: Edit[]) => call<{ text: string }>("POST", "/api/edit", { text, edits });
export const yamlOf = (text: string, path: Path) => call<{ yaml: string }>("POST", "/api/yaml", { text, path });
export const locate = (text: string, path: Path) =>
  call<Place & { key?: Place }>("POST", "/api/locate", { text, path });
export const fix = (text: string, code: string, path: Path) =>
  call<{ text: string }>("POST", "/api/fix", { text, code, path });
export const complete = (text: string, line: number, column: number) =>
  call<{ from_column: number; items: Completion[] }>("POST", "/api/complete", { text, line, column });
export const hover = (text: string, line: number, column: number) =>
  call<Hover | null>("POST", "/api/hover", { text, line, column });
export const skipWait = (test: string) => call<unknown>("POST", `/api/tests/${part(test)}/skip`, {});
export const cancelTest = (test: string) => call<unknown>("DELETE", `/api/tests/${part(test)}`);
export const bodyPart = async (test: string, body: string | number, offset: number, length: number) =>
  (await send("GET", `/api/tests/${part(test)}/bodies/${part(String(body))}?offset=${offset}&length=${length}`)).text();
