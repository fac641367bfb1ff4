//! `+ - * / // % **` and signs.

use std::rc::Rc;

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

use super::order::to_f64;
use super::{items, to_bigint};
use crate::template::ast::BinaryOp;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::time::Span;
use crate::template::value::Value;
use crate::template::{format, markup};

/// Bits of an `int` beyond which a template asks too much.
const MAX_BITS: u64 = 1 << 22;

/// `left op right`.
pub(crate) fn binary<'a>(
    cx: &Cx<'a>,
    op: BinaryOp,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Value<'a>, EvalError> {
    // Only `%` asks a text on its left before an undefined value on its right.
    if let Value::Undefined(undefined) = left {
        return Err(undefined.error());
    }
    if op == BinaryOp::Mod
        && let Some(template) = left.as_str()
    {
        return match left {
            Value::Markup(_) => {
                let right = markup::escape_arguments(right)?;
                format::percent(cx, template, &right).map(|text| Value::Markup(text.into()))
            }
            _ => format::percent(cx, template, right).map(Value::from),
        };
    }
    if let Value::Undefined(undefined) = right {
        return Err(undefined.error());
    }
    if is_number(left) && is_number(right) {
        return numbers(cx, op, left, right);
    }
    let result = match op {
        BinaryOp::Add => add(cx, left, right)?,
        BinaryOp::Sub => subtract(left, right)?,
        BinaryOp::Mul => multiply(cx, left, right)?,
        BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod => divide(op, left, right)?,
        BinaryOp::Pow => None,
    };
    result.ok_or_else(|| unsupported(op, left, right))
}

fn unsupported(op: BinaryOp, left: &Value<'_>, right: &Value<'_>) -> EvalError {
    let symbol = match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::FloorDiv => "//",
        BinaryOp::Mod => "%",
        BinaryOp::Pow => "** or pow()",
    };
    EvalError::Type(format!(
        "unsupported operand type(s) for {symbol}: '{}' and '{}'",
        left.type_name(),
        right.type_name()
    ))
}

fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_))
}

/// `-value`.
pub(crate) fn negative<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::Float(float) => Ok(Value::Float(-float)),
        Value::TimeDelta(delta) => Ok(Value::TimeDelta((-*delta)?)),
        Value::Duration(duration) => Ok(Value::Duration(Rc::new(duration.times(-1)?))),
        _ => match to_bigint(value) {
            Some(int) => Ok(Value::from_bigint(-int)),
            None => Err(bad_sign("-", value)),
        },
    }
}

/// `+value`.
pub(crate) fn positive<'a>(value: &Value<'a>) -> Result<Value<'a>, EvalError> {
    match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        Value::Float(_) | Value::TimeDelta(_) => Ok(value.clone()),
        _ => to_bigint(value).map(Value::from_bigint).ok_or_else(|| bad_sign("+", value)),
    }
}

fn bad_sign(sign: &str, value: &Value<'_>) -> EvalError {
    EvalError::Type(format!("bad operand type for unary {sign}: '{}'", value.type_name()))
}

fn add<'a>(
    cx: &Cx<'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Value<'a>>, EvalError> {
    use Value as V;
    Ok(Some(match (left, right) {
        (V::Str(left), V::Str(right)) => {
            cx.charge(left.len() + right.len())?;
            Value::from([left.as_str(), right.as_str()].concat())
        }
        (V::Markup(_) | V::Str(_), V::Markup(_) | V::Str(_)) => {
            let text = [markup::escape(left)?, markup::escape(right)?].concat();
            cx.charge(text.len())?;
            Value::Markup(text.into())
        }
        (V::List(_) | V::JsonList(_), V::List(_) | V::JsonList(_)) => {
            let mut all = items(left);
            all.extend(items(right));
            cx.charge(all.len())?;
            Value::list(all)
        }
        (V::Tuple(left), V::Tuple(right)) => {
            cx.charge(left.len() + right.len())?;
            Value::tuple([&left[..], right].concat())
        }
        (V::Bytes(left), V::Bytes(right)) => {
            cx.charge(left.len() + right.len())?;
            Value::Bytes([&left[..], right].concat().into())
        }
        _ => match (left.as_span(), right.as_span()) {
            (Some(left), Some(right)) => match (left, right) {
                (Span::Exact(left), Span::Exact(right)) => Value::TimeDelta(left.plus(right)?),
                (Span::Calendar(left), Span::Calendar(right)) => {
                    Value::from_span(Span::Calendar(left.plus(right)?))
                }
                (Span::Calendar(mut calendar), Span::Exact(delta))
                | (Span::Exact(delta), Span::Calendar(mut calendar)) => {
                    calendar.delta = calendar.delta.plus(delta)?;
                    Value::from_span(Span::Calendar(calendar))
                }
            },
            (None, Some(span)) => return shift(left, span, false),
            (Some(span), None) => return shift(right, span, false),
            (None, None) => return Ok(None),
        },
    }))
}

/// A date or time that a span lies after or before.
fn shift<'a>(when: &Value<'a>, span: Span, is_back: bool) -> Result<Option<Value<'a>>, EvalError> {
    Ok(Some(match (when, span) {
        (Value::DateTime(when), span) => {
            let shifted = if is_back { when.minus_span(span)? } else { when.plus_span(span)? };
            Value::DateTime(Rc::new(shifted))
        }
        (Value::Date(date), Span::Exact(delta)) => {
            Value::Date(if is_back { date.minus(delta)? } else { date.plus(delta)? })
        }
        (Value::Date(date), Span::Calendar(duration)) => Value::Date(if is_back {
            date.minus_duration(duration)?
        } else {
            date.plus_duration(duration)?
        }),
        _ => return Ok(None),
    }))
}

fn subtract<'a>(left: &Value<'a>, right: &Value<'a>) -> Result<Option<Value<'a>>, EvalError> {
    use Value as V;
    Ok(Some(match (left, right) {
        (V::DateTime(left), V::DateTime(right)) => Value::TimeDelta(left.since(**right)?),
        (V::Date(left), V::Date(right)) => Value::TimeDelta(left.since(*right)?),
        (V::Set(left), V::Set(right)) => {
            let mut rest = left.borrow().clone();
            let right = right.borrow();
            rest.retain(|key| !right.contains(key));
            Value::Set(Rc::new(std::cell::RefCell::new(rest)))
        }
        _ => match (left.as_span(), right.as_span()) {
            (Some(Span::Exact(left)), Some(Span::Exact(right))) => {
                Value::TimeDelta(left.minus(right)?)
            }
            (Some(Span::Calendar(left)), Some(Span::Calendar(right))) => {
                Value::from_span(Span::Calendar(left.minus(right)?))
            }
            (Some(Span::Calendar(mut calendar)), Some(Span::Exact(delta))) => {
                calendar.delta = calendar.delta.minus(delta)?;
                Value::from_span(Span::Calendar(calendar))
            }
            (Some(Span::Exact(delta)), Some(Span::Calendar(calendar))) => {
                let mut rest = calendar.times(-1)?;
                rest.delta = rest.delta.plus(delta)?;
                Value::from_span(Span::Calendar(rest))
            }
            (None, Some(span)) => return shift(left, span, true),
            _ => return Ok(None),
        },
    }))
}

fn multiply<'a>(
    cx: &Cx<'a>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Value<'a>>, EvalError> {
    let (sequence, factor) = if is_number(left) { (right, left) } else { (left, right) };
    match (sequence, factor) {
        (Value::TimeDelta(delta), Value::Float(factor)) => {
            return Ok(Some(Value::TimeDelta(delta.times_float(*factor)?)));
        }
        (Value::TimeDelta(delta), _) => {
            let count = to_bigint(factor);
            let product = count.map(|count| delta.times(count.to_i128().unwrap_or(i128::MAX)));
            return Ok(product.transpose()?.map(Value::TimeDelta));
        }
        (Value::Duration(duration), _) => {
            let product = factor.as_i64().map(|count| duration.times(count)).transpose()?;
            return Ok(product.map(|product| Value::Duration(Rc::new(product))));
        }
        _ => {}
    }
    let Some(count) = to_bigint(factor) else { return Ok(None) };
    let count = match count.sign() {
        Sign::Minus => 0,
        _ => count.to_usize().unwrap_or(usize::MAX),
    };
    let charge = |length: usize| cx.charge(length.saturating_mul(count));
    let charge_items = |length: usize| charge(length.saturating_mul(size_of::<Value<'_>>()));
    Ok(Some(match sequence {
        Value::Str(text) => {
            charge(text.len())?;
            Value::from(text.repeat(count))
        }
        Value::Markup(text) => {
            charge(text.len())?;
            Value::Markup(text.repeat(count).into())
        }
        Value::Bytes(bytes) => {
            charge(bytes.len())?;
            Value::Bytes(bytes.repeat(count).into())
        }
        Value::List(_) | Value::JsonList(_) => {
            let items = items(sequence);
            charge_items(items.len())?;
            Value::list(repeat(&items, count))
        }
        Value::Tuple(items) => {
            charge_items(items.len())?;
            Value::tuple(repeat(items, count))
        }
        _ => return Ok(None),
    }))
}

fn repeat<'a>(items: &[Value<'a>], count: usize) -> Vec<Value<'a>> {
    let count = if items.is_empty() { 0 } else { count };
    std::iter::repeat_n(items, count).flatten().cloned().collect()
}

/// Only spans can be divided, besides numbers.
fn divide<'a>(
    op: BinaryOp,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Option<Value<'a>>, EvalError> {
    let Value::TimeDelta(left) = left else { return Ok(None) };
    Ok(Some(match (op, right) {
        (BinaryOp::Div, Value::TimeDelta(right)) => Value::Float(left.ratio(*right)?),
        (BinaryOp::FloorDiv, Value::TimeDelta(right)) => {
            Value::from_bigint(left.div_mod(*right)?.0.into())
        }
        (BinaryOp::Mod, Value::TimeDelta(right)) => Value::TimeDelta(left.div_mod(*right)?.1),
        (BinaryOp::Div, Value::Float(right)) => Value::TimeDelta(left.divided_by_float(*right)?),
        (BinaryOp::Div | BinaryOp::FloorDiv, right) => {
            let Some(count) = to_bigint(right) else { return Ok(None) };
            let count = count.to_i128().unwrap_or(i128::MAX);
            Value::TimeDelta(match op {
                BinaryOp::Div => left.divided_by(count)?,
                _ => left.floor_divided_by(count)?,
            })
        }
        _ => return Ok(None),
    }))
}

impl Value<'_> {
    fn as_span(&self) -> Option<Span> {
        match self {
            Self::TimeDelta(delta) => Some(Span::Exact(*delta)),
            Self::Duration(duration) => Some(Span::Calendar(**duration)),
            _ => None,
        }
    }

    /// A `timedelta` or a calendar duration.
    pub(crate) fn from_span(span: Span) -> Self {
        match span {
            Span::Exact(delta) => Self::TimeDelta(delta),
            Span::Calendar(duration) => Self::Duration(Rc::new(duration)),
        }
    }
}

fn numbers<'a>(
    cx: &Cx<'a>,
    op: BinaryOp,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<Value<'a>, EvalError> {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        let small = match op {
            BinaryOp::Add => left.checked_add(right),
            BinaryOp::Sub => left.checked_sub(right),
            BinaryOp::Mul => left.checked_mul(right),
            _ => None,
        };
        if let Some(small) = small {
            return Ok(Value::Int(small));
        }
    }
    match (to_bigint(left), to_bigint(right)) {
        (Some(left), Some(right)) => ints(cx, op, &left, &right),
        _ => floats(op, to_f64(left)?, to_f64(right)?).map(Value::Float),
    }
}

fn ints<'a>(
    cx: &Cx<'a>,
    op: BinaryOp,
    left: &BigInt,
    right: &BigInt,
) -> Result<Value<'a>, EvalError> {
    let is_zero = right.is_zero();
    if matches!(op, BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod) {
        charge_division(cx, left.bits(), right.bits())?;
    }
    Ok(Value::from_bigint(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => {
            check_bits(cx, left.bits() + right.bits())?;
            left * right
        }
        BinaryOp::Div if is_zero => return Err(zero_division("division by zero")),
        BinaryOp::Div => return true_division(left, right).map(Value::Float),
        BinaryOp::FloorDiv if is_zero => {
            return Err(zero_division("integer division or modulo by zero"));
        }
        BinaryOp::FloorDiv => left.div_floor(right),
        BinaryOp::Mod if is_zero => return Err(zero_division("integer modulo by zero")),
        BinaryOp::Mod => left.mod_floor(right),
        BinaryOp::Pow if right.is_negative() => {
            let (base, exponent) =
                (Value::from_bigint(left.clone()), Value::from_bigint(right.clone()));
            return floats(op, to_f64(&base)?, to_f64(&exponent)?).map(Value::Float);
        }
        BinaryOp::Pow => {
            let is_trivial = left.bits() <= 1;
            let exponent = match right.to_u32() {
                Some(exponent) => exponent,
                None if is_trivial => u32::from(right.is_odd()) + 2,
                None => return Err(EvalError::Limit),
            };
            if !is_trivial {
                check_bits(cx, left.bits().saturating_mul(u64::from(exponent)))?;
            }
            left.pow(exponent)
        }
    }))
}

/// Dividing takes as many steps as both have words, multiplied.
fn charge_division(cx: &Cx<'_>, left_bits: u64, right_bits: u64) -> Result<(), EvalError> {
    let n_steps = (left_bits / 64).saturating_mul(right_bits / 64);
    cx.charge(usize::try_from(n_steps / 64).unwrap_or(usize::MAX))
}

fn check_bits(cx: &Cx<'_>, bits: u64) -> Result<(), EvalError> {
    if bits > MAX_BITS {
        return Err(EvalError::Limit);
    }
    cx.charge(usize::try_from(bits / 8).unwrap_or(usize::MAX))
}

/// `int / int`, rounded correctly also when the operands are no floats.
fn true_division(left: &BigInt, right: &BigInt) -> Result<f64, EvalError> {
    const EXACT: u64 = 53;
    if left.bits() <= EXACT && right.bits() <= EXACT {
        return Ok(to_float(left) / to_float(right));
    }
    // Enough bits for the quotient that rounding it once more changes nothing, and a last
    // bit that tells whether there was a remainder.
    let shift = 66 + i64::try_from(right.bits()).unwrap_or(i64::MAX)
        - i64::try_from(left.bits()).unwrap_or(i64::MAX);
    let (scaled_left, scaled_right) = match usize::try_from(shift) {
        Ok(shift) => (left << shift, right.clone()),
        Err(_) => (left.clone(), right << usize::try_from(-shift).unwrap_or_default()),
    };
    let (quotient, remainder) = scaled_left.abs().div_rem(&scaled_right.abs());
    let quotient: BigInt = if remainder.is_zero() { quotient } else { quotient | BigInt::from(1) };
    let exponent = i32::try_from(-shift).unwrap_or_default();
    let magnitude =
        to_float(&quotient) * 2f64.powi(exponent / 2) * 2f64.powi(exponent - exponent / 2);
    if magnitude.is_infinite() {
        let message = "integer division result too large for a float";
        return Err(EvalError::Overflow(message.to_owned()));
    }
    let is_negative = left.is_negative() != right.is_negative();
    Ok(if is_negative { -magnitude } else { magnitude })
}

fn to_float(int: &BigInt) -> f64 {
    int.to_f64().unwrap_or(f64::INFINITY)
}

fn zero_division(message: &str) -> EvalError {
    EvalError::ZeroDivision(message.to_owned())
}

fn floats(op: BinaryOp, left: f64, right: f64) -> Result<f64, EvalError> {
    Ok(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right == 0.0 => return Err(zero_division("float division by zero")),
        BinaryOp::Div => left / right,
        BinaryOp::FloorDiv if right == 0.0 => {
            return Err(zero_division("float floor division by zero"));
        }
        BinaryOp::FloorDiv => div_mod(left, right).0,
        BinaryOp::Mod if right == 0.0 => return Err(zero_division("float modulo")),
        BinaryOp::Mod => div_mod(left, right).1,
        BinaryOp::Pow if left == 0.0 && right < 0.0 => {
            return Err(zero_division("0.0 cannot be raised to a negative power"));
        }
        BinaryOp::Pow => {
            let power = left.powf(right);
            if power.is_nan() && !left.is_nan() && !right.is_nan() {
                return Err(EvalError::value_error("complex numbers are not supported"));
            }
            if power.is_infinite() && left.is_finite() && right.is_finite() {
                let message = "(34, 'Numerical result out of range')";
                return Err(EvalError::Overflow(message.to_owned()));
            }
            power
        }
    })
}

/// Python's `divmod` of floats: the remainder has the divisor's sign.
fn div_mod(left: f64, right: f64) -> (f64, f64) {
    let mut remainder = left % right;
    let mut quotient = (left - remainder) / right;
    if remainder == 0.0 {
        remainder = 0f64.copysign(right);
    } else if (remainder < 0.0) != (right < 0.0) {
        remainder += right;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0f64.copysign(left / right), remainder);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, remainder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunContext;

    #[track_caller]
    fn check(
        left: impl Into<Value<'static>>,
        op: BinaryOp,
        right: impl Into<Value<'static>>,
        expect: &str,
    ) {
        let run = Box::leak(Box::new(RunContext::fixed(jiff::Timestamp::UNIX_EPOCH)));
        let shown = match binary(&Cx::new(run), op, &left.into(), &right.into()) {
            Ok(value) => value.py_repr().unwrap(),
            Err(err) => format!("{}: {err}", err.class_name()),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn numbers_are_unbounded() {
        check(i64::MAX, BinaryOp::Add, 1, "9223372036854775808");
        check(10, BinaryOp::Pow, 20, "100000000000000000000");
        check(-1, BinaryOp::Pow, BigInt::from(10).pow(30), "1");
        check(
            10,
            BinaryOp::Pow,
            1 << 40,
            "MemoryError: the template takes more than its share (64 MiB, 8,388,608 steps, or 60 seconds)",
        );
        check(
            "a",
            BinaryOp::Mul,
            1 << 40,
            "MemoryError: the template takes more than its share (64 MiB, 8,388,608 steps, or 60 seconds)",
        );
    }

    #[test]
    fn divisions_round_as_python_does() {
        check(-7, BinaryOp::FloorDiv, 2, "-4");
        check(-7, BinaryOp::Mod, 3, "2");
        check(-7.5, BinaryOp::FloorDiv, 2, "-4.0");
        check(7.5, BinaryOp::Mod, -2, "-0.5");
        let big = BigInt::from(10).pow(400);
        check(big.clone(), BinaryOp::Div, big.clone(), "1.0");
        check(9_007_199_254_740_993, BinaryOp::Div, 1, "9007199254740992.0");
        check(
            big,
            BinaryOp::Div,
            3,
            "OverflowError: integer division result too large for a float",
        );
        check(1, BinaryOp::Div, false, "ZeroDivisionError: division by zero");
    }

    #[test]
    fn unlike_types_do_not_add() {
        let message = "TypeError: unsupported operand type(s) for +: 'int' and 'str'";
        check(1, BinaryOp::Add, "a", message);
    }
}
