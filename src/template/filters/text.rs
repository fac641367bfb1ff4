//! Filters over texts; most of them are the methods of `str`, for any value.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::template::args::Args;
use crate::template::ast::BinaryOp;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::iterate::{Iter, pairs};
use crate::template::lexer::is_whitespace;
use crate::template::regex::Pattern;
use crate::template::value::{BoundMethod, Value};
use crate::template::{json, methods, ops};

use super::{flag, soft_str, text_argument, to_text};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

/// What `quote` leaves as it is, in a path.
const PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b'/');

/// What `quote_plus` leaves as it is, in a query.
const QUERY: &AsciiSet = &PATH.add(b'/');

/// Calls a method of the input's text.
fn method<'a>(cx: &Cx<'a>, input: &Value<'a>, name: &'static str, args: Args<'a>) -> Evaluated<'a> {
    methods::call(cx, &BoundMethod { receiver: soft_str(input)?, name }, args)
}

pub(super) fn lower<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    method(cx, input, "lower", args)
}

pub(super) fn upper<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    method(cx, input, "upper", args)
}

pub(super) fn capitalize<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    method(cx, input, "capitalize", args)
}

pub(super) fn trim<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [chars] = args.bind("trim", ["chars"], 0)?;
    method(cx, input, "strip", Args::of(chars.into_iter().collect()))
}

pub(super) fn center<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [width] = args.bind("center", ["width"], 0)?;
    method(cx, input, "center", Args::of(vec![width.unwrap_or(Value::Int(80))]))
}

pub(super) fn replace<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"], 2)?;
    let part = |part: Option<Value<'a>>| part.as_ref().map_or(Ok("".into()), to_text);
    let count = count.filter(|count| !count.is_none()).unwrap_or(Value::Int(-1));
    let args = Args::of(vec![part(old)?.into(), part(new)?.into(), count]);
    let receiver = Value::Str(to_text(input)?);
    methods::call(cx, &BoundMethod { receiver, name: "replace" }, args)
}

pub(super) fn title<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("title")?;
    let text = input.py_str()?;
    let mut titled = String::with_capacity(text.len());
    let mut is_first = true;
    for char in text.chars() {
        if is_first {
            titled.extend(char.to_uppercase());
        } else {
            titled.extend(char.to_lowercase());
        }
        is_first = matches!(char, '-' | '(' | '{' | '[' | '<') || is_whitespace(char);
    }
    Ok(Value::from(titled))
}

pub(super) fn wordcount<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("wordcount")?;
    let text = input.py_str()?;
    let words = text.split(|char: char| char != '_' && !char.is_alphanumeric());
    Ok(ops::int(words.filter(|word| !word.is_empty()).count()))
}

pub(super) fn format<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let Args { positional, named } = args;
    if !positional.is_empty() && !named.is_empty() {
        let message = "can't handle positional and keyword arguments at the same time";
        return Err(EvalError::FilterArgument(message.to_owned()));
    }
    let values = if named.is_empty() {
        Value::tuple(positional)
    } else {
        {
            let pairs = named.into_iter();
            Value::dict(
                pairs.map(|(name, value)| (crate::template::Key::str(name), value)).collect(),
            )
        }
    };
    ops::binary(cx, BinaryOp::Mod, &soft_str(input)?, &values)
}

pub(super) fn indent<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    let indention = match width.unwrap_or(Value::Int(4)) {
        Value::Str(text) => text.to_string(),
        width => {
            let width = usize::try_from(ops::to_index(&width)?).unwrap_or(0);
            cx.charge(width)?;
            " ".repeat(width)
        }
    };
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    if matches!(input, Value::List(_) | Value::JsonList(_)) {
        // A line break can be added to a list.
        let message = "'list' object has no attribute 'splitlines'".to_owned();
        return Err(EvalError::Attribute(message));
    }
    let text = text_argument(input, "text")?;
    let mut lines = split_lines(text);
    // The reference adds a line break before it splits.
    if lines.last().is_none_or(|_| text.ends_with(is_line_break)) {
        lines.push("");
    }
    let (first, blank) = (flag(first, false), flag(blank, false));
    cx.charge(text.len() + lines.len().saturating_mul(indention.len()))?;
    let mut out = String::new();
    for (idx, line) in lines.iter().enumerate() {
        if idx > 0 {
            out.push('\n');
        }
        let is_indented = if idx == 0 { first } else { blank || !line.is_empty() };
        if is_indented {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(match input {
        Value::Markup(_) => Value::Markup(out.into()),
        _ => Value::from(out),
    })
}

/// Where `str.splitlines` splits.
pub(super) fn is_line_break(char: char) -> bool {
    matches!(
        char,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// `str.splitlines()`.
pub(super) fn split_lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_line_break).unwrap_or(rest.len());
        lines.push(&rest[..end]);
        let after = &rest[end..];
        let n_break = if after.starts_with("\r\n") {
            2
        } else {
            after.chars().next().map_or(0, char::len_utf8)
        };
        rest = &after[n_break..];
    }
    lines
}

pub(super) fn truncate<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [length, kill_words, end, leeway] =
        args.bind("truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let length = length.map_or(Ok(255), |length| ops::to_index(&length))?;
    let end = end.unwrap_or_else(|| Value::from("..."));
    let leeway = leeway.filter(|leeway| !leeway.is_none());
    let leeway = leeway.map_or(Ok(5), |leeway| ops::to_index(&leeway))?;
    let n_end = i64::try_from(ops::require_length(&end)?).unwrap_or(i64::MAX);
    if length < n_end {
        return Err(EvalError::Assertion(format!("expected length >= {n_end}, got {length}")));
    }
    if leeway < 0 {
        return Err(EvalError::Assertion(format!("expected leeway >= 0, got {leeway}")));
    }
    let n_chars = i64::try_from(ops::require_length(input)?).unwrap_or(i64::MAX);
    if n_chars <= length.saturating_add(leeway) {
        return Ok(input.clone());
    }
    let kept = ops::slice(input, &Value::None, &Value::Int(length - n_end), &Value::None)?;
    let kept = text_argument(&kept, "text")?;
    let kept = match (flag(kill_words, false), kept.rsplit_once(' ')) {
        (false, Some((words, _))) => words,
        _ => kept,
    };
    let kept = match input {
        Value::Markup(_) => Value::Markup(kept.into()),
        _ => Value::str(kept),
    };
    ops::binary(cx, BinaryOp::Add, &kept, &end)
}

pub(super) fn urlencode<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("urlencode")?;
    let items = match (input, Iter::find(input)) {
        (Value::Str(_) | Value::Markup(_), _) | (_, None) => {
            return Ok(Value::from(quote(input, PATH)?));
        }
        (Value::Dict(_) | Value::JsonDict(_), _) => pairs(input),
        (_, Some(items)) => items
            .collect(cx)?
            .iter()
            .map(|pair| {
                let parts = Iter::new(pair)?.collect(cx)?;
                <[Value<'a>; 2]>::try_from(parts).map(<(_, _)>::from).map_err(|parts| {
                    EvalError::Value(match parts.len() {
                        n_parts @ (0 | 1) => {
                            format!("not enough values to unpack (expected 2, got {n_parts})")
                        }
                        _ => "too many values to unpack (expected 2)".to_owned(),
                    })
                })
            })
            .collect::<Result<_, _>>()?,
    };
    let quoted: Vec<String> = items
        .iter()
        .map(|(key, value)| {
            let pair = format!("{}={}", quote(key, QUERY)?, quote(value, QUERY)?);
            Ok(pair.replace("%20", "+"))
        })
        .collect::<Result<_, EvalError>>()?;
    Ok(Value::from(quoted.join("&")))
}

fn quote(value: &Value<'_>, safe: &'static AsciiSet) -> Result<String, EvalError> {
    Ok(match value {
        Value::Bytes(bytes) => percent_encoding::percent_encode(bytes, safe).to_string(),
        _ => utf8_percent_encode(&value.py_str()?, safe).to_string(),
    })
}

/// `quote_plus(text)`.
pub(crate) fn quote_plus(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace("%20", "+")
}

pub(super) fn regex_search<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [pattern] = args.bind("regex_search", ["regex"], 1)?;
    let pattern = pattern.unwrap_or(Value::None);
    let pattern = Pattern::cached(text_argument(&pattern, "first argument")?)?;
    let found = pattern.first_group(text_argument(input, "expected string")?)?;
    Ok(found.map_or(Value::None, Value::str))
}

pub(super) fn regex_replace<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [pattern, replacement] = args.bind("regex_replace", ["regex", "replacement"], 2)?;
    let (pattern, replacement) =
        (pattern.unwrap_or(Value::None), replacement.unwrap_or(Value::None));
    let pattern = Pattern::cached(text_argument(&pattern, "first argument")?)?;
    let replacement = text_argument(&replacement, "replacement")?;
    let text = text_argument(input, "expected string")?;
    let replaced = pattern.replace_all(cx, text, replacement)?;
    Ok(Value::from(replaced))
}

/// The reference's own `string`, which is not Jinja's: a text as it is, all
/// else as JSON in triple quotes, which the literal reading of the result undoes.
pub(super) fn string<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("string")?;
    match input {
        Value::Str(_) | Value::Markup(_) => Ok(input.clone()),
        _ => Ok(Value::from(format!("\"\"\"{}\"\"\"", json::dumps(cx, input, false, None)?))),
    }
}
