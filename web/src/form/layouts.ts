/** Which fields of a component come first, and which are shown only where they are set. */
export interface Layout {
  main?: string[];
  /** Older ways, read and kept, not offered. */
  old?: string[];
}

export const LAYOUTS: Record<string, Layout> = {
  HttpRequester: {
    main: [
      "url",
      "path",
      "http_method",
      "request_parameters",
      "request_headers",
      "request_body",
      "authenticator",
      "error_handler",
    ],
    old: ["url_base", "request_body_data", "request_body_json", "fetch_properties_from_endpoint"],
  },
  ApiKeyAuthenticator: { main: ["inject_into", "api_token"], old: ["header"] },
  BearerAuthenticator: { main: ["api_token"] },
  BasicHttpAuthenticator: { main: ["username", "password"] },
  OAuthAuthenticator: {
    main: ["token_refresh_endpoint", "grant_type", "client_id", "client_secret", "refresh_token", "scopes"],
  },
  OAuthConnectorInputSpecification: { main: ["consent_url", "access_token_url", "scope"] },
  JwtAuthenticator: { main: ["secret_key", "algorithm", "token_duration"] },
  SessionTokenAuthenticator: {
    main: ["login_requester", "session_token_path", "expiration_duration", "request_authentication"],
  },
  RequestOption: { main: ["inject_into", "field_name"] },
  DefaultPaginator: { main: ["pagination_strategy", "page_token_option", "page_size_option"] },
  PageIncrement: { main: ["page_size", "start_from_page", "inject_on_first_request"] },
  OffsetIncrement: { main: ["page_size", "inject_on_first_request"] },
  CursorPagination: { main: ["cursor_value", "stop_condition", "page_size"] },
  DatetimeBasedCursor: {
    main: [
      "cursor_field",
      "datetime_format",
      "cursor_datetime_formats",
      "start_datetime",
      "end_datetime",
      "step",
      "cursor_granularity",
      "lookback_window",
      "start_time_option",
      "end_time_option",
    ],
  },
  IncrementingCountCursor: { main: ["cursor_field", "start_value", "start_value_option"] },
  MinMaxDatetime: { main: ["datetime", "datetime_format"] },
  ListPartitionRouter: { main: ["values", "cursor_field", "request_option"] },
  SubstreamPartitionRouter: { main: ["parent_stream_configs"] },
  ParentStreamConfig: { main: ["stream", "parent_key", "partition_field", "request_option", "incremental_dependency"] },
  DefaultErrorHandler: { main: ["response_filters", "max_retries", "backoff_strategies"] },
  HttpResponseFilter: { main: ["action", "http_codes", "error_message_contains", "predicate", "error_message"] },
  AddFields: { main: ["fields", "condition"] },
  AddedFieldDefinition: { main: ["path", "value", "value_type"] },
  RemoveFields: { main: ["field_pointers", "condition"] },
  RecordFilter: { main: ["condition"] },
  HttpComponentsResolver: { main: ["retriever", "components_mapping"] },
  ConfigComponentsResolver: { main: ["stream_config", "components_mapping"] },
  ComponentMappingDefinition: { main: ["field_path", "value"] },
  SimpleRetriever: { main: ["requester", "record_selector", "paginator"] },
  RecordSelector: { main: ["extractor", "record_filter"] },
  DpathExtractor: { main: ["field_path"] },
  ConcurrencyLevel: { main: ["default_concurrency", "max_concurrency"] },
  CsvDecoder: { main: ["delimiter", "encoding"] },
  GzipDecoder: { main: ["decoder"] },
  ZipfileDecoder: { main: ["decoder"] },
};

/** Texts that are names and formats, not templates. */
export const PLAIN_KEYS = new Set([
  "name",
  "cursor_field",
  "datetime_format",
  "partition_field",
  "partition_field_start",
  "partition_field_end",
  "cursor_granularity",
  "encoding",
  "delimiter",
  "type",
  "description",
  "algorithm",
  "parent_key",
]);

export const PLACEHOLDERS: Record<string, string> = {
  path: "/v1/items",
  url: "https://api.example.com",
  url_base: "https://api.example.com",
  field_path: "data, items",
  step: "P1D, P1M",
  cursor_granularity: "PT1S, P1D",
  lookback_window: "P3D",
  datetime_format: "%Y-%m-%dT%H:%M:%SZ",
  cursor_field: "updated_at",
  primary_key: "id",
  partition_field: "parent_id",
};

/** Lists of values that are worth offering. */
export const SUGGESTIONS: Record<string, string[]> = {
  step: ["P1D", "P7D", "P1M", "P1Y", "PT1H"],
  cursor_granularity: ["PT1S", "PT0.001S", "P1D", "PT1M"],
  lookback_window: ["P1D", "P3D", "P7D"],
  datetime_format: ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S%z", "%s", "%ms"],
};
