//! How later runs read only what is new.
//!
//! - [`datetime_based`]: `DatetimeBasedCursor`, windows of time, for one partition or
//!   ([`per_partition`]) for each of many;
//! - [`incrementing_count`]: `IncrementingCountCursor`, a number that only grows;
//! - [`legacy_to_per_partition`]: `LegacyToPerPartitionStateMigration`, an older form of state.
//!
//! What they compute with is plain: [`min_max_datetime`] and [`clamping`] give moments,
//! [`windows`] cuts time into windows, [`intervals`] joins what has been read, and
//! [`progress`] turns it into state and back.

mod clamping;
pub mod datetime_based;
mod formats;
pub mod incrementing_count;
mod intervals;
pub mod legacy_to_per_partition;
pub mod min_max_datetime;
mod outlook;
mod per_partition;
mod progress;
mod remembered;
mod settings;
mod windows;

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::warn;

use super::BuildError;
use super::slot::Member;
use crate::value::{Json, Map};

/// The cursors.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<datetime_based::yaml::DatetimeBasedCursor>(),
    Member::of::<incrementing_count::yaml::IncrementingCountCursor>(),
];

/// What turns older states into today's.
pub(super) const MIGRATIONS: &[Member] =
    &[Member::of::<legacy_to_per_partition::yaml::LegacyToPerPartitionStateMigration>()];

/// Tells, at the first of them only, that records have no value that a cursor could read.
fn warn_of_missing(has_warned: &AtomicBool, field: &str, stream: &str) {
    if !has_warned.swap(true, Ordering::Relaxed) {
        warn!(
            target: "airbyte",
            "Could not find cursor field `{field}` in record for stream {stream}. The incremental sync will assume it \
             needs to be synced",
        );
    }
}

/// A state that lists what was read, as some sources of the reference kept it.
struct Listed<'a> {
    /// At least one.
    slices: &'a [Json],
    /// The state as it was before, whose keys are kept.
    legacy: Map,
}

impl<'a> Listed<'a> {
    /// `None` when the state is of another form.
    fn of(state: &'a Map) -> Result<Option<Self>, BuildError> {
        let kind = state.get("state_type").and_then(Json::as_str);
        if !matches!(kind, Some("date-range" | "integer")) {
            return Ok(None);
        }
        let slices = match state.get("slices") {
            None => &[][..],
            Some(slices) => {
                slices.as_array().ok_or_else(|| BuildError::of_state("slices", "list"))?
            }
        };
        if slices.is_empty() {
            let message = "Expected at least one slice in the state but there were none.";
            return Err(BuildError::new(message));
        }
        let legacy = match state.get("legacy") {
            None => Map::new(),
            Some(Json::Object(legacy)) => legacy.clone(),
            Some(_) => return Err(BuildError::of_state("legacy", "object")),
        };
        Ok(Some(Self { slices, legacy }))
    }
}
