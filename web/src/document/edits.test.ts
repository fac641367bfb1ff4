import { expect, it } from "vitest";
import { removeInputEdits } from "./inputs";
import { addItem, duplicateItem, moveItem, removeEntry, removeItem, renameEntry, setEntry } from "./edits";

it("makes the mapping with its first entry, and adds the second to it", () => {
  expect(setEntry(["headers"], ["a"], "1")({})).toEqual([{ op: "set", path: ["headers"], value: { a: "1" } }]);
  expect(setEntry(["headers"], ["b"], "2")({ headers: { a: "1" } })).toEqual([
    { op: "set", path: ["headers", "b"], value: "2" },
  ]);
});

it("finds an entry by the name that it was given meanwhile", () => {
  const renamed = { headers: { b: "1" } };
  expect(setEntry(["headers"], ["a", "b"], "2")(renamed)).toEqual([{ op: "set", path: ["headers", "b"], value: "2" }]);
  expect(renameEntry(["headers"], ["a", "b"], "bc")(renamed)).toEqual([
    { op: "rename", path: ["headers"], from: "b", to: "bc" },
  ]);
  expect(removeEntry(["headers"], ["a", "b"])(renamed)).toEqual([{ op: "remove", path: ["headers"] }]);
});

it("leaves another entry alone whose name an entry was not given", () => {
  const refused = { headers: { a: "1", b: "other" } };
  expect(setEntry(["headers"], ["a", "b"], "2")(refused)).toEqual([{ op: "set", path: ["headers", "a"], value: "2" }]);
  expect(removeEntry(["headers"], ["a", "b"])(refused)).toEqual([{ op: "remove", path: ["headers", "a"] }]);
});

it("takes a mapping out with its last entry, and nothing that is gone", () => {
  expect(removeEntry(["headers"], ["a"])({ headers: { a: "1" } })).toEqual([{ op: "remove", path: ["headers"] }]);
  expect(removeEntry(["headers"], ["a"], { keepsEmpty: true })({ headers: { a: "1" } })).toEqual([
    { op: "remove", path: ["headers", "a"] },
  ]);
  expect(removeEntry(["headers"], ["a"])({ headers: { b: "1" } })).toEqual([]);
});

it("adds items one after the other", () => {
  expect(addItem(["list"], "a")({})).toEqual([{ op: "set", path: ["list"], value: ["a"] }]);
  expect(addItem(["list"], "b")({ list: ["a"] })).toEqual([{ op: "insert", path: ["list"], index: 1, value: "b" }]);
});

const shown = (index: number, value: string) => ({ at: ["list", index], value, count: 3 });

it("removes, moves and copies the item that was shown, wherever it stands by then", () => {
  const document = { list: ["b", "c", "a"] };
  expect(removeItem(shown(0, "a"))(document)).toEqual([{ op: "remove", path: ["list", 2] }]);
  expect(moveItem(shown(1, "b"), 1)(document)).toEqual([{ op: "move", path: ["list"], from: 0, to: 1 }]);
  expect(moveItem(shown(0, "a"), 1)(document)).toEqual([]);
  expect(duplicateItem(shown(2, "c"))(document)).toEqual([{ op: "insert", path: ["list"], index: 2, value: "c" }]);
});

it("knows an item that was changed by its place, while no item came or went", () => {
  expect(removeItem(shown(1, "b"))({ list: ["a", "B", "c"] })).toEqual([{ op: "remove", path: ["list", 1] }]);
  expect(removeItem(shown(1, "b"))({ list: ["a", "c"] })).toEqual([]);
  expect(moveItem(shown(1, "b"), 1)({})).toEqual([]);
});

it("removes a user input once, and no other in its place", () => {
  const document = { spec: { connection_specification: { type: "object", properties: { b: { type: "string" } } } } };
  expect(removeInputEdits(document, "a")).toEqual([]);
});
