//! `completions`: teaches a shell the words of this command line.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Cli;
use crate::protocol::writer;

/// Prints a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest completions bash > /etc/bash_completion.d/source-declarative-manifest")]
pub(super) struct Completions {
    /// The shell that the script is for.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let mut command = Cli::command();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        writer::print(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
