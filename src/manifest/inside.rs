//! Places inside of scalars.

use super::node::Span;
use super::source::Source;

impl Source {
    /// The place of one character of a text that is written at `scalar`: that at byte `offset` of
    /// `value`, which is what YAML makes of it; the whole scalar where it cannot be told.
    ///
    /// Kinds of scalars fold line breaks and indentation each in their own way; so all other
    /// characters are counted.
    pub fn place_inside(&self, scalar: Span, value: &str, offset: usize) -> Span {
        let (start, end) = (scalar.start as usize, scalar.end as usize);
        let Some(written) = self.text.get(start..end) else { return scalar };
        let offset = value.floor_char_boundary(offset);
        let n_before = value[..offset].chars().filter(|c| !c.is_whitespace()).count();
        let wanted = value[offset..].chars().find(|c| !c.is_whitespace());
        let mut last_end = 0;
        for (n_seen, (place, c)) in Characters::new(written).enumerate() {
            if n_seen == n_before {
                let is_same = wanted == Some(c);
                return if is_same { part(scalar, written, place) } else { scalar };
            }
            last_end = place.end;
        }
        // What is missing at the end is missing behind the last character.
        match wanted {
            None if last_end > 0 => part(scalar, written, last_end..last_end + 1),
            _ => scalar,
        }
    }
}

/// A part of what is `written` at `scalar`.
fn part(scalar: Span, written: &str, place: std::ops::Range<usize>) -> Span {
    let before = &written[..place.start];
    let n_chars = |text: &str| u32::try_from(text.chars().count()).unwrap_or(0);
    let byte = |idx: usize| scalar.start + u32::try_from(idx).unwrap_or(0);
    let (n_lines, column) = match before.rfind('\n') {
        Some(newline) => (before.matches('\n').count(), n_chars(&before[newline + 1..]) + 1),
        None => (0, scalar.column + n_chars(before)),
    };
    let line = scalar.line + u32::try_from(n_lines).unwrap_or(0);
    Span { start: byte(place.start), end: byte(place.end), line, column }
}

/// The characters of a scalar that are no white space, each with its place in what is written.
struct Characters<'a> {
    written: &'a str,
    offset: usize,
    style: Style,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Plain, or a block: as it is.
    Verbatim,
    SingleQuoted,
    DoubleQuoted,
}

impl<'a> Characters<'a> {
    fn new(written: &'a str) -> Self {
        let (offset, style) = match written.as_bytes().first() {
            Some(b'\'') => (1, Style::SingleQuoted),
            Some(b'"') => (1, Style::DoubleQuoted),
            // The first line of a block only says how it is folded.
            Some(b'|' | b'>') => (written.find('\n').unwrap_or(written.len()), Style::Verbatim),
            _ => (0, Style::Verbatim),
        };
        Self { written, offset, style }
    }

    /// The next character, white space or not, and how long it is as it is written.
    fn read(&self) -> Option<(usize, char)> {
        let rest = &self.written[self.offset..];
        let c = rest.chars().next()?;
        match (self.style, c) {
            (Style::SingleQuoted, '\'') => rest.starts_with("''").then_some((2, '\'')),
            (Style::DoubleQuoted, '"') => None,
            (Style::DoubleQuoted, '\\') => escape(rest),
            _ => Some((c.len_utf8(), c)),
        }
    }
}

impl Iterator for Characters<'_> {
    type Item = (std::ops::Range<usize>, char);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (len, c) = self.read()?;
            let start = self.offset;
            self.offset += len;
            if !c.is_whitespace() {
                return Some((start..self.offset, c));
            }
        }
    }
}

/// The length of the escape that a text begins with, and its character.
fn escape(text: &str) -> Option<(usize, char)> {
    let kind = text[1..].chars().next()?;
    let n_digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    let len = 1 + kind.len_utf8() + n_digits;
    let c = match kind {
        'x' | 'u' | 'U' => {
            let code = u32::from_str_radix(text.get(2..len)?, 16).ok()?;
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        't' | 'n' | 'v' | 'f' | 'r' | 'N' | '_' | 'L' | 'P' => ' ',
        '0' | 'a' | 'b' | 'e' => '\u{7}',
        other => other,
    };
    Some((len, c))
}

#[cfg(test)]
mod tests {
    use super::super::{Findings, parse};
    use super::*;

    /// `§` stands before the character in the text that the place has to be of; `wanted` is that
    /// character in the value.
    #[track_caller]
    fn check(text: &str, wanted: char) {
        let mark = text.find('§').unwrap();
        let source = Source::new("test.yaml", text.replace('§', ""));
        let root = parse(&source, &mut Findings::default()).unwrap();
        let node = root.get("a").unwrap();
        let value = node.as_str().unwrap();
        let offset = value.find(wanted).unwrap_or(value.len());
        let place = source.place_inside(node.span().unwrap(), value, offset);
        let before = &text[..mark];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        assert_eq!(place.start as usize, mark, "{value:?}");
        assert_eq!(place.line as usize, before.matches('\n').count() + 1);
        assert_eq!(place.column as usize, before[line_start..].chars().count() + 1);
    }

    #[test]
    fn characters_are_found_in_every_kind_of_scalar() {
        check("a: b §X c", 'X');
        check("a: é b\n   §X\n", 'X');
        check("a: 'it''s §X'", 'X');
        check("a: \"\\\"\\u00e9\\x41 \\n §X\"", 'X');
        check("a: \"b \\\n   c §X\"", 'X');
        check("a: |-\n  b\n\n    c §X\n  d", 'X');
        check("a: >\n  b\n\n  c §X\n  d\nb: 1", 'X');
        check("b: [1]\na: \"{{ b §X\"", 'X');
    }

    #[test]
    fn what_is_missing_is_missing_behind_the_end() {
        check("a: b c§", '\0');
        check("a: 'b c§'", '\0');
        check("a: |\n  b\n  c§\n\nb: 1", '\0');
    }
}
