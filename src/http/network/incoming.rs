//! A response as it comes in.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use tokio::time::timeout;

use super::super::error::{ErrorKind, HttpError};
use super::super::headers::Headers;
use super::super::limits::Limits;
use super::super::request::{BodyMode, PreparedRequest};
use super::super::response::{Body, BodyStream, Response};
use super::buffers::Buffers;
use super::content::ContentDecoder;
use super::failure::Destination;
use crate::run::ledger::{self, Spent};

/// The most that is reserved on a server's word.
const MAX_RESERVED: u64 = 64 * 1024 * 1024;

/// The body of a response, while it is received.
pub(super) struct Incoming {
    response: reqwest::Response,
    request: Arc<PreparedRequest>,
    decoder: ContentDecoder,
    buffers: Buffers,
    /// Received, but not yet decompressed.
    pending: Bytes,
    n_received: u64,
    n_decoded: u64,
    /// What the server promised.
    n_expected: Option<u64>,
    limits: Limits,
}

impl Incoming {
    /// The response to `request`, its body as far as the request wants it now.
    pub(super) async fn receive(
        response: reqwest::Response,
        request: &Arc<PreparedRequest>,
        limits: Limits,
        buffers: &Buffers,
    ) -> Result<Response, HttpError> {
        let status = response.status();
        let (headers, set_cookies) = read_headers(&response);
        let mode = if status.is_success() { request.options.body } else { BodyMode::Whole };
        let decoder = match (mode, headers.get("content-encoding")) {
            (BodyMode::Raw, _) | (_, None) => ContentDecoder::default(),
            (_, Some(encoding)) => ContentDecoder::new(encoding),
        };
        let incoming = Self {
            n_expected: response.content_length(),
            response,
            request: Arc::clone(request),
            decoder,
            buffers: buffers.clone(),
            pending: Bytes::new(),
            n_received: 0,
            n_decoded: 0,
            limits,
        };
        let body = match mode {
            BodyMode::Whole => incoming.up_to(usize::MAX).await?,
            BodyMode::Streamed(limit) => incoming.up_to(limit).await?,
            BodyMode::Raw => Body::Stream(incoming.into_stream(None)),
        };
        let mut response = Response::new(status.as_u16(), headers, Arc::clone(request), body);
        response.set_cookies = set_cookies;
        Ok(response)
    }

    /// The body, whole if it has no more than `limit` bytes.
    async fn up_to(mut self, limit: usize) -> Result<Body, HttpError> {
        let limit_len = u64::try_from(limit).unwrap_or(u64::MAX);
        if self.decoder.is_identity() && self.n_expected.is_some_and(|len| len > limit_len) {
            return Ok(Body::Stream(self.into_stream(None)));
        }
        let Some(first) = self.next().await? else { return Ok(Body::Whole(Bytes::new())) };
        let Some(second) = self.next().await? else { return Ok(Body::Whole(first)) };
        let mut start = self.buffers.take(self.expected_len(first.len() + second.len()));
        start.extend_from_slice(&first);
        start.extend_from_slice(&second);
        while start.len() <= limit {
            let held = self.limits.check_held(start.len());
            held.map_err(|limit| limit.of(&self.request))?;
            match self.next().await? {
                Some(bytes) => start.extend_from_slice(&bytes),
                None => return Ok(Body::Whole(self.buffers.lend(start))),
            }
        }
        Ok(Body::Stream(self.into_stream(Some(start.into()))))
    }

    /// How long the whole body may be, decompressed, when `n_decoded` bytes of it are here.
    fn expected_len(&self, n_decoded: usize) -> usize {
        let n_taken = self.n_received.saturating_sub(self.pending.len() as u64).max(1);
        let n_expected = u128::from(self.n_expected.unwrap_or(0));
        // What is not needed after all is never touched; growing means copying.
        let spare = if self.decoder.is_identity() { 0 } else { n_expected / 8 };
        let expected = (n_expected + spare) * n_decoded as u128 / u128::from(n_taken);
        usize::try_from(expected.min(u128::from(MAX_RESERVED))).unwrap_or(0)
    }

    /// What was read already, and all that follows.
    fn into_stream(self, start: Option<Bytes>) -> BodyStream {
        BodyStream::new(stream::try_unfold((start, self), |(start, mut incoming)| async move {
            let bytes = match start {
                Some(start) => Some(start),
                None => incoming.next().await?,
            };
            Ok(bytes.map(|bytes| (bytes, (None, incoming))))
        }))
    }

    /// The next bytes, decompressed; never empty.
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            if self.pending.is_empty() {
                match self.next_chunk().await? {
                    Some(chunk) => self.pending = chunk,
                    None => return Ok(None),
                }
            }
            if self.decoder.is_identity() {
                self.check(self.pending.len())?;
                return Ok(Some(std::mem::take(&mut self.pending)));
            }
            let piece = self.pending.split_to(self.pending.len().min(self.decoder.piece_len()));
            let decoded = self
                .decoder
                .decode(piece)
                .map_err(|reason| HttpError::new(ErrorKind::ContentDecoding, reason))?;
            if !decoded.is_empty() {
                self.check(decoded.len())?;
                return Ok(Some(decoded));
            }
        }
    }

    /// Counts bytes that are given out.
    fn check(&mut self, n_bytes: usize) -> Result<(), HttpError> {
        self.n_decoded += n_bytes as u64;
        let n_sent = self.n_received - self.pending.len() as u64;
        let within = self.limits.check_body(n_sent, self.n_decoded);
        within.map_err(|limit| limit.of(&self.request))
    }

    /// The next bytes as they are sent; never empty.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, HttpError> {
        loop {
            let patience = self.limits.for_next_bytes(&self.request.options);
            let chunk = ledger::spend(Spent::Body, timeout(patience.limit, self.response.chunk()));
            let chunk = chunk.await.map_err(|_| {
                let error = Destination::of(&self.request.url).body_timeout();
                patience.explain(error, &self.request)
            })?;
            let chunk = chunk.map_err(|error| {
                Destination::broken_body(&error, self.n_received, self.n_expected)
            })?;
            match chunk {
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => {
                    self.n_received += chunk.len() as u64;
                    ledger::count_bytes(chunk.len() as u64);
                    return Ok(Some(chunk));
                }
                None => return Ok(None),
            }
        }
    }
}

/// All header fields, and each `Set-Cookie` by itself.
///
/// The names' own spelling is lost on the way; the usual one is shown.
fn read_headers(response: &reqwest::Response) -> (Headers, Vec<String>) {
    let mut headers = Headers::default();
    let mut set_cookies = Vec::new();
    for (name, value) in response.headers() {
        let value: String = value.as_bytes().iter().map(|&byte| char::from(byte)).collect();
        headers.append(&title_case(name.as_str()), &value);
        if name == reqwest::header::SET_COOKIE {
            set_cookies.push(value);
        }
    }
    (headers, set_cookies)
}

fn title_case(name: &str) -> String {
    let mut is_start = true;
    name.chars()
        .map(|letter| {
            let cased = if is_start { letter.to_ascii_uppercase() } else { letter };
            is_start = letter == '-';
            cased
        })
        .collect()
}
