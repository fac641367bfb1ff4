//! `check`: whether streams can be read, by the first record of each.

use std::ops::ControlFlow;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tracing::{info, warn};

use crate::components::{BuildError, Config, ReadError, RecordSink, Stream};
use crate::protocol::TracedError;
use crate::value::{Json, Map, write_python_text_repr};

use super::error::EngineError;

/// Why a check failed, in the words of the reference; `Ok` when it did not.
pub type CheckResult = Result<(), String>;

/// The streams that a check reads from: those the config names, else those of the manifest.
pub(super) fn stream_names(names: &[String], config: &Map) -> Result<Vec<String>, BuildError> {
    const KEY: &str = "__airbyte_check_stream_names";
    let wrong = || BuildError::new(format!("{KEY} must be a list of strings."));
    match config.get(KEY) {
        None => Ok(names.to_vec()),
        Some(Json::Array(chosen)) if chosen.is_empty() => Ok(names.to_vec()),
        Some(Json::Array(chosen)) => {
            chosen.iter().map(|it| it.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// Lays `overrides` over the config for the check.
pub(super) fn override_config(overrides: &Map, config: &Config) -> Result<(), EngineError> {
    if overrides.is_empty() {
        return Ok(());
    }
    if let Some(key) = overrides.keys().find(|key| key.starts_with("__airbyte")) {
        let text = format!("`config_overrides` of a check may not set `{key}`, which is reserved");
        return Err(EngineError::traced(TracedError::system(text)));
    }
    let snapshot = config.snapshot();
    let unknown: Vec<_> =
        overrides.keys().filter(|key| !snapshot.contains_key(*key)).map(String::as_str).collect();
    if !unknown.is_empty() {
        warn!("Overriding config keys that the config does not have: {}", unknown.join(", "));
    }
    let mut keys: Vec<_> = overrides.keys().map(String::as_str).collect();
    keys.sort_unstable();
    info!("Overriding config keys for the check operation: {}", keys.join(", "));
    config.update(|config| config.extend(overrides.clone()));
    Ok(())
}

/// A text as Python's `repr` shows it; the reference reports failures so.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    write_python_text_repr(text, &mut quoted);
    quoted
}

/// Reads the first record of a stream; `kind` is what the reference calls it.
pub(super) async fn check_stream(stream: &Stream, kind: &str) -> CheckResult {
    let name = &stream.name;
    match first_record(stream).await {
        Ok(FirstRecord::Found) => Ok(()),
        Ok(FirstRecord::NoRecord) => {
            info!("Successfully connected to stream {name}, but got 0 records.");
            Ok(())
        }
        Ok(FirstRecord::NoSlice) => Err(format!(
            "{kind} {name} is not available: Cannot attempt to connect to stream {name} - no stream \
             slices were found, likely because the parent stream is empty."
        )),
        Err(ReadError::Traced(error)) => {
            let text = error.message.unwrap_or_default();
            Err(format!("{kind} {name} is not available: {text}"))
        }
        Err(err) => Err(format!(
            "Encountered an error while checking availability of {} {name}. Error: {err}",
            kind.to_lowercase()
        )),
    }
}

enum FirstRecord {
    Found,
    NoRecord,
    NoSlice,
}

async fn first_record(stream: &Stream) -> Result<FirstRecord, ReadError> {
    let Some(slice) = stream.slices().next().await else {
        return Ok(FirstRecord::NoSlice);
    };
    let slice = slice?;
    stream.schema.load().await?;
    let mut sink = FirstSink { stream, has_record: false };
    stream.retriever.read(&slice, &mut sink).await?;
    Ok(if sink.has_record { FirstRecord::Found } else { FirstRecord::NoRecord })
}

/// Wants one record, with its file.
struct FirstSink<'a> {
    stream: &'a Stream,
    has_record: bool,
}

impl RecordSink for FirstSink<'_> {
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        async move {
            let Some(record) = records.first() else { return Ok(ControlFlow::Continue(())) };
            self.has_record = true;
            if let Some(files) = &self.stream.files {
                files.upload(record).await?;
            }
            Ok(ControlFlow::Break(()))
        }
        .boxed()
    }
}
