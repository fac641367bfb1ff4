/** Plain words for the names of the manifest. */

const COMPONENTS: Record<string, string> = {
  NoAuth: "No authentication",
  ApiKeyAuthenticator: "API key",
  BearerAuthenticator: "Bearer token",
  BasicHttpAuthenticator: "User name and password",
  OAuthAuthenticator: "OAuth",
  JwtAuthenticator: "JSON Web Token (JWT)",
  SessionTokenAuthenticator: "Session token",
  LegacySessionTokenAuthenticator: "Session token (legacy)",
  SelectiveAuthenticator: "Chosen by the user's config",
  RateLimitedMultipleTokenAuthenticator: "Several tokens with quotas",
  NoPagination: "No pagination",
  DefaultPaginator: "Pages",
  PageIncrement: "Page number",
  OffsetIncrement: "Offset",
  CursorPagination: "Cursor from the response",
  DatetimeBasedCursor: "By date or time",
  IncrementingCountCursor: "By a growing number",
  ListPartitionRouter: "List of values",
  SubstreamPartitionRouter: "Records of a parent stream",
  GroupingPartitionRouter: "Groups of partitions",
  UnionPartitionRouter: "Several sources together",
  DpathExtractor: "Path in the response",
  ResponseToFileExtractor: "File",
  RecordSelector: "Records",
  RecordFilter: "Condition",
  JsonDecoder: "JSON",
  JsonlDecoder: "JSON lines",
  JsonItemsDecoder: "JSON, read item by item",
  CsvDecoder: "CSV",
  XmlDecoder: "XML",
  GzipDecoder: "Gzip",
  ZipfileDecoder: "Zip archive",
  IterableDecoder: "Lines of text",
  AddFields: "Add fields",
  RemoveFields: "Remove fields",
  KeysToLower: "Keys to lower case",
  KeysToSnakeCase: "Keys to snake case",
  KeysReplace: "Replace in keys",
  FlattenFields: "Flatten",
  DpathFlattenFields: "Flatten one object",
  InlineSchemaLoader: "Written here",
  DynamicSchemaLoader: "Asked from the API",
  JsonFileSchemaLoader: "JSON file",
  DefaultErrorHandler: "Rules and retries",
  CompositeErrorHandler: "Several handlers in order",
  HttpResponseFilter: "Rule",
  ConstantBackoffStrategy: "Constant wait",
  ExponentialBackoffStrategy: "Growing wait",
  WaitTimeFromHeaderBackoffStrategy: "Wait time from a header",
  WaitUntilTimeFromHeaderBackoffStrategy: "Wait until a time in a header",
  RequestOption: "A part of the request",
  RequestPath: "The URL of the next request",
  RequestBodyPlainText: "Plain text",
  RequestBodyUrlEncodedForm: "Form",
  RequestBodyJsonObject: "JSON",
  RequestBodyGraphQL: "GraphQL",
  SimpleRetriever: "Request by request",
  CustomRetriever: "By custom code",
  AsyncRetriever: "Asynchronous job",
  HttpComponentsResolver: "Asked from an endpoint",
  ConfigComponentsResolver: "From the user's config",
  ParametrizedComponentsResolver: "From a list written here",
  ComponentMappingDefinition: "Mapping",
  ParentStreamConfig: "Parent stream",
  AddedFieldDefinition: "Field",
  MinMaxDatetime: "With format and limits",
  HttpRequester: "HTTP request",
  HTTPAPIBudget: "Request budget",
  ConcurrencyLevel: "Concurrency",
};

const KEYS: Record<string, string> = {
  url: "URL",
  url_base: "Base URL",
  consent_url: "Consent URL",
  access_token_url: "Token URL",
  http_method: "HTTP method",
  api_token: "Token",
  inject_into: "Sent in",
  field_name: "Name there",
  field_path: "Path",
  request_parameters: "Query parameters",
  request_headers: "Headers",
  request_body: "Body",
  request_body_json: "JSON body (older form)",
  request_body_data: "Form body (older form)",
  request_option: "Value is sent in",
  cursor_field: "Cursor field",
  datetime_format: "Format in requests and state",
  cursor_datetime_formats: "Further formats in records",
  start_datetime: "Start",
  end_datetime: "End",
  step: "Step",
  cursor_granularity: "Granularity",
  start_time_option: "Start is sent in",
  end_time_option: "End is sent in",
  page_token_option: "Page token is sent in",
  page_size_option: "Page size is sent in",
  pagination_strategy: "Method",
  primary_key: "Primary key",
  error_handler: "Error handling",
  decoder: "Format of the response",
  use_cache: "Keep responses for the run",
  http_codes: "Status codes",
  max_retries: "Retries",
  parent_stream_configs: "Parent streams",
  partition_field: "Key in the partition",
  parent_key: "Key in the parent's records",
  api_budget: "Request budget",
  concurrency_level: "Concurrency",
};

export function titleOfKey(key: string): string {
  const known = KEYS[key];
  if (known) return known;
  const words = key.replace(/^\$/, "").replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function titleOfComponent(name: string): string {
  const known = COMPONENTS[name];
  if (known) return known;
  if (name.startsWith("Custom")) return "Custom code";
  const words = name.replace(/([a-z\d])([A-Z])/g, "$1 $2");
  return words.charAt(0) + words.slice(1).toLowerCase();
}

/** A name as a key: what a user input is called in the config. */
export function slugOf(title: string): string {
  const slug = title
    .trim()
    .toLowerCase()
    .replace(/[^a-z\d]+/g, "_");
  return slug.replace(/^_+|_+$/g, "");
}

/** The name that the image of a connector has by custom, with a tag; any title gives one that registries take. */
export function imageNameOf(title: string, version: number | "draft"): string {
  const name = slugOf(title).replaceAll("_", "-") || "connector";
  return `airbyte/source-${name}:${version === "draft" ? "dev" : `0.0.${version}`}`;
}
