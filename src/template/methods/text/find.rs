//! Texts within texts.

use std::ops::Range;

use super::{positional, text_argument};
use crate::template::{Args, EvalError, Value, ops};

/// `count`, `find`, `index`, `rfind` and `rindex`; positions count characters.
pub(super) fn find<'a>(text: &str, name: &str, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [wanted, start, end] = positional(args, name, 1)?;
    let wanted = text_argument(wanted.as_ref(), name, 1)?;
    let window = window(text, start.as_ref(), end.as_ref())?;
    if name == "count" {
        return Ok(ops::int(window.map_or(0, |range| text[range].matches(wanted).count())));
    }
    let found = window.and_then(|range| {
        let inner = &text[range.clone()];
        let found = if name.starts_with('r') { inner.rfind(wanted) } else { inner.find(wanted) };
        Some(text[..range.start + found?].chars().count())
    });
    match found {
        Some(idx) => Ok(ops::int(idx)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(EvalError::value_error("substring not found")),
    }
}

/// `startswith` and `endswith`, with one text or a tuple of them.
pub(super) fn has_affix<'a>(
    text: &str,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [affix, start, end] = positional(args, name, 1)?;
    let window = window(text, start.as_ref(), end.as_ref())?;
    let affix = affix.unwrap_or(Value::None);
    let affixes = match &affix {
        Value::Tuple(affixes) => affixes.iter().map(Value::as_str).collect::<Option<Vec<_>>>(),
        affix => affix.as_str().map(|affix| vec![affix]),
    };
    let affixes = affixes.ok_or_else(|| {
        EvalError::Type(match &affix {
            Value::Tuple(_) => format!("tuple for {name} must only contain str"),
            other => {
                format!("{name} first arg must be str or a tuple of str, not {}", other.type_name())
            }
        })
    })?;
    let has = |affix: &&str| {
        let inner = window.clone().map(|range| &text[range]);
        inner.is_some_and(|inner| match name {
            "startswith" => inner.starts_with(affix),
            _ => inner.ends_with(affix),
        })
    };
    Ok(Value::Bool(affixes.iter().any(has)))
}

/// The bytes between two positions in characters; `None` when they are crossed.
fn window(
    text: &str,
    start: Option<&Value<'_>>,
    end: Option<&Value<'_>>,
) -> Result<Option<Range<usize>>, EvalError> {
    let bound = |bound: Option<&Value<'_>>| match bound {
        None | Some(Value::None) => Ok(None),
        Some(bound) => ops::to_index(bound).map(Some).map_err(|_| {
            EvalError::type_error(
                "slice indices must be integers or None or have an __index__ method",
            )
        }),
    };
    let (Some(start), end) = (bound(start)?.or(Some(0)), bound(end)?) else { return Ok(None) };
    if start == 0 && end.is_none() {
        return Ok(Some(0..text.len()));
    }
    let n_chars = text.chars().count();
    let n_start = ops::clamp_index(start, n_chars);
    let n_end = end.map_or(n_chars, |end| ops::clamp_index(end, n_chars));
    let is_beyond = usize::try_from(start).is_ok_and(|start| start > n_chars);
    if is_beyond || n_start > n_end {
        return Ok(None);
    }
    let byte = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(idx, _)| idx);
    Ok(Some(byte(n_start)..byte(n_end)))
}
