import { undo } from "@codemirror/commands";
import { Compartment, EditorState, type Transaction } from "@codemirror/state";
import { expect, it } from "vitest";
import { basics } from "./setup";

it("an editor keeps its text and its steps while it is read-only, under another name too", () => {
  const settings = new Compartment();
  const extensions = (label: string, readOnly: boolean) => [
    basics({ language: "json", isRich: false, label }),
    EditorState.readOnly.of(readOnly),
  ];
  let state = EditorState.create({ doc: "{}", extensions: settings.of(extensions("a", false)) });
  const dispatch = (transaction: Transaction) => (state = transaction.state);
  dispatch(state.update({ changes: { from: 0, insert: "typed" } }));
  dispatch(state.update({ effects: settings.reconfigure(extensions("b", true)) }));
  expect([state.doc.toString(), state.readOnly, undo({ state, dispatch })]).toEqual(["typed{}", true, false]);
  dispatch(state.update({ effects: settings.reconfigure(extensions("b", false)) }));
  expect(undo({ state, dispatch })).toBe(true);
  expect(state.doc.toString()).toBe("{}");
});
