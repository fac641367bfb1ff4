//! Python's operators and the questions that they ask of values.

mod access;
mod arithmetic;
mod equality;
mod order;

use num_bigint::BigInt;

use super::cx::Cx;
use super::dict::{Key, StrKey};
use super::error::EvalError;
use super::iterate::Iter;
use super::object::Object;
use super::value::Value;
use crate::value::write_python_float;

pub(crate) use access::{
    clamp_index, find_attribute, get_attribute, get_item, lookup, resolve_index, slice, to_index,
};
pub(crate) use arithmetic::{binary, negative, positive};
pub(crate) use equality::{equal, equal_keys};
pub(crate) use order::{Order, compare, extreme, sort};

/// An `int` or `bool` of any size.
pub(crate) fn to_bigint(value: &Value<'_>) -> Option<BigInt> {
    match value {
        Value::BigInt(int) => Some((**int).clone()),
        _ => value.as_i64().map(BigInt::from),
    }
}

/// A count as an `int`.
pub(crate) fn int<'a>(count: usize) -> Value<'a> {
    i64::try_from(count).map_or_else(|_| Value::from_bigint(count.into()), Value::Int)
}

/// The items of a list or tuple as they are now.
pub(crate) fn items<'a>(sequence: &Value<'a>) -> Vec<Value<'a>> {
    match sequence {
        Value::List(items) => items.borrow().clone(),
        Value::JsonList(items) => items.iter().map(Value::from_json).collect(),
        Value::Tuple(items) => items.to_vec(),
        _ => Vec::new(),
    }
}

/// `repr()` of a float.
pub(crate) fn float_repr(float: f64) -> String {
    let mut out = String::new();
    write_python_float(float, &mut out);
    out
}

/// Whether the value is a mapping.
pub(crate) fn is_mapping(value: &Value<'_>) -> bool {
    matches!(value, Value::Dict(_) | Value::JsonDict(_) | Value::Headers(_) | Value::StreamSlice(_))
}

/// `len(value)`, for values that have a length.
pub(crate) fn length(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Str(_) | Value::Markup(_) => {
            let text = value.as_str()?;
            if text.is_ascii() { text.len() } else { text.chars().count() }
        }
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.borrow().len(),
        Value::JsonList(items) => items.len(),
        Value::Tuple(items) => items.len(),
        Value::Dict(dict) => dict.borrow().len(),
        Value::JsonDict(map) | Value::Headers(map) => map.len(),
        Value::StreamSlice(slice) => slice.len(),
        Value::Set(set) => set.borrow().len(),
        Value::Undefined(_) => 0,
        Value::Object(object) => match &**object {
            Object::View(view) => length(&view.mapping)?,
            Object::Group(..) => 2,
            Object::Loop(state) => return state.length(),
            _ => return None,
        },
        _ => return None,
    })
}

/// `len(value)`, or the type error of values without a length.
pub(crate) fn require_length(value: &Value<'_>) -> Result<usize, EvalError> {
    length(value).ok_or_else(|| {
        EvalError::Type(format!("object of type '{}' has no len()", value.type_name()))
    })
}

impl Value<'_> {
    /// `bool(value)`: empty and zero values are false.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::None | Self::Undefined(_) => false,
            Self::Bool(flag) => *flag,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Markup(text) => !text.is_empty(),
            Self::StreamSlice(slice) => !slice.is_empty() || !slice.extra_fields.is_empty(),
            Self::TimeDelta(delta) => !delta.is_zero(),
            Self::Object(object) if matches!(**object, Object::Loop(_)) => true,
            _ => length(self) != Some(0),
        }
    }
}

/// `item in container`.
pub(crate) fn contains<'a>(
    cx: &Cx<'a>,
    container: &Value<'a>,
    item: &Value<'a>,
) -> Result<bool, EvalError> {
    match container {
        Value::Str(_) | Value::Markup(_) => match (container.as_str(), item.as_str()) {
            (Some(text), Some(part)) => Ok(text.contains(part)),
            _ => Err(EvalError::Type(format!(
                "'in <string>' requires string as left operand, not {}",
                item.type_name()
            ))),
        },
        Value::Dict(dict) => match item.as_str() {
            Some(key) => Ok(dict.borrow().contains_key(&StrKey(key))),
            None => Ok(dict.borrow().contains_key(&Key::new(item.clone())?)),
        },
        Value::JsonDict(_) | Value::StreamSlice(_) | Value::Headers(_) => {
            Ok(lookup(container, item)?.is_some())
        }
        Value::Set(set) => Ok(set.borrow().contains(&Key::new(item.clone())?)),
        Value::Bytes(bytes) => match item {
            Value::Bytes(part) => {
                Ok(part.is_empty() || bytes.windows(part.len()).any(|window| *window == **part))
            }
            _ => match item.as_i64() {
                Some(int) => match u8::try_from(int) {
                    Ok(byte) => Ok(bytes.contains(&byte)),
                    Err(_) => Err(EvalError::value_error("byte must be in range(0, 256)")),
                },
                None => Err(EvalError::Type(format!(
                    "a bytes-like object is required, not '{}'",
                    item.type_name()
                ))),
            },
        },
        _ => {
            let mut items = Iter::find(container).ok_or_else(|| {
                EvalError::Type(format!(
                    "argument of type '{}' is not iterable",
                    container.type_name()
                ))
            })?;
            while let Some(found) = items.next(cx)? {
                if equal(cx, &found, item)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}
