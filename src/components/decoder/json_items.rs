//! `JsonItemsDecoder`: the items of one list in a JSON value of any size.

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::transport::as_sent;
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, ReadError};
use crate::http::Headers;
use crate::value::body::{CharsetError, ItemStream, TextDecoder};
use crate::value::{Json, ParseError};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads the items of a list one by one out of a JSON body, however large it is.
        pub struct JsonItemsDecoder {
            /// The keys that lead to the list, with dots between them (`data.users`); `item` stands
            /// for any item of a list on the way.
            items_path: String,
            /// The character set of the body.
            encoding: String = "utf-8".to_owned(),
        }
    }
}

impl Component for yaml::JsonItemsDecoder {
    type Family = dyn Decoder;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(JsonItemsDecoder {
            items_path: self.items_path,
            encoding: self.encoding,
            is_streamed: !cx.environment.is_test_read(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct JsonItemsDecoder {
    items_path: String,
    encoding: String,
    is_streamed: bool,
}

impl Decoder for JsonItemsDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, self.begin_unpacked())
    }

    fn begin_unpacked(&self) -> Box<dyn Decode> {
        Box::new(JsonItems {
            text: TextDecoder::new(&self.encoding),
            items: ItemStream::at_dotted_path(&self.items_path),
            has_path: !self.items_path.is_empty(),
        })
    }

    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn supports_pagination(&self) -> bool {
        false
    }
}

struct JsonItems {
    text: Result<TextDecoder, CharsetError>,
    items: ItemStream,
    has_path: bool,
}

impl Decode for JsonItems {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        if !self.has_path {
            return Err(ReadError::value("JsonItemsParser requires a non-empty items_path."));
        }
        let text = self.text.as_mut().map_err(|err| err.clone())?.feed(bytes)?;
        self.items.feed(text.as_bytes(), elements).map_err(broken)
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let rest = self.text.as_mut().map_err(|err| err.clone())?.finish()?;
        self.items.feed(rest.as_bytes(), elements).map_err(broken)?;
        self.items.finish(elements).map_err(broken)?;
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn broken(err: ParseError) -> ReadError {
    ReadError::unexpected("IncompleteJSONError", err.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_error};
    use super::*;

    fn decoder(items_path: &str, encoding: &str) -> JsonItemsDecoder {
        JsonItemsDecoder {
            items_path: items_path.to_owned(),
            encoding: encoding.to_owned(),
            is_streamed: true,
        }
    }

    #[test]
    fn items_are_elements() {
        let body = r#"{"n": 2, "data": {"users": [{"id": 1, "name": "é"}, 2]}}"#;
        check(&decoder("data.users", "utf-8"), body.as_bytes(), json!([{"id": 1, "name": "é"}, 2]));
        check(&decoder("data.none", "utf-8"), body.as_bytes(), json!([]));
        check(&decoder("item", "utf-8"), b"[[1], [2]]", json!([1, 2]));
    }

    #[test]
    fn other_character_sets_are_read() {
        check(&decoder("a", "iso-8859-1"), b"{\"a\": [\"\xe9\"]}", json!(["é"]));
    }

    #[test]
    fn broken_bodies_are_errors() {
        let begin = |path, encoding| decoder(path, encoding).begin(&Headers::default());
        check_error(begin("a", "utf-8"), b"", "The text ends too early: byte 0");
        check_error(begin("a", "utf-8"), b"{\"a\": [1,]}", "Expecting value: byte 10");
        check_error(begin("a", "nonsense"), b"{}", "unknown encoding: nonsense");
        check_error(begin("", "utf-8"), b"{}", "JsonItemsParser requires a non-empty items_path.");
    }
}
