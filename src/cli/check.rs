//! `check`: whether a source can be reached with a config.

use std::process::ExitCode;

use tracing::{error, info};

use super::protocol_run::{self, Threads, block_on};
use super::source_args::{Selection, SourceArgs};
use crate::engine::{EngineError, Output};
use crate::protocol::{FailureType, Message};

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
            let Output { writer, run: clock, secrets } = &run.output;
            let failure = match block_on(run, Threads::One, source.check())? {
                // What the user can mend is told as an error, and is an answer all the same.
                Err(EngineError::Traced(err)) if err.failure_type == FailureType::ConfigError => {
                    writer.write_message_now(&err.to_message(secrets, clock.now()));
                    Some(err.message.unwrap_or_default())
                }
                checked => checked?.map_or_else(
                    |reason| {
                        error!("Check failed");
                        Some(reason)
                    },
                    |()| {
                        info!("Check succeeded");
                        None
                    },
                ),
            };
            // The reference masks nothing here; a reason may quote the config.
            let failure = failure.map(|reason| secrets.mask(&reason).into_owned());
            writer.write_message_now(&Message::connection_status(failure));
            Ok(())
        })
    }
}
