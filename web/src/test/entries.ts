import type { Edit, Json, Path } from "../api/types";
import { isObject } from "../document/walk";
import type { OpenProject } from "../state/project";

/** What a template's streams are made of, which can be read as if it were a stream. */
export interface Entries {
  /** What it is called among the streams to test. */
  name: string;
  template: string;
  index: number;
  /** Where it is read. */
  retriever: Path;
}

/** The entries of each template that asks an endpoint for them. */
export function entriesOf(project: OpenProject): Entries[] {
  return project.analysis.value.outline.dynamic_streams.flatMap(({ name, index }) => {
    const retriever = ["dynamic_streams", index, "components_resolver", "retriever"];
    const reads = isObject(project.node(retriever).value);
    return reads ? [{ name: `Entries of ${name}`, template: name, index, retriever }] : [];
  });
}

/** Adds a stream that reads the entries, for one test: it never is in the draft. */
export function entriesEdits(document: Json, entries: Entries): Edit[] {
  const streams = isObject(document) && Array.isArray(document.streams) ? document.streams : null;
  const stream = {
    type: "DeclarativeStream",
    name: entries.name,
    retriever: { $ref: `#/${entries.retriever.join("/")}` },
    schema_loader: { type: "InlineSchemaLoader", schema: { type: "object", properties: {} } },
  };
  return streams?.length
    ? [{ op: "insert", path: ["streams"], index: streams.length, value: stream }]
    : [{ op: "set", path: ["streams"], value: [stream] }];
}
