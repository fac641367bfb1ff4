import type { Edit, Json, JsonObject } from "../api/types";
import { isObject } from "./walk";

/** What the streams of a new connector build on; the server makes its text. */
export const BASE_REQUESTER = "#/definitions/base_requester";

/** The shared requester, if the manifest has one that can be found by its name. */
export const hasBaseRequester = (document: Json): boolean =>
  isObject(document) && isObject(document.definitions) && isObject(document.definitions.base_requester);

export function newStream(document: Json, name: string, path: string): JsonObject {
  const target: JsonObject = hasBaseRequester(document)
    ? { $ref: BASE_REQUESTER, path }
    : { type: "HttpRequester", url: path };
  return {
    type: "DeclarativeStream",
    name,
    primary_key: [],
    retriever: {
      type: "SimpleRetriever",
      requester: { ...target, http_method: "GET" },
      record_selector: { type: "RecordSelector", extractor: { type: "DpathExtractor", field_path: [] } },
    },
    schema_loader: {
      type: "InlineSchemaLoader",
      schema: { type: "object", additionalProperties: true, properties: {} },
    },
  };
}

/** Adds a stream at the end; the first one is also what the connection is checked with. */
export function addStreamEdits(document: Json, stream: JsonObject): Edit[] {
  const root = isObject(document) ? document : {};
  const streams = Array.isArray(root.streams) ? root.streams : null;
  const edits: Edit[] = streams
    ? [{ op: "insert", path: ["streams"], index: streams.length, value: stream }]
    : [{ op: "set", path: ["streams"], value: [stream] }];
  const check = root.check;
  if (
    isObject(check) &&
    check.type === "CheckStream" &&
    Array.isArray(check.stream_names) &&
    !check.stream_names.length
  ) {
    edits.push({ op: "set", path: ["check", "stream_names"], value: [stream.name ?? ""] });
  }
  return edits;
}

/** Removes a stream, and its name from what the connection is checked with. */
export function removeStreamEdits(document: Json, index: number): Edit[] {
  const root = isObject(document) ? document : {};
  const streams = Array.isArray(root.streams) ? root.streams : [];
  const gone = streams[index];
  const name = isObject(gone) ? gone.name : undefined;
  const edits: Edit[] = [{ op: "remove", path: ["streams", index] }];
  const check = root.check;
  if (isObject(check) && Array.isArray(check.stream_names) && name !== undefined && check.stream_names.includes(name)) {
    const rest = check.stream_names.filter((one) => one !== name);
    const next = streams.find((stream, at) => at !== index && isObject(stream));
    const fallback = isObject(next) && typeof next.name === "string" ? [next.name] : [];
    edits.push({ op: "set", path: ["check", "stream_names"], value: rest.length ? rest : fallback });
  }
  if (streams.length === 1) edits.splice(0, 1, { op: "set", path: ["streams"], value: [] });
  return edits;
}
