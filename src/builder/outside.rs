//! The outside world of what the Builder runs: one network for all, a clock and caches for each.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::engine::{Output, Session, TestSession};
use crate::http::{Http, Limits, Network, Transport};
use crate::protocol::{ConfiguredCatalog, Shard, States, Writer};
use crate::run::{Clock, RunContext, SystemClock, TapeClock};
use crate::value::{Map, Secrets};

/// The outside world; clones share the network.
#[derive(Clone)]
pub struct Outside {
    transport: Arc<dyn Transport>,
    limits: Limits,
    /// When every run begins; waiting takes no time then.
    start: Option<Timestamp>,
}

impl Outside {
    /// The network that the environment describes, with the machine's clock unless `start` says
    /// when every run begins.
    pub fn from_env(limits: Limits, start: Option<Timestamp>) -> Self {
        let transport = Arc::new(Network::from_env().with_limits(limits));
        Self { transport, limits, start }
    }

    /// The outside world without what is not public, for users who are not trusted.
    #[must_use]
    pub fn public_only(self) -> Self {
        let network = Network::from_env().with_limits(self.limits).public_only();
        Self { transport: Arc::new(network), ..self }
    }

    /// A clock for one run.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self.start {
            Some(start) => Arc::new(TapeClock::replaying(start)),
            None => Arc::new(SystemClock),
        }
    }

    /// The context of one run with that clock.
    pub fn run(&self, clock: Arc<dyn Clock>) -> RunContext {
        let random = match self.start {
            Some(_) => StdRng::seed_from_u64(0),
            None => StdRng::from_rng(&mut rand::rng()),
        };
        RunContext::new(clock, random)
    }

    /// A session of which nothing is printed; `stream` is selected.
    pub fn session(
        &self,
        config: Map,
        stream: Option<&str>,
        states: States,
        test: TestSession,
        run: RunContext,
        secrets: Secrets,
    ) -> Session {
        Session {
            config,
            config_path: None,
            base_dir: PathBuf::new(),
            files_dir: PathBuf::new(),
            catalog: stream.map(|name| ConfiguredCatalog::of_streams([name.to_owned()])),
            stream_names: Vec::new(),
            states,
            shard: Shard::WHOLE,
            prefetch: 0,
            test: Some(test),
            http: Http::new(Arc::clone(&self.transport)).with_limits(self.limits),
            output: Output { writer: Writer::to_nobody(), run, secrets },
        }
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("limits", &self.limits).finish_non_exhaustive()
    }
}
