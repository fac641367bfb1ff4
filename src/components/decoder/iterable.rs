//! `IterableDecoder`: each line of text is an element, as `{"record": line}`.

use std::sync::Arc;

use super::lines::{LineEnd, Lines, utf8};
use crate::components::shape::shape;
use crate::components::transport::as_sent;
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, ReadError};
use crate::http::{Headers, Limits};
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads lines of text; each becomes a record with the one field `record`.
        pub struct IterableDecoder {}
    }
}

impl Component for yaml::IterableDecoder {
    type Family = dyn Decoder;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(IterableDecoder))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct IterableDecoder;

impl Decoder for IterableDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, Box::new(TextLines(Lines::new(LineEnd::Any))))
    }

    fn is_streamed(&self) -> bool {
        true
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct TextLines(Lines);

impl Decode for TextLines {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.0.feed(bytes, |line| decode_line(line, elements))
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.0.finish(|line| decode_line(line, elements))
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.0.keep_within(limits);
    }
}

fn decode_line(line: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
    let line = utf8(line)?;
    elements.push(Json::Object(Map::from_iter([("record".to_owned(), Json::from(line))])));
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_error, check_with};
    use super::*;

    #[test]
    fn lines_are_wrapped() {
        let expect = json!([{"record": "a"}, {"record": ""}, {"record": "{é}"}]);
        check(&IterableDecoder, "a\r\n\n{é}\n".as_bytes(), expect.clone());
        check_with(
            &IterableDecoder,
            &[("Content-Encoding", "gzip")],
            "a\n\n{é}".as_bytes(),
            expect,
        );
        check(&IterableDecoder, b"", json!([]));
    }

    #[test]
    fn lines_that_are_no_text_are_an_error() {
        let message = "'utf-8' codec can't decode the bytes at position 0";
        check_error(IterableDecoder.begin(&Headers::default()), b"a\n\xff", message);
    }
}
