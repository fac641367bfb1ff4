import { isMap, isSeq, LineCounter, parseDocument, stringify } from "yaml";

type Path = (string | number)[];
interface Step {
  op: string;
  path: Path;
  value?: unknown;
  index?: number;
  from?: never;
  to?: never;
  yaml?: string;
}

/** Enough of the analysis for the pages: the document, its outline, and faults of the YAML itself. */
export function analyze(text: string): unknown {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const findings = parsed.errors.map((error) => ({
    level: "error",
    code: "yaml",
    message: error.message.split("\n")[0],
    path: [],
    ...place(error.pos[0]),
    end_line: place(error.pos[1]).line,
    end_column: place(error.pos[1]).column,
  }));
  const document = parsed.errors.length ? null : (parsed.toJS() as Record<string, never> | null);
  const root = (document ?? {}) as {
    streams?: { name?: string }[];
    dynamic_streams?: { name?: string }[];
    spec?: { connection_specification?: { properties?: object } };
  };
  return {
    findings,
    document,
    outline: {
      streams: (root.streams ?? []).map((stream, index) => ({
        name: stream.name ?? "",
        index,
        kind: "declarative",
        path: ["streams", index],
        retriever: "SimpleRetriever",
      })),
      dynamic_streams: (root.dynamic_streams ?? []).map((stream, index) => ({
        name: stream.name ?? "",
        index,
        path: ["dynamic_streams", index],
      })),
      inputs: Object.keys(root.spec?.connection_specification?.properties ?? {}).map((name) => ({
        name,
        path: [],
        type: "string",
        secret: false,
        required: false,
        title: name,
        order: 0,
      })),
      base_url: null,
    },
    shared: [],
  };
}

export function edit(text: string, steps: Step[]): string {
  const document = parseDocument(text);
  for (const { op, path, value, index, from, to, yaml } of steps) {
    const node: unknown = path.length ? document.getIn(path, true) : document.contents;
    if (op === "set") document.setIn(path, document.createNode(value));
    else if (op === "remove") document.deleteIn(path);
    else if (op === "replace_yaml") document.setIn(path, parseDocument(yaml ?? "").contents);
    else if (op === "insert" && isSeq(node)) {
      node.flow = false;
      node.items.splice(index ?? 0, 0, document.createNode(value));
    } else if (op === "move" && isSeq(node)) node.items.splice(to ?? 0, 0, ...node.items.splice(from ?? 0, 1));
    else if (op === "rename" && isMap(node)) {
      const pair = node.items.find((one) => String(one.key) === from);
      if (pair) pair.key = document.createNode(to);
    }
  }
  return document.toString({ lineWidth: 0 });
}

export const yamlAt = (text: string, path: Path): string => stringify(parseDocument(text).getIn(path, false) ?? null);
