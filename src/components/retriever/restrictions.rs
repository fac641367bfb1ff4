//! What a `SimpleRetriever` cannot do at once; refused, or warned of, while it is built.
//!
//! To ask for a page again with fewer records, or for a window in halves, must neither give
//! records twice nor skip any: the page may not depend on its size, and the window has to be in
//! the request.

use tracing::warn;

use super::simple::yaml::SimpleRetriever;
use crate::components::response_actions::{REDUCE_PAGE_SIZE, SPLIT_REQUEST_WINDOW, uses_action};
use crate::components::{BuildError, Decoder, RecordExtractor, Slot, StreamScope};
use crate::manifest::Node;
use crate::protocol::FailureType;
use crate::template::Template;
use crate::template::time::{Span, TimeDelta};
use crate::value::{Json, python_repr};

/// What date formats can express, the finest of each format; microseconds.
const FORMAT_UNITS: [(&str, i128); 11] = [
    ("%epoch_microseconds", 1),
    ("%s_as_float", 1),
    ("%f", 1),
    ("%_ms", 1_000),
    ("%ms", 1_000),
    ("%S", 1_000_000),
    ("%s", 1_000_000),
    ("%M", 60_000_000),
    ("%H", 3_600_000_000),
    ("%I", 3_600_000_000),
    ("%d", 86_400_000_000),
];

/// Refuses an extractor that goes over a body more than once where the body is streamed.
pub(super) fn check_decoder(
    extractor: &dyn RecordExtractor,
    decoder: &dyn Decoder,
) -> Result<(), BuildError> {
    if extractor.needs_whole_body() && decoder.is_streamed() {
        return Err(traced("CombinedExtractor is not supported with a streaming decoder."));
    }
    Ok(())
}

/// Refuses offsets that are counted in records of several lists.
pub(super) fn check_pagination(
    paginator: &Node,
    extractor: &dyn RecordExtractor,
) -> Result<(), BuildError> {
    let strategy = paginator.get("pagination_strategy").and_then(Node::type_name);
    if strategy == Some("OffsetIncrement") && extractor.joins_lists() {
        return Err(traced(
            "CombinedExtractor mode \"union\" is not supported with an OffsetIncrement paginator.",
        ));
    }
    Ok(())
}

fn traced(message: &str) -> BuildError {
    BuildError::new(message).class("AirbyteTracedException").failing(FailureType::ConfigError)
}

/// A retriever as it is written, and what it belongs to.
pub(super) struct Restrictions<'a> {
    pub(super) shape: &'a SimpleRetriever,
    pub(super) stream: &'a StreamScope,
    /// Whether its requests ask for properties by name.
    pub(super) queries_properties: bool,
    /// Whether the first page of each slice stands in the parent's record.
    pub(super) reads_lazily: bool,
}

impl Restrictions<'_> {
    /// Refuses what the retriever cannot do at once.
    pub(super) fn check(&self) -> Result<(), BuildError> {
        if self.reads_lazily {
            self.check_lazy_reading()?;
        }
        let resets_after =
            self.shape.pagination_reset.as_ref().is_some_and(|it| it.limits.is_some());
        let filters = self.shape.record_selector.node().get("record_filter").is_some();
        if filters && resets_after {
            return self
                .refuse("PaginationResetLimits are not supported while having record filter.");
        }
        self.check_window_splitting()?;
        self.check_page_size_reduction()
    }

    fn refuse<T>(&self, message: impl Into<String>) -> Result<T, BuildError> {
        Err(BuildError::in_span(self.shape.span, message))
    }

    fn uses(&self, action: &str) -> bool {
        uses_action(self.shape.requester.node(), action)
    }

    fn check_lazy_reading(&self) -> Result<(), BuildError> {
        let name = &self.stream.name;
        if self.shape.page_size_reduction.is_some() || self.uses(REDUCE_PAGE_SIZE) {
            return self.refuse(format!(
                "`page_size_reduction` and the REDUCE_PAGE_SIZE response action are not supported when reading a \
                 parent stream lazily. Remove either the page size reduction or the parent stream's \
                 `lazy_read_pointer` for stream {name}."
            ));
        }
        if self.shape.request_window_splitting.is_some() || self.uses(SPLIT_REQUEST_WINDOW) {
            return self.refuse(format!(
                "`request_window_splitting` and the SPLIT_REQUEST_WINDOW response action are not supported when \
                 reading a parent stream lazily. Remove either the request window splitting or the parent \
                 stream's `lazy_read_pointer` for stream {name}."
            ));
        }
        // With a state the parent's records are not read from, so nothing of this matters.
        if self.stream.state.is_some() {
            return Ok(());
        }
        if let Some(sync) = &self.stream.incremental_sync {
            let kind = sync.type_name().unwrap_or_default();
            if kind != "DatetimeBasedCursor" {
                return self.refuse(format!(
                    "LazySimpleRetriever only supports DatetimeBasedCursor. Found: {kind}."
                ));
            }
            if ["step", "cursor_granularity"].iter().any(|key| is_set(sync, key)) {
                return self.refuse(format!(
                    "Found more that one slice per parent. LazySimpleRetriever only supports single slice read for \
                     stream - {name}."
                ));
            }
        }
        let decoder = self.shape.decoder.as_ref().and_then(|slot| slot.node().type_name());
        match decoder.filter(|kind| *kind != "JsonDecoder") {
            Some(kind) => self
                .refuse(format!("LazySimpleRetriever only supports JsonDecoder. Found: {kind}.")),
            None => Ok(()),
        }
    }

    fn check_window_splitting(&self) -> Result<(), BuildError> {
        let name = &self.stream.name;
        let is_used = self.uses(SPLIT_REQUEST_WINDOW);
        if self.shape.request_window_splitting.is_none() {
            if is_used {
                return self.refuse(format!(
                    "Stream {name} has a response filter with the SPLIT_REQUEST_WINDOW action but the retriever \
                     does not define `request_window_splitting`. Add a `request_window_splitting` block to the \
                     retriever."
                ));
            }
            return Ok(());
        }
        if !is_used {
            warn!(
                "Stream {name} defines `request_window_splitting` but no response filter with the \
                 SPLIT_REQUEST_WINDOW action was found on its requester. The request window will never be split \
                 unless a custom error handler or custom code resolves to that action."
            );
        }
        self.check_window()?;
        self.check_single_requests("request_window_splitting")
    }

    /// The window has to be in the request, and its halves have to differ.
    fn check_window(&self) -> Result<(), BuildError> {
        let name = &self.stream.name;
        let Some(sync) = &self.stream.incremental_sync else {
            let found = if self.stream.cursor.is_some() { "FinalStateCursor" } else { "no cursor" };
            return self.refuse(format!(
                "`request_window_splitting` requires an incremental cursor that supports window splitting on stream \
                 {name}. Found {found}: this is only supported today for a `DatetimeBasedCursor` with \
                 `cursor_granularity` set."
            ));
        };
        let text = |key: &str| sync.get(key).and_then(Node::as_str).filter(|it| !it.is_empty());
        let is_by_date = sync.type_name() == Some("DatetimeBasedCursor");
        let Some(granularity) = text("cursor_granularity").filter(|_| is_by_date) else {
            return self.refuse(format!(
                "`request_window_splitting` requires `cursor_granularity` on the `DatetimeBasedCursor` of stream \
                 {name}: without it there is no smallest window to stop splitting at, and no way to keep two \
                 child windows from overlapping at their shared edge."
            ));
        };
        if is_set(sync, "is_client_side_incremental") {
            return self.refuse(format!(
                "`request_window_splitting` cannot be used together with `is_client_side_incremental` on stream \
                 {name}: the window is filtered client-side rather than sent to the API, so splitting it would \
                 not change the request and could not resolve a SPLIT_REQUEST_WINDOW response."
            ));
        }
        let Span::Exact(exact) = Span::parse(granularity)? else { return Ok(()) };
        if exact.micros() <= 0 {
            return self.refuse(format!(
                "`request_window_splitting` requires a `cursor_granularity` greater than zero on stream {name}: \
                 `{granularity}` parses to a zero-length duration, which can never produce a smaller child window."
            ));
        }
        let format = text("datetime_format").unwrap_or_default();
        let units = FORMAT_UNITS.iter().filter(|(directive, _)| format.contains(directive));
        match units.map(|(_, micros)| *micros).min() {
            Some(finest) if exact.micros() < finest => self.refuse(format!(
                "`request_window_splitting` requires `cursor_granularity` to be no finer than what \
                 `datetime_format` can represent on stream {name}: `datetime_format` {} cannot represent a value \
                 finer than {}, but `cursor_granularity` {} is finer than that. Use a `datetime_format` precise \
                 enough to represent `cursor_granularity`, or a coarser `cursor_granularity`.",
                repr(format),
                TimeDelta::from_micros(finest)?,
                repr(granularity),
            )),
            _ => Ok(()),
        }
    }

    /// What is asked for again must not have given any records yet.
    fn check_single_requests(&self, field: &str) -> Result<(), BuildError> {
        let name = &self.stream.name;
        let is_window = field == "request_window_splitting";
        if self.queries_properties {
            let consequence = if is_window {
                "may have already been emitted when a chunk asks to split the window, so splitting and re-reading \
                 it could duplicate them."
            } else {
                "have already been emitted when a chunk asks for a smaller page, so retrying the page would emit \
                 them twice."
            };
            return self.refuse(format!(
                "`{field}` cannot be used together with query properties on stream {name}. Records from the \
                 earlier property chunks {consequence}"
            ));
        }
        if self.stream.uploads_files {
            let consequence = if is_window {
                "the window's record generator, so a split requested partway through could re-emit records \
                 already yielded by it."
            } else {
                "the page's record generator, so a reduction asked for halfway through a page would re-emit the \
                 records already yielded by it."
            };
            return self.refuse(format!(
                "`{field}` cannot be used together with a `file_uploader` on stream {name}. The file uploader sends \
                 one request per record from inside {consequence}"
            ));
        }
        Ok(())
    }

    fn check_page_size_reduction(&self) -> Result<(), BuildError> {
        let name = &self.stream.name;
        let is_used = self.uses(REDUCE_PAGE_SIZE);
        let Some(reduction) = &self.shape.page_size_reduction else {
            if is_used {
                return self.refuse(format!(
                    "Stream {name} has a response filter with the REDUCE_PAGE_SIZE action but the retriever does \
                     not define `page_size_reduction`. Add a `page_size_reduction` block to the retriever."
                ));
            }
            return Ok(());
        };
        if !is_used {
            warn!(
                "Stream {name} defines `page_size_reduction` but no response filter with the REDUCE_PAGE_SIZE action \
                 was found on its requester. The page size will never be reduced unless a custom error handler \
                 resolves to that action."
            );
        }
        self.check_single_requests("page_size_reduction")?;
        let strategy = self.sizable_strategy()?;
        if strategy.type_name() != Some("CustomPaginationStrategy") {
            self.check_strategy(strategy, reduction.minimum_page_size.0)?;
        }
        Ok(())
    }

    /// The pagination strategy, if page sizes reach the request.
    fn sizable_strategy(&self) -> Result<&Node, BuildError> {
        let name = &self.stream.name;
        let paginator = self.shape.paginator.as_ref().map(Slot::node);
        let paginator = paginator.filter(|it| it.type_name() == Some("DefaultPaginator"));
        let Some((paginator, strategy)) =
            paginator.and_then(|it| Some((it, it.get("pagination_strategy")?)))
        else {
            return self.refuse(format!(
                "`page_size_reduction` requires a DefaultPaginator on stream {name} so that the connector can send a \
                 smaller page size."
            ));
        };
        if paginator.get("page_size_option").is_none() {
            return self.refuse(format!(
                "`page_size_reduction` requires `page_size_option` on the paginator of stream {name}: without it the \
                 connector cannot tell the API to send a smaller page."
            ));
        }
        if paginator.get("page_token_option").and_then(Node::type_name) == Some("RequestPath") {
            return self.refuse(format!(
                "`page_size_reduction` does not support a `page_token_option` of type RequestPath on stream {name}. \
                 The next page is then requested through a URL returned by the API, which already carries the \
                 page size, so the reduced page size would be sent alongside the original one. Use a \
                 CursorPagination strategy with a `page_token_option` of type RequestOption instead."
            ));
        }
        if strategy.type_name() == Some("PageIncrement") {
            return self.refuse(format!(
                "`page_size_reduction` does not support the PageIncrement pagination strategy used by stream \
                 {name}. Pages are addressed as page number * page size, so a smaller page size shifts every \
                 following page boundary and would skip records. Use OffsetIncrement or CursorPagination."
            ));
        }
        Ok(strategy)
    }

    /// There has to be a size to reduce, and no condition may take a smaller page for the last.
    fn check_strategy(&self, strategy: &Node, smallest: i64) -> Result<(), BuildError> {
        let name = &self.stream.name;
        let Some(page_size) = strategy.get("page_size") else {
            return self.refuse(format!(
                "`page_size_reduction` requires `page_size` on the pagination strategy of stream {name}: without it \
                 the paginator does not send a page size, so there is nothing to reduce."
            ));
        };
        let written = page_size.as_str().and_then(|text| text.trim().parse().ok());
        if let Some(size) = page_size.as_i64().or(written).filter(|size| *size <= smallest) {
            return self.refuse(format!(
                "`page_size_reduction` on stream {name} can never reduce its page size: the pagination strategy's \
                 `page_size` is {size} and `minimum_page_size` is {smallest}. Lower `minimum_page_size` or raise \
                 `page_size`."
            ));
        }
        let condition = strategy.get("stop_condition").and_then(Node::as_str).unwrap_or_default();
        match Template::parse(condition).fixed_page_limit(smallest) {
            Some(limit) => self.refuse(format!(
                "`page_size_reduction` on stream {name} cannot be used with the `stop_condition` {}: it stops as soon \
                 as a page is smaller than {limit}, which does not follow the reduction, so a full page at a \
                 reduced size reads as a short page. The pagination would then end early, silently dropping the \
                 rest of the partition. Compare against the `page_size` interpolation variable instead, which \
                 holds the page size that was actually requested (for example \
                 `{{{{ last_page_size < page_size }}}}`), or test the page for emptiness with \
                 `{{{{ last_page_size == 0 }}}}`.",
                repr(condition)
            )),
            None => Ok(()),
        }
    }
}

fn is_set(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(Node::is_truthy)
}

fn repr(text: &str) -> String {
    python_repr(&Json::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::Stream;
    use crate::components::testing::World;

    /// A stream whose requester may ask for smaller pages and narrower windows.
    fn stream() -> Json {
        let filters = [(REDUCE_PAGE_SIZE, 502), (SPLIT_REQUEST_WINDOW, 503)].map(|(action, code)| {
            json!({"type": "HttpResponseFilter", "action": action, "http_codes": [code]})
        });
        let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
        json!({
            "type": "DeclarativeStream",
            "name": "s",
            "incremental_sync": {
                "type": "DatetimeBasedCursor", "cursor_field": "at", "datetime_format": "%Y-%m-%d",
                "start_datetime": "2024-01-01", "step": "P1M", "cursor_granularity": "P1D",
            },
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
            "retriever": {
                "type": "SimpleRetriever",
                "page_size_reduction": {"type": "PageSizeReduction", "minimum_page_size": 5},
                "request_window_splitting": {"type": "RequestWindowSplitting"},
                "requester": {
                    "type": "HttpRequester", "url": "http://h",
                    "error_handler": {"type": "CompositeErrorHandler", "error_handlers": [
                        {"type": "DefaultErrorHandler", "response_filters": filters}]},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "page_size_option": option("n"),
                    "page_token_option": option("p"),
                    "pagination_strategy": {
                        "type": "CursorPagination", "cursor_value": "{{ response.next }}", "page_size": 50,
                    },
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []},
                },
            },
        })
    }

    /// The stream with changes, each of a value by its pointer (null removes it), is refused with
    /// an error that has `expect` in it; an empty `expect` is in none.
    #[track_caller]
    fn check(changes: &[(&str, Json)], expect: &str) {
        let mut stream = stream();
        for (pointer, value) in changes {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = stream.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            match value {
                Json::Null => drop(parent.remove(key)),
                value => drop(parent.insert(key.to_owned(), value.clone())),
            }
        }
        let built = World::new(&json!({})).build::<Stream>(&stream);
        let message = built.err().map(|err| err.message).unwrap_or_default();
        assert!(message.contains(expect) && message.is_empty() == expect.is_empty(), "{message}");
    }

    const SYNC: &str = "/incremental_sync";
    const REDUCTION: &str = "/retriever/page_size_reduction";
    const SPLITTING: &str = "/retriever/request_window_splitting";
    const STRATEGY: &str = "/retriever/paginator/pagination_strategy";

    #[test]
    fn what_an_error_handler_asks_for_has_to_be_set_up() {
        check(&[], "");
        check(&[(REDUCTION, Json::Null)], "does not define `page_size_reduction`");
        check(&[(SPLITTING, Json::Null)], "does not define `request_window_splitting`");
        let handler = "/retriever/requester/error_handler";
        check(&[(handler, Json::Null), (REDUCTION, Json::Null), (SPLITTING, Json::Null)], "");
    }

    #[test]
    fn pages_need_a_size_that_reaches_the_request() {
        check(&[("/retriever/paginator", Json::Null)], "requires a DefaultPaginator");
        check(
            &[("/retriever/paginator/page_size_option", Json::Null)],
            "requires `page_size_option`",
        );
        let path = json!({"type": "RequestPath"});
        check(
            &[("/retriever/paginator/page_token_option", path)],
            "of type RequestPath on stream s",
        );
        let pages = json!({"type": "PageIncrement", "page_size": 50});
        check(&[(STRATEGY, pages)], "does not support the PageIncrement");
        let size = |size: Json| [("/retriever/paginator/pagination_strategy/page_size", size)];
        check(&size(json!(5)), "`page_size` is 5 and `minimum_page_size` is 5");
        check(&size(json!(6)), "");
        let condition =
            |text: &str| [("/retriever/paginator/pagination_strategy/stop_condition", json!(text))];
        check(
            &condition("{{ last_page_size < 50 }}"),
            "it stops as soon as a page is smaller than 50",
        );
        check(&condition("{{ last_page_size < page_size }}"), "");
    }

    #[test]
    fn windows_need_a_cursor_that_can_halve_them() {
        check(&[(SYNC, Json::Null)], "Found FinalStateCursor: this is only supported");
        let count = json!({"type": "IncrementingCountCursor", "cursor_field": "id"});
        check(&[(SYNC, count)], "requires `cursor_granularity` on the `DatetimeBasedCursor`");
        let sync = |key: &'static str, value: Json| {
            let pointer = match key {
                "cursor_granularity" => "/incremental_sync/cursor_granularity",
                _ => "/incremental_sync/is_client_side_incremental",
            };
            [(pointer, value)]
        };
        check(
            &sync("is_client_side_incremental", json!(true)),
            "with `is_client_side_incremental`",
        );
        check(
            &sync("cursor_granularity", json!("PT0S")),
            "a `cursor_granularity` greater than zero",
        );
        check(
            &sync("cursor_granularity", json!("PT1H")),
            "'%Y-%m-%d' cannot represent a value finer than 1 day, 0:00:00, but `cursor_granularity` 'PT1H'",
        );
        let month = json!({"type": "RequestWindowSplitting", "min_split_window": "P1M"});
        check(&[(SPLITTING, month)], "`min_split_window` must be a positive duration");
    }

    #[test]
    fn properties_and_files_come_with_requests_of_their_own() {
        let properties = json!({"type": "QueryProperties", "property_list": ["a"]});
        let query = ("/retriever/requester/query_properties", properties);
        let text = "cannot be used together with query properties";
        check(std::slice::from_ref(&query), text);
        check(&[query, (SPLITTING, Json::Null)], "does not define `request_window_splitting`");
        let files = json!({
            "type": "FileUploader", "requester": {"type": "HttpRequester", "url": "http://h"},
            "download_target_extractor": {"type": "DpathExtractor", "field_path": ["url"]},
        });
        check(
            &[("/file_uploader", files.clone())],
            "cannot be used together with a `file_uploader`",
        );
        let mut files = files;
        files["requester"] = stream()["retriever"]["requester"].clone();
        check(&[("/file_uploader", files)], "not supported on the requester of a `file_uploader`");
    }

    #[test]
    fn pages_of_parents_cannot_be_asked_for_again() {
        let parent = json!({
            "type": "DeclarativeStream", "name": "p",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url": "http://h"},
                "record_selector": stream()["retriever"]["record_selector"],
            },
        });
        let router = json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [{
            "type": "ParentStreamConfig", "stream": parent, "parent_key": "id", "partition_field": "id",
            "lazy_read_pointer": ["items"],
        }]});
        let router = || ("/retriever/partition_router", router.clone());
        let handler = || ("/retriever/requester/error_handler", Json::Null);
        let (reduction, splitting) = ((REDUCTION, Json::Null), (SPLITTING, Json::Null));
        let text = "not supported when reading a parent stream lazily";
        check(&[router()], text);
        check(&[router(), handler(), reduction.clone()], text);
        let plain = [router(), handler(), reduction, splitting];
        check(&plain, "LazySimpleRetriever only supports single slice read");
        let with = |key: &'static str, value: Json| {
            let mut changes = plain.to_vec();
            changes.extend([("/incremental_sync/step", Json::Null)]);
            changes.extend([("/incremental_sync/cursor_granularity", Json::Null)]);
            changes.push((key, value));
            changes
        };
        check(&with("/retriever/decoder", json!({"type": "JsonDecoder"})), "");
        let decoder = json!({"type": "XmlDecoder"});
        check(
            &with("/retriever/decoder", decoder),
            "only supports JsonDecoder. Found: XmlDecoder.",
        );
    }

    #[test]
    fn several_extractors_read_one_body_several_times() {
        let combined = |mode: &str| {
            let inner = json!({"type": "DpathExtractor", "field_path": ["a"]});
            (
                "/retriever/record_selector/extractor",
                json!({"type": "CombinedExtractor", "mode": mode, "extractors": [inner]}),
            )
        };
        let text = "CombinedExtractor is not supported with a streaming decoder.";
        for decoder in ["CsvDecoder", "JsonlDecoder", "IterableDecoder"] {
            let paginator = ("/retriever/paginator", json!({"type": "NoPagination"}));
            let decoder = ("/retriever/decoder", json!({"type": decoder}));
            check(&[combined("union"), paginator, decoder], text);
        }
        check(&[combined("union"), ("/retriever/decoder", json!({"type": "XmlDecoder"}))], "");
        let offsets = || (STRATEGY, json!({"type": "OffsetIncrement", "page_size": 50}));
        check(
            &[combined("union"), offsets()],
            "\"union\" is not supported with an OffsetIncrement",
        );
        check(&[combined("first_match"), offsets()], "");
    }

    #[test]
    fn records_are_not_counted_behind_a_filter() {
        let limits = json!({"type": "PaginationResetLimits", "number_of_records": 5});
        let reset = json!({"type": "PaginationReset", "action": "RESET", "limits": limits});
        let filter = json!({"type": "RecordFilter", "condition": "{{ true }}"});
        check(
            &[
                ("/retriever/pagination_reset", reset),
                ("/retriever/record_selector/record_filter", filter),
            ],
            "PaginationResetLimits are not supported while having record filter.",
        );
    }
}
