//! `state`: what can be done with states that are not read from.

mod merge;

use std::process::ExitCode;

use clap::Subcommand;

/// Looks at states, and joins them.
#[derive(Debug, clap::Args)]
pub(super) struct State {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Merge(merge::Merge),
}

impl State {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Merge(merge) => merge.run(),
        }
    }
}
