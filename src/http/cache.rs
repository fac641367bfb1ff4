//! Responses kept for the length of a run, so that a parent stream is asked for once.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;

use super::encode::{parse_query, urlencode};
use super::headers::Headers;
use super::request::{Method, PreparedRequest};
use super::response::{Body, Response};
use super::url::UrlParts;

/// The most bytes that a cache holds.
///
/// Beyond it the oldest responses are dropped, which costs a request when
/// they are wanted again, and nothing else.
const MAX_BYTES: usize = 256 * 1024 * 1024;

/// What a header or parameter of one of these names holds does not tell
/// requests apart, as in the cache library of the reference.
const IGNORED: [&str; 9] = [
    "Authorization",
    "Proxy-Authorization",
    "X-API-Key",
    "X-Auth-Token",
    "X-API-Token",
    "X-Access-Token",
    "access_token",
    "api_key",
    "apikey",
];

/// The caches of a run by name.
#[derive(Debug, Default)]
pub(super) struct Caches(Mutex<HashMap<String, Arc<Cache>>>);

impl Caches {
    /// The cache `name`, which all who ask for it share.
    pub(super) fn get(&self, name: &str) -> Arc<Cache> {
        // A panic while the lock is held cannot leave the map half made.
        let mut caches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(caches.entry(name.to_owned()).or_default())
    }
}

/// Successful responses to GET and HEAD by what was asked.
#[derive(Debug)]
pub(super) struct Cache {
    max_bytes: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// The oldest first.
    by_key: IndexMap<String, Entry>,
    n_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    headers: Headers,
    /// The request that was answered at last.
    request: Arc<PreparedRequest>,
    body: Bytes,
}

impl Default for Cache {
    fn default() -> Self {
        Self { max_bytes: MAX_BYTES, entries: Mutex::default() }
    }
}

impl Cache {
    /// What was answered to such a request before.
    pub(super) fn find(&self, request: &PreparedRequest) -> Option<Response> {
        let key = key(request)?;
        // A panic while the lock is held cannot leave an entry half made; the same below.
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.by_key.get(&key)?;
        let body = Body::Whole(entry.body.clone());
        let mut response =
            Response::new(200, entry.headers.clone(), Arc::clone(&entry.request), body);
        response.is_from_cache = true;
        Some(response)
    }

    /// Keeps the answer to a request, if it is one that can be kept.
    pub(super) fn keep(&self, request: &PreparedRequest, response: &Response) {
        let (200, Body::Whole(body), Some(key)) = (response.status, response.body(), key(request))
        else {
            return;
        };
        let n_bytes = key.len() + body.len();
        if n_bytes > self.max_bytes {
            return;
        }
        let entry = Entry {
            headers: response.headers.clone(),
            request: Arc::clone(&response.request),
            body: body.clone(),
        };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let key_len = key.len();
        if let Some(replaced) = entries.by_key.insert(key, entry) {
            entries.n_bytes -= key_len + replaced.body.len();
        }
        entries.n_bytes += n_bytes;
        let mut n_dropped = 0;
        while entries.n_bytes > self.max_bytes
            && let Some((key, entry)) = entries.by_key.get_index(n_dropped)
        {
            let n_freed = key.len() + entry.body.len();
            entries.n_bytes -= n_freed;
            n_dropped += 1;
        }
        entries.by_key.drain(..n_dropped);
    }
}

/// What is the same for requests that have the same answer.
fn key(request: &PreparedRequest) -> Option<String> {
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return None;
    }
    let parts = UrlParts::of(&request.url);
    let mut pairs: Vec<_> = parse_query(&parts.query)
        .map(|(name, value)| {
            let value = if IGNORED.contains(&name.as_str()) { String::new() } else { value };
            (name, value.into())
        })
        .collect();
    pairs.sort_by(|a: &(String, _), b| a.0.cmp(&b.0));
    let mut bare: Vec<_> = parts.query.split('&').filter(|pair| !pair.contains('=')).collect();
    bare.sort_unstable();
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .map(|(name, value)| {
            let value = if IGNORED.contains(&name) { "" } else { value };
            (name.to_ascii_lowercase(), value)
        })
        .collect();
    headers.sort_unstable();
    let mut key = format!("{} {}://{}{}?", request.method, parts.scheme, parts.netloc, parts.path);
    // Writing to a string cannot fail.
    let _ = write!(key, "{}&{}", urlencode(&pairs), bare.join("&"));
    for (name, value) in headers {
        let _ = write!(key, "\n{name}: {value}");
    }
    if let Some(body) = &request.body {
        let _ = write!(key, "\n\n{}", body.escape_ascii());
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;

    fn get(url: &str, headers: &[(&str, &str)]) -> PreparedRequest {
        let mut request = Request::new(Method::GET, url);
        request.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        request.prepare().unwrap()
    }

    fn keep(cache: &Cache, request: &PreparedRequest, status: u16, body: &'static str) {
        let body = Body::Whole(Bytes::from_static(body.as_bytes()));
        let request_sent = Arc::new(request.clone());
        cache.keep(request, &Response::new(status, Headers::default(), request_sent, body));
    }

    #[track_caller]
    fn check(kept: &PreparedRequest, asked: &PreparedRequest, is_found: bool) {
        let cache = Cache::default();
        keep(&cache, kept, 200, "body");
        let found = cache.find(asked);
        assert_eq!(found.map(|response| response.bytes() == b"body"), is_found.then_some(true));
    }

    #[test]
    fn equal_requests_have_one_answer() {
        check(&get("http://h/?b=2&a=1", &[]), &get("http://h/?a=1&b=2", &[]), true);
        check(&get("http://h/?a=1", &[("X", "1")]), &get("http://h/?a=1", &[("x", "1")]), true);
        check(&get("http://h/?a=1", &[]), &get("http://h/?a=2", &[]), false);
        check(&get("http://h/?a", &[]), &get("http://h/?b", &[]), false);
        check(&get("http://h/", &[("X", "1")]), &get("http://h/", &[("X", "2")]), false);
    }

    #[test]
    fn proofs_of_identity_do_not_tell_requests_apart() {
        let auth = |token| get("http://h/", &[("Authorization", token)]);
        check(&auth("a"), &auth("b"), true);
        check(&get("http://h/?api_key=1", &[]), &get("http://h/?api_key=2", &[]), true);
    }

    #[test]
    fn only_successful_gets_are_kept() {
        let cache = Cache::default();
        let request = get("http://h/", &[]);
        keep(&cache, &request, 404, "body");
        assert!(cache.find(&request).is_none());
        let post = Request::new(Method::POST, "http://h/").prepare().unwrap();
        keep(&cache, &post, 200, "body");
        assert!(cache.find(&post).is_none());
    }

    #[test]
    fn the_oldest_answers_make_room() {
        let requests = [1, 2, 3].map(|n| get(&format!("http://h/{n}"), &[]));
        let n_bytes = key(&requests[0]).unwrap().len() + 4;
        let cache = Cache { max_bytes: 2 * n_bytes, ..Cache::default() };
        for request in &requests {
            keep(&cache, request, 200, "body");
            keep(&cache, request, 200, "body");
        }
        let found = requests.map(|request| cache.find(&request).is_some());
        assert_eq!(found, [false, true, true]);
        assert_eq!(cache.entries.lock().unwrap().n_bytes, 2 * n_bytes);
    }
}
