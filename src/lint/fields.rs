//! Which fields are templates, and which variables each of them has.
//!
//! `config` and `parameters` are everywhere. The rest is what the components
//! give to their scopes, as the reference does.

/// A field whose texts are templates.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// The variables besides `config` and `parameters`.
    pub variables: &'static [&'static str],
    /// Whether its value is a condition.
    pub is_condition: bool,
}

const fn field(name: &'static str, variables: &'static [&'static str]) -> Field {
    Field { name, variables, is_condition: false }
}

const fn condition(name: &'static str, variables: &'static [&'static str]) -> Field {
    Field { name, variables, is_condition: true }
}

/// The names of the part of the stream that is read.
pub(super) const SLICE: [&str; 3] = ["stream_slice", "stream_interval", "stream_partition"];

const NONE: &[&str] = &[];
const REQUEST: &[&str] = &[
    "stream_slice",
    "stream_interval",
    "stream_partition",
    "next_page_token",
    "creation_response",
    "polling_response",
    "download_target",
    "query_properties",
];
const RESPONSE: &[&str] = &["response", "headers", "request_url"];
const PAGE: &[&str] = &[
    "response",
    "headers",
    "last_record",
    "last_page_size",
    "page_size",
    "stream_slice",
    "stream_interval",
    "stream_partition",
];
const RECORD: &[&str] = &["record", "stream_slice", "stream_interval", "stream_partition"];
const ADDED: &[&str] =
    &["record", "stream_slice", "stream_interval", "stream_partition", "value", "path"];
const SELECTED: &[&str] =
    &["record", "stream_slice", "stream_interval", "stream_partition", "next_page_token"];
const MAPPING: &[&str] = &[
    "components_values",
    "stream_template_config",
    "stream_slice",
    "stream_interval",
    "stream_partition",
];

/// The fields of a type that are templates.
pub fn of(type_name: &str) -> &'static [Field] {
    TYPES.iter().find(|(name, _)| *name == type_name).map_or(&[], |(_, fields)| fields)
}

/// The fields by type. `AddedFieldDefinition.value` has a record only among the transformations
/// of a stream; that of a config has none.
const TYPES: &[(&str, &[Field])] = &[
    ("AddFields", &[condition("condition", ADDED)]),
    ("AddedFieldDefinition", &[field("value", RECORD)]),
    ("ApiKeyAuthenticator", &[field("api_token", NONE), field("header", NONE)]),
    ("ApiKey", &[field("api_token", &["session_token"])]),
    ("BasicHttpAuthenticator", &[field("username", NONE), field("password", NONE)]),
    ("BearerAuthenticator", &[field("api_token", NONE)]),
    ("ConcurrencyLevel", &[field("default_concurrency", NONE)]),
    ("ConditionalStreams", &[condition("condition", NONE)]),
    ("ConfigAddFields", &[condition("condition", &["value", "path"])]),
    ("ConfigRemapField", &[field("map", NONE), field("field_path", NONE)]),
    ("ConfigRemoveFields", &[condition("condition", NONE)]),
    (
        "ComponentMappingDefinition",
        &[field("value", MAPPING), field("field_path", MAPPING), condition("condition", MAPPING)],
    ),
    ("ConstantBackoffStrategy", &[field("backoff_time_in_seconds", NONE)]),
    (
        "CursorPagination",
        &[field("cursor_value", PAGE), condition("stop_condition", PAGE), field("page_size", NONE)],
    ),
    (
        "DatetimeBasedCursor",
        &[
            field("cursor_field", NONE),
            field("start_datetime", NONE),
            field("end_datetime", NONE),
            field("step", NONE),
            field("lookback_window", NONE),
            field("partition_field_start", NONE),
            field("partition_field_end", NONE),
        ],
    ),
    ("DefaultErrorHandler", &[field("max_retries", NONE)]),
    ("DpathExtractor", &[field("field_path", NONE)]),
    ("DpathFlattenFields", &[field("field_path", NONE)]),
    ("DpathValidator", &[field("field_path", NONE)]),
    ("ExponentialBackoffStrategy", &[field("factor", NONE)]),
    (
        "HttpRequester",
        &[
            field("url_base", REQUEST),
            field("url", REQUEST),
            field("path", REQUEST),
            field("request_parameters", REQUEST),
            field("request_headers", REQUEST),
            field("request_body_data", REQUEST),
            field("request_body_json", REQUEST),
        ],
    ),
    ("HttpResponseFilter", &[condition("predicate", RESPONSE), field("error_message", RESPONSE)]),
    ("IncrementingCountCursor", &[field("cursor_field", NONE), field("start_value", NONE)]),
    ("JsonFileSchemaLoader", &[field("file_path", NONE)]),
    (
        "JwtAuthenticator",
        &[
            field("secret_key", &["json_loads"]),
            field("header_prefix", &["json_loads"]),
            field("jwt_headers", &["json_loads"]),
            field("additional_jwt_headers", &["json_loads"]),
            field("jwt_payload", &["json_loads"]),
            field("additional_jwt_payload", &["json_loads"]),
            field("passphrase", &["json_loads"]),
        ],
    ),
    ("KeysReplace", &[field("old", RECORD), field("new", RECORD)]),
    ("ListPartitionRouter", &[field("values", NONE), field("cursor_field", NONE)]),
    (
        "MinMaxDatetime",
        &[field("datetime", NONE), field("min_datetime", NONE), field("max_datetime", NONE)],
    ),
    (
        "OAuthAuthenticator",
        &[
            field("client_id", NONE),
            field("client_secret", NONE),
            field("refresh_token", NONE),
            field("access_token_value", NONE),
            field("token_refresh_endpoint", NONE),
            field("token_expiry_date", NONE),
            field("refresh_request_body", NONE),
            field("refresh_request_headers", NONE),
            field("grant_type", NONE),
            field("client_id_name", NONE),
            field("client_secret_name", NONE),
            field("refresh_token_name", NONE),
            field("access_token_name", NONE),
            field("expires_in_name", NONE),
            field("grant_type_name", NONE),
        ],
    ),
    ("OffsetIncrement", &[field("page_size", &["response"])]),
    ("PageIncrement", &[field("page_size", NONE)]),
    (
        "ParentStreamConfig",
        &[
            field("parent_key", NONE),
            field("partition_field", NONE),
            field("extra_fields", NONE),
            field("lazy_read_pointer", NONE),
        ],
    ),
    ("ParentFieldPath", &[field("parent_path", NONE), field("record_path", NONE)]),
    ("Rate", &[field("limit", NONE)]),
    ("RecordExpander", &[field("expand_records_from_field", NONE)]),
    ("RecordFilter", &[condition("condition", SELECTED)]),
    ("RemoveFields", &[condition("condition", &["property"])]),
    ("RequestBodyGraphQL", &[field("value", REQUEST)]),
    ("RequestBodyJsonObject", &[field("value", REQUEST)]),
    ("RequestBodyPlainText", &[field("value", REQUEST)]),
    ("RequestBodyUrlEncodedForm", &[field("value", REQUEST)]),
    ("RequestOption", &[field("field_name", NONE), field("field_path", NONE)]),
    (
        "SchemaTypeIdentifier",
        &[field("schema_pointer", NONE), field("key_pointer", NONE), field("type_pointer", NONE)],
    ),
    ("TypesMap", &[condition("condition", &["raw_schema"])]),
    ("UnionPartitionRouter", &[field("partition_field", NONE)]),
    ("WaitTimeFromHeader", &[field("header", NONE)]),
    ("WaitTimeFromResponse", &[field("wait_time_in_seconds", &["response", "headers"])]),
    ("WaitUntilTimeFromHeader", &[field("header", NONE), field("min_wait", NONE)]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::registry::manifest_schema;

    /// A field that a component does not have would never be looked at, and nobody would notice.
    #[test]
    fn every_field_is_one_of_its_component() {
        let schema = manifest_schema();
        for (name, fields) in TYPES {
            // The one component whose `type` is not the name of its definition.
            let definition =
                if *name == "ApiKey" { "SessionTokenRequestApiKeyAuthenticator" } else { name };
            let known = &schema["definitions"][definition]["properties"];
            for field in *fields {
                assert!(known.get(field.name).is_some(), "{name} has no {}", field.name);
            }
        }
    }
}
