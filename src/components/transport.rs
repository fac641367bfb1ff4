//! Bodies that are taken as they are sent, and may be compressed on the way.
//!
//! The reference undoes this for some of its decoders and breaks off in
//! others; here all are treated alike.

use crate::components::{Decode, DecodeTexts, ElementTexts, ReadError};
use crate::http::{Headers, LimitError, Limits};
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
    growth: Growth,
    inner: Box<dyn Decode>,
}

/// How much a body grows when it is decompressed.
#[derive(Default)]
struct Growth {
    limits: Limits,
    n_sent: u64,
    n_bytes: u64,
}

/// Compressed bytes after which the growth is looked at.
const PIECE_LEN: usize = 8 << 10;

impl Growth {
    fn add(&mut self, bytes: &[u8]) -> Result<(), LimitError> {
        self.n_bytes += bytes.len() as u64;
        self.limits.check_body(self.n_sent, self.n_bytes)
    }
}

impl Gunzipped {
    pub(super) fn new(inner: Box<dyn Decode>) -> Self {
        Self { gunzip: Gunzip::default(), growth: Growth::default(), inner }
    }
}

impl Decode for Gunzipped {
    fn feed(&mut self, bytes: &[u8], elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let Self { gunzip, growth, inner } = self;
        bytes.chunks(PIECE_LEN).try_for_each(|piece| {
            growth.n_sent += piece.len() as u64;
            gunzip.feed(piece, &mut |bytes| {
                growth.add(bytes)?;
                inner.feed(bytes, elements)
            })
        })
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        self.gunzip.finish(&mut |bytes| self.inner.feed(bytes, elements))?;
        self.inner.finish(elements)
    }

    fn keep_within(&mut self, limits: &Limits) {
        self.growth.limits = *limits;
        self.inner.keep_within(limits);
    }

    fn as_texts(&mut self) -> Option<&mut dyn DecodeTexts> {
        self.inner.as_texts().is_some().then_some(self)
    }
}

impl DecodeTexts for Gunzipped {
    fn feed(&mut self, bytes: &[u8], texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let Self { gunzip, growth, inner } = self;
        let Some(inner) = inner.as_texts() else { return Ok(()) };
        bytes.chunks(PIECE_LEN).try_for_each(|piece| {
            growth.n_sent += piece.len() as u64;
            gunzip.feed(piece, &mut |bytes| {
                growth.add(bytes)?;
                inner.feed(bytes, texts)
            })
        })
    }

    fn finish(&mut self, texts: &mut dyn ElementTexts) -> Result<(), ReadError> {
        let Some(inner) = self.inner.as_texts() else { return Ok(()) };
        self.gunzip.finish(&mut |bytes| inner.feed(bytes, texts))?;
        inner.finish(texts)
    }
}
