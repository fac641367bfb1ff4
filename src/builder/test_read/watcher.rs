//! Someone who watches a test read while it goes on, and cuts its waits short.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{self, BoxFuture};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::sync::{Notify, mpsc};

use crate::components::{Asking, Purpose};
use crate::protocol::Level;
use crate::run::{Clock, Wait};
use crate::value::Json;

/// How many events may wait for whoever watches; who is slower than that misses some.
const QUEUED_EVENTS: usize = 4096;

/// What happens during a test read; all secrets are masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// A request is sent.
    Request {
        /// Counted from 1.
        id: u64,
        /// What it is made for: `stream`, `parent`, `schema`, `auth`, …
        kind: &'static str,
        /// The name of the stream, or of what else is read as one is.
        stream: String,
        /// Its method.
        method: String,
        /// Where it goes.
        url: String,
        /// Since the test read began.
        at_ms: u64,
    },
    /// A request was answered.
    Response {
        /// Of the request.
        id: u64,
        /// Of the response.
        status: u16,
        /// The length of the body.
        bytes: usize,
        /// When its head was there; since the test read began, as `at_ms`.
        first_byte_ms: u64,
        /// When all of it was.
        at_ms: u64,
    },
    /// A request came to no answer.
    Unanswered {
        /// Of the request.
        id: u64,
        /// Why.
        message: String,
        /// Since the test read began.
        at_ms: u64,
    },
    /// Records were read.
    Records {
        /// All of them so far.
        count: usize,
    },
    /// A slice is about to be read.
    Slice {
        /// Counted from 0.
        index: usize,
        /// Its partition and its window.
        descriptor: Json,
    },
    /// Nothing is done for some time.
    Wait {
        /// Counted from 1; see [`Watcher::skip`].
        wait: u64,
        /// How long.
        seconds: f64,
        /// What for.
        reason: String,
        /// Since the test read began.
        at_ms: u64,
    },
    /// A wait is over, or was cut short.
    WaitEnded {
        /// Which one.
        wait: u64,
        /// Since the test read began.
        at_ms: u64,
    },
    /// A line of the log.
    Log {
        /// How much it matters.
        level: Level,
        /// What happened.
        message: String,
    },
}

/// Gets all events of one test read, and can cut its waits short; clones watch the same.
#[derive(Clone)]
pub struct Watcher(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    began: Timestamp,
    events: Option<mpsc::Sender<Event>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    n_requests: u64,
    n_waits: u64,
    waits: HashMap<u64, Arc<Notify>>,
    /// How far waits that were cut short have moved the clock.
    ahead: SignedDuration,
    last_line: String,
}

impl State {
    fn reason(&self, what: Wait) -> String {
        // A failure is told of right before its wait.
        match what {
            Wait::BackOff if !self.last_line.is_empty() => self.last_line.clone(),
            what => what.purpose().to_owned(),
        }
    }
}

impl Watcher {
    /// A watcher whose events come out of the channel; `clock` is the one that is waited for.
    pub fn new(clock: Arc<dyn Clock>) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(QUEUED_EVENTS);
        (Self::with(clock, Some(events)), receiver)
    }

    /// A watcher that nobody listens to.
    pub fn silent(clock: Arc<dyn Clock>) -> Self {
        Self::with(clock, None)
    }

    fn with(clock: Arc<dyn Clock>, events: Option<mpsc::Sender<Event>>) -> Self {
        let began = clock.now();
        Self(Arc::new(Shared { clock, began, events, state: Mutex::default() }))
    }

    /// Ends a wait at once: for the test read its time has passed. Tells whether there was one.
    pub fn skip(&self, wait: u64) -> bool {
        let waiting = self.state().waits.get(&wait).cloned();
        waiting.map(|it| it.notify_one()).is_some()
    }

    /// The clock that a test read has to have, so that its waits are events.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(self.clone())
    }

    pub(super) fn tell(&self, event: Event) {
        if let Some(events) = &self.0.events {
            // Who is gone, or too slow, misses it; the answer has it all the same.
            let _ = events.try_send(event);
        }
    }

    /// Tells of a line of the log.
    pub(super) fn log(&self, level: Level, message: &str) {
        message.clone_into(&mut self.state().last_line);
        self.tell(Event::Log { level, message: message.to_owned() });
    }

    /// Tells of a request, which goes to `url`; gives its number.
    pub(super) fn asked(&self, asking: &Asking<'_>, url: String) -> u64 {
        let id = {
            let mut state = self.state();
            state.n_requests += 1;
            state.n_requests
        };
        self.tell(Event::Request {
            id,
            kind: kind(asking),
            stream: asking.stream.to_owned(),
            method: asking.request.method.to_string(),
            url,
            at_ms: self.at_ms(),
        });
        id
    }

    /// Milliseconds since the test read began.
    pub(super) fn at_ms(&self) -> u64 {
        let passed = self.0.clock.now().duration_since(self.0.began);
        u64::try_from(passed.as_millis()).unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that can panic runs under the lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a request is made for, in one word.
fn kind(asking: &Asking<'_>) -> &'static str {
    match asking.purpose {
        Purpose::Records if asking.is_parent => "parent",
        Purpose::Records => "stream",
        Purpose::Schema => "schema",
        Purpose::NestedList => "nested_list",
        Purpose::Login | Purpose::TokenRefresh => "auth",
        Purpose::JobCreation { .. } => "async_create",
        Purpose::JobPoll => "async_poll",
        Purpose::JobAbort => "async_abort",
        Purpose::JobRemoval => "async_delete",
        Purpose::Other => "other",
    }
}

impl Clock for Watcher {
    fn now(&self) -> Timestamp {
        let ahead = self.state().ahead;
        let now = self.0.clock.now();
        now.saturating_add(ahead).unwrap_or(now)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.clock.sleep(duration)
    }

    fn show_wait(&self, what: Wait, duration: Duration) -> Option<BoxFuture<'static, ()>> {
        if duration.is_zero() {
            return None;
        }
        let watcher = self.clone();
        let waiting = async move {
            let skipped = Arc::new(Notify::new());
            let (wait, reason) = {
                let mut state = watcher.state();
                state.n_waits += 1;
                let wait = state.n_waits;
                state.waits.insert(wait, Arc::clone(&skipped));
                (wait, state.reason(what))
            };
            let (seconds, at_ms) = (duration.as_secs_f64(), watcher.at_ms());
            watcher.tell(Event::Wait { wait, seconds, reason, at_ms });
            let began = watcher.0.clock.now();
            future::select(watcher.0.clock.sleep(duration), Box::pin(skipped.notified())).await;
            let waited = watcher.0.clock.now().duration_since(began);
            let whole = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
            {
                let mut state = watcher.state();
                state.waits.remove(&wait);
                let rest = whole.saturating_sub(waited).max(SignedDuration::ZERO);
                state.ahead = state.ahead.saturating_add(rest);
            }
            watcher.tell(Event::WaitEnded { wait, at_ms: watcher.at_ms() });
        };
        Some(waiting.boxed())
    }

    fn is_repeatable(&self) -> bool {
        self.0.clock.is_repeatable()
    }
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("began", &self.0.began).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::run::{FixedClock, RunContext, TapeClock};

    /// A clock that is never done waiting.
    struct Endless;

    impl Clock for Endless {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            future::pending().boxed()
        }
    }

    fn run(watcher: &Watcher) -> RunContext {
        RunContext::new(watcher.clock(), StdRng::seed_from_u64(0))
    }

    #[tokio::test]
    async fn a_wait_that_is_skipped_has_passed() {
        let (watcher, mut events) = Watcher::new(Arc::new(Endless));
        let run = run(&watcher);
        let skipping = async {
            let Some(Event::Wait { wait, seconds, .. }) = events.recv().await else {
                panic!("no wait")
            };
            assert_eq!(Duration::from_secs_f64(seconds), Duration::from_hours(1));
            assert!(watcher.skip(wait) && !watcher.skip(wait + 1));
        };
        tokio::join!(run.wait(Wait::BackOff, Duration::from_hours(1)), skipping);
        assert_eq!(run.now().as_second(), 3600);
        assert!(matches!(events.recv().await, Some(Event::WaitEnded { wait: 1, .. })));
        assert!(!watcher.skip(1));
    }

    #[tokio::test]
    async fn a_wait_to_its_end_moves_nothing() {
        let tape = Arc::new(TapeClock::replaying(Timestamp::UNIX_EPOCH));
        let run = run(&Watcher::silent(tape));
        run.wait(Wait::Job, Duration::from_mins(1)).await;
        assert_eq!((run.now().as_second(), run.is_repeatable()), (60, true));
    }

    #[tokio::test]
    async fn waits_say_what_they_are_for() {
        let tape = Arc::new(TapeClock::replaying(Timestamp::UNIX_EPOCH));
        let (watcher, mut events) = Watcher::new(tape);
        let run = run(&watcher);
        watcher.log(Level::Info, "too many requests");
        for (what, expect) in [
            (Wait::BackOff, "too many requests"),
            (Wait::Budget, "for room in the budget of requests"),
            (Wait::Job, "for the API to finish a job"),
        ] {
            run.wait(what, Duration::from_secs(1)).await;
            let told = std::iter::from_fn(|| events.try_recv().ok());
            let reasons = told.filter_map(|event| match event {
                Event::Wait { reason, .. } => Some(reason),
                _ => None,
            });
            assert_eq!(reasons.collect::<Vec<_>>(), [expect]);
        }
    }

    #[tokio::test]
    async fn who_does_not_listen_holds_nothing_up() {
        let (watcher, events) = Watcher::new(Arc::new(FixedClock(Timestamp::UNIX_EPOCH)));
        (0..2 * QUEUED_EVENTS).for_each(|_| watcher.log(Level::Info, "x"));
        assert_eq!(events.len(), QUEUED_EVENTS);
    }
}
