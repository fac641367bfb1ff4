//! One exchange as HAR 1.2 has it.

use std::time::Duration;

use serde::Serialize;

use super::super::exchange::{Answered, Asked, Exchange, Failed};
use super::Facts;
use crate::http::encode::parse_query;

/// What stands where a number is not known.
const UNKNOWN: i64 = -1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry<'a> {
    started_date_time: String,
    /// The sum of the timings.
    time: f64,
    request: Request<'a>,
    response: Response<'a>,
    cache: Empty,
    timings: Timings,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    method: &'a str,
    url: &'a str,
    http_version: String,
    /// They are masked, and stand in the headers.
    cookies: [Empty; 0],
    headers: Vec<Named<'a>>,
    query_string: Vec<Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post_data: Option<PostData<'a>>,
    headers_size: i64,
    body_size: usize,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Parameter {
    name: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PostData<'a> {
    mime_type: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    status: u16,
    status_text: &'static str,
    http_version: String,
    cookies: [Empty; 0],
    headers: Vec<Named<'a>>,
    content: Body<'a>,
    #[serde(rename = "redirectURL")]
    redirect_url: &'a str,
    headers_size: i64,
    body_size: i64,
    /// What browsers' own tools show of a request that failed.
    #[serde(rename = "_error", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    size: usize,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// In milliseconds.
#[derive(Serialize)]
struct Timings {
    blocked: f64,
    /// Connecting and sending are part of `wait`.
    dns: i64,
    connect: i64,
    ssl: i64,
    send: i64,
    wait: f64,
    receive: f64,
}

impl<'a> Entry<'a> {
    /// The entry of an exchange that is masked already, with `max_body` bytes of its bodies.
    pub(super) fn new(exchange: &'a Exchange, facts: &Facts, max_body: usize) -> Self {
        let version = format!("{:?}", facts.version);
        let [blocked, wait, receive] = [facts.blocked, facts.wait, facts.receive].map(millis);
        Self {
            started_date_time: format!("{:.3}", exchange.time),
            time: blocked + wait + receive,
            request: Request::new(&exchange.request, version.clone(), max_body),
            response: Response::new(exchange, facts, version, max_body),
            cache: Empty {},
            timings: Timings {
                blocked,
                dns: UNKNOWN,
                connect: UNKNOWN,
                ssl: UNKNOWN,
                send: 0,
                wait,
                receive,
            },
            comment: facts.stream.as_ref().map(|stream| format!("stream {stream}")),
        }
    }
}

impl<'a> Request<'a> {
    fn new(asked: &'a Asked, http_version: String, max_body: usize) -> Self {
        let query = asked.url.split_once('?').map_or("", |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let (text, _) = asked.body.written();
        let post_data = (!text.is_empty()).then(|| {
            let (kept, comment) = cut(text, text.len(), max_body);
            PostData { mime_type: header(&asked.headers, "content-type"), text: kept, comment }
        });
        Self {
            method: &asked.method,
            url: &asked.url,
            http_version,
            cookies: [],
            headers: named(&asked.headers),
            query_string: parse_query(query)
                .map(|(name, value)| Parameter { name, value })
                .collect(),
            post_data,
            headers_size: UNKNOWN,
            body_size: text.len(),
        }
    }
}

impl<'a> Response<'a> {
    fn new(exchange: &'a Exchange, facts: &Facts, http_version: String, max_body: usize) -> Self {
        let none = Answered::NONE;
        let answered = exchange.response.as_ref().unwrap_or(none);
        let status = ::http::StatusCode::from_u16(answered.status).ok();
        let error = exchange.error.as_ref();
        Self {
            status: answered.status,
            status_text: status.and_then(|it| it.canonical_reason()).unwrap_or_default(),
            http_version,
            cookies: [],
            headers: named(&answered.headers),
            content: Body::new(answered, facts.body_len, max_body),
            redirect_url: header(&answered.headers, "location"),
            headers_size: UNKNOWN,
            body_size: facts.n_received.and_then(|n| n.try_into().ok()).unwrap_or(UNKNOWN),
            error: error.map(|Failed { class, message }| format!("{class}: {message}")),
        }
    }
}

impl<'a> Body<'a> {
    fn new(answered: &'a Answered, size: usize, max_body: usize) -> Self {
        let (text, is_base64) = answered.body.written();
        // Four characters of Base64 are three bytes.
        let max_text = if is_base64 { max_body.div_ceil(3) * 4 } else { max_body };
        let (text, comment) = cut(text, size, max_text);
        Self {
            size,
            mime_type: header(&answered.headers, "content-type"),
            text,
            encoding: is_base64.then_some("base64"),
            comment,
        }
    }
}

/// The first `max_len` bytes of a text, and that it is not all of the `n_bytes` there were.
fn cut(text: &str, n_bytes: usize, max_len: usize) -> (&str, Option<String>) {
    if text.len() <= max_len {
        return (text, None);
    }
    let comment = format!("only the start of {n_bytes} bytes");
    (&text[..text.floor_char_boundary(max_len)], Some(comment))
}

fn named(headers: &[(String, String)]) -> Vec<Named<'_>> {
    headers.iter().map(|(name, value)| Named { name, value }).collect()
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    let found = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map_or("", |(_, value)| value)
}

/// Milliseconds, to the thousandth.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
