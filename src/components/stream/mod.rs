//! Streams: what a source offers, each with all that is needed to read it.
//!
//! - [`declarative`]: `DeclarativeStream`, the ordinary stream;
//! - [`state_delegating`]: `StateDelegatingStream`, one of two streams, as the state demands;
//! - [`file_uploader`]: `FileUploader`, the files that a stream's records stand for;
//! - [`conditional`]: `ConditionalStreams`, streams that a config may lack.

pub mod conditional;
pub mod declarative;
pub mod file_uploader;
mod primary_key;
mod schema;
pub mod state_delegating;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<declarative::yaml::DeclarativeStream>(),
    Member::of::<state_delegating::yaml::StateDelegatingStream>(),
];
