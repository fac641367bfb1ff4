//! Error handlers: what a response, or the lack of one, means.
//!
//! - [`default`]: `DefaultErrorHandler`, filters, and what everybody knows of a status;
//! - [`response_filter`]: `HttpResponseFilter`, what some responses mean;
//! - [`composite`]: `CompositeErrorHandler`, several handlers, one after the other.

pub mod composite;
pub mod default;
mod default_mapping;
pub mod response_filter;

use std::sync::Arc;

use super::slot::Member;
use super::{BackoffStrategy, ReadError};
use crate::http::Outcome;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<composite::yaml::CompositeErrorHandler>(),
    Member::of::<default::yaml::DefaultErrorHandler>(),
];

/// The wait of the first strategy that knows one; zero is no wait.
fn first_backoff(
    strategies: &[Arc<dyn BackoffStrategy>],
    attempt: u32,
    outcome: Outcome<'_>,
) -> Result<Option<f64>, ReadError> {
    for strategy in strategies {
        let wait = strategy.backoff(attempt, outcome.ok())?.filter(|seconds| *seconds != 0.0);
        if wait.is_some() {
            return Ok(wait);
        }
    }
    Ok(None)
}
