//! A log of exchanges for browsers and other tools, in the format HAR 1.2.
//!
//! The log is a whole document after each exchange, one line for each, so what is left of a run
//! that was killed can be looked at as well.

mod entry;

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures::stream;
use tracing::warn;

use self::entry::Entry;
use super::super::error::HttpError;
use super::super::request::PreparedRequest;
use super::super::response::{Body, BodyStream, Response};
use super::exchange::{Exchange, mask_text};
use crate::run::{RunContext, ledger};
use crate::value::{Json, Secrets};

/// How many bytes of a body are kept.
const MAX_BODY: usize = 4 << 20;
/// How many more are looked at for secrets, so that none is cut in two and shown.
const MARGIN: usize = 16 << 10;

const END: &str = "\n]}}\n";

/// A log that is being written.
///
/// What cannot be written is warned of; the run goes on.
pub struct Har {
    run: RunContext,
    secrets: Secrets,
    path: PathBuf,
    file: Mutex<LogFile>,
}

struct LogFile {
    file: File,
    /// Where the next entry goes.
    position: u64,
    is_empty: bool,
}

impl Har {
    /// Begins a log at `path`.
    pub fn create(path: &Path, run: RunContext, secrets: Secrets) -> io::Result<Self> {
        let version = env!("CARGO_PKG_VERSION");
        let start = format!(
            "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"source-declarative-manifest\",\
             \"version\":\"{version}\"}},\"entries\":["
        );
        let mut file = File::create(path)?;
        write!(file, "{start}{END}")?;
        let file = LogFile { file, position: start.len() as u64, is_empty: true };
        Ok(Self { run, secrets, path: path.to_owned(), file: Mutex::new(file) })
    }

    /// Ends the log, and masks in it what came to be known as secret after it was written.
    pub fn finish(&self) -> io::Result<()> {
        // A panic while the lock is held leaves an entry that is not whole, which is said below.
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let mut masked = super::successor_of(&self.path, &file.file)?;
        let mut writer = BufWriter::new(masked.as_file_mut());
        for line in BufReader::new(File::open(&self.path)?).lines() {
            let line = line?;
            let (text, comma) = line.strip_suffix(',').map_or((&*line, ""), |text| (text, ","));
            if text.starts_with("{\"startedDateTime\"") {
                let mut entry: Json = serde_json::from_str(text)?;
                mask_all(&mut entry, &self.secrets);
                serde_json::to_writer(&mut writer, &entry)?;
                writeln!(writer, "{comma}")?;
            } else {
                writeln!(writer, "{line}")?;
            }
        }
        writer.flush()?;
        drop(writer);
        masked.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }

    /// A request that is about to be sent, once it may be.
    pub(in crate::http) fn begin(self: &Arc<Self>, request: &Arc<PreparedRequest>) -> Asking {
        Asking {
            har: Arc::clone(self),
            request: Arc::clone(request),
            stream: ledger::stream(),
            time: self.run.now(),
            begun: Instant::now(),
            blocked: Duration::ZERO,
        }
    }

    fn write(&self, exchange: Exchange, facts: &Facts) {
        let mut exchange = exchange;
        exchange.mask(&self.secrets);
        let entry = Entry::new(&exchange, facts, MAX_BODY);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) =
            serde_json::to_vec(&entry).map_err(Into::into).and_then(|it| file.push(&it))
        {
            warn!(%error, path = %self.path.display(), "The HAR cannot be written.");
        }
    }
}

impl std::fmt::Debug for Har {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Har").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LogFile {
    /// Writes an entry and the end over the end that is there.
    fn push(&mut self, entry: &[u8]) -> io::Result<()> {
        let separator = if self.is_empty { "\n" } else { ",\n" };
        let text = [separator.as_bytes(), entry, END.as_bytes()].concat();
        self.file.seek(SeekFrom::Start(self.position))?;
        self.file.write_all(&text)?;
        self.position += (text.len() - END.len()) as u64;
        self.is_empty = false;
        Ok(())
    }
}

/// What an entry says besides request and answer.
#[derive(Debug, Default)]
struct Facts {
    /// For which stream it was.
    stream: Option<String>,
    version: ::http::Version,
    blocked: Duration,
    wait: Duration,
    receive: Duration,
    /// How long the body is, of which not all may be kept.
    body_len: usize,
    /// How many bytes of it came over the wire, where that is known.
    n_received: Option<u64>,
}

/// A request that is being made.
pub(in crate::http) struct Asking {
    har: Arc<Har>,
    request: Arc<PreparedRequest>,
    stream: Option<String>,
    time: jiff::Timestamp,
    begun: Instant,
    blocked: Duration,
}

impl Asking {
    /// The request may be sent now.
    pub(in crate::http) fn sent(&mut self) {
        self.blocked = self.begun.elapsed();
    }

    /// Writes down what the request came to: a body that is still received, when it is here.
    pub(in crate::http) fn end(
        self,
        outcome: Result<Response, HttpError>,
    ) -> Result<Response, HttpError> {
        let mut facts = Facts { stream: self.stream, blocked: self.blocked, ..Facts::default() };
        let mut response = match outcome {
            Ok(response) => response,
            Err(error) => {
                facts.wait = self.begun.elapsed().saturating_sub(self.blocked);
                let exchange = Exchange::new(self.time, &self.request, Err(&error), &[]);
                self.har.write(exchange, &facts);
                return Err(error);
            }
        };
        facts.version = response.transfer.version;
        facts.wait = response.transfer.wait;
        facts.receive = response.transfer.receive;
        facts.n_received =
            response.headers.get("content-length").and_then(|length| length.trim().parse().ok());
        let start = start_of(response.bytes());
        let exchange = Exchange::new(self.time, &self.request, Ok(&response), start);
        match response.take_stream() {
            None => {
                facts.body_len = response.bytes().len();
                self.har.write(exchange, &facts);
            }
            Some(stream) => {
                let start = BytesMut::new();
                let listener = Listener { har: self.har, exchange: Some(exchange), facts, start };
                response.set_body(Body::Stream(listener.listen(stream)));
            }
        }
        Ok(response)
    }
}

/// Hears a body that is still received, and writes the entry when there is no more of it.
struct Listener {
    har: Arc<Har>,
    /// None once it was written.
    exchange: Option<Exchange>,
    facts: Facts,
    /// The start of the body.
    start: BytesMut,
}

impl Listener {
    fn listen(self, stream: BodyStream) -> BodyStream {
        BodyStream::new(stream::unfold((self, stream), |(mut listener, mut stream)| async move {
            let begun = Instant::now();
            let next = stream.next().await;
            listener.facts.receive += begun.elapsed();
            match &next {
                Some(Ok(bytes)) => listener.hear(bytes),
                Some(Err(error)) => listener.end(Some(error)),
                None => listener.end(None),
            }
            next.map(|next| (next, (listener, stream)))
        }))
    }

    fn hear(&mut self, bytes: &Bytes) {
        let room = (MAX_BODY + MARGIN).saturating_sub(self.start.len());
        self.start.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.facts.body_len += bytes.len();
    }

    fn end(&mut self, error: Option<&HttpError>) {
        let Some(mut exchange) = self.exchange.take() else { return };
        exchange.end(start_of(&self.start), error);
        self.har.write(exchange, &self.facts);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// What is kept of a body for now; text ends with a whole letter.
fn start_of(body: &[u8]) -> &[u8] {
    let Some(start) = body.get(..MAX_BODY + MARGIN) else { return body };
    match std::str::from_utf8(start) {
        Err(error) if error.error_len().is_none() => &start[..error.valid_up_to()],
        _ => start,
    }
}

/// Masks secrets in all texts of a value.
fn mask_all(value: &mut Json, secrets: &Secrets) {
    match value {
        Json::String(text) => mask_text(text, secrets),
        Json::Array(items) => items.iter_mut().for_each(|item| mask_all(item, secrets)),
        Json::Object(map) => map.values_mut().for_each(|value| mask_all(value, secrets)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
