//! What can go wrong with dates and times.

use crate::value::write_python_text_repr;

/// A failure of date arithmetic, parsing or formatting: the exception the
/// reference raises, with its message.
///
/// The classes are kept apart because templates treat them differently: a
/// `TypeError` makes a template render as its own source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// `ValueError`
    #[error("{0}")]
    Value(String),
    /// `TypeError`
    #[error("{0}")]
    Type(String),
    /// `OverflowError`
    #[error("{0}")]
    Overflow(String),
    /// `ZeroDivisionError`
    #[error("{0}")]
    ZeroDivision(String),
    /// `ISO8601Error`, a kind of `ValueError`
    #[error("{0}")]
    Iso8601(String),
    /// `UnknownTimeZoneError`, a kind of `KeyError`
    #[error("{0}")]
    UnknownZone(String),
}

impl TimeError {
    /// Whether Python's `except ValueError` catches it.
    pub fn is_value_error(&self) -> bool {
        matches!(self, Self::Value(_) | Self::Iso8601(_))
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::Value(message.into())
    }

    pub(super) fn date_out_of_range() -> Self {
        Self::Overflow("date value out of range".to_owned())
    }
}

/// `text` as Python's `repr()` shows it in messages.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_python_text_repr(text, &mut out);
    out
}
