//! What can go wrong while components are built and while they read.

use std::fmt;

use crate::http::{HttpError, LimitError, SendError};
use crate::manifest::{Node, Span};
use crate::protocol::{FailureType, TracedError};
use crate::template::EvalError;
use crate::template::time::TimeError;
use crate::value::PathError;
use crate::value::body::{CharsetError, GunzipError};

/// A component that cannot be built with this manifest and config.
#[derive(Debug, Clone)]
pub struct BuildError {
    /// What is wrong, as a sentence.
    pub message: String,
    /// The Python exception the reference raises here; it shows in traces.
    pub class: &'static str,
    /// Where it is written, when it is written anywhere.
    pub span: Option<Span>,
    /// Set when the reference raises a traced error here.
    pub failure_type: Option<FailureType>,
}

impl BuildError {
    /// An error that has no place in the manifest.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), class: "ValueError", span: None, failure_type: None }
    }

    /// An error of the component written at `node`.
    pub fn at(node: &Node, message: impl Into<String>) -> Self {
        Self { span: node.span(), ..Self::new(message) }
    }

    /// An error of the component written at `span`.
    pub fn in_span(span: Option<Span>, message: impl Into<String>) -> Self {
        Self { span, ..Self::new(message) }
    }

    /// The part `name` of a stream's state is not of the type that it has to be.
    pub fn of_state(name: &str, expected: &str) -> Self {
        let message = format!("`{name}` in the state of the stream is not of type \"{expected}\"");
        Self::new(message).class("TypeError")
    }

    /// With another Python exception class.
    #[must_use]
    pub fn class(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }

    /// With the failure type of a traced error.
    #[must_use]
    pub fn failing(mut self, failure_type: FailureType) -> Self {
        self.failure_type = Some(failure_type);
        self
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.span {
            Some(span) => write!(f, " (manifest line {}, column {})", span.line, span.column),
            None => Ok(()),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<EvalError> for BuildError {
    fn from(err: EvalError) -> Self {
        Self::new(err.to_string()).class(err.class_name())
    }
}

impl From<TimeError> for BuildError {
    fn from(err: TimeError) -> Self {
        EvalError::from(err).into()
    }
}

impl From<PathError> for BuildError {
    fn from(err: PathError) -> Self {
        Self::new(err.to_string()).class(err.class_name())
    }
}

impl From<ReadError> for BuildError {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::Traced(error) => {
                let failure_type = error.failure_type;
                let class = "AirbyteTracedException";
                Self::new(error.to_string()).class(class).failing(failure_type)
            }
            ReadError::Unexpected { class, message } => Self::new(message).class(class),
            ReadError::Cancelled => Self::new(err.to_string()),
        }
    }
}

/// Why a slice could not be read.
#[derive(Debug, Clone)]
pub enum ReadError {
    /// An error that says all the protocol wants to know.
    Traced(Box<TracedError>),
    /// Anything else; the reference shows the class and keeps the text to the internal message.
    Unexpected {
        /// The Python exception the reference raises.
        class: &'static str,
        /// Its text.
        message: String,
    },
    /// The run is being stopped; nobody needs to hear of it.
    Cancelled,
}

impl ReadError {
    /// A Python `ValueError` of the reference.
    pub fn value(message: impl Into<String>) -> Self {
        Self::unexpected("ValueError", message)
    }

    /// Any exception of the reference that it does not turn into a traced error.
    pub fn unexpected(class: &'static str, message: impl Into<String>) -> Self {
        Self::Unexpected { class, message: message.into() }
    }

    /// A traced error.
    pub fn traced(error: TracedError) -> Self {
        Self::Traced(Box::new(error))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Traced(error) => f.write_str(error.message.as_deref().unwrap_or_default()),
            Self::Unexpected { message, .. } => f.write_str(message),
            Self::Cancelled => f.write_str("the run was stopped"),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<PathError> for ReadError {
    fn from(err: PathError) -> Self {
        Self::unexpected(err.class_name(), err.to_string())
    }
}

impl From<CharsetError> for ReadError {
    fn from(err: CharsetError) -> Self {
        Self::unexpected(err.class_name(), err.to_string())
    }
}

impl From<GunzipError> for ReadError {
    fn from(err: GunzipError) -> Self {
        Self::unexpected(err.class_name(), err.to_string())
    }
}

impl From<LimitError> for ReadError {
    fn from(err: LimitError) -> Self {
        Self::traced(TracedError::system(err.to_string()))
    }
}

impl From<EvalError> for ReadError {
    fn from(err: EvalError) -> Self {
        Self::unexpected(err.class_name(), err.to_string())
    }
}

impl From<TimeError> for ReadError {
    fn from(err: TimeError) -> Self {
        EvalError::from(err).into()
    }
}

impl From<BuildError> for ReadError {
    fn from(err: BuildError) -> Self {
        Self::unexpected(err.class, err.to_string())
    }
}

impl From<SendError> for ReadError {
    fn from(err: SendError) -> Self {
        match err {
            SendError::Traced(error) => Self::Traced(error),
            SendError::Unexpected { class, message } => Self::Unexpected { class, message },
        }
    }
}

impl From<ReadError> for SendError {
    fn from(err: ReadError) -> Self {
        match err {
            ReadError::Traced(error) => Self::Traced(error),
            ReadError::Unexpected { class, message } => Self::Unexpected { class, message },
            ReadError::Cancelled => Self::unexpected("CancelledError", err.to_string()),
        }
    }
}

impl From<EvalError> for SendError {
    fn from(err: EvalError) -> Self {
        ReadError::from(err).into()
    }
}

impl From<HttpError> for ReadError {
    fn from(err: HttpError) -> Self {
        SendError::from(err).into()
    }
}
