//! JSON to bytes, as the reference prints it.
//!
//! Compact, text beyond ASCII as it is, numbers in their shortest form.

use super::scan::plain_prefix_len;
use super::{Json, Map};

/// Appends the text of `value`.
pub fn write_json(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Number(number) => {
            // Writing a number to a vector cannot fail.
            let _ = serde_json::to_writer(out, number);
        }
        Json::String(text) => write_string(text, out),
        Json::Array(items) => {
            out.push(b'[');
            for item in items {
                write_json(item, out);
                out.push(b',');
            }
            close(b']', out);
        }
        Json::Object(object) => write_object(object, out),
    }
}

/// Appends the text of `object`.
pub fn write_object(object: &Map, out: &mut Vec<u8>) {
    write_entries(object.iter(), out);
}

/// Appends the text of a record: as [`write_object`] does, but without the
/// fields that are null, which the reference drops at this level only.
pub fn write_record_data(record: &Map, out: &mut Vec<u8>) {
    write_entries(record.iter().filter(|(_, value)| !value.is_null()), out);
}

/// Appends `text` in quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_prefix_len(rest));
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = special.split_first() else { break };
        write_escape(byte, out);
        rest = behind;
    }
    out.push(b'"');
}

fn write_entries<'a>(entries: impl Iterator<Item = (&'a String, &'a Json)>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (key, value) in entries {
        write_string(key, out);
        out.push(b':');
        write_json(value, out);
        out.push(b',');
    }
    close(b'}', out);
}

/// Ends a container in whose text every item is followed by a comma.
fn close(bracket: u8, out: &mut Vec<u8>) {
    match out.last_mut() {
        Some(comma @ b',') => *comma = bracket,
        _ => out.push(bracket),
    }
}

/// Appends one character of a text.
pub(super) fn write_escaped(character: char, out: &mut Vec<u8>) {
    match u8::try_from(character) {
        Ok(byte @ (..b' ' | b'"' | b'\\')) => write_escape(byte, out),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            return out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                digit(byte >> 4),
                digit(byte & 15),
            ]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::value::parse;

    fn emit(value: &Json) -> String {
        let mut out = Vec::new();
        write_json(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(emit(&parse(text.as_bytes()).unwrap()), expect);
    }

    #[test]
    fn text_is_compact_and_unescaped() {
        check(
            r#" {"a" : [ ] , "b": { }, "c": [ 1 , null, true, false ] } "#,
            r#"{"a":[],"b":{},"c":[1,null,true,false]}"#,
        );
        check(r#""\u00e9\ud83d\ude00\/\u007f\u2028""#, "\"é😀/\u{7f}\u{2028}\"");
        check(r#""\u0000\u001f\b\f\n\r\t\"\\""#, r#""\u0000\u001f\b\f\n\r\t\"\\""#);
    }

    #[test]
    fn numbers_are_short() {
        check("[65.30,1E5,1.10,-0,-0.0]", "[65.3,100000.0,1.1,0,-0.0]");
        check("[1e15,1e16,1.5e16,1e22,1e100]", "[1000000000000000.0,1e+16,1.5e+16,1e+22,1e+100]");
        check(
            "[1e-3,1e-5,1.5e-5,1e-6,1.5e-7,5e-324]",
            "[0.001,0.00001,0.000015,1e-6,1.5e-7,5e-324]",
        );
        check("[NaN,1e400,18446744073709551616]", "[null,null,1.8446744073709552e+19]");
    }

    #[test]
    fn records_lose_their_own_nulls_only() {
        let mut out = Vec::new();
        let record = json!({"a": null, "b": {"c": null}, "d": [null], "e": null});
        write_record_data(record.as_object().unwrap(), &mut out);
        assert_eq!(out, br#"{"b":{"c":null},"d":[null]}"#);
        out.clear();
        write_record_data(json!({"a": null}).as_object().unwrap(), &mut out);
        assert_eq!(out, b"{}");
    }

    /// Any value; doubles come from all bit patterns.
    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(value in any_json()) {
            let text = emit(&value);
            let read = parse(text.as_bytes()).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(emit(&read), text);
        }
    }
}
