//! An API that answers from a script, and notes what it was asked; to be used as a proxy, so that
//! it stands for all hosts.
//!
//! A script maps requests to answers, or to lists of answers, the last of which repeats:
//!
//! ```yaml
//! GET http://api.test/items?page=1: {json: [{id: 1}]}
//! GET http://api.test/items:
//! - {status: 500}
//! - {status: 200, headers: {X-Left: 1}, text: "id\n1\n"}
//! ```
//!
//! A request that stands there with its query and its body (`POST URL BODY`) goes before one that
//! stands there without. An answer has a body as `json`, `text`, `base64`, or `file`; or it is
//! `drop: true`, which closes the connection. `tools/against_reference.py` reads the same scripts.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Headers that every client sends in its own way.
const ORDINARY: [&str; 7] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "proxy-connection",
    "user-agent",
];

/// A server that answers from a script until the program ends.
pub(crate) struct ScriptedApi {
    address: SocketAddr,
    script: Arc<Script>,
}

impl ScriptedApi {
    /// Starts with the script `api.yaml` of `folder`; without one it knows nothing.
    pub(crate) fn start(folder: &Path) -> Self {
        let script = Arc::new(Script::read(folder));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&script);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let script = Arc::clone(&shared);
                // A client that leaves early wants no answer.
                thread::spawn(move || connection.and_then(|it| converse(&it, &script)));
            }
        });
        Self { address, script }
    }

    /// The address to use as a proxy.
    pub(crate) fn proxy(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked so far, in order, as text.
    pub(crate) fn requests(&self) -> String {
        self.script.asked.lock().unwrap().concat()
    }
}

struct Script {
    folder: PathBuf,
    rules: HashMap<String, Vec<Map<String, Value>>>,
    served: Mutex<HashMap<String, usize>>,
    asked: Mutex<Vec<String>>,
}

/// A request as it was received.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Script {
    fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("api.yaml")).unwrap_or_else(|_| "{}".to_owned());
        let script: Map<String, Value> = serde_yaml::from_str(&text).unwrap();
        let rules = script.into_iter().map(|(request, answers)| {
            let answers = match answers {
                Value::Array(answers) => answers,
                answer => vec![answer],
            };
            let answers = answers.into_iter().map(|answer| answer.as_object().unwrap().clone());
            (rule_of(&request), answers.collect())
        });
        Self {
            folder: folder.to_owned(),
            rules: rules.collect(),
            served: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    /// The answer whose turn it is; `None` where the script says nothing.
    fn answer(&self, request: &Request) -> Option<&Map<String, Value>> {
        let Request { method, url, body, .. } = request;
        let body = String::from_utf8_lossy(body);
        self.asked.lock().unwrap().push(request.describe());
        let address = url.split('?').next()?;
        let (exact, loose) = (rule_of(&format!("{method} {url}")), format!("{method} {address}"));
        let rules = [format!("{exact} {body}"), format!("{loose} {body}"), exact, loose];
        let rule = rules.into_iter().find(|rule| self.rules.contains_key(rule))?;
        let answers = &self.rules[&rule];
        let mut served = self.served.lock().unwrap();
        let count = served.entry(rule).or_default();
        *count += 1;
        answers.get((*count).min(answers.len()) - 1)
    }

    fn body(&self, answer: &Map<String, Value>) -> Vec<u8> {
        let text = |name| answer.get(name).and_then(Value::as_str);
        if let Some(json) = answer.get("json") {
            json.to_string().into_bytes()
        } else if let Some(base64) = text("base64") {
            BASE64_STANDARD.decode(base64).unwrap()
        } else if let Some(file) = text("file") {
            fs::read(self.folder.join(file)).unwrap()
        } else {
            text("text").unwrap_or_default().as_bytes().to_vec()
        }
    }
}

/// A request's name with the query sorted; what follows the URL is a body.
fn rule_of(request: &str) -> String {
    let mut words = request.splitn(3, ' ');
    let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let url = sort_query(url);
    match words.next() {
        Some(body) => format!("{method} {url} {body}"),
        None => format!("{method} {url}"),
    }
}

fn sort_query(url: &str) -> String {
    match url.split_once('?') {
        Some((address, query)) if !query.is_empty() => {
            let mut pairs: Vec<_> = query.split('&').collect();
            pairs.sort_unstable();
            format!("{address}?{}", pairs.join("&"))
        }
        Some((address, _)) => address.to_owned(),
        None => url.to_owned(),
    }
}

impl Request {
    /// The first header field `name`, which is written in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The request as text, without what says nothing about the program.
    fn describe(&self) -> String {
        let mut text = format!("{} {}\n", self.method, sort_query(&self.url));
        let headers = self.headers.iter().filter(|(name, _)| !ORDINARY.contains(&name.as_str()));
        let mut headers: Vec<_> =
            headers.map(|(name, value)| format!("  {name}: {}\n", without_chance(value))).collect();
        headers.sort_unstable();
        text.extend(headers);
        if !self.body.is_empty() {
            for line in String::from_utf8_lossy(&self.body).split('\n') {
                writeln!(text, "  | {line}").unwrap();
            }
        }
        text
    }
}

/// A header's value; the signature of a token is left out where it differs every time.
fn without_chance(value: &str) -> String {
    let (before, token) = value.rsplit_once(' ').unwrap_or(("", value));
    let header = token.split('.').next().and_then(|it| BASE64_URL_SAFE_NO_PAD.decode(it).ok());
    let header: Option<Value> = header.and_then(|it| serde_json::from_slice(&it).ok());
    let algorithm = header.as_ref().and_then(|it| it["alg"].as_str()).unwrap_or_default();
    match token.rsplit_once('.') {
        Some((signed, _)) if algorithm.starts_with("ES") || algorithm.starts_with("PS") => {
            format!("{before} {signed}.SIGNATURE").trim_start().to_owned()
        }
        _ => value.to_owned(),
    }
}

/// Answers requests until the client leaves.
fn converse(connection: &TcpStream, script: &Script) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    while let Some(request) = receive(&mut reader)? {
        let unknown = Map::from_iter([
            ("status".to_owned(), Value::from(404)),
            ("json".to_owned(), serde_json::json!({"error": "no rule"})),
        ]);
        let answer = script.answer(&request).unwrap_or(&unknown);
        if answer.contains_key("drop") {
            return Ok(());
        }
        let body = script.body(answer);
        let status = answer.get("status").and_then(Value::as_u64).unwrap_or(200);
        let mut head = format!("HTTP/1.1 {status} \r\n");
        let empty = Map::new();
        let headers = answer.get("headers").and_then(Value::as_object).unwrap_or(&empty);
        if answer.contains_key("json") && !headers.contains_key("Content-Type") {
            head.push_str("Content-Type: application/json\r\n");
        }
        for (name, value) in headers {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        let mut reply = head.into_bytes();
        if request.method != "HEAD" {
            reply.extend(body);
        }
        (&*connection).write_all(&reply)?;
    }
    Ok(())
}

/// The next request; `None` when the client has left.
pub(crate) fn receive(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
        if name == "content-length" {
            length = value.parse().map_err(io::Error::other)?;
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, url, headers, body }))
}
