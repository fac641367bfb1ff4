import type { Edit, Json, Path } from "../api/types";
import { chooseEdits, starterOf } from "../document/starters";

export interface FieldSpec {
  /** From the stream. */
  path: Path;
  title?: string;
  help?: string;
  placeholder?: string;
  required?: boolean;
  /** An older or seldom way: shown where it is used. */
  onlyIfSet?: boolean;
}

export interface SectionSpec {
  id: string;
  title: string;
  about?: string;
  /** The value that the section stands for, where it can be left out. */
  path?: Path;
  start?: (document: Json, at: Path) => Edit[];
  isOpen?: boolean;
  /** Values around the fields, which no field stands for: what is wrong with them is said here. */
  around?: Path[];
  fields: FieldSpec[];
}

const begin = (name: string) => (document: Json, at: Path) =>
  chooseEdits(document, at, name, starterOf(name) ?? { type: name });
const beginList =
  (name: string) =>
  (_: Json, at: Path): Edit[] => [{ op: "set", path: at, value: [starterOf(name) ?? { type: name }] }];

const REQUESTER: Path = ["retriever", "requester"];
const SELECTOR: Path = ["retriever", "record_selector"];

/** What a stream that is read request by request consists of, in the order in which it is built. */
export const SECTIONS: SectionSpec[] = [
  {
    id: "request",
    title: "Request",
    around: [["retriever"], REQUESTER],
    fields: [
      {
        path: [...REQUESTER, "path"],
        title: "URL path",
        help: "What follows the base URL. Templates can stand in it.",
        placeholder: "/v1/items",
      },
      { path: [...REQUESTER, "http_method"], title: "HTTP method" },
      {
        path: [...REQUESTER, "request_parameters"],
        title: "Query parameters",
        help: "Sent after the ? of the URL with every request.",
      },
      { path: [...REQUESTER, "request_headers"], title: "Headers", help: "Sent with every request." },
      { path: [...REQUESTER, "request_body"], title: "Body" },
      { path: [...REQUESTER, "request_body_json"], onlyIfSet: true },
      { path: [...REQUESTER, "request_body_data"], onlyIfSet: true },
    ],
  },
  {
    id: "records",
    title: "Records",
    around: [SELECTOR, [...SELECTOR, "extractor"]],
    fields: [
      {
        path: [...SELECTOR, "extractor", "field_path"],
        title: "Where the records are",
        help: "The keys that lead to the records in the response; empty when the response is the record, or a list of them.",
        placeholder: "data, items",
      },
      { path: ["primary_key"], title: "Primary key", help: "The fields that together identify a record." },
      { path: [...SELECTOR, "record_filter"], title: "Keep only", help: "A condition on each record." },
      { path: ["retriever", "decoder"], title: "Format of the response", help: "JSON, unless set." },
    ],
  },
  {
    id: "pagination",
    title: "Pagination",
    about: "The API gives its records page by page.",
    path: ["retriever", "paginator"],
    around: [["retriever", "paginator"]],
    start: begin("DefaultPaginator"),
    fields: [
      { path: ["retriever", "paginator", "pagination_strategy"], title: "Next page by", required: true },
      {
        path: ["retriever", "paginator", "page_token_option"],
        title: "Page token is sent in",
        help: "Where the number, offset or cursor of the next page goes.",
      },
      { path: ["retriever", "paginator", "page_size_option"], title: "Page size is sent in" },
    ],
  },
  {
    id: "incremental",
    title: "Incremental sync",
    about: "Later syncs read only what is new.",
    path: ["incremental_sync"],
    start: begin("DatetimeBasedCursor"),
    fields: [{ path: ["incremental_sync"], title: "What is new" }],
  },
  {
    id: "partitions",
    title: "Partitions",
    about: "The same request for each of several values, or for each record of a parent stream.",
    path: ["retriever", "partition_router"],
    start: begin("ListPartitionRouter"),
    fields: [{ path: ["retriever", "partition_router"], title: "One partition for each" }],
  },
  {
    id: "transformations",
    title: "Transformations",
    about: "Add, remove or rename fields of each record.",
    path: ["transformations"],
    start: beginList("AddFields"),
    fields: [{ path: ["transformations"], title: "Steps, in this order" }],
  },
  {
    id: "errors",
    title: "Error handling",
    about: "Retry on 429 and 5xx, fail on other errors, unless set otherwise.",
    path: [...REQUESTER, "error_handler"],
    start: begin("DefaultErrorHandler"),
    fields: [{ path: [...REQUESTER, "error_handler"], title: "What responses mean" }],
  },
];

/** The sections with those of their fields that `isShown`; none without fields. */
const partsOf = (isShown: (path: Path) => boolean): SectionSpec[] =>
  SECTIONS.map((section) => ({
    ...section,
    around: section.around?.filter(isShown),
    fields: section.fields.filter(({ path }) => isShown(path)),
  })).filter(({ fields }) => fields.length);

/** How something is read, by the retriever alone: also the entries of a template. */
export const OF_RETRIEVER = partsOf(([first]) => first === "retriever");
/** What a stream says beside its retriever. */
export const OF_STREAM = partsOf(([first]) => first !== "retriever");
