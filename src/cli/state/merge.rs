//! `state merge`: one state of the states of all shards.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use crate::protocol::{States, merge_states, read_kept_states, state_messages, writer};

/// Joins the states that the shards of a read have left, and prints what `--state` takes.
///
/// The result is the state of one read of all. Ends with 1 if the states do not go together, as
/// when that of a shard is missing.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest state merge shard-0.jsonl shard-1.jsonl > state.json")]
pub(super) struct Merge {
    /// The output of each shard's `read`, or its states as a list.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Merge {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let files = self.files.iter().map(|path| read(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let merged = state_messages(&merge_states(files)?);
        writer::print(format!("{merged}\n").as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The states of a file, with its name.
fn read(path: &Path) -> anyhow::Result<(String, States)> {
    let name = path.display().to_string();
    let file = File::open(path).with_context(|| format!("{name} cannot be read"))?;
    let states = read_kept_states(BufReader::new(file), &name)?;
    Ok((name, states))
}
