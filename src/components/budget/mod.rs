//! API budgets: how many requests an API allows, and the waits that keep to it.
//!
//! - [`http_api`]: `HTTPAPIBudget`, the policies that requests are counted by;
//! - [`fixed_window`]: `FixedWindowCallRatePolicy`, so many from one reset to the next;
//! - [`moving_window`]: `MovingWindowCallRatePolicy`, so many in any span of time;
//! - [`unlimited`]: `UnlimitedCallRatePolicy`, any number;
//! - [`rate`]: `Rate`, a number and a span of time.

mod clock;
pub mod fixed_window;
pub mod http_api;
pub mod moving_window;
pub mod rate;
pub mod unlimited;

use std::time::Duration;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[Member::of::<http_api::yaml::HTTPAPIBudget>()];

/// Time since the budget was made.
type Moment = Duration;

/// Counts the requests of one kind.
trait Window: Send + Sync {
    /// The heaviest request that can ever pass.
    fn limit(&self) -> u32;

    /// Takes `weight` requests, or says how long to wait before trying again.
    fn try_acquire(&self, weight: u32, now: Moment) -> Result<(), Duration>;

    /// Learns how many requests the server says are left, and when there will be more.
    fn update(&self, left: Option<i64>, reset: Option<Moment>, now: Moment);
}
