//! Python's operators.

use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::iterate::pairs;
use super::value::Value;

/// `left == right`; values of unlike types are unequal.
pub fn equal<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
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
            equal_items(&list_items(left), &list_items(right))
        }
        (
            V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
            V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
        ) => equal_mappings(left, right),
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
        (V::Object(left), V::Object(right)) => Rc::ptr_eq(left, right),
        _ => false,
    }
}

fn equal_numbers<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Float(float), int) | (int, Value::Float(float)) => BigInt::from_f64(*float)
            .is_some_and(|whole| float.fract() == 0.0 && Some(whole) == to_bigint(int)),
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

fn equal_items<'a>(left: &[Value<'a>], right: &[Value<'a>]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
}

/// The items of a list as they are now.
pub(crate) fn list_items<'a>(list: &Value<'a>) -> Vec<Value<'a>> {
    match list {
        Value::List(items) => items.borrow().clone(),
        Value::JsonList(items) => items.iter().map(Value::from_json).collect(),
        _ => Vec::new(),
    }
}

fn equal_mappings<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    let (left, right) = (pairs(left), pairs(right));
    left.len() == right.len()
        && left.iter().all(|(key, value)| {
            right.iter().any(|(other, found)| equal(key, other) && equal(value, found))
        })
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
