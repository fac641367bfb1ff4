//! Bodies read as text and as JSON, in the character sets that `requests` would choose.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use crate::value::{Json, parse, parse_text};

/// The text of `bytes`; what cannot be decoded becomes the replacement character.
pub fn decode_text(bytes: &[u8], content_type: Option<&str>) -> String {
    match content_type.and_then(charset) {
        Some(charset) => decode(bytes, &charset),
        // The reference guesses from the letters; what is not UTF-8 mostly is Western.
        None => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        },
    }
}

/// The JSON in `bytes`, if that is what they are.
pub(super) fn parse_json(bytes: &[u8], content_type: Option<&str>) -> Option<Json> {
    let charset = content_type.and_then(charset);
    if matches!(charset.as_deref(), None | Some("utf-8"))
        && let Ok(json) = parse(bytes)
    {
        return Some(json);
    }
    let text = match charset {
        Some(charset) => decode(bytes, &charset),
        None if bytes.len() > 3 => decode(bytes, json_charset(bytes)),
        None => decode_text(bytes, None),
    };
    parse_text(&text).ok()
}

/// The character set of JSON text, which shows in its first bytes.
fn json_charset(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => "utf-8-sig",
        [0xfe, 0xff, ..] | [0, _, 0, _, ..] => "utf-16be",
        [0xff, 0xfe, ..] | [_, 0, _, 0, ..] => "utf-16le",
        _ => "utf-8",
    }
}

/// The character set in lower case that a content type names or implies.
fn charset(content_type: &str) -> Option<String> {
    let (kind, params) = content_type.split_once(';').unwrap_or((content_type, ""));
    let named = params.split(';').find_map(|param| {
        let (key, value) = param.split_once('=')?;
        let is_charset = key.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim_matches([' ', '"', '\'']).to_ascii_lowercase())
    });
    named.or_else(|| match kind {
        kind if kind.contains("text") => Some("iso-8859-1".to_owned()),
        kind if kind.contains("application/json") => Some("utf-8".to_owned()),
        _ => None,
    })
}

fn decode(bytes: &[u8], charset: &str) -> String {
    match charset {
        // Web browsers take these for Windows-1252; Python does not.
        "iso-8859-1" | "iso8859-1" | "latin-1" | "latin1" | "l1" => {
            bytes.iter().map(|&byte| char::from(byte)).collect()
        }
        "ascii" | "us-ascii" => bytes
            .iter()
            .map(
                |&byte| {
                    if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER }
                },
            )
            .collect(),
        "utf-8-sig" => UTF_8.decode_with_bom_removal(bytes).0.into_owned(),
        charset => {
            // An unknown name counts as UTF-8; Python also writes `utf8` and `utf_8`.
            let label = charset.replace('_', "-");
            let encoding = Encoding::for_label(label.as_bytes()).unwrap_or(UTF_8);
            encoding.decode_without_bom_handling(bytes).0.into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(content_type: &str, bytes: &[u8], expect: &str) {
        assert_eq!(decode_text(bytes, Some(content_type)), expect);
    }

    #[test]
    fn the_content_type_names_the_character_set() {
        check("text/html; charset=\"UTF-8\"", "é".as_bytes(), "é");
        check("text/csv;header=present; Charset=latin-1", b"\xe9\x80", "é\u{80}");
        check("application/json; charset=utf_16le", b"a\0", "a");
        check("x; charset=ascii", b"a\xe9", "a\u{fffd}");
        check("x; charset=nonsense", "é\u{fffd}".as_bytes(), "é\u{fffd}");
    }

    #[test]
    fn without_a_name_the_kind_of_content_decides() {
        check("text/csv", "é".as_bytes(), "Ã©");
        check("application/json", b"\xe9", "\u{fffd}");
        check("application/xml", "é".as_bytes(), "é");
        check("application/xml", b"\xe9", "é");
        assert_eq!(decode_text("é".as_bytes(), None), "é");
    }

    #[track_caller]
    fn check_json(content_type: Option<&str>, bytes: &[u8], expect: Option<&Json>) {
        assert_eq!(parse_json(bytes, content_type).as_ref(), expect);
    }

    #[test]
    fn json_is_found_in_every_character_set() {
        check_json(None, br#"{"a": "b"}"#, Some(&json!({"a": "b"})));
        check_json(None, b"\xef\xbb\xbf[10]", Some(&json!([10])));
        check_json(None, b"[\0\x31\0]\0", Some(&json!([1])));
        check_json(None, b"\0[\0\x31\0]", Some(&json!([1])));
        check_json(Some("text/plain"), b"[\"\xe9\"]", Some(&json!(["é"])));
        check_json(Some("application/json"), b"[1]", Some(&json!([1])));
    }

    #[test]
    fn what_is_not_json_is_nothing() {
        check_json(None, b"", None);
        check_json(None, b"<html>", None);
        check_json(Some("application/json"), b"\xef\xbb\xbf[10]", None);
    }
}
