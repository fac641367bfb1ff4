//! Plain text into values, by the table of YAML 1.1 that PyYAML has.
//!
//! It is not the table of YAML 1.2: `yes` is true, `0777` is octal, `1_000` and
//! `1:30` are integers, `1e3` is a string, and `2024-01-31` is a date.

use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use jiff::civil::{Date, Time};
use num_bigint::BigInt;
use num_traits::{Num, ToPrimitive};
use regex::{Captures, Regex};

use super::super::node::{NodeValue, Timestamp};

/// More decimal digits than this Python does not convert.
const MAX_DIGITS: usize = 4300;

/// Why a text is not what it looks like, or what its tag says.
pub(super) type Unreadable = &'static str;

/// The value of a scalar that has neither quotes nor a tag.
pub(super) fn resolve(text: &str) -> Result<NodeValue, Unreadable> {
    let value = match text.as_bytes() {
        [] | b"~" => Some(NodeValue::Null),
        [b'n' | b'N', ..] => null(text).or_else(|| bool(text)),
        [b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O', ..] => bool(text),
        [b'-' | b'+' | b'.' | b'0'..=b'9', ..] => match float(text).map(NodeValue::Float) {
            None => match int(text) {
                None => timestamp(text)?,
                Some(int) => Some(int?),
            },
            float => float,
        },
        // They mean something to YAML 1.1 that nothing here can hold.
        b"=" | b"<<" => return Err("YAML 1.1 reserves this"),
        _ => None,
    };
    Ok(value.unwrap_or_else(|| NodeValue::Str(text.into())))
}

/// The value of a scalar with a tag, without the tag's `tag:yaml.org,2002:`.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<NodeValue, Unreadable> {
    let number = || text.replace('_', "");
    match tag {
        "str" => Ok(NodeValue::Str(text.into())),
        "null" => Ok(NodeValue::Null),
        "bool" => bool(&text.to_lowercase()).ok_or("this is no boolean"),
        "int" => int(text).or_else(|| Some(decimal(&number()))).ok_or("this is no integer")?,
        "float" => float(text)
            .or_else(|| f64::from_str(&number()).ok())
            .map(NodeValue::Float)
            .ok_or("this is no number"),
        "timestamp" => timestamp(text)?.ok_or("this is no date"),
        _ => Err("a manifest knows no such tag"),
    }
}

fn null(text: &str) -> Option<NodeValue> {
    matches!(text, "null" | "Null" | "NULL").then_some(NodeValue::Null)
}

fn bool(text: &str) -> Option<NodeValue> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(NodeValue::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(NodeValue::Bool(false))
        }
        _ => None,
    }
}

fn split_sign(text: &str) -> (&str, &str) {
    text.split_at(usize::from(text.starts_with(['-', '+'])))
}

fn is_made_of(text: &str, is_member: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'_' || is_member(byte))
}

fn is_digits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && is_made_of(text, |b| b.is_ascii_digit())
}

/// `[0-5]?[0-9]`, a place of a base-60 number.
fn is_sixtieths(text: &str) -> bool {
    matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
}

fn int(text: &str) -> Option<Result<NodeValue, Unreadable>> {
    let (sign, digits) = split_sign(text);
    let radix = |prefix, radix, is_digit: fn(u8) -> bool| {
        let digits = digits.strip_prefix(prefix).filter(|digits| is_made_of(digits, is_digit))?;
        Some((digits.replace('_', ""), radix))
    };
    let (number, radix) = if digits == "0" {
        return Some(Ok(NodeValue::Int(0)));
    } else if let Some(found) = radix("0b", 2, |byte| matches!(byte, b'0' | b'1')) {
        found
    } else if let Some(found) = radix("0x", 16, |byte| byte.is_ascii_hexdigit()) {
        found
    } else if let Some((digits, _)) = radix("0", 8, |byte| matches!(byte, b'0'..=b'7')) {
        // `0_` is a zero with an underscore, and `0b_` is an error.
        (if digits.is_empty() { "0".to_owned() } else { digits }, 8)
    } else if is_digits(digits) && !digits.starts_with('0') {
        (digits.replace('_', ""), 10)
    } else {
        return base60(digits).map(|int| Ok(integer(int?, sign)));
    };
    if radix == 10 && number.len() > MAX_DIGITS {
        return Some(Err("this integer has too many digits"));
    }
    let number = BigInt::from_str_radix(&number, radix).map_err(|_| "this number has no digits");
    Some(number.map(|number| integer(number, sign)))
}

/// `1:30:00`: each place but the first is below 60.
fn base60(digits: &str) -> Option<Result<BigInt, Unreadable>> {
    let (first, rest) = digits.split_once(':')?;
    if !is_digits(first) || first.starts_with('0') || !rest.split(':').all(is_sixtieths) {
        return None;
    }
    if first.len() > MAX_DIGITS {
        return Some(Err("this integer has too many digits"));
    }
    let first = BigInt::from_str(&first.replace('_', "")).ok()?;
    let places = rest.split(':').filter_map(|place| place.parse::<u8>().ok());
    Some(Ok(places.fold(first, |number, place| number * 60 + place)))
}

fn decimal(text: &str) -> Result<NodeValue, Unreadable> {
    let (sign, digits) = split_sign(text.trim());
    if digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("this is no integer");
    }
    let number = BigInt::from_str(digits).map_err(|_| "this is no integer")?;
    Ok(integer(number, sign))
}

fn integer(number: BigInt, sign: &str) -> NodeValue {
    let number = if sign == "-" { -number } else { number };
    match number.to_i64() {
        Some(int) => NodeValue::Int(int),
        None => NodeValue::BigInt(Arc::new(number)),
    }
}

fn float(text: &str) -> Option<f64> {
    let (sign, digits) = split_sign(text);
    let signed = |number: f64| if sign == "-" { -number } else { number };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Some(signed(f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (whole, fraction) = digits.split_once('.')?;
    let is_fraction =
        |fraction: &str| fraction.is_empty() || is_made_of(fraction, |b| b.is_ascii_digit());
    if let Some((first, places)) = whole.split_once(':') {
        let (places, last) = places.rsplit_once(':').unwrap_or(("", places));
        if !is_digits(first)
            || !(places.is_empty() || places.split(':').all(is_sixtieths))
            || !is_sixtieths(last)
            || !is_fraction(fraction)
        {
            return None;
        }
        let number = digits.replace('_', "");
        let places = number.split(':').map(f64::from_str).collect::<Result<Vec<_>, _>>().ok()?;
        // From the last place on, as the reference adds: rounding depends on the order.
        let (mut total, mut base) = (0.0, 1.0);
        for place in places.into_iter().rev() {
            total += place * base;
            base *= 60.0;
        }
        return Some(signed(total));
    }
    let (fraction, exponent) = match fraction.find(['e', 'E']) {
        Some(at) => (&fraction[..at], Some(&fraction[at + 1..])),
        None => (fraction, None),
    };
    // The exponent needs a sign: `1.5e3` is a string.
    let is_exponent = exponent.is_none_or(|exponent| {
        let (sign, digits) = split_sign(exponent);
        !sign.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_number = if whole.is_empty() {
        sign.is_empty() && is_digits(fraction)
    } else {
        is_digits(whole) && is_fraction(fraction)
    };
    if !is_exponent || !is_number {
        return None;
    }
    digits.replace('_', "").parse().ok().map(signed)
}

/// A date, or a date with a time; nothing if it does not look like one.
fn timestamp(text: &str) -> Result<Option<NodeValue>, Unreadable> {
    static PARTS: LazyLock<Regex> = LazyLock::new(|| {
        let date = r"([0-9]{4})-([0-9]{2})-([0-9]{2})$|([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})";
        let time = r"(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?";
        let zone = r"(?:[ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?";
        Regex::new(&format!("^(?:{date}{time}{zone}$)")).expect("a pattern that the tests use")
    });
    if text.as_bytes().get(4) != Some(&b'-') {
        return Ok(None);
    }
    let Some(parts) = PARTS.captures(text) else { return Ok(None) };
    // No such day, time, or zone is an error in the reference too.
    timestamp_of(&parts).map(Some).ok_or("there is no such date")
}

fn timestamp_of(parts: &Captures<'_>) -> Option<NodeValue> {
    let part = |idx: usize| parts.get(idx).map_or("", |part| part.as_str());
    let number = |idx: usize| part(idx).parse::<i8>().ok();
    let date = |first: usize| {
        let year = part(first).parse().ok().filter(|year| *year > 0)?;
        Date::new(year, number(first + 1)?, number(first + 2)?).ok()
    };
    if parts.get(1).is_some() {
        return date(1).map(NodeValue::Date);
    }
    // Six digits of the fraction count, the rest is dropped.
    let micros: i32 = format!("{:0<6}", part(10))[..6].parse().ok()?;
    let time = Time::new(number(7)?, number(8)?, number(9)?, micros * 1000).ok()?;
    let offset = match (part(11), part(12)) {
        ("Z", _) => Some(0),
        (_, "") => None,
        (_, sign) => {
            let minutes = number(14).map_or(0, i32::from);
            let seconds = i32::from(number(13)?) * 3600 + minutes * 60;
            Some(if sign == "-" { -seconds } else { seconds })
        }
    };
    if offset.is_some_and(|offset| offset.abs() >= 24 * 3600) {
        return None;
    }
    Some(NodeValue::DateTime(Timestamp { civil: date(4)?.to_datetime(time), offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PyYAML 6.0.3 makes of a scalar.
    #[derive(serde::Deserialize)]
    struct Answer {
        text: String,
        r#type: String,
        value: Option<String>,
    }

    #[test]
    fn scalars_are_those_of_pyyaml() {
        let answers = include_str!("../testdata/scalars.jsonl");
        for line in answers.lines() {
            let expect: Answer = serde_json::from_str(line).unwrap();
            let (kind, value) = match resolve(&expect.text) {
                Err(_) => ("error", None),
                Ok(NodeValue::Null) => ("null", None),
                Ok(NodeValue::Bool(bool)) => ("bool", Some(bool.to_string())),
                Ok(NodeValue::Int(int)) => ("int", Some(int.to_string())),
                Ok(NodeValue::BigInt(int)) => ("int", Some(int.to_string())),
                Ok(NodeValue::Float(float)) => {
                    // Rust and Python spell exponents differently.
                    let spelled = expect.value.clone().unwrap_or_default();
                    let is_same = spelled.parse().is_ok_and(|expect: f64| {
                        expect.to_bits() == float.to_bits() || expect.is_nan() && float.is_nan()
                    });
                    ("float", Some(if is_same { spelled } else { float.to_string() }))
                }
                Ok(NodeValue::Str(text)) => {
                    assert_eq!(*text, *expect.text);
                    ("str", None)
                }
                Ok(NodeValue::Date(date)) => ("date", Some(date.to_string())),
                Ok(NodeValue::DateTime(timestamp)) => ("datetime", Some(timestamp.to_string())),
                Ok(NodeValue::Seq(_) | NodeValue::Map(_)) => ("no scalar", None),
            };
            assert_eq!((kind, value), (expect.r#type.as_str(), expect.value), "{}", expect.text);
        }
    }

    #[test]
    fn integers_of_too_many_digits_are_errors() {
        let digits = |n_digits| resolve(&"7".repeat(n_digits));
        assert!(matches!(digits(MAX_DIGITS), Ok(NodeValue::BigInt(_))));
        assert!(digits(MAX_DIGITS + 1).is_err());
    }
}
