//! What components are given when they are built, and what they share while they run.

use std::any::Any;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;

use crate::http::{Action, Http, HttpError, Permit, PreparedRequest, Response};
use crate::manifest::{Findings, Node};
use crate::protocol::{ConfiguredCatalog, ConfiguredStream, Shard, States, TracedError};
use crate::run::RunContext;
use crate::template::Scope;
use crate::value::{Map, Secrets, StreamSlice};

use super::config_handle::Config;
use super::error::BuildError;
use super::job_slots::JobSlots;
use super::shape::{Reader, Shape, Text};
use super::slot::{OneOrMore, Registry, Slot};
use super::surroundings::Surroundings;
use super::{Cursor, PartitionRouter, SchemaLoader, Transformation};

/// What all components of a run share.
pub struct Environment {
    /// Time, waiting, and chance.
    pub run: RunContext,
    /// The door to the network.
    pub http: Http,
    /// Texts that may never be printed.
    pub secrets: Secrets,
    /// Who hears of what happens while components run.
    pub observer: Arc<dyn Observer>,
    /// The folder of the manifest, for files it names.
    pub base_dir: PathBuf,
    /// Where the files that records stand for are laid.
    pub files_dir: PathBuf,
    /// Incoming states by stream name.
    pub states: States,
    /// What is selected to be read, in a read.
    pub catalog: Option<ConfiguredCatalog>,
    /// How much of each stream is read.
    pub shard: Shard,
    /// How many pages of a slice are asked for ahead, where their tokens are known.
    pub prefetch: usize,
    /// How much is read at most, in a test read.
    pub test_limits: Option<TestLimits>,
}

/// How much a test read reads of a stream, and of each that is read for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestLimits {
    /// Pages of a slice.
    pub pages: usize,
    /// Slices.
    pub slices: usize,
}

impl Environment {
    /// Whether this is a test read: no retries, no cache, no streaming.
    pub fn is_test_read(&self) -> bool {
        self.test_limits.is_some()
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("base_dir", &self.base_dir).finish_non_exhaustive()
    }
}

/// Hears of what happens while components run; the protocol run, a test read, and the progress
/// display each are one.
pub trait Observer: Send + Sync {
    /// The server of `stream` asked us to slow down.
    fn rate_limited(&self, _stream: &str) {}

    /// A component is about to change the config (a refreshed token), and makes no use of the change
    /// before this has come to its end.
    fn config_changed<'a>(&'a self, _config: &Map) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// The state of `stream` is too old to be of use: it has to be forgotten.
    fn state_cleared(&self, _stream: &str) {}

    /// Something failed that will be tried again.
    fn failed_for_now(&self, _error: &TracedError) {}

    /// A slice is about to be read.
    fn slice_started(&self, _stream: &str, _slice: &StreamSlice) {}

    /// A request is about to be sent, for the first time or again.
    fn asked(&self, _asking: &Asking<'_>) {}

    /// A request was answered, and this is what it means.
    fn answered(&self, _asking: &Asking<'_>, _response: &Response, _action: Action) {}

    /// A request came to no answer.
    fn unanswered(&self, _asking: &Asking<'_>, _error: &HttpError) {}

    /// A manifest has what should be written in another way.
    fn deprecated(&self, _message: String) {}

    /// A component noticed what an author of manifests should know.
    fn warned(&self, _message: &str) {}
}

/// A request on its way.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The name of the stream, or of what else is read as one is.
    pub stream: &'a str,
    /// What it is made for.
    pub purpose: Purpose,
    /// Whether all this is done for the partitions of another stream.
    pub is_parent: bool,
    /// The request itself.
    pub request: &'a PreparedRequest,
}

/// What a request is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A page of records.
    #[default]
    Records,
    /// What records look like.
    Schema,
    /// The rest of a list that a record has in part only.
    NestedList,
    /// A session, which permits other requests.
    Login,
    /// A token, which permits other requests.
    TokenRefresh,
    /// A job is started, which is given up when this time has passed.
    JobCreation {
        /// In minutes.
        timeout: i64,
    },
    /// How a job is going.
    JobPoll,
    /// A job is stopped.
    JobAbort,
    /// A job is removed.
    JobRemoval,
    /// Where the records of a job are, or the file of a record.
    Other,
}

/// An observer that does not listen.
#[derive(Debug)]
pub struct NoObserver;

impl Observer for NoObserver {}

/// What the components of one stream are built with.
#[derive(Clone)]
pub struct BuildContext<'a> {
    /// All families.
    pub registry: &'static Registry,
    /// What the whole run shares.
    pub environment: &'a Arc<Environment>,
    /// The config, migrated and transformed.
    pub config: Config,
    /// The API budget of the source, if it has one.
    pub budget: Option<Arc<dyn Permit>>,
    /// What streams share that say the same.
    pub shared: SharedComponents,
    /// How many jobs the API may work on at once.
    pub job_slots: JobSlots,
    /// The stream that is built.
    pub stream: StreamScope,
}

/// Components that are built once for all streams that say the same; clones share them.
#[derive(Clone, Default)]
pub struct SharedComponents(Arc<Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>>);

impl SharedComponents {
    /// The component that says `key`, which `build` makes for the first who asks.
    pub fn get_or_build<T: Any + Send + Sync>(
        &self,
        key: &str,
        build: impl FnOnce() -> Result<T, BuildError>,
    ) -> Result<Arc<T>, BuildError> {
        // A panic while the lock is held cannot leave the map in a bad state.
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = shared.get(key).cloned().and_then(|known| known.downcast().ok()) {
            return Ok(known);
        }
        let built = Arc::new(build()?);
        shared.insert(key.to_owned(), Arc::<T>::clone(&built));
        Ok(built)
    }
}

impl std::fmt::Debug for SharedComponents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedComponents").finish_non_exhaustive()
    }
}

/// What the parts of one stream need of one another while it is built.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each says another thing about the stream")]
pub struct StreamScope {
    /// Its name.
    pub name: String,
    /// The state it starts from; in today's form, once its parts are built.
    pub state: Option<Arc<Map>>,
    /// Whether it is built as the parent of another stream.
    pub is_parent: bool,
    /// What is asked for with its requests.
    pub purpose: Purpose,
    /// Its retriever, as it is written.
    pub retriever: Option<Node>,
    /// Its cursor, as it is written.
    pub incremental_sync: Option<Node>,
    /// Its transformations, which the record selector applies.
    pub transformations: Vec<Arc<dyn Transformation>>,
    /// Its schema, which normalisation follows.
    pub schema: Option<Arc<dyn SchemaLoader>>,
    /// Its cursor, which adds to requests and filters records.
    pub cursor: Option<Arc<dyn Cursor>>,
    /// Whether the record selector drops records that the cursor does not want.
    pub filters_client_side: bool,
    /// Whether pagination stops at a record that the cursor does not want.
    pub is_data_feed: bool,
    /// Paths of the fields that identify a record.
    pub primary_key: Vec<Vec<String>>,
    /// Whether its requester keeps responses for the run, whatever it says itself.
    pub uses_cache: bool,
    /// Whether a file is fetched for each of its records.
    pub uploads_files: bool,
    /// The URL that the requester around a component has, as it is written.
    pub requester_url: Option<Text>,
}

impl BuildContext<'_> {
    /// The same context for (the parts of) another stream.
    #[must_use]
    pub fn for_stream(&self, stream: StreamScope) -> Self {
        Self { stream, ..self.clone() }
    }

    /// Builds the partition router that is written in a retriever, if there is one.
    pub fn partition_router(
        &self,
        retriever: &Node,
    ) -> Result<Option<Arc<dyn PartitionRouter>>, BuildError> {
        let written = retriever.get("partition_router").filter(|router| router.is_truthy());
        let router = written.map(|node| Slot::<dyn PartitionRouter, OneOrMore>::new(node.clone()));
        router.map(|slot| slot.build(self)).transpose()
    }

    /// What the component's templates are evaluated with while it runs.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings::new(self.config.clone(), Arc::clone(self.environment))
    }

    /// Reads the mapping at `node` as `S`; its first finding is the error.
    pub fn read<S: Shape>(&self, node: &Node) -> Result<S, BuildError> {
        let mut findings = Findings::default();
        let shape = S::read(node, &mut Reader::new(self.registry, &mut findings));
        shape.ok_or_else(|| {
            let finding = findings.first_error();
            let message = finding.map_or("it cannot be read", |finding| &finding.message);
            BuildError::at(node, format!("`{}`: {message}", S::TYPE)).class("ValidationError")
        })
    }

    /// The variables of every template that is evaluated while components are built.
    pub fn scope<'a>(&'a self, config: &'a Map) -> Scope<'a> {
        Scope::new(&self.environment.run).with("config", config)
    }

    /// The stream as the configured catalog selects it.
    pub fn configured(&self) -> Option<&ConfiguredStream> {
        self.environment.catalog.as_ref()?.stream(&self.stream.name)
    }
}

impl std::fmt::Debug for BuildContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildContext").field("stream", &self.stream.name).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StreamScope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamScope").field("name", &self.name).finish_non_exhaustive()
    }
}
