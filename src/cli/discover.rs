//! `discover`: what a source offers.

use std::process::ExitCode;

use super::protocol_run::{self, Threads, block_on};
use super::source_args::{Selection, SourceArgs};
use crate::protocol::Message;

/// Prints the streams that the source offers, with their schemas.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest discover --config config.json --manifest-path manifest.yaml")]
pub(super) struct Discover {
    #[command(flatten)]
    source: SourceArgs,
}

impl Discover {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Self { source } = self;
        protocol_run::run(&source.log, &source.outside, |run| {
            let source = source.open(run, || Ok(Selection::default()))?;
            let catalog = block_on(run, Threads::One, source.discover())??;
            run.output.writer.write_message_now(&Message::Catalog { catalog });
            Ok(())
        })
    }
}
