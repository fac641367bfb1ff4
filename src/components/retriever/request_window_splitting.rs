//! `RequestWindowSplitting`: a window that is too wide for the API is read as two halves.

use crate::components::shape::shape;
use crate::components::{BuildError, ReadError};
use crate::protocol::TracedError;
use crate::template::time::{Span, TimeDelta};

/// How often a window is halved at most, whatever its cursor allows.
pub(super) const MAX_DEPTH: u32 = 10;

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads a window as two halves.
        pub struct RequestWindowSplitting {
            /// Added to the message when nothing helps.
            failure_message: Option<String>,
            /// The smallest window, as ISO 8601 duration.
            min_split_window: Option<String>,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct RequestWindowSplitting {
    /// The smallest window.
    pub(super) min_window: Option<TimeDelta>,
    shape: yaml::RequestWindowSplitting,
}

impl RequestWindowSplitting {
    /// Builds what `shape` says for `stream`.
    pub(super) fn build(
        shape: &yaml::RequestWindowSplitting,
        stream: &str,
    ) -> Result<Self, BuildError> {
        let min_window = match shape.min_split_window.as_deref().filter(|it| !it.is_empty()) {
            None => None,
            Some(written) => match Span::parse(written)? {
                Span::Exact(delta) if delta.micros() > 0 => Some(delta),
                _ => {
                    let message = format!(
                        "`min_split_window` must be a positive duration expressible as a fixed number of \
                         days/hours/minutes/seconds on stream {stream}: `{written}` is not."
                    );
                    return Err(BuildError::in_span(shape.span, message));
                }
            },
        };
        Ok(Self { min_window, shape: shape.clone() })
    }

    /// The window was halved as often as is sensible.
    pub(super) fn too_deep(&self, stream: &str, reason: &str) -> ReadError {
        let message = format!(
            "Stream {stream} could not split its request window to a size the API accepts within {MAX_DEPTH} splits."
        );
        let internal = format!(
            "Stream {stream} exceeded the maximum request window split depth of {MAX_DEPTH}{}",
            rejection(reason)
        );
        self.failure(message, internal)
    }

    /// The window cannot be halved.
    pub(super) fn indivisible(&self, stream: &str, reason: &str) -> ReadError {
        let note = match &self.shape.min_split_window {
            Some(written) => format!(", its configured `min_split_window` ({written})"),
            None => String::new(),
        };
        let message = format!(
            "The API kept rejecting stream {stream}'s request window even at the smallest window its cursor \
             allows{note}, or splitting the window further would not make progress."
        );
        let internal = format!(
            "Stream {stream} could not split its request window any further{}",
            rejection(reason)
        );
        self.failure(message, internal)
    }

    fn failure(&self, message: String, internal: String) -> ReadError {
        let message = super::with_advice(message, self.shape.failure_message.as_deref());
        ReadError::traced(TracedError::transient(message).with_internal(internal))
    }
}

fn rejection(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!("; the API rejected it: {reason}") }
}
