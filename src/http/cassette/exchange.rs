//! One line of a cassette: a request, and what it came to.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::error::{ErrorKind, HttpError};
use super::super::headers::Headers;
use super::super::request::PreparedRequest;
use super::super::response::{Body, Response};
use crate::value::Secrets;

/// What stands in place of what must not be kept.
const MASK: &str = "****";

/// A request, and what it came to: a response or else an error.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Exchange {
    /// When that was, by the run's own clock.
    #[serde(with = "super::timestamp")]
    pub(super) time: Timestamp,
    pub(super) request: Asked,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<Answered>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<Failed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    pub(super) body: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// With each `Set-Cookie` by itself.
    pub(super) headers: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Content::is_empty")]
    pub(super) body: Content,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failed {
    pub(super) class: String,
    pub(super) message: String,
}

/// Bytes: as text where they are text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Text(String),
    Base64(String),
}

/// What tells recorded requests apart: method, URL and body, with secrets masked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) method: String,
    pub(super) url: String,
    body: String,
}

impl Key {
    /// The key of a request that is made.
    pub(super) fn of(request: &PreparedRequest, secrets: &Secrets) -> Self {
        let mut asked = Asked::new(request);
        asked.mask(secrets);
        asked.key()
    }
}

impl Exchange {
    /// What is recorded of a request, with this body of the response.
    pub(super) fn new(
        time: Timestamp,
        request: &PreparedRequest,
        outcome: Result<&Response, &HttpError>,
        body: &[u8],
    ) -> Self {
        Self {
            time,
            request: Asked::new(request),
            response: outcome.ok().map(|response| Answered::new(response, body)),
            error: outcome.err().map(Failed::new),
        }
    }

    /// What became of a body that was still received.
    pub(super) fn end(&mut self, body: &[u8], error: Option<&HttpError>) {
        if let Some(response) = &mut self.response {
            response.body = Content::new(body);
        }
        self.error = error.map(Failed::new);
    }

    /// Masks all secrets, and what proves an identity.
    pub(super) fn mask(&mut self, secrets: &Secrets) {
        self.request.mask(secrets);
        if let Some(response) = &mut self.response {
            mask_headers(&mut response.headers, secrets);
            response.body.mask(secrets);
        }
        if let Some(error) = &mut self.error {
            mask(&mut error.message, secrets);
        }
    }

    /// What the request is found by.
    pub(super) fn key(&self) -> Key {
        self.request.key()
    }

    /// What `request` comes to.
    pub(super) fn answer(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        match (&self.response, &self.error) {
            (Some(response), _) => Ok(response.to_response(request)),
            (None, Some(error)) => {
                let kind = ErrorKind::from_class_name(&error.class);
                Err(HttpError::new(kind.unwrap_or(ErrorKind::Connection), error.message.clone()))
            }
            (None, None) => Err(HttpError::new(
                ErrorKind::NotRecorded,
                "The cassette has neither a response nor an error for this request.",
            )),
        }
    }
}

impl Asked {
    fn new(request: &PreparedRequest) -> Self {
        Self {
            method: request.method.to_string(),
            url: request.url.clone(),
            headers: to_pairs(&request.headers),
            body: Content::new(request.body.as_deref().unwrap_or_default()),
        }
    }

    fn mask(&mut self, secrets: &Secrets) {
        mask(&mut self.url, secrets);
        mask_headers(&mut self.headers, secrets);
        self.body.mask(secrets);
    }

    fn key(&self) -> Key {
        let (Content::Text(body) | Content::Base64(body)) = self.body.clone();
        Key { method: self.method.clone(), url: self.url.clone(), body }
    }
}

impl Answered {
    /// The answer of a request that got none.
    pub(super) const NONE: &'static Self =
        &Self { status: 0, headers: Vec::new(), body: Content::Text(String::new()) };

    fn new(response: &Response, body: &[u8]) -> Self {
        let mut headers = to_pairs(&response.headers);
        if !response.set_cookies.is_empty() {
            headers.retain(|(name, _)| !name.eq_ignore_ascii_case("set-cookie"));
            let cookies = response.set_cookies.iter();
            headers.extend(cookies.map(|cookie| ("Set-Cookie".to_owned(), cookie.clone())));
        }
        Self { status: response.status, headers, body: Content::new(body) }
    }

    fn to_response(&self, request: &Arc<PreparedRequest>) -> Response {
        let mut headers = Headers::default();
        let mut set_cookies = Vec::new();
        for (name, value) in &self.headers {
            headers.append(name, value);
            if name.eq_ignore_ascii_case("set-cookie") {
                set_cookies.push(value.clone());
            }
        }
        let body = Body::Whole(self.body.bytes());
        let mut response = Response::new(self.status, headers, Arc::clone(request), body);
        response.set_cookies = set_cookies;
        response
    }
}

impl Failed {
    fn new(error: &HttpError) -> Self {
        Self { class: error.kind.class_name().to_owned(), message: error.message.clone() }
    }
}

impl Default for Content {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Base64(BASE64_STANDARD.encode(bytes)),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }

    fn bytes(&self) -> Bytes {
        match self {
            Self::Text(text) => Bytes::copy_from_slice(text.as_bytes()),
            Self::Base64(text) => BASE64_STANDARD.decode(text).unwrap_or_default().into(),
        }
    }

    fn mask(&mut self, secrets: &Secrets) {
        // Secrets of a body that is not text cannot be seen.
        if let Self::Text(text) = self {
            mask_text(text, secrets);
        }
    }

    /// How it is written, and whether that is Base64.
    pub(super) fn written(&self) -> (&str, bool) {
        match self {
            Self::Text(text) => (text, false),
            Self::Base64(text) => (text, true),
        }
    }
}

/// Masks all secrets in a text; what is JSON stays JSON.
pub(super) fn mask_text(text: &mut String, secrets: &Secrets) {
    if text.trim_start().starts_with(['{', '[']) {
        *text = mask_strings(text, secrets);
    } else {
        mask(text, secrets);
    }
}

fn to_pairs(headers: &Headers) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn mask(text: &mut String, secrets: &Secrets) {
    if let Cow::Owned(masked) = secrets.mask(text) {
        *text = masked;
    }
}

/// Masks what stands between the quotes of JSON text, so that it stays JSON.
fn mask_strings(json: &str, secrets: &Secrets) -> String {
    let mut masked = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, string)) = rest.split_once('"') {
        let mut is_escaped = false;
        let end = string.find(|letter| {
            let is_end = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            is_end
        });
        let (string, after) = string.split_at(end.unwrap_or(string.len()));
        masked.push_str(before);
        masked.push('"');
        masked.push_str(&secrets.mask(string));
        rest = after;
        if let Some(after) = after.strip_prefix('"') {
            masked.push('"');
            rest = after;
        }
    }
    masked.push_str(rest);
    masked
}

/// Masks secrets in all fields, and whole fields that prove an identity.
fn mask_headers(headers: &mut [(String, String)], secrets: &Secrets) {
    for (name, value) in headers {
        match name.to_ascii_lowercase().as_str() {
            "authorization" | "proxy-authorization" | "cookie" => MASK.clone_into(value),
            "set-cookie" => *value = mask_cookie(value),
            _ => mask(value, secrets),
        }
    }
}

/// Leaves a cookie its name and its attributes.
fn mask_cookie(cookie: &str) -> String {
    let (pair, attributes) = cookie.split_at(cookie.find(';').unwrap_or(cookie.len()));
    let name = pair.split_once('=').map_or("", |(name, _)| name);
    format!("{name}={MASK}{attributes}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn secrets() -> Secrets {
        let secrets = Secrets::new();
        for secret in ["k3y", "12345", "a\"b"] {
            secrets.add(secret);
        }
        secrets
    }

    #[track_caller]
    fn check_content(text: &str, expect: &str) {
        let mut content = Content::new(text.as_bytes());
        content.mask(&secrets());
        assert_eq!(content.bytes(), expect.as_bytes());
    }

    #[test]
    fn secrets_in_bodies_are_masked() {
        check_content("key=k3y&n=12345", "key=****&n=****");
        check_content("a\"b", "****");
    }

    #[test]
    fn masked_json_stays_json() {
        check_content(
            r#" {"k3y": "x k3y\\", "n": 12345, "t": "a\"b", "s": "12345"}"#,
            r#" {"****": "x ****\\", "n": 12345, "t": "****", "s": "****"}"#,
        );
        check_content(r#"["k3y"#, r#"["****"#);
    }

    #[test]
    fn what_proves_an_identity_is_masked() {
        let pairs = [
            ("AUTHORIZATION", "Basic abc", MASK),
            ("Cookie", "a=b", MASK),
            ("set-cookie", "s=1; Path=/a=b", "s=****; Path=/a=b"),
            ("X-Key", "my k3y", "my ****"),
        ];
        for (name, value, expect) in pairs {
            let mut headers = [(name.to_owned(), value.to_owned())];
            mask_headers(&mut headers, &secrets());
            assert_eq!(headers[0].1, expect);
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let line = serde_json::to_string(&Content::new(&bytes)).unwrap();
            let content: Content = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(content.bytes(), bytes);
        }

        #[test]
        fn without_secrets_nothing_is_masked(text in r#"[\[{]["\\a: ]{0,20}"#) {
            prop_assert_eq!(mask_strings(&text, &Secrets::new()), text);
        }
    }
}
