//! The three nested counters of attempts.

use std::time::Duration;

use jiff::Timestamp;

/// How often and how long one layer of retries goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_tries: u64,
    /// Seconds.
    pub(super) max_time: f64,
}

/// One layer of retries: the attempts since an outer layer began the last one of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub(super) n_tries: u64,
    started: Timestamp,
    /// Seconds from the start to the beginning of the latest attempt.
    pub(super) elapsed: f64,
}

impl Layer {
    /// A layer whose first attempt begins now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { n_tries: 1, started: now, elapsed: 0.0 }
    }

    /// Begins the next attempt.
    pub(super) fn begin_try(&mut self, now: Timestamp) {
        self.n_tries += 1;
        self.elapsed = now.duration_since(self.started).as_secs_f64();
    }

    /// Whether the latest attempt was the last one.
    pub(super) fn is_spent(&self, limits: Limits) -> bool {
        self.n_tries >= limits.max_tries || self.elapsed >= limits.max_time
    }

    /// The exponential wait after the latest attempt: 1, 2, 4, … seconds.
    pub(super) fn exponential_wait(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^1024 all waits are infinite")]
        let n_waits = (self.n_tries - 1) as f64;
        n_waits.exp2()
    }
}

/// A wait that may have been computed from anything.
pub(super) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}
