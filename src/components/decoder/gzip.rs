//! `GzipDecoder`: what another decoder reads, when it is compressed.
//!
//! A body that is not compressed is read as well, and one that is compressed
//! once more on its way.

use std::sync::Arc;

use super::Packed;
use crate::components::shape::shape;
use crate::components::transport::{Gunzipped, as_sent};
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, Slot};
use crate::http::Headers;

/// The YAML shape.
pub mod yaml {
    use super::{Decoder, Packed, Slot, shape};

    shape! {
        /// Reads a body that is compressed with gzip.
        pub struct GzipDecoder {
            /// Reads what was compressed.
            decoder: Slot<dyn Decoder, Packed>,
        }
    }
}

impl Component for yaml::GzipDecoder {
    type Family = dyn Decoder;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(GzipDecoder {
            inner: self.decoder.build(cx)?,
            supports_pagination: self.decoder.node().type_name() == Some("JsonDecoder"),
            is_streamed: !cx.environment.is_test_read(),
        }))
    }
}

/// See the module documentation.
pub struct GzipDecoder {
    inner: Arc<dyn Decoder>,
    supports_pagination: bool,
    is_streamed: bool,
}

impl std::fmt::Debug for GzipDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GzipDecoder").finish_non_exhaustive()
    }
}

impl Decoder for GzipDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        as_sent(headers, self.begin_unpacked())
    }

    fn begin_unpacked(&self) -> Box<dyn Decode> {
        Box::new(Gunzipped::new(self.inner.begin_unpacked()))
    }

    fn is_streamed(&self) -> bool {
        self.is_streamed
    }

    fn supports_pagination(&self) -> bool {
        self.supports_pagination
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::super::json::JsonDecoder;
    use super::super::testing::{check, check_error, check_with};
    use super::*;

    fn decoder() -> GzipDecoder {
        GzipDecoder { inner: Arc::new(JsonDecoder), supports_pagination: true, is_streamed: true }
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_bodies_are_read() {
        let (body, expect) = (b"[1, {\"a\": 2}]", json!([1, {"a": 2}]));
        check(&decoder(), &gzip(body), expect.clone());
        check(&decoder(), body, expect.clone());
        let sent = [("Content-Encoding", "gzip")];
        for body in [&body[..], &gzip(body), &gzip(&gzip(body))] {
            check_with(&decoder(), &sent, body, expect.clone());
        }
    }

    #[test]
    fn what_is_inside_is_read_strictly() {
        let message = "Response JSON data failed to be parsed. See logs for more information.";
        check_error(decoder().begin_unpacked(), &gzip(b""), message);
        let message = "Compressed file ended before the end-of-stream marker was reached";
        check_error(decoder().begin_unpacked(), &gzip(b"[]")[..15], message);
    }
}
