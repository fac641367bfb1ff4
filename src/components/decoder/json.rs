//! `JsonDecoder`: one JSON value, whose items are the elements when it is a list.
//!
//! Nothing that a body holds makes it fail: what is broken, empty, or null is
//! an empty object, and only the log tells. Out of an archive it is stricter.

use std::sync::Arc;

use tracing::error;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, ReadError};
use crate::http::Headers;
use crate::protocol::TracedError;
use crate::value::{Json, Map, parse};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads a body that is one JSON value; the items of a list are read one by one.
        pub struct JsonDecoder {}
    }
}

impl Component for yaml::JsonDecoder {
    type Family = dyn Decoder;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(JsonDecoder))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct JsonDecoder;

impl Decoder for JsonDecoder {
    fn begin(&self, _: &Headers) -> Box<dyn Decode> {
        Box::new(JsonBody { bytes: Vec::new(), is_strict: false })
    }

    fn begin_unpacked(&self) -> Box<dyn Decode> {
        Box::new(JsonBody { bytes: Vec::new(), is_strict: true })
    }

    fn reads_json(&self) -> bool {
        true
    }

    fn supports_pagination(&self) -> bool {
        true
    }
}

struct JsonBody {
    bytes: Vec<u8>,
    /// Whether a body that is no value, or null, is an error.
    is_strict: bool,
}

impl Decode for JsonBody {
    fn feed(&mut self, bytes: &[u8], _: &mut Vec<Json>) -> Result<(), ReadError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let value = parse(&std::mem::take(&mut self.bytes)).unwrap_or_else(|err| {
            error!("Failed to parse JSON data using json library. {err}");
            Json::Null
        });
        match value {
            Json::Null if self.is_strict => {
                let message =
                    "Response JSON data failed to be parsed. See logs for more information.";
                let internal_message = "Response JSON data failed to be parsed.";
                let error = TracedError::system(message).with_internal(internal_message);
                return Err(ReadError::traced(error));
            }
            Json::Array(items) if !items.is_empty() || self.is_strict => elements.extend(items),
            Json::Null | Json::Array(_) => elements.push(Json::Object(Map::new())),
            value => elements.push(value),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_error, check_unpacked};
    use super::*;

    #[test]
    fn the_items_of_a_list_are_elements() {
        check(&JsonDecoder, br#"[1, {"a": 2}, [3]]"#, json!([1, {"a": 2}, [3]]));
        check(&JsonDecoder, br#"{"a": [1]}"#, json!([{"a": [1]}]));
    }

    #[test]
    fn scalars_are_elements() {
        for (body, element) in [("0", json!(0)), ("false", json!(false)), ("\"\"", json!(""))] {
            check(&JsonDecoder, body.as_bytes(), json!([element]));
        }
    }

    #[test]
    fn what_holds_nothing_is_an_empty_object() {
        for body in ["", " ", "null", "[]", "{", "<html>", "\u{feff}{}", "{} x"] {
            check(&JsonDecoder, body.as_bytes(), json!([{}]));
        }
        check(&JsonDecoder, b"\"\xff\"", json!([{}]));
    }

    #[test]
    fn out_of_an_archive_it_has_to_be_a_value() {
        check_unpacked(&JsonDecoder, b"[1, 2]", json!([1, 2]));
        check_unpacked(&JsonDecoder, b"[]", json!([]));
        for body in ["", "null", "{"] {
            let message = "Response JSON data failed to be parsed. See logs for more information.";
            check_error(JsonDecoder.begin_unpacked(), body.as_bytes(), message);
        }
    }
}
