use std::fs;

use futures::future::BoxFuture;
use jiff::Timestamp;

use super::*;
use crate::http::{ErrorKind, Http, Method, Request, Transfer, Transport};

/// Answers with pieces that come one after the other, and logs.
struct Api {
    pieces: Vec<Result<Bytes, HttpError>>,
    is_whole: bool,
}

impl Transport for Api {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        let headers = [("Content-Type", "application/json"), ("Set-Cookie", "s=k3y; Path=/")];
        let headers = headers.into_iter().collect();
        let body = match &self.pieces[..] {
            [Ok(whole)] if self.is_whole => Body::Whole(whole.clone()),
            [Err(error)] => return Box::pin(std::future::ready(Err(error.clone()))),
            pieces => Body::Stream(BodyStream::new(stream::iter(pieces.to_vec()))),
        };
        let mut response = Response::new(200, headers, Arc::clone(request), body);
        response.transfer = Transfer { wait: Duration::from_millis(7), ..Transfer::default() };
        Box::pin(std::future::ready(Ok(response)))
    }
}

struct Log {
    _folder: tempfile::TempDir,
    har: Arc<Har>,
    secrets: Secrets,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (run, secrets) = (RunContext::fixed(Timestamp::UNIX_EPOCH), Secrets::new());
        let path = folder.path().join("read.har");
        let har = Arc::new(Har::create(&path, run, secrets.clone()).unwrap());
        Self { _folder: folder, har, secrets }
    }

    /// Asks, and reads so many pieces of the answer.
    async fn ask(&self, url: &str, api: Api, n_pieces: usize) {
        let http = Http::new(Arc::new(api)).with_har(Some(Arc::clone(&self.har)));
        let client = http.client();
        let request = Arc::new(client.prepare(&Request::new(Method::GET, url)).unwrap());
        let Ok(response) = client.send(&request).await else { return };
        let mut body = response.into_body();
        for _ in 0..n_pieces {
            let _ = body.next().await;
        }
    }

    /// The entries as they are now.
    #[track_caller]
    fn entries(&self) -> Vec<Json> {
        let log: Json = serde_json::from_str(&fs::read_to_string(&self.har.path).unwrap()).unwrap();
        log["log"]["entries"].as_array().unwrap().clone()
    }
}

fn whole(text: impl Into<Bytes>) -> Api {
    Api { pieces: vec![Ok(text.into())], is_whole: true }
}

fn pieces(texts: &[&'static str]) -> Api {
    Api { pieces: texts.iter().map(|text| Ok((*text).into())).collect(), is_whole: false }
}

#[tokio::test]
async fn the_log_is_whole_after_each_answer() {
    let log = Log::new();
    log.secrets.add("k3y");
    assert!(log.entries().is_empty());
    log.ask("http://h/a?key=k3y&b=a+b", whole(r#"{"a": "my k3y"}"#), 0).await;
    assert_eq!(log.entries().len(), 1);
    log.ask("http://h/b", pieces(&["{\"a\"", ": 1}"]), 3).await;
    let [first, second] = log.entries().try_into().unwrap();
    assert_eq!(first["request"]["url"], "http://h/a?key=****&b=a+b");
    assert_eq!(first["request"]["queryString"][1]["value"], "a b");
    assert_eq!(first["response"]["content"]["text"], r#"{"a": "my ****"}"#);
    assert_eq!(first["response"]["headers"][1]["value"], "s=****; Path=/");
    assert_eq!(first["startedDateTime"], "1970-01-01T00:00:00.000Z");
    assert_eq!(first["timings"]["wait"], 7.0);
    assert_eq!(second["response"]["content"]["text"], r#"{"a": 1}"#);
    assert_eq!(second["response"]["content"]["size"], 8);
}

#[tokio::test]
async fn what_is_not_read_to_its_end_is_logged_as_far() {
    let log = Log::new();
    log.ask("http://h/a", pieces(&["{\"a\"", ": 1}"]), 1).await;
    assert_eq!(log.entries()[0]["response"]["content"]["text"], "{\"a\"");
    let broken = HttpError::new(ErrorKind::ChunkedEncoding, "it broke");
    let mut api = pieces(&["{"]);
    api.pieces.push(Err(broken.clone()));
    log.ask("http://h/b", api, 2).await;
    log.ask("http://h/c", Api { pieces: vec![Err(broken)], is_whole: true }, 0).await;
    let entries = log.entries();
    assert_eq!(entries[1]["response"]["content"]["text"], "{");
    for (entry, status) in entries[1..].iter().zip([200, 0]) {
        assert_eq!(entry["response"]["_error"], "ChunkedEncodingError: it broke");
        assert_eq!(entry["response"]["status"], status);
    }
}

#[tokio::test]
async fn long_bodies_are_cut_and_no_secret_with_them() {
    let log = Log::new();
    let secret = "s3cret-s3cret";
    log.secrets.add(secret);
    for before in [0, 5, secret.len() + 1] {
        let body =
            format!("{}{secret}é{}", "é".repeat((MAX_BODY - before) / 2), "x".repeat(MAX_BODY));
        log.ask("http://h/a", whole(body.clone()), 0).await;
        let entry = log.entries().pop().unwrap();
        let content = &entry["response"]["content"];
        let text = content["text"].as_str().unwrap();
        assert!(text.len() <= MAX_BODY && text.len() > MAX_BODY - 4, "{}", text.len());
        assert!(!text.contains("s3"), "{}", &text[text.len() - 20..]);
        assert_eq!(content["size"], body.len());
        assert_eq!(content["comment"], format!("only the start of {} bytes", body.len()));
    }
    let bytes = vec![0xff; MAX_BODY + 1];
    log.ask("http://h/a", whole(bytes), 0).await;
    let entry = log.entries().pop().unwrap();
    assert_eq!(entry["response"]["content"]["encoding"], "base64");
}

#[tokio::test]
async fn secrets_that_become_known_later_are_masked_in_the_end() {
    let log = Log::new();
    log.ask("http://h/token", whole(r#"{"access_token": "t0ken"}"#), 0).await;
    log.secrets.add("t0ken");
    log.ask("http://h/a?key=t0ken", whole("[]"), 0).await;
    let before = log.entries();
    log.har.finish().unwrap();
    let mut expect = before.clone();
    expect[0]["response"]["content"]["text"] = r#"{"access_token": "****"}"#.into();
    assert_eq!(log.entries(), expect);
    assert_ne!(before, expect);
}
