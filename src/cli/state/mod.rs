//! `state`: what can be done with states, without reading from them.

mod explain;
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
    Explain(explain::Explain),
    Merge(merge::Merge),
}

impl State {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Explain(explain) => explain.run(),
            Command::Merge(merge) => merge.run(),
        }
    }
}
