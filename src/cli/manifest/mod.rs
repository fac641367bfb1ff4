//! `manifest`: what can be done with a manifest that is not run.

mod lint;
mod schema;
mod validate;

use std::process::ExitCode;

use clap::Subcommand;

/// Looks at manifests without running them.
#[derive(Debug, clap::Args)]
pub(super) struct Manifest {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Validate),
    Lint(lint::Lint),
    Schema(schema::Schema),
}

impl Manifest {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Validate(validate) => validate.run(),
            Command::Lint(lint) => lint.run(),
            Command::Schema(schema) => schema.run(),
        }
    }
}
