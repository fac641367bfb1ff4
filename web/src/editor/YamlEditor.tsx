import { Annotation, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "preact/hooks";
import * as api from "../api/calls";
import { ApiError } from "../api/client";
import type { Path, Place } from "../api/types";
import { pathText } from "../document/walk";
import type { OpenProject } from "../state/project";
import { target } from "../state/view";
import { differenceOf } from "./change";
import { language, offsetOf, showFindings } from "./language";
import { basics } from "./setup";

const PAUSE_MS = 150;
/** Marks a change that comes from the project, not from typing. */
const EditorOutside = Annotation.define<boolean>();

/** Where a value stands, or the nearest one around it, if it is missing. */
async function nearest(text: string, path: Path): Promise<Place | null> {
  for (let length = path.length; length > 0; length -= 1) {
    try {
      return await api.locate(text, path.slice(0, length));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
  return null;
}

/** The whole manifest as text. */
export default function YamlEditor({ project }: { project: OpenProject }) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const findings = project.findings.value;
  const outside = project.outside.value;
  const wanted = target.value;

  useEffect(() => {
    if (!host.current) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      clearTimeout(timer);
      if (view.current) project.typed(view.current.state.doc.toString());
    };
    const state = EditorState.create({
      doc: project.text.peek(),
      extensions: [
        basics({ language: "yaml", isRich: true, label: "Manifest as YAML" }),
        language,
        EditorView.updateListener.of((update) => {
          if (!update.docChanged || update.transactions.some((one) => one.annotation(EditorOutside))) return;
          clearTimeout(timer);
          timer = setTimeout(flush, PAUSE_MS);
        }),
      ],
    });
    view.current = new EditorView({ state, parent: host.current });
    project.flushEditor = flush;
    return () => {
      flush();
      project.flushEditor = () => {};
      view.current?.destroy();
      view.current = null;
    };
  }, [project]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const before = editor.state.doc.toString();
    const after = project.text.peek();
    if (before !== after)
      editor.dispatch({ changes: differenceOf(before, after), annotations: EditorOutside.of(true) });
  }, [outside]);

  useEffect(() => {
    if (view.current && view.current.state.doc.length === project.text.peek().length) {
      showFindings(view.current, findings, (finding) => void project.fix(finding));
    }
  }, [findings]);

  useEffect(() => {
    if (!wanted) return;
    nearest(project.text.peek(), wanted.path).then(
      (place) => {
        const editor = view.current;
        if (!editor || !place) return;
        const at = offsetOf(editor.state.doc, place.line, place.column);
        editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
        editor.focus();
      },
      () => undefined,
    );
  }, [wanted && pathText(wanted.path), wanted]);

  return <div class="yaml-editor" ref={host} />;
}
