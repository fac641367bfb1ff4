//! Lines of bytes that arrive in pieces.

use memchr::{memchr, memchr2};

use crate::components::ReadError;
use crate::http::{LimitError, Limits};
use crate::value::body::CharsetError;

/// What ends a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// A line feed.
    Feed,
    /// A line feed, a carriage return, or both.
    Any,
}

/// Cuts bytes into lines, without their ends.
#[derive(Debug)]
pub(super) struct Lines {
    end: LineEnd,
    /// The line of which the end has not come.
    line: Vec<u8>,
    limits: Limits,
    /// Whether the last byte was a carriage return, which a line feed may complete.
    after_return: bool,
}

impl Lines {
    pub(super) fn new(end: LineEnd) -> Self {
        Self { end, line: Vec::new(), limits: Limits::default(), after_return: false }
    }

    /// Refuses longer lines from now on.
    pub(super) fn keep_within(&mut self, limits: &Limits) {
        self.limits = *limits;
    }

    /// Takes the next bytes, and gives the lines they complete to `on_line`.
    pub(super) fn feed<E: From<LimitError>>(
        &mut self,
        bytes: &[u8],
        mut on_line: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut rest = bytes;
        loop {
            if self.after_return && !rest.is_empty() {
                self.after_return = false;
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            let end = match self.end {
                LineEnd::Feed => memchr(b'\n', rest),
                LineEnd::Any => memchr2(b'\n', b'\r', rest),
            };
            let Some(len) = end else {
                self.line.extend_from_slice(rest);
                return Ok(self.limits.check_record(self.line.len())?);
            };
            self.after_return = rest[len] == b'\r';
            if self.line.is_empty() {
                on_line(&rest[..len])?;
            } else {
                self.line.extend_from_slice(&rest[..len]);
                on_line(&self.line)?;
                self.line.clear();
            }
            rest = &rest[len + 1..];
        }
    }

    /// Gives the last line to `on_line`, if nothing ended it.
    pub(super) fn finish<E>(
        &mut self,
        on_line: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        match std::mem::take(&mut self.line) {
            line if line.is_empty() => Ok(()),
            line => on_line(&line),
        }
    }
}

/// The text of a line.
pub(super) fn utf8(line: &[u8]) -> Result<&str, ReadError> {
    std::str::from_utf8(line).map_err(|err| {
        let name = "utf-8".to_owned();
        CharsetError::Malformed { name, byte_idx: err.valid_up_to() }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(end: LineEnd, text: &[u8], expect: &[&[u8]]) {
        for piece_len in [1, 2, 100] {
            let mut found: Vec<Vec<u8>> = Vec::new();
            let mut on_line = |line: &[u8]| {
                found.push(line.to_vec());
                Ok::<_, ReadError>(())
            };
            let mut lines = Lines::new(end);
            for piece in text.chunks(piece_len) {
                lines.feed(piece, &mut on_line).unwrap();
            }
            lines.finish(on_line).unwrap();
            assert_eq!(found, expect, "in pieces of {piece_len}");
        }
    }

    #[test]
    fn lines_end_as_asked() {
        check(LineEnd::Feed, b"a\nbc\r\n\n\rd", &[b"a", b"bc\r", b"", b"\rd"]);
        check(LineEnd::Any, b"a\nbc\r\n\n\rd", &[b"a", b"bc", b"", b"", b"d"]);
        check(LineEnd::Any, b"a\r\n", &[b"a"]);
        check(LineEnd::Feed, b"", &[]);
    }
}
