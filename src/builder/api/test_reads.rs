//! Test reads, told of while they go on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::events::{Teller, told};
use super::projects::At;
use super::running::Running;
use super::test_result::{Timeline, result};
use super::testing_values::{masking, to_run};
use crate::builder::test_read::{self, Event, Limits, TestRead, Watcher};
use crate::manifest::{Manifest, Source};
use crate::protocol::{States, read_states};
use crate::value::{Json, Map, Secrets};

/// What the pages ask for.
#[derive(Debug, Deserialize)]
pub(super) struct NewTest {
    text: String,
    stream_name: String,
    state: Option<Vec<Json>>,
    record_limit: Option<usize>,
    page_limit: Option<usize>,
    slice_limit: Option<usize>,
    values: Option<Json>,
}

/// A test read that is ready to begin.
struct Test {
    manifest: Manifest,
    config: Map,
    stream: String,
    states: States,
    limits: Limits,
    secrets: Secrets,
}

pub(super) async fn start(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(new): Body<NewTest>,
) -> Answer<impl IntoResponse> {
    let prepared = api.clone();
    let test = apart(move || prepare(&prepared, &workspace, &id, new)).await?;
    Ok(told(|teller| run(api, test, teller)))
}

fn prepare(api: &Api, workspace: &str, id: &str, new: NewTest) -> Answer<Test> {
    let (manifest, config, secrets) =
        manifest_and_config(api, workspace, id, new.text, new.values)?;
    let states = match new.state {
        None => States::new(),
        Some(states) => {
            let states = read_states(&Json::Array(states));
            states.map_err(|error| Failure::invalid(format!("the state is no state: {error}")))?
        }
    };
    let limits = Limits {
        records: new.record_limit.unwrap_or(Limits::DEFAULT.records),
        pages: new.page_limit.unwrap_or(Limits::DEFAULT.pages),
        slices: new.slice_limit.unwrap_or(Limits::DEFAULT.slices),
        stops_at_records: true,
    };
    Ok(Test { manifest, config, stream: new.stream_name, states, limits, secrets })
}

/// What is run of a text, and with which values; and what of them is masked.
pub(super) fn manifest_and_config(
    api: &Api,
    workspace: &str,
    id: &str,
    text: String,
    values: Option<Json>,
) -> Answer<(Manifest, Map, Secrets)> {
    let (values, kept) = to_run(&*api.store()?, workspace, id, values)?;
    let manifest = Manifest::from_yaml(Source::new("manifest.yaml", text));
    let secrets = masking(&manifest, &values);
    for secret in &kept {
        secrets.add(secret);
    }
    let Json::Object(config) = values else {
        return Err(Failure::invalid("the values of a config are an object"));
    };
    Ok((manifest, config, secrets))
}

/// Runs a test read, and tells all that happens; whoever drops this cancels it.
async fn run(api: Api, test: Test, teller: Teller) {
    let Test { manifest, config, stream, states, limits, secrets } = test;
    let (watcher, mut events) = Watcher::new(api.0.outside.clock());
    let running = Arc::new(Running::new(watcher.clone()));
    let id = api.0.tests.add(Arc::clone(&running));
    let _guard = api.0.tests.guard(&id);
    let mut timeline = Timeline::default();
    if !teller.tell("started", json!({"test": id})).await {
        return;
    }
    let read = TestRead {
        manifest: &manifest,
        config,
        stream: &stream,
        states,
        limits,
        secrets: secrets.clone(),
    };
    let mut read = Box::pin(test_read::run(read, &api.0.outside, &watcher));
    let outcome = loop {
        tokio::select! {
            biased;
            () = running.stopped() => {
                teller.tell("failed", json!({"message": "the test was stopped"})).await;
                return;
            }
            Some(event) = events.recv() => {
                if let Event::Wait { wait, .. } = &event {
                    running.wait.store(*wait, Ordering::Relaxed);
                }
                timeline.hear(&event);
                let (name, data) = named(&event);
                if !teller.tell(&name, data).await {
                    return;
                }
            }
            outcome = &mut read => break outcome,
        }
    };
    while let Ok(event) = events.try_recv() {
        timeline.hear(&event);
        let (name, data) = named(&event);
        teller.tell(&name, data).await;
    }
    match outcome {
        Ok(outcome) => {
            let (result, bodies) = result(&outcome, &timeline);
            api.0.tests.keep(&id, bodies);
            teller.tell("result", result).await;
        }
        Err(error) => {
            let message = secrets.mask(&error.to_string()).into_owned();
            teller.tell("failed", json!({"message": message})).await;
        }
    }
}

/// An event's name, and what it says.
fn named(event: &Event) -> (String, Json) {
    let mut event = json!(event);
    (event["event"].as_str().unwrap_or_default().to_owned(), event["data"].take())
}

pub(super) async fn skip(State(api): State<Api>, Path(test): Path<String>) -> Answer<StatusCode> {
    let running = api.0.tests.get(&test).ok_or_else(|| no_test(&test))?;
    if running.skip() {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Failure::new(StatusCode::CONFLICT, "no_wait", "nothing is waited for"))
    }
}

pub(super) async fn stop(State(api): State<Api>, Path(test): Path<String>) -> Answer<StatusCode> {
    let running = api.0.tests.get(&test).ok_or_else(|| no_test(&test))?;
    running.stop();
    Ok(StatusCode::NO_CONTENT)
}

fn no_test(test: &str) -> Failure {
    Failure::not_found(format!("there is no test `{test}` that goes on"))
}

#[derive(Debug, Deserialize)]
pub(super) struct Part {
    #[serde(default)]
    offset: usize,
    length: Option<usize>,
}

pub(super) async fn body(
    State(api): State<Api>,
    Path((test, body)): Path<(String, usize)>,
    Query(Part { offset, length }): Query<Part>,
) -> Answer<String> {
    let text = api.0.tests.body(&test, body).ok_or_else(|| {
        Failure::not_found("the bodies of this test are not kept any more: read again")
    })?;
    let start = text.floor_char_boundary(offset);
    let end = text.floor_char_boundary(start.saturating_add(length.unwrap_or(usize::MAX)));
    Ok(text[start..end].to_owned())
}
