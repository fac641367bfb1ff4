//! Places as editors count them: lines and columns from 1, columns in UTF-16 units.

use serde::Serialize;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The line of its first character.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// The line of its end.
    pub end_line: usize,
    /// The column behind its last character.
    pub end_column: usize,
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Looks through a text.
    pub fn new(text: &'t str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The place of some bytes.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let (line, column) = self.position(start);
        let (end_line, end_column) = self.position(end.max(start));
        Place { line, column, end_line, end_column }
    }

    /// The line and column of a byte.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let before = &self.text[self.starts[line - 1]..offset];
        (line, before.encode_utf16().count() + 1)
    }

    /// The byte at a line and column; the end of the line if it is shorter.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let Some(start) = line.checked_sub(1).and_then(|idx| self.starts.get(idx)) else {
            return self.text.len();
        };
        let mut left = column.saturating_sub(1);
        let rest = &self.text[*start..];
        let is_behind = |c: char| {
            let is_behind = left == 0 || c == '\n';
            left = left.saturating_sub(c.len_utf16());
            is_behind
        };
        start + rest.find(is_behind).unwrap_or(rest.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_editors() {
        let text = "ab\né𝄞c\n";
        let lines = Lines::new(text);
        for (offset, place) in
            [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 2)), (9, (2, 4)), (11, (3, 1))]
        {
            assert_eq!(lines.position(offset), place);
            assert_eq!(lines.offset(place.0, place.1), offset);
        }
        assert_eq!(lines.offset(1, 99), 2);
        assert_eq!(lines.offset(99, 1), text.len());
        assert_eq!(lines.place(4, 9), Place { line: 2, column: 1, end_line: 2, end_column: 4 });
    }
}
