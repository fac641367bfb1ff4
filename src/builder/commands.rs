//! What the Builder asks of a manifest besides test reads: to be resolved, checked, described.

use std::sync::Arc;

use serde_json::json;

use super::outside::Outside;
use super::test_read::Limits;
use crate::components::TestLimits;
use crate::engine::{EngineError, NoWitness, Source, TestSession, check_manifest};
use crate::http::urljoin;
use crate::manifest::{Manifest, migrate_resolved, normalize};
use crate::protocol::message::Catalog;
use crate::protocol::{FailureType, States, TracedError};
use crate::run::RunContext;
use crate::value::{Json, Map, Secrets, is_truthy};

/// What the Builder's pages put into a manifest to have it migrated, and normalised.
const SWITCHES: [&str; 2] = ["__should_migrate", "__should_normalize"];

/// A manifest as the Builder sends it, checked and resolved.
#[derive(Debug)]
pub struct Prepared {
    /// What is run.
    pub manifest: Manifest,
    /// What is shown: without references, brought up to date, and normalised, as far as asked for.
    pub resolved: Json,
    /// What may not be shown; those of a config are added when it is run with.
    pub secrets: Secrets,
}

/// Why a command gives nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The manifest has faults.
    #[error(
        "Validation against json schema defined in declarative_component_schema.yaml schema failed\n{0}"
    )]
    Manifest(String),
    /// The source cannot do it.
    #[error("{text}")]
    Source {
        /// Why, with all secrets masked.
        text: String,
        /// Whose fault it is.
        failure_type: FailureType,
    },
}

impl CommandError {
    /// The error of the engine, with all secrets masked; of a fault that nobody foresaw the text
    /// for maintainers.
    pub fn new(error: &EngineError, secrets: &Secrets) -> Self {
        let (text, failure_type) = match error {
            EngineError::Manifest { .. } => return Self::Manifest(error.to_string()),
            EngineError::Traced(traced) => (told(traced), traced.failure_type),
            error => (error.to_string(), FailureType::default()),
        };
        Self::Source { text: secrets.mask(&text).into_owned(), failure_type }
    }
}

/// What the reference's exception says.
fn told(error: &TracedError) -> String {
    let uncaught = TracedError::unexpected(error).to_string();
    match &error.internal_message {
        Some(internal) if error.message.as_deref() == Some(GENERAL) => internal.clone(),
        _ => Some(error.to_string()).filter(|text| !text.is_empty()).unwrap_or(uncaught),
    }
}

/// What users are told of errors that nobody foresaw.
const GENERAL: &str = "Something went wrong in the connector. See the logs for more details.";

/// Has a manifest say that one slice is read after the other, as test reads do anyway; what it says
/// itself may be unfinished.
pub fn read_one_at_a_time(manifest: &mut Map) {
    let level = || json!({"type": "ConcurrencyLevel"});
    let level = manifest.entry("concurrency_level").or_insert_with(level);
    if let Json::Object(level) = level {
        level.insert("default_concurrency".to_owned(), 1.into());
    }
}

impl Prepared {
    /// Resolves a manifest, which may say itself that it is to be migrated and normalised.
    pub fn new(mut manifest: Json, run: &RunContext) -> Result<Self, CommandError> {
        let [migrates, normalizes] = SWITCHES.map(|switch| {
            let fields = manifest.as_object_mut();
            fields.and_then(|fields| fields.shift_remove(switch)).is_some_and(|it| is_truthy(&it))
        });
        Self::with(&manifest, migrates, normalizes, run)
    }

    /// Resolves a manifest.
    pub fn with(
        manifest: &Json,
        migrates: bool,
        normalizes: bool,
        run: &RunContext,
    ) -> Result<Self, CommandError> {
        let mut manifest = checked(Manifest::from_json(manifest))?;
        let mut resolved = manifest.root.to_json();
        if migrates {
            migrate_resolved(&mut resolved, urljoin, run.now());
            manifest = checked(Manifest::from_json(&resolved))?;
        }
        if normalizes {
            resolved = normalize(&resolved);
        }
        Ok(Self { manifest, resolved, secrets: Secrets::new() })
    }

    /// The resolved manifest with the streams that its templates make, at most `max_streams` of
    /// each template.
    pub async fn fully_resolved(
        mut self,
        config: Map,
        max_streams: usize,
        outside: &Outside,
    ) -> Result<Json, CommandError> {
        let (source, secrets) = self.open(config, outside)?;
        let generated = source.generated_streams().await;
        let generated = generated.map_err(|err| CommandError::new(&err, &secrets))?;
        mark_cached(&mut self.resolved);
        let Json::Object(manifest) = &mut self.resolved else { return Ok(self.resolved) };
        let streams = manifest.entry("streams").or_insert_with(|| json!([]));
        let Json::Array(streams) = streams else { return Ok(self.resolved) };
        for stream in streams.iter_mut().filter_map(Json::as_object_mut) {
            stream.insert("dynamic_stream_name".to_owned(), Json::Null);
        }
        let mut templates: Vec<&str> = generated.iter().map(|it| it.template.as_str()).collect();
        templates.dedup();
        for template in templates {
            let of_template = generated.iter().filter(|stream| stream.template == template);
            streams.extend(of_template.take(max_streams).map(|stream| {
                let mut written = stream.node.to_json();
                written["dynamic_stream_name"] = template.into();
                written
            }));
        }
        Ok(self.resolved)
    }

    /// Whether a connection can be made; if not, why.
    pub async fn check(
        &self,
        config: Map,
        outside: &Outside,
    ) -> Result<Result<(), String>, CommandError> {
        let (source, secrets) = self.open(config, outside)?;
        let checked = source.check().await.map_err(|err| CommandError::new(&err, &secrets))?;
        Ok(checked.map_err(|reason| secrets.mask(&reason).into_owned()))
    }

    /// What the streams of the source are.
    pub async fn discover(&self, config: Map, outside: &Outside) -> Result<Catalog, CommandError> {
        let (source, secrets) = self.open(config, outside)?;
        source.discover().await.map_err(|err| CommandError::new(&err, &secrets))
    }

    /// Makes the source ready as the Builder runs it: what is read of it is limited.
    fn open(&self, config: Map, outside: &Outside) -> Result<(Source, Secrets), CommandError> {
        let secrets = self.secrets.clone();
        let Limits { pages, slices, .. } = Limits::DEFAULT;
        let limits = TestLimits { pages, slices };
        let test = TestSession { limits, witness: Arc::new(NoWitness) };
        let run = outside.run(outside.clock());
        let session = outside.session(config, None, States::new(), test, run, secrets.clone());
        let source = Source::open(&self.manifest, session);
        let source = source.map_err(|err| CommandError::new(&err, &secrets))?;
        Ok((source, secrets))
    }
}

fn checked(manifest: Manifest) -> Result<Manifest, CommandError> {
    let (shape, mut findings) = check_manifest(&manifest);
    if shape.is_some() {
        return Ok(manifest);
    }
    findings.drop_repeated();
    let error = EngineError::Manifest { file: "the manifest".to_owned(), findings };
    Err(CommandError::Manifest(error.to_string()))
}

/// Shows that the requesters of resolvers keep their responses, as the reference does.
fn mark_cached(manifest: &mut Json) {
    let Some(Json::Array(templates)) = manifest.get_mut("dynamic_streams") else { return };
    for template in templates {
        let requester = template.pointer_mut("/components_resolver/retriever/requester");
        if let Some(Json::Object(requester)) = requester {
            requester.insert("use_cache".to_owned(), true.into());
        }
    }
}
