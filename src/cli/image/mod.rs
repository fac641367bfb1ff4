//! `image`: what can be done with images of connectors.

mod build;
mod workshop;

use std::process::ExitCode;

use clap::Subcommand;

#[cfg(feature = "ui")]
pub(super) use workshop::WorkshopArgs;

/// Makes images of connectors; no Docker is needed.
#[derive(Debug, clap::Args)]
pub(super) struct Image {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(Box<build::Build>),
}

impl Image {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        match &self.command {
            Command::Build(build) => build.run(),
        }
    }
}
