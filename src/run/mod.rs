//! What one run may know of the outside world: time, waiting, and chance.
//!
//! Nothing else reads the wall clock or randomness, so a run that is given the
//! clock and the seed of an earlier one repeats it to the byte.

mod clock;
pub mod ledger;
mod waiting;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::ledger::Ledger;
pub use clock::{Clock, FixedClock, SystemClock, TapeClock};
pub use waiting::{Wait, Waiting};

/// The clock, the source of randomness, and the accounts of one run; clones share them.
#[derive(Clone)]
pub struct RunContext {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
    ledger: Arc<Ledger>,
}

impl RunContext {
    /// The context of an ordinary run: the machine's clock and its randomness.
    pub fn system() -> Self {
        Self::new(Arc::new(SystemClock), StdRng::from_rng(&mut rand::rng()))
    }

    /// A context that stands still at `now` and whose randomness always is the same.
    pub fn fixed(now: Timestamp) -> Self {
        Self::new(Arc::new(FixedClock(now)), StdRng::seed_from_u64(0))
    }

    /// A context over any clock, with randomness from `random`.
    pub fn new(clock: Arc<dyn Clock>, random: StdRng) -> Self {
        Self { clock, random: Arc::new(Mutex::new(random)), ledger: Arc::default() }
    }

    /// The present moment of this run.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits; a replayed run does not really wait.
    pub async fn wait(&self, what: Wait, duration: Duration) {
        self.waiting(what).wait(duration).await;
    }

    /// A wait that may be made of several pieces.
    pub fn waiting(&self, what: Wait) -> Waiting<'_> {
        Waiting::new(self, what)
    }

    /// What the run's time goes into.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the run is one that can be repeated to the byte, as it is recorded or replayed;
    /// it must leave nothing to chance then.
    pub fn is_repeatable(&self) -> bool {
        self.clock.is_repeatable()
    }

    /// Fills `bytes` with randomness.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        // A panic while the lock is held cannot leave the generator in a bad state.
        self.random.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }

    /// A number drawn uniformly from `[0, 1)`.
    pub fn random_fraction(&self) -> f64 {
        let mut bytes = [0; 8];
        self.fill_random(&mut bytes);
        // The upper 53 bits are what a double holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
        let numerator = (u64::from_le_bytes(bytes) >> 11) as f64;
        numerator / 9_007_199_254_740_992.0
    }

    /// A random (version 4) UUID.
    pub fn uuid(&self) -> uuid::Uuid {
        let mut bytes = [0; 16];
        self.fill_random(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The clock of a run, for what is run within it.
impl Clock for RunContext {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    fn is_repeatable(&self) -> bool {
        self.clock.is_repeatable()
    }
}

impl std::fmt::Debug for RunContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunContext").field("now", &self.now()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_context_repeats_itself() {
        let draw = || {
            let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
            (run.now(), run.uuid(), run.random_fraction().to_bits())
        };
        assert_eq!(draw(), draw());
    }

    #[test]
    fn fractions_stay_below_one() {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        assert!((0..1000).all(|_| (0.0..1.0).contains(&run.random_fraction())));
    }
}
