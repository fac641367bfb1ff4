//! What a test read answers, as the platform's Builder takes it.

use serde::Serialize;

use crate::protocol::Level;
use crate::value::{Json, Map};

/// Everything that was seen of one stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamRead {
    /// What went wrong, and what an author should know.
    pub logs: Vec<LogMessage>,
    /// The slices that were read.
    pub slices: Vec<Slice>,
    /// Whether there may be more than what was read.
    pub test_read_limit_reached: bool,
    /// The requests that were made for other things than pages of the stream.
    pub auxiliary_requests: Vec<AuxiliaryRequest>,
    /// The JSON schema that the records have in common; none without records.
    pub inferred_schema: Option<Json>,
    /// How the fields that are times are written.
    pub inferred_datetime_formats: Map,
    /// The config as the source has changed it.
    pub latest_config_update: Option<Map>,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogMessage {
    /// For the user.
    pub message: String,
    /// How much it matters; the platform knows no details below INFO.
    pub level: Level,
    /// For who maintains the source.
    pub internal_message: Option<String>,
    /// Where it happened.
    pub stacktrace: Option<String>,
}

/// A slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// Its pages.
    pub pages: Vec<Page>,
    /// Its partition and its window.
    pub slice_descriptor: Option<Json>,
    /// The state of the stream after it, in a list of one; empty when there is none yet.
    pub state: Vec<Json>,
    /// The requests about jobs.
    pub auxiliary_requests: Vec<AuxiliaryRequest>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Page {
    /// Its records.
    pub records: Vec<Json>,
    /// What was asked for it.
    pub request: Option<HttpRequest>,
    /// What was answered.
    pub response: Option<HttpResponse>,
}

/// A request, with secrets masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HttpRequest {
    /// Where it went.
    pub url: String,
    /// Its header fields.
    pub headers: Map,
    /// Its method.
    pub http_method: String,
    /// Its body.
    pub body: Option<String>,
}

/// A response, with secrets masked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HttpResponse {
    /// Its status.
    pub status: u16,
    /// Its body as text.
    pub body: String,
    /// Its header fields.
    pub headers: Map,
}

/// A request that was made for something else than a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuxiliaryRequest {
    /// What it was, in a few words.
    pub title: String,
    /// What it was, in one.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it was, in a sentence.
    pub description: String,
    /// The request.
    pub request: HttpRequest,
    /// The response.
    pub response: HttpResponse,
}

impl LogMessage {
    /// A line with nothing for maintainers.
    pub fn new(level: Level, message: impl Into<String>) -> Self {
        Self { message: message.into(), level, internal_message: None, stacktrace: None }
    }
}
