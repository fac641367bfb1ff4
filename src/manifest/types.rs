//! The types of components that do not say theirs.

/// The `type` of a component that stands in `field` of a `parent` without saying
/// one; `is_custom` if it names a `class_name`.
///
/// The table is that of the reference, gaps included: an authenticator, a
/// partition router, or a pagination strategy has to say its type.
pub fn default_type(parent: &str, field: &str, is_custom: bool) -> Option<&'static str> {
    if is_custom { custom_type(parent, field) } else { builtin_type(parent, field) }
}

fn builtin_type(parent: &str, field: &str) -> Option<&'static str> {
    Some(match (parent, field) {
        ("AddFields", "fields") => "AddedFieldDefinition",
        ("CompositeErrorHandler", "error_handlers") => "DefaultErrorHandler",
        ("ConfigComponentsResolver", "components_mapping") => "ComponentMappingDefinition",
        ("ConfigComponentsResolver", "stream_config") => "StreamConfig",
        ("CursorPagination", "decoder") => "JsonDecoder",
        ("CustomPartitionRouter", "parent_stream_configs") => "ParentStreamConfig",
        ("DatetimeBasedCursor", "end_datetime" | "start_datetime") => "MinMaxDatetime",
        ("DatetimeBasedCursor", "end_time_option" | "start_time_option") => "RequestOption",
        ("DeclarativeSource", "check") => "CheckStream",
        ("DeclarativeSource", "spec") => "Spec",
        ("DeclarativeSource", "streams") => "DeclarativeStream",
        ("DeclarativeStream", "retriever") => "SimpleRetriever",
        ("DeclarativeStream", "schema_loader") => "JsonFileSchemaLoader",
        ("DefaultErrorHandler", "response_filters") => "HttpResponseFilter",
        ("DefaultPaginator", "decoder") => "JsonDecoder",
        ("DefaultPaginator", "page_size_option") => "RequestOption",
        ("DpathExtractor", "decoder") => "JsonDecoder",
        ("DpathExtractor", "record_expander") => "RecordExpander",
        // There is no such type, so an untyped resolver is refused, as in the reference.
        ("DynamicDeclarativeStream", "components_resolver") => "ConfigComponentResolver",
        ("DynamicDeclarativeStream", "stream_template") => "DeclarativeStream",
        ("DynamicSchemaLoader", "retriever") => "SimpleRetriever",
        ("HttpComponentsResolver", "components_mapping") => "ComponentMappingDefinition",
        ("HttpComponentsResolver", "retriever") => "SimpleRetriever",
        ("HttpRequester", "error_handler") => "DefaultErrorHandler",
        ("ListPartitionRouter", "request_option") => "RequestOption",
        ("ParentStreamConfig", "request_option") => "RequestOption",
        ("ParentStreamConfig", "stream") => "DeclarativeStream",
        ("RecordExpander", "parent_fields") => "ParentFieldPath",
        ("RecordSelector", "extractor") => "DpathExtractor",
        ("RecordSelector", "record_filter") => "RecordFilter",
        ("SchemaTypeIdentifier", "types_map") => "TypesMap",
        ("SimpleRetriever", "paginator") => "NoPagination",
        ("SimpleRetriever", "record_selector") => "RecordSelector",
        ("SimpleRetriever", "requester") => "HttpRequester",
        ("SubstreamPartitionRouter", "parent_stream_configs") => "ParentStreamConfig",
        _ => return None,
    })
}

fn custom_type(parent: &str, field: &str) -> Option<&'static str> {
    Some(match (parent, field) {
        ("CompositeErrorHandler" | "DefaultErrorHandler", "backoff_strategies") => {
            "CustomBackoffStrategy"
        }
        ("DeclarativeStream", "retriever") => "CustomRetriever",
        ("DeclarativeStream", "transformations") => "CustomTransformation",
        ("DefaultPaginator", "pagination_strategy") => "CustomPaginationStrategy",
        ("HttpRequester", "authenticator") => "CustomAuthenticator",
        ("HttpRequester", "error_handler") => "CustomErrorHandler",
        ("RecordSelector", "extractor") => "CustomRecordExtractor",
        ("SimpleRetriever", "partition_router") => "CustomPartitionRouter",
        _ => return None,
    })
}
