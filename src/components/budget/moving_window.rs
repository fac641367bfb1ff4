//! `MovingWindowCallRatePolicy`: so many requests in any span of time.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::clock::BudgetClock;
use super::rate::{self, Rate};
use super::{Moment, Window};
use crate::components::request_matcher::yaml::HttpRequestRegexMatcher;
use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError};

/// The YAML shape.
pub mod yaml {
    use super::{HttpRequestRegexMatcher, rate, shape};

    shape! {
        /// Allows a number of requests in every span of time that ends now.
        pub struct MovingWindowCallRatePolicy {
            /// Numbers and spans; all of them are kept to.
            rates: Vec<rate::yaml::Rate>,
            /// The requests it is for; all when there are none.
            matchers: Vec<HttpRequestRegexMatcher>,
        }
    }
}

/// The window that keeps to `rates`: a constant rate needs no list of earlier requests.
pub(super) fn build(
    shape: &yaml::MovingWindowCallRatePolicy,
    clock: &BudgetClock,
    cx: &BuildContext<'_>,
) -> Result<Box<dyn Window>, BuildError> {
    let rates: Vec<_> =
        shape.rates.iter().map(|rate| Rate::build(rate, cx)).collect::<Result<_, _>>()?;
    if let [Rate { limit: 1, interval }] = rates[..]
        && let Some(rate) = ConstantRate::new(interval, clock.clone())
    {
        return Ok(Box::new(rate));
    }
    if rates.is_empty() {
        return Err(BuildError::in_span(shape.span, "The list of rates can not be empty"));
    }
    Ok(Box::new(MovingWindow { rates, calls: Mutex::default() }))
}

/// Remembers the requests of the longest span.
#[derive(Debug)]
struct MovingWindow {
    rates: Vec<Rate>,
    /// When requests were made, the oldest first, and what they count.
    calls: Mutex<VecDeque<(Moment, u32)>>,
}

impl MovingWindow {
    fn with_calls<R>(
        &self,
        now: Moment,
        look: impl FnOnce(&mut VecDeque<(Moment, u32)>) -> R,
    ) -> R {
        // A panic while the lock is held cannot leave a list in a bad state.
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = self.rates.iter().map(|rate| rate.interval).max().unwrap_or_default();
        while calls.front().is_some_and(|(made, _)| *made + longest < now) {
            calls.pop_front();
        }
        look(&mut calls)
    }
}

/// What the calls count that lie within `interval` before `now`, its beginning included.
fn count(calls: &VecDeque<(Moment, u32)>, interval: Duration, now: Moment) -> u32 {
    calls
        .iter()
        .rev()
        .take_while(|(made, _)| *made + interval >= now)
        .map(|(_, weight)| weight)
        .sum()
}

/// How long until `weight` fits into `rate`, if it does not now.
fn wait(calls: &VecDeque<(Moment, u32)>, rate: Rate, weight: u32, now: Moment) -> Option<Duration> {
    let mut excess = (count(calls, rate.interval, now) + weight).saturating_sub(rate.limit);
    if excess == 0 {
        return None;
    }
    let in_window = calls.iter().skip_while(|(made, _)| *made + rate.interval < now);
    let mut last_in_excess = in_window.skip_while(|(_, weight)| {
        excess = excess.saturating_sub(*weight);
        excess > 0
    });
    // Its limit is not below any weight, so there is one.
    let (made, _) = last_in_excess.next()?;
    // A call still counts at the very end of its span.
    Some((*made + rate.interval + Duration::from_millis(1)).saturating_sub(now))
}

impl Window for MovingWindow {
    fn limit(&self) -> u32 {
        self.rates.iter().map(|rate| rate.limit).min().unwrap_or_default()
    }

    fn try_acquire(&self, weight: u32, now: Moment) -> Result<(), Duration> {
        self.with_calls(now, |calls| {
            let waits = self.rates.iter().filter_map(|rate| wait(calls, *rate, weight, now));
            if let Some(wait) = waits.max() {
                return Err(wait);
            }
            calls.push_back((now, weight));
            Ok(())
        })
    }

    /// Only that nothing is left can be written down as requests, and only
    /// without a reset, as in the reference.
    fn update(&self, left: Option<i64>, reset: Option<Moment>, now: Moment) {
        if left != Some(0) || reset.is_some() {
            return;
        }
        self.with_calls(now, |calls| {
            let left = self
                .rates
                .iter()
                .map(|rate| rate.limit.saturating_sub(count(calls, rate.interval, now)))
                .min();
            if let Some(left @ 1..) = left {
                calls.push_back((now, left));
            }
        });
    }
}

/// One request at a time, at equal distances.
#[derive(Debug)]
struct ConstantRate {
    limiter: RateLimiter<NotKeyed, InMemoryState, BudgetClock, NoOpMiddleware<Nanos>>,
    clock: BudgetClock,
}

impl ConstantRate {
    /// `None` for an interval of no length.
    fn new(interval: Duration, clock: BudgetClock) -> Option<Self> {
        let quota = Quota::with_period(interval)?.allow_burst(NonZeroU32::MIN);
        Some(Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock })
    }
}

impl Window for ConstantRate {
    fn limit(&self) -> u32 {
        1
    }

    fn try_acquire(&self, _: u32, _: Moment) -> Result<(), Duration> {
        self.limiter.check().map_err(|not_until| not_until.wait_time_from(Clock::now(&self.clock)))
    }

    fn update(&self, left: Option<i64>, reset: Option<Moment>, _: Moment) {
        if left == Some(0) && reset.is_none() {
            // It does not matter whether the request could have been made.
            let _ = self.limiter.check();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(rates: &[(u32, u64)]) -> MovingWindow {
        let rate = |&(limit, seconds)| Rate { limit, interval: Duration::from_secs(seconds) };
        MovingWindow { rates: rates.iter().map(rate).collect(), calls: Mutex::default() }
    }

    /// Requests at these milliseconds, each waiting as long as it has to; when they are made.
    #[track_caller]
    fn check(window: &dyn Window, asked: &[u64], expect: &[u64]) {
        let mut now = Duration::ZERO;
        let made: Vec<_> = asked
            .iter()
            .map(|asked| {
                now = now.max(Duration::from_millis(*asked));
                while let Err(wait) = window.try_acquire(1, now) {
                    now += wait;
                }
                u64::try_from(now.as_millis()).unwrap()
            })
            .collect();
        assert_eq!(made, expect);
    }

    #[test]
    fn a_request_waits_until_another_leaves_the_window() {
        check(&window(&[(2, 1)]), &[0, 100, 200, 300], &[0, 100, 1001, 1101]);
    }

    #[test]
    fn all_rates_are_kept() {
        check(&window(&[(1, 1), (2, 10)]), &[0, 0, 0], &[0, 1001, 10_001]);
    }

    #[test]
    fn nothing_left_fills_the_window() {
        let window = window(&[(3, 1)]);
        window.update(Some(0), Some(Duration::ZERO), Duration::ZERO);
        check(&window, &[0], &[0]);
        window.update(Some(0), None, Duration::ZERO);
        check(&window, &[0], &[1001]);
    }

    #[test]
    fn weights_count() {
        let window = window(&[(3, 1)]);
        assert_eq!(window.try_acquire(2, Duration::ZERO), Ok(()));
        assert_eq!(window.try_acquire(2, Duration::ZERO), Err(Duration::from_millis(1001)));
        assert_eq!(window.try_acquire(1, Duration::ZERO), Ok(()));
    }

    #[tokio::test]
    async fn a_constant_rate_needs_no_list() {
        let clock = BudgetClock::new(&crate::run::RunContext::fixed(jiff::Timestamp::UNIX_EPOCH));
        let rate = ConstantRate::new(Duration::from_hours(1), clock.clone()).unwrap();
        assert_eq!(rate.try_acquire(1, clock.now()), Ok(()));
        let wait = rate.try_acquire(1, clock.now()).unwrap_err();
        clock.wait(&mut clock.waiting(), wait).await;
        assert_eq!(rate.try_acquire(1, clock.now()), Ok(()));
    }
}
