import { expect, it, vi } from "vitest";
import type { JsonObject, TestEvent } from "../api/types";
import { walk } from "../document/walk";
import type { OpenProject } from "../state/project";
import { testing } from "./store";

it("adds a value to those that the server has, whatever this page knew of them", async () => {
  let kept: JsonObject = { region: "eu" };
  const project = {
    workspace: "default",
    id: "a",
    api: {
      testingValues: async () => ({ values: kept, secrets: [], saved: true }),
      saveTestingValues: async (_: string, values: JsonObject) => void (kept = values),
    },
  } as unknown as OpenProject;
  expect(await testing(project).addValue("api_key", "hunter2")).toBe(true);
  expect(kept).toEqual({ region: "eu", api_key: "hunter2" });
  expect(testing(project).values.value).toEqual(kept);
});

it("saves no value where those that are saved cannot be had", async () => {
  const project = {
    workspace: "default",
    id: "b",
    api: {
      testingValues: () => Promise.reject(new Error("away")),
      saveTestingValues: () => expect.unreachable(),
    },
  } as unknown as OpenProject;
  expect(await testing(project).addValue("api_key", "hunter2")).toBe(false);
});

/** A project of one stream whose tests go on until their signal ends them, or `finish` does. */
function tested(id: string) {
  const result = { event: "result", slices: [], logs: [], inferred_schema: { type: "object", properties: { a: {} } } };
  const document = { streams: [{ name: "items" }], metadata: { autoImportSchema: { items: true } } };
  const finishers: (() => void)[] = [];
  const set = vi.fn(async () => true);
  const project = {
    workspace: "default",
    id,
    text: { value: "" },
    document: { value: document },
    analysis: {
      value: { outline: { streams: [{ name: "items", index: 0, path: ["streams", 0] }], dynamic_streams: [] } },
    },
    node: (path: (string | number)[]) => walk(document, path),
    settled: async () => {},
    set,
    api: {
      async *test(_id: string, _text: string, _settings: object, signal: AbortSignal) {
        await new Promise<void>((done, fail) => {
          finishers.push(done);
          signal.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
        });
        yield result as unknown as TestEvent;
      },
    },
  } as unknown as OpenProject;
  const store = testing(project);
  store.stream.value = "items";
  return { store, finishers, set };
}

it("leaves a test alone that took the place of another one", async () => {
  const { store, finishers, set } = tested("c");
  const first = store.test();
  await vi.waitFor(() => expect(finishers.length).toBe(1));
  const second = store.test();
  await first;
  expect(store.run.value?.status).toBe("running");
  await vi.waitFor(() => expect(finishers.length).toBe(2));
  finishers[1]?.();
  await second;
  expect(store.run.value?.status).toBe("done");
  expect(set).toHaveBeenCalledOnce();
});

it("ends its tests, imports nothing and begins none once the page is left", async () => {
  const { store, finishers, set } = tested("d");
  const run = store.test();
  await vi.waitFor(() => expect(finishers.length).toBe(1));
  store.dispose();
  finishers[0]?.();
  await run;
  expect(store.run.value?.status).toBe("cancelled");
  await store.test();
  expect(finishers.length).toBe(1);
  expect(set).not.toHaveBeenCalled();
});
