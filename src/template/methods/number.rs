//! Attributes and methods of `int`, `bool`, and `float`.

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::method;
use crate::template::ops;
use crate::template::{Args, EvalError, Value};

const INT: [&str; 4] = ["as_integer_ratio", "bit_count", "bit_length", "conjugate"];

const FLOAT: [&str; 4] = ["as_integer_ratio", "conjugate", "hex", "is_integer"];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match (receiver, name) {
        (Value::Float(float), "real") => Some(Value::Float(*float)),
        (Value::Float(_), "imag") => Some(Value::Float(0.0)),
        (Value::Float(_), _) => method(receiver, &FLOAT, name),
        (_, "real" | "numerator") => ops::to_bigint(receiver).map(Value::from_bigint),
        (_, "imag") => Some(Value::Int(0)),
        (_, "denominator") => Some(Value::Int(1)),
        _ => method(receiver, &INT, name),
    }
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    args.none(name)?;
    if let Value::Float(float) = receiver {
        return Ok(match name {
            "is_integer" => Value::Bool(float.is_finite() && float.fract() == 0.0),
            "hex" => Value::from(hex(*float)),
            "conjugate" => receiver.clone(),
            _ => float_ratio(*float)?,
        });
    }
    let int = ops::to_bigint(receiver).unwrap_or_default();
    Ok(match name {
        "bit_length" => Value::Int(i64::try_from(int.bits()).unwrap_or(i64::MAX)),
        "bit_count" => ops::int(
            int.magnitude().iter_u64_digits().map(|digit| digit.count_ones() as usize).sum(),
        ),
        "conjugate" => Value::from_bigint(int),
        _ => Value::tuple([Value::from_bigint(int), Value::Int(1)]),
    })
}

/// A float as `mantissa * 2 ** exponent`.
fn parts(float: f64) -> (i64, i32) {
    let bits = float.to_bits();
    let raw_exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or_default();
    let fraction = i64::try_from(bits & ((1 << 52) - 1)).unwrap_or_default();
    let (mantissa, exponent) = match raw_exponent {
        0 => (fraction, -1074),
        _ => (fraction | (1 << 52), raw_exponent - 1075),
    };
    (if float.is_sign_negative() { -mantissa } else { mantissa }, exponent)
}

fn float_ratio<'a>(float: f64) -> Result<Value<'a>, EvalError> {
    if float.is_nan() {
        return Err(EvalError::value_error("cannot convert NaN to integer ratio"));
    }
    if float.is_infinite() {
        let message = "cannot convert Infinity to integer ratio";
        return Err(EvalError::Overflow(message.to_owned()));
    }
    if float.fract() == 0.0 {
        let whole = BigInt::from_f64(float).unwrap_or_default();
        return Ok(Value::tuple([Value::from_bigint(whole), Value::Int(1)]));
    }
    let (mantissa, exponent) = parts(float);
    let shift = mantissa.trailing_zeros().min(exponent.unsigned_abs());
    let denominator = BigInt::from(1) << (exponent.unsigned_abs() - shift);
    Ok(Value::tuple([Value::Int(mantissa >> shift), Value::from_bigint(denominator)]))
}

/// `float.hex()`.
fn hex(float: f64) -> String {
    if !float.is_finite() {
        return ops::float_repr(float);
    }
    let sign = if float.is_sign_negative() { "-" } else { "" };
    if float == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (mantissa, exponent) = parts(float.abs());
    let lead = mantissa >> 52;
    let fraction = mantissa & ((1 << 52) - 1);
    format!("{sign}0x{lead}.{fraction:013x}p{:+}", exponent + 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(receiver: impl Into<Value<'static>>, name: &'static str, expect: &str) {
        assert_eq!(
            call(&receiver.into(), name, Args::default()).unwrap().py_repr().unwrap(),
            expect
        );
    }

    #[test]
    fn numbers_have_methods() {
        check(-10, "bit_length", "4");
        check(7, "bit_count", "3");
        check(2.0, "is_integer", "True");
        check(0.5, "as_integer_ratio", "(1, 2)");
        check(-1.5, "as_integer_ratio", "(-3, 2)");
        check(1.5, "hex", "'0x1.8000000000000p+0'");
    }
}
