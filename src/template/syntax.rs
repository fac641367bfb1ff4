//! Faults found while a template is read.

use std::fmt;

/// A template that cannot be read, with the place of the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// The fault's position in the source, in bytes.
    pub offset: usize,
    /// The fault's line, from 1.
    pub line: usize,
    /// The fault's column in characters, from 1.
    pub column: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The text does not follow the grammar.
    Grammar,
    /// The grammar is followed, but a name in it means nothing.
    Assertion,
    /// The nesting is too deep.
    Nesting,
}

impl SyntaxError {
    /// A breach of the grammar at byte `offset` of `source`.
    pub(crate) fn new(message: impl Into<String>, source: &str, offset: usize) -> Self {
        Self::of_kind(Kind::Grammar, message.into(), source, offset)
    }

    /// A name without meaning, such as an unknown filter.
    pub(crate) fn assertion(message: impl Into<String>, source: &str, offset: usize) -> Self {
        Self::of_kind(Kind::Assertion, message.into(), source, offset)
    }

    /// Nesting beyond what is read.
    pub(crate) fn nesting(source: &str, offset: usize) -> Self {
        let message = "maximum recursion depth exceeded".to_owned();
        Self::of_kind(Kind::Nesting, message, source, offset)
    }

    fn of_kind(kind: Kind, message: String, source: &str, offset: usize) -> Self {
        let before = &source[..source.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            message,
            offset: before.len(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            kind,
        }
    }

    /// The name of the exception class that the reference raises here.
    pub(crate) fn class_name(&self) -> &'static str {
        match self.kind {
            Kind::Grammar => "TemplateSyntaxError",
            Kind::Assertion => "TemplateAssertionError",
            Kind::Nesting => "RecursionError",
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_columns_in_characters() {
        let err = SyntaxError::new("bad", "ab\nçd e", 6);
        assert_eq!((err.line, err.column, err.offset), (2, 3, 6));
    }
}
