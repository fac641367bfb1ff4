//! What a manifest is asked besides a test read: whether it can connect, and what it has.

use axum::Json as JsonBody;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::projects::At;
use super::testing_values::to_run;
use crate::builder::commands::{CommandError, Prepared};
use crate::manifest::{Findings, Node, Source, parse};
use crate::run::RunContext;
use crate::value::{Json, Map};

/// How many streams are made of a template when nobody says.
const STREAMS: usize = 10;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    text: String,
    values: Option<Json>,
    stream_limit: Option<usize>,
}

impl Asked {
    /// Reads the manifest, and finds the config that it is run with.
    async fn prepare(self, api: &Api, at: (String, String)) -> Answer<(Prepared, Map)> {
        let (api, (workspace, id)) = (api.clone(), at);
        apart(move || {
            let (values, kept) = to_run(&*api.store()?, &workspace, &id, self.values)?;
            let Json::Object(config) = values else {
                return Err(Failure::invalid("the values of a config are an object"));
            };
            let mut findings = Findings::default();
            let written = parse(&Source::new("manifest.yaml", self.text), &mut findings);
            let written = written.as_ref().map(Node::to_json).ok_or_else(|| {
                let message = findings.first_error().map(|it| it.message.clone());
                refused(message.unwrap_or_default())
            })?;
            let prepared = Prepared::with(&written, false, false, &RunContext::system());
            let prepared = prepared.map_err(failure)?;
            for secret in &kept {
                prepared.secrets.add(secret);
            }
            Ok((prepared, config))
        })
        .await
    }
}

fn refused(message: String) -> Failure {
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "source", message)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn failure(error: CommandError) -> Failure {
    refused(error.to_string())
}

pub(super) async fn check(
    State(api): State<Api>,
    Path(at): At,
    Body(asked): Body<Asked>,
) -> Answer<JsonBody<Json>> {
    let (prepared, config) = asked.prepare(&api, at).await?;
    let checked = prepared.check(config, &api.0.outside).await.map_err(failure)?;
    let message = checked.as_ref().err().cloned();
    Ok(JsonBody(json!({"success": checked.is_ok(), "message": message})))
}

pub(super) async fn discover(
    State(api): State<Api>,
    Path(at): At,
    Body(asked): Body<Asked>,
) -> Answer<JsonBody<Json>> {
    let (prepared, config) = asked.prepare(&api, at).await?;
    let catalog = prepared.discover(config, &api.0.outside).await.map_err(failure)?;
    Ok(JsonBody(json!({"catalog": catalog})))
}

pub(super) async fn generate(
    State(api): State<Api>,
    Path(at): At,
    Body(asked): Body<Asked>,
) -> Answer<JsonBody<Json>> {
    let limit = asked.stream_limit.unwrap_or(STREAMS);
    let (prepared, config) = asked.prepare(&api, at).await?;
    let manifest = prepared.fully_resolved(config, limit, &api.0.outside).await.map_err(failure)?;
    let streams = manifest["streams"].as_array().into_iter().flatten();
    let made = streams.filter(|stream| !stream["dynamic_stream_name"].is_null());
    let streams: Vec<_> = made
        .map(|stream| {
            json!({
                "name": stream["name"],
                "dynamic_stream_name": stream["dynamic_stream_name"],
                "definition": stream,
            })
        })
        .collect();
    Ok(JsonBody(json!({"streams": streams})))
}
