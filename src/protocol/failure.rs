//! The one form in which an error reaches the platform.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::message::{ErrorTrace, Message, StreamDescriptor};
use crate::value::Secrets;

/// Who can mend a failure; the platform decides by it whether to try again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureType {
    /// The source itself has a fault.
    #[default]
    SystemError,
    /// The user must change something: no further attempt is made.
    ConfigError,
    /// It may pass by itself.
    TransientError,
}

impl FailureType {
    /// The name in the protocol and in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemError => "system_error",
            Self::ConfigError => "config_error",
            Self::TransientError => "transient_error",
        }
    }
}

/// What users see when an error says nothing to them.
const NO_MESSAGE: &str = "Something went wrong in the connector. See the logs for more details.";

/// An error that the run prints: what the user is told, and what a maintainer is.
///
/// Its display is the user's text or else the maintainer's, as in the reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TracedError {
    /// For the user.
    pub message: Option<String>,
    /// For who maintains the source.
    pub internal_message: Option<String>,
    /// Who can mend it.
    pub failure_type: FailureType,
    /// Where it happened: the causes, one a line.
    pub stack_trace: Option<String>,
    /// The stream that failed.
    pub stream_descriptor: Option<StreamDescriptor>,
}

impl TracedError {
    /// A failure of `failure_type` with a text for the user.
    pub fn new(failure_type: FailureType, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), failure_type, ..Self::default() }
    }

    /// The user must change something.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FailureType::ConfigError, message)
    }

    /// The source itself has a fault.
    pub fn system(message: impl Into<String>) -> Self {
        Self::new(FailureType::SystemError, message)
    }

    /// It may pass by itself.
    pub fn transient(message: impl Into<String>) -> Self {
        Self::new(FailureType::TransientError, message)
    }

    /// A fault nobody foresaw: users get a general text, maintainers the error with its causes.
    pub fn unexpected(error: &(dyn std::error::Error + 'static)) -> Self {
        Self {
            internal_message: Some(error.to_string()),
            stack_trace: Some(causes(error)),
            ..Self::default()
        }
    }

    /// Adds the text for maintainers.
    #[must_use]
    pub fn with_internal(mut self, internal_message: impl Into<String>) -> Self {
        self.internal_message = Some(internal_message.into());
        self
    }

    /// Names the stream, unless a deeper place has done so.
    #[must_use]
    pub fn in_stream(mut self, stream: impl Into<StreamDescriptor>) -> Self {
        self.stream_descriptor.get_or_insert_with(|| stream.into());
        self
    }

    /// The message of the protocol, with all secrets masked.
    pub fn to_message(&self, secrets: &Secrets, now: Timestamp) -> Message {
        let mask = |text: &str| secrets.mask(text).into_owned();
        let error = ErrorTrace {
            message: mask(self.message.as_deref().filter(|m| !m.is_empty()).unwrap_or(NO_MESSAGE)),
            internal_message: self.internal_message.as_deref().map(mask),
            stack_trace: self.stack_trace.as_deref().map(mask),
            failure_type: Some(self.failure_type),
            stream_descriptor: self.stream_descriptor.clone(),
        };
        Message::error(error, now)
    }
}

impl fmt::Display for TracedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.message.as_deref().or(self.internal_message.as_deref());
        f.write_str(text.unwrap_or_default())
    }
}

impl std::error::Error for TracedError {}

/// The error and its causes, the outermost first, one a line.
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        text.push_str("\ncaused by: ");
        text.push_str(&cause.to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(error: &TracedError, expect: &str) {
        let secrets = Secrets::new();
        secrets.add("k3y");
        let message = error.to_message(&secrets, Timestamp::from_millisecond(7).unwrap());
        assert_eq!(serde_json::to_string(&message).unwrap(), expect);
    }

    #[test]
    fn has_the_fields_of_the_protocol_with_secrets_masked() {
        check(
            &TracedError::config("bad k3y").with_internal("k3y!").in_stream("s").in_stream("outer"),
            concat!(
                r#"{"type":"TRACE","trace":{"type":"ERROR","emitted_at":7,"error":{"message":"bad ****","#,
                r#""internal_message":"****!","failure_type":"config_error","#,
                r#""stream_descriptor":{"name":"s"}}}}"#,
            ),
        );
    }

    #[test]
    fn tells_the_user_something_always() {
        let error = std::io::Error::other("disk");
        check(
            &TracedError::unexpected(&error),
            concat!(
                r#"{"type":"TRACE","trace":{"type":"ERROR","emitted_at":7,"error":{"message":"Something went "#,
                r#"wrong in the connector. See the logs for more details.","internal_message":"disk","#,
                r#""stack_trace":"disk","failure_type":"system_error"}}}"#,
            ),
        );
    }
}
