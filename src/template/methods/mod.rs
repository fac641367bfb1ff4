//! Attributes and methods of the built-in types, one file per type.
//!
//! Each file offers two functions: `attribute` finds a property or method by
//! name, and `call` runs a method that `attribute` has found.

mod bytes;
mod date;
mod datetime;
mod dict;
mod list;
mod number;
mod set;
mod text;
mod timedelta;

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::value::{BoundMethod, Value};

pub(crate) use dict::from_args as dict_of;

/// The attribute of a value, as `getattr()` finds it; `None` when there is no such attribute.
pub(crate) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match receiver {
        Value::Str(_) | Value::Markup(_) => text::attribute(receiver, name),
        Value::Bytes(_) => bytes::attribute(receiver, name),
        Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => list::attribute(receiver, name),
        Value::Dict(_) | Value::JsonDict(_) | Value::Headers(_) | Value::StreamSlice(_) => {
            dict::attribute(receiver, name)
        }
        Value::Set(_) => set::attribute(receiver, name),
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            number::attribute(receiver, name)
        }
        Value::DateTime(_) => datetime::attribute(receiver, name),
        Value::Date(_) => date::attribute(receiver, name),
        Value::TimeDelta(_) | Value::Duration(_) => timedelta::attribute(receiver, name),
        _ => None,
    }
}

/// Calls a method that [`attribute`] has found.
pub(crate) fn call<'a>(
    cx: &Cx<'a>,
    method: &BoundMethod<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let BoundMethod { receiver, name } = method;
    match receiver {
        Value::Str(_) | Value::Markup(_) => text::call(cx, receiver, name, args),
        Value::Bytes(_) => bytes::call(cx, receiver, name, args),
        Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => {
            list::call(cx, receiver, name, args)
        }
        Value::Dict(_) | Value::JsonDict(_) | Value::Headers(_) | Value::StreamSlice(_) => {
            dict::call(cx, receiver, name, args)
        }
        Value::Set(_) => set::call(cx, receiver, name, args),
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_) => {
            number::call(receiver, name, args)
        }
        Value::DateTime(_) => datetime::call(cx, receiver, name, args),
        Value::Date(_) => date::call(cx, receiver, name, args),
        Value::TimeDelta(_) | Value::Duration(_) => timedelta::call(receiver, name, args),
        _ => Err(EvalError::Attribute((*name).to_owned())),
    }
}

/// The method of `receiver` that one of `names` names.
fn method<'a>(receiver: &Value<'a>, names: &[&'static str], name: &str) -> Option<Value<'a>> {
    let found = names.iter().find(|known| **known == name)?;
    Some(Value::method(receiver, found))
}
