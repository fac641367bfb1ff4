//! The time that budgets count in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::nanos::Nanos;
use jiff::Timestamp;

use super::Moment;
use crate::run::{RunContext, Wait, Waiting};

/// Goes on even when the wall clock does not: with the machine's steady clock, and by the waits of
/// a run that does not really wait; only by them in a run that can be repeated.
#[derive(Clone, Debug)]
pub(super) struct BudgetClock {
    run: RunContext,
    start: Timestamp,
    origin: Instant,
    /// Nanoseconds of waits that did not take place.
    skipped: Arc<AtomicU64>,
}

impl BudgetClock {
    pub(super) fn new(run: &RunContext) -> Self {
        let (run, start) = (run.clone(), run.now());
        Self { run, start, origin: Instant::now(), skipped: Arc::default() }
    }

    pub(super) fn now(&self) -> Moment {
        let skipped = Duration::from_nanos(self.skipped.load(Ordering::Relaxed));
        // A replay makes the waits of the recording, however long requests took then.
        if self.run.is_repeatable() { skipped } else { self.origin.elapsed() + skipped }
    }

    /// The moment of a time in seconds since 1970; what is past is now.
    pub(super) fn moment_of(&self, epoch_seconds: i64) -> Moment {
        let start = self.start.as_duration();
        let since = jiff::SignedDuration::from_secs(epoch_seconds).saturating_sub(start);
        Duration::try_from(since).unwrap_or_default()
    }

    /// What one request has to wait.
    pub(super) fn waiting(&self) -> Waiting<'_> {
        self.run.waiting(Wait::Budget)
    }

    /// Waits; afterwards it is later by at least `wait`.
    pub(super) async fn wait(&self, waiting: &mut Waiting<'_>, wait: Duration) {
        let end = self.now() + wait;
        waiting.wait(wait).await;
        let missing = end.saturating_sub(self.now());
        let missing = u64::try_from(missing.as_nanos()).unwrap_or(u64::MAX);
        self.skipped.fetch_add(missing, Ordering::Relaxed);
    }
}

impl governor::clock::Clock for BudgetClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        BudgetClock::now(self).into()
    }
}
