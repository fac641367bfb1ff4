import { expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { Saver } from "./saver";

const draft = (revision: number) => ({ revision, can_undo: true, can_redo: false, saved_at: "now" });

function saverOf(answers: (number | ApiError)[]) {
  const sent: { text: string; revision: number }[] = [];
  const saver = new Saver("draft", async ({ text, revision }) => {
    sent.push({ text, revision });
    const answer = answers.shift();
    if (answer === undefined || answer instanceof ApiError) throw answer ?? new Error("asked too often");
    return draft(answer);
  });
  saver.adopt(draft(1));
  return { saver, sent };
}

it("saves the last text on top of the revision before", async () => {
  const { saver, sent } = saverOf([2, 3]);
  saver.changed("a", "typing");
  saver.changed("ab", "typing");
  await saver.flush();
  saver.changed("abc", "typing");
  await saver.flush();
  expect(sent).toEqual([
    { text: "ab", revision: 1 },
    { text: "abc", revision: 2 },
  ]);
  expect(saver.state.value.kind).toBe("saved");
});

it("makes changes of another kind a step of their own", async () => {
  const { saver, sent } = saverOf([2, 3]);
  saver.changed("typed", "typing");
  saver.changed("chosen", "choose");
  await saver.flush();
  expect(sent.map(({ text }) => text)).toEqual(["typed", "chosen"]);
});

it("keeps what could not be saved, and saves it later", async () => {
  const { saver, sent } = saverOf([new ApiError(0, "unreachable", "gone", null, null), 2]);
  saver.changed("precious", "typing");
  await saver.flush();
  expect(saver.state.value.kind).toBe("failed");
  await saver.flush();
  expect(sent.at(-1)).toEqual({ text: "precious", revision: 1 });
  expect(saver.isSettled).toBe(true);
});

it("asks whose text it shall be when another changed it", async () => {
  const theirs = { ...draft(7), text: "theirs" };
  const { saver, sent } = saverOf([new ApiError(409, "conflict", "changed", null, { draft: theirs }), 8]);
  saver.changed("mine", "typing");
  await saver.flush();
  expect(saver.state.value).toEqual({ kind: "conflict", theirs });
  await saver.keepMine("mine");
  expect(sent.at(-1)).toEqual({ text: "mine", revision: 7 });
});

it("is not settled while a change is being made", async () => {
  const { saver, sent } = saverOf([2]);
  let made = () => {};
  const work = new Promise<void>((done) => (made = done));
  const expected = saver.expect(work);
  expect(saver.isSettled).toBe(false);
  saver.changed("made", "Set path");
  await saver.flush();
  expect(saver.isSettled).toBe(false);
  made();
  await expected;
  expect(saver.isSettled).toBe(true);
  expect(sent).toEqual([{ text: "made", revision: 1 }]);
});

it("is settled again when a change fails, and leaves what waits to be saved", async () => {
  const { saver } = saverOf([2]);
  await saver.expect(Promise.reject(new Error("refused")));
  expect(saver.isSettled).toBe(true);
  const failing = saver.expect(Promise.reject(new Error("refused")));
  saver.changed("typed", "typing");
  await failing;
  expect(saver.state.value.kind).toBe("unsaved");
});

it("is not saved again by who left, and waited for by who comes next", async () => {
  vi.useFakeTimers();
  const { saver, sent } = saverOf([new ApiError(0, "unreachable", "gone", null, null)]);
  const next = saverOf([]).saver;
  let made = () => {};
  saver.leave(new Promise<void>((done) => (made = done)));
  const taken = next.taken();
  saver.changed("precious", "typing");
  made();
  await taken;
  expect(sent).toEqual([{ text: "precious", revision: 1 }]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(sent.length).toBe(1);
  await next.taken();
  vi.useRealTimers();
});
