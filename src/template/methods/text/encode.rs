//! Text as bytes.

use super::text_argument;
use crate::template::{Args, EvalError, Value};

/// `text.encode(encoding, errors)`.
pub(super) fn encode<'a>(text: &str, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [encoding, errors] = args.bind("encode", ["encoding", "errors"], 0)?;
    let encoding = match &encoding {
        Some(_) => text_argument(encoding.as_ref(), "encode", 1)?,
        None => "utf-8",
    };
    let errors = match &errors {
        Some(_) => text_argument(errors.as_ref(), "encode", 2)?,
        None => "strict",
    };
    let (codec, limit) = match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "u8" => return Ok(Value::Bytes(text.as_bytes().into())),
        "ascii" | "us-ascii" => ("ascii", 0x80),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "l1" => ("latin-1", 0x100),
        _ => return Err(EvalError::Lookup(format!("unknown encoding: {encoding}"))),
    };
    let mut bytes = Vec::with_capacity(text.len());
    for (idx, char) in text.chars().enumerate() {
        match u8::try_from(u32::from(char)) {
            Ok(byte) if u32::from(byte) < limit => bytes.push(byte),
            _ => substitute(char, idx, (codec, limit), errors, &mut bytes)?,
        }
    }
    Ok(Value::Bytes(bytes.into()))
}

/// Appends what stands for a character that the encoding does not have.
fn substitute(
    char: char,
    idx: usize,
    (codec, limit): (&str, u32),
    errors: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), EvalError> {
    let code = u32::from(char);
    let escape = if code > 0xffff {
        format!("\\U{code:08x}")
    } else if code > 0xff {
        format!("\\u{code:04x}")
    } else {
        format!("\\x{code:02x}")
    };
    let text = match errors {
        "ignore" => String::new(),
        "replace" => "?".to_owned(),
        "xmlcharrefreplace" => format!("&#{code};"),
        "backslashreplace" => escape,
        "strict" => {
            return Err(EvalError::UnicodeEncode(format!(
                "'{codec}' codec can't encode character '{escape}' in position {idx}: \
                 ordinal not in range({limit})"
            )));
        }
        _ => return Err(EvalError::Lookup(format!("unknown error handler name '{errors}'"))),
    };
    bytes.extend(text.bytes());
    Ok(())
}
