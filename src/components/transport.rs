//! Bodies that are taken as they are sent, and may be compressed on the way.
//!
//! The reference undoes this for some of its decoders and breaks off in
//! others; here all are treated alike.

use crate::components::{Decode, DecodeTexts, ElementTexts, ReadError};
use crate::http::Headers;
use crate::value::Json;
use crate::value::body::Gunzip;

/// Decodes with `inner` what remains when the compression that `headers` name is undone.
pub(super) fn as_sent(headers: &Headers, inner: Box<dyn Decode>) -> Box<dyn Decode> {
    match headers.get("content-encoding").map(str::trim) {
        Some(name) if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
            Box::new(Gunzipped::new(inner))
        }
        _ => inner,
    }
}

/// Decodes a body that may be compressed, or may not.
pub(super) struct Gunzipped {
    gunzip: Gunzip,
    inner: Box<dyn Decode>,
}

impl Gunzipped {
    pub(super) fn new(inner: Box<dyn Decode>) -> Self {
        Self { gunzip: Gunzip::default(), inner }
    }
}

impl Decode for Gunzipped {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.gunzip.feed(bytes, &mut |bytes| self.inner.feed(bytes, elements))
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.gunzip.finish(&mut |bytes| self.inner.feed(bytes, elements))?;
        self.inner.finish(elements)
    }

    fn as_texts(&mut self) -> Option<&mut dyn DecodeTexts> {
        self.inner.as_texts().is_some().then_some(self)
    }
}

impl DecodeTexts for Gunzipped {
    fn feed(&mut self, bytes: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let Some(inner) = self.inner.as_texts() else { return Ok(()) };
        self.gunzip.feed(bytes, &mut |bytes| inner.feed(bytes, texts))
    }

    fn finish(&mut self, texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let Some(inner) = self.inner.as_texts() else { return Ok(()) };
        self.gunzip.finish(&mut |bytes| inner.feed(bytes, texts))?;
        inner.finish(texts)
    }
}
