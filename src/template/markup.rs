//! Text that is safe in HTML, and text that is made so.

use std::borrow::Cow;

use super::dict::Dict;
use super::error::EvalError;
use super::iterate::pairs;
use super::ops;
use super::value::Value;

/// `markupsafe.escape(value)`: markup stays as it is, all else is escaped.
pub(crate) fn escape<'v>(value: &'v Value<'_>) -> Result<Cow<'v, str>, EvalError> {
    match value {
        Value::Markup(text) => Ok(Cow::Borrowed(text)),
        _ => Ok(match value.py_str()? {
            text if text.contains(['&', '<', '>', '\'', '"']) => Cow::Owned(escape_text(&text)),
            text => text,
        }),
    }
}

/// Escapes what HTML would take for a tag, an entity, or the end of an attribute.
pub(crate) fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            _ => escaped.push(char),
        }
    }
    escaped
}

/// What is put into markup by `%`: all but numbers is escaped first.
pub(crate) fn escape_arguments<'a>(values: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match values {
        Value::Tuple(items) => {
            let items = items.iter().map(escape_argument);
            Ok(Value::tuple(items.collect::<Result<Vec<_>, _>>()?))
        }
        _ if ops::is_mapping(values) => {
            let pairs = pairs(values).into_iter();
            let escaped = pairs
                .map(|(key, value)| Ok((super::dict::Key::new(key)?, escape_argument(&value)?)));
            Ok(Value::dict(escaped.collect::<Result<Dict<'a>, EvalError>>()?))
        }
        _ => escape_argument(values),
    }
}

fn escape_argument<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => Ok(value.clone()),
        _ => Ok(Value::from(escape(value)?.into_owned())),
    }
}
