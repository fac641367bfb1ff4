//! Answers from a cassette.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::{self, BoxFuture};

use super::super::error::{ErrorKind, HttpError};
use super::super::request::PreparedRequest;
use super::super::response::Response;
use super::super::transport::Transport;
use super::exchange::{Exchange, Key};
use super::{CassetteError, FORMAT, Header};
use crate::value::Secrets;

/// A transport that answers what a cassette has recorded, and opens no socket.
///
/// A request is found by its method, URL and body with secrets masked. Equal
/// requests are answered in the order of the recording, the last answer again
/// and again.
pub struct Replay {
    header: Header,
    secrets: Secrets,
    tape: Mutex<Tape>,
}

/// What the cassette still has.
#[derive(Default)]
struct Tape {
    /// With their lines, the first line first.
    answers: HashMap<Key, VecDeque<(usize, Exchange)>>,
    /// How many secrets are masked in it.
    n_secrets: usize,
}

impl Tape {
    fn push(&mut self, line_idx: usize, exchange: Exchange) {
        self.answers.entry(exchange.key()).or_default().push_back((line_idx, exchange));
    }

    /// Masks what became secret since the last time: a config, which names secrets, is read after
    /// the cassette, and a cassette that was written by hand may hold them.
    fn mask(&mut self, secrets: &Secrets) {
        let n_secrets = secrets.n_texts();
        if std::mem::replace(&mut self.n_secrets, n_secrets) == n_secrets {
            return;
        }
        let answers = std::mem::take(&mut self.answers);
        let mut exchanges: Vec<_> = answers.into_values().flatten().collect();
        exchanges.sort_unstable_by_key(|(line_idx, _)| *line_idx);
        for (line_idx, mut exchange) in exchanges {
            exchange.mask(secrets);
            self.push(line_idx, exchange);
        }
    }
}

impl Replay {
    /// Reads the cassette at `path`.
    pub fn open(path: &Path, secrets: Secrets) -> Result<Self, CassetteError> {
        Self::read(BufReader::new(File::open(path)?), secrets)
    }

    /// Reads a cassette.
    pub fn read(lines: impl BufRead, secrets: Secrets) -> Result<Self, CassetteError> {
        let mut lines = lines.lines();
        let header: Header = serde_json::from_str(&lines.next().transpose()?.unwrap_or_default())
            .map_err(|source| CassetteError::Line { line: 1, source })?;
        if header.format > FORMAT {
            return Err(CassetteError::Format(header.format));
        }
        let mut tape = Tape::default();
        for (line_idx, line) in lines.enumerate() {
            let exchange = serde_json::from_str(&line?)
                .map_err(|source| CassetteError::Line { line: line_idx + 2, source })?;
            tape.push(line_idx, exchange);
        }
        Ok(Self { header, secrets, tape: Mutex::new(tape) })
    }

    /// What the run has to be given.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn answer(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        let key = Key::of(request, &self.secrets);
        // A panic while the lock is held can at most lose one answer.
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.mask(&self.secrets);
        let answers = &mut tape.answers;
        let Some(recorded) = answers.get_mut(&key) else {
            return Err(not_recorded(&key, answers.keys()));
        };
        if recorded.len() > 1
            && let Some((_, next)) = recorded.pop_front()
        {
            return next.answer(request);
        }
        match recorded.front() {
            Some((_, last)) => last.answer(request),
            None => Err(not_recorded(&key, answers.keys())),
        }
    }
}

impl Transport for Replay {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        Box::pin(future::ready(self.answer(request)))
    }
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay").field("header", &self.header).finish_non_exhaustive()
    }
}

/// That a request was never recorded, and what the nearest recorded one is.
fn not_recorded<'k>(key: &Key, recorded: impl Iterator<Item = &'k Key>) -> HttpError {
    let Key { method, url, .. } = key;
    let likeness = |other: &&Key| {
        let is_other_body = other.url == *url && other.method == *method;
        // The likeness is a number from 0 to 1; as text it can be compared.
        let likeness = format!("{:.6}", strsim::normalized_levenshtein(&other.url, url));
        // Of equally near ones always the same is named.
        (is_other_body, likeness, other.url.clone(), other.method.clone())
    };
    let nearest = match recorded.max_by_key(likeness) {
        Some(other) if other.url == *url && other.method == *method => {
            "; it has the same request with another body".to_owned()
        }
        Some(other) => format!("; the nearest it has is {} {}", other.method, other.url),
        None => String::new(),
    };
    let message = format!("The cassette has no answer to {method} {url}{nearest}.");
    HttpError::new(ErrorKind::NotRecorded, message)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::*;
    use crate::http::cassette::Recorder;
    use crate::http::{Body, BodyStream, Headers, Method, Request, RequestBody};

    /// Answers with the number of the request and the token that it came with.
    struct Counting(Mutex<u32>);

    impl Transport for Counting {
        fn exchange<'a>(
            &'a self,
            request: &'a Arc<PreparedRequest>,
        ) -> BoxFuture<'a, Result<Response, HttpError>> {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            if request.url.ends_with("/broken") {
                let error = HttpError::new(ErrorKind::ReadTimeout, "no answer to k3y");
                return Box::pin(future::ready(Err(error)));
            }
            let chunks = [format!(r#"{{"n": {count}, "#), r#""token": "k3y t0ken"}"#.to_owned()];
            let chunks = chunks.map(|chunk| Ok(Bytes::from(chunk)));
            let body = Body::Stream(BodyStream::new(futures::stream::iter(chunks)));
            let headers = Headers::from_iter([("Set-Cookie", "a=1, b=2")]);
            let mut response = Response::new(200, headers, Arc::clone(request), body);
            response.set_cookies = vec!["a=1".into(), "b=2".into()];
            Box::pin(future::ready(Ok(response)))
        }
    }

    fn request(method: Method, path: &str, body: &str) -> Arc<PreparedRequest> {
        let mut request = Request::new(method, format!("http://h{path}"));
        request.body = RequestBody::Text(body.into());
        request.headers = vec![("Authorization".into(), "Bearer t0ken".into())];
        Arc::new(request.prepare().unwrap())
    }

    fn secrets() -> Secrets {
        let secrets = Secrets::new();
        secrets.add("k3y");
        secrets
    }

    async fn record(requests: &[Arc<PreparedRequest>]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.cassette");
        let header = Header::new(Timestamp::UNIX_EPOCH, 7);
        let network = Arc::new(Counting(Mutex::new(0)));
        let secrets = secrets();
        let run = header.recording_context();
        let recorder = Recorder::create(&path, header, network, run, secrets.clone()).unwrap();
        for request in requests {
            if let Ok(response) = recorder.exchange(request).await {
                assert!(response.bytes().ends_with(b"\"k3y t0ken\"}"));
            }
        }
        // As an authenticator does that got a token.
        secrets.add("t0ken");
        let permissions = std::fs::metadata(&path).unwrap().permissions();
        recorder.finish().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions(), permissions);
        std::fs::read_to_string(path).unwrap()
    }

    async fn ask(replay: &Replay, request: &Arc<PreparedRequest>) -> String {
        match replay.exchange(request).await {
            Ok(response) => {
                assert_eq!(response.set_cookies, ["a=****", "b=****"]);
                String::from_utf8(response.bytes().to_vec()).unwrap()
            }
            Err(error) => format!("{}: {error}", error.kind.class_name()),
        }
    }

    #[tokio::test]
    async fn what_was_recorded_is_replayed_in_order() {
        let first = request(Method::GET, "/a?key=k3y", "");
        let second = request(Method::POST, "/a", "x");
        let broken = request(Method::GET, "/broken", "");
        let requests = [&first, &second, &first, &broken].map(Arc::clone);
        let replay = Replay::read(record(&requests).await.as_bytes(), secrets()).unwrap();
        for n in [1, 3, 3] {
            assert_eq!(
                ask(&replay, &first).await,
                format!(r#"{{"n": {n}, "token": "**** ****"}}"#)
            );
        }
        assert_eq!(ask(&replay, &second).await, r#"{"n": 2, "token": "**** ****"}"#);
        assert_eq!(ask(&replay, &broken).await, "ReadTimeout: no answer to ****");
    }

    #[tokio::test]
    async fn a_cassette_holds_no_secrets() {
        let text = record(&[request(Method::GET, "/a?key=k3y", "k3y t0ken")]).await;
        assert!(!text.contains("k3y") && !text.contains("t0ken"), "{text}");
        insta::assert_snapshot!(text, @r#"
        {"cassette":1,"clock":"1970-01-01T00:00:00Z","seed":7}
        {"time":"1970-01-01T00:00:00Z","request":{"method":"GET","url":"http://h/a?key=****","headers":[["User-Agent","python-requests/2.34.2"],["Accept-Encoding","gzip, deflate"],["Accept","*/*"],["Connection","keep-alive"],["Authorization","****"],["Content-Length","9"]],"body":{"text":"**** ****"}},"response":{"status":200,"headers":[["Set-Cookie","a=****"],["Set-Cookie","b=****"]],"body":{"text":"{\"n\": 1, \"token\": \"**** ****\"}"}}}
        "#);
    }

    #[tokio::test]
    async fn what_becomes_secret_later_is_found_all_the_same() {
        let request = request(Method::GET, "/a?key=k3y", "");
        let line = |n: u32| {
            format!(
                r#"{{"time":"1970-01-01T00:00:00Z","request":{{"method":"GET","url":"http://h/a?key=k3y","headers":[]}},"response":{{"status":200,"headers":[["Set-Cookie","a=1"],["Set-Cookie","b=2"]],"body":{{"text":"{n} k3y"}}}}}}"#
            )
        };
        let header = r#"{"cassette":1,"clock":"1970-01-01T00:00:00Z","seed":1}"#;
        let cassette = [header.to_owned(), line(1), line(2)].join("\n");
        let secrets = Secrets::new();
        let replay = Replay::read(cassette.as_bytes(), secrets.clone()).unwrap();
        secrets.add("k3y");
        assert_eq!(ask(&replay, &request).await, "1 ****");
        assert_eq!(ask(&replay, &request).await, "2 ****");
    }

    #[tokio::test]
    async fn an_unknown_request_is_told_with_its_nearest() {
        let known = request(Method::POST, "/items?page=1", "x");
        let replay = Replay::read(record(&[known]).await.as_bytes(), secrets()).unwrap();
        let error = ask(&replay, &request(Method::GET, "/items?page=2&key=k3y", "")).await;
        let expect = "NotRecordedError: The cassette has no answer to GET \
                      http://h/items?page=2&key=****; the nearest it has is POST \
                      http://h/items?page=1.";
        assert_eq!(error, expect);
        let error = ask(&replay, &request(Method::POST, "/items?page=1", "y")).await;
        assert!(error.ends_with("; it has the same request with another body."), "{error}");
    }

    #[track_caller]
    fn check_error(text: &str, expect: &str) {
        let error = Replay::read(text.as_bytes(), Secrets::new()).unwrap_err();
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn broken_cassettes_are_refused() {
        check_error(
            "{\"cassette\":2,\"clock\":\"1970-01-01T00:00:00Z\",\"seed\":1}\n",
            "the cassette has format 2; this program reads formats up to 1",
        );
        check_error("", "line 1 of the cassette: EOF while parsing a value at line 1 column 0");
        check_error(
            "{\"cassette\":1,\"clock\":\"1970-01-01T00:00:00Z\",\"seed\":1}\n[]\n",
            "line 2 of the cassette: invalid length 0, expected struct Exchange with 4 elements \
             at line 1 column 2",
        );
    }

    #[test]
    fn a_replay_repeats_time_and_chance() {
        let header = Header::new(Timestamp::UNIX_EPOCH, 7);
        let [recorded, replayed] = [header.recording_context(), header.replaying_context()]
            .map(|run| (run.now(), run.uuid()));
        assert_eq!(recorded, replayed);
        assert_ne!(recorded.1, Header::new(Timestamp::UNIX_EPOCH, 8).replaying_context().uuid());
    }
}
