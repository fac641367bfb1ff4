//! A registry on this machine, with as much of the distribution specification as a push needs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::digest;
use crate::scripted_api::{Request, receive};

const TOKEN: &str = "Bearer t0ken";

/// A registry that runs until the program ends.
pub(crate) struct Registry {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// `user:password`, or an identity token; without it everybody may do everything.
    login: Option<String>,
    /// Whether it knows what refers to what.
    has_referrers: bool,
    /// By path: `/v2/a/b/blobs/sha256:…` and `/v2/a/b/manifests/1.0.0`.
    content: Mutex<HashMap<String, (String, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
}

struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Registry {
    pub(crate) fn start(login: Option<&str>, has_referrers: bool) -> Self {
        let login = login.map(str::to_owned);
        let state = Arc::new(State { login, has_referrers, ..State::default() });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let state = Arc::clone(&shared);
                // A client that leaves early wants no answer.
                thread::spawn(move || {
                    connection.and_then(|it| converse(&it, |request| state.answer(request)))
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The document or blob at a path below `/v2/`.
    pub(crate) fn get(&self, path: &str) -> Option<Vec<u8>> {
        let content = self.state.content.lock().unwrap();
        content.get(&format!("/v2/{path}")).map(|(_, bytes)| bytes.clone())
    }

    /// The paths of all manifests.
    pub(super) fn manifests(&self) -> Vec<String> {
        let content = self.state.content.lock().unwrap();
        let mut paths: Vec<_> =
            content.keys().filter(|path| path.contains("/manifests/")).cloned().collect();
        paths.sort();
        paths
    }

    /// How often something was asked whose text begins so: `PUT /v2/a/b/blobs/`.
    pub(super) fn count(&self, start: &str) -> usize {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|request| request.starts_with(start)).count()
    }
}

impl State {
    fn answer(&self, request: &Request) -> Answer {
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        self.asked.lock().unwrap().push(format!("{} {path}", request.method));
        let authorization = request.header("authorization");
        if let Some(login) = &self.login {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(login));
            if (request.method.as_str(), path) == ("POST", "/token") {
                let form = String::from_utf8_lossy(&request.body);
                assert!(form.contains("grant_type=refresh_token"), "{form}");
                return if form.split('&').any(|it| it == format!("refresh_token={login}")) {
                    Answer::new(200, br#"{"access_token": "t0ken"}"#.to_vec())
                } else {
                    Answer::error(401, "UNAUTHORIZED", "unknown token")
                };
            }
            if path == "/token" {
                assert!(query.contains("scope=repository%3A") && query.contains("service=test"));
                return match authorization {
                    Some(header) if header == basic => {
                        Answer::new(200, br#"{"token": "t0ken"}"#.to_vec())
                    }
                    _ => Answer::error(401, "UNAUTHORIZED", "incorrect username or password"),
                };
            }
            if authorization != Some(TOKEN) {
                let host = request.header("host").unwrap();
                let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"test\"");
                return Answer::new(401, Vec::new()).with("WWW-Authenticate", challenge);
            }
        }
        self.content(request, path, query)
    }

    fn content(&self, request: &Request, path: &str, query: &str) -> Answer {
        let mut content = self.content.lock().unwrap();
        match (request.method.as_str(), path) {
            ("GET" | "HEAD", _) => match content.get(path) {
                Some((media_type, bytes)) => {
                    Answer::new(200, bytes.clone()).with("Content-Type", media_type.clone())
                }
                None => Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            },
            (_, path) if path.starts_with("/v2/readonly/") => {
                Answer::error(403, "DENIED", "requested access to the resource is denied")
            }
            ("POST", path) if path.ends_with("/blobs/uploads/") => {
                Answer::new(202, Vec::new()).with("Location", format!("{path}1?_state=a%3D"))
            }
            ("PUT", path) if path.contains("/blobs/uploads/") => {
                let (state, wanted) = query.split_once("&digest=").unwrap();
                let found = digest(&request.body);
                assert_eq!((state, wanted.replace("%3A", ":")), ("_state=a%3D", found.clone()));
                let path = path.replace("uploads/1", &found);
                content.insert(path, (String::new(), request.body.clone()));
                Answer::new(201, Vec::new())
            }
            ("PUT", path) if path.ends_with("/manifests/refused") => {
                Answer::error(400, "TAG_INVALID", "tags of this name are immutable")
            }
            ("PUT", path) => {
                let document: Value = serde_json::from_slice(&request.body).unwrap();
                if path.starts_with("/v2/plain/") && document.get("artifactType").is_some() {
                    return Answer::error(400, "MANIFEST_INVALID", "only images are stored here");
                }
                let (repository, _) = path.split_once("/manifests/").unwrap();
                for part in references(&document) {
                    let is_there = ["blobs", "manifests"]
                        .iter()
                        .any(|kind| content.contains_key(&format!("{repository}/{kind}/{part}")));
                    assert!(is_there, "{part} was not pushed before {path}");
                }
                let media_type = request.header("content-type").unwrap().to_owned();
                assert_eq!(document["mediaType"], media_type.as_str());
                let known = (media_type, request.body.clone());
                let digest = digest(&request.body);
                content.insert(format!("{repository}/manifests/{digest}"), known.clone());
                content.insert(path.to_owned(), known);
                let subject = document["subject"]["digest"].as_str();
                let answer = Answer::new(201, Vec::new());
                match subject.filter(|_| self.has_referrers) {
                    Some(subject) => answer.with("OCI-Subject", subject.to_owned()),
                    None => answer,
                }
            }
            (method, path) => panic!("{method} {path}"),
        }
    }
}

/// The addresses of all that a manifest or an index is made of.
fn references(document: &Value) -> Vec<String> {
    let lists = [&document["layers"], &document["manifests"]];
    let parts = lists.into_iter().filter_map(Value::as_array).flatten();
    let digests = parts.chain([&document["config"]]).filter_map(|part| part["digest"].as_str());
    digests.map(str::to_owned).collect()
}

impl Answer {
    fn new(status: u16, body: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn error(status: u16, code: &str, message: &str) -> Self {
        let error = serde_json::json!({"errors": [{"code": code, "message": message}]});
        Self::new(status, error.to_string().into_bytes())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Answers requests until the client leaves.
fn converse(connection: &TcpStream, answer: impl Fn(&Request) -> Answer) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some(request) = receive(&mut reader)? {
        let answer = answer(&request);
        let mut head = format!("HTTP/1.1 {} \r\n", answer.status);
        for (name, value) in &answer.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", answer.body.len()).unwrap();
        let mut reply = head.into_bytes();
        if request.method != "HEAD" {
            reply.extend(answer.body);
        }
        (&*connection).write_all(&reply)?;
    }
    Ok(())
}
