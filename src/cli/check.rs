//! `check`: whether a source can be reached with a config.

use std::process::ExitCode;

use tracing::{error, info};

use super::protocol_run::{self, Threads, block_on};
use super::source_args::{Selection, SourceArgs};
use crate::protocol::Message;

/// Checks whether the source can be reached with a config.
///
/// The answer is a message; that the source cannot be reached is no failure of
/// this command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  source-declarative-manifest check --config config.json --manifest-path manifest.yaml")]
pub(super) struct Check {
    #[command(flatten)]
    source: SourceArgs,
}

impl Check {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Self { source } = self;
        protocol_run::run(&source.log, &source.outside, |run| {
            let source = source.open(run, || Ok(Selection::default()))?;
            let failure = block_on(run, Threads::One, source.check())??.err();
            if failure.is_none() {
                info!("Check succeeded");
            } else {
                error!("Check failed");
            }
            // The reference masks nothing here; a reason may quote the config.
            let failure = failure.map(|reason| run.output.secrets.mask(&reason).into_owned());
            run.output.writer.write_message_now(&Message::connection_status(failure));
            Ok(())
        })
    }
}
