//! Responses: head, body, and what error messages are made of.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::BoxStream;

use super::error::HttpError;
use super::headers::Headers;
use super::limits::Limits;
use super::links::links;
use super::request::PreparedRequest;
use super::text::{decode_text, parse_json};
use crate::value::{Json, Map};

/// What a server answered.
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The header fields; of those that were repeated, all values.
    pub headers: Headers,
    /// The request it answers: the last one, when redirects were followed.
    pub request: Arc<PreparedRequest>,
    /// Each `Set-Cookie` field by itself.
    pub set_cookies: Vec<String>,
    /// Whether no request was made for it.
    pub is_from_cache: bool,
    /// How it came.
    pub transfer: Transfer,
    body: Body,
    json: OnceLock<Option<Json>>,
}

/// How a response came; nothing of what is not known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Transfer {
    /// In which version of HTTP.
    pub version: ::http::Version,
    /// How long its head was waited for.
    pub wait: Duration,
    /// How long that of its body took that is here.
    pub receive: Duration,
}

/// The bytes of a response.
#[derive(Debug)]
pub enum Body {
    /// All of them.
    Whole(Bytes),
    /// Those that come in.
    Stream(BodyStream),
}

/// A body that is still received.
///
/// The lock is never taken: it only lets responses be shared between threads.
pub struct BodyStream(Mutex<BoxStream<'static, Result<Bytes, HttpError>>>);

impl Response {
    /// A response to `request`.
    pub fn new(status: u16, headers: Headers, request: Arc<PreparedRequest>, body: Body) -> Self {
        Self {
            status,
            headers,
            request,
            set_cookies: Vec::new(),
            is_from_cache: false,
            transfer: Transfer::default(),
            body,
            json: OnceLock::new(),
        }
    }

    /// Whether the status is no error; the reference treats responses that are
    /// not as if there were none.
    pub fn is_ok(&self) -> bool {
        !(400..600).contains(&self.status)
    }

    /// The URL that answered.
    pub fn url(&self) -> &str {
        &self.request.url
    }

    /// The name of the status.
    pub fn reason(&self) -> &'static str {
        let status = ::http::StatusCode::from_u16(self.status).ok();
        status.and_then(|status| status.canonical_reason()).unwrap_or_default()
    }

    /// What the reference's HTTP library says of an error status.
    pub fn status_error(&self) -> Option<String> {
        let side = match self.status {
            400..500 => "Client",
            500..600 => "Server",
            _ => return None,
        };
        Some(format!("{} {side} Error: {} for url: {}", self.status, self.reason(), self.url()))
    }

    /// The body, as far as it is whole; a stream counts as empty.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Whole(bytes) => bytes,
            Body::Stream(_) => &[],
        }
    }

    /// The body as text, in the character set that the headers name.
    pub fn text(&self) -> String {
        decode_text(self.bytes(), self.headers.get("content-type"))
    }

    /// The body as JSON; it is parsed once, when first asked for.
    pub fn json(&self) -> Option<&Json> {
        let parse = || parse_json(self.bytes(), self.headers.get("content-type"));
        self.json.get_or_init(parse).as_ref()
    }

    /// The links of the `Link` header by relation.
    pub fn links(&self) -> Map {
        self.headers.get("link").map(links).unwrap_or_default()
    }

    /// Takes the body out.
    pub fn into_body(self) -> Body {
        self.body
    }

    /// Waits for all of the body, as far as it may be held, so that the response can be looked at
    /// again and again.
    pub async fn load(&mut self, limits: &Limits) -> Result<(), HttpError> {
        if let Body::Stream(stream) = &mut self.body {
            let check = |n_bytes| limits.check_held(n_bytes).map_err(|it| it.of(&self.request));
            self.body = Body::Whole(stream.collect(check).await?);
        }
        Ok(())
    }

    /// Takes out a body that is still received.
    pub(super) fn take_stream(&mut self) -> Option<BodyStream> {
        match std::mem::replace(&mut self.body, Body::Whole(Bytes::new())) {
            Body::Stream(stream) => Some(stream),
            whole @ Body::Whole(_) => {
                self.body = whole;
                None
            }
        }
    }

    /// Gives it another body.
    pub(super) fn set_body(&mut self, body: Body) {
        self.body = body;
    }

    /// The body, to be looked at or copied.
    pub(super) fn body(&self) -> &Body {
        &self.body
    }
}

impl Body {
    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        match self {
            Self::Whole(bytes) if bytes.is_empty() => None,
            Self::Whole(bytes) => Some(Ok(std::mem::take(bytes))),
            Self::Stream(stream) => stream.next().await,
        }
    }
}

impl BodyStream {
    /// A body of these chunks.
    pub fn new(
        chunks: impl futures::Stream<Item = Result<Bytes, HttpError>> + Send + 'static,
    ) -> Self {
        Self(Mutex::new(chunks.boxed()))
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, HttpError>> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).next().await
    }

    /// All bytes that are left, unless `check` refuses to hold so many; a single chunk is not
    /// copied.
    async fn collect(
        &mut self,
        check: impl Fn(usize) -> Result<(), HttpError>,
    ) -> Result<Bytes, HttpError> {
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else { return Ok(first) };
        let mut all = BytesMut::from(first);
        all.extend_from_slice(&second);
        while let Some(chunk) = self.next().await.transpose()? {
            check(all.len() + chunk.len())?;
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::http::{Method, Request};

    fn response(status: u16, chunks: &[&'static str]) -> Response {
        let request = Request::new(Method::GET, "http://h/a").prepare().unwrap();
        let chunks: Vec<_> =
            chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))).collect();
        let body = Body::Stream(BodyStream::new(stream::iter(chunks)));
        Response::new(status, Headers::default(), Arc::new(request), body)
    }

    #[tokio::test]
    async fn a_stream_is_loaded_once() {
        for chunks in [&[][..], &["{}"], &["{", "", "}"]] {
            let mut response = response(200, chunks);
            assert_eq!(response.bytes(), b"");
            response.load(&Limits::default()).await.unwrap();
            response.load(&Limits::default()).await.unwrap();
            assert_eq!(response.bytes(), chunks.concat().as_bytes());
        }
    }

    #[tokio::test]
    async fn a_whole_body_is_one_chunk() {
        let mut body = Body::Whole(Bytes::from_static(b"ab"));
        assert_eq!(body.next().await, Some(Ok(Bytes::from_static(b"ab"))));
        assert_eq!(body.next().await, None);
    }

    #[test]
    fn error_statuses_have_a_sentence() {
        let error = |status| response(status, &[]).status_error();
        assert_eq!(error(404).unwrap(), "404 Client Error: Not Found for url: http://h/a");
        assert_eq!(
            error(503).unwrap(),
            "503 Server Error: Service Unavailable for url: http://h/a"
        );
        assert_eq!(error(302), None);
        assert!(!response(404, &[]).is_ok() && response(399, &[]).is_ok());
    }
}
