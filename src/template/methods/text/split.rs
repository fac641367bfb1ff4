//! Texts cut into pieces.

use std::ops::Range;

use super::{piece, positional, text_argument};
use crate::template::lexer::is_whitespace;
use crate::template::{Args, EvalError, Value, ops};

/// `split` and `rsplit`.
pub(super) fn split<'a>(
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [separator, limit] = args.bind(name, ["sep", "maxsplit"], 0)?;
    let text = receiver.as_str().unwrap_or_default();
    let limit = limit.map_or(Ok(-1), |limit| ops::to_index(&limit))?;
    // A negative limit is none.
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_reversed = name == "rsplit";
    let separator = separator.filter(|separator| !separator.is_none());
    let ranges = match &separator {
        None if is_reversed => words_from_right(text, limit),
        None => words(text, limit),
        Some(separator) => {
            let separator = separator.as_str().ok_or_else(|| {
                EvalError::Type(format!("must be str or None, not {}", separator.type_name()))
            })?;
            if separator.is_empty() {
                return Err(EvalError::value_error("empty separator"));
            }
            between(text, separator, limit, is_reversed)
        }
    };
    Ok(Value::list(ranges.into_iter().map(|range| piece(receiver, range)).collect()))
}

fn words(text: &str, limit: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let skip = |pos: usize| text.len() - text[pos..].trim_start_matches(is_whitespace).len();
    let mut pos = skip(0);
    while pos < text.len() {
        let len = text[pos..].find(is_whitespace).filter(|_| ranges.len() < limit);
        let end = len.map_or(text.len(), |len| pos + len);
        ranges.push(pos..end);
        pos = skip(end);
    }
    ranges
}

fn words_from_right(text: &str, limit: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut end = text.trim_end_matches(is_whitespace).len();
    while end > 0 {
        let before = text[..end].trim_end_matches(|char| !is_whitespace(char)).len();
        let start = if ranges.len() < limit { before } else { 0 };
        ranges.push(start..end);
        end = text[..start].trim_end_matches(is_whitespace).len();
    }
    ranges.reverse();
    ranges
}

fn between(text: &str, separator: &str, limit: usize, is_reversed: bool) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    if is_reversed {
        let mut end = text.len();
        for (start, found) in text.rmatch_indices(separator).take(limit) {
            ranges.push(start + found.len()..end);
            end = start;
        }
        ranges.push(0..end);
        ranges.reverse();
        return ranges;
    }
    let mut start = 0;
    for (end, found) in text.match_indices(separator).take(limit) {
        ranges.push(start..end);
        start = end + found.len();
    }
    ranges.push(start..text.len());
    ranges
}

/// `splitlines`.
pub(super) fn split_lines<'a>(
    receiver: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    const ENDS: [char; 10] =
        ['\n', '\r', '\x0b', '\x0c', '\x1c', '\x1d', '\x1e', '\u{85}', '\u{2028}', '\u{2029}'];
    let [keeps_ends] = args.bind("splitlines", ["keepends"], 0)?;
    let keeps_ends = keeps_ends.is_some_and(|keeps_ends| keeps_ends.is_truthy());
    let text = receiver.as_str().unwrap_or_default();
    let (mut lines, mut start) = (Vec::new(), 0);
    while start < text.len() {
        let rest = &text[start..];
        let len = rest.find(ENDS).unwrap_or(rest.len());
        let end_len = match rest[len..].chars().next() {
            Some('\r') if rest[len..].starts_with("\r\n") => 2,
            end => end.map_or(0, char::len_utf8),
        };
        let shown = if keeps_ends { len + end_len } else { len };
        lines.push(piece(receiver, start..start + shown));
        start += len + end_len;
    }
    Ok(Value::list(lines))
}

/// `partition` and `rpartition`.
pub(super) fn partition<'a>(
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [separator] = positional(args, name, 1)?;
    let separator = text_argument(separator.as_ref(), name, 1)?;
    if separator.is_empty() {
        return Err(EvalError::value_error("empty separator"));
    }
    let text = receiver.as_str().unwrap_or_default();
    let is_reversed = name == "rpartition";
    let found = if is_reversed { text.rfind(separator) } else { text.find(separator) };
    let (start, end) = match found {
        Some(start) => (start, start + separator.len()),
        None if is_reversed => (0, 0),
        None => (text.len(), text.len()),
    };
    Ok(Value::tuple([
        piece(receiver, 0..start),
        piece(receiver, start..end),
        piece(receiver, end..text.len()),
    ]))
}

/// `strip`, `lstrip` and `rstrip`.
pub(super) fn strip<'a>(
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [set] = positional(args, name, 0)?;
    let set = set.filter(|set| !set.is_none());
    let set = match &set {
        None => None,
        Some(set) => Some(
            set.as_str()
                .ok_or_else(|| EvalError::Type(format!("{name} arg must be None or str")))?,
        ),
    };
    let is_stripped =
        |char: char| set.map_or_else(|| is_whitespace(char), |set| set.contains(char));
    let text = receiver.as_str().unwrap_or_default();
    let end = match name {
        "lstrip" => text.len(),
        _ => text.trim_end_matches(is_stripped).len(),
    };
    let start = match name {
        "rstrip" => 0,
        _ => end - text[..end].trim_start_matches(is_stripped).len(),
    };
    Ok(piece(receiver, start..end))
}

/// `removeprefix` and `removesuffix`.
pub(super) fn remove_affix<'a>(
    receiver: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let affix = args.only(&format!("str.{name}"))?;
    let affix = text_argument(Some(&affix), name, 1)?;
    let text = receiver.as_str().unwrap_or_default();
    let range = match name {
        "removeprefix" if text.starts_with(affix) => affix.len()..text.len(),
        "removesuffix" if text.ends_with(affix) => 0..text.len() - affix.len(),
        _ => 0..text.len(),
    };
    Ok(piece(receiver, range))
}
