//! Methods of `bytes`, which templates only get from `str.encode`.

use super::method;
use crate::template::{Args, Cx, EvalError, Value};

const METHODS: [&str; 5] = ["decode", "endswith", "hex", "isascii", "startswith"];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    method(receiver, &METHODS, name)
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let Value::Bytes(bytes) = receiver else { return Err(EvalError::Attribute(name.to_owned())) };
    cx.charge(bytes.len())?;
    match name {
        "decode" => decode(bytes, args),
        "hex" => {
            args.none(name)?;
            let digit =
                |byte: &u8| [byte >> 4, byte & 15].map(|half| char::from_digit(half.into(), 16));
            Ok(Value::from(bytes.iter().flat_map(digit).flatten().collect::<String>()))
        }
        "isascii" => {
            args.none(name)?;
            Ok(Value::Bool(bytes.is_ascii()))
        }
        _ => {
            let affix = args.only(name)?;
            let Value::Bytes(affix) = &affix else {
                return Err(EvalError::Type(format!(
                    "{name} first arg must be bytes or a tuple of bytes, not {}",
                    affix.type_name()
                )));
            };
            Ok(Value::Bool(match name {
                "startswith" => bytes.starts_with(affix),
                _ => bytes.ends_with(affix),
            }))
        }
    }
}

fn decode<'a>(bytes: &[u8], args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [encoding, errors] = args.bind("decode", ["encoding", "errors"], 0)?;
    let text = |value: Option<Value<'a>>, default: &str| match value {
        None => Ok(default.to_owned()),
        Some(value) => value.as_str().map(str::to_owned).ok_or_else(|| {
            EvalError::Type(format!("decode() argument must be str, not {}", value.type_name()))
        }),
    };
    let (encoding, errors) = (text(encoding, "utf-8")?, text(errors, "strict")?);
    let mut utf8 = bytes;
    let latin;
    match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "u8" => {}
        "ascii" | "us-ascii" => {
            if let Some(idx) = bytes.iter().position(|byte| !byte.is_ascii())
                && errors == "strict"
            {
                return Err(EvalError::UnicodeDecode(format!(
                    "'ascii' codec can't decode byte {:#04x} in position {idx}: \
                     ordinal not in range(128)",
                    bytes[idx]
                )));
            }
        }
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => {
            latin = bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
            utf8 = latin.as_bytes();
        }
        _ => return Err(EvalError::Lookup(format!("unknown encoding: {encoding}"))),
    }
    let mut out = String::with_capacity(utf8.len());
    for chunk in utf8.utf8_chunks() {
        out.push_str(chunk.valid());
        match (chunk.invalid(), errors.as_str()) {
            ([], _) | (_, "ignore") => {}
            (_, "replace") => out.push(char::REPLACEMENT_CHARACTER),
            ([byte, ..], _) => {
                let idx = out.len();
                return Err(EvalError::UnicodeDecode(format!(
                    "'utf-8' codec can't decode byte {byte:#04x} in position {idx}: invalid byte"
                )));
            }
        }
    }
    Ok(Value::from(out))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::value::Json;

    #[track_caller]
    fn check(bytes: &[u8], name: &'static str, args: &Json, expect: &str) {
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        let receiver = Value::Bytes(bytes.into());
        let args = Args::of(args.as_array().unwrap().iter().map(Value::from_json).collect());
        let got = call(&Cx::new(&run), &receiver, name, args);
        let got = got.map_or_else(|err| format!("error: {err}"), |value| value.py_repr().unwrap());
        assert_eq!(got, expect, "{bytes:?}.{name}");
    }

    #[test]
    fn decoding() {
        check("é".as_bytes(), "decode", &json!([]), "'é'");
        check(b"\xe9", "decode", &json!(["latin-1"]), "'é'");
        check(b"a\xff", "decode", &json!(["utf-8", "ignore"]), "'a'");
        check(b"a\xff", "decode", &json!(["utf-8", "replace"]), "'a\u{fffd}'");
        check(
            b"a\xff",
            "decode",
            &json!([]),
            "error: 'utf-8' codec can't decode byte 0xff in position 1: invalid byte",
        );
        check(
            b"a\xff",
            "decode",
            &json!(["ascii"]),
            "error: 'ascii' codec can't decode byte 0xff in position 1: ordinal not in range(128)",
        );
        check(b"a", "decode", &json!(["nope"]), "error: unknown encoding: nope");
    }

    #[test]
    fn digits() {
        check(b"\x00\xff", "hex", &json!([]), "'00ff'");
    }
}
