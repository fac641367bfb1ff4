//! `SimpleRetriever`: reads a slice page by page.
//!
//! A page is requested, decoded, and selected from; what the next page is asked
//! for with is computed from it before its records are given out, so that none
//! of them is copied. A response with an error status that is not a failure
//! counts as no page: it ends the slice.

use std::borrow::Cow;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::json;
use tracing::{error, info, warn};

use super::fast_road::FastRoad;
use super::loop_guard::{LoopGuard, Repeat};
use super::page::{
    Interruption, Output, PageParser, ReadPage, STREAMED_FROM, extraction, merge_deep,
};
use super::page_size_reduction::{self, Reducer};
use super::pagination_reset::{self, Tracker};
use super::plain_selector::PlainSelector;
use super::prefetch::{AheadRequest, Prefetch};
use super::request_window_splitting::{self, MAX_DEPTH, RequestWindowSplitting};
use super::restrictions::{self, Restrictions};
use crate::components::shape::shape;
use crate::components::slot::OneOrMore;
use crate::components::{
    Answer, BuildContext, BuildError, Component, Cursor, Decoder, Extraction, Page, Paginator,
    PartitionRouter, QueryProperties, ReadError, RecordExtractor, RecordSelector, RecordSink,
    RequestInput, RequestParts, Requester, Retriever, Slot,
};
use crate::http::{Body, BodyMode, Limits};
use crate::manifest::Node;
use crate::protocol::TracedError;
use crate::run::RunContext;
use crate::value::{Json, StreamSlice};

/// The extra field of a slice that holds its first page, taken from the parent's record.
const CHILD_RESPONSE: &str = "child_response";

/// The YAML shape.
pub mod yaml {
    use super::page_size_reduction::yaml::PageSizeReduction;
    use super::pagination_reset::yaml::PaginationReset;
    use super::request_window_splitting::yaml::RequestWindowSplitting;
    use super::{
        Decoder, OneOrMore, Paginator, PartitionRouter, RecordSelector, Requester, Slot, shape,
    };

    shape! {
        /// Reads a slice page by page.
        pub struct SimpleRetriever {
            /// Sends the requests.
            requester: Slot<dyn Requester>,
            /// Reads the bodies of responses; as JSON when unset.
            decoder: Option<Slot<dyn Decoder>>,
            /// Finds the records in them.
            record_selector: Slot<dyn RecordSelector>,
            /// Finds the way from page to page; there is one page when unset.
            paginator: Option<Slot<dyn Paginator>>,
            /// When a slice is read again from its first page.
            pagination_reset: Option<PaginationReset>,
            /// How a page is asked for again that was too heavy for the API.
            page_size_reduction: Option<PageSizeReduction>,
            /// How a window is read that was too wide for the API.
            request_window_splitting: Option<RequestWindowSplitting>,
            /// From the second page on, requests say nothing of partition and window.
            ignore_stream_slicer_parameters_on_paginated_requests: bool = false,
            /// Splits the stream into partitions.
            partition_router: Option<Slot<dyn PartitionRouter, OneOrMore>>,
        }
    }
}

impl Component for yaml::SimpleRetriever {
    type Family = dyn Retriever;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Retriever>, BuildError> {
        let stream = &cx.stream;
        let selector = self.record_selector.build(cx)?;
        let decoder = self.decoder.clone().unwrap_or_else(|| Slot::of_type("JsonDecoder"));
        let (decoder, requester) = (decoder.build(cx)?, self.requester.build(cx)?);
        let paginator = self.paginator.clone();
        let retriever = SimpleRetriever::new(requester, selector, decoder, paginator, cx)?;
        let reads_lazily =
            self.partition_router.as_ref().is_some_and(|it| has_lazy_parent(it.node()));
        let queries_properties = retriever.query_properties.is_some();
        Restrictions { shape: &self, stream, queries_properties, reads_lazily }.check()?;
        let splitting = self.request_window_splitting.as_ref();
        let splitting = splitting.map(|it| RequestWindowSplitting::build(it, &stream.name));
        Ok(Arc::new(SimpleRetriever {
            ignores_slice_on_next_pages: self.ignore_stream_slicer_parameters_on_paginated_requests,
            reads_lazily: stream.state.is_none() && reads_lazily,
            reset: self.pagination_reset,
            reduction: self.page_size_reduction,
            splitting: splitting.transpose()?,
            ..retriever
        }))
    }
}

const UNPAGEABLE: &str = "The decoder is not supported for pagination. Please set it to `JsonDecoder`, `XmlDecoder`, or \
                          a `GzipDecoder` with an inner `JsonDecoder` instead.";

/// Whether the first page of each slice stands in the parent's record.
fn has_lazy_parent(router: &Node) -> bool {
    let parents = router.get("parent_stream_configs").and_then(Node::as_seq).unwrap_or_default();
    parents.iter().any(|it| it.get("lazy_read_pointer").is_some_and(Node::is_truthy))
}

/// See the module documentation.
pub(super) struct SimpleRetriever {
    name: String,
    requester: Arc<dyn Requester>,
    decoder: Arc<dyn Decoder>,
    selector: Arc<dyn RecordSelector>,
    paginator: Arc<dyn Paginator>,
    cursor: Option<Arc<dyn Cursor>>,
    query_properties: Option<Arc<dyn QueryProperties>>,
    extraction: Extraction,
    fast_road: Option<FastRoad>,
    body: BodyMode,
    is_data_feed: bool,
    ignores_slice_on_next_pages: bool,
    reads_lazily: bool,
    limits: Limits,
    reset: Option<pagination_reset::yaml::PaginationReset>,
    reduction: Option<page_size_reduction::yaml::PageSizeReduction>,
    splitting: Option<RequestWindowSplitting>,
    /// How many pages are asked for ahead.
    n_ahead: usize,
    /// How many pages a slice has at most.
    max_pages: usize,
    run: RunContext,
}

impl SimpleRetriever {
    /// A retriever that only knows how to walk from page to page.
    fn new(
        requester: Arc<dyn Requester>,
        selector: Arc<dyn RecordSelector>,
        decoder: Arc<dyn Decoder>,
        paginator: Option<Slot<dyn Paginator>>,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let paginator = paginator.unwrap_or_else(|| Slot::of_type("NoPagination"));
        if paginator.node().type_name() == Some("DefaultPaginator")
            && !decoder.supports_pagination()
        {
            return Err(BuildError::at(paginator.node(), UNPAGEABLE));
        }
        restrictions::check_decoder(selector.extractor(), &*decoder)?;
        restrictions::check_pagination(paginator.node(), selector.extractor())?;
        let paginator = paginator.build(cx)?;
        let decoder = selector.extractor().decoder().unwrap_or(decoder);
        let extraction = extraction(&paginator.response_needs(), selector.extractor().path());
        let query_properties = requester.query_properties();
        let streams_json = decoder.reads_json()
            && extraction == Extraction::Take
            && selector.extractor().path().is_some();
        let is_fast = (decoder.reads_json() || decoder.is_streamed())
            && query_properties.is_none()
            && !cx.stream.is_data_feed
            && !cx.environment.is_test_read();
        let fast_road = is_fast.then(|| FastRoad::new(&*selector, &*paginator, extraction));
        Ok(Self {
            name: cx.stream.name.clone(),
            extraction,
            fast_road: fast_road.flatten(),
            query_properties,
            body: if cx.environment.is_test_read() {
                BodyMode::Whole
            } else if decoder.is_streamed() {
                BodyMode::Raw
            } else if streams_json {
                BodyMode::Streamed(STREAMED_FROM)
            } else {
                BodyMode::Whole
            },
            requester,
            decoder,
            selector,
            paginator,
            cursor: cx.stream.cursor.clone(),
            is_data_feed: cx.stream.is_data_feed,
            ignores_slice_on_next_pages: false,
            reads_lazily: false,
            limits: cx.environment.http.limits(),
            reset: None,
            reduction: None,
            splitting: None,
            n_ahead: cx.environment.prefetch,
            max_pages: cx.environment.test_limits.map_or(usize::MAX, |limits| limits.pages),
            run: cx.environment.run.clone(),
        })
    }

    /// A retriever of what `extractor` finds, and nothing is done to.
    pub(super) fn plain(
        requester: Arc<dyn Requester>,
        extractor: Arc<dyn RecordExtractor>,
        decoder: Arc<dyn Decoder>,
        paginator: Option<Slot<dyn Paginator>>,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        Self::new(requester, Arc::new(PlainSelector(extractor)), decoder, paginator, cx)
    }
}

impl Retriever for SimpleRetriever {
    fn read<'a>(
        &'a self,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            self.selector.prepare().await?;
            let feed_cursor = self.cursor.as_deref().filter(|_| self.is_data_feed);
            let mut output = Output { sink, feed_cursor, slice, n_given: 0 };
            match self.read_window(slice, 0, &mut output).await {
                Ok(()) | Err(Interruption::Stopped) => Ok(()),
                Err(Interruption::Failed(err)) => Err(err),
                // The others do not leave the loops that know them.
                Err(other) => {
                    Err(ReadError::value(format!("unexpected end of a slice: {other:?}")))
                }
            }
        }
        .boxed()
    }
}

impl SimpleRetriever {
    /// Reads a window whole, or in halves where the API wants that.
    fn read_window<'a>(
        &'a self,
        window: &'a StreamSlice,
        depth: u32,
        output: &'a mut Output<'_>,
    ) -> BoxFuture<'a, Result<(), Interruption>> {
        async move {
            let n_given = output.n_given;
            let reason = match self.read_pages(window, output).await {
                Err(Interruption::Split(reason)) => reason,
                other => return other,
            };
            let (Some(splitting), Some(cursor)) = (&self.splitting, &self.cursor) else {
                return Err(split_unsupported(&self.name).into());
            };
            if output.n_given > n_given {
                warn!(
                    "Stream {} had given {} records of a window that is now read in halves; they come again.",
                    self.name,
                    output.n_given - n_given,
                );
            }
            if depth >= MAX_DEPTH {
                return Err(splitting.too_deep(&self.name, &reason).into());
            }
            let Some(halves) = cursor.split_window(window, splitting.min_window)? else {
                return Err(splitting.indivisible(&self.name, &reason).into());
            };
            info!("Stream {}: the API refused a window, it is read in halves.", self.name);
            for half in &halves {
                self.read_window(half, depth + 1, output).await?;
            }
            Ok(())
        }
        .boxed()
    }

    async fn read_pages(
        &self,
        window: &StreamSlice,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        let mut slice = Cow::Borrowed(window);
        let mut tracker = Tracker::new(self.reset.as_ref(), self.cursor.as_ref());
        let mut reducer = match &self.reduction {
            Some(shape) => Some(Reducer::new(shape, &self.name, self.paginator.page_size()?)),
            None => None,
        };
        let mut guard = LoopGuard::new(&self.name, self.limits.stops_on_repeat);
        let mut is_suspect = false;
        let mut n_pages = 1;
        let mut prefetch = Prefetch::new(self.n_ahead(), &*self.paginator);
        let mut embedded = window.extra_fields.get(CHILD_RESPONSE).filter(|_| self.reads_lazily);
        let mut token = match embedded {
            Some(_) => None,
            None => self.paginator.first_token()?,
        };
        loop {
            let page_size = reducer.as_ref().and_then(Reducer::page_size);
            let page = if let Some(body) = embedded.take() {
                self.read_embedded(body, window, output).await
            } else {
                let token = token.as_ref();
                let ahead = |token: &Json| self.ahead_request(&slice, token);
                let answer = prefetch.answer(token, &self.requester, ahead).await;
                let request = PageRequest { slice: &slice, window, token, page_size, is_suspect };
                match answer {
                    Some(Ok(answer)) => self.read_answer(answer, &request, output).await,
                    Some(Err(err)) => Err(err.into()),
                    None => self.read_page(&request, output).await,
                }
            };
            let mut page = match page {
                Ok(page) => page,
                Err(Interruption::Reset) => {
                    slice = Cow::Owned(tracker.restart(&slice, window)?);
                    token = self.paginator.first_token()?;
                    n_pages = 1;
                    continue;
                }
                Err(Interruption::Reduce(reason)) => {
                    let reducer =
                        reducer.as_mut().ok_or_else(|| reduction_unsupported(&self.name))?;
                    reducer.reduce(&reason, &self.run).await?;
                    continue;
                }
                Err(other) => return Err(other),
            };
            if let Some(reducer) = &mut reducer {
                reducer.page_succeeded();
            }
            guard.observe(page.repeat.take())?;
            tracker.observe(output.slice, &page.records)?;
            let is_last = page.failure.is_some() || is_error(page.status);
            let next = if is_last || tracker.has_reached_limit() || n_pages >= self.max_pages {
                Ok(None)
            } else {
                n_pages += 1;
                self.next_token(&page, &slice, token.as_ref(), page_size)
            };
            output.give(std::mem::take(&mut page.records)).await?;
            output.give_lines(std::mem::take(&mut page.lines)).await?;
            if let Some(err) = page.failure {
                return Err(err.into());
            }
            if is_last {
                return Ok(());
            }
            if tracker.has_reached_limit() {
                slice = Cow::Owned(tracker.restart(&slice, window)?);
                token = self.paginator.first_token()?;
                n_pages = 1;
                continue;
            }
            let asked = std::mem::replace(&mut token, next?);
            is_suspect = LoopGuard::suspects(asked.as_ref(), token.as_ref());
            if token.is_none() {
                return Ok(());
            }
        }
    }

    fn next_token(
        &self,
        page: &ReadPage,
        slice: &StreamSlice,
        token: Option<&Json>,
        page_size: Option<i64>,
    ) -> Result<Option<Json>, ReadError> {
        let page = Page {
            status: page.status,
            headers: &page.headers,
            body: &page.body,
            last_record: page.records.last().or(page.last_record.as_ref()),
            n_extracted: page.n_extracted,
            n_selected: page.n_given + page.records.len() + page.lines.n_records,
            slice,
            page_size,
        };
        self.paginator.next_token(&page, token)
    }

    async fn read_page(
        &self,
        request: &PageRequest<'_>,
        output: &mut Output<'_>,
    ) -> Result<ReadPage, Interruption> {
        match &self.query_properties {
            Some(properties) => self.read_page_in_chunks(request, &**properties, output).await,
            None => self.read_response(request, request.slice, output).await,
        }
    }

    /// Reads a page whose records come in parts, one request for each chunk of their properties.
    async fn read_page_in_chunks(
        &self,
        request: &PageRequest<'_>,
        properties: &dyn QueryProperties,
        output: &mut Output<'_>,
    ) -> Result<ReadPage, Interruption> {
        let mut records = Vec::new();
        let mut merged: IndexMap<String, Json> = IndexMap::new();
        let mut page = ReadPage { status: 404, ..ReadPage::default() };
        for chunk in properties.chunks().await?.iter() {
            let mut slice = request.slice.clone();
            slice.extra_fields =
                [("query_properties".to_owned(), json!(chunk))].into_iter().collect();
            let n_given = page.n_given;
            page = self.read_response(request, &slice, output).await?;
            page.n_given += n_given;
            let Some(merging) = properties.merging() else {
                records.append(&mut page.records);
                continue;
            };
            for record in std::mem::take(&mut page.records) {
                match (merging.merge_key(&record)?, record) {
                    (Some(key), Json::Object(part)) => {
                        let whole = merged.entry(key).or_insert_with(|| json!({}));
                        if let Json::Object(whole) = whole {
                            merge_deep(whole, part);
                        }
                    }
                    (_, record) => records.push(record),
                }
            }
            if page.failure.is_some() {
                break;
            }
        }
        records.extend(merged.into_values());
        page.records = records;
        Ok(page)
    }

    async fn read_response(
        &self,
        request: &PageRequest<'_>,
        slice: &StreamSlice,
        output: &mut Output<'_>,
    ) -> Result<ReadPage, Interruption> {
        let input = RequestInput {
            slice: Some(slice),
            next_page_token: request.token,
            path: self.paginator.path(request.token)?,
            parts: self.request_parts(slice, request.token, request.page_size)?,
            variables: Vec::new(),
            body: self.body,
        };
        let answer = self.requester.send(input).await?;
        self.read_answer(answer, request, output).await
    }

    async fn read_answer(
        &self,
        answer: Answer,
        request: &PageRequest<'_>,
        output: &mut Output<'_>,
    ) -> Result<ReadPage, Interruption> {
        let mut response = match answer {
            Answer::Response(response) | Answer::Ignored(response) => response,
            Answer::ResetPagination => return Err(Interruption::Reset),
            Answer::ReducePageSize(reason) => return Err(Interruption::Reduce(reason)),
            Answer::SplitRequestWindow(reason) => return Err(Interruption::Split(reason)),
        };
        let headers = std::mem::take(&mut response.headers);
        let mut page = ReadPage { status: response.status, headers, ..ReadPage::default() };
        page.repeat = request.is_suspect.then(|| Repeat::of(&response)).flatten();
        if !is_error(page.status) {
            let asked = Arc::clone(&response.request);
            let parser = self.parser(request.window, request.token);
            parser.parse(response.into_body(), &mut page, output).await?;
            if let Some(failure) = &page.failure {
                let (method, place) = (&asked.method, asked.place());
                error!(
                    "Stream {}: {method} {place} has an answer that fails: {failure}",
                    self.name
                );
            }
        }
        Ok(page)
    }

    /// Reads the first page of a slice out of the parent's record.
    async fn read_embedded(
        &self,
        body: &Json,
        window: &StreamSlice,
        output: &mut Output<'_>,
    ) -> Result<ReadPage, Interruption> {
        let mut page = ReadPage { status: 200, ..ReadPage::default() };
        let body = Body::Whole(body.to_string().into());
        self.parser(window, None).parse(body, &mut page, output).await?;
        Ok(page)
    }

    /// How many pages are asked for ahead: none where an answer can change what is asked for next.
    fn n_ahead(&self) -> usize {
        let is_steady = self.query_properties.is_none()
            && self.reset.is_none()
            && self.reduction.is_none()
            && self.splitting.is_none();
        if is_steady { self.n_ahead } else { 0 }
    }

    fn ahead_request(&self, slice: &StreamSlice, token: &Json) -> Result<AheadRequest, ReadError> {
        Ok(AheadRequest {
            slice: slice.clone(),
            token: token.clone(),
            path: self.paginator.path(Some(token))?,
            parts: self.request_parts(slice, Some(token), None)?,
            body: self.body,
        })
    }

    fn parser<'a>(&'a self, slice: &'a StreamSlice, token: Option<&'a Json>) -> PageParser<'a> {
        PageParser {
            decoder: &*self.decoder,
            selector: &*self.selector,
            extraction: self.extraction,
            fast_road: self.fast_road.as_ref().filter(|_| self.reset.is_none()),
            limits: self.limits,
            slice,
            token,
        }
    }

    fn request_parts(
        &self,
        slice: &StreamSlice,
        token: Option<&Json>,
        page_size: Option<i64>,
    ) -> Result<RequestParts, ReadError> {
        let mut parts = self.paginator.request_parts(token, page_size)?;
        if let Some(cursor) = &self.cursor
            && (token.is_none() || !self.ignores_slice_on_next_pages)
        {
            parts.merge(cursor.request_parts(slice)?)?;
        }
        Ok(parts)
    }
}

/// What a page is asked for with.
struct PageRequest<'a> {
    /// The slice as it is requested: what a reset has left of the window.
    slice: &'a StreamSlice,
    /// The slice as selectors see it.
    window: &'a StreamSlice,
    token: Option<&'a Json>,
    page_size: Option<i64>,
    /// Whether the token is the one of the page before.
    is_suspect: bool,
}

fn is_error(status: u16) -> bool {
    (400..600).contains(&status)
}

fn reduction_unsupported(stream: &str) -> ReadError {
    let message = format!(
        "Stream {stream} resolves an API response to the REDUCE_PAGE_SIZE action but is not set up to send a smaller \
         page. Add `page_size_reduction` to the stream's retriever, or remove the REDUCE_PAGE_SIZE action from its \
         error handler."
    );
    let internal = format!(
        "An error handler of stream {stream} resolved to REDUCE_PAGE_SIZE but the retriever it is attached to defines \
         no page_size_reduction. The action is only supported on the main requester of a SimpleRetriever that defines \
         page_size_reduction."
    );
    ReadError::traced(TracedError::config(message).with_internal(internal))
}

fn split_unsupported(stream: &str) -> ReadError {
    let message = format!(
        "Stream {stream} resolves to a request window split but is not set up to split its window. Add \
         `request_window_splitting` to the stream's retriever (this requires a datetime-based incremental cursor with \
         `cursor_granularity` set), or remove the `SPLIT_REQUEST_WINDOW` action from its error handler."
    );
    let internal = format!(
        "A request window split was requested for stream {stream} but its retriever defines no \
         `request_window_splitting`, or its cursor does not support window splitting. The action is only supported on \
         a SimpleRetriever whose cursor has a `split_request_window` method and that defines `request_window_splitting`."
    );
    ReadError::traced(TracedError::config(message).with_internal(internal))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::components::testing::{Collected, World};
    use crate::value::Map;

    fn retriever(fields: &Json) -> Json {
        let mut written = json!({
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url": "http://h/items"},
            "record_selector": {"type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["items"]}},
        });
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        written
    }

    /// What is asked for, the records, and how it ends.
    async fn read(
        fields: &Json,
        slice: &StreamSlice,
        enough: usize,
        api: impl Fn(&str) -> (u16, Json) + Send + Sync + 'static,
    ) -> (Vec<String>, Vec<Json>, Result<(), String>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let world = World::with_api(&json!({}), move |url| {
            log.lock().unwrap().push(url.trim_start_matches("http://h/").to_owned());
            api(url)
        });
        let (records, ended) = read_in(&world, fields, slice, enough).await;
        let asked = asked.lock().unwrap().clone();
        (asked, records, ended)
    }

    async fn read_in(
        world: &World,
        fields: &Json,
        slice: &StreamSlice,
        enough: usize,
    ) -> (Vec<Json>, Result<(), String>) {
        let retriever = world.build::<dyn Retriever>(&retriever(fields)).unwrap();
        let mut collected = Collected { enough, ..Collected::new() };
        let ended = retriever.read(slice, &mut collected).await.map_err(|err| err.to_string());
        (collected.records, ended)
    }

    fn cursor_paginator(cursor_value: &str) -> Json {
        json!({"type": "DefaultPaginator",
            "pagination_strategy": {"type": "CursorPagination", "cursor_value": cursor_value},
            "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "p"}})
    }

    /// Two records on each of three pages.
    fn three_pages(url: &str) -> (u16, Json) {
        let page: i64 = url.split_once("p=").map_or(1, |(_, page)| page.parse().unwrap());
        let next = if page < 3 { json!(page + 1) } else { Json::Null };
        (200, json!({"items": [{"id": page * 10}, {"id": page * 10 + 1}], "next": next}))
    }

    #[tokio::test]
    async fn pages_are_read_until_there_is_no_token() {
        let fields = json!({"paginator": cursor_paginator("{{ response.next }}")});
        let (asked, records, ended) = read(&fields, &StreamSlice::default(), 99, three_pages).await;
        assert_eq!(asked, ["items", "items?p=2", "items?p=3"]);
        let ids: Vec<_> = records.iter().map(|record| record["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, [10, 11, 20, 21, 30, 31]);
        assert_eq!(ended, Ok(()));
    }

    #[tokio::test]
    async fn what_nobody_wants_is_not_asked_for() {
        let fields = json!({"paginator": cursor_paginator("{{ response.next }}")});
        let (asked, ..) = read(&fields, &StreamSlice::default(), 3, three_pages).await;
        assert_eq!(asked, ["items", "items?p=2"]);
    }

    #[tokio::test]
    async fn paginators_see_the_items_and_the_last_record() {
        let last = json!({"paginator": cursor_paginator("{{ last_record.id // 10 + 1 if last_record.id < 30 }}")});
        let (asked, ..) = read(&last, &StreamSlice::default(), 99, three_pages).await;
        assert_eq!(asked, ["items", "items?p=2", "items?p=3"]);
        let items = json!({"paginator": cursor_paginator(
            "{{ response['items'][1].id // 10 + 1 if response['items'][1].id < 20 }}")});
        let (asked, records, _) = read(&items, &StreamSlice::default(), 99, three_pages).await;
        assert_eq!((asked.len(), records.len()), (2, 4));
    }

    #[tokio::test]
    async fn an_ignored_error_ends_the_slice() {
        let fields = json!({
            "paginator": cursor_paginator("{{ response.next }}"),
            "requester": {"type": "HttpRequester", "url": "http://h/items", "error_handler": {
                "type": "DefaultErrorHandler",
                "response_filters": [{"type": "HttpResponseFilter", "action": "IGNORE", "http_codes": [404]}],
            }},
        });
        let api = |url: &str| {
            let page = json!({"items": [{"id": 1}], "next": 3});
            if url.contains("p=2") { (404, page) } else { three_pages(url) }
        };
        let (asked, records, ended) = read(&fields, &StreamSlice::default(), 99, api).await;
        assert_eq!((asked.len(), records.len(), ended), (2, 2, Ok(())));
    }

    #[tokio::test]
    async fn a_failure_ends_the_slice_behind_the_records_before_it() {
        let fields = json!({"paginator": cursor_paginator("{{ response.next }}")});
        let api = |url: &str| {
            if url.contains("p=2") { (400, json!({"message": "no"})) } else { three_pages(url) }
        };
        let (_, records, ended) = read(&fields, &StreamSlice::default(), 99, api).await;
        assert_eq!(records.len(), 2);
        assert!(ended.unwrap_err().starts_with("HTTP Status Code: 400."));
    }

    #[tokio::test]
    async fn a_page_is_asked_for_with_fewer_records() {
        let fields = json!({
            "page_size_reduction": {"type": "PageSizeReduction"},
            "paginator": {"type": "DefaultPaginator",
                "pagination_strategy": {"type": "OffsetIncrement", "page_size": 4},
                "page_size_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "n"},
                "page_token_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "o"}},
            "requester": {"type": "HttpRequester", "url": "http://h/items", "error_handler": {
                "type": "DefaultErrorHandler",
                "response_filters": [
                    {"type": "HttpResponseFilter", "action": "REDUCE_PAGE_SIZE", "http_codes": [502]}],
            }},
        });
        let api = |url: &str| match (url.contains("n=4"), url.contains("o=2")) {
            (true, _) => (502, json!({})),
            (false, true) => (200, json!({"items": [{"id": 3}]})),
            (false, false) => (200, json!({"items": [{"id": 1}, {"id": 2}]})),
        };
        let (asked, records, ended) = read(&fields, &StreamSlice::default(), 99, api).await;
        assert_eq!(asked, ["items?n=4", "items?n=2", "items?o=2&n=2"]);
        assert_eq!((records.len(), ended), (3, Ok(())));
    }

    #[tokio::test]
    async fn the_first_page_may_stand_in_the_slice() {
        let fields = json!({
            "paginator": cursor_paginator("{{ response.next }}"),
            "partition_router": {"type": "SubstreamPartitionRouter", "parent_stream_configs": [
                {"type": "ParentStreamConfig", "parent_key": "id", "partition_field": "id",
                    "lazy_read_pointer": ["items"], "stream": {"type": "DeclarativeStream", "retriever": retriever(&json!({}))}},
            ]},
        });
        let page = json!({"items": [{"id": 1}], "next": 3});
        let extra_fields: Map = [(CHILD_RESPONSE.to_owned(), page)].into_iter().collect();
        let slice = StreamSlice { extra_fields, ..StreamSlice::default() };
        let (asked, records, _) = read(&fields, &slice, 99, three_pages).await;
        assert_eq!((asked, records.len()), (vec!["items?p=3".to_owned()], 3));
    }

    /// Reads five records by twos, asking for `n` pages ahead; gives what is asked for and the ids.
    async fn read_ahead(strategy: &Json, n: usize) -> (Vec<String>, Vec<i64>) {
        let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
        let paginator = json!({"type": "DefaultPaginator", "pagination_strategy": strategy, "page_token_option": option("o")});
        let fields = json!({ "paginator": paginator });
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let is_offset = strategy["type"] == "OffsetIncrement";
        let world = World::with_api(&json!({}), move |url| {
            let token: usize = url.split_once("o=").map_or(0, |(_, token)| token.parse().unwrap());
            log.lock().unwrap().push(url.trim_start_matches("http://h/").to_owned());
            let start = if is_offset { token } else { token * 2 };
            // Beyond the end there is nothing but errors, which nobody may hear of.
            let items: Vec<_> = (start..5).take(2).map(|id| json!({"id": id})).collect();
            (if items.is_empty() { 400 } else { 200 }, json!({ "items": items }))
        });
        let world = world.with_prefetch(n);
        let (records, ended) = read_in(&world, &fields, &StreamSlice::default(), 99).await;
        assert_eq!(ended, Ok(()));
        let mut asked = asked.lock().unwrap().clone();
        asked.sort();
        (asked, records.iter().map(|record| record["id"].as_i64().unwrap()).collect())
    }

    #[tokio::test]
    async fn numbered_pages_are_asked_for_ahead() {
        let offset = json!({"type": "OffsetIncrement", "page_size": 2});
        let page = json!({"type": "PageIncrement", "page_size": 2});
        let ids = vec![0, 1, 2, 3, 4];
        for strategy in [&offset, &page] {
            let (asked, read) = read_ahead(strategy, 0).await;
            assert_eq!((asked.len(), &read), (3, &ids));
            for n in [1, 2, 7] {
                let (ahead, read) = read_ahead(strategy, n).await;
                assert_eq!(read, ids);
                assert!(asked.iter().all(|url| ahead.contains(url)), "{ahead:?}");
                assert!(ahead.len() <= asked.len() + n, "{ahead:?}");
            }
        }
    }

    #[tokio::test]
    async fn pages_whose_size_the_response_says_are_not_asked_for_ahead() {
        let offset =
            json!({"type": "OffsetIncrement", "page_size": "{{ 2 if response['items'] else 3 }}"});
        let (asked, read) = read_ahead(&offset, 3).await;
        assert_eq!((asked.len(), read.len()), (3, 5));
    }
}
