//! The binary as a server, and a client for it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::binary::command;

/// When every run begins; as in `golden.rs`.
const START: &str = "2026-01-15T12:00:00Z";

/// No request has this much to do.
const LIMIT: Duration = Duration::from_mins(5);

/// A running server, killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    data: TempDir,
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    head: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|err| panic!("{err}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The events of a stream of them: their names and what they tell.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        assert_eq!(self.header("content-type"), Some("text/event-stream"));
        // The chunks of the transfer are lines of their own, which hold nothing of an event.
        let text = String::from_utf8_lossy(&self.body);
        let names = text.lines().filter_map(|line| line.strip_prefix("event: "));
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let data = data.map(|data| serde_json::from_str(data).unwrap());
        names.map(str::to_owned).zip(data).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|it| it.1)
    }
}

impl Server {
    /// Starts a server with these environment variables, and waits until it listens.
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        Self::start_with(&[], environment)
    }

    /// Starts it with more arguments.
    pub(crate) fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut command = command();
        command.args(["builder", "--bind", "127.0.0.1:0", "--clock", START, "--data"]);
        command.arg(data.path()).args(args).envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut lines = stderr.lines().map(Result::unwrap);
        let found = lines.find_map(|line| {
            let (_, address) = line.split_once("http://")?;
            Some(address.split(['/', ' ']).next()?.to_owned())
        });
        // Whatever else it says must not block it.
        std::thread::spawn(move || lines.count());
        Self { child, address: found.unwrap(), data }
    }

    /// Its process.
    pub(crate) fn process(&self) -> &Child {
        &self.child
    }

    /// Where it keeps projects.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], body.to_string().as_bytes())
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut answer = Vec::new();
        self.ask(method, path, headers, body).read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, body: answer.split_off(end + 4), head }
    }

    /// Sends a request; the answer comes over what is returned, until that is dropped.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let length = body.len().to_string();
        let usual = [
            ("Host", self.address.as_str()),
            ("Connection", "close"),
            ("Content-Length", &length),
            ("Content-Type", "application/json"),
        ];
        let is_usual = |(name, _): &&(&str, &str)| headers.iter().all(|(other, _)| other != name);
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in usual.iter().filter(is_usual).chain(headers) {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        stream
    }

    /// Asks it to end as a platform does; gives its exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
