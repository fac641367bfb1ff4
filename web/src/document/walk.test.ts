import { describe, expect, it } from "vitest";
import type { JsonObject } from "../api/types";
import { configKeysIn, expand, walk } from "./walk";

const manifest: JsonObject = {
  definitions: {
    base: { type: "HttpRequester", url: "https://a", authenticator: { type: "NoAuth" } },
    selector: { type: "RecordSelector" },
  },
  streams: [
    {
      name: "one",
      $parameters: { path: "/given" },
      retriever: {
        requester: { $ref: "#/definitions/base", http_method: "GET" },
        record_selector: "#/definitions/selector",
      },
    },
    { name: "circle", retriever: { $ref: "#/streams/1/retriever" } },
  ],
};
const requester = ["streams", 0, "retriever", "requester"];

describe("walk", () => {
  const table: [string, (string | number)[], object][] = [
    [
      "own value",
      [...requester, "http_method"],
      { value: "GET", at: [...requester, "http_method"], inherited: false, from: null },
    ],
    [
      "value of a $ref is overridden where the mapping stands",
      [...requester, "url"],
      { value: "https://a", at: [...requester, "url"], inherited: true, from: ["definitions", "base", "url"] },
    ],
    [
      "inside an inherited mapping, the shared one is changed",
      [...requester, "authenticator", "type"],
      {
        value: "NoAuth",
        at: ["definitions", "base", "authenticator", "type"],
        inherited: false,
        from: ["definitions", "base", "authenticator"],
      },
    ],
    [
      "text that refers",
      ["streams", 0, "retriever", "record_selector", "type"],
      {
        value: "RecordSelector",
        at: ["definitions", "selector", "type"],
        inherited: false,
        from: ["definitions", "selector"],
      },
    ],
    [
      "value of $parameters",
      [...requester, "path"],
      { value: "/given", at: [...requester, "path"], inherited: true, from: null },
    ],
    [
      "nothing",
      ["streams", 0, "retriever", "paginator"],
      { value: undefined, at: ["streams", 0, "retriever", "paginator"], inherited: false, from: null },
    ],
  ];
  it.each(table)("finds: %s", (_, path, expected) => expect(walk(manifest, path)).toEqual(expected));
  it("ends on a circle", () => expect(walk(manifest, ["streams", 1, "retriever", "requester"]).value).toBeUndefined());
});

it("expands references, own keys last", () => {
  expect(expand(manifest, { $ref: "#/definitions/base", http_method: "GET" })).toEqual({
    type: "HttpRequester",
    url: "https://a",
    authenticator: { type: "NoAuth" },
    http_method: "GET",
  });
});

it("finds the keys of the config", () => {
  const text = "{{ config['a'] }} {{ config[\"b\"] }} {{ config.c }} {{ config.get('d', 1) }}";
  expect([...configKeysIn({ list: [text] })]).toEqual(["a", "b", "c", "d"]);
});
