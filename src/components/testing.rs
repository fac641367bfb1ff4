//! What components are tested in: a run whose clock stands still, and an API that is a function.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::http::{Body, Headers, Http, HttpError, PreparedRequest, Response, Transport};
use crate::manifest::Node;
use crate::protocol::{Shard, States};
use crate::run::RunContext;
use crate::value::{Json, Secrets};

use super::job_slots::JobSlots;
use super::registry::REGISTRY;
use super::shape::Shape;
use super::{
    BuildContext, BuildError, Config, Environment, Family, NoObserver, ReadError, RecordSink,
    RequestInput, Requester, SharedComponents, Slot, StreamScope,
};

/// A run for tests.
pub(crate) struct World {
    environment: Arc<Environment>,
    config: Config,
    /// The stream that is built.
    pub(crate) stream: StreamScope,
}

impl World {
    /// A run with `config`, and without a network.
    pub(crate) fn new(config: &Json) -> Self {
        Self::with_api(config, |url| panic!("nothing answers {url}"))
    }

    /// A run with `config`, in which each GET of a URL gets status and body from `api`.
    pub(crate) fn with_api(
        config: &Json,
        api: impl Fn(&str) -> (u16, Json) + Send + Sync + 'static,
    ) -> Self {
        Self::with_server(config, move |request| api(&request.url))
    }

    /// A run with `config`, in which each request gets status and body from `server`.
    pub(crate) fn with_server(
        config: &Json,
        server: impl Fn(&PreparedRequest) -> (u16, Json) + Send + Sync + 'static,
    ) -> Self {
        let environment = Environment {
            run: RunContext::fixed("2024-05-06T07:08:09Z".parse().unwrap()),
            http: Http::new(Arc::new(Server(server))),
            secrets: Secrets::new(),
            observer: Arc::new(NoObserver),
            files_dir: PathBuf::new(),
            base_dir: PathBuf::new(),
            states: States::new(),
            catalog: None,
            shard: Shard::WHOLE,
            prefetch: 0,
            test_limits: None,
        };
        Self {
            environment: Arc::new(environment),
            config: Config::new(config.as_object().unwrap().clone()),
            stream: StreamScope { name: "s".to_owned(), ..StreamScope::default() },
        }
    }

    /// The same run, which asks for this many pages ahead.
    pub(crate) fn with_prefetch(mut self, prefetch: usize) -> Self {
        Arc::get_mut(&mut self.environment).unwrap().prefetch = prefetch;
        self
    }

    /// The same run as one of several that share out their partitions.
    pub(crate) fn in_shard(mut self, shard: Shard) -> Self {
        Arc::get_mut(&mut self.environment).unwrap().shard = shard;
        self
    }

    /// What is asked when a requester sends `n_requests`, one a line: method, URL, headers that are
    /// not always the same, and body; or why nothing is. `server` sees what was asked so far.
    pub(crate) fn asking(
        config: &Json,
        requester: &Json,
        n_requests: usize,
        server: impl Fn(&[String], &PreparedRequest) -> (u16, Json) + Send + Sync + 'static,
    ) -> Vec<String> {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        let world = Self::with_server(config, move |request| {
            let mut asked = log.lock().unwrap();
            asked.push(line(request));
            server(&asked, request)
        });
        let requester = world.build::<dyn Requester>(requester).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for _ in 0..n_requests {
            // Another test may be refreshing its token: one waits for the other.
            let sent = runtime.block_on(requester.send(RequestInput::default()));
            asked.lock().unwrap().extend(sent.err().map(|err| err.to_string()));
        }
        let asked = asked.lock().unwrap();
        asked.clone()
    }

    /// What components are built with.
    pub(crate) fn cx(&self) -> BuildContext<'_> {
        BuildContext {
            registry: &REGISTRY,
            environment: &self.environment,
            config: self.config.clone(),
            budget: None,
            shared: SharedComponents::default(),
            job_slots: JobSlots::default(),
            stream: self.stream.clone(),
        }
    }

    /// Reads a component as it is written.
    pub(crate) fn read<S: Shape>(&self, written: &Json) -> S {
        self.cx().read(&Node::from_json(written, None)).unwrap()
    }

    /// Builds a component as it is written.
    pub(crate) fn build<F: Family + ?Sized>(&self, written: &Json) -> Result<F::Built, BuildError> {
        Slot::<F>::new(Node::from_json(written, None)).build(&self.cx())
    }
}

/// Keeps the records that it is given, batch by batch, until it has enough.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) records: Vec<Json>,
    pub(crate) enough: usize,
}

impl Collected {
    /// Wants all records.
    pub(crate) fn new() -> Self {
        Self { records: Vec::new(), enough: usize::MAX }
    }
}

impl RecordSink for Collected {
    fn records(
        &mut self,
        mut records: Vec<Json>,
    ) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.records.append(&mut records);
        let has_enough = self.records.len() >= self.enough;
        let flow = if has_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        async move { Ok(flow) }.boxed()
    }
}

/// A request in one line.
pub(crate) fn line(request: &PreparedRequest) -> String {
    /// Headers that say nothing about the requester.
    const USUAL: [&str; 5] =
        ["User-Agent", "Accept-Encoding", "Accept", "Connection", "Content-Length"];
    let mut line = format!("{} {}", request.method, request.url);
    for (name, value) in request.headers.iter().filter(|(name, _)| !USUAL.contains(name)) {
        line.extend([" | ", name, ": ", value]);
    }
    if let Some(body) = &request.body {
        line.extend([" | ", std::str::from_utf8(body).unwrap()]);
    }
    line
}

struct Server<F>(F);

impl<F: Fn(&PreparedRequest) -> (u16, Json) + Send + Sync> Transport for Server<F> {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        let (status, body) = (self.0)(request);
        let body = Body::Whole(body.to_string().into());
        let headers = Headers::from_iter([("Content-Type", "application/json")]);
        let response = Response::new(status, headers, Arc::clone(request), body);
        async move { Ok(response) }.boxed()
    }
}
