//! Jinja's tests: what `is` asks.

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::iterate::Iter;
use super::object::Object;
use super::ops::{self, Order};
use super::value::Value;
use super::{ast::BinaryOp, filters};

/// What a test asks of a value.
pub(crate) type Test = for<'a> fn(&Cx<'a>, &Value<'a>, Args<'a>) -> Result<bool, EvalError>;

/// The test of that name.
pub(crate) fn find(name: &str) -> Option<Test> {
    Some(match name {
        "boolean" => |_, value, args| plain(args, matches!(value, Value::Bool(_))),
        "callable" => |_, value, args| plain(args, is_callable(value)),
        "defined" => |_, value, args| plain(args, !value.is_undefined()),
        "divisibleby" => |cx, value, args| {
            let divisor = args.only("divisibleby")?;
            leaves(cx, value, &divisor, 0)
        },
        "escaped" => |_, value, args| plain(args, matches!(value, Value::Markup(_))),
        "even" => |cx, value, args| {
            args.none("even")?;
            leaves(cx, value, &Value::Int(2), 0)
        },
        "false" => |_, value, args| plain(args, matches!(value, Value::Bool(false))),
        "filter" => |_, value, args| {
            plain(args, value.as_str().is_some_and(|name| filters::find(name).is_some()))
        },
        "float" => |_, value, args| plain(args, matches!(value, Value::Float(_))),
        "in" => |cx, value, args| ops::contains(cx, &args.only("in")?, value),
        "integer" => {
            |_, value, args| plain(args, matches!(value, Value::Int(_) | Value::BigInt(_)))
        }
        "iterable" => |_, value, args| plain(args, Iter::find(value).is_some()),
        "lower" => |_, value, args| {
            let text = value.py_str()?;
            plain(args, is_cased(&text, char::is_lowercase, char::is_uppercase))
        },
        "mapping" => |_, value, args| plain(args, ops::is_mapping(value)),
        "none" => |_, value, args| plain(args, value.is_none()),
        "number" => |_, value, args| {
            let is_number = matches!(
                value,
                Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_)
            );
            plain(args, is_number)
        },
        "odd" => |cx, value, args| {
            args.none("odd")?;
            leaves(cx, value, &Value::Int(2), 1)
        },
        "sameas" => |cx, value, args| is_same(cx, value, &args.only("sameas")?),
        "sequence" => |_, value, args| plain(args, is_sequence(value)),
        "string" => |_, value, args| plain(args, value.as_str().is_some()),
        "test" => {
            |_, value, args| plain(args, value.as_str().is_some_and(|name| find(name).is_some()))
        }
        "true" => |_, value, args| plain(args, matches!(value, Value::Bool(true))),
        "undefined" => |_, value, args| plain(args, value.is_undefined()),
        "upper" => |_, value, args| {
            let text = value.py_str()?;
            plain(args, is_cased(&text, char::is_uppercase, char::is_lowercase))
        },
        "==" | "eq" | "equalto" => |cx, value, args| ops::equal(cx, value, &args.only("eq")?),
        "!=" | "ne" => |cx, value, args| Ok(!ops::equal(cx, value, &args.only("ne")?)?),
        ">" | "gt" | "greaterthan" => {
            |cx, value, args| ops::compare(cx, Order::Gt, value, &args.only("gt")?)
        }
        ">=" | "ge" => |cx, value, args| ops::compare(cx, Order::Ge, value, &args.only("ge")?),
        "<" | "lt" | "lessthan" => {
            |cx, value, args| ops::compare(cx, Order::Lt, value, &args.only("lt")?)
        }
        "<=" | "le" => |cx, value, args| ops::compare(cx, Order::Le, value, &args.only("le")?),
        _ => return None,
    })
}

/// Runs a test that is known by its name only when the template runs.
pub(super) fn call_by_name<'a>(
    cx: &Cx<'a>,
    name: &Value<'a>,
    value: &Value<'a>,
    args: Args<'a>,
) -> Result<bool, EvalError> {
    match name.as_str().and_then(find) {
        Some(test) => test(cx, value, args),
        None => Err(EvalError::Runtime(format!("No test named {}.", name.py_repr()?))),
    }
}

/// The answer of a test without arguments.
fn plain(args: Args<'_>, answer: bool) -> Result<bool, EvalError> {
    args.none("test")?;
    Ok(answer)
}

/// Whether a division leaves that rest.
fn leaves<'a>(
    cx: &Cx<'a>,
    value: &Value<'a>,
    divisor: &Value<'a>,
    rest: i64,
) -> Result<bool, EvalError> {
    let remainder = ops::binary(cx, BinaryOp::Mod, value, divisor)?;
    ops::equal(cx, &remainder, &Value::Int(rest))
}

/// `str.islower()` and `str.isupper()`.
fn is_cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

fn is_callable(value: &Value<'_>) -> bool {
    match value {
        // An undefined value has a method for being called, which fails.
        Value::Function(_) | Value::BoundMethod(_) | Value::Undefined(_) => true,
        Value::Object(object) => matches!(
            **object,
            Object::Macro(_) | Object::Joiner(_) | Object::Loop(_) | Object::BlockReference(_)
        ),
        _ => false,
    }
}

/// Whether it has a length and can be subscripted.
fn is_sequence(value: &Value<'_>) -> bool {
    match value {
        Value::Set(_) => false,
        Value::Object(object) => matches!(**object, Object::Group(..)),
        _ => ops::length(value).is_some(),
    }
}

/// Whether both are the same object, as far as that can be told: equal
/// constants are, and so are shared containers.
fn is_same<'a>(cx: &Cx<'a>, left: &Value<'a>, right: &Value<'a>) -> Result<bool, EvalError> {
    use std::rc::Rc;
    Ok(match (left, right) {
        (Value::List(left), Value::List(right)) => Rc::ptr_eq(left, right),
        (Value::Dict(left), Value::Dict(right)) => Rc::ptr_eq(left, right),
        (Value::Set(left), Value::Set(right)) => Rc::ptr_eq(left, right),
        (Value::JsonList(left), Value::JsonList(right)) => std::ptr::eq(*left, *right),
        (Value::JsonDict(left), Value::JsonDict(right)) => std::ptr::eq(*left, *right),
        (Value::StreamSlice(left), Value::StreamSlice(right)) => std::ptr::eq(*left, *right),
        (Value::Undefined(left), Value::Undefined(right)) => Rc::ptr_eq(left, right),
        (Value::Float(_) | Value::DateTime(_) | Value::BigInt(_), _) => false,
        _ => left.type_name() == right.type_name() && ops::equal(cx, left, right)?,
    })
}
