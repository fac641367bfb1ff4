import { expect, it } from "vitest";
import { differenceOf } from "../editor/change";
import { EventParser } from "./events";

const STREAM = 'event: a\r\ndata: {"x":1}\r\n\r\n: a comment\n\nevent: b\ndata: [1,\ndata: 2]\n\n';

it("gives the same events however the stream is cut", () => {
  const whole = new EventParser().push(STREAM);
  expect(whole).toEqual([
    { event: "a", data: '{"x":1}' },
    { event: "b", data: "[1,\n2]" },
  ]);
  for (let size = 1; size < 9; size += 1) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...parser.push(STREAM.slice(at, at + size)));
    expect(events).toEqual(whole);
  }
});

it("replaces only what differs", () => {
  for (const [before, after] of [
    ["abc", "abXc"],
    ["aaa", "aa"],
    ["", "x"],
    ["same", "same"],
    ["abab", "ab"],
  ] as const) {
    const { from, to, insert } = differenceOf(before, after);
    expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
  }
});
