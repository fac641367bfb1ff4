//! What is done with manifests.

use std::future::Future;

use axum::Json as Answer;
use axum::extract::State;
use serde_json::json;

use super::error::ApiError;
use super::request::Body;
use crate::builder::commands::{CommandError, Prepared, read_one_at_a_time};
use crate::builder::outside::Outside;
use crate::builder::test_read::{self, Limits, TestRead, Watcher};
use crate::protocol::message::SyncMode;
use crate::protocol::read_states;
use crate::value::{Json, Map, Secrets};

/// The most streams of a template that are made, and how many unless fewer are asked for.
const MAX_STREAMS: usize = 100;

/// What all requests share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) outside: Outside,
    pub(super) allows_custom_code: bool,
}

type Answered = Result<Answer<Json>, ApiError>;

/// A manifest without references.
pub(super) async fn resolve(State(shared): State<Shared>, mut body: Body) -> Answered {
    let manifest = body.object("manifest");
    body.finish()?;
    let prepared = prepare(manifest, &shared).map_err(|err| nested("resolving manifest", &err))?;
    Ok(Answer(json!({"manifest": prepared.resolved})))
}

/// A manifest without references, and with the streams that its templates make.
pub(super) async fn full_resolve(State(shared): State<Shared>, mut body: Body) -> Answered {
    let (manifest, config) = (body.object("manifest"), body.object("config"));
    let max_streams = body.limit("stream_limit", 100, MAX_STREAMS);
    body.finish()?;
    let resolving = async {
        let prepared = prepare(manifest, &shared)?;
        prepared.fully_resolved(config, max_streams, &shared.outside).await
    };
    let manifest = quietly(resolving).await;
    let manifest = manifest.map_err(|err| nested("full resolving manifest", &err))?;
    Ok(Answer(json!({"manifest": manifest})))
}

/// Whether a connection can be made.
pub(super) async fn check(State(shared): State<Shared>, mut body: Body) -> Answered {
    let (manifest, config) = (body.object("manifest"), body.object("config"));
    body.finish()?;
    let checking = async { prepare(manifest, &shared)?.check(config, &shared.outside).await };
    let checked = quietly(checking).await;
    let checked = checked.map_err(|err| nested("checking connection", &err))?;
    Ok(Answer(json!({"success": checked.is_ok(), "message": checked.err()})))
}

/// The catalog of a source.
pub(super) async fn discover(State(shared): State<Shared>, mut body: Body) -> Answered {
    let (manifest, config) = (body.object("manifest"), body.object("config"));
    body.finish()?;
    let discovering = async { prepare(manifest, &shared)?.discover(config, &shared.outside).await };
    let catalog = quietly(discovering).await;
    let catalog = catalog.map_err(|err| plain("discovering streams", &err))?;
    let streams = catalog.streams.into_iter().map(|stream| {
        let modes = stream.supported_sync_modes.into_iter().map(|mode| match mode {
            SyncMode::FullRefresh => "full_refresh",
            SyncMode::Incremental => "incremental",
        });
        json!({
            "name": stream.name,
            "json_schema": stream.json_schema,
            "supported_sync_modes": modes.collect::<Json>(),
            "source_defined_cursor": stream.source_defined_cursor,
            "default_cursor_field": stream.default_cursor_field,
            "source_defined_primary_key": stream.source_defined_primary_key,
            "namespace": null,
            "is_resumable": stream.is_resumable,
            "is_file_based": stream.is_file_based,
        })
    });
    Ok(Answer(json!({"catalog": {"streams": streams.collect::<Json>()}})))
}

/// A little of one stream.
pub(super) async fn test_read(State(shared): State<Shared>, mut body: Body) -> Answered {
    let (mut manifest, config) = (body.object("manifest"), body.object("config"));
    let stream = body.text("stream_name");
    let mut state = body.list("state");
    let code = body.optional_text("custom_components_code").filter(|code| !code.is_empty());
    let limits = Limits {
        records: body.limit("record_limit", 5000, Limits::DEFAULT.records),
        pages: body.limit("page_limit", 20, Limits::DEFAULT.pages),
        slices: body.limit("slice_limit", 20, Limits::DEFAULT.slices),
        stops_at_records: false,
    };
    body.finish()?;
    if code.is_some() && !shared.allows_custom_code {
        return Err(ApiError::Failed(format!("Error reading stream: {CUSTOM_CODE}")));
    }
    read_one_at_a_time(&mut manifest);
    let prepared = prepare(manifest, &shared).map_err(|err| plain("reading stream", &err))?;
    // What says nothing of any stream is no state of one.
    state.retain(|it| !it.is_object() || it.get("type").is_some_and(|kind| kind != "LEGACY"));
    let failed = |err: String| ApiError::Failed(format!("Error reading stream: {err}"));
    let states = read_states(&Json::Array(state)).map_err(|err| failed(err.to_string()))?;
    let manifest = &prepared.manifest;
    let secrets = Secrets::new();
    let read =
        TestRead { manifest, config, stream: &stream, states, limits, secrets: secrets.clone() };
    let watcher = Watcher::silent(shared.outside.clock());
    let outcome = test_read::run(read, &shared.outside, &watcher).await;
    let outcome =
        outcome.map_err(|err| plain("reading stream", &CommandError::new(&err, &secrets)))?;
    Ok(Answer(json!(outcome.answer)))
}

/// Why code that came with a request is not run.
const CUSTOM_CODE: &str = "Custom connector code is not permitted in this environment. If you need to run custom code, please ask your \
     administrator to set the `AIRBYTE_ENABLE_UNSAFE_CODE` environment variable to 'true' in your Airbyte environment. \
     If you see this message in Airbyte Cloud, your workspace does not allow executing custom connector code.";

fn prepare(manifest: Map, shared: &Shared) -> Result<Prepared, CommandError> {
    Prepared::new(Json::Object(manifest), &shared.outside.run(shared.outside.clock()))
}

/// Runs without a log: there is nobody to tell.
async fn quietly<T>(work: impl Future<Output = T>) -> T {
    use tracing::instrument::WithSubscriber;
    work.with_subscriber(tracing::subscriber::NoSubscriber::new()).await
}

/// An error in the words of the original, which puts one that it has made itself into another.
fn nested(doing: &str, error: &CommandError) -> ApiError {
    let text = match error {
        CommandError::Manifest(_) => format!("400: Invalid manifest: {error}"),
        CommandError::Source { text, .. } => text.clone(),
    };
    ApiError::Failed(format!("Error {doing}: {text}"))
}

/// An error in the words of the original.
fn plain(doing: &str, error: &CommandError) -> ApiError {
    ApiError::Failed(match error {
        CommandError::Manifest(_) => format!("Invalid manifest: {error}"),
        CommandError::Source { text, .. } => format!("Error {doing}: {text}"),
    })
}
