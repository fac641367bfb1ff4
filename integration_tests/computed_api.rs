//! An API on this machine that computes what it answers.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// What is asked: only what follows the host counts.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The parts of the path.
    pub(crate) path: Vec<String>,
    query: BTreeMap<String, String>,
}

impl Asked {
    /// The path from the first line of a request, as `GET /a/b?c=d HTTP/1.1`.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let target = line.split(' ').nth(1)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
        let path = path.split('/').skip(1).map(str::to_owned).collect();
        Some(Self { path, query: pairs.collect() })
    }

    /// The number that the query names so.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The text that the query names so.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }
}

type Answer = dyn Fn(&Asked) -> (u16, Value) + Send + Sync;

/// What becomes of an answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// The connection is reset before anything was read.
    Reset,
    /// The connection is closed in place of an answer.
    Closed,
    /// Another status comes in its place.
    Status(u16),
    /// Half of the body comes.
    Half,
    /// It comes in small pieces.
    Slow,
}

/// A server that answers until it is dropped.
pub(crate) struct ComputedApi {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl ComputedApi {
    /// Answers each request with the status and the body that `answer` gives, whatever the method.
    pub(crate) fn start(answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::start_beyond(|| Way::Open, answer)
    }

    /// As [`Self::start`], but answers go a way that `way` names.
    pub(crate) fn start_beyond(
        way: impl Fn() -> Way + Send + Sync + 'static,
        answer: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        let way: Arc<dyn Fn() -> Way + Send + Sync> = Arc::new(way);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let (answer, stop): (Arc<Answer>, _) = (Arc::new(answer), Arc::clone(&is_over));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, way) = (Arc::clone(&answer), Arc::clone(&way));
                // A client that was killed has gone away in the middle: nobody wants the rest.
                thread::spawn(move || connection.and_then(|it| converse(&it, &*answer, &*way)));
            }
        });
        Self { address, is_over }
    }

    /// The URL of all that is below `path`.
    pub(crate) fn url_of(&self, path: impl Display) -> String {
        format!("http://{}/{path}", self.address)
    }
}

impl Drop for ComputedApi {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // The listener looks up from its waiting, and sees that it is over.
        let _ = TcpStream::connect(self.address);
    }
}

/// Answers requests until the client leaves.
#[expect(clippy::disallowed_methods, reason = "how slow the way is is no affair of the program")]
fn converse(
    connection: &TcpStream,
    answer: &Answer,
    way: &(dyn Fn() -> Way + Send + Sync),
) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    loop {
        if reader.buffer().is_empty() && connection.peek(&mut [0])? == 0 {
            return Ok(());
        }
        let way = way();
        if way == Way::Reset {
            // What is closed with something unread in it is reset.
            return Ok(());
        }
        let mut first = String::new();
        let mut header = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let Some(asked) = Asked::of_line(&first) else { return Ok(()) };
        let (status, body) = match way {
            Way::Status(status) => (status, Value::Null),
            _ => answer(&asked),
        };
        let body = body.to_string();
        let response = format!(
            "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = connection;
        match way {
            Way::Closed => return Ok(()),
            Way::Half => {
                connection
                    .write_all(&response.as_bytes()[..response.len() - body.len() / 2 - 1])?;
                return Ok(());
            }
            Way::Slow => {
                let mut pieces = response.as_bytes().chunks(1 + response.len() / 16);
                pieces.try_for_each(|piece| {
                    thread::sleep(Duration::from_millis(1));
                    connection.write_all(piece)
                })?;
            }
            _ => connection.write_all(response.as_bytes())?,
        }
    }
}
