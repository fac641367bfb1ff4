//! The reference's hashes and base64 filters.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::value::Value;

type Evaluated<'a> = Result<Value<'a>, EvalError>;

pub(super) fn hash<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [hash_type, salt] = args.bind("hash", ["hash_type", "salt"], 0)?;
    let hash_type = hash_type.unwrap_or_else(|| Value::from("md5"));
    let name = super::text_argument(&hash_type, "attribute name")?;
    let mut message = input.py_str()?.into_owned();
    if let Some(salt) = salt.filter(Value::is_truthy) {
        message.push_str(&salt.py_str()?);
    }
    let digest: fn(&[u8]) -> Vec<u8> = match name {
        "md5" => |message| Md5::digest(message).to_vec(),
        "sha1" => |message| Sha1::digest(message).to_vec(),
        "sha224" => |message| Sha224::digest(message).to_vec(),
        "sha256" => |message| Sha256::digest(message).to_vec(),
        "sha384" => |message| Sha384::digest(message).to_vec(),
        "sha512" => |message| Sha512::digest(message).to_vec(),
        "sha3_224" => |message| Sha3_224::digest(message).to_vec(),
        "sha3_256" => |message| Sha3_256::digest(message).to_vec(),
        "sha3_384" => |message| Sha3_384::digest(message).to_vec(),
        "sha3_512" => |message| Sha3_512::digest(message).to_vec(),
        "shake_128" | "shake_256" => {
            let message = "hexdigest() missing required argument 'length' (pos 1)";
            return Err(EvalError::type_error(message));
        }
        _ => return Err(EvalError::Attribute(format!("No hashing function named {name}"))),
    };
    Ok(Value::from(hex(&digest(message.as_bytes()))))
}

/// The digits of `bytes`, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn hmac<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [key, hash_type] = args.bind("hmac", ["key", "hash_type"], 1)?;
    if let Some(hash_type) = hash_type
        && hash_type.as_str() != Some("sha256")
    {
        return Err(EvalError::Value(format!(
            "Hash type '{}' is not allowed. Allowed types: sha256",
            hash_type.py_str()?
        )));
    }
    let key = key.unwrap_or(Value::None);
    let key = key.py_str()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|_| EvalError::value_error("invalid key length"))?;
    mac.update(input.py_str()?.as_bytes());
    Ok(Value::from(hex(&mac.finalize().into_bytes())))
}

/// The input, which has to be a text, for it has to have a method `encode`.
fn encodable<'v>(input: &'v Value<'_>) -> Result<&'v str, EvalError> {
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    input.as_str().ok_or_else(|| {
        EvalError::Attribute(format!("'{}' object has no attribute 'encode'", input.type_name()))
    })
}

pub(super) fn base64encode<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("base64encode")?;
    Ok(Value::from(STANDARD.encode(encodable(input)?)))
}

/// Despite its name, it encodes.
pub(super) fn base64binascii_decode<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Evaluated<'a> {
    args.none("base64binascii_decode")?;
    let text = encodable(input)?;
    if let Some(position) = text.chars().position(|char| !char.is_ascii()) {
        return Err(EvalError::UnicodeEncode(format!(
            "'ascii' codec can't encode character in position {position}: ordinal not in \
             range(128)"
        )));
    }
    Ok(Value::from(STANDARD.encode(text)))
}

pub(super) fn base64decode<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("base64decode")?;
    let decoded = decode_base64(encodable(input)?.as_bytes())?;
    String::from_utf8(decoded).map(Value::from).map_err(|err| {
        let position = err.utf8_error().valid_up_to();
        let byte = err.as_bytes()[position];
        EvalError::UnicodeDecode(format!(
            "'utf-8' codec can't decode byte 0x{byte:02x} in position {position}: invalid byte"
        ))
    })
}

/// `base64.b64decode(text)`: what is not in the alphabet is skipped, and what
/// follows the padding is ignored.
fn decode_base64(text: &[u8]) -> Result<Vec<u8>, EvalError> {
    let mut decoded = Vec::with_capacity(text.len() / 4 * 3);
    let (mut n_data, mut n_pads, mut bits) = (0_usize, 0, 0_u32);
    for &byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                n_pads += 1;
                if n_data % 4 >= 2 && n_data % 4 + n_pads >= 4 {
                    return Ok(decoded);
                }
                continue;
            }
            _ => continue,
        };
        n_pads = 0;
        n_data += 1;
        bits = bits << 6 | u32::from(value);
        if n_data % 4 != 1 {
            let n_left = 6 - 2 * ((n_data - 1) % 4);
            decoded.push(u8::try_from(bits >> n_left & 0xff).unwrap_or_default());
        }
    }
    match n_data % 4 {
        0 => Ok(decoded),
        1 => Err(EvalError::Binascii(format!(
            "Invalid base64-encoded string: number of data characters ({n_data}) cannot be 1 more \
             than a multiple of 4"
        ))),
        _ => Err(EvalError::Binascii("Incorrect padding".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let decoded = decode_base64(text.as_bytes()).map_err(|err| err.to_string());
        let decoded = decoded.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(decoded, expect.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn decodes_as_leniently_as_python() {
        check("SGVsbG8=", Ok("Hello"));
        check("SGVs\nbG8=", Ok("Hello"));
        check("!!", Ok(""));
        check("SGVsbG8=SGVs", Ok("Hello"));
        check("YQ==", Ok("a"));
        check("SGVsbG8", Err("Incorrect padding"));
        let message = "Invalid base64-encoded string: number of data characters (1) cannot be 1 \
                       more than a multiple of 4";
        check("S", Err(message));
    }
}
