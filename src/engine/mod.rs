//! Runs the commands of the protocol over built components.

pub mod check;
mod discover;
mod error;
mod explain;
mod observer;
mod read;
mod source;
mod test_read;

use crate::protocol::Writer;
use crate::run::RunContext;
use crate::value::Secrets;

pub use check::CheckResult;
pub use error::EngineError;
pub use explain::{Explanation, StreamExplanation};
pub use read::{Failed, ReadOutcome};
pub use source::{Session, Source, check_manifest, inspect_manifest};
pub use test_read::{NoWitness, TestSession, Witness};

/// Where a run prints to, and what it needs for that.
#[derive(Clone, Debug)]
pub struct Output {
    /// The writer of the protocol.
    pub writer: Writer,
    /// The clock that messages are stamped by.
    pub run: RunContext,
    /// Texts that may never be printed.
    pub secrets: Secrets,
}
