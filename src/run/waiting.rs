//! Waits of a run, the long ones of which it tells of.

use std::time::Duration;

use jiff::SignedDuration;
use tracing::info;

use super::{RunContext, ledger};

/// A longer wait is told of when it begins, and when it has taken this long; then after twice the
/// time and so on.
const LONG: Duration = Duration::from_mins(1);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The time that a server gets before it is asked again, after a failure or at its own wish.
    BackOff,
    /// Room in an API budget, or in the quota of a token.
    Budget,
    /// A job that the API works at.
    Job,
}

impl Wait {
    /// What it is waited for: `before a request is made again`.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::BackOff => "before a request is made again",
            Self::Budget => "for room in the budget of requests",
            Self::Job => "for the API to finish a job",
        }
    }
}

/// One wait, which may be made of several pieces.
#[derive(Debug)]
pub struct Waiting<'a> {
    run: &'a RunContext,
    what: Wait,
    waited: Duration,
    /// When it has taken this long, it is told of.
    next_word: Duration,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(run: &'a RunContext, what: Wait) -> Self {
        Self { run, what, waited: Duration::ZERO, next_word: LONG }
    }

    /// Waits for (another) `duration`; a replayed run does not really wait.
    pub async fn wait(&mut self, duration: Duration) {
        if let Some(wait) = self.run.clock.show_wait(self.what, duration) {
            return ledger::spend_waiting(self.what, duration, wait).await;
        }
        if duration > LONG {
            self.tell(&format!("waits {} s", duration.as_secs()), duration);
        }
        let mut left = duration;
        while !left.is_zero() {
            if self.waited >= self.next_word {
                self.tell(&format!("has waited {} s", self.waited.as_secs()), left);
                self.next_word = self.next_word.saturating_mul(2).saturating_add(LONG);
            }
            let piece = left.min(self.next_word.saturating_sub(self.waited));
            ledger::spend_waiting(self.what, piece, self.run.clock.sleep(piece)).await;
            self.waited = self.waited.saturating_add(piece);
            left = left.saturating_sub(piece);
        }
    }

    fn tell(&self, so_far: &str, left: Duration) {
        let stream = ledger::stream();
        let who = stream.map_or_else(|| "The run".to_owned(), |stream| format!("Stream {stream}"));
        let left = SignedDuration::try_from(left).unwrap_or(SignedDuration::MAX);
        let end = self.run.now().saturating_add(left).ok();
        // When a job ends is not known: only when it is looked at again.
        let end = end.filter(|_| self.what != Wait::Job);
        let end = end.map(|end| format!(", until {end:.0}")).unwrap_or_default();
        info!("{who} {so_far} {}{end}.", self.what.purpose());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use tracing::field::{Field, Visit};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    use super::*;
    use crate::run::TapeClock;

    /// Keeps the messages of all events.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl Visit for Heard {
        fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
            self.0.lock().unwrap().push(format!("{value:?}"));
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for Heard {
        fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
            event.record(&mut self.clone());
        }
    }

    /// What is told of a wait in these pieces; afterwards it is so many seconds later.
    #[track_caller]
    fn check(what: Wait, seconds: &[u64], expect: &[&str]) {
        let heard = Heard::default();
        let start = Timestamp::UNIX_EPOCH;
        let clock = Arc::new(TapeClock::replaying(start));
        let run = RunContext::new(clock, StdRng::seed_from_u64(0));
        let account = run.ledger().open("users");
        let waits = account.around(async {
            let mut waiting = run.waiting(what);
            for &seconds in seconds {
                waiting.wait(Duration::from_secs(seconds)).await;
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let subscriber = tracing_subscriber::registry().with(heard.clone());
        tracing::subscriber::with_default(subscriber, || runtime.block_on(waits));
        assert_eq!(*heard.0.lock().unwrap(), expect);
        let waited: u64 = seconds.iter().sum();
        assert_eq!(run.now(), start + Duration::from_secs(waited));
    }

    #[test]
    fn short_waits_are_not_told_of() {
        check(Wait::BackOff, &[0, 60], &[]);
        check(Wait::Job, &[5; 12], &[]);
    }

    #[test]
    fn long_waits_are_told_of_at_growing_intervals() {
        check(
            Wait::BackOff,
            &[600],
            &[
                "Stream users waits 600 s before a request is made again, until 1970-01-01T00:10:00Z.",
                "Stream users has waited 60 s before a request is made again, until 1970-01-01T00:10:00Z.",
                "Stream users has waited 180 s before a request is made again, until 1970-01-01T00:10:00Z.",
                "Stream users has waited 420 s before a request is made again, until 1970-01-01T00:10:00Z.",
            ],
        );
    }

    #[test]
    fn waits_of_many_pieces_count_as_one() {
        check(
            Wait::Job,
            &[5; 40],
            &[
                "Stream users has waited 60 s for the API to finish a job.",
                "Stream users has waited 180 s for the API to finish a job.",
            ],
        );
    }

    #[tokio::test]
    async fn even_an_endless_wait_ends_in_a_replay() {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        run.wait(Wait::Budget, Duration::MAX).await;
    }
}
