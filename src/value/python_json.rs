//! JSON text as Python's `json.dumps` writes it.
//!
//! Where the reference puts such text into a request, a log line or a key of
//! its state, every space and escape of it can be seen from outside.

use std::fmt::Write;

use super::number::write_python_float;
use super::{Json, Map};

/// How `json.dumps` is asked to write.
#[derive(Clone, Copy, Debug)]
pub struct PythonJson {
    item_separator: &'static str,
    key_separator: &'static str,
    is_sorted: bool,
    is_ascii: bool,
}

impl PythonJson {
    /// `json.dumps(value)`.
    pub const DEFAULT: Self =
        Self { item_separator: ", ", key_separator: ": ", is_sorted: false, is_ascii: true };
    /// `json.dumps(value, sort_keys=True)`.
    pub const SORTED: Self = Self { is_sorted: true, ..Self::DEFAULT };
    /// `json.dumps(value, separators=(",", ":"))`.
    pub const COMPACT: Self = Self { item_separator: ",", key_separator: ":", ..Self::DEFAULT };
    /// `json.dumps(value, separators=(",", ":"), sort_keys=True)`.
    pub const SORTED_COMPACT: Self = Self { is_sorted: true, ..Self::COMPACT };
    /// `json.dumps(value, ensure_ascii=False)`.
    pub const UNICODE: Self = Self { is_ascii: false, ..Self::DEFAULT };

    /// The text of `value`.
    pub fn text(self, value: &Json) -> String {
        let mut out = String::new();
        self.write(value, &mut out);
        out
    }

    /// Appends the text of `value`.
    pub fn write(self, value: &Json, out: &mut String) {
        match value {
            Json::Null => out.push_str("null"),
            Json::Bool(true) => out.push_str("true"),
            Json::Bool(false) => out.push_str("false"),
            Json::Number(number) if number.is_f64() => {
                write_python_float(number.as_f64().unwrap_or_default(), out);
            }
            // Writing to a string cannot fail, here and below.
            Json::Number(number) => _ = write!(out, "{number}"),
            Json::String(text) => self.write_string(text, out),
            Json::Array(items) => {
                out.push('[');
                for (item_idx, item) in items.iter().enumerate() {
                    if item_idx > 0 {
                        out.push_str(self.item_separator);
                    }
                    self.write(item, out);
                }
                out.push(']');
            }
            Json::Object(object) => self.write_object(object, out),
        }
    }

    /// Appends the text of an object.
    pub fn write_object(self, object: &Map, out: &mut String) {
        out.push('{');
        if self.is_sorted {
            // Python compares text by code point, which is the order of UTF-8 bytes.
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            self.write_entries(entries.into_iter(), out);
        } else {
            self.write_entries(object.iter(), out);
        }
        out.push('}');
    }

    fn write_entries<'a>(
        self,
        entries: impl Iterator<Item = (&'a String, &'a Json)>,
        out: &mut String,
    ) {
        for (entry_idx, (key, value)) in entries.enumerate() {
            if entry_idx > 0 {
                out.push_str(self.item_separator);
            }
            self.write_string(key, out);
            out.push_str(self.key_separator);
            self.write(value, out);
        }
    }

    /// Appends `text` in quotes, with Python's escapes.
    pub fn write_string(self, text: &str, out: &mut String) {
        out.push('"');
        for character in text.chars() {
            match character {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                ' '..='~' => out.push(character),
                _ if !self.is_ascii && character >= ' ' => out.push(character),
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
            }
        }
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(style: PythonJson, value: &Json, expect: &str) {
        assert_eq!(style.text(value), expect);
    }

    #[test]
    fn text_is_what_python_writes() {
        check(
            PythonJson::DEFAULT,
            &json!({"b": [1, -2, 1.5, 1e16, 1e-5], "a": {"t": true, "n": null}, "e": [[], {}]}),
            r#"{"b": [1, -2, 1.5, 1e+16, 1e-05], "a": {"t": true, "n": null}, "e": [[], {}]}"#,
        );
        check(PythonJson::DEFAULT, &json!(u64::MAX), "18446744073709551615");
    }

    #[test]
    fn text_beyond_ascii_is_escaped_unless_asked_not_to() {
        let text = json!("é😀\u{2028}\u{7f}\u{1}\"\\/\u{8}\u{c}\n\r\t");
        check(
            PythonJson::DEFAULT,
            &text,
            r#""\u00e9\ud83d\ude00\u2028\u007f\u0001\"\\/\b\f\n\r\t""#,
        );
        check(PythonJson::UNICODE, &text, "\"é😀\u{2028}\u{7f}\\u0001\\\"\\\\/\\b\\f\\n\\r\\t\"");
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({"b": {"z": 1, "a": 2}, "a": [{"d": 1, "c": 2}], "é": 0, "B": 0});
        check(
            PythonJson::SORTED,
            &value,
            r#"{"B": 0, "a": [{"c": 2, "d": 1}], "b": {"a": 2, "z": 1}, "\u00e9": 0}"#,
        );
        check(
            PythonJson::SORTED_COMPACT,
            &value,
            r#"{"B":0,"a":[{"c":2,"d":1}],"b":{"a":2,"z":1},"\u00e9":0}"#,
        );
    }
}
