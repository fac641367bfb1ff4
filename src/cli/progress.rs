//! How far a read is, as one line on stderr for who watches it.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::http::{HttpError, PreparedRequest, Response, Transport};
use crate::protocol::{Writer, writer};
use crate::run::{Clock, SystemClock};

/// How often the line is drawn.
const INTERVAL: Duration = Duration::from_millis(200);
/// Erases the line, and goes to its start.
const ERASE: &str = "\r\x1b[2K";

/// What a run counts while it goes on; clones count together.
#[derive(Clone, Debug, Default)]
pub(super) struct Counters {
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    n_requests: AtomicU64,
    waits_for: Mutex<Option<String>>,
}

impl Counters {
    /// A request was answered, so nothing is waited for any more.
    fn answered(&self) {
        self.counts.n_requests.fetch_add(1, Ordering::Relaxed);
        self.set_wait(None);
    }

    /// The run goes on only when `what` has come.
    fn waits_for(&self, what: String) {
        self.set_wait(Some(what));
    }

    fn set_wait(&self, what: Option<String>) {
        *self.counts.waits_for.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    fn snapshot(&self, n_records: u64, elapsed: Duration) -> Snapshot {
        let waits_for = &self.counts.waits_for;
        Snapshot {
            n_records,
            n_requests: self.counts.n_requests.load(Ordering::Relaxed),
            elapsed,
            waits_for: waits_for.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// A transport whose exchanges are counted.
pub(super) struct WatchedTransport<T> {
    inner: T,
    counters: Counters,
}

impl<T> WatchedTransport<T> {
    pub(super) fn new(inner: T, counters: Counters) -> Self {
        Self { inner, counters }
    }
}

impl<T: Transport> Transport for WatchedTransport<T> {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        let exchange = self.inner.exchange(request);
        let counted = async {
            // The host only: paths and queries may hold secrets.
            let host = request.url.split('/').nth(2).unwrap_or("the server");
            self.counters.waits_for(host.to_owned());
            let answer = exchange.await;
            self.counters.answered();
            answer
        };
        counted.boxed()
    }
}

/// The machine's clock, which tells what waits are asked of it.
pub(super) struct WatchedClock {
    counters: Counters,
}

impl WatchedClock {
    pub(super) fn new(counters: Counters) -> Self {
        Self { counters }
    }
}

impl Clock for WatchedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.counters.waits_for(format!("{} s to pass", duration.as_secs_f64().ceil()));
        SystemClock.sleep(duration)
    }
}

/// The line, redrawn by a thread until this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    /// Ends the thread when it is dropped.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Shows the progress if somebody can see it: if stderr is a terminal, and
    /// stdout, whose lines would get in between, is none.
    pub(super) fn show(counters: &Counters, writer: &Writer) -> Option<Self> {
        let is_seen = io::stderr().is_terminal() && !writer::is_terminal();
        let (counters, writer) = (counters.clone(), writer.clone());
        let (stop, stopped) = mpsc::channel();
        let draw = move || {
            let started = Instant::now();
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                draw(&counters.snapshot(writer.n_records(), started.elapsed()).to_string());
            }
            draw("");
        };
        let thread =
            is_seen.then(|| thread::Builder::new().name("progress".to_owned()).spawn(draw));
        Some(Self { stop: Some(stop), thread: Some(thread?.ok()?) })
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say that would matter now.
            let _ = thread.join();
        }
    }
}

/// Draws the line anew; nothing depends on its being seen.
fn draw(line: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{ERASE}{line}");
    let _ = stderr.flush();
}

struct Snapshot {
    n_records: u64,
    n_requests: u64,
    elapsed: Duration,
    waits_for: Option<String>,
}

impl std::fmt::Display for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.elapsed.as_millis().max(1);
        let rate = u128::from(self.n_records) * 1000 / millis;
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        let [records, requests, rate] = [self.n_records, self.n_requests, rate].map(grouped);
        write!(f, "{records} records, {requests} requests, {rate} records/s")?;
        match &self.waits_for {
            Some(what) => write!(f, ", waiting for {what}"),
            None => Ok(()),
        }
    }
}

/// The digits of a number in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (digit_idx, digit) in digits.chars().enumerate() {
        if digit_idx > 0 && (digits.len() - digit_idx).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counters: &Counters, elapsed: Duration, expect: &str) {
        assert_eq!(counters.snapshot(0, elapsed).to_string(), expect);
    }

    #[test]
    fn the_line_says_what_is_waited_for_until_an_answer_comes() {
        let counters = Counters::default();
        check(&counters, Duration::ZERO, "0 records, 0 requests, 0 records/s");
        counters.waits_for("12 s to pass".to_owned());
        check(
            &counters,
            Duration::from_secs(1),
            "0 records, 0 requests, 0 records/s, waiting for 12 s to pass",
        );
        counters.answered();
        check(&counters, Duration::from_secs(1), "0 records, 1 requests, 0 records/s");
    }

    #[test]
    fn large_numbers_are_grouped() {
        let snapshot = Snapshot {
            n_records: 1_234_567,
            n_requests: 999,
            elapsed: Duration::from_millis(1_500),
            waits_for: None,
        };
        let expect = "1,234,567 records, 999 requests, 823,044 records/s";
        assert_eq!(snapshot.to_string(), expect);
    }
}
