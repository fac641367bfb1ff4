//! `FixedWindowCallRatePolicy`: so many requests from one reset to the next.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::rate::duration;
use super::{Moment, Window};
use crate::components::BuildError;
use crate::components::request_matcher::yaml::HttpRequestRegexMatcher;
use crate::components::shape::{Text, shape};

/// Until a response says otherwise the first window ends so late, as in the reference.
const FIRST_WINDOW: Duration = Duration::from_hours(10 * 24);

/// The YAML shape.
pub mod yaml {
    use super::{HttpRequestRegexMatcher, Text, shape};

    shape! {
        /// Allows a number of requests in windows that follow one another; responses may say when
        /// the present one ends.
        pub struct FixedWindowCallRatePolicy {
            /// How long a window is, as an ISO 8601 duration.
            period: Text,
            /// Requests in a window.
            call_limit: i64,
            /// The requests it is for; all when there are none.
            matchers: Vec<HttpRequestRegexMatcher>,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct FixedWindow {
    limit: i64,
    period: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    n_calls: i64,
    reset: Moment,
}

impl FixedWindow {
    pub(super) fn build(
        shape: &yaml::FixedWindowCallRatePolicy,
        now: Moment,
    ) -> Result<Self, BuildError> {
        let period = duration(&shape.period)?;
        let state = Mutex::new(State { n_calls: 0, reset: now + FIRST_WINDOW });
        Ok(Self { limit: shape.call_limit, period, state })
    }

    /// Calls `change` with the window that `now` lies in.
    fn with_window<R>(&self, now: Moment, change: impl FnOnce(&mut State) -> R) -> R {
        // A panic while the lock is held cannot leave the two numbers in a bad state.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now > state.reset {
            state.reset += self.period;
            state.n_calls = 0;
        }
        change(&mut state)
    }
}

impl Window for FixedWindow {
    fn limit(&self) -> u32 {
        u32::try_from(self.limit.max(0)).unwrap_or(u32::MAX)
    }

    fn try_acquire(&self, weight: u32, now: Moment) -> Result<(), Duration> {
        self.with_window(now, |state| {
            let n_calls = state.n_calls + i64::from(weight);
            if n_calls > self.limit {
                // The reset itself still belongs to the window it ends.
                return Err(state.reset.saturating_sub(now) + Duration::from_millis(1));
            }
            state.n_calls = n_calls;
            Ok(())
        })
    }

    fn update(&self, left: Option<i64>, reset: Option<Moment>, now: Moment) {
        self.with_window(now, |state| {
            // The server's count never allows more than the limit leaves.
            if let Some(left) = left {
                state.n_calls = state.n_calls.max(self.limit - left);
            }
            if let Some(reset) = reset {
                state.reset = reset;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn window(limit: i64) -> FixedWindow {
        let state = Mutex::new(State { n_calls: 0, reset: seconds(10) });
        FixedWindow { limit, period: seconds(10), state }
    }

    #[test]
    fn counts_start_again_after_the_reset() {
        let window = window(2);
        assert_eq!(window.try_acquire(2, seconds(1)), Ok(()));
        assert_eq!(window.try_acquire(1, seconds(4)), Err(Duration::from_millis(6001)));
        assert_eq!(window.try_acquire(1, seconds(11)), Ok(()));
        assert_eq!(window.try_acquire(2, seconds(11)), Err(Duration::from_millis(9001)));
    }

    #[test]
    fn the_server_only_lowers_what_is_left() {
        let window = window(5);
        window.update(Some(1), Some(seconds(20)), seconds(0));
        window.update(Some(4), None, seconds(0));
        assert_eq!(window.try_acquire(1, seconds(0)), Ok(()));
        assert_eq!(window.try_acquire(1, seconds(0)), Err(Duration::from_millis(20_001)));
    }
}
