import {
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from "@codemirror/autocomplete";
import { type Diagnostic, forEachDiagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import type { Extension, Text } from "@codemirror/state";
import { type EditorView, hoverTooltip } from "@codemirror/view";
import * as api from "../api/calls";
import type { Finding } from "../api/types";
import { markdown } from "./markdown";

const TYPES = {
  key: "property",
  value: "constant",
  variable: "variable",
  filter: "function",
  macro: "function",
  type: "class",
} as const;

/** The place of a line and column, both counted from 1, columns in UTF-16 units. */
export function offsetOf(doc: Text, line: number, column: number): number {
  const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(found.from + Math.max(column - 1, 0), found.to);
}

async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const line = context.state.doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  if (!context.explicit && !/[\w.$'"[{:-]\s?$/.test(before)) return null;
  const answer = await api.complete(context.state.doc.toString(), line.number, before.length + 1).catch(() => null);
  if (!answer?.items.length || context.aborted) return null;
  const options = answer.items.map((item): Completion => {
    const option: Completion = {
      label: item.label,
      type: TYPES[item.kind] ?? "text",
      apply: item.insert ?? item.label,
    };
    if (item.detail) option.detail = item.detail;
    const about = item.documentation;
    if (about) option.info = () => markdown(about);
    return option;
  });
  return { from: line.from + answer.from_column - 1, options, validFor: /^[\w.$-]*$/ };
}

const hover = hoverTooltip(
  async (view, pos) => {
    const line = view.state.doc.lineAt(pos);
    const found = await api.hover(view.state.doc.toString(), line.number, pos - line.from + 1).catch(() => null);
    if (!found?.documentation) return null;
    const { doc } = view.state;
    return {
      pos: offsetOf(doc, found.line, found.column),
      end: offsetOf(doc, found.end_line, found.end_column),
      create: () => ({ dom: markdown(found.documentation) }),
    };
  },
  { hoverTime: 400 },
);

const SEVERITY = { error: "error", warning: "warning", note: "info" } as const;

/** More marks than anybody looks at make the editor slow. */
const MOST = 1000;

export function showFindings(view: EditorView, findings: Finding[], fix: (finding: Finding) => void): void {
  const { doc } = view.state;
  const diagnostics = findings.slice(0, MOST).map((finding): Diagnostic => {
    const from = offsetOf(doc, finding.line, finding.column);
    const to = Math.max(from, offsetOf(doc, finding.end_line, finding.end_column));
    const message = finding.help ? `${finding.message}\n${finding.help}` : finding.message;
    const actions = finding.fix ? [{ name: finding.fix.label, apply: () => fix(finding) }] : [];
    return { from, to, severity: SEVERITY[finding.level], message, source: finding.code, actions };
  });
  let shown = 0;
  forEachDiagnostic(view.state, () => (shown += 1));
  if (diagnostics.length || shown) view.dispatch(setDiagnostics(view.state, diagnostics));
}

/** Completion, explanation and findings, all answered by the server's analysis. */
export const language: Extension = [
  autocompletion({ override: [complete], activateOnTypingDelay: 150 }),
  hover,
  lintGutter(),
];
