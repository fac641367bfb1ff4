//! What can go wrong while a template is read or evaluated.

use super::syntax::SyntaxError;
use super::time::TimeError;

/// What an evaluation may take; see `cx`.
const SHARE: &str =
    "the template takes more than its share (64 MiB, 8,388,608 steps, or 60 seconds)";

/// Characters of a template that an error shows.
const SHOWN_LEN: usize = 80;

/// An error of an evaluation, named and worded as Python would.
///
/// The evaluation rules tell two of them apart from the rest: an undefined
/// value selects the default, and a type error yields the template's source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// An operation on an undefined value.
    #[error("{0}")]
    Undefined(String),
    /// An operation that the types of its operands do not have.
    #[error("{0}")]
    Type(String),
    /// An operand of the right type, but without a sense here.
    #[error("{0}")]
    Value(String),
    /// A template that uses names nobody gave it.
    #[error("Jinja macro has undeclared variables: {{{names}}}. Known here: {known}")]
    Undeclared {
        /// The unknown names, quoted.
        names: String,
        /// The names that may be used.
        known: String,
    },
    /// An attribute that a value does not have.
    #[error("{0}")]
    Attribute(String),
    /// A key that a mapping does not have.
    #[error("{0}")]
    Key(String),
    /// A position outside a sequence.
    #[error("{0}")]
    Index(String),
    /// An attribute that templates may not touch.
    #[error("{0}")]
    Security(String),
    /// A template that cannot be read, or one that uses an unknown filter.
    #[error("{0}")]
    Syntax(SyntaxError),
    /// A fault that only the execution of a template shows.
    #[error("{0}")]
    Runtime(String),
    /// Arguments that a filter does not understand.
    #[error("{0}")]
    FilterArgument(String),
    /// A division by zero.
    #[error("{0}")]
    ZeroDivision(String),
    /// A number or date beyond what its type can hold.
    #[error("{0}")]
    Overflow(String),
    /// A condition that a function asserts.
    #[error("{0}")]
    Assertion(String),
    /// Bytes that are not text in the given encoding.
    #[error("{0}")]
    UnicodeDecode(String),
    /// Text that the given encoding cannot express.
    #[error("{0}")]
    UnicodeEncode(String),
    /// An encoding or a hash function nobody knows.
    #[error("{0}")]
    Lookup(String),
    /// Text that is not base64.
    #[error("{0}")]
    Binascii(String),
    /// A regular expression that cannot be read.
    #[error("{0}")]
    Regex(String),
    /// Text that is not JSON.
    #[error("{0}")]
    JsonDecode(String),
    /// Text that is not an ISO 8601 duration.
    #[error("{0}")]
    Iso8601(String),
    /// A time zone nobody knows; Python prints the quoted name only.
    #[error("{0}")]
    UnknownTimeZone(String),
    /// Nesting that is too deep to be followed.
    #[error("maximum recursion depth exceeded")]
    Recursion,
    /// An evaluation that takes more steps, memory, or time than any sensible template needs.
    #[error("{SHARE}")]
    Limit,
    /// The same, and the template.
    #[error("{SHARE}: {0}")]
    LimitOf(String),
    /// A fault of the manifest or configuration that the user has to mend.
    #[error("{0}")]
    Config(String),
}

impl EvalError {
    /// The name of the exception class that the reference raises here.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Undefined(_) => "UndefinedError",
            Self::Type(_) => "TypeError",
            Self::Value(_) | Self::Undeclared { .. } => "ValueError",
            Self::Attribute(_) => "AttributeError",
            Self::Key(_) => "KeyError",
            Self::Index(_) => "IndexError",
            Self::Security(_) => "SecurityError",
            Self::Syntax(err) => err.class_name(),
            Self::Runtime(_) => "TemplateRuntimeError",
            Self::FilterArgument(_) => "FilterArgumentError",
            Self::ZeroDivision(_) => "ZeroDivisionError",
            Self::Overflow(_) => "OverflowError",
            Self::Assertion(_) => "AssertionError",
            Self::UnicodeDecode(_) => "UnicodeDecodeError",
            Self::UnicodeEncode(_) => "UnicodeEncodeError",
            Self::Lookup(_) => "LookupError",
            Self::Binascii(_) => "Error",
            Self::Regex(_) => "error",
            Self::JsonDecode(_) => "JSONDecodeError",
            Self::Iso8601(_) => "ISO8601Error",
            Self::UnknownTimeZone(_) => "UnknownTimeZoneError",
            Self::Recursion => "RecursionError",
            Self::Limit | Self::LimitOf(_) => "MemoryError",
            Self::Config(_) => "AirbyteTracedException",
        }
    }

    /// Whether Python's `except ValueError` would catch it.
    pub fn is_value_error(&self) -> bool {
        matches!(
            self,
            Self::Value(_)
                | Self::Undeclared { .. }
                | Self::UnicodeDecode(_)
                | Self::UnicodeEncode(_)
                | Self::Binascii(_)
                | Self::JsonDecode(_)
                | Self::Iso8601(_)
        )
    }

    /// The same error with the template that it is of, where that is not clear.
    pub(crate) fn of_template(self, source: &str) -> Self {
        match self {
            Self::Limit if source.chars().nth(SHOWN_LEN).is_none() => {
                Self::LimitOf(source.to_owned())
            }
            Self::Limit => {
                let start: String = source.chars().take(SHOWN_LEN).collect();
                Self::LimitOf(format!("{start}…"))
            }
            other => other,
        }
    }

    /// A type error from anything printable.
    pub(crate) fn type_error(message: impl Into<String>) -> Self {
        Self::Type(message.into())
    }

    /// A value error from anything printable.
    pub(crate) fn value_error(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }
}

impl From<TimeError> for EvalError {
    fn from(err: TimeError) -> Self {
        match err {
            TimeError::Value(message) => Self::Value(message),
            TimeError::Type(message) => Self::Type(message),
            TimeError::Overflow(message) => Self::Overflow(message),
            TimeError::ZeroDivision(message) => Self::ZeroDivision(message),
            TimeError::Iso8601(message) => Self::Iso8601(message),
            TimeError::UnknownZone(message) => Self::UnknownTimeZone(message),
        }
    }
}
