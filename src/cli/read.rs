//! `read`: the records of a source.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::command_in_config;
use super::inputs;
use super::progress::Progress;
use super::protocol_run::{self, Failure, Threads, block_on};
use super::shard;
use super::source_args::{Selection, SourceArgs};
use super::summary::Summary;
use super::tell;
use crate::engine::ReadOutcome;
use crate::protocol::{Shard, TracedError};

/// Reads the records of streams.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  source-declarative-manifest read --config config.json --catalog catalog.json --state state.json
  source-declarative-manifest read --config config.json --manifest-path manifest.yaml
  source-declarative-manifest read --config config.json --manifest-path manifest.yaml --stream users
  source-declarative-manifest read --config config.json --catalog catalog.json --shard 0/5")]
pub(super) struct Read {
    #[command(flatten)]
    source: SourceArgs,
    /// Which streams are read, and how, a JSON file; all of them unless given.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    /// Where earlier reads have come to, a JSON file.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Reads only this stream; can be given several times.
    #[arg(long = "stream", value_name = "NAME", conflicts_with = "catalog")]
    streams: Vec<String>,
    /// Reads only the partitions of one shard: `I/N` (from 0/N on), `auto/N`, or `auto`.
    ///
    /// `auto` is the shard of a pod of a Kubernetes indexed job: I comes from
    /// `JOB_COMPLETION_INDEX`, and N, unless it is given, from `SHARD_COUNT`.
    #[arg(long, value_name = "SHARD", value_parser = shard::read, default_value_t = Shard::WHOLE)]
    #[arg(hide_default_value = true)]
    shard: Shard,
    /// Asks for up to N pages of a slice ahead, where pages are numbered or counted by records.
    ///
    /// Up to N requests a slice may be sent for pages that do not exist. Never done while a
    /// cassette is recorded or replayed.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    prefetch: usize,
    /// Says at the end, on stderr, where the time of each stream went.
    #[arg(long)]
    summary: bool,
}

impl Read {
    pub(super) fn run(&self) -> anyhow::Result<ExitCode> {
        let Self { source, .. } = self;
        protocol_run::run(&source.log, &source.outside, |run| {
            check_data_channel()?;
            if let Some(config) = command_in_config::find(source.config()) {
                let (catalog, state) = (self.catalog.as_deref(), self.state.as_deref());
                return command_in_config::answer(run, config, catalog, state);
            }
            let ledger = run.output.run.ledger();
            if self.summary {
                ledger.keep();
            }
            let source = source.open(run, || self.selection())?;
            let progress = Progress::show(&run.outside.counters, &run.output.writer);
            let threads = if source.is_sequential() { Threads::One } else { Threads::All };
            let began = Instant::now();
            let outcome = block_on(run, threads, source.read());
            drop(progress);
            if self.summary {
                tell(&Summary::new(ledger.totals(), began.elapsed()).to_string());
            }
            let outcome = outcome??;
            match outcome {
                ReadOutcome::Complete => Ok(()),
                ReadOutcome::Failed(failed) => Err(failed.to_traced().into()),
                ReadOutcome::OutputClosed => Err(Failure::Closed),
            }
        })
    }

    fn selection(&self) -> anyhow::Result<Selection> {
        let catalog = self.catalog.as_deref().map(inputs::read_catalog).transpose()?;
        let states = inputs::read_state(self.state.as_deref())?;
        Ok(Selection {
            catalog,
            stream_names: self.streams.clone(),
            states,
            shard: self.shard,
            prefetch: self.prefetch,
        })
    }
}

/// Refuses to send records where nobody would get them: a platform that wants them over sockets
/// reads none from stdout.
fn check_data_channel() -> Result<(), TracedError> {
    let medium = std::env::var("DATA_CHANNEL_MEDIUM");
    if medium.is_ok_and(|medium| medium.eq_ignore_ascii_case("socket")) {
        return Err(TracedError::config(
            "The platform asks for records over sockets (DATA_CHANNEL_MEDIUM=SOCKET), but this \
             source writes them to stdout. Remove `connectorIPCOptions` from the definition of the \
             source, so that the platform chooses STDIO.",
        ));
    }
    Ok(())
}
