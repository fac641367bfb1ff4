import type { Edit, Json, JsonObject, Path } from "../api/types";
import { freeKey, inputsOf, putInputEdits } from "./inputs";

/** What a component begins with when it is chosen in the form, and the inputs it asks the user for. */
interface Starter {
  value: JsonObject;
  inputs?: { key: string; title: string; secret?: boolean }[];
}

const token = (key: string) => `{{ config['${key}'] }}`;
const option = (into: string, name: string): JsonObject => ({
  type: "RequestOption",
  inject_into: into,
  field_name: name,
});

const requester = (path: string, method = "GET"): JsonObject => ({
  $ref: "#/definitions/base_requester",
  path,
  http_method: method,
});

const STARTERS: Record<string, Starter> = {
  ApiKeyAuthenticator: {
    value: { type: "ApiKeyAuthenticator", api_token: token("api_key"), inject_into: option("header", "X-API-Key") },
    inputs: [{ key: "api_key", title: "API key", secret: true }],
  },
  BearerAuthenticator: {
    value: { type: "BearerAuthenticator", api_token: token("api_token") },
    inputs: [{ key: "api_token", title: "API token", secret: true }],
  },
  BasicHttpAuthenticator: {
    value: { type: "BasicHttpAuthenticator", username: token("username"), password: token("password") },
    inputs: [
      { key: "username", title: "User name" },
      { key: "password", title: "Password", secret: true },
    ],
  },
  OAuthAuthenticator: {
    value: {
      type: "OAuthAuthenticator",
      token_refresh_endpoint: "",
      grant_type: "refresh_token",
      client_id: token("client_id"),
      client_secret: token("client_secret"),
      refresh_token: token("client_refresh_token"),
    },
    inputs: [
      { key: "client_id", title: "Client ID", secret: true },
      { key: "client_secret", title: "Client secret", secret: true },
      { key: "client_refresh_token", title: "Refresh token", secret: true },
    ],
  },
  JwtAuthenticator: {
    value: { type: "JwtAuthenticator", secret_key: token("secret_key"), algorithm: "HS256" },
    inputs: [{ key: "secret_key", title: "Secret key", secret: true }],
  },
  DefaultPaginator: {
    value: {
      type: "DefaultPaginator",
      pagination_strategy: { type: "PageIncrement", page_size: 100, start_from_page: 1 },
      page_token_option: option("request_parameter", "page"),
      page_size_option: option("request_parameter", "per_page"),
    },
  },
  PageIncrement: { value: { type: "PageIncrement", page_size: 100, start_from_page: 1 } },
  OffsetIncrement: { value: { type: "OffsetIncrement", page_size: 100 } },
  CursorPagination: {
    value: {
      type: "CursorPagination",
      cursor_value: "{{ response.get('next_page_token') }}",
      stop_condition: "{{ not response.get('next_page_token') }}",
    },
  },
  DatetimeBasedCursor: {
    value: {
      type: "DatetimeBasedCursor",
      cursor_field: "date",
      datetime_format: "%Y-%m-%d",
      start_datetime: { type: "MinMaxDatetime", datetime: token("start_date"), datetime_format: "%Y-%m-%d" },
      step: "P1M",
      cursor_granularity: "P1D",
    },
    inputs: [{ key: "start_date", title: "Start date" }],
  },
  ListPartitionRouter: { value: { type: "ListPartitionRouter", cursor_field: "item", values: [] } },
  SubstreamPartitionRouter: {
    value: {
      type: "SubstreamPartitionRouter",
      parent_stream_configs: [
        { type: "ParentStreamConfig", stream: { $ref: "#/streams/0" }, parent_key: "id", partition_field: "parent_id" },
      ],
    },
  },
  DefaultErrorHandler: {
    value: {
      type: "DefaultErrorHandler",
      response_filters: [{ type: "HttpResponseFilter", action: "RETRY", http_codes: [429] }],
    },
  },
  ExponentialBackoffStrategy: { value: { type: "ExponentialBackoffStrategy", factor: 5 } },
  ConstantBackoffStrategy: { value: { type: "ConstantBackoffStrategy", backoff_time_in_seconds: 5 } },
  AddFields: {
    value: {
      type: "AddFields",
      fields: [{ type: "AddedFieldDefinition", path: ["new_field"], value: "{{ record['id'] }}" }],
    },
  },
  RemoveFields: { value: { type: "RemoveFields", field_pointers: [["field"]] } },
  RecordFilter: { value: { type: "RecordFilter", condition: "{{ record['active'] }}" } },
  InlineSchemaLoader: {
    value: { type: "InlineSchemaLoader", schema: { type: "object", additionalProperties: true, properties: {} } },
  },
  MinMaxDatetime: { value: { type: "MinMaxDatetime", datetime: "2024-01-01T00:00:00Z" } },
  RequestOption: { value: option("request_parameter", "") },
  SimpleRetriever: {
    value: {
      type: "SimpleRetriever",
      requester: requester("/"),
      record_selector: { type: "RecordSelector", extractor: { type: "DpathExtractor", field_path: [] } },
    },
  },
  AsyncRetriever: {
    value: {
      type: "AsyncRetriever",
      creation_requester: requester("/jobs", "POST"),
      polling_requester: requester("/jobs/{{ creation_response['id'] }}"),
      status_extractor: { type: "DpathExtractor", field_path: ["status"] },
      status_mapping: {
        type: "AsyncJobStatusMap",
        running: ["running"],
        completed: ["completed"],
        failed: ["failed"],
        timeout: ["timeout"],
      },
      download_target_extractor: { type: "DpathExtractor", field_path: ["url"] },
      download_requester: { type: "HttpRequester", url: "{{ download_target }}", http_method: "GET" },
      record_selector: { type: "RecordSelector", extractor: { type: "DpathExtractor", field_path: [] } },
    },
  },
  CustomRetriever: {
    value: { type: "CustomRetriever", class_name: "source_declarative_manifest.components.MyRetriever" },
  },
  ComponentMappingDefinition: {
    value: { type: "ComponentMappingDefinition", field_path: [], value: "{{ components_values['name'] }}" },
  },
  HttpComponentsResolver: {
    value: {
      type: "HttpComponentsResolver",
      retriever: {
        type: "SimpleRetriever",
        requester: requester("/"),
        record_selector: { type: "RecordSelector", extractor: { type: "DpathExtractor", field_path: [] } },
      },
      components_mapping: [
        { type: "ComponentMappingDefinition", field_path: ["name"], value: "{{ components_values['name'] }}" },
      ],
    },
  },
  ConfigComponentsResolver: {
    value: {
      type: "ConfigComponentsResolver",
      stream_config: { type: "StreamConfig", configs_pointer: ["streams"] },
      components_mapping: [
        { type: "ComponentMappingDefinition", field_path: ["name"], value: "{{ components_values['name'] }}" },
      ],
    },
  },
  ParametrizedComponentsResolver: {
    value: {
      type: "ParametrizedComponentsResolver",
      stream_parameters: {
        type: "StreamParametersDefinition",
        list_of_parameters_for_stream: [{ name: "first" }, { name: "second" }],
      },
      components_mapping: [
        { type: "ComponentMappingDefinition", field_path: ["name"], value: "{{ components_values['name'] }}" },
      ],
    },
  },
};

const DATE_INPUT: JsonObject = {
  format: "date",
  pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
  pattern_descriptor: "YYYY-MM-DD",
};

/** The value a chosen component begins with, or nothing where `blank` will do. */
export const starterOf = (name: string): JsonObject | null => STARTERS[name]?.value ?? null;

/** Chooses a component at `path`: its first value, and the inputs it needs that are not there yet. */
export function chooseEdits(document: Json, path: Path, name: string, value: Json): Edit[] {
  const edits: Edit[] = [{ op: "set", path, value }];
  const known = new Set(inputsOf(document).map((input) => input.key));
  let order = known.size;
  let sofar = document;
  for (const wanted of STARTERS[name]?.inputs ?? []) {
    if (known.has(wanted.key)) continue;
    const property: JsonObject = { type: "string", title: wanted.title, order };
    if (wanted.secret) property.airbyte_secret = true;
    if (wanted.key === "start_date") Object.assign(property, DATE_INPUT);
    order += 1;
    edits.push(...putInputEdits(sofar, { key: wanted.key, property, required: true }, null));
    sofar = withInput(sofar, wanted.key, property);
  }
  return edits;
}

/** The document as it will be once the input is written, for the edits that follow in the same step. */
function withInput(document: Json, key: string, property: JsonObject): Json {
  const root = { ...(document as JsonObject) };
  const spec = { ...((root.spec ?? { type: "Spec" }) as JsonObject) };
  const specification = { ...((spec.connection_specification ?? { type: "object" }) as JsonObject) };
  specification.properties = { ...((specification.properties ?? {}) as JsonObject), [key]: property };
  const required = Array.isArray(specification.required) ? specification.required : [];
  specification.required = [...required, key];
  return { ...root, spec: { ...spec, connection_specification: specification } };
}

/** Puts a literal where it stands into a user input, and asks the user for it. */
export function extractInputEdits(
  document: Json,
  path: Path,
  wanted: string,
  title: string,
): { edits: Edit[]; key: string } {
  const key = freeKey(document, wanted);
  const property: JsonObject = { type: "string", title, airbyte_secret: true, order: inputsOf(document).length };
  const edits: Edit[] = [
    { op: "set", path, value: token(key) },
    ...putInputEdits(document, { key, property, required: true }, null),
  ];
  return { edits, key };
}
