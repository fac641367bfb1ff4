//! Responses kept for the length of a run, so that a parent stream is asked for once.
//!
//! Who asks for what is being asked for already waits for that answer: a parent that several
//! children read at the same time is read from the API once, page by page.
//!
//! Memory is bounded: beyond [`MAX_IN_MEMORY`], bodies lie in a temporary file without a name,
//! which nobody else can open and which is gone with the process. Beyond [`MAX_ON_DISK`], and
//! where there is no place for such a file, an answer is not kept, and asked for again.

mod spill;

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use self::spill::Spill;
use super::encode::{parse_query, urlencode};
use super::headers::Headers;
use super::request::{Method, PreparedRequest};
use super::response::{Body, Response};
use super::url::UrlParts;

/// The most bytes that a cache holds in memory.
const MAX_IN_MEMORY: usize = 8 << 20;

/// The most bytes that a cache holds on disk.
const MAX_ON_DISK: u64 = 4 << 30;

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
    max_in_memory: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    kept: HashMap<Key, Place>,
    n_in_memory: usize,
    spill: Spill,
    /// What is being asked for now.
    asked: HashMap<Key, Arc<tokio::sync::Mutex<()>>>,
}

/// A digest of what tells requests apart: it takes the same small place for each.
type Key = [u8; 32];

/// Where an answer is.
#[derive(Debug)]
enum Place {
    Memory(Kept),
    Disk(spill::Extent),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
struct Kept {
    /// The URL that answered at last.
    url: String,
    headers: Headers,
    body: Bytes,
}

/// What a cache has to say to a request.
#[derive(Debug)]
pub(super) enum Lookup {
    /// It was answered before.
    Found(Box<Response>),
    /// It has to be sent; others who ask for the same wait until this is dropped.
    Missing(Option<Asking>),
}

/// Somebody's asking for what is not known yet.
#[derive(Debug)]
pub(super) struct Asking {
    cache: Arc<Cache>,
    key: Key,
    turn: Option<OwnedMutexGuard<()>>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut entries = self.cache.entries();
        drop(self.turn.take());
        // Whoever waits has its own handle; the last one out forgets the key.
        if entries.asked.get(&self.key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            entries.asked.remove(&self.key);
        }
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new(MAX_IN_MEMORY, MAX_ON_DISK)
    }
}

impl Cache {
    fn new(max_in_memory: usize, max_on_disk: u64) -> Self {
        let entries = Entries {
            kept: HashMap::new(),
            n_in_memory: 0,
            spill: Spill::new(max_on_disk),
            asked: HashMap::new(),
        };
        Self { max_in_memory, entries: Mutex::new(entries) }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic while the lock is held cannot leave an entry half made.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was answered to such a request, now or as soon as it is.
    pub(super) async fn look_up(self: &Arc<Self>, request: &Arc<PreparedRequest>) -> Lookup {
        let Some(key) = key(request) else { return Lookup::Missing(None) };
        let turn = {
            let mut entries = self.entries();
            if let Some(kept) = entries.get(&key) {
                return Lookup::Found(Box::new(kept.into_response(request)));
            }
            Arc::clone(entries.asked.entry(key).or_default())
        };
        let turn = Some(turn.lock_owned().await);
        let asking = Asking { cache: Arc::clone(self), key, turn };
        let kept = self.entries().get(&key);
        match kept {
            Some(kept) => Lookup::Found(Box::new(kept.into_response(request))),
            None => Lookup::Missing(Some(asking)),
        }
    }

    /// Keeps the answer to a request, if it is one that can be kept.
    pub(super) fn keep(&self, request: &PreparedRequest, response: &Response) {
        let (200, Body::Whole(body), Some(key)) = (response.status, response.body(), key(request))
        else {
            return;
        };
        let kept = Kept {
            url: response.url().to_owned(),
            headers: response.headers.clone(),
            body: body.clone(),
        };
        self.entries().insert(key, kept, self.max_in_memory);
    }
}

impl Entries {
    fn get(&mut self, key: &Key) -> Option<Kept> {
        match self.kept.get(key)? {
            Place::Memory(kept) => Some(kept.clone()),
            Place::Disk(extent) => self.spill.read(extent),
        }
    }

    fn insert(&mut self, key: Key, kept: Kept, max_in_memory: usize) {
        if let Some(Place::Memory(replaced)) = self.kept.remove(&key) {
            self.n_in_memory -= replaced.size();
        }
        let size = kept.size();
        let place = if self.n_in_memory + size <= max_in_memory {
            self.n_in_memory += size;
            // What came as a part of a larger buffer would hold on to all of it.
            let body = Bytes::copy_from_slice(&kept.body);
            Some(Place::Memory(Kept { body, ..kept }))
        } else {
            self.spill.write(&kept).map(Place::Disk)
        };
        if let Some(place) = place {
            self.kept.insert(key, place);
        }
    }
}

impl Kept {
    /// About how much memory it takes.
    fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len() + 48);
        headers.sum::<usize>() + self.url.len() + self.body.len() + size_of::<(Key, Place)>()
    }

    /// The answer, as if `request` had just got it.
    fn into_response(self, request: &Arc<PreparedRequest>) -> Response {
        let answered = if self.url == request.url {
            Arc::clone(request)
        } else {
            Arc::new(PreparedRequest { url: self.url, ..PreparedRequest::clone(request) })
        };
        let mut response = Response::new(200, self.headers, answered, Body::Whole(self.body));
        response.is_from_cache = true;
        response
    }
}

/// What is the same for requests that have the same answer.
fn key(request: &PreparedRequest) -> Option<Key> {
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
    Some(Sha256::digest(key).into())
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::http::Request;

    fn get(url: &str, headers: &[(&str, &str)]) -> Arc<PreparedRequest> {
        let mut request = Request::new(Method::GET, url);
        request.headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Arc::new(request.prepare().unwrap())
    }

    fn answer(request: &Arc<PreparedRequest>, status: u16, body: &'static str) -> Response {
        let body = Body::Whole(Bytes::from_static(body.as_bytes()));
        let headers = Headers::from_iter([("X-Page", "1")]);
        Response::new(status, headers, Arc::clone(request), body)
    }

    fn keep(cache: &Cache, request: &Arc<PreparedRequest>, status: u16, body: &'static str) {
        cache.keep(request, &answer(request, status, body));
    }

    /// The body that is found.
    async fn find(cache: &Arc<Cache>, request: &Arc<PreparedRequest>) -> Option<Vec<u8>> {
        match cache.look_up(request).await {
            Lookup::Found(response) => {
                assert!(response.is_from_cache && response.headers.get("X-Page") == Some("1"));
                Some(response.bytes().to_vec())
            }
            Lookup::Missing(_) => None,
        }
    }

    #[track_caller]
    fn check(kept: &Arc<PreparedRequest>, asked: &Arc<PreparedRequest>, is_found: bool) {
        let cache = Arc::new(Cache::default());
        keep(&cache, kept, 200, "body");
        let found = find(&cache, asked).now_or_never().unwrap();
        assert_eq!(found, is_found.then(|| b"body".to_vec()));
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

    #[tokio::test]
    async fn only_successful_gets_are_kept() {
        let cache = Arc::new(Cache::default());
        let request = get("http://h/", &[]);
        keep(&cache, &request, 404, "body");
        assert_eq!(find(&cache, &request).await, None);
        let post = Arc::new(Request::new(Method::POST, "http://h/").prepare().unwrap());
        keep(&cache, &post, 200, "body");
        assert_eq!(find(&cache, &post).await, None);
    }

    #[tokio::test]
    async fn what_memory_has_no_room_for_lies_on_disk() {
        let requests = [1, 2, 3].map(|n| get(&format!("http://h/{n}"), &[]));
        let bodies = ["one", "two", "three"];
        let roomy = Cache::default();
        keep(&roomy, &requests[2], 200, bodies[2]);
        let max_in_memory = 2 * roomy.entries().n_in_memory;
        let cache = Arc::new(Cache::new(max_in_memory, MAX_ON_DISK));
        for _ in 0..2 {
            for (request, body) in requests.iter().zip(bodies) {
                keep(&cache, request, 200, body);
            }
        }
        {
            let entries = cache.entries();
            let n_in_memory =
                entries.kept.values().filter(|place| matches!(place, Place::Memory(_))).count();
            assert_eq!(n_in_memory, 2);
            assert!(entries.n_in_memory <= max_in_memory);
        }
        for (request, body) in requests.iter().zip(bodies) {
            assert_eq!(find(&cache, request).await, Some(body.as_bytes().to_vec()));
        }
    }

    #[tokio::test]
    async fn what_fits_nowhere_is_asked_for_again() {
        let cache = Arc::new(Cache::new(0, 0));
        let request = get("http://h/", &[]);
        keep(&cache, &request, 200, "body");
        assert_eq!(find(&cache, &request).await, None);
    }

    #[tokio::test]
    async fn who_asks_for_the_same_waits_for_its_answer() {
        let cache = Arc::new(Cache::default());
        let request = get("http://h/", &[]);
        let ask = async || match cache.look_up(&request).await {
            Lookup::Found(_) => false,
            Lookup::Missing(_asking) => {
                tokio::task::yield_now().await;
                keep(&cache, &request, 200, "body");
                true
            }
        };
        assert_eq!(tokio::join!(ask(), ask(), ask()), (true, false, false));
        assert!(cache.entries().asked.is_empty());
    }

    #[tokio::test]
    async fn when_no_answer_can_be_kept_each_asks_in_its_turn() {
        let cache = Arc::new(Cache::default());
        let request = get("http://h/", &[]);
        let ask = async || matches!(cache.look_up(&request).await, Lookup::Missing(_));
        assert_eq!(tokio::join!(ask(), ask()), (true, true));
        assert!(cache.entries().asked.is_empty());
    }
}
