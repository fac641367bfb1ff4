import { expect, it } from "vitest";
import type { JsonObject } from "../api/types";
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
