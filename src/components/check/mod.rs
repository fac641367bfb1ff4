//! How a connection is checked: which streams are read for it.
//!
//! - [`stream`]: `CheckStream`, streams by name;
//! - [`dynamic_stream`]: `CheckDynamicStream`, the first streams of the source.

pub mod dynamic_stream;
pub mod stream;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<stream::yaml::CheckStream>(),
    Member::of::<dynamic_stream::yaml::CheckDynamicStream>(),
];
