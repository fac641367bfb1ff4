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

use super::slot::Member;

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
