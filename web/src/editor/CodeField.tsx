import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useLayoutEffect, useRef } from "preact/hooks";
import { differenceOf } from "./change";
import { basics } from "./setup";

interface Props {
  value: string;
  label: string;
  language: "yaml" | "json";
  readOnly?: boolean;
  /** Whether something else than `value` was typed: it stays, whatever `value` becomes, until this is over. */
  isChanged?: boolean;
  onChange?: (text: string) => void;
  onSubmit?: () => void;
  fill?: boolean;
}

const settings = new Compartment();

/**
 * A small editor for one component or one JSON value; it grows with its text.
 * Its effects run before the next key can be pressed: a late one would take back what was typed.
 */
export default function CodeField(props: Props) {
  const { value, label, language, readOnly = false, isChanged = false, fill } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const extensions = () => [basics({ language, isRich: false, label }), EditorState.readOnly.of(readOnly)];
  useLayoutEffect(() => {
    if (!host.current) return;
    const submit = () => {
      latest.current.onSubmit?.();
      return true;
    };
    const state = EditorState.create({
      doc: value,
      extensions: [
        keymap.of([{ key: "Mod-Enter", run: submit }]),
        settings.of(extensions()),
        EditorView.lineWrapping,
        EditorView.updateListener.of(
          (update) => update.docChanged && latest.current.onChange?.(update.state.doc.toString()),
        ),
      ],
    });
    const editor = new EditorView({ state, parent: host.current });
    view.current = editor;
    return () => editor.destroy();
  }, []);
  // The same editor goes on, with the text and the caret that it has.
  useLayoutEffect(
    () => view.current?.dispatch({ effects: settings.reconfigure(extensions()) }),
    [language, readOnly, label],
  );
  useLayoutEffect(() => {
    const before = view.current?.state.doc.toString();
    if (isChanged || before === undefined || before === value) return;
    view.current?.dispatch({ changes: differenceOf(before, value) });
  }, [value, isChanged]);
  return <div class={fill ? "code-field fill" : "code-field"} ref={host} />;
}
