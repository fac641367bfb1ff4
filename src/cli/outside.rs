//! The outside world of a run: the network and the clock, or a cassette of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::limits::LimitArgs;
use super::progress::{Counters, WatchedClock, WatchedTransport};
use crate::http::cassette::{Har, Header, Recorder, Replay};
use crate::http::{Http, Network, Transport};
use crate::run::RunContext;
use crate::value::Secrets;

/// Which outside world a run has.
#[derive(Debug, Default, clap::Args)]
pub(super) struct OutsideArgs {
    /// Keeps all that servers answer in a file, with secrets masked.
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Takes all answers, and the time, from a file that `--record` made; asks no server.
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// Logs all requests and answers in a file for browsers' tools (HAR 1.2), with secrets masked.
    #[arg(long, value_name = "FILE")]
    har: Option<PathBuf>,
    /// Begins at this moment; waiting moves the clock on and takes no time. For tests.
    #[arg(long, value_name = "TIME", hide = true, conflicts_with = "replay")]
    clock: Option<Timestamp>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// The outside world of one run.
#[derive(Debug)]
pub(super) struct Outside {
    /// Its time and its chance.
    pub(super) run: RunContext,
    /// Its network.
    pub(super) http: Http,
    /// What was seen of it.
    pub(super) counters: Counters,
    recorder: Option<Arc<Recorder>>,
    har: Option<Arc<Har>>,
}

impl OutsideArgs {
    /// Opens what was asked for.
    pub(super) fn open(&self, secrets: &Secrets) -> anyhow::Result<Outside> {
        let counters = Counters::default();
        let limits = self.limits.limits();
        let network = || {
            let network = Network::from_env().with_limits(limits);
            Arc::new(WatchedTransport::new(network, counters.clone()))
        };
        let mut recorder = None;
        let (run, transport): (_, Arc<dyn Transport>) = match (&self.replay, &self.record) {
            (Some(path), _) => {
                let replay = Replay::open(path, secrets.clone());
                let replay = replay.with_context(|| about(path))?;
                (replay.header().replaying_context(), Arc::new(replay))
            }
            (None, Some(path)) => {
                let (header, run) = self.tape();
                let tape = Recorder::create(path, header, network(), run.clone(), secrets.clone())?;
                (run, recorder.insert(Arc::new(tape.with_limits(limits))).clone())
            }
            (None, None) if self.clock.is_some() => (self.tape().1, network()),
            (None, None) => {
                let clock = WatchedClock::new(counters.clone());
                let random = StdRng::from_rng(&mut rand::rng());
                (RunContext::new(Arc::new(clock), random), network())
            }
        };
        let har = self.har.as_deref().map(|path| {
            let har = Har::create(path, run.clone(), secrets.clone());
            har.map(Arc::new).with_context(|| format!("{} cannot be written", path.display()))
        });
        let har = har.transpose()?;
        let http = Http::new(transport).with_limits(limits).with_har(har.clone());
        Ok(Outside { run, http, counters, recorder, har })
    }
}

impl OutsideArgs {
    /// When a run that can be repeated begins, and with which chance; and its context.
    fn tape(&self) -> (Header, RunContext) {
        if let Some(start) = self.clock {
            let header = Header::new(start, 0);
            return (header, header.replaying_context());
        }
        let now = RunContext::system();
        let mut seed = [0; 8];
        now.fill_random(&mut seed);
        let header = Header::new(now.now(), u64::from_le_bytes(seed));
        (header, header.recording_context())
    }
}

impl Outside {
    /// Ends the recordings, if there are any.
    pub(super) fn close(self) -> anyhow::Result<()> {
        let logged = self.har.map_or(Ok(()), |har| har.finish());
        let recorded = self.recorder.map_or(Ok(()), |recorder| recorder.finish());
        logged.context("the HAR cannot be kept")?;
        recorded.context("the cassette cannot be kept")
    }
}

fn about(path: &Path) -> String {
    format!("the cassette {} cannot be used", path.display())
}
