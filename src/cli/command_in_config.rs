//! Commands of the Connector Builder that stand in the config of a `read`, as older platforms ask
//! them: `__command` says what is wanted of the manifest beside it, and the answer is one RECORD.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::json;

use super::inputs;
use super::protocol_run::{Failure, Run, Threads, block_on};
use crate::builder::commands::{CommandError, Prepared, read_one_at_a_time};
use crate::builder::outside::Outside;
use crate::builder::test_read::{self, Limits, TestRead, Watcher};
use crate::engine::Output;
use crate::protocol::{FailureType, RecordFrame, TracedError};
use crate::value::{Json, Map, is_truthy, write_record_data};

const COMMAND: &str = "__command";

/// The config, when it has a command.
pub(super) fn find(config: &Path) -> Option<Map> {
    // What is wrong with the file is told by who reads it next.
    inputs::read_config(config).ok().filter(|config| config.contains_key(COMMAND))
}

/// Answers the command of `config`; that it cannot be done is said without failing, as it is in the
/// reference.
pub(super) fn answer(
    run: &Run,
    config: Map,
    catalog: Option<&Path>,
    state: Option<&Path>,
) -> Result<(), Failure> {
    let (text, failure_type) = match answer_or_fail(run, config, catalog, state) {
        Err(Failure::Start(err)) => (err.to_string(), FailureType::SystemError),
        Err(Failure::Traced(err)) => (err.to_string(), err.failure_type),
        done => return done,
    };
    let message = format!("Error handling request: {text}");
    let error = TracedError::new(failure_type, message).with_internal(text);
    let Output { writer, run, secrets } = &run.output;
    writer.write_message_now(&error.to_message(secrets, run.now()));
    Ok(())
}

fn answer_or_fail(
    run: &Run,
    config: Map,
    catalog: Option<&Path>,
    state: Option<&Path>,
) -> Result<(), Failure> {
    let command = config.get(COMMAND).and_then(Json::as_str).unwrap_or_default().to_owned();
    let outside = Outside::of(run.outside.http.clone(), run.output.run.clone());
    let wanted = Wanted::read(config)?;
    let (stream, data) = match command.as_str() {
        "resolve_manifest" => {
            let prepared = wanted.prepare(run)?;
            ("resolve_manifest".to_owned(), json!({"manifest": prepared.resolved}))
        }
        "full_resolve_manifest" => {
            let prepared = wanted.prepare(run)?;
            let resolving = prepared.fully_resolved(wanted.config, wanted.max_streams, &outside);
            let manifest = block_on(run, Threads::One, resolving)?.map_err(|err| failed(&err))?;
            ("full_resolve_manifest".to_owned(), json!({"manifest": manifest}))
        }
        "test_read" => {
            let catalog =
                catalog.context("`test_read` requires a valid `ConfiguredAirbyteCatalog`")?;
            let catalog = inputs::read_catalog(catalog)?;
            let stream = catalog.streams.first().context("the catalog selects no stream")?;
            let stream = stream.name.clone();
            let prepared = wanted.prepare(run)?;
            let read = TestRead {
                manifest: &prepared.manifest,
                config: wanted.config,
                stream: &stream,
                states: inputs::read_state(state)?,
                limits: wanted.limits,
                secrets: run.output.secrets.clone(),
            };
            let watcher = Watcher::silent(outside.clock());
            let reading = test_read::run(read, &outside, &watcher);
            let outcome = block_on(run, Threads::One, reading)?.map_err(|err| {
                // As in the reference, whoever is to blame.
                let error = CommandError::new(&err, &run.output.secrets);
                TracedError::system(error.to_string())
            })?;
            (stream, json!(outcome.answer))
        }
        _ => return Err(anyhow::anyhow!("Unrecognized command {command}.").into()),
    };
    print(run, &stream, &data)
}

/// What a config with a command says besides it.
struct Wanted {
    config: Map,
    manifest: Json,
    migrates: bool,
    normalizes: bool,
    limits: Limits,
    max_streams: usize,
}

impl Wanted {
    fn read(mut config: Map) -> anyhow::Result<Self> {
        let mut take = |key: &str| config.shift_remove(key);
        let Some(Json::Object(mut manifest)) = take(inputs::INJECTED) else {
            bail!(
                "Invalid config: `{}` should be provided at the root of the config",
                inputs::INJECTED
            );
        };
        read_one_at_a_time(&mut manifest);
        take(COMMAND);
        let limits = take("__test_read_config").unwrap_or_default();
        let limit = |key: &str, default: usize| {
            let number = limits.get(key).and_then(Json::as_u64);
            number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default)
        };
        let usual = Limits::DEFAULT;
        let mut is_set = |key: &str| take(key).is_some_and(|value| is_truthy(&value));
        Ok(Self {
            manifest: Json::Object(manifest),
            migrates: is_set("__should_migrate"),
            normalizes: is_set("__should_normalize"),
            limits: Limits {
                records: limit("max_records", usual.records),
                pages: limit("max_pages_per_slice", usual.pages),
                slices: limit("max_slices", usual.slices),
                ..usual
            },
            max_streams: limit("max_streams", 100),
            config,
        })
    }

    fn prepare(&self, run: &Run) -> Result<Prepared, Failure> {
        let Self { manifest, migrates, normalizes, .. } = self;
        Prepared::with(manifest, *migrates, *normalizes, &run.output.run)
            .map_err(|err| failed(&err))
    }
}

fn failed(error: &CommandError) -> Failure {
    let failure_type = match error {
        CommandError::Source { failure_type, .. } => *failure_type,
        _ => FailureType::SystemError,
    };
    TracedError::new(failure_type, error.to_string()).into()
}

fn print(run: &Run, stream: &str, data: &Json) -> Result<(), Failure> {
    let mut record = Vec::new();
    if let Json::Object(data) = data {
        write_record_data(data, &mut record);
    }
    let mut line = Vec::new();
    RecordFrame::new(stream).line(&mut line, &record, run.output.run.now().as_millisecond());
    let writer = &run.output.writer;
    Ok(block_on(run, Threads::One, writer.write_chunk(line, 1))??)
}
