//! The messages of the Airbyte protocol, with the names and the order of the
//! reference's own fields.
//!
//! What is absent is left out, at every level; of the objects that a manifest,
//! a user or an API fills, nulls are left out at their first level only, and
//! kept everywhere in states: all of that as the reference prints it.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{Error, Serializer};
use serde_json::value::RawValue;

use super::failure::FailureType;
use crate::value::{Json, Map, write_object, write_record_data};

/// One line of output; records have their own road, [`super::RecordFrame`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Message {
    /// A line of the log.
    Log { log: Log },
    /// How the source is configured.
    Spec { spec: Spec },
    /// Whether the source can be reached.
    ConnectionStatus {
        #[serde(rename = "connectionStatus")]
        connection_status: ConnectionStatus,
    },
    /// What the source offers.
    Catalog { catalog: Catalog },
    /// How far a stream has been read.
    State { state: State },
    /// An error, or the status of a stream.
    Trace { trace: Trace },
    /// The configuration has changed.
    Control { control: Control },
}

impl Message {
    /// A line of the log.
    pub fn log(level: Level, message: impl Into<String>) -> Self {
        Self::Log { log: Log { level, message: message.into(), stack_trace: None } }
    }

    /// The state of a stream that covers `n_records` records since its last one.
    pub fn state(stream: impl Into<StreamDescriptor>, stream_state: Map, n_records: u64) -> Self {
        // The protocol counts in floats; no run prints 2⁵³ records.
        #[expect(clippy::cast_precision_loss, reason = "a count of records fits a double")]
        let record_count = n_records as f64;
        Self::State {
            state: State {
                kind: StateType::Stream,
                stream: StreamState { stream_descriptor: stream.into(), stream_state },
                source_stats: StateStats { record_count },
            },
        }
    }

    /// A stream has come to `status`; `reasons` say why it is not further.
    pub fn stream_status(
        stream: impl Into<StreamDescriptor>,
        status: StreamStatus,
        reasons: Option<Vec<StreamStatusReason>>,
        now: Timestamp,
    ) -> Self {
        let stream_descriptor = stream.into();
        Self::Trace {
            trace: Trace::StreamStatus {
                emitted_at: precise_millis(now),
                stream_status: StreamStatusTrace { stream_descriptor, status, reasons },
            },
        }
    }

    /// An error that the user is told of.
    pub fn error(error: ErrorTrace, now: Timestamp) -> Self {
        Self::Trace { trace: Trace::Error { emitted_at: now.as_millisecond(), error } }
    }

    /// The platform shall keep `config` for the next run.
    pub fn connector_config(config: Map, now: Timestamp) -> Self {
        Self::Control {
            control: Control::ConnectorConfig {
                emitted_at: precise_millis(now),
                connector_config: ConnectorConfig { config },
            },
        }
    }

    /// The outcome of a check; `failure` is the reason why it failed.
    pub fn connection_status(failure: Option<String>) -> Self {
        let status = if failure.is_some() { Status::Failed } else { Status::Succeeded };
        Self::ConnectionStatus { connection_status: ConnectionStatus { status, message: failure } }
    }

    /// Whether the platform acts on the message at once, so that it must not wait in a buffer.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::State { .. } | Self::Trace { .. } | Self::Control { .. })
    }
}

/// Milliseconds with their fraction, as statuses and configurations carry them.
fn precise_millis(now: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this era fit a double")]
    let micros = now.as_microsecond() as f64;
    micros / 1000.0
}

/// The severity of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Log {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: String,
    /// Where in the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// How the source is configured, and what it can do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The JSON schema of the configuration.
    #[serde(serialize_with = "without_nulls")]
    pub connection_specification: Map,
    /// Where the source is described.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub documentation_url: Option<String>,
    supports_normalization: bool,
    #[serde(rename = "supportsDBT")]
    supports_dbt: bool,
    /// How a user authorises the source in a browser; printed as it is.
    #[serde(rename = "advanced_auth", skip_serializing_if = "Option::is_none")]
    pub advanced_auth: Option<Json>,
}

impl Spec {
    /// The specification of a source whose configuration obeys `connection_specification`.
    pub fn new(connection_specification: Map) -> Self {
        Self {
            connection_specification,
            documentation_url: None,
            supports_normalization: false,
            supports_dbt: false,
            advanced_auth: None,
        }
    }
}

/// The outcome of a check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectionStatus {
    /// Whether it went well.
    pub status: Status,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether a check went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Status {
    Succeeded,
    Failed,
}

/// What the source offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Catalog {
    /// The streams, in the order of the manifest.
    pub streams: Vec<Stream>,
}

/// How a stream can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum SyncMode {
    FullRefresh,
    Incremental,
}

/// A stream that the source offers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Stream {
    /// The name, unique within the source.
    pub name: String,
    /// The JSON schema of its records.
    #[serde(serialize_with = "without_nulls")]
    pub json_schema: Map,
    /// How it can be read.
    pub supported_sync_modes: Vec<SyncMode>,
    /// Whether the source, and not the user, chooses the cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_defined_cursor: Option<bool>,
    /// The path of the cursor in a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_cursor_field: Option<Vec<String>>,
    /// The paths of the parts of the primary key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_defined_primary_key: Option<Vec<Vec<String>>>,
    /// Whether a read that broke off can go on where it was.
    pub is_resumable: bool,
    /// Whether its records come with files.
    pub is_file_based: bool,
}

/// Names a stream within a source; streams of manifests have no namespace, in no message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct StreamDescriptor {
    /// The name.
    pub name: String,
}

impl<S: Into<String>> From<S> for StreamDescriptor {
    fn from(name: S) -> Self {
        Self { name: name.into() }
    }
}

/// How far a stream has been read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct State {
    #[serde(rename = "type")]
    kind: StateType,
    /// The stream and its state.
    pub stream: StreamState,
    /// What the state covers.
    #[serde(rename = "sourceStats")]
    pub source_stats: StateStats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StateType {
    Stream,
}

/// The state of one stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamState {
    /// The stream.
    pub stream_descriptor: StreamDescriptor,
    /// Where to go on; nulls are kept.
    #[serde(serialize_with = "as_written")]
    pub stream_state: Map,
}

/// What a state covers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateStats {
    /// The records of the stream that were printed since its last state.
    #[serde(rename = "recordCount")]
    pub record_count: f64,
}

/// News about the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trace {
    /// An error that the user is told of.
    Error {
        /// Whole milliseconds since 1970.
        emitted_at: i64,
        /// What went wrong.
        error: ErrorTrace,
    },
    /// The status of a stream has changed.
    StreamStatus {
        /// Milliseconds since 1970.
        emitted_at: f64,
        /// The stream and its status.
        stream_status: StreamStatusTrace,
    },
}

/// An error as the platform takes it; made of a [`super::TracedError`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorTrace {
    /// For the user.
    pub message: String,
    /// For who maintains the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_message: Option<String>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
    /// Who can mend it; without one the platform tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_type: Option<FailureType>,
    /// The stream that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_descriptor: Option<StreamDescriptor>,
}

/// A stream and its status.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamStatusTrace {
    /// The stream.
    pub stream_descriptor: StreamDescriptor,
    /// Its status from now on.
    pub status: StreamStatus,
    /// Why it is not further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasons: Option<Vec<StreamStatusReason>>,
}

/// How far the reading of a stream has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum StreamStatus {
    Started,
    Running,
    Complete,
    Incomplete,
}

/// Why a stream that is being read does not go on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StreamStatusReason {
    /// The API has no calls left for us.
    RateLimited {
        /// When it will have, if it said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        rate_limited: Option<RateLimited>,
    },
}

/// When an API takes calls again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RateLimited {
    /// Milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota_reset: Option<i64>,
}

/// What the platform shall do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Control {
    /// Keep this configuration for the next run.
    ConnectorConfig {
        /// Milliseconds since 1970.
        emitted_at: f64,
        /// The configuration.
        #[serde(rename = "connectorConfig")]
        connector_config: ConnectorConfig,
    },
}

/// A whole configuration, also what the platform has put into it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConnectorConfig {
    /// The configuration.
    #[serde(serialize_with = "without_nulls")]
    pub config: Map,
}

fn as_written<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
    serialize_text(serializer, |text| write_object(map, text))
}

fn without_nulls<S: Serializer>(map: &Map, serializer: S) -> Result<S::Ok, S::Error> {
    serialize_text(serializer, |text| write_record_data(map, text))
}

/// Serialises what `write` makes: serde's own numbers look a little different.
fn serialize_text<S: Serializer>(
    serializer: S,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    write(&mut text);
    let text = String::from_utf8(text).map_err(S::Error::custom)?;
    RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(message: &Message, expect: &str) {
        assert_eq!(serde_json::to_string(message).unwrap(), expect);
    }

    fn now() -> Timestamp {
        Timestamp::from_microsecond(1_700_000_000_000_500).unwrap()
    }

    fn map(value: Json) -> Map {
        let Json::Object(map) = value else { panic!("not an object") };
        map
    }

    #[test]
    fn log() {
        check(
            &Message::log(Level::Warn, "a \"b\""),
            r#"{"type":"LOG","log":{"level":"WARN","message":"a \"b\""}}"#,
        );
    }

    #[test]
    fn spec_leaves_out_nulls_at_the_top_of_the_schema() {
        let mut spec = Spec::new(map(json!({"a": null, "b": {"c": null}})));
        spec.documentation_url = Some("https://x".to_owned());
        check(
            &Message::Spec { spec },
            concat!(
                r#"{"type":"SPEC","spec":{"connectionSpecification":{"b":{"c":null}},"#,
                r#""documentationUrl":"https://x","supportsNormalization":false,"supportsDBT":false}}"#,
            ),
        );
    }

    #[test]
    fn connection_status() {
        check(
            &Message::connection_status(None),
            r#"{"type":"CONNECTION_STATUS","connectionStatus":{"status":"SUCCEEDED"}}"#,
        );
        check(
            &Message::connection_status(Some("no".to_owned())),
            r#"{"type":"CONNECTION_STATUS","connectionStatus":{"status":"FAILED","message":"no"}}"#,
        );
    }

    #[test]
    fn catalog() {
        let stream = Stream {
            name: "items".to_owned(),
            json_schema: map(json!({"type": "object", "title": null})),
            supported_sync_modes: vec![SyncMode::FullRefresh, SyncMode::Incremental],
            source_defined_cursor: Some(true),
            default_cursor_field: Some(vec!["updated".to_owned()]),
            source_defined_primary_key: Some(vec![vec!["id".to_owned()]]),
            is_resumable: true,
            is_file_based: false,
        };
        check(
            &Message::Catalog { catalog: Catalog { streams: vec![stream] } },
            concat!(
                r#"{"type":"CATALOG","catalog":{"streams":[{"name":"items","json_schema":{"type":"object"},"#,
                r#""supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true,"#,
                r#""default_cursor_field":["updated"],"source_defined_primary_key":[["id"]],"#,
                r#""is_resumable":true,"is_file_based":false}]}}"#,
            ),
        );
    }

    #[test]
    fn state_keeps_nulls_and_counts_in_floats() {
        check(
            &Message::state("s", map(json!({"a": null, "b": {"c": null}, "x": 1e16})), 2),
            concat!(
                r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"s"},"#,
                r#""stream_state":{"a":null,"b":{"c":null},"x":1e+16}},"sourceStats":{"recordCount":2.0}}}"#,
            ),
        );
    }

    #[test]
    fn stream_status_has_fractions_of_milliseconds() {
        let quota_reset = Some(5);
        let reason =
            StreamStatusReason::RateLimited { rate_limited: Some(RateLimited { quota_reset }) };
        check(
            &Message::stream_status("s", StreamStatus::Running, Some(vec![reason]), now()),
            concat!(
                r#"{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1700000000000.5,"#,
                r#""stream_status":{"stream_descriptor":{"name":"s"},"status":"RUNNING","#,
                r#""reasons":[{"type":"RATE_LIMITED","rate_limited":{"quota_reset":5}}]}}}"#,
            ),
        );
        let whole = Timestamp::from_second(1_700_000_000).unwrap();
        check(
            &Message::stream_status("s", StreamStatus::Started, None, whole),
            concat!(
                r#"{"type":"TRACE","trace":{"type":"STREAM_STATUS","emitted_at":1700000000000.0,"#,
                r#""stream_status":{"stream_descriptor":{"name":"s"},"status":"STARTED"}}}"#,
            ),
        );
    }

    #[test]
    fn control_leaves_out_nulls_at_the_top_of_the_config() {
        check(
            &Message::connector_config(map(json!({"a": null, "b": [null]})), now()),
            concat!(
                r#"{"type":"CONTROL","control":{"type":"CONNECTOR_CONFIG","emitted_at":1700000000000.5,"#,
                r#""connectorConfig":{"config":{"b":[null]}}}}"#,
            ),
        );
    }
}
