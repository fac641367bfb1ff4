//! Filters that make and change numbers.

use num_traits::Signed;

use crate::template::args::Args;
use crate::template::ast::BinaryOp;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::value::Value;
use crate::template::{numeric, ops};

pub(super) fn int<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [default, base] = args.bind("int", ["default", "base"], 0)?;
    let base = base.map_or(Some(10), |base| base.as_i64().and_then(|base| base.try_into().ok()));
    let converted = match (input.as_str(), base) {
        (Some(text), Some(base)) => numeric::int_of_text(text, base),
        (Some(_), None) => Err(EvalError::type_error("base is no integer")),
        (None, _) => numeric::int(input),
    };
    match converted {
        Err(err) if is_conversion(&err) => {}
        converted => return converted,
    }
    // "42.23" is 42.
    match numeric::float(input).and_then(numeric::float_to_int) {
        Err(err) if is_conversion(&err) || matches!(err, EvalError::Overflow(_)) => {
            Ok(default.unwrap_or(Value::Int(0)))
        }
        converted => converted,
    }
}

fn is_conversion(err: &EvalError) -> bool {
    matches!(err, EvalError::Type(_)) || err.is_value_error()
}

pub(super) fn float<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [default] = args.bind("float", ["default"], 0)?;
    match numeric::float(input) {
        Err(err) if is_conversion(&err) => Ok(default.unwrap_or(Value::Float(0.0))),
        converted => converted.map(Value::Float),
    }
}

pub(super) fn abs<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    args.none("abs")?;
    match input {
        Value::Float(float) => Ok(Value::Float(float.abs())),
        Value::TimeDelta(delta) => Ok(Value::TimeDelta(delta.abs()?)),
        _ => match ops::to_bigint(input) {
            Some(int) => Ok(Value::from_bigint(int.abs())),
            None => {
                Err(EvalError::Type(format!("bad operand type for abs(): '{}'", input.type_name())))
            }
        },
    }
}

pub(super) fn round<'a>(
    cx: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [precision, method] = args.bind("round", ["precision", "method"], 0)?;
    let precision = precision.unwrap_or(Value::Int(0));
    let method = method.unwrap_or_else(|| Value::from("common"));
    let towards: fn(f64) -> f64 = match method.as_str() {
        Some("common") => {
            return match &precision {
                // A float stays one also without a precision.
                Value::None if matches!(input, Value::Float(_)) => {
                    numeric::round(input, 0).and_then(|rounded| numeric::int(&rounded))
                }
                Value::None => numeric::round(input, 0),
                _ => numeric::round(input, ops::to_index(&precision)?),
            };
        }
        Some("ceil") => f64::ceil,
        Some("floor") => f64::floor,
        _ => {
            let message = "method must be common, ceil or floor";
            return Err(EvalError::FilterArgument(message.to_owned()));
        }
    };
    let unit = ops::binary(cx, BinaryOp::Pow, &Value::Int(10), &precision)?;
    let scaled = ops::binary(cx, BinaryOp::Mul, input, &unit)?;
    let whole = match scaled {
        Value::Float(float) => numeric::float_to_int(towards(float))?,
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => scaled,
        _ => {
            return Err(EvalError::Type(format!(
                "must be real number, not {}",
                scaled.type_name()
            )));
        }
    };
    ops::binary(cx, BinaryOp::Div, &whole, &unit)
}

pub(super) fn filesizeformat<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    const DECIMAL: [&str; 8] = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    const BINARY: [&str; 8] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    let [binary] = args.bind("filesizeformat", ["binary"], 0)?;
    let (base, prefixes) =
        if super::flag(binary, false) { (1024.0, BINARY) } else { (1000.0, DECIMAL) };
    let bytes = numeric::float(input)?;
    if (bytes - 1.0).abs() < f64::EPSILON {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        let whole = numeric::float_to_int(bytes)?;
        return Ok(Value::from(format!("{} Bytes", whole.py_repr()?)));
    }
    let mut unit = base;
    let mut shown = String::new();
    for prefix in prefixes {
        unit *= base;
        shown = format!("{:.1} {prefix}", base * bytes / unit);
        if bytes < unit {
            break;
        }
    }
    Ok(Value::from(shown))
}
