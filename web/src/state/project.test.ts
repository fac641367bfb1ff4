import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Json } from "../api/types";
import { OpenProject } from "./project";
import { isReachable } from "./reach";
import { toasts } from "./toasts";

type Answer = (body: { text: string; [key: string]: unknown }) => unknown;

const draft = (revision: number, text: string) => ({
  text,
  revision,
  can_undo: true,
  can_redo: false,
  saved_at: "now",
});
/** The manifest of these tests is JSON, which is YAML, too. */
const analysis: Answer = ({ text }) => ({
  findings: [],
  document: JSON.parse(text) as Json,
  outline: { streams: [], dynamic_streams: [], inputs: [], base_url: null },
  shared: [],
});
const refusal = (status: number, body: object) => new Response(JSON.stringify(body), { status });

let answers: Record<string, Answer>;
/** What the server was asked, without the analyses. */
let asked: string[];

beforeEach(() => {
  asked = [];
  toasts.value = [];
  isReachable.value = true;
  let revision = 1;
  answers = {
    analyze: analysis,
    project: () => ({ name: "Test", versions: [], draft: draft(1, `{"a":1}`) }),
    draft: ({ text }) => draft((revision += 1), text),
    undo: () => draft((revision += 1), `{"undone":true}`),
    revert: () => draft((revision += 1), `{"version":1}`),
    session: () => ({}),
    edit: ({ text, edits }) => {
      const document = JSON.parse(text) as Record<string, Json>;
      for (const edit of edits as { op: string; path: string[]; value: Json }[]) {
        const key = edit.path[0] ?? "";
        if (edit.op === "set") document[key] = edit.value;
        else delete document[key];
      }
      return { text: JSON.stringify(document) };
    },
  };
  const storage = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => storage.get(key) ?? null,
    setItem: (key: string, value: string) => storage.set(key, value),
    removeItem: (key: string) => storage.delete(key),
  });
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const what = url.split("/").at(-1) ?? "";
    if (what !== "analyze") asked.push(what);
    const answer = await answers[what]?.(JSON.parse((init.body as string | undefined) ?? "{}"));
    return answer instanceof Response ? answer : new Response(JSON.stringify(answer));
  });
});

afterEach(() => vi.unstubAllGlobals());

async function opened(): Promise<OpenProject> {
  const project = new OpenProject("default", "project");
  await project.open();
  await project.analyze();
  asked = [];
  return project;
}

const told = () => toasts.value.map(({ text }) => text);

it("undoes nothing in a conflict, and forgets nothing", async () => {
  const project = await opened();
  answers.draft = () => refusal(409, { error: { message: "changed" }, draft: draft(7, `{"theirs":1}`) });
  project.typed(`{"mine":1}`);
  await project.undo();
  expect(asked).toEqual(["draft"]);
  expect(told()).toEqual(["Your changes could not be saved, so nothing was undone."]);
  expect(project.text.value).toBe(`{"mine":1}`);
  expect(project.saver.kept?.text).toBe(`{"mine":1}`);
  expect(project.saver.state.value.kind).toBe("conflict");
});

it("undoes nothing and reverts nothing while a change could not be saved", async () => {
  const project = await opened();
  answers.draft = () => refusal(500, {});
  project.typed(`{"mine":1}`);
  await project.undo();
  expect(await project.revert(1)).toBe(false);
  expect(await project.save()).toBe(false);
  expect(new Set(asked)).toEqual(new Set(["draft"]));
  expect(project.text.value).toBe(`{"mine":1}`);
  project.dispose();
});

it("saves first, then undoes", async () => {
  const project = await opened();
  void project.set(["b"], 2);
  await project.undo();
  expect(asked).toEqual(["edit", "draft", "undo"]);
  expect(project.text.value).toBe(`{"undone":true}`);
  expect(project.saver.isSettled).toBe(true);
});

it("reverts to a version, and tells that it did", async () => {
  const project = await opened();
  expect(await project.revert(1)).toBe(true);
  expect(project.text.value).toBe(`{"version":1}`);
});

it("keeps what is typed while a change is being made", async () => {
  const project = await opened();
  let editor: string | null = null;
  project.flushEditor = () => {
    if (editor !== null) project.typed(editor);
    editor = null;
  };
  const edit = answers.edit;
  answers.edit = (body) => {
    if (body.text === `{"a":1}`) editor = `{"a":1,"typed":2}`;
    return edit?.(body);
  };
  expect(await project.set(["b"], 3)).toBe(true);
  expect(project.text.value).toBe(`{"a":1,"typed":2,"b":3}`);
});

it("keeps what is typed while an undo is being made", async () => {
  const project = await opened();
  project.typed(`{"a":2}`);
  const undo = answers.undo;
  answers.undo = (body) => {
    project.typed(`{"a":23}`);
    return undo?.(body);
  };
  await project.undo();
  expect(project.text.value).toBe(`{"a":23}`);
  expect(await project.save()).toBe(true);
});

it("makes a fix after the changes before it", async () => {
  const project = await opened();
  answers.fix = ({ text }) => ({ text: text.replace("}", `,"fixed":true}`) });
  void project.set(["b"], 2);
  await project.fix({ code: "x", path: [] } as never);
  expect(project.text.value).toBe(`{"a":1,"b":2,"fixed":true}`);
});

it("decides on a change by what the document is once the changes before are made", async () => {
  const project = await opened();
  void project.set(["b"], 2);
  const seen: Json[] = [];
  await project.edit((document) => {
    seen.push(document);
    return [];
  }, "Look");
  project.typed(`{"typed":1}`);
  await project.edit((document) => {
    seen.push(document);
    return [{ op: "set", path: ["c"], value: 3 }];
  }, "Set c");
  expect(seen).toEqual([{ a: 1, b: 2 }, { typed: 1 }]);
  expect(project.text.value).toBe(`{"typed":1,"c":3}`);
});

it("removes what was set just before, and does not ask for what is gone", async () => {
  const project = await opened();
  void project.set(["b"], 2);
  void project.remove(["b"]);
  expect(await project.remove(["b"])).toBe(true);
  expect(project.text.value).toBe(`{"a":1}`);
  expect(asked.filter((what) => what === "edit")).toHaveLength(2);
  expect(told()).toEqual([]);
});

it("makes a change again when the server answers again", async () => {
  const project = await opened();
  const edit = answers.edit;
  answers.edit = () => {
    throw new TypeError("fetch failed");
  };
  const done = project.set(["b"], 2);
  while (isReachable.value) await new Promise((next) => setTimeout(next));
  expect(project.saver.isSettled).toBe(false);
  expect(project.isUnsent.value).toBe(true);
  if (edit) answers.edit = edit;
  isReachable.value = true;
  expect(await done).toBe(true);
  expect(project.text.value).toBe(`{"a":1,"b":2}`);
});

it("tells that a change was refused", async () => {
  const project = await opened();
  answers.edit = () => refusal(400, { error: { message: "It is an alias." } });
  expect(await project.set(["b"], 2)).toBe(false);
  expect(told()).toEqual(["It is an alias."]);
  await expect(project.change([{ op: "remove", path: ["a"] }], "Remove")).rejects.toThrow("It is an alias.");
});

it("does not count as saved while the text of a field could not be told", async () => {
  const project = await opened();
  let letGo = () => {};
  let works = false;
  letGo = project.hold(async () => {
    if (works && (await project.set(["b"], 2))) letGo();
  });
  expect(project.saver.isSettled).toBe(false);
  expect(await project.save()).toBe(false);
  works = true;
  expect(await project.save()).toBe(true);
  expect(project.saver.isSettled).toBe(true);
  expect(project.isUnsent.value).toBe(false);
  expect(project.text.value).toBe(`{"a":1,"b":2}`);
});

it("analyses again when the server answers again", async () => {
  const project = await opened();
  answers.analyze = () => {
    throw new TypeError("fetch failed");
  };
  project.typed(`{"a":2}`);
  await project.analyze();
  await project.analyze();
  expect(project.analysisFault.value).not.toBeNull();
  expect(told()).toHaveLength(1);
  answers.analyze = analysis;
  isReachable.value = true;
  while (project.analysisFault.value !== null) await new Promise((next) => setTimeout(next));
  expect(project.document.value).toEqual({ a: 2 });
  expect(project.isAnalyzed.value).toBe(true);
  project.dispose();
});

it("keeps a copy that is undecided while other changes are saved", async () => {
  const key = "draft:default/project";
  localStorage.setItem(key, JSON.stringify({ text: `{"precious":1}`, revision: 0 }));
  const project = await opened();
  expect(project.kept.value).toBe(`{"precious":1}`);
  project.typed(`{"a":2}`);
  expect(await project.save()).toBe(true);
  const later = await opened();
  expect(later.kept.value).toBe(`{"precious":1}`);
  await later.decide(true);
  expect(later.text.value).toBe(`{"precious":1}`);
  expect(later.kept.value).toBeNull();
  // Until it is saved, the browser keeps it as any unsaved change.
  expect(later.saver.kept?.text).toBe(`{"precious":1}`);
  expect(await later.save()).toBe(true);
  expect(later.saver.kept).toBeNull();
  expect((await opened()).kept.value).toBeNull();
});

it("forgets a discarded copy, and nothing that is not saved yet", async () => {
  localStorage.setItem("draft:default/project", JSON.stringify({ text: `{"old":1}`, revision: 0 }));
  const project = await opened();
  project.typed(`{"a":2}`);
  await project.decide(false);
  expect(project.kept.value).toBeNull();
  expect(project.saver.undecided).toEqual([]);
  expect(project.saver.kept?.text).toBe(`{"a":2}`);
  project.dispose();
});

it("gives what could not be saved to who comes back", async () => {
  const project = await opened();
  const save = answers.draft;
  answers.draft = () => refusal(500, {});
  project.typed(`{"mine":1}`);
  project.dispose();
  const later = await opened();
  expect(later.text.value).toBe(`{"mine":1}`);
  answers.draft = save ?? analysis;
  expect(await later.save()).toBe(true);
  expect(later.saver.state.value.kind).toBe("saved");
});

it("drops a change that waits for the server when it is left", async () => {
  const project = await opened();
  answers.edit = () => {
    throw new TypeError("fetch failed");
  };
  const set = project.set(["b"], 2);
  while (!project.isUnsent.value) await new Promise((next) => setTimeout(next));
  project.dispose();
  const later = await opened();
  isReachable.value = true;
  await set;
  expect(asked).toEqual([]);
  expect(later.text.value).toBe(`{"a":1}`);
});
