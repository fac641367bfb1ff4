/** What the Builder's server says and takes, as it writes it. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
export type Key = string | number;
export type Path = Key[];

export interface Session {
  user_trusted: boolean;
  custom_components: boolean;
  version: string;
}

export interface ProjectSummary {
  id: string;
  name: string;
  updated_at: string;
  active_version: number | null;
  latest_version: number | null;
  forked_from: { project: string; version: number | string; name?: string } | string | null;
  changed_since_version: boolean;
}

export interface Draft {
  text: string;
  revision: number;
  can_undo: boolean;
  can_redo: boolean;
  saved_at: string;
}

export interface Version {
  version: number;
  description: string;
  published_at: string;
}

export interface Project {
  id: string;
  name: string;
  created_at: string;
  updated_at: string;
  draft: Draft;
  active_version: number | null;
  versions: Version[];
  forked_from: ProjectSummary["forked_from"];
}

export interface TestingValues {
  values: JsonObject;
  secrets: Path[];
  saved: boolean;
}

export type Level = "error" | "warning" | "note";

export interface Finding {
  level: Level;
  code: string;
  message: string;
  help?: string | null;
  path: Path;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  fix?: { label: string } | null;
}

export interface OutlineStream {
  name: string;
  index: number;
  kind: "declarative" | "state_delegating" | "conditional";
  path: Path;
  retriever: string | null;
}

export interface Outline {
  streams: OutlineStream[];
  dynamic_streams: { name: string; index: number; path: Path }[];
  inputs: {
    name: string;
    path: Path;
    type: string;
    secret: boolean;
    required: boolean;
    title: string;
    order: number;
  }[];
  base_url: string | null;
}

export interface Analysis {
  findings: Finding[];
  document: Json;
  outline: Outline;
  shared: Path[];
}

/** What became of a user's consent; `kept` are the names of the values that it filled. */
export type ConsentStatus =
  { status: "waiting" } | { status: "done"; kept: string[] } | { status: "failed"; message: string };

export type Edit =
  | { op: "set"; path: Path; value: Json }
  | { op: "remove"; path: Path }
  | { op: "insert"; path: Path; index: number; value: Json }
  | { op: "move"; path: Path; from: number; to: number }
  | { op: "rename"; path: Path; from: string; to: string }
  | { op: "replace_yaml"; path: Path; yaml: string };

export interface Completion {
  label: string;
  kind: "key" | "value" | "variable" | "filter" | "macro" | "type";
  detail?: string | null;
  documentation?: string | null;
  insert?: string | null;
}

export interface Hover {
  documentation: string;
  line: number;
  column: number;
  end_line: number;
  end_column: number;
}

export interface Place {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
}

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  from_line: number | null;
  to_line: number | null;
}

export interface HttpRequest {
  url: string;
  http_method?: string;
  method?: string;
  headers?: Record<string, Json> | null;
  parameters?: Record<string, Json> | null;
  body?: Json;
}

export interface HttpResponse {
  status: number;
  headers?: Record<string, Json> | null;
  body?: Json;
  body_length?: number;
  body_id?: string | number;
}

export interface TestPage {
  records: JsonObject[];
  request: HttpRequest | null;
  response: HttpResponse | null;
}

export interface AuxiliaryRequest {
  title: string;
  description?: string | null;
  type?: string | null;
  request: HttpRequest | null;
  response: HttpResponse | null;
}

export interface TestSlice {
  pages: TestPage[];
  slice_descriptor: Json;
  state: Json;
  auxiliary_requests?: AuxiliaryRequest[] | null;
}

export interface LogLine {
  level: string;
  message: string;
  stacktrace?: string | null;
  internal_message?: string | null;
}

export interface SchemaDifference {
  path: string | Path;
  kind: "missing" | "extra" | "type";
  declared: Json;
  detected: Json;
}

export interface TimelineEntry {
  id: string | number;
  kind: string;
  title: string;
  started_ms: number;
  waited_ms: number;
  first_byte_ms: number | null;
  ended_ms: number | null;
  depends_on: string | number | null;
}

export interface TestResult {
  logs: LogLine[];
  slices: TestSlice[];
  auxiliary_requests?: AuxiliaryRequest[] | null;
  test_read_limit_reached: boolean;
  inferred_schema: JsonObject | null;
  inferred_datetime_formats: Record<string, string> | null;
  latest_config_update: Json;
  declared_schema?: JsonObject | null;
  schema_diff?: SchemaDifference[];
  primary_key_problems?: string[];
  timeline?: TimelineEntry[];
}

export interface TestSettings {
  stream_name: string;
  state?: Json[];
  record_limit?: number;
  page_limit?: number;
  slice_limit?: number;
  values?: JsonObject;
}

export type TestEvent =
  | { event: "started"; test: string }
  | { event: "request"; id: string; kind: string; method: string; url: string; at_ms: number }
  | { event: "response"; id: string; status: number; at_ms: number; bytes: number }
  | { event: "records"; count: number }
  | { event: "slice"; index: number; descriptor: Json }
  | { event: "wait"; seconds: number; reason: string; at_ms: number; wait: string | number }
  | { event: "wait_ended"; wait: string | number; at_ms: number }
  | { event: "unanswered"; id: string; message: string; at_ms: number }
  | { event: "log"; level: string; message: string }
  | ({ event: "result" } & TestResult)
  | { event: "failed"; message: string; help?: string };

export interface BuiltImage {
  download: string;
  size: number;
  digest: string;
  tag: string;
  architectures: string[];
  commands: string[];
  pushed_to: string | null;
  warnings: string[];
}

export type ImageEvent =
  | { event: "progress"; message: string }
  | ({ event: "done" } & BuiltImage)
  | { event: "failed"; message: string };

export interface GeneratedStream {
  name: string;
  dynamic_stream_name: string;
  definition: Json;
}
