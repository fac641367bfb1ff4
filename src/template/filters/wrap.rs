//! `wordwrap`: Python's `textwrap`.

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::ops;
use crate::template::value::Value;

use super::text::split_lines;
use super::{flag, text_argument, to_text};

pub(super) fn wordwrap<'a>(
    cx: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [width, break_long_words, wrap_string, break_on_hyphens] =
        args.bind("wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"], 0)?;
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    let Some(text) = input.as_str() else {
        return Err(EvalError::Attribute(format!(
            "'{}' object has no attribute 'splitlines'",
            input.type_name()
        )));
    };
    let width = width.map_or(Ok(79), |width| ops::to_index(&width))?;
    let Some(width) = usize::try_from(width).ok().filter(|width| *width > 0) else {
        return Err(EvalError::Value(format!("invalid width {width} (must be > 0)")));
    };
    let wrap_string = wrap_string.filter(|wrap_string| !wrap_string.is_none());
    let wrap_string = match &wrap_string {
        Some(wrap_string) => {
            text_argument(wrap_string, "wrapstring")?;
            to_text(wrap_string)?
        }
        None => "\n".into(),
    };
    let wrapper = Wrapper {
        width,
        breaks_words: flag(break_long_words, true),
        breaks_hyphens: flag(break_on_hyphens, true),
    };
    cx.charge(text.len().saturating_mul(2 + wrap_string.len()))?;
    let paragraphs: Vec<String> =
        split_lines(text).into_iter().map(|line| wrapper.wrap(line).join(&wrap_string)).collect();
    Ok(Value::from(paragraphs.join(&wrap_string)))
}

struct Wrapper {
    width: usize,
    breaks_words: bool,
    breaks_hyphens: bool,
}

impl Wrapper {
    fn wrap(&self, line: &str) -> Vec<String> {
        let mut chunks: Vec<&str> = self.chunks(line);
        chunks.reverse();
        let mut lines = Vec::new();
        while !chunks.is_empty() {
            // White space at the start of a line goes, except at the very first.
            if !lines.is_empty() && chunks.last().is_some_and(|chunk| is_blank(chunk)) {
                chunks.pop();
            }
            let mut current: Vec<&str> = Vec::new();
            let mut length = 0;
            while let Some(chunk) = chunks.last() {
                let n_chars = chunk.chars().count();
                if length + n_chars > self.width {
                    break;
                }
                length += n_chars;
                current.extend(chunks.pop());
            }
            if chunks.last().is_some_and(|chunk| chunk.chars().count() > self.width) {
                self.split_long_word(&mut chunks, &mut current, length);
            }
            if current.last().is_some_and(|chunk| is_blank(chunk)) {
                current.pop();
            }
            if !current.is_empty() {
                lines.push(current.concat());
            }
        }
        lines
    }

    fn split_long_word<'t>(
        &self,
        chunks: &mut Vec<&'t str>,
        current: &mut Vec<&'t str>,
        length: usize,
    ) {
        let space_left = self.width.saturating_sub(length).max(1);
        let Some(chunk) = chunks.last_mut() else { return };
        if self.breaks_words {
            let mut end = space_left;
            if self.breaks_hyphens {
                let limit = byte_of(chunk, space_left);
                let hyphen = chunk[..limit].rfind('-').filter(|hyphen| *hyphen > 0);
                let has_other = |hyphen: &usize| chunk[..*hyphen].contains(|char| char != '-');
                if let Some(hyphen) = hyphen.filter(has_other) {
                    end = chunk[..hyphen].chars().count() + 1;
                }
            }
            let (head, tail) = chunk.split_at(byte_of(chunk, end));
            current.push(head);
            *chunk = tail;
        } else if current.is_empty() {
            current.extend(chunks.pop());
        }
    }

    /// Words, the white space between them, and the parts of words with hyphens.
    fn chunks<'t>(&self, line: &'t str) -> Vec<&'t str> {
        let mut chunks = Vec::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_space = is_space(first);
            let end = rest.find(|char| self::is_space(char) != is_space).unwrap_or(rest.len());
            let (run, after) = rest.split_at(end);
            rest = after;
            if is_space || !self.breaks_hyphens {
                chunks.push(run);
            } else {
                split_hyphens(run, &mut chunks);
            }
        }
        chunks
    }
}

/// Splits after a hyphen between letters, and around dashes.
fn split_hyphens<'t>(word: &'t str, chunks: &mut Vec<&'t str>) {
    let chars: Vec<(usize, char)> = word.char_indices().collect();
    let is_letter =
        |idx: usize| chars.get(idx).is_some_and(|(_, char)| char.is_alphabetic() || *char == '_');
    let is_word =
        |idx: usize| chars.get(idx).is_some_and(|(_, char)| char.is_alphanumeric() || *char == '_');
    let mut start = 0;
    let mut idx = 0;
    while idx < chars.len() {
        let (byte, char) = chars[idx];
        if char != '-' {
            idx += 1;
            continue;
        }
        let n_dashes = chars[idx..].iter().take_while(|(_, char)| *char == '-').count();
        let after = chars.get(idx + n_dashes).map_or(word.len(), |(byte, _)| *byte);
        if n_dashes >= 2 && idx > 0 && is_word(idx + n_dashes) {
            chunks.extend((byte > start).then(|| &word[start..byte]));
            chunks.push(&word[byte..after]);
            start = after;
        } else if n_dashes == 1
            && idx >= 2
            && is_letter(idx - 1)
            && is_letter(idx - 2)
            && is_letter(idx + 1)
            && is_letter(idx + 2)
        {
            chunks.push(&word[start..after]);
            start = after;
        }
        idx += n_dashes;
    }
    chunks.extend((start < word.len()).then(|| &word[start..]));
}

fn byte_of(text: &str, n_chars: usize) -> usize {
    text.char_indices().nth(n_chars).map_or(text.len(), |(byte, _)| byte)
}

fn is_space(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\x0b' | '\x0c' | '\r' | ' ')
}

fn is_blank(chunk: &str) -> bool {
    chunk.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, width: usize, expect: &[&str]) {
        let wrapper = Wrapper { width, breaks_words: true, breaks_hyphens: true };
        assert_eq!(wrapper.wrap(text), expect);
    }

    #[test]
    fn wraps_as_textwrap_does() {
        check("Hello World", 5, &["Hello", "World"]);
        check("Hello World", 4, &["Hell", "o Wo", "rld"]);
        check("a well-known fact", 8, &["a well-", "known", "fact"]);
        check("  two", 10, &["  two"]);
        check("", 5, &[]);
    }
}
