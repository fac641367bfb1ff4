//! Python's operators and the questions that they ask of values.

mod access;
mod arithmetic;
mod order;

use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::cx::Cx;
use super::dict::{Key, StrKey};
use super::error::EvalError;
use super::iterate::{Iter, pairs};
use super::object::{Object, ViewPart};
use super::value::Value;
use crate::value::write_python_float;

pub(crate) use access::{
    clamp_index, find_attribute, get_attribute, get_item, lookup, resolve_index, slice, to_index,
};
pub(crate) use arithmetic::{binary, negative, positive};
pub(crate) use order::{Order, compare, extreme, sort};

/// `left == right`; values of unlike types are unequal.
pub(crate) fn equal<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    use Value as V;
    match (left, right) {
        (V::None, V::None) | (V::Ellipsis, V::Ellipsis) | (V::Undefined(_), V::Undefined(_)) => {
            true
        }
        (V::Str(_) | V::Markup(_), V::Str(_) | V::Markup(_)) => left.as_str() == right.as_str(),
        (V::Int(left), V::Int(right)) => left == right,
        (
            V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
            V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
        ) => equal_numbers(left, right),
        (V::Bytes(left), V::Bytes(right)) => left == right,
        (V::Tuple(left), V::Tuple(right)) => equal_items(left, right),
        (V::List(_) | V::JsonList(_), V::List(_) | V::JsonList(_)) => {
            equal_items(&items(left), &items(right))
        }
        (
            V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
            V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
        )
        | (V::Headers(_), V::Headers(_)) => equal_mappings(left, right),
        (V::Set(left), V::Set(right)) => {
            let (left, right) = (left.borrow(), right.borrow());
            left.len() == right.len() && left.iter().all(|key| right.contains(key))
        }
        (V::DateTime(left), V::DateTime(right)) => left == right,
        (V::Date(left), V::Date(right)) => left == right,
        (V::TimeDelta(left), V::TimeDelta(right)) => left == right,
        (V::Duration(left), V::Duration(right)) => left == right,
        (V::Duration(duration), V::TimeDelta(delta))
        | (V::TimeDelta(delta), V::Duration(duration)) => duration.equals_exact(*delta),
        (V::Function(left), V::Function(right)) => left == right,
        (V::BoundMethod(left), V::BoundMethod(right)) => {
            left.name == right.name && equal(&left.receiver, &right.receiver)
        }
        (V::Object(left), V::Object(right)) => match (&**left, &**right) {
            (Object::Group(left, left_list), Object::Group(right, right_list)) => {
                equal(left, right) && equal(left_list, right_list)
            }
            (Object::View(left), Object::View(right)) if left.part != ViewPart::Values => {
                let (left, right) = (left.items(), right.items());
                left.len() == right.len()
                    && left.iter().all(|item| right.iter().any(|other| equal(item, other)))
            }
            _ => Rc::ptr_eq(left, right),
        },
        _ => false,
    }
}

fn equal_numbers<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left.partial_cmp(right) == Some(std::cmp::Ordering::Equal)
        }
        (Value::Float(float), int) | (int, Value::Float(float)) => {
            float.fract() == 0.0 && BigInt::from_f64(*float) == to_bigint(int)
        }
        _ => to_bigint(left) == to_bigint(right),
    }
}

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

fn equal_items<'a>(left: &[Value<'a>], right: &[Value<'a>]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
}

fn equal_mappings<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    let left = pairs(left);
    length(right) == Some(left.len())
        && left.iter().all(|(key, value)| {
            lookup(right, key).is_ok_and(|found| found.is_some_and(|found| equal(value, &found)))
        })
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
                if equal(&found, item) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use num_traits::ToPrimitive;

    use super::*;

    #[test]
    fn numbers_are_equal_across_types() {
        assert!(equal(&Value::Int(1), &Value::Bool(true)));
        assert!(equal(&Value::Int(2), &Value::Float(2.0)));
        assert!(!equal(&Value::Int(1), &Value::from("1")));
        let big = BigInt::from(2).pow(80);
        assert!(equal(&Value::from_bigint(big.clone()), &Value::Float(big.to_f64().unwrap())));
    }
}
