//! `JsonlDecoder`: one JSON value on each line.

use std::sync::Arc;

use tracing::warn;

use super::lines::{LineEnd, Lines, utf8};
use crate::components::shape::shape;
use crate::components::transport::as_sent;
use crate::components::{
    BuildContext, BuildError, Component, Decode, DecodeTexts, Decoder, ElementTexts, ReadError,
};
use crate::http::{Headers, Limits};
use crate::value::{Json, ParseError, parse_text};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads a body with one JSON value on each line. A line that is none is left out, with a
        /// warning.
        pub struct JsonlDecoder {}
    }
}

impl Component for yaml::JsonlDecoder {
    type Family = dyn Decoder;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(JsonlDecoder { is_streamed: !cx.environment.is_test_read() }))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct JsonlDecoder {
    is_streamed: bool,
}

impl Decoder for JsonlDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, Box::new(JsonLines(Lines::new(LineEnd::Feed))))
    }

    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct JsonLines(Lines);

impl Decode for JsonLines {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.0.feed(bytes, |line| decode_line(line, elements))
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.0.finish(|line| decode_line(line, elements))
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.0.keep_within(limits);
    }

    fn as_texts(&mut self) -> Option<&mut dyn DecodeTexts> {
        Some(self)
    }
}

impl DecodeTexts for JsonLines {
    fn feed(&mut self, bytes: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        self.0.feed(bytes, |line| pass_line(line, texts))
    }

    fn finish(&mut self, texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        self.0.finish(|line| pass_line(line, texts))
    }
}

fn pass_line(line: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
    if let Err(err) = texts.element(line) {
        // What is no text at all is an error.
        utf8(line)?;
        warn_of(line, &err);
    }
    Ok(())
}

fn decode_line(line: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
    let text = utf8(line)?;
    match parse_text(text) {
        Ok(element) => elements.push(element),
        Err(err) => warn_of(line, &err),
    }
    Ok(())
}

fn warn_of(line: &[u8], err: &ParseError) {
    let line = line.escape_ascii();
    warn!("Cannot decode/parse line b'{line}' as JSON, error: {err}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_error};
    use super::*;

    const DECODER: JsonlDecoder = JsonlDecoder { is_streamed: true };

    #[test]
    fn each_line_is_an_element() {
        check(
            &DECODER,
            "{\"a\": \"é\"}\n[1]\r\n null\n2".as_bytes(),
            json!([{"a": "é"}, [1], null, 2]),
        );
        check(&DECODER, b"", json!([]));
    }

    #[test]
    fn lines_that_are_no_json_are_left_out() {
        check(&DECODER, b"{}\n\n{\n1 2\nNaN\n", json!([{}, null]));
    }

    #[test]
    fn lines_that_are_no_text_are_an_error() {
        let message = "'utf-8' codec can't decode the bytes at position 1";
        check_error(DECODER.begin(&Headers::default()), b"{}\n\"\xff\"\n", message);
    }
}
