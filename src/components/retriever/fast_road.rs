//! The fast road: records that nothing is done to go from a body's text to lines of output.
//!
//! It is taken when the retriever is built from components that leave records as they are, and
//! when whoever takes the records takes them as lines. A body that is not as plain as expected
//! leaves the road alone; nothing of it has been given out by then.

use crate::components::{
    ElementTexts, Extraction, LineFrame, LineSink, Paginator, ReadError, RecordSelector,
    ResponseNeeds,
};
use crate::value::body::Items;
use crate::value::{
    Json, Lines, Map, ParseError, Transcription, is_empty_object, is_truthy, parse, python_str,
    write_object, write_record_data,
};

use super::page::{Interruption, Output, PIECE_LEN, ReadPage};

/// How the records of a stream go the fast road.
#[derive(Debug)]
pub(super) struct FastRoad {
    /// The keys that lead to the records.
    path: Vec<String>,
    needs_envelope: bool,
    needs_last_record: bool,
}

impl FastRoad {
    /// The fast road of a JSON body's records, if they can go it.
    pub(super) fn new(
        selector: &dyn RecordSelector,
        paginator: &dyn Paginator,
        extraction: Extraction,
    ) -> Option<Self> {
        let path = selector.extractor().path()?;
        if !selector.is_plain() || extraction == Extraction::Copy {
            return None;
        }
        Some(Self {
            path: path.to_vec(),
            needs_envelope: paginator.response_needs() != ResponseNeeds::Nothing,
            needs_last_record: paginator.needs_last_record(),
        })
    }

    /// Reads a whole body; `false` leaves it to the decoder.
    pub(super) fn read(&self, body: &[u8], sink: &dyn LineSink, page: &mut ReadPage) -> bool {
        let frame = sink.frame();
        let mut lines = Lines { text: sink.buffer(), ..Lines::default() };
        // Lines are about as long as records, and a little longer when those are short.
        lines.text.reserve_exact(body.len() + body.len() / 8);
        let Ok(found) = self.transcription(&frame).body(body, &mut lines) else { return false };
        page.body = if self.needs_envelope {
            parse(&found.envelope).unwrap_or_default()
        } else {
            Map::new().into()
        };
        let last = found.last.filter(|_| self.needs_last_record);
        page.last_record = last.and_then(|range| parse(&body[range]).ok());
        page.n_extracted = lines.n_records;
        page.lines = lines;
        true
    }

    /// Whether elements are records by themselves.
    pub(super) fn takes_elements(&self) -> bool {
        self.path.is_empty()
    }

    /// Takes the items of a body that is still received.
    pub(super) fn begin(&self, sink: &dyn LineSink) -> LineItems<'_> {
        LineItems {
            road: self,
            frame: sink.frame(),
            lines: Lines { text: sink.buffer(), ..Lines::default() },
            last: Vec::new(),
            failure: None,
        }
    }

    fn transcription<'a>(&'a self, frame: &'a LineFrame) -> Transcription<'a> {
        Transcription {
            path: &self.path,
            open: &frame.open,
            close: &frame.close,
            field: frame.field.as_deref(),
        }
    }
}

/// Makes a line of each item.
pub(super) struct LineItems<'a> {
    road: &'a FastRoad,
    frame: LineFrame,
    /// The lines so far.
    pub(super) lines: Lines,
    last: Vec<u8>,
    /// Why items are no longer taken.
    pub(super) failure: Option<ReadError>,
}

impl LineItems<'_> {
    /// The last record, when it is looked at.
    pub(super) fn last_record(&self) -> Option<Json> {
        parse(&self.last).ok()
    }

    /// Gives the lines so far out, when they are many or no more will follow.
    pub(super) async fn give(
        &mut self,
        is_end: bool,
        page: &mut ReadPage,
        output: &mut Output<'_>,
    ) -> Result<(), Interruption> {
        if self.lines.text.len() < PIECE_LEN && !is_end {
            return Ok(());
        }
        let buffer = output.sink.as_lines().map(|sink| sink.buffer());
        let next = Lines { text: buffer.unwrap_or_default(), ..Lines::default() };
        let lines = std::mem::replace(&mut self.lines, next);
        page.n_given += lines.n_records;
        output.give_lines(lines).await
    }

    fn line(&mut self, data: impl FnOnce(&mut Vec<u8>)) {
        let (frame, lines) = (&self.frame, &mut self.lines);
        let start = lines.text.len();
        lines.text.extend_from_slice(&frame.open);
        data(&mut lines.text);
        lines.end(start, frame.open.len(), &frame.close);
    }

    /// A record that had to be read as a value.
    fn value(&mut self, value: Json) {
        match value {
            Json::Object(mut record) => {
                self.line(|text| write_record_data(&record, text));
                if self.road.needs_last_record {
                    self.last.clear();
                    write_object(&record, &mut self.last);
                }
                if let Some(field) = &self.frame.field {
                    record.retain(|key, _| key == field);
                    self.lines.fields.push(Json::Object(record));
                }
            }
            value => {
                let message = format!("A record is not an object: {}", python_str(&value));
                self.failure.get_or_insert(ReadError::value(message));
            }
        }
    }
}

impl ElementTexts for LineItems<'_> {
    fn element(&mut self, text: &[u8]) -> Result<(), ParseError> {
        self.item(text)
    }

    fn object(&mut self, text: &[u8]) {
        self.line(|line| line.extend_from_slice(text));
        if self.road.needs_last_record {
            self.last.clear();
            self.last.extend_from_slice(text);
        }
        if let Some(field) = &self.frame.field {
            let mut record = parse(text).unwrap_or_default();
            if let Some(record) = record.as_object_mut() {
                record.retain(|key, _| key == field);
            }
            self.lines.fields.push(record);
        }
    }
}

impl Items for LineItems<'_> {
    fn item(&mut self, text: &[u8]) -> Result<(), ParseError> {
        if self.failure.is_some() {
            return Ok(());
        }
        // A list that is the whole body is a list of pages: each is one record, unless it is
        // empty, or a list of them.
        let is_page = self.road.path.is_empty();
        if !(is_page && is_empty_object(text))
            && self.road.transcription(&self.frame).record(text, &mut self.lines).is_ok()
        {
            if self.road.needs_last_record {
                self.last.clear();
                self.last.extend_from_slice(text);
            }
            return Ok(());
        }
        match parse(text)? {
            Json::Array(records) if is_page => {
                for record in records {
                    self.value(record);
                }
            }
            page if is_page && !is_truthy(&page) => {}
            record => self.value(record),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use bytes::Bytes;
    use futures::future::BoxFuture;
    use futures::{FutureExt, stream};
    use serde_json::json;

    use super::super::page::PageParser;
    use super::*;
    use crate::components::testing::World;
    use crate::components::{Decoder, RecordSink};
    use crate::http::{Body, BodyStream, Limits};
    use crate::value::StreamSlice;

    /// Takes records as values, or as lines too.
    struct Taker {
        takes_lines: bool,
        n_records: usize,
        /// Those that have any fields.
        records: Vec<Json>,
        fields: Vec<Json>,
    }

    impl RecordSink for Taker {
        fn records(
            &mut self,
            records: Vec<Json>,
        ) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
            self.n_records += records.len();
            for mut record in records {
                let fields = record.as_object_mut().unwrap();
                fields.retain(|_, value| !value.is_null());
                if !fields.is_empty() {
                    self.records.push(record);
                }
            }
            async { Ok(ControlFlow::Continue(())) }.boxed()
        }

        fn as_lines(&mut self) -> Option<&mut dyn LineSink> {
            self.takes_lines.then_some(self)
        }
    }

    impl LineSink for Taker {
        fn frame(&self) -> LineFrame {
            LineFrame { open: Vec::new(), close: b"\n".to_vec(), field: Some("id".to_owned()) }
        }

        fn buffer(&self) -> Vec<u8> {
            Vec::new()
        }

        fn lines(&mut self, lines: Lines) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
            self.n_records += lines.n_records;
            let records = lines.text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
            self.records.extend(records.map(|line| parse(line).unwrap()));
            self.fields.extend(lines.fields);
            async { Ok(ControlFlow::Continue(())) }.boxed()
        }
    }

    /// Records, their number, the last one, the body without them, and the failure.
    type Read = (Vec<Json>, usize, Option<Json>, Json, Option<String>);

    async fn read(path: &[&str], body: Body, is_fast: bool) -> Read {
        read_by(&json!({"type": "JsonDecoder"}), path, body, is_fast).await
    }

    async fn read_by(decoder: &Json, path: &[&str], body: Body, is_fast: bool) -> Read {
        let world = World::new(&json!({}));
        let selector = json!({"type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": path}});
        let selector = world.build::<dyn RecordSelector>(&selector).unwrap();
        let decoder = world.build::<dyn Decoder>(decoder).unwrap();
        let road = FastRoad {
            path: path.iter().map(|&key| key.to_owned()).collect(),
            needs_envelope: true,
            needs_last_record: true,
        };
        let parser = PageParser {
            decoder: &*decoder,
            selector: &*selector,
            extraction: Extraction::Take,
            fast_road: is_fast.then_some(&road),
            limits: Limits::default(),
            slice: &StreamSlice::default(),
            token: None,
        };
        let mut taker =
            Taker { takes_lines: is_fast, n_records: 0, records: Vec::new(), fields: Vec::new() };
        let slice = StreamSlice::default();
        let mut output = Output { sink: &mut taker, feed_cursor: None, slice: &slice, n_given: 0 };
        let mut page = ReadPage::default();
        parser.parse(body, &mut page, &mut output).await.unwrap();
        let last = page.records.last().or(page.last_record.as_ref()).cloned();
        output.give(std::mem::take(&mut page.records)).await.unwrap();
        output.give_lines(std::mem::take(&mut page.lines)).await.unwrap();
        assert_eq!(output.n_given, taker.n_records);
        if is_fast && !taker.fields.is_empty() {
            let ids = taker.records.iter().filter_map(|record| record.get("id"));
            let fields = taker.fields.iter().filter_map(|record| record.get("id"));
            assert!(fields.filter(|id| !id.is_null()).eq(ids));
        }
        let failure = page.failure.map(|err| err.to_string());
        (taker.records, page.n_extracted, last, page.body, failure)
    }

    fn pieces(body: &'static str) -> Body {
        let chunks: Vec<_> =
            body.as_bytes().chunks(7).map(|it| Ok(Bytes::from_static(it))).collect();
        Body::Stream(BodyStream::new(stream::iter(chunks)))
    }

    /// All ways lead to the same.
    #[track_caller]
    fn check(path: &[&str], body: &'static str, expect: &Json) {
        let whole = || Body::Whole(Bytes::from_static(body.as_bytes()));
        let read = |body, is_fast| read(path, body, is_fast).now_or_never().unwrap();
        let (records, n_extracted, last, ..) = read(whole(), false);
        assert_eq!(&Json::Array(records), expect);
        for (body, is_fast) in [(whole(), true), (pieces(body), false), (pieces(body), true)] {
            let found = read(body, is_fast);
            assert_eq!(
                (Json::Array(found.0), found.1, found.4),
                (expect.clone(), n_extracted, None)
            );
            assert_eq!(found.2, last);
        }
    }

    #[test]
    fn all_ways_lead_to_the_same_records() {
        check(
            &["data", "items"],
            r#"{"n": 1, "data": {"items": [{"id": 1, "a": null}, {"id": 2, "b": [1.50]}], "m": 2}}"#,
            &json!([{"id": 1}, {"id": 2, "b": [1.5]}]),
        );
        check(&["d"], r#"{"d": [{}, {"id": null}], "n": 1}"#, &json!([]));
        check(
            &["d"],
            r#"{"d": [{"id": 1, "id": 2}, {"i\u0064": 3}]}"#,
            &json!([{"id": 2}, {"id": 3}]),
        );
        check(&["d"], r#"{"d": {"id": 1}}"#, &json!([{"id": 1}]));
        check(&["d"], r#"{"d": []}"#, &json!([]));
        check(&["d"], r#"{"e": [{"id": 1}]}"#, &json!([]));
        check(&[], r#"[{"id": 1}, {"id": 2}, {}]"#, &json!([{"id": 1}, {"id": 2}]));
        check(&[], r#"[{"id": 1}, [{"id": 2}, {}]]"#, &json!([{"id": 1}, {"id": 2}]));
        check(&[], r#"{"id": 1}"#, &json!([{"id": 1}]));
    }

    #[test]
    fn the_envelope_is_what_paginators_see() {
        let body = r#"{"n": 1, "data": {"items": [{"id": 1}], "next": "x"}}"#;
        let envelope = json!({"n": 1, "data": {"items": [], "next": "x"}});
        let whole = read(&["data", "items"], Body::Whole(body.into()), true);
        assert_eq!(whole.now_or_never().unwrap().3, envelope);
        for is_fast in [false, true] {
            let found = read(&["data", "items"], pieces(body), is_fast).now_or_never().unwrap();
            assert_eq!(found.3, envelope);
        }
    }

    #[test]
    fn a_large_body_that_breaks_off_is_an_error_behind_its_records() {
        for body in [r#"{"d": [{"id": 1}, {"id": 2"#, r#"{"d": [{"id": 1}, x]}"#] {
            for is_fast in [false, true] {
                let found = read(&["d"], pieces(body), is_fast).now_or_never().unwrap();
                assert_eq!(found.0, [json!({"id": 1})]);
                let failure = found.4.unwrap();
                assert!(
                    failure.starts_with("Response JSON data failed to be parsed."),
                    "{failure}"
                );
            }
        }
        for is_fast in [false, true] {
            let body = pieces(r#"{"d": [{"id": 1}, 2, {"id": 3}]}"#);
            let found = read(&["d"], body, is_fast).now_or_never().unwrap();
            assert_eq!(found.4.as_deref(), Some("A record is not an object: 2"));
        }
    }

    #[track_caller]
    fn check_decoder(decoder: &Json, body: &'static str, expect: &Json) {
        let slow = read_by(decoder, &[], pieces(body), false).now_or_never().unwrap();
        let fast = read_by(decoder, &[], pieces(body), true).now_or_never().unwrap();
        assert_eq!(&Json::Array(slow.0), expect);
        assert_eq!(&Json::Array(fast.0), expect);
        // After a failure nobody asks for a count.
        let counts = slow.4.is_none().then_some((fast.1, slow.1));
        assert!(counts.is_none_or(|(fast, slow)| fast == slow));
        assert_eq!(fast.4, slow.4);
    }

    #[test]
    fn lines_of_json_are_records() {
        let decoder = json!({"type": "JsonlDecoder"});
        check_decoder(
            &decoder,
            "{\"id\": 1, \"a\": null}\n\nno json\n{}\n[{\"id\": 2}, {\"id\": 3}]\r\n {\"id\": 4.50}",
            &json!([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4.5}]),
        );
        check_decoder(&decoder, "{\"id\": 1}\n5\n{\"id\": 2}", &json!([{"id": 1}]));
    }

    #[test]
    fn rows_are_records() {
        let decoder = json!({"type": "CsvDecoder", "set_values_to_none": ["-"]});
        check_decoder(
            &decoder,
            "id,\"a\"\"b\"\n1,\"x\ny\"\n\n2\n-,-\n3,-,5\n",
            &json!([{"id": "1", "a\"b": "x\ny"}, {"id": "2"}, {"id": "3", "null": ["5"]}]),
        );
        let decoder = json!({"type": "CsvDecoder"});
        check_decoder(&decoder, "id,b,id\n1,2,3", &json!([{"id": "3", "b": "2"}]));
        check_decoder(&decoder, "", &json!([]));
    }
}
