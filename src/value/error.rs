//! What can go wrong with JSON: its text, and ways into it.

use std::fmt;

/// Why a text is not JSON, and where; worded as by Python.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}: {place}")]
pub struct ParseError {
    problem: ParseProblem,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// All in characters; line and column from 1, the index from 0.
    Character { line: usize, column: usize, char_idx: usize },
    /// Of a text that was not held as a whole, from 0.
    Byte { byte_idx: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseProblem {
    #[error("Not UTF-8")]
    NotUtf8,
    #[error("Expecting value")]
    NoValue,
    #[error("Extra data")]
    ExtraData,
    #[error("Expecting property name enclosed in double quotes")]
    NoKey,
    #[error("Expecting ':' delimiter")]
    NoColon,
    #[error("Expecting ',' delimiter")]
    NoComma,
    #[error("Unterminated string starting at")]
    UnterminatedString,
    #[error("Invalid control character at")]
    ControlCharacter,
    #[error("Invalid \\escape")]
    InvalidEscape,
    #[error("Invalid \\uXXXX escape")]
    InvalidUnicodeEscape,
    #[error("Nested too deep")]
    TooDeep,
    #[error("The text ends too early")]
    Incomplete,
}

impl ParseError {
    /// An error behind the text `before`.
    pub(super) fn behind(before: &str, problem: ParseProblem) -> Self {
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let char_idx = before.chars().count();
        Self { problem, place: Place::Character { line, column, char_idx } }
    }

    /// How much of the text can be read: characters, or bytes of a text that arrived in pieces.
    pub fn n_read(&self) -> usize {
        match self.place {
            Place::Character { char_idx, .. } => char_idx,
            Place::Byte { byte_idx } => byte_idx,
        }
    }

    /// An error at a byte of a text that arrives in pieces.
    pub(super) fn at_byte(byte_idx: usize, problem: ParseProblem) -> Self {
        Self { problem, place: Place::Byte { byte_idx } }
    }

    pub(super) fn problem(&self) -> ParseProblem {
        self.problem
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character { line, column, char_idx } => {
                write!(f, "line {line} column {column} (char {char_idx})")
            }
            Self::Byte { byte_idx } => write!(f, "byte {byte_idx}"),
        }
    }
}

/// Why a path does not lead anywhere; paths are written as Python lists.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// One value was wanted, and the path's globs match several.
    #[error("dpath.get() globs must match only one leaf: {path}")]
    Ambiguous {
        /// The whole path.
        path: String,
    },
    /// More than one segment is `**`.
    #[error("Invalid glob. Only one '**' is permitted per glob: {path}")]
    SeveralAnyDepths {
        /// The whole path.
        path: String,
    },
    /// No object can be made where a value already stands.
    #[error("Path: {path}[{segment_idx}]")]
    NotFound {
        /// The whole path.
        path: String,
        /// The segment at which the value stands.
        segment_idx: usize,
    },
    /// A list is entered by something that is no number.
    #[error("list indices must be integers or slices, not str: {path}[{segment_idx}]")]
    NotAnIndex {
        /// The whole path.
        path: String,
        /// The segment that should have been a number.
        segment_idx: usize,
    },
    /// More segments than can be followed.
    #[error("a path has at most 63 segments")]
    TooLong,
    /// There is nothing to set.
    #[error("list index out of range: the path is empty")]
    Empty,
}

impl PathError {
    /// The Python exception that the reference raises here.
    pub fn class_name(&self) -> &'static str {
        match self {
            Self::Ambiguous { .. } => "ValueError",
            Self::SeveralAnyDepths { .. } => "InvalidGlob",
            Self::NotFound { .. } => "PathNotFound",
            Self::NotAnIndex { .. } => "TypeError",
            Self::TooLong => "ValueError",
            Self::Empty => "IndexError",
        }
    }
}
