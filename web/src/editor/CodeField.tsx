import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useEffect, useRef } from "preact/hooks";
import { basics } from "./setup";

interface Props {
  value: string;
  label: string;
  language: "yaml" | "json";
  readOnly?: boolean;
  onChange?: (text: string) => void;
  onSubmit?: () => void;
  fill?: boolean;
}

/** A small editor for one component or one JSON value; it grows with its text. */
export default function CodeField({ value, label, language, readOnly = false, onChange, onSubmit, fill }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const handlers = useRef({ onChange, onSubmit });
  handlers.current = { onChange, onSubmit };
  useEffect(() => {
    if (!host.current) return;
    const submit = () => {
      handlers.current.onSubmit?.();
      return true;
    };
    const state = EditorState.create({
      doc: value,
      extensions: [
        keymap.of([{ key: "Mod-Enter", run: submit }]),
        basics({ language, isRich: false, readOnly, label }),
        EditorView.lineWrapping,
        EditorView.updateListener.of(
          (update) => update.docChanged && handlers.current.onChange?.(update.state.doc.toString()),
        ),
      ],
    });
    view.current = new EditorView({ state, parent: host.current });
    return () => view.current?.destroy();
  }, [language, readOnly, label]);
  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value)
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  return <div class={fill ? "code-field fill" : "code-field"} ref={host} />;
}
