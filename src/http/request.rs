//! Requests: as components compose them, and as they are sent.

use std::slice;
use std::time::Duration;

use bytes::Bytes;

use super::encode::{parse_query, urlencode};
use super::error::{ErrorKind, HttpError};
use super::headers::Headers;
use super::normalize::{quoted, request_url};
use super::url::UrlParts;
use crate::value::{Json, PythonJson, is_truthy, python_str};

pub use ::http::Method;

/// What the reference calls itself.
const USER_AGENT: &str = "python-requests/2.34.2";

/// A request as components compose it.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL as it is written; it may have a query already.
    pub url: String,
    /// Parameters added to the query, in order.
    pub params: Vec<(String, ParamValue)>,
    /// Header fields; of fields with one name the last counts.
    pub headers: Vec<(String, String)>,
    /// The body; sent only with GET, POST, PUT and PATCH.
    pub body: RequestBody,
    /// How it is sent.
    pub options: Options,
}

/// The value of a query parameter or of a form field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamValue {
    /// Sent once.
    Text(String),
    /// Sent once for each text.
    List(Vec<String>),
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RequestBody {
    /// None.
    #[default]
    Empty,
    /// Sent as JSON text; what Python counts as false is no body.
    Json(Json),
    /// Sent as a form; without fields it is no body.
    Form(Vec<(String, ParamValue)>),
    /// Sent as it is, without a content type of its own.
    Text(String),
}

/// How a request is sent and its response is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The longest wait for a connection.
    pub connect_timeout: Option<Duration>,
    /// The longest wait for the next bytes of the response.
    pub read_timeout: Option<Duration>,
    /// How the body of a successful response is given.
    pub body: BodyMode,
    /// Whether redirects are followed.
    pub follows_redirects: bool,
}

/// How the body of a successful response is given; one of an error is given whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyMode {
    /// Whole, without its compression.
    #[default]
    Whole,
    /// Whole up to this many bytes, else as a stream; without its compression.
    Streamed(usize),
    /// As a stream of what the server sends, compressed or not.
    Raw,
}

/// A request with all that is sent, as `requests` prepares it.
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedRequest {
    /// The method.
    pub method: Method,
    /// The normalised URL.
    pub url: String,
    /// All header fields but `Host`.
    pub headers: Headers,
    /// The body.
    pub body: Option<Bytes>,
    /// How it is sent.
    pub options: Options,
}

impl Request {
    /// A request without parameters, headers and body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            params: Vec::new(),
            headers: Vec::new(),
            body: RequestBody::Empty,
            options: Options::default(),
        }
    }

    /// Drops the parameters that the URL has already with the same value.
    ///
    /// Of several values in the URL the first counts, as in the reference.
    pub fn drop_repeated_params(&mut self) {
        let query = UrlParts::of(&self.url).query;
        let mut present: Vec<(String, String)> = Vec::new();
        for (key, value) in parse_query(&query) {
            if !present.iter().any(|(known, _)| *known == key) {
                present.push((key, value));
            }
        }
        self.params.retain(|(key, added)| {
            let first = present.iter().find(|(known, _)| known == key);
            !first.is_some_and(|(_, value)| *added == ParamValue::from(value.as_str()))
        });
    }

    /// The request with normalised URL, encoded parameters and body, and default headers.
    pub fn prepare(&self) -> Result<PreparedRequest, HttpError> {
        let url = request_url(&self.url, &urlencode(&self.params))?;
        let mut headers = Headers::from_iter([
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", "*/*"),
            ("Connection", "keep-alive"),
        ]);
        for (name, value) in &self.headers {
            check_header(name, value)?;
            headers.set(name, value);
        }
        let (body, content_type) = self.encoded_body();
        match &body {
            Some(body) => headers.set("Content-Length", body.len().to_string()),
            None if matches!(self.method, Method::GET | Method::HEAD) => {}
            None if headers.contains("Content-Length") => {}
            None => headers.set("Content-Length", "0"),
        }
        if let Some(content_type) = content_type.filter(|_| !headers.contains("Content-Type")) {
            headers.set("Content-Type", content_type);
        }
        let method = self.method.clone();
        Ok(PreparedRequest { method, url, headers, body, options: self.options })
    }

    fn encoded_body(&self) -> (Option<Bytes>, Option<&'static str>) {
        if !matches!(self.method, Method::GET | Method::POST | Method::PUT | Method::PATCH) {
            return (None, None);
        }
        let (text, content_type) = match &self.body {
            RequestBody::Json(json) if is_truthy(json) => {
                (PythonJson::DEFAULT.text(json), Some("application/json"))
            }
            RequestBody::Form(fields) if !fields.is_empty() => {
                (urlencode(fields), Some("application/x-www-form-urlencoded"))
            }
            RequestBody::Text(text) if !text.is_empty() => (text.clone(), None),
            _ => return (None, None),
        };
        (Some(text.into()), content_type)
    }
}

/// What `requests` checks of a header field.
fn check_header(name: &str, value: &str) -> Result<(), HttpError> {
    let (part, text) = if name.is_empty()
        || name.starts_with(char::is_whitespace)
        || name.contains([':', '\r', '\n'])
    {
        ("name", name)
    } else if value.starts_with(char::is_whitespace) || value.contains(['\r', '\n']) {
        ("value", value)
    } else {
        return Ok(());
    };
    let message = format!(
        "Invalid leading whitespace, reserved character(s), or return character(s) in header {part}: {}",
        quoted(text)
    );
    Err(HttpError::new(ErrorKind::InvalidHeader, message))
}

impl ParamValue {
    /// What is sent for a Python value; nothing for `None`.
    pub fn from_json(value: &Json) -> Option<Self> {
        match value {
            Json::Null => None,
            Json::Array(items) => Some(Self::List(items.iter().flat_map(item_texts).collect())),
            // Python goes over the keys of a dictionary.
            Json::Object(map) => Some(Self::List(map.keys().cloned().collect())),
            value => Some(Self::Text(python_str(value).into_owned())),
        }
    }

    /// The texts to send, in order.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => slice::from_ref(text),
            Self::List(texts) => texts,
        }
    }
}

fn item_texts(item: &Json) -> Vec<String> {
    match item {
        Json::Null => Vec::new(),
        Json::Array(items) => items.iter().map(|item| python_str(item).into_owned()).collect(),
        Json::Object(map) => map.keys().cloned().collect(),
        value => vec![python_str(value).into_owned()],
    }
}

impl From<&str> for ParamValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for ParamValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: None,
            read_timeout: None,
            body: BodyMode::default(),
            follows_redirects: true,
        }
    }
}

impl PreparedRequest {
    /// The URL without its query and user, which may hold secrets.
    pub fn place(&self) -> String {
        let parts = UrlParts::of(&self.url);
        let host = parts.netloc.rsplit_once('@').map_or(&*parts.netloc, |(_, host)| host);
        format!("{}://{host}{}", parts.scheme, parts.path)
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PreparedRequest {
    /// Without anything that may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<PreparedRequest [{}]>", self.method)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn post(body: RequestBody) -> PreparedRequest {
        Request { body, ..Request::new(Method::POST, "http://h/") }.prepare().unwrap()
    }

    #[track_caller]
    fn check_body(body: RequestBody, content_type: Option<&str>, text: Option<&str>) {
        let request = post(body);
        assert_eq!(request.body.as_deref(), text.map(str::as_bytes));
        assert_eq!(request.headers.get("content-type"), content_type);
        let length = text.map_or(0, str::len).to_string();
        assert_eq!(request.headers.get("content-length"), Some(length.as_str()));
    }

    #[test]
    fn json_is_written_as_python_writes_it() {
        let body = RequestBody::Json(json!({"a": 1, "é": [true, null]}));
        check_body(body, Some("application/json"), Some(r#"{"a": 1, "\u00e9": [true, null]}"#));
    }

    #[test]
    fn forms_are_encoded() {
        let fields = vec![("a b".to_owned(), "é&".into()), ("c".to_owned(), "".into())];
        check_body(
            RequestBody::Form(fields),
            Some("application/x-www-form-urlencoded"),
            Some("a+b=%C3%A9%26&c="),
        );
    }

    #[test]
    fn text_has_no_content_type() {
        check_body(RequestBody::Text("é".into()), None, Some("é"));
    }

    #[test]
    fn what_python_counts_as_false_is_no_body() {
        for json in [json!({}), json!([]), json!(null), json!(0), json!("")] {
            check_body(RequestBody::Json(json), None, None);
        }
        check_body(RequestBody::Form(vec![]), None, None);
        check_body(RequestBody::Text(String::new()), None, None);
    }

    #[test]
    fn a_delete_has_no_body() {
        let body = RequestBody::Text("x".into());
        let request = Request { body, ..Request::new(Method::DELETE, "http://h/") };
        assert_eq!(request.prepare().unwrap().body, None);
    }

    #[test]
    fn defaults_come_first_and_can_be_replaced() {
        let headers =
            vec![("X-A".to_owned(), "1".to_owned()), ("accept".into(), "text/csv".into())];
        let request = Request { headers, ..Request::new(Method::GET, "http://h/") };
        let prepared = request.prepare().unwrap();
        let expect = [
            ("User-Agent", USER_AGENT),
            ("Accept-Encoding", "gzip, deflate"),
            ("accept", "text/csv"),
            ("Connection", "keep-alive"),
            ("X-A", "1"),
        ];
        assert_eq!(prepared.headers.iter().collect::<Vec<_>>(), expect);
    }

    #[test]
    fn headers_that_cannot_be_sent_are_refused() {
        for (name, value) in [("", "b"), (" a", "b"), ("a:", "b"), ("a", " b"), ("a", "b\nc")] {
            let headers = vec![(name.to_owned(), value.to_owned())];
            let request = Request { headers, ..Request::new(Method::GET, "http://h/") };
            assert_eq!(request.prepare().unwrap_err().kind, ErrorKind::InvalidHeader, "{name}");
        }
    }

    #[track_caller]
    fn check_repeated(url: &str, params: &[(&str, &str)], expect: &str) {
        let mut request = Request::new(Method::GET, url);
        request.params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect();
        request.drop_repeated_params();
        assert_eq!(request.prepare().unwrap().url, expect);
    }

    #[test]
    fn parameters_of_the_url_are_not_repeated() {
        check_repeated("http://h/?a=1&b=2", &[("a", "1"), ("b", "3")], "http://h/?a=1&b=2&b=3");
        check_repeated("http://h/?a=x+y", &[("a", "x y")], "http://h/?a=x+y");
        check_repeated("http://h/?a=1&a=2", &[("a", "2")], "http://h/?a=1&a=2&a=2");
    }

    #[test]
    fn python_values_are_sent_as_their_text() {
        let value = json!([1, true, null, 1.5, ["x", null], {"k": 1}]);
        let texts = ParamValue::from_json(&value).unwrap();
        assert_eq!(texts.texts(), ["1", "True", "1.5", "x", "None", "k"]);
        assert_eq!(ParamValue::from_json(&Json::Null), None);
    }

    #[test]
    fn no_secret_is_printed() {
        let mut request = Request::new(Method::GET, "http://u:s3cret@h/a?key=s3cret");
        request.headers.push(("X-Key".into(), "s3cret".into()));
        let prepared = request.prepare().unwrap();
        assert_eq!(prepared.place(), "http://h/a");
        assert!(!format!("{request:?} {prepared:?}").contains("s3cret"));
    }
}
