//! `int()`, `float()`, and `round()`.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, Num, Signed};

use super::error::EvalError;
use super::lexer::is_whitespace;
use super::ops::to_bigint;
use super::value::Value;

/// Digits that Python turns into an `int`, or an `int` into, at most.
pub(super) const MAX_DIGITS: usize = 4300;

/// The digits of an `int`, up to as many as Python writes.
pub(super) fn decimal(int: &BigInt) -> Result<String, EvalError> {
    // A digit has more than three bits: what is far beyond is not even looked at.
    let digits = (int.bits() <= 4 * MAX_DIGITS as u64).then(|| int.to_string());
    let is_short = |digits: &String| digits.trim_start_matches('-').len() <= MAX_DIGITS;
    digits.filter(is_short).ok_or_else(|| {
        EvalError::Value(format!(
            "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion; use \
             sys.set_int_max_str_digits() to increase the limit"
        ))
    })
}

/// The digits of an `int` without its sign; only powers of two write out any number of them.
pub(super) fn digits(int: &BigInt, radix: u32) -> Result<String, EvalError> {
    let magnitude = int.magnitude();
    if radix.is_power_of_two() {
        return Ok(magnitude.to_str_radix(radix));
    }
    decimal(&magnitude.clone().into())
}

/// `int(value)`.
pub(super) fn int<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::Str(_) | Value::Markup(_) => int_of_text(value.as_str().unwrap_or_default(), 10),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => int_of_text(text, 10),
            Err(_) => Err(EvalError::value_error("invalid literal for int() with base 10")),
        },
        Value::Float(float) => float_to_int(*float),
        _ => to_bigint(value).map(Value::from_bigint).ok_or_else(|| {
            EvalError::Type(format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                value.type_name()
            ))
        }),
    }
}

/// `int(float)`: what is after the point is cut off.
pub(super) fn float_to_int<'a>(float: f64) -> Result<Value<'a>, EvalError> {
    if float.is_nan() {
        return Err(EvalError::value_error("cannot convert float NaN to integer"));
    }
    match BigInt::from_f64(float.trunc()) {
        Some(int) => Ok(Value::from_bigint(int)),
        None => Err(EvalError::Overflow("cannot convert float infinity to integer".to_owned())),
    }
}

/// `int(text, base)`.
pub(super) fn int_of_text<'a>(text: &str, base: u32) -> Result<Value<'a>, EvalError> {
    parse_int(text, base).map(Value::from_bigint).ok_or_else(|| {
        let shown = Value::from(text).py_repr().unwrap_or_default();
        EvalError::Value(format!("invalid literal for int() with base {base}: {shown}"))
    })
}

fn parse_int(text: &str, base: u32) -> Option<BigInt> {
    let text = ascii_digits(text.trim_matches(is_whitespace));
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let prefix = match unsigned.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 0,
    };
    let (digits, radix) = match base {
        0 if prefix > 0 => (&unsigned[2..], prefix),
        0 => (unsigned, 10),
        _ if base == prefix => (&unsigned[2..], base),
        2..=36 => (unsigned, base),
        _ => return None,
    };
    // An underscore may stand between digits and after a prefix.
    let has_prefix = digits.len() < unsigned.len();
    let digits = if has_prefix { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let is_well_formed = !digits.is_empty()
        && !digits.starts_with('_')
        && !digits.ends_with('_')
        && !digits.contains("__")
        && digits.chars().all(|char| char == '_' || char.is_digit(radix));
    let is_ambiguous = base == 0
        && !has_prefix
        && digits.starts_with('0')
        && !digits.bytes().all(|byte| matches!(byte, b'0' | b'_'));
    if !is_well_formed || is_ambiguous {
        return None;
    }
    if digits.len() > MAX_DIGITS && !radix.is_power_of_two() {
        return None;
    }
    let magnitude = BigInt::from_str_radix(&digits.replace('_', ""), radix).ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Digits of other scripts are digits as well.
fn ascii_digits(text: &str) -> String {
    const ZEROS: [u32; 12] =
        [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xe50, 0x1040, 0xff10];
    text.chars()
        .map(|char| {
            let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&u32::from(char)));
            zero.and_then(|zero| char::from_digit(u32::from(char) - zero, 10)).unwrap_or(char)
        })
        .collect()
}

/// `float(value)`.
pub(super) fn float(value: &Value<'_>) -> Result<f64, EvalError> {
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::Str(_) | Value::Markup(_) => {
            let text = value.as_str().unwrap_or_default();
            parse_float(text).ok_or_else(|| {
                let shown = value.py_repr().unwrap_or_default();
                EvalError::Value(format!("could not convert string to float: {shown}"))
            })
        }
        _ => match value.as_f64() {
            Some(float) if float.is_infinite() && matches!(value, Value::BigInt(_)) => {
                Err(EvalError::Overflow("int too large to convert to float".to_owned()))
            }
            Some(float) => Ok(float),
            None => Err(EvalError::Type(format!(
                "float() argument must be a string or a real number, not '{}'",
                value.type_name()
            ))),
        },
    }
}

fn parse_float(text: &str) -> Option<f64> {
    let text = ascii_digits(text.trim_matches(is_whitespace));
    let bytes = text.as_bytes();
    let is_digit =
        |idx: Option<usize>| idx.and_then(|idx| bytes.get(idx)).is_some_and(u8::is_ascii_digit);
    let has_stray_underscore = bytes.iter().enumerate().any(|(idx, byte)| {
        *byte == b'_' && !(is_digit(idx.checked_sub(1)) && is_digit(Some(idx + 1)))
    });
    if has_stray_underscore {
        return None;
    }
    // Rust reads the same forms, `nan` and `infinity` in any case included.
    text.replace('_', "").parse().ok()
}

/// `round(value, n_digits)`: to even, from what the float really is.
pub(super) fn round<'a>(value: &Value<'a>, n_digits: i64) -> Result<Value<'a>, EvalError> {
    if let Value::Float(float) = value {
        return Ok(Value::Float(round_float(*float, n_digits)));
    }
    let Some(int) = to_bigint(value) else {
        return Err(EvalError::Type(format!(
            "type {} doesn't define __round__ method",
            value.type_name()
        )));
    };
    if n_digits >= 0 {
        return Ok(Value::from_bigint(int));
    }
    // Eight to that power is more than twice the number, and ten all the more.
    let n_zeros = n_digits.unsigned_abs();
    let Some(n_zeros) = u32::try_from(n_zeros).ok().filter(|&n| 3 * u64::from(n) <= int.bits())
    else {
        return Ok(Value::Int(0));
    };
    let unit = BigInt::from(10).pow(n_zeros);
    let (quotient, remainder) = int.div_mod_floor(&unit);
    let rounds_up = match (&remainder + &remainder).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.is_odd(),
        std::cmp::Ordering::Greater => true,
    };
    Ok(Value::from_bigint((quotient + i32::from(rounds_up)) * unit))
}

fn round_float(float: f64, n_digits: i64) -> f64 {
    if !float.is_finite() || n_digits > 323 {
        return float;
    }
    let rounded = match usize::try_from(n_digits) {
        Ok(n_digits) => format!("{float:.n_digits$}"),
        Err(_) if n_digits < -308 => return 0f64.copysign(float),
        Err(_) => {
            let unit = BigInt::from(10).pow(u32::try_from(-n_digits).unwrap_or_default());
            // The part after the point only tells which side of a tie the number lies on.
            let whole = BigInt::from_f64(float.abs().trunc()).unwrap_or_default();
            let (quotient, remainder) = whole.div_mod_floor(&unit);
            let rounds_up = match (&remainder + &remainder).cmp(&unit) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => quotient.is_odd() || float.fract() != 0.0,
                std::cmp::Ordering::Greater => true,
            };
            let magnitude = (quotient + i32::from(rounds_up)) * unit;
            let sign = if float.is_sign_negative() { "-" } else { "" };
            format!("{sign}{}", magnitude.abs())
        }
    };
    rounded.parse().unwrap_or(float)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_int(text: &str, base: u32, expect: Option<i64>) {
        assert_eq!(int_of_text(text, base).ok().and_then(|int| int.as_i64()), expect, "{text}");
    }

    #[test]
    fn reads_integers() {
        check_int(" 1_000 ", 10, Some(1000));
        check_int("-7", 10, Some(-7));
        check_int("0x1f", 16, Some(31));
        check_int("0x_1f", 0, Some(31));
        check_int("1f", 16, Some(31));
        check_int("٤٢", 10, Some(42));
        check_int("1__0", 10, None);
        check_int("010", 0, None);
        check_int("010", 10, Some(10));
        check_int("1.0", 10, None);
        check_int("", 10, None);
        check_int("- 5", 10, None);
    }

    #[track_caller]
    fn check_round(value: f64, n_digits: i64, expect: f64) {
        let rounded = round(&Value::Float(value), n_digits).unwrap().as_f64().unwrap();
        assert_eq!(rounded.to_bits(), expect.to_bits(), "{value} {n_digits}: {rounded}");
    }

    #[test]
    fn rounds_to_even() {
        check_round(2.5, 0, 2.0);
        check_round(1.005, 2, 1.0);
        check_round(-0.4, 0, -0.0);
        check_round(1250.0, -2, 1200.0);
        check_round(1250.5, -2, 1300.0);
        check_round(1e300, 400, 1e300);
        assert_eq!(round(&Value::Int(25), -1).unwrap().as_i64(), Some(20));
        assert_eq!(round(&Value::Int(-15), -1).unwrap().as_i64(), Some(-20));
    }

    #[test]
    fn reads_floats() {
        for (text, expect) in [
            ("1_0.5", Some(10.5)),
            (" -1e3 ", Some(-1000.0)),
            ("1_", None),
            ("", None),
            ("0x1", None),
        ] {
            assert_eq!(float(&Value::from(text)).ok(), expect, "{text}");
        }
        assert!(float(&Value::from("NaN")).unwrap().is_nan());
    }
}
