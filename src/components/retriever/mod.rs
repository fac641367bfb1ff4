//! Reading the records of a slice.
//!
//! - [`simple`]: `SimpleRetriever`, page by page, with what may happen on the way in
//!   [`pagination_reset`], [`page_size_reduction`], and [`request_window_splitting`]; what of it
//!   excludes one another is in [`restrictions`], and what is asked for ahead in [`prefetch`],
//!   and what never ends in [`loop_guard`];
//! - [`async_job`]: `AsyncRetriever`, from jobs that the API has to do first.

pub mod async_job;
mod fast_road;
mod loop_guard;
mod page;
pub mod page_size_reduction;
pub mod pagination_reset;
mod plain_selector;
mod prefetch;
pub mod request_window_splitting;
mod restrictions;
pub mod simple;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<simple::yaml::SimpleRetriever>(),
    Member::of::<async_job::yaml::AsyncRetriever>(),
];

/// The message, followed by what the manifest advises to do.
fn with_advice(message: String, advice: Option<&str>) -> String {
    match advice.map(str::trim).filter(|advice| !advice.is_empty()) {
        Some(advice) => format!("{message} {advice}"),
        None => message,
    }
}
