//! The clocks a run can be given.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{self, BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};

use super::waiting::Wait;

/// Tells the time and waits.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// Completes after `duration`.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The same, of a clock that shows someone what is waited for.
    fn show_wait(&self, _what: Wait, _duration: Duration) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Whether it tells the same times when the run is repeated.
    fn is_repeatable(&self) -> bool {
        false
    }
}

/// The machine's own clock.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

/// A clock that stands still; waiting for it ends at once.
#[derive(Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        future::ready(()).boxed()
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

/// A clock that moves only when it is waited for: that of a recorded run, and of its replay.
///
/// So both see the same times, however long the requests took. While a run is
/// recorded waiting takes its time; in the replay it does not.
#[derive(Debug)]
pub struct TapeClock {
    now: Arc<Mutex<Timestamp>>,
    is_recording: bool,
}

impl TapeClock {
    /// The clock of a run that is being recorded.
    pub fn recording(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)), is_recording: true }
    }

    /// The clock of the replay of a run that was recorded from `start` on.
    pub fn replaying(start: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(start)), is_recording: false }
    }
}

impl Clock for TapeClock {
    fn now(&self) -> Timestamp {
        // A moment is always whole, also after a panic; the same below.
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let real_wait =
            if self.is_recording { SystemClock.sleep(duration) } else { future::ready(()).boxed() };
        let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let wake_up = self.now().saturating_add(duration).unwrap_or(Timestamp::MAX);
        let now = Arc::clone(&self.now);
        async move {
            real_wait.await;
            let mut now = now.lock().unwrap_or_else(PoisonError::into_inner);
            *now = wake_up.max(*now);
        }
        .boxed()
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_replayed_clock_moves_by_waiting() {
        let clock = TapeClock::replaying(Timestamp::UNIX_EPOCH);
        let (long, short) =
            (clock.sleep(Duration::from_mins(1)), clock.sleep(Duration::from_secs(1)));
        long.await;
        short.await;
        assert_eq!(clock.now().as_second(), 60);
        clock.sleep(Duration::MAX).await;
        assert_eq!(clock.now(), Timestamp::MAX);
    }
}
