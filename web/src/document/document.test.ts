import { describe, expect, it } from "vitest";
import { graphqlFault } from "./graphql";
import { dropInputsEdits, inputsOf, moveInputEdits, putInputEdits, removeInputEdits } from "./inputs";
import { differencesOf, mergeSchemas, withIntegers } from "./schemas";
import { looksLikeSecret } from "./secrets";
import { addStreamEdits, newStream, removeStreamEdits } from "./skeleton";
import { chooseEdits, starterOf } from "./starters";
import { insertVariable, openTemplate } from "./variables";
import { imageNameOf, slugOf, titleOfComponent, titleOfKey } from "./words";

const empty = {
  check: { type: "CheckStream", stream_names: [] },
  definitions: { base_requester: {} },
  streams: [],
  spec: { connection_specification: { required: [], properties: {} } },
};

describe("secrets", () => {
  it.each([
    ["api_token", "a8f5f167f44f4964e6c998dee827110c", true],
    ["header", "Bearer 9f8e7d6c5b4a", true],
    ["value", "sk-live-51H8xyz", true],
    ["api_token", "{{ config['api_key'] }}", false],
    ["path", "/v1/customers/list/everything", false],
    ["parent_key", "customer_id", false],
    ["url", "https://api.example.com/a8f5f167f44f4964e6c998dee827110c", false],
    ["cursor_value", "next", false],
  ])("%s: %s", (key, text, expected) => expect(looksLikeSecret(key, text)).toBe(expected));
});

describe("streams", () => {
  it("the first one is what the connection is checked with", () => {
    const stream = newStream(empty, "Rates", "/latest");
    expect(addStreamEdits(empty, stream)).toEqual([
      { op: "insert", path: ["streams"], index: 0, value: stream },
      { op: "set", path: ["check", "stream_names"], value: ["Rates"] },
    ]);
  });
  it("one that goes leaves the check to the next", () => {
    const manifest = { check: { stream_names: ["a"] }, streams: [{ name: "a" }, { name: "b" }] };
    expect(removeStreamEdits(manifest, 0)).toEqual([
      { op: "remove", path: ["streams", 0] },
      { op: "set", path: ["check", "stream_names"], value: ["b"] },
    ]);
  });
});

describe("user inputs", () => {
  const spec = (properties: object, required: string[] = []) =>
    ({ ...empty, spec: { connection_specification: { required, properties } } }) as never;
  it("come in their order, those of the authenticator locked", () => {
    const manifest = {
      ...(spec({ b: { order: 1 }, a: { order: 0 } }) as object),
      definitions: { base_requester: { authenticator: { api_token: "{{ config['b'] }}" } } },
    };
    expect(inputsOf(manifest as never).map(({ key, locked }) => [key, locked])).toEqual([
      ["a", false],
      ["b", true],
    ]);
  });
  it("a new one makes the first property, and is required", () => {
    expect(putInputEdits(empty, { key: "k", property: {}, required: true }, null)).toEqual([
      { op: "set", path: ["spec", "connection_specification", "properties"], value: { k: {} } },
      { op: "set", path: ["spec", "connection_specification", "required"], value: ["k"] },
    ]);
  });
  it("a renamed one keeps its place", () => {
    expect(
      putInputEdits(spec({ a: {} }, ["a"]), { key: "b", property: {}, required: false }, "a").map((edit) => edit.op),
    ).toEqual(["rename", "set", "set"]);
  });
  it("the last one leaves a mapping", () => {
    expect(removeInputEdits(spec({ a: {} }), "a")).toEqual([
      { op: "set", path: ["spec", "connection_specification", "properties"], value: {} },
    ]);
  });
  it("a move changes the orders that differ", () => {
    const inputs = inputsOf(spec({ a: { order: 0 }, b: { order: 1 }, c: { order: 2 } }));
    expect(moveInputEdits(inputs, 0, 1)).toHaveLength(2);
  });
  it("an authenticator brings those it reads", () => {
    const edits = chooseEdits(empty, ["x"], "BasicHttpAuthenticator", starterOf("BasicHttpAuthenticator"));
    expect(edits.filter((edit) => edit.op === "set").map((edit) => edit.path.at(-1))).toEqual([
      "x",
      "properties",
      "required",
      "password",
      "required",
    ]);
  });
});

describe("schemas", () => {
  const declared = {
    type: "object",
    properties: { id: { type: "integer" }, gone: { type: "string" }, at: { type: "string" } },
  };
  const detected = {
    type: "object",
    properties: {
      id: { type: ["integer", "null"] },
      at: { type: "object", properties: { day: { type: "string" } } },
      more: { type: "string" },
    },
  };
  it("differ field by field", () => {
    expect(differencesOf(declared, detected).map(({ path, kind }) => [(path as string[]).join("."), kind])).toEqual([
      ["at", "type"],
      ["at.day", "missing"],
      ["more", "missing"],
      ["gone", "extra"],
    ]);
  });
  it("merge without loss", () => {
    const merged = mergeSchemas(declared, detected) as typeof declared;
    expect(Object.keys(merged.properties)).toEqual(["id", "gone", "at", "more"]);
    expect(merged.properties.at.type).toEqual(["string", "object"]);
  });
});

describe("templates", () => {
  it("are open between braces", () => {
    expect(openTemplate("a {{ con", 8)).toEqual({ from: 5, word: "con" });
    expect(openTemplate("{{ a }} b", 9)).toBeNull();
  });
  it.each([
    ["/x/", 3, "/x/{{ now_utc() }}"],
    ["{{", 2, "{{ now_utc() }}"],
    ["{{ no }}", 5, "{{ now_utc() }}"],
  ])("%s takes a variable", (text, caret, expected) =>
    expect(insertVariable(text, caret, "now_utc()").text).toBe(expected),
  );
});

it("says names in plain words", () => {
  expect([slugOf("Base currency!"), titleOfKey("stream_filter"), titleOfComponent("KeysToUpper")]).toEqual([
    "base_currency",
    "Stream filter",
    "Keys to upper",
  ]);
});

it.each([
  ["query { a(id: 1) { b } }", null],
  ["{ a(id: \"{{ config['id'] }}\") { b } }", null],
  ["{ a { b }", "“{” is not closed."],
  ["{ a ) }", "“)” closes nothing."],
  ['{ a(b: "c) }', "A quote is not closed."],
  ["{ a { } }", "A selection is empty."],
])("checks GraphQL: %s", (query, expected) => expect(graphqlFault(query)).toBe(expected));

it("takes numbers for whole ones where that is declared and true", () => {
  const detected = {
    properties: {
      id: { type: ["number", "null"] },
      price: { type: "number" },
      size: { type: "number" },
      in: { type: "object", properties: { n: { type: "number" } } },
    },
  };
  const integer = { type: "integer" };
  const declared = { properties: { id: integer, price: integer, in: { properties: { n: integer } } } };
  const records = [
    { id: 1, price: 1, size: 1, in: { n: 1 } },
    { id: null, price: 1.5, size: 1, in: null },
  ];
  const found = withIntegers(declared, detected, records);
  expect(found).toEqual({
    properties: {
      id: { type: ["integer", "null"] },
      price: { type: "number" },
      size: { type: "number" },
      in: { type: "object", properties: { n: { type: "integer" } } },
    },
  });
});

it("names an image so that every registry takes it", () => {
  const repository = /^airbyte\/source-[a-z\d]+(-[a-z\d]+)*:/;
  for (const title of ["Exchange Rates", "  __x__ ", "Übersicht & mehr", "…", ""])
    expect(imageNameOf(title, "draft")).toMatch(repository);
  expect([imageNameOf("Exchange Rates", 3), imageNameOf("…", "draft")]).toEqual([
    "airbyte/source-exchange-rates:0.0.3",
    "airbyte/source-connector:dev",
  ]);
});

it("drops the inputs that only the former authenticator read", () => {
  const old = { type: "BasicHttpAuthenticator", username: "{{ config['user'] }}", password: "{{ config['pass'] }}" };
  const document = {
    definitions: { base_requester: { url: "https://{{ config['user'] }}.test", authenticator: old } },
    spec: { connection_specification: { required: ["user", "pass"], properties: { user: {}, pass: {} } } },
  };
  const { edits, left } = dropInputsEdits(document, ["definitions", "base_requester", "authenticator"], old);
  expect(edits).toEqual([
    { op: "remove", path: ["spec", "connection_specification", "properties", "pass"] },
    { op: "set", path: ["spec", "connection_specification", "required"], value: ["user"] },
  ]);
  expect(inputsOf(left).map((input) => input.key)).toEqual(["user"]);
});
