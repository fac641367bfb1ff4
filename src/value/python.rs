//! What Python's `str()` and `repr()` make of JSON values.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;

use super::number::write_python_float;
use super::{Json, Map};

/// The text of `value` by `str()`: a string is itself, all else its `repr()`.
pub fn python_str(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => Cow::Borrowed(text),
        _ => Cow::Owned(python_repr(value)),
    }
}

/// The name of the value's Python type.
pub fn python_type_name(value: &Json) -> &'static str {
    match value {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(number) if number.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}

/// The text of `value` by `repr()`.
pub fn python_repr(value: &Json) -> String {
    let mut out = String::new();
    write_python_repr(value, &mut out);
    out
}

/// Appends the text of `value` by `repr()`: `{'a': [None, True, 1.5]}`.
pub fn write_python_repr(value: &Json, out: &mut String) {
    match value {
        Json::Null => out.push_str("None"),
        Json::Bool(true) => out.push_str("True"),
        Json::Bool(false) => out.push_str("False"),
        Json::Number(number) if number.is_f64() => {
            write_python_float(number.as_f64().unwrap_or_default(), out);
        }
        // Writing to a string cannot fail.
        Json::Number(number) => _ = write!(out, "{number}"),
        Json::String(text) => write_python_text_repr(text, out),
        Json::Array(items) => {
            out.push('[');
            for (item_idx, item) in items.iter().enumerate() {
                out.push_str(if item_idx > 0 { ", " } else { "" });
                write_python_repr(item, out);
            }
            out.push(']');
        }
        Json::Object(object) => write_python_dict_repr(object, out),
    }
}

/// Appends the text of an object by `repr()`.
pub fn write_python_dict_repr(object: &Map, out: &mut String) {
    out.push('{');
    for (entry_idx, (key, value)) in object.iter().enumerate() {
        out.push_str(if entry_idx > 0 { ", " } else { "" });
        write_python_text_repr(key, out);
        out.push_str(": ");
        write_python_repr(value, out);
    }
    out.push('}');
}

/// Appends `text` in the quotes and with the escapes of `repr()`.
pub fn write_python_text_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            _ if is_printable(character) => out.push(character),
            _ => {
                // Writing to a string cannot fail.
                let _ = match u32::from(character) {
                    code @ ..0x100 => write!(out, "\\x{code:02x}"),
                    code @ ..0x1_0000 => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Whether Python counts `value` as true.
pub fn is_truthy(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(flag) => *flag,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(object) => !object.is_empty(),
    }
}

/// The number that `float()` reads from a text: with white space around it,
/// and single underscores between digits.
pub fn python_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_digit = |idx: usize| text.as_bytes().get(idx).is_some_and(u8::is_ascii_digit);
    let splits_digits = |(idx, _)| idx > 0 && is_digit(idx - 1) && is_digit(idx + 1);
    text.match_indices('_').all(splits_digits).then(|| text.replace('_', "").parse().ok())?
}

/// The number that `int()` makes of a value: the whole part of a number, or what a text says.
pub fn python_int(value: &Json) -> Option<i64> {
    match value {
        Json::Bool(flag) => Some(i64::from(*flag)),
        Json::Number(number) => number.as_i64().or_else(|| {
            let number = number.as_f64().filter(|number| number.abs() < 9e18)?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "what is truncated is the fraction"
            )]
            Some(number as i64)
        }),
        // A whole number is what `float()` reads from digits only.
        Json::String(text) if !text.contains(['.', 'e', 'E']) => {
            python_float(text)?;
            text.trim().replace('_', "").parse().ok()
        }
        _ => None,
    }
}

/// Python's `str.isprintable()`, by a newer version of Unicode.
fn is_printable(character: char) -> bool {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and tested")]
    static OTHERS_AND_SEPARATORS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{C}\p{Z}]").unwrap());
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        _ => !OTHERS_AND_SEPARATORS.is_match(character.encode_utf8(&mut [0; 4])),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Json, expect: &str) {
        assert_eq!(python_repr(value), expect);
    }

    #[test]
    fn values_look_as_in_python() {
        check(
            &json!({"a": [null, true, false, 1, -2.0, 1e16], "b": {}, "c": []}),
            "{'a': [None, True, False, 1, -2.0, 1e+16], 'b': {}, 'c': []}",
        );
    }

    #[test]
    fn str_leaves_only_a_bare_string_as_it_is() {
        assert_eq!(python_str(&json!("it's")), "it's");
        assert_eq!(python_str(&json!(["it's"])), r#"["it's"]"#);
        assert_eq!(python_str(&json!(true)), "True");
    }

    #[test]
    fn what_is_zero_or_empty_is_false() {
        for value in
            [json!(null), json!(false), json!(0), json!(-0.0), json!(""), json!([]), json!({})]
        {
            assert!(!is_truthy(&value), "{value}");
        }
        for value in [json!(true), json!(0.1), json!("0"), json!([null]), json!({"": null})] {
            assert!(is_truthy(&value), "{value}");
        }
    }

    #[test]
    fn numbers_are_read_from_text() {
        for (text, float, int) in [
            (" 1_000 ", Some(1000.0), Some(1000)),
            ("-1.5", Some(-1.5), None),
            ("1e3", Some(1000.0), None),
            ("+7", Some(7.0), Some(7)),
            ("Infinity", Some(f64::INFINITY), None),
            ("1__0", None, None),
            ("_1", None, None),
            ("1 0", None, None),
            ("", None, None),
        ] {
            assert_eq!((python_float(text), python_int(&json!(text))), (float, int), "{text}");
        }
        assert_eq!(python_int(&json!(-2.9)), Some(-2));
        assert_eq!(python_int(&json!(true)), Some(1));
        assert_eq!(python_int(&json!([])), None);
    }

    #[test]
    fn quotes_are_chosen_as_in_python() {
        check(&json!("a"), "'a'");
        check(&json!("it's"), r#""it's""#);
        check(&json!("\"a\""), r#"'"a"'"#);
        check(&json!("it's \"a\""), r#"'it\'s "a"'"#);
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        check(
            &json!("\\\n\r\t\0\u{1f}\u{7f}\u{85}\u{a0}\u{ad}"),
            r"'\\\n\r\t\x00\x1f\x7f\x85\xa0\xad'",
        );
        check(&json!("é ß😀\u{301}"), "'é ß😀\u{301}'");
        check(
            &json!("\u{200b}\u{2028}\u{3000}\u{e000}\u{ffff}"),
            r"'\u200b\u2028\u3000\ue000\uffff'",
        );
        check(&json!("\u{e0001}\u{10ffff}"), r"'\U000e0001\U0010ffff'");
    }
}
