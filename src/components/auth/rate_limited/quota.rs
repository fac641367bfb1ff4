//! How many requests each token has left, and which token is used next.

use std::time::Duration;

use crate::components::ReadError;
use crate::protocol::TracedError;
use crate::template::EvalError;
use crate::template::time::DateTime;

/// The shortest wait when all tokens are spent; a reset that is over already must not make us ask
/// the API again and again.
const MIN_WAIT: f64 = 5.0;

/// The longest wait that spreads the last requests.
const MAX_DELAY: f64 = 10.0;

/// A shorter one is not worth waiting for.
const MIN_DELAY: f64 = 0.1;

/// Seconds by which responses may disagree with the quota endpoint about the same window.
const RESET_TOLERANCE: f64 = 60.0;

/// What one token has left of one pool.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quota {
    pub(super) remaining: i64,
    pub(super) reset: DateTime,
    pub(super) limit: i64,
    /// Whether the API counts requests at all; if not, the numbers mean nothing.
    pub(super) is_tracked: bool,
}

impl Quota {
    /// Nothing is known, as the API does not count.
    pub(super) fn untracked(now: DateTime) -> Self {
        Self { remaining: 0, reset: now, limit: 0, is_tracked: false }
    }
}

/// When the last requests are spread over the time that is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reserve {
    /// The part of the limit that is spent slowly.
    pub(super) fraction: f64,
    /// Requests that are spent slowly at least.
    pub(super) min: f64,
}

/// What a request has to do.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// Use this token, after a while.
    Use(usize, Duration),
    /// Wait until a token has requests left again.
    Wait(Duration),
}

/// What a response says of a pool.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) remaining: Option<i64>,
    pub(super) reset: Option<DateTime>,
    pub(super) limit: Option<i64>,
    /// Whether the status says that nothing is left.
    pub(super) is_exhaustion: bool,
}

/// The quotas of all tokens, and whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// By token, then by pool; empty until the API was asked.
    pub(super) quotas: Vec<Vec<Quota>>,
    active: usize,
}

impl Ledger {
    /// The token whose turn it is.
    pub(super) fn active(&self) -> usize {
        self.active
    }

    fn of_pool(&self, pool: usize) -> impl Iterator<Item = &Quota> {
        self.quotas.iter().map(move |quotas| &quotas[pool])
    }

    /// Whether there is nothing to do but wait.
    pub(super) fn is_spent(&self, pool: usize) -> bool {
        self.of_pool(pool).all(|quota| quota.remaining <= 0 && quota.is_tracked)
    }

    /// Takes a request out of a pool; `patience` is what is left of the longest wait, in seconds.
    pub(super) fn take(
        &mut self,
        pool: usize,
        patience: f64,
        reserve: Reserve,
        now: DateTime,
    ) -> Result<Turn, ReadError> {
        loop {
            let token = self.active;
            let quota = &mut self.quotas[token][pool];
            if !quota.is_tracked {
                // Without numbers tokens take turns.
                self.rotate();
                return Ok(Turn::Use(token, Duration::ZERO));
            }
            if quota.remaining > 0 {
                quota.remaining -= 1;
                return Ok(Turn::Use(token, self.delay(pool, reserve, now)?));
            }
            if self.is_spent(pool) {
                return self.wait(pool, patience, now).map(Turn::Wait);
            }
            self.rotate();
        }
    }

    fn rotate(&mut self) {
        self.active = (self.active + 1) % self.quotas.len();
    }

    fn wait(&self, pool: usize, patience: f64, now: DateTime) -> Result<Duration, ReadError> {
        let mut wait = f64::INFINITY;
        for quota in self.of_pool(pool) {
            wait = wait.min(seconds_between(now, quota.reset)?);
        }
        if patience <= 0.0 || wait >= patience {
            let message = "Rate limit is exceeded for all provided tokens.";
            let internal = "Rate limits for all tokens were reached and the next reset exceeds \
                            max_wait_time";
            return Err(ReadError::traced(TracedError::transient(message).with_internal(internal)));
        }
        Ok(Duration::try_from_secs_f64(wait.max(MIN_WAIT).min(patience)).unwrap_or_default())
    }

    /// How long the request waits so that the last ones last until the reset.
    fn delay(&self, pool: usize, reserve: Reserve, now: DateTime) -> Result<Duration, ReadError> {
        #[expect(clippy::cast_precision_loss, reason = "quotas are small")]
        let is_low = |quota: &Quota| {
            quota.remaining as f64 <= reserve.min.max(quota.limit as f64 * reserve.fraction)
        };
        if !self.of_pool(pool).all(|quota| quota.is_tracked && is_low(quota)) {
            return Ok(Duration::ZERO);
        }
        let left: i64 = self.of_pool(pool).map(|quota| quota.remaining.max(0)).sum();
        let seconds = seconds_between(now, self.quotas[self.active][pool].reset)?;
        if left <= 0 || seconds <= 0.0 {
            return Ok(Duration::ZERO);
        }
        #[expect(clippy::cast_precision_loss, reason = "quotas are small")]
        let delay = (seconds / left as f64).min(MAX_DELAY);
        let delay = if delay >= MIN_DELAY { delay } else { 0.0 };
        Ok(Duration::try_from_secs_f64(delay).unwrap_or_default())
    }

    /// Corrects what `token` has left by what a response says.
    pub(super) fn correct(
        &mut self,
        token: usize,
        pool: usize,
        report: &Report,
    ) -> Result<(), ReadError> {
        let Some(quota) = self.quotas.get_mut(token).and_then(|quotas| quotas.get_mut(pool)) else {
            return Ok(());
        };
        if !quota.is_tracked {
            return Ok(());
        }
        let later = match report.reset {
            Some(reset) => Some(seconds_between(quota.reset, reset)?),
            None => None,
        };
        // A limit of a window that is over does not count.
        if let Some(limit) = report.limit.filter(|limit| *limit > 0)
            && later.is_none_or(|later| later >= 0.0)
        {
            quota.limit = limit;
        }
        if let (Some(reset), Some(later)) = (report.reset, later)
            && later > 0.0
        {
            // A new window has begun: what was counted in the old one means nothing.
            quota.reset = reset;
            quota.remaining = report.remaining.unwrap_or(quota.limit);
            return Ok(());
        }
        if let Some(remaining) = report.remaining {
            let is_present = later.is_none_or(|later| later >= -RESET_TOLERANCE);
            if is_present || (remaining <= 0 && report.is_exhaustion) {
                // Responses come in any order: an older, higher count is not believed.
                quota.remaining = quota.remaining.min(remaining);
            }
        }
        Ok(())
    }

    /// Whether another token has requests left, while `token` has none.
    pub(super) fn has_alternative(&self, token: usize, pool: usize) -> bool {
        let Some(quota) = self.quotas.get(token).map(|quotas| &quotas[pool]) else { return false };
        quota.is_tracked && quota.remaining <= 0 && self.of_pool(pool).any(|it| it.remaining > 0)
    }
}

fn seconds_between(start: DateTime, end: DateTime) -> Result<f64, ReadError> {
    Ok(end.since(start).map_err(EvalError::from)?.total_seconds())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESERVE: Reserve = Reserve { fraction: 0.1, min: 5.0 };

    fn at(seconds: i64) -> DateTime {
        DateTime::from_seconds(seconds).unwrap()
    }

    /// Tokens with so many requests left of 100 each, until second 50.
    fn ledger(remaining: &[i64]) -> Ledger {
        let quota = |&remaining: &i64| {
            vec![Quota { remaining, reset: at(50), limit: 100, is_tracked: true }]
        };
        Ledger { quotas: remaining.iter().map(quota).collect(), active: 0 }
    }

    #[track_caller]
    fn check(ledger: &mut Ledger, expect: &[usize]) {
        let used = expect.iter().map(|_| match ledger.take(0, 99.0, RESERVE, at(0)).unwrap() {
            Turn::Use(token, _) => token,
            Turn::Wait(wait) => panic!("waits {wait:?}"),
        });
        assert_eq!(used.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn a_spent_token_makes_room_for_the_next() {
        let mut ledger = ledger(&[1, 0, 2]);
        check(&mut ledger, &[0, 2, 2]);
        assert_eq!(
            ledger.take(0, 99.0, RESERVE, at(0)).unwrap(),
            Turn::Wait(Duration::from_secs(50))
        );
        assert_eq!(
            ledger.take(0, 99.0, RESERVE, at(49)).unwrap(),
            Turn::Wait(Duration::from_secs(5))
        );
        assert!(ledger.take(0, 50.0, RESERVE, at(0)).is_err());
    }

    #[test]
    fn without_numbers_tokens_take_turns() {
        let mut ledger = ledger(&[1, 1]);
        for quotas in &mut ledger.quotas {
            quotas[0] = Quota::untracked(at(0));
        }
        check(&mut ledger, &[0, 1, 0]);
    }

    #[test]
    fn the_last_requests_are_spread() {
        let delay = |remaining: &[i64]| ledger(remaining).take(0, 99.0, RESERVE, at(0)).unwrap();
        assert_eq!(delay(&[12, 12]), Turn::Use(0, Duration::ZERO));
        assert_eq!(delay(&[6, 5]), Turn::Use(0, Duration::from_secs(5)));
        assert_eq!(delay(&[2, 0]), Turn::Use(0, Duration::from_secs(10)));
    }

    #[track_caller]
    fn check_report(report: &Report, expect: (i64, i64, i64)) {
        let mut ledger = ledger(&[20]);
        ledger.correct(0, 0, report).unwrap();
        let quota = &ledger.quotas[0][0];
        let reset = quota.reset.utc_micros() / 1_000_000;
        assert_eq!((quota.remaining, reset, quota.limit), expect);
    }

    #[test]
    fn responses_correct_the_count() {
        let report = |remaining: Option<i64>, reset: Option<i64>, limit: Option<i64>| Report {
            remaining,
            reset: reset.map(at),
            limit,
            is_exhaustion: false,
        };
        check_report(&report(Some(7), None, None), (7, 50, 100));
        check_report(&report(Some(30), None, None), (20, 50, 100));
        check_report(&report(Some(30), Some(60), None), (30, 60, 100));
        check_report(&report(None, Some(60), Some(40)), (40, 60, 40));
        check_report(&report(Some(3), Some(45), Some(40)), (3, 50, 100));
        check_report(&report(Some(0), Some(-99), None), (20, 50, 100));
        let exhausted = Report { is_exhaustion: true, ..report(Some(0), Some(-99), None) };
        check_report(&exhausted, (0, 50, 100));
    }
}
