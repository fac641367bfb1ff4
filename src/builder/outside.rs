//! The outside world of what the Builder runs: one network for all, a clock for each.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::engine::{Output, Session, TestSession};
use crate::http::{Http, HttpError, Limits, Network, Request, Response};
use crate::protocol::{ConfiguredCatalog, Shard, States, Writer};
use crate::run::{Clock, RunContext, SystemClock, TapeClock};
use crate::value::{Map, Secrets};

/// The outside world; clones share the network.
#[derive(Clone)]
pub struct Outside {
    http: Http,
    time: Time,
}

/// Which time it is for a run.
#[derive(Clone)]
enum Time {
    /// The machine's.
    System,
    /// This one at its beginning; waiting takes no time then.
    From(Timestamp),
    /// That of the run around it.
    Of(RunContext),
}

impl Outside {
    /// The network that the environment describes, with the machine's clock unless `start` says
    /// when every run begins.
    pub fn from_env(limits: Limits, start: Option<Timestamp>) -> Self {
        let network = Network::from_env().with_limits(limits);
        let http = Http::new(Arc::new(network)).with_limits(limits);
        Self { http, time: start.map_or(Time::System, Time::From) }
    }

    /// The outside world of a command that runs one thing only.
    pub fn of(http: Http, run: RunContext) -> Self {
        Self { http, time: Time::Of(run) }
    }

    /// The outside world without what is not public, for users who are not trusted.
    #[must_use]
    pub fn public_only(self) -> Self {
        let limits = self.http.limits();
        let network = Network::from_env().with_limits(limits).public_only();
        Self { http: Http::new(Arc::new(network)).with_limits(limits), ..self }
    }

    /// A clock for one run.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match &self.time {
            Time::System => Arc::new(SystemClock),
            Time::From(start) => Arc::new(TapeClock::replaying(*start)),
            Time::Of(run) => Arc::new(run.clone()),
        }
    }

    /// Sends one request, and takes its answer whole.
    pub async fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let client = self.http.client();
        let request = Arc::new(client.prepare(request)?);
        client.send(&request).await
    }

    /// The context of one run with that clock.
    pub fn run(&self, clock: Arc<dyn Clock>) -> RunContext {
        let random = match &self.time {
            Time::System => StdRng::from_rng(&mut rand::rng()),
            Time::From(_) => StdRng::seed_from_u64(0),
            Time::Of(run) => {
                let mut seed = [0; 32];
                run.fill_random(&mut seed);
                StdRng::from_seed(seed)
            }
        };
        RunContext::new(clock, random)
    }

    /// A session of which nothing is printed; `stream` is selected.
    #[expect(clippy::too_many_arguments, reason = "each is another part of a session")]
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
            http: self.http.clone(),
            output: Output { writer: Writer::to_nobody(), run, secrets },
        }
    }
}

impl std::fmt::Debug for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside").field("http", &self.http).finish_non_exhaustive()
    }
}
