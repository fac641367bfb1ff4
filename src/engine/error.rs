//! Why a command could not do its work.

use std::fmt::Write;

use crate::components::{BuildError, ReadError};
use crate::manifest::{Findings, Severity};
use crate::protocol::TracedError;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The manifest has faults.
    #[error("{}", describe(.file, .findings))]
    Manifest {
        /// What the manifest is called.
        file: String,
        /// All that was found.
        findings: Findings,
    },
    /// The config is such that the source cannot even start.
    #[error("{0}")]
    Start(String),
    /// The command started and failed.
    #[error("{}", .0.message.as_deref().unwrap_or("the command failed"))]
    Traced(Box<TracedError>),
}

impl EngineError {
    /// The error of a component that cannot be built while a command runs.
    pub fn traced(error: TracedError) -> Self {
        Self::Traced(Box::new(error))
    }
}

impl From<BuildError> for EngineError {
    fn from(err: BuildError) -> Self {
        let text = err.to_string();
        Self::traced(match err.failure_type {
            Some(failure_type) => TracedError::new(failure_type, err.message).with_internal(text),
            None => uncaught(&text),
        })
    }
}

impl From<ReadError> for EngineError {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::Traced(traced) => Self::Traced(traced),
            err => Self::traced(uncaught(&err.to_string())),
        }
    }
}

/// What the reference prints of an exception that nothing caught.
fn uncaught(text: &str) -> TracedError {
    TracedError::system("Something went wrong in the connector. See the logs for more details.")
        .with_internal(text)
}

/// The faults of a manifest, one a line, each with its place.
fn describe(file: &str, findings: &Findings) -> String {
    let errors = findings.sorted().into_iter().filter(|it| it.severity == Severity::Error);
    let mut text = "the manifest cannot be used:".to_owned();
    for error in errors {
        // Writing to a text cannot fail.
        let place = error.span.map_or_else(
            || file.to_owned(),
            |span| format!("{file}:{}:{}", span.line, span.column),
        );
        let _ = write!(text, "\n{place}: {}", error.message);
        if !error.path.is_empty() {
            let _ = write!(text, " (at {})", error.path);
        }
        if let Some(help) = &error.help {
            let _ = write!(text, "; {help}");
        }
    }
    text
}
