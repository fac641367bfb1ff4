//! Text that is safe in HTML, and text that is made so.

use std::borrow::Cow;

use super::error::EvalError;
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
