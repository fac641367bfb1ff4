//! What is told of requests that failed.

use std::fmt::Write;

use super::super::error_message::error_message;
use super::super::request::PreparedRequest;
use super::super::resolution::{Action, Outcome, Resolution};
use super::super::response::Response;
use crate::value::{python_str, write_python_text_repr};

/// What a maintainer needs to know of a request that an error handler lets fail.
pub(super) fn failure(request: &PreparedRequest, outcome: Outcome<'_>) -> String {
    let PreparedRequest { method, url, .. } = request;
    match outcome {
        Ok(response) => format!(
            "'{method}' request to '{url}' failed with status code '{}' and error message: '{}'. \
             Request (body): '{}'. Response (body): '{}'. Response (headers): '{}'.",
            response.status,
            error_message(response).as_deref().unwrap_or("None"),
            request_body(request),
            response_body(response),
            headers(response),
        ),
        Err(error) => format!("'{method}' request to '{url}' failed with exception: '{error}'"),
    }
}

/// That a response counts as none.
pub(super) fn ignoring(request: &PreparedRequest, outcome: Outcome<'_>) -> String {
    let PreparedRequest { method, url, .. } = request;
    match outcome {
        Ok(response) => format!(
            "Ignoring response for '{method}' request to '{url}' with response code '{}'",
            response.status
        ),
        Err(error) => {
            format!("Ignoring response for '{method}' request to '{url}' with error '{error}'")
        }
    }
}

/// The reason to try again, if the error handler gives none.
pub(super) fn retry_reason(request: &PreparedRequest, resolution: &Resolution) -> String {
    let failure_type = match resolution.failure_type {
        Some(failure_type) => format!("FailureType.{}", failure_type.as_str()),
        None => "None".to_owned(),
    };
    format!(
        "Request to {} failed with failure type {failure_type}, response action ResponseAction.{}.",
        request.url,
        resolution.action.as_str()
    )
}

/// How a token was refused.
pub(super) fn rejection(request: &PreparedRequest, outcome: Outcome<'_>) -> String {
    let status = match outcome {
        Ok(response) => format!("status code '{}'", response.status),
        Err(error) => format!("exception '{error}'"),
    };
    format!("'{}' request to '{}' was rejected with {status}", request.method, request.url)
}

fn request_body(request: &PreparedRequest) -> String {
    let Some(body) = &request.body else { return "None".to_owned() };
    let is_json = request.headers.get("content-type") == Some("application/json");
    match std::str::from_utf8(body) {
        // Python holds JSON bodies as bytes, and all others as text.
        Ok(text) if !is_json => text.to_owned(),
        _ => bytes_repr(body),
    }
}

fn response_body(response: &Response) -> String {
    match response.json() {
        Some(json) => python_str(json).into_owned(),
        None => std::str::from_utf8(response.bytes()).map_or_else(
            |_| "The Content of the Response couldn't be decoded.".to_owned(),
            str::to_owned,
        ),
    }
}

fn headers(response: &Response) -> String {
    let mut text = String::from("{");
    for (idx, (name, value)) in response.headers.iter().enumerate() {
        text.push_str(if idx > 0 { ", " } else { "" });
        write_python_text_repr(name, &mut text);
        text.push_str(": ");
        write_python_text_repr(value, &mut text);
    }
    text.push('}');
    text
}

/// `repr()` of Python's `bytes`.
fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut text = format!("b{quote}");
    for &byte in bytes {
        // Writing to a string cannot fail.
        let _ = match byte {
            b'\\' => text.write_str("\\\\"),
            b'\n' => text.write_str("\\n"),
            b'\r' => text.write_str("\\r"),
            b'\t' => text.write_str("\\t"),
            b' '..=b'~' if char::from(byte) == quote => write!(text, "\\{quote}"),
            b' '..=b'~' => text.write_char(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}"),
        };
    }
    text.push(quote);
    text
}

impl Action {
    /// Whether the request is sent again.
    pub(super) fn is_retry(self) -> bool {
        matches!(self, Self::Retry | Self::RateLimited | Self::RefreshTokenThenRetry)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::http::{Body, ErrorKind, Headers, HttpError, Method, Request, RequestBody};

    #[track_caller]
    fn check(body: RequestBody, answer: &'static [u8], expect: &str) {
        let mut request = Request::new(Method::POST, "http://h/a");
        request.body = body;
        let request = Arc::new(request.prepare().unwrap());
        let headers = Headers::from_iter([("Content-Type", "it's"), ("X", "y")]);
        let body = Body::Whole(Bytes::from_static(answer));
        let response = Response::new(404, headers, Arc::clone(&request), body);
        assert_eq!(failure(&request, Ok(&response)), expect);
    }

    #[test]
    fn failures_tell_all() {
        check(
            RequestBody::Json(json!({"a": "it's"})),
            br#"{"error": "boom", "b": [null, 1.0]}"#,
            "'POST' request to 'http://h/a' failed with status code '404' and error message: 'boom'. \
             Request (body): 'b'{\"a\": \"it\\'s\"}''. Response (body): \
             '{'error': 'boom', 'b': [None, 1.0]}'. Response (headers): \
             '{'Content-Type': \"it's\", 'X': 'y'}'.",
        );
        check(
            RequestBody::Text("é".into()),
            b"\xff",
            "'POST' request to 'http://h/a' failed with status code '404' and error message: 'None'. \
             Request (body): 'é'. Response (body): 'The Content of the Response couldn't be decoded.'. \
             Response (headers): '{'Content-Type': \"it's\", 'X': 'y'}'.",
        );
    }

    #[test]
    fn bytes_look_as_in_python() {
        assert_eq!(bytes_repr(b"a'\n\x00\xff\\"), r#"b"a'\n\x00\xff\\""#);
        assert_eq!(bytes_repr(b"'\""), r#"b'\'"'"#);
    }

    #[test]
    fn without_a_response_the_error_is_told() {
        let request = Request::new(Method::GET, "http://h/a").prepare().unwrap();
        let error = HttpError::new(ErrorKind::Connection, "refused");
        let expect = "'GET' request to 'http://h/a' failed with exception: 'refused'";
        assert_eq!(failure(&request, Err(&error)), expect);
    }
}
