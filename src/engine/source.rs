//! A manifest and a config made ready to run commands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::{info, warn};

use crate::components::custom;
use crate::components::job_slots::JobSlots;
use crate::components::registry::REGISTRY;
use crate::components::shape::Reader;
use crate::components::source::concurrency;
use crate::components::source::streams::GeneratedStream;
use crate::components::source::yaml::DeclarativeSource;
use crate::components::spec::Spec;
use crate::components::{
    BuildContext, BuildError, CheckedGeneration, CheckedStreams, Config, Environment, Observer,
    SharedComponents, Stream, StreamScope,
};
use crate::http::Http;
use crate::manifest::{Findings, Manifest, Node, did_you_mean};
use crate::protocol::config_validation::validate_config;
use crate::protocol::message::Catalog;
use crate::protocol::secrets::mask_config;
use crate::protocol::{ConfiguredCatalog, FailureType, Message, Shard, States, TracedError};
use crate::value::{Json, Map, PythonJson};

use super::Output;
use super::check::{self, CheckResult};
use super::discover;
use super::error::EngineError;
use super::explain::{self, Explanation, StreamExplanation};
use super::observer::ProtocolObserver;
use super::read::{self, ReadOutcome};
use super::test_read::{self, TestSession, Witness};

/// What a command is given from outside.
#[derive(Debug)]
pub struct Session {
    /// The config as the user gave it.
    pub config: Map,
    /// Where the config came from; a migrated one is written back.
    pub config_path: Option<PathBuf>,
    /// The folder of the manifest, for the files that it names.
    pub base_dir: PathBuf,
    /// Where the files that records stand for are laid.
    pub files_dir: PathBuf,
    /// What is selected, in a read.
    pub catalog: Option<ConfiguredCatalog>,
    /// The streams to read when there is no catalog; all of them if none is named.
    pub stream_names: Vec<String>,
    /// What earlier reads left.
    pub states: States,
    /// How much of each stream is read.
    pub shard: Shard,
    /// How many pages of a slice are asked for ahead.
    pub prefetch: usize,
    /// What makes this a session of the Connector Builder.
    pub test: Option<TestSession>,
    /// The door to the network.
    pub http: Http,
    /// Where messages go.
    pub output: Output,
}

/// A source that can be checked, discovered and read.
#[derive(Debug)]
pub struct Source {
    shape: DeclarativeSource,
    spec: Option<Spec>,
    config: Config,
    /// The config before a check lays anything over it, which the manifest's validations look at.
    supplied: Arc<Map>,
    environment: Arc<Environment>,
    stream_names: Vec<String>,
    output: Output,
    n_workers: usize,
    /// How many jobs the API may work on at once, for all streams.
    job_slots: JobSlots,
}

/// The source of a manifest, if nothing keeps it from running; and all that was found.
pub fn check_manifest(manifest: &Manifest) -> (Option<DeclarativeSource>, Findings) {
    let mut findings = manifest.findings.clone();
    let mut reader = Reader::new(&REGISTRY, &mut findings);
    let is_readable = !reader.has_errors();
    let shape = is_readable.then(|| DeclarativeSource::read_root(&manifest.root, &mut reader));
    (shape.flatten(), findings)
}

/// All that is wrong with a manifest, from its text to its templates, also what a run meets only
/// when it comes to use it; each fault once, however often it is referred to.
pub fn inspect_manifest(manifest: &Manifest) -> Findings {
    let mut findings = manifest.findings.clone();
    if !findings.has_errors() {
        let reader = Reader::new(&REGISTRY, &mut findings);
        let mut reader = reader.with_scrutiny(manifest.source.as_ref());
        DeclarativeSource::read_root(&manifest.root, &mut reader);
    }
    findings.drop_repeated();
    findings
}

impl Source {
    /// Makes a manifest ready: checks it, migrates and transforms the config, as the reference does
    /// before any command.
    pub fn open(manifest: &Manifest, session: Session) -> Result<Self, EngineError> {
        let (shape, mut findings) = check_manifest(manifest);
        let Some(shape) = shape else {
            let source = manifest.source.as_ref();
            let file = source.map_or_else(|| "the manifest".to_owned(), |it| it.name.clone());
            return Err(EngineError::Manifest { file, findings });
        };
        findings.drop_repeated();
        for class in findings.iter().filter(|finding| finding.code == custom::FINDING) {
            warn!("{}", class.message);
        }
        let Session {
            config,
            config_path,
            base_dir,
            files_dir,
            catalog,
            stream_names,
            states,
            shard,
            prefetch,
            test,
            http,
            output,
        } = session;
        let test_limits = test.as_ref().map(|test| test.limits);
        let observer: Arc<dyn Observer> = match test {
            Some(test) => test.witness,
            None => Arc::new(ProtocolObserver::new(output.clone())),
        };
        let environment = Arc::new(Environment {
            run: output.run.clone(),
            http,
            secrets: output.secrets.clone(),
            observer,
            base_dir,
            files_dir,
            states,
            catalog,
            shard,
            // Which answer comes first would be left to chance.
            prefetch: if output.run.is_repeatable() { 0 } else { prefetch },
            test_limits,
        });
        let mut source = Self {
            shape,
            spec: None,
            config: Config::default(),
            supplied: Arc::default(),
            environment,
            stream_names,
            output,
            n_workers: 1,
            job_slots: JobSlots::default(),
        };
        let start = |err: BuildError| EngineError::Start(err.to_string());
        let spec = source.shape.spec.as_ref();
        source.spec = spec.map(|it| Spec::build(it, &source.cx())).transpose().map_err(start)?;
        let config = source.prepare_config(config, config_path.as_deref()).map_err(start)?;
        source.config = Config::new(config);
        source.supplied = source.config.snapshot();
        let level = source.shape.concurrency_level.as_ref();
        source.job_slots = source.shape.job_slots(&source.cx());
        source.n_workers =
            concurrency::yaml::ConcurrencyLevel::level(level, &source.cx()).map_err(start)?;
        Ok(source)
    }

    /// Migrates the config (and keeps it), and transforms it for this run.
    fn prepare_config(&self, config: Map, path: Option<&Path>) -> Result<Map, BuildError> {
        let Some(spec) = self.spec.as_ref() else { return Ok(config) };
        let specification = &spec.message().connection_specification;
        mask_config(&config, specification, &self.output.secrets);
        // An empty config has nothing to migrate; the reference leaves it alone.
        if config.is_empty() {
            return Ok(config);
        }
        let mut changed = config.clone();
        spec.migrate(&mut changed, &self.cx())?;
        if changed != config {
            if let Some(path) = path {
                keep_config(path, &changed);
            }
            let message = Message::connector_config(changed.clone(), self.output.run.now());
            self.output.writer.write_message_now(&message);
        }
        spec.transform(&mut changed, &self.cx())?;
        mask_config(&changed, specification, &self.output.secrets);
        Ok(changed)
    }

    /// What the source tells about itself, when its manifest says it.
    pub fn spec(&self) -> Option<&Spec> {
        self.spec.as_ref()
    }

    /// Checks the config against the specification of the source.
    pub fn validate_config(&self) -> Result<(), TracedError> {
        let Some(spec) = &self.spec else {
            let message = "the manifest has no `spec`, which says how the source is configured";
            return Err(TracedError::system(message));
        };
        validate_config(&self.config.snapshot(), &spec.message().connection_specification)
    }

    /// Whether a connection can be made.
    pub async fn check(&self) -> Result<CheckResult, EngineError> {
        match self.validate_config() {
            Err(err) if err.failure_type == FailureType::ConfigError => {
                return Ok(Err(err.message.unwrap_or_default()));
            }
            // A specification that is no schema is not the user's fault.
            validated => validated.map_err(EngineError::traced)?,
        }
        let check = self.shape.check.build(&self.cx())?;
        check::override_config(&check.config_overrides, &self.config)?;
        let outcome = match &check.streams {
            CheckedStreams::Named { names, generated } => {
                let names = check::stream_names(names, &self.config.snapshot())?;
                self.check_named(&names, generated).await?
            }
            CheckedStreams::First { count, reads } => self.check_first(*count, *reads).await?,
        };
        Ok(outcome.map_err(|reason| check::quoted(&reason)))
    }

    async fn check_named(
        &self,
        names: &[String],
        generated: &[CheckedGeneration],
    ) -> Result<CheckResult, EngineError> {
        let built = self.build_checked(names, !generated.is_empty()).await;
        let (streams, made) = match built {
            Ok(built) => built,
            Err(err) => {
                return Ok(Err(format!(
                    "Encountered an error while discovering streams. Error: {err}"
                )));
            }
        };
        if streams.is_empty() {
            return Ok(Err("No streams to connect to from source".to_owned()));
        }
        let find = |name: &str| streams.iter().find(|stream| stream.name == name);
        for name in names {
            let Some(stream) = find(name) else {
                let known: Vec<_> = streams.iter().map(|it| check::quoted(&it.name)).collect();
                let known = known.join(", ");
                let text = format!("{name} is not part of the catalog. Expected one of [{known}].");
                return Err(BuildError::new(text).into());
            };
            if let Err(reason) = check::check_stream(stream, "Stream").await {
                return Ok(Err(reason));
            }
        }
        for wanted in generated {
            if !self.has_template(&wanted.template) {
                let name = &wanted.template;
                return Ok(Err(format!("Dynamic stream {name} is not found in manifest.")));
            }
            let names = made.iter().filter(|(template, _)| *template == wanted.template);
            let count = wanted.count.map_or(usize::MAX, |it| usize::try_from(it).unwrap_or(0));
            for (_, name) in names.take(count) {
                let Some(stream) = find(name) else { continue };
                if let Err(reason) = check::check_stream(stream, "Dynamic Stream").await {
                    return Ok(Err(reason));
                }
            }
        }
        Ok(Ok(()))
    }

    /// Whether the manifest has a template of that name; one without a name goes by its place.
    fn has_template(&self, name: &str) -> bool {
        self.shape.dynamic_streams.iter().flatten().enumerate().any(|(idx, it)| match &*it.name {
            "" => name == format!("dynamic_stream_{idx}"),
            own => name == own,
        })
    }

    /// Builds the named streams only, when all of them are static and nothing else is asked for;
    /// else all. Also tells which template made which stream.
    async fn build_checked(
        &self,
        names: &[String],
        with_generated: bool,
    ) -> Result<(Vec<Stream>, Vec<(String, String)>), EngineError> {
        if !with_generated {
            let all = self.shape.static_streams(&self.cx())?;
            let is_named = |stream: &&Node| names.iter().any(|name| has_name(stream, name));
            let are_static = names.iter().all(|name| all.iter().any(|it| has_name(it, name)));
            if !names.is_empty() && are_static {
                let selected: Vec<_> = all.iter().filter(is_named).cloned().collect();
                let streams = self.shape.build_streams(&selected, &all, &self.stream_cx()?)?;
                return Ok((streams, Vec::new()));
            }
        }
        self.build_all().await
    }

    /// Unlike where streams are named, one that cannot be built is no answer but an error.
    async fn check_first(&self, count: i64, reads: bool) -> Result<CheckResult, EngineError> {
        let count = usize::try_from(count).ok().filter(|_| reads).unwrap_or(0);
        let cx = self.stream_cx()?;
        let (all, _) = self.gather_streams(&cx).await?;
        let wanted = if count == 0 { &all[..] } else { &all[..count.min(all.len())] };
        let streams = self.shape.build_streams(wanted, &all, &cx)?;
        if streams.is_empty() {
            return Ok(Err("No streams to connect to from source".to_owned()));
        }
        for stream in streams.iter().take(count) {
            if let Err(reason) = check::check_stream(stream, "Stream").await {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(()))
    }

    /// What the streams of the source are.
    pub async fn discover(&self) -> Result<Catalog, EngineError> {
        self.validate_config().map_err(EngineError::traced)?;
        let (streams, _) = self.build_all().await?;
        Ok(discover::discover(&streams).await?)
    }

    /// Reads the selected streams; all of them when no catalog was given.
    pub async fn read(&self) -> Result<ReadOutcome, EngineError> {
        self.validate_config().map_err(EngineError::traced)?;
        let (streams, _) = self.build_all().await?;
        let catalog = match &self.environment.catalog {
            Some(catalog) => catalog.clone(),
            None => ConfiguredCatalog::of_streams(self.wanted_streams(&streams)?),
        };
        let streams = streams.into_iter().map(Arc::new).collect();
        Ok(read::read(streams, &catalog, self.n_workers, &self.output).await)
    }

    /// Reads a little of the stream `name`, and tells `witness` all that happens; gives the stream,
    /// if the manifest has it.
    pub async fn test_read(
        &self,
        name: &str,
        witness: &dyn Witness,
    ) -> Result<Option<Stream>, EngineError> {
        let (streams, _) = self.build_all().await?;
        let stream = streams.into_iter().find(|stream| stream.name == name);
        match (self.validate_config(), &stream) {
            (Err(err), _) => witness.failed(err),
            (Ok(()), Some(stream)) => test_read::read(stream, witness).await,
            (Ok(()), None) => {}
        }
        Ok(stream)
    }

    /// The streams that are made of templates, as they would be written.
    pub async fn generated_streams(&self) -> Result<Vec<GeneratedStream>, EngineError> {
        Ok(self.shape.generated_streams(&self.cx()).await?)
    }

    /// Whether a read does one thing after the other, so that a second processor is of no use: one
    /// slice at a time, or the only slice of the only stream.
    pub fn is_sequential(&self) -> bool {
        self.environment.prefetch == 0 && (self.n_workers == 1 || self.reads_one_slice())
    }

    fn reads_one_slice(&self) -> bool {
        let name = match &self.environment.catalog {
            Some(catalog) => match &catalog.streams[..] {
                [stream] => &stream.name,
                _ => return false,
            },
            None => match &self.stream_names[..] {
                [name] => name,
                _ => return false,
            },
        };
        // What is wrong here is told when the streams are built.
        let Ok(streams) = self.shape.static_streams(&self.cx()) else { return false };
        streams.iter().find(|stream| has_name(stream, name)).is_some_and(|stream| {
            let retriever = stream.get("retriever");
            let is_split = retriever.is_none_or(|it| it.get("partition_router").is_some());
            let is_simple = retriever.and_then(Node::type_name) == Some("SimpleRetriever");
            is_simple && !is_split && stream.get("incremental_sync").is_none()
        })
    }

    /// What the next read will ask for, as far as that is known without asking the API.
    pub async fn explain(&self) -> Result<Explanation, EngineError> {
        self.validate_config().map_err(EngineError::traced)?;
        let cx = self.stream_cx()?;
        let mut explanation = Explanation::default();
        let mut all = self.shape.static_streams(&cx)?;
        match self.shape.generated_streams(&cx).await {
            Ok(generated) => all.extend(generated.into_iter().map(|stream| stream.node)),
            Err(err) => explanation.ignored.push(format!(
                "the streams that are made of templates are not known without asking the API: {err}"
            )),
        }
        let name_of = |stream: &Node| stream.get("name").and_then(Node::as_str).map(str::to_owned);
        let names: Vec<_> = all.iter().filter_map(name_of).collect();
        let catalog = match &self.environment.catalog {
            Some(catalog) => catalog.clone(),
            None => ConfiguredCatalog::of_streams(names.iter().cloned()),
        };
        let states = &self.environment.states;
        for name in catalog.streams.iter().map(|stream| &stream.name) {
            let Some(node) = all.iter().find(|stream| has_name(stream, name)) else { continue };
            let built = self.shape.build_streams(std::slice::from_ref(node), &all, &cx);
            let stream = built.map(Vec::into_iter).and_then(|mut built| {
                built.next().ok_or_else(|| BuildError::at(node, "the stream is not there"))
            });
            explanation.streams.push(StreamExplanation::new(name, stream, states));
        }
        let known = names.iter().map(String::as_str).collect();
        explanation.ignored.extend(explain::ignored(&known, &catalog, states));
        Ok(explanation)
    }

    /// The names that a read without a catalog was given, all of which must exist.
    fn wanted_streams(&self, streams: &[Stream]) -> Result<Vec<String>, EngineError> {
        let known = || streams.iter().map(|stream| stream.name.as_str());
        if self.stream_names.is_empty() {
            return Ok(known().map(str::to_owned).collect());
        }
        for name in &self.stream_names {
            if !known().any(|it| it == name) {
                let hint = did_you_mean(name, known()).map(|it| format!("; did you mean `{it}`?"));
                let message = format!("there is no stream `{name}`{}", hint.unwrap_or_default());
                return Err(EngineError::traced(TracedError::config(message)));
            }
        }
        Ok(self.stream_names.clone())
    }

    /// Builds all streams; also tells which template made which stream.
    async fn build_all(&self) -> Result<(Vec<Stream>, Vec<(String, String)>), EngineError> {
        let cx = self.stream_cx()?;
        let (all, made) = self.gather_streams(&cx).await?;
        Ok((self.shape.build_streams(&all, &all, &cx)?, made))
    }

    /// All streams as they are built from, and which template made which.
    async fn gather_streams(
        &self,
        cx: &BuildContext<'_>,
    ) -> Result<(Vec<Node>, Vec<(String, String)>), EngineError> {
        let mut all = self.shape.static_streams(cx)?;
        let mut made = Vec::new();
        for stream in self.shape.generated_streams(cx).await? {
            let name = stream.node.get("name").and_then(Node::as_str).unwrap_or_default();
            made.push((stream.template, name.to_owned()));
            all.push(stream.node);
        }
        Ok((all, made))
    }

    /// The context that streams are built in, once the manifest's own validations let the config pass.
    fn stream_cx(&self) -> Result<BuildContext<'_>, BuildError> {
        let mut cx = self.cx();
        if let Some(spec) = &self.spec {
            spec.validate(&self.supplied, &cx)?;
        }
        let budget = self.shape.api_budget.as_ref();
        cx.budget = budget.map(|budget| budget.build(&cx)).transpose()?;
        Ok(cx)
    }

    fn cx(&self) -> BuildContext<'_> {
        BuildContext {
            registry: &REGISTRY,
            environment: &self.environment,
            config: self.config.clone(),
            stream: StreamScope::default(),
            budget: None,
            shared: SharedComponents::default(),
            job_slots: self.job_slots.clone(),
        }
    }
}

fn has_name(stream: &Node, name: &str) -> bool {
    stream.get("name").and_then(Node::as_str) == Some(name)
}

/// Writes a migrated config over the one that was given, so that the next run need not migrate it.
fn keep_config(path: &Path, config: &Map) {
    let text = PythonJson::DEFAULT.text(&Json::Object(config.clone()));
    match std::fs::write(path, text) {
        Ok(()) => info!("The config was migrated and written back"),
        // The CONTROL message carries it all the same, and a mounted config may be read-only.
        Err(err) => warn!("The migrated config cannot be written back: {err}"),
    }
}
