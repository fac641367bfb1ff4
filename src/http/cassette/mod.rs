//! Recordings of what the network said, and their replay without a network.
//!
//! A cassette is a file of JSON lines: first a header with what a replay must
//! know to see the same times and chances, then one line for each request and
//! what it came to, in the order of the answers. Secrets are masked in all of
//! them, so a cassette can be kept with a manifest and shown to others.

mod exchange;
mod har;
mod record;
mod replay;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::run::{RunContext, TapeClock};

pub(super) use har::Asking;
pub use har::Har;
pub use record::Recorder;
pub use replay::Replay;

/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// The first line of a cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    #[serde(rename = "cassette")]
    format: u32,
    /// When the recorded run began.
    #[serde(with = "timestamp")]
    pub clock: Timestamp,
    /// What its randomness came from.
    pub seed: u64,
}

impl Header {
    /// The header of a run that begins at `clock` with randomness from `seed`.
    pub fn new(clock: Timestamp, seed: u64) -> Self {
        Self { format: FORMAT, clock, seed }
    }

    /// Time and randomness for the run that is recorded.
    pub fn recording_context(&self) -> RunContext {
        self.context(TapeClock::recording(self.clock))
    }

    /// Time and randomness for a replay, which never waits.
    pub fn replaying_context(&self) -> RunContext {
        self.context(TapeClock::replaying(self.clock))
    }

    fn context(&self, clock: TapeClock) -> RunContext {
        RunContext::new(Arc::new(clock), StdRng::seed_from_u64(self.seed))
    }
}

/// Why a cassette cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CassetteError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A line is not what it should be.
    #[error("line {line} of the cassette: {source}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It was written by a newer program.
    #[error("the cassette has format {0}; this program reads formats up to {FORMAT}")]
    Format(u32),
}

/// A temporary file that is to take the place of `file` at `path`.
fn successor_of(path: &Path, file: &File) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // Temporary files are their owner's only; a recording is for who may read the folder.
    let permissions = file.metadata()?.permissions();
    let mut builder = tempfile::Builder::new();
    builder.permissions(permissions).tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// Timestamps as text: `2026-01-15T12:00:00Z`.
mod timestamp {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        String::deserialize(input)?.parse().map_err(de::Error::custom)
    }
}
