//! One page: from the bytes of a response to its records.

use std::ops::ControlFlow;

use bytes::Bytes;
use tracing::error;

use crate::components::{
    Cursor, Decode, DecodeTexts, Decoder, Extraction, PageRecords, ReadError, RecordSelector,
    RecordSink, ResponseNeeds,
};
use crate::http::{Body, Headers, Limits};
use crate::protocol::TracedError;
use crate::value::body::ItemStream;
use crate::value::{Json, Lines, Map, ParseError, StreamSlice};

use super::fast_road::{FastRoad, LineItems};
use super::loop_guard::Repeat;

/// JSON bodies of more bytes are read while they are received; smaller ones as a whole, so that
/// nothing comes of one that is broken.
pub(super) const STREAMED_FROM: usize = 8 << 20;

/// What may be compressed is decoded in pieces of so many bytes: they may become many more.
const COMPRESSED_LEN: usize = 16 << 10;

/// Lines of a body that is still received are given out in pieces of about this many bytes.
pub(super) const PIECE_LEN: usize = 64 << 10;

/// Why the reading of a page does not just go on.
#[derive(Debug)]
pub(super) enum Interruption {
    /// It failed.
    Failed(ReadError),
    /// Nobody wants more records.
    Stopped,
    /// The slice has to be read from its first page again.
    Reset,
    /// The page has to be asked for with fewer records; with the API's reason.
    Reduce(String),
    /// The window has to be split; with the API's reason.
    Split(String),
}

impl From<ReadError> for Interruption {
    fn from(err: ReadError) -> Self {
        Self::Failed(err)
    }
}

/// Where records go.
pub(super) struct Output<'a> {
    /// Who takes them.
    pub(super) sink: &'a mut dyn RecordSink,
    /// Drops those of a data feed that were read earlier.
    pub(super) feed_cursor: Option<&'a dyn Cursor>,
    /// The slice they belong to.
    pub(super) slice: &'a StreamSlice,
    /// How many have been given out.
    pub(super) n_given: usize,
}

impl Output<'_> {
    /// Gives records out.
    pub(super) async fn give(&mut self, mut records: Vec<Json>) -> Result<(), Interruption> {
        if let Some(cursor) = self.feed_cursor {
            let mut failure = None;
            records.retain(|record| {
                cursor.should_be_synced(self.slice, record).unwrap_or_else(|err| {
                    failure.get_or_insert(err);
                    false
                })
            });
            if let Some(err) = failure {
                return Err(err.into());
            }
        }
        if records.is_empty() {
            return Ok(());
        }
        self.n_given += records.len();
        match self.sink.records(records).await? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Interruption::Stopped),
        }
    }

    /// Gives lines out.
    pub(super) async fn give_lines(&mut self, lines: Lines) -> Result<(), Interruption> {
        let Some(sink) = self.sink.as_lines().filter(|_| lines.n_records > 0) else {
            return Ok(());
        };
        self.n_given += lines.n_records;
        match sink.lines(lines).await? {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Interruption::Stopped),
        }
    }
}

/// A page that was read.
#[derive(Debug, Default)]
pub(super) struct ReadPage {
    /// The status; an error counts as no page.
    pub(super) status: u16,
    /// The headers.
    pub(super) headers: Headers,
    /// The first element of the body.
    pub(super) body: Json,
    /// The records that were not given out yet: all of them, or at least the last.
    pub(super) records: Vec<Json>,
    /// The same, when they went the fast road.
    pub(super) lines: Lines,
    /// The last record, when it is not among `records`.
    pub(super) last_record: Option<Json>,
    /// How many were given out already.
    pub(super) n_given: usize,
    /// How many there were before the filter.
    pub(super) n_extracted: usize,
    /// The page, if its token is the one of the page before.
    pub(super) repeat: Option<Repeat>,
    /// What ended the page before its end.
    pub(super) failure: Option<ReadError>,
}

impl ReadPage {
    /// Gives out what was found but the last record: paginators look at it.
    async fn give_all_but_last(
        &mut self,
        found: &mut PageRecords,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        let Some(last) = found.records.pop() else { return Ok(()) };
        let records = std::mem::replace(&mut found.records, vec![last]);
        self.n_given += records.len();
        output.give(records).await
    }
}

/// A body in pieces that are not too large.
struct Pieces {
    body: Body,
    /// What was received, but not taken yet.
    rest: Bytes,
    max_len: usize,
}

impl Pieces {
    fn new(body: Body, max_len: usize) -> Self {
        Self { body, rest: Bytes::new(), max_len }
    }

    async fn next(&mut self) -> Option<Result<Bytes, ReadError>> {
        while self.rest.is_empty() {
            match self.body.next().await? {
                Ok(bytes) => self.rest = bytes,
                Err(err) => return Some(Err(err.into())),
            }
        }
        Some(Ok(self.rest.split_to(self.max_len.min(self.rest.len()))))
    }
}

/// What makes records of bytes.
#[derive(Clone, Copy)]
pub(super) struct PageParser<'a> {
    /// Makes elements of bytes.
    pub(super) decoder: &'a dyn Decoder,
    /// Makes records of elements.
    pub(super) selector: &'a dyn RecordSelector,
    /// Whether elements are looked at afterwards.
    pub(super) extraction: Extraction,
    /// The way of records that nothing is done to.
    pub(super) fast_road: Option<&'a FastRoad>,
    /// How much may be held.
    pub(super) limits: Limits,
    /// The slice the page belongs to.
    pub(super) slice: &'a StreamSlice,
    /// The token of the page.
    pub(super) token: Option<&'a Json>,
}

impl PageParser<'_> {
    /// Reads a body. What was found before a failure is part of the page.
    pub(super) async fn parse(
        &self,
        body: Body,
        page: &mut ReadPage,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        match &body {
            Body::Whole(bytes) if self.decoder.reads_json() => {
                if let (Some(road), Some(sink)) = (self.fast_road, output.sink.as_lines())
                    && road.read(bytes, sink, page)
                {
                    return Ok(());
                }
            }
            Body::Stream(_) if self.decoder.reads_json() => {
                return self.parse_items(body, page, output).await;
            }
            Body::Whole(_) | Body::Stream(_) => {}
        }
        let mut decode = self.begin(page);
        let is_received = matches!(body, Body::Stream(_));
        if let Some(road) = self.fast_road.filter(|road| is_received && road.takes_elements())
            && let Some(sink) = output.sink.as_lines()
            && let Some(decode) = decode.as_texts()
        {
            let lines = road.begin(sink);
            return Self::parse_texts(decode, lines, body, page, output).await;
        }
        let is_streamed = self.decoder.is_streamed() && is_received;
        let mut elements = Vec::new();
        let mut found = PageRecords::default();
        let max_len = if is_streamed { COMPRESSED_LEN } else { usize::MAX };
        let mut pieces = Pieces::new(body, max_len);
        while page.failure.is_none()
            && let Some(bytes) = pieces.next().await
        {
            let fed = bytes.and_then(|bytes| decode.feed(&bytes, &mut elements));
            if is_streamed {
                let selected = self.select(&mut elements, Extraction::Take, &mut found).await;
                elements.clear();
                page.failure = selected.err();
                page.give_all_but_last(&mut found, output).await?;
            }
            if let Err(err) = fed {
                page.failure.get_or_insert(err);
            }
        }
        if page.failure.is_none() {
            page.failure = decode.finish(&mut elements).err();
        }
        let kept = match self.extraction {
            // Of several elements paginators see the first one only.
            Extraction::Copy if elements.len() > 1 => Some(elements[0].clone()),
            _ => None,
        };
        let mode = if kept.is_some() { Extraction::Take } else { self.extraction };
        if let Err(err) = self.select(&mut elements, mode, &mut found).await {
            page.failure.get_or_insert(err);
        }
        page.n_extracted = found.n_extracted;
        page.records = found.records;
        let first = kept.or_else(|| elements.into_iter().next()).filter(|_| !is_streamed);
        page.body = first.unwrap_or_else(|| Map::new().into());
        Ok(())
    }

    /// Begins to decode the body of a page.
    fn begin(&self, page: &ReadPage) -> Box<dyn Decode> {
        let mut decode = self.decoder.begin(&page.headers);
        decode.keep_within(&self.limits);
        decode
    }

    /// Reads a JSON body that is too large to be held, item by item.
    ///
    /// When it breaks off, what came before it has been given out, so that it is an error.
    async fn parse_items(
        &self,
        body: Body,
        page: &mut ReadPage,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        let path = self.selector.extractor().path().unwrap_or_default();
        let mut stream = ItemStream::under_keys(path);
        let mut fast = match (self.fast_road, output.sink.as_lines()) {
            (Some(road), Some(sink)) => Some(road.begin(sink)),
            _ => None,
        };
        let mut items = Vec::new();
        let mut found = PageRecords::default();
        let mut pieces = Pieces::new(body, PIECE_LEN);
        while page.failure.is_none()
            && let Some(bytes) = pieces.next().await
        {
            let fed = bytes.and_then(|bytes| {
                let fed = match &mut fast {
                    Some(fast) => stream.feed(&bytes, fast),
                    None => stream.feed(&bytes, &mut items),
                };
                fed.map_err(|err| broken_off(&err))?;
                Ok(self.limits.check_record(stream.n_held())?)
            });
            if let Some(fast) = &mut fast {
                page.failure = fast.failure.take();
                fast.give(fed.is_err(), page, output).await?;
            } else {
                page.failure = self.select_items(&mut items, path, &mut found).await.err();
                page.give_all_but_last(&mut found, output).await?;
            }
            if let Err(err) = fed {
                page.failure.get_or_insert(err);
            }
        }
        if page.failure.is_none() {
            let ended = match &mut fast {
                Some(fast) => stream.finish(fast),
                None => stream.finish(&mut items),
            };
            match ended {
                Ok(envelope) => page.body = envelope.unwrap_or_else(|| Map::new().into()),
                Err(err) => page.failure = Some(broken_off(&err)),
            }
        }
        if let Some(fast) = fast {
            page.last_record = fast.last_record();
            page.n_extracted = page.n_given + fast.lines.n_records;
            page.lines = fast.lines;
        } else if let Err(err) = self.select_items(&mut items, path, &mut found).await {
            page.failure.get_or_insert(err);
        }
        // What stands at the path may be one record instead of a list of them.
        let at_path = path.iter().try_fold(&page.body, |value, key| value.get(key));
        if page.failure.is_none() && !at_path.is_none_or(Json::is_array) {
            let mut elements = [page.body.take()];
            page.failure = self.select(&mut elements, self.extraction, &mut found).await.err();
            [page.body] = elements;
        }
        page.n_extracted += found.n_extracted;
        page.records = found.records;
        Ok(())
    }

    /// Reads a body whose decoder gives the text of each record.
    async fn parse_texts(
        decode: &mut dyn DecodeTexts,
        mut lines: LineItems<'_>,
        body: Body,
        page: &mut ReadPage,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        let mut pieces = Pieces::new(body, COMPRESSED_LEN);
        while page.failure.is_none()
            && let Some(bytes) = pieces.next().await
        {
            let fed = bytes.and_then(|bytes| decode.feed(&bytes, &mut lines));
            page.failure = fed.err().or_else(|| lines.failure.take());
            lines.give(page.failure.is_some(), page, output).await?;
        }
        if page.failure.is_none() {
            page.failure = decode.finish(&mut lines).err().or_else(|| lines.failure.take());
        }
        page.body = Map::new().into();
        page.last_record = lines.last_record();
        page.n_extracted = page.n_given + lines.lines.n_records;
        page.lines = lines.lines;
        Ok(())
    }

    /// Finds the records among items of the list at `path`.
    async fn select_items(
        &self,
        items: &mut Vec<Json>,
        path: &[String],
        page: &mut PageRecords,
    ) -> Result<(), ReadError> {
        if path.is_empty() {
            let selected = self.select(items, Extraction::Take, page).await;
            items.clear();
            return selected;
        }
        page.n_extracted += items.len();
        self.selector.refine(std::mem::take(items), self.slice, self.token, page)
    }

    async fn select(
        &self,
        elements: &mut [Json],
        mode: Extraction,
        page: &mut PageRecords,
    ) -> Result<(), ReadError> {
        if elements.is_empty() {
            return Ok(());
        }
        self.selector.select(elements, mode, self.slice, self.token, page).await
    }
}

/// A body that ended, or stopped making sense, after records of it were given out.
fn broken_off(err: &ParseError) -> ReadError {
    error!("Failed to parse JSON data using json library. {err}");
    let message = "Response JSON data failed to be parsed. See logs for more information.";
    let internal = format!("A response of more than {STREAMED_FROM} bytes is no JSON: {err}");
    ReadError::traced(TracedError::system(message).with_internal(internal))
}

/// Whether records may be moved out of a body that is looked at afterwards, as `needs` says,
/// when they lie under `path`.
pub(super) fn extraction(needs: &ResponseNeeds, path: Option<&[String]>) -> Extraction {
    let touches = |needed: &Vec<String>| match path {
        Some(path) => needed.iter().zip(path).all(|(needed, key)| needed == key),
        None => true,
    };
    match needs {
        ResponseNeeds::Nothing => Extraction::Take,
        ResponseNeeds::Paths(paths) if !paths.iter().any(touches) => Extraction::Take,
        ResponseNeeds::Paths(_) | ResponseNeeds::Everything => Extraction::Copy,
    }
}

/// Merges `part` into `whole`, mapping by mapping; what is in both is the part's.
pub(super) fn merge_deep(whole: &mut Map, part: Map) {
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Json::Object(whole)), Json::Object(part)) => merge_deep(whole, part),
            (_, value) => _ = whole.insert(key, value),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_moved_unless_the_rest_is_looked_at() {
        #[track_caller]
        fn check(needed: &[&str], path: Option<&[&str]>, expect: Extraction) {
            let owned = |keys: &[&str]| keys.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
            let needs = ResponseNeeds::Paths(vec![owned(needed)]);
            assert_eq!(extraction(&needs, path.map(owned).as_deref()), expect);
        }
        check(&["meta", "next"], Some(&["data"]), Extraction::Take);
        check(&["data", "next"], Some(&["data", "items"]), Extraction::Take);
        check(&["data"], Some(&["data", "items"]), Extraction::Copy);
        check(&["data", "items", "0"], Some(&["data", "items"]), Extraction::Copy);
        check(&["meta"], Some(&[]), Extraction::Copy);
        check(&["meta"], None, Extraction::Copy);
        assert_eq!(extraction(&ResponseNeeds::Nothing, None), Extraction::Take);
        assert_eq!(extraction(&ResponseNeeds::Everything, Some(&[])), Extraction::Copy);
    }

    #[test]
    fn parts_are_merged_mapping_by_mapping() {
        let mut whole = json!({"a": {"b": 1, "c": [1]}, "d": 1});
        let part = json!({"a": {"c": [2], "e": 3}, "d": {"f": 4}});
        merge_deep(whole.as_object_mut().unwrap(), part.as_object().unwrap().clone());
        assert_eq!(whole, json!({"a": {"b": 1, "c": [2], "e": 3}, "d": {"f": 4}}));
    }
}
