//! Backoff strategies: how long to wait before a request is sent again.
//!
//! - [`constant`]: `ConstantBackoffStrategy`, always the same time;
//! - [`exponential`]: `ExponentialBackoffStrategy`, twice as long each time;
//! - [`wait_time_from_header`]: `WaitTimeFromHeader`, as long as a header says;
//! - [`wait_until_time_from_header`]: `WaitUntilTimeFromHeader`, until the time that a header says;
//! - [`wait_time_from_response`]: `WaitTimeFromResponse`, as long as a template finds in the body.

pub mod constant;
pub mod exponential;
mod header;
mod max_wait;
pub mod wait_time_from_header;
pub mod wait_time_from_response;
pub mod wait_until_time_from_header;

use super::slot::Member;
use crate::run::RunContext;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<constant::yaml::ConstantBackoffStrategy>(),
    Member::of::<exponential::yaml::ExponentialBackoffStrategy>(),
    Member::of::<wait_time_from_header::yaml::WaitTimeFromHeader>(),
    Member::of::<wait_time_from_response::yaml::WaitTimeFromResponse>(),
    Member::of::<wait_until_time_from_header::yaml::WaitUntilTimeFromHeader>(),
];

/// A wait that is drawn from `seconds` to twice the range above, if there is a range.
fn jitter(seconds: f64, range: Option<f64>, run: &RunContext) -> f64 {
    match range {
        Some(range) => seconds + 2.0 * range * run.random_fraction(),
        None => seconds,
    }
}
