import { expect, it } from "vitest";
import { configOf, withKept } from "./config";

it("reads a config, and nothing else", () => {
  expect(configOf('{"a": 1}')).toEqual({ a: 1 });
  for (const text of ["", "[]", "null", '"a"', "{"]) expect(() => configOf(text)).toThrow();
});

it.each([
  [{ token: "typed", region: "us" }, { token: "***", region: "eu" }, ["token"], { token: "***", region: "us" }],
  [
    { auth: { user: "me" } },
    { auth: { user: "", token: "***" } },
    ["auth.token"],
    { auth: { user: "me", token: "***" } },
  ],
  [{}, { auth: { token: "***" } }, ["auth.token"], { auth: { token: "***" } }],
  [{}, { "a.b": "***" }, ["a.b"], { "a.b": "***" }],
  [{ a: 1 }, {}, ["token"], { a: 1 }],
])("takes only what a consent has filled: %#", (now, saved, kept, expected) =>
  expect(withKept(now, saved, kept)).toEqual(expected),
);
