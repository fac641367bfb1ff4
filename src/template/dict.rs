//! Dictionaries and sets, whose keys are any hashable value.

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexMap, IndexSet};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, ToPrimitive};

use super::cx::MAX_DEPTH;
use super::error::EvalError;
use super::ops;
use super::value::Value;

/// Values that a tuple may hold, with those inside of it, to be a key.
const MAX_KEY_VALUES: usize = 1 << 16;

/// A Python `dict`: keys in the order in which they were first set.
pub type Dict<'a> = IndexMap<Key<'a>, Value<'a>>;

/// A Python `set`, in the order in which its members were added.
pub type Set<'a> = IndexSet<Key<'a>>;

/// A hashable value; `1`, `1.0`, and `True` are the same key.
#[derive(Clone, Debug)]
pub struct Key<'a>(Value<'a>);

/// A text that is looked up without being made a [`Key`] first.
#[derive(Debug)]
pub struct StrKey<'k>(pub &'k str);

impl<'a> Key<'a> {
    /// The value as a key; lists, dictionaries, and sets cannot be one.
    ///
    /// Tuples may neither be deep nor large: keys are hashed and compared often.
    pub fn new(value: Value<'a>) -> Result<Self, EvalError> {
        let mut n_left = MAX_KEY_VALUES;
        check_hashable(&value, 0, &mut n_left)?;
        Ok(Self(value))
    }

    /// A `str` as a key.
    pub fn str(text: impl Into<super::value::Text<'a>>) -> Self {
        Self(Value::Str(text.into()))
    }

    /// The value.
    pub fn value(&self) -> &Value<'a> {
        &self.0
    }

    /// The value, taken out.
    pub fn into_value(self) -> Value<'a> {
        self.0
    }
}

/// Lists, dictionaries, and sets have no hash, neither have tuples that hold them.
fn check_hashable(value: &Value<'_>, depth: usize, n_left: &mut usize) -> Result<(), EvalError> {
    *n_left = n_left.checked_sub(1).ok_or(EvalError::Limit)?;
    match value {
        Value::List(_)
        | Value::JsonList(_)
        | Value::Dict(_)
        | Value::JsonDict(_)
        | Value::Headers(_)
        | Value::Set(_) => {
            Err(EvalError::Type(format!("unhashable type: '{}'", value.type_name())))
        }
        Value::Tuple(_) if depth == MAX_DEPTH => Err(EvalError::Recursion),
        Value::Tuple(items) => {
            items.iter().try_for_each(|item| check_hashable(item, depth + 1, n_left))
        }
        _ => Ok(()),
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        ops::equal_keys(&self.0, &other.0)
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_value(&self.0, state);
    }
}

impl Hash for StrKey<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Equivalent<Key<'_>> for StrKey<'_> {
    fn equivalent(&self, key: &Key<'_>) -> bool {
        key.0.as_str() == Some(self.0)
    }
}

fn hash_value<H: Hasher>(value: &Value<'_>, state: &mut H) {
    match value {
        Value::Str(text) => text.as_str().hash(state),
        Value::Markup(text) => text.hash(state),
        Value::Bool(flag) => i64::from(*flag).hash(state),
        Value::Int(int) => int.hash(state),
        Value::BigInt(int) => int.hash(state),
        Value::Float(float) => match BigInt::from_f64(*float) {
            Some(int) if float.fract() == 0.0 => match int.to_i64() {
                Some(small) => small.hash(state),
                None => int.hash(state),
            },
            _ => float.to_bits().hash(state),
        },
        Value::Tuple(items) => items.iter().for_each(|item| hash_value(item, state)),
        Value::Bytes(bytes) => bytes.hash(state),
        Value::Date(date) => date.hash(state),
        Value::TimeDelta(delta) => delta.hash(state),
        // What is equal must hash alike; these are rare enough to share one bucket.
        _ => value.type_name().hash(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_are_one_key() {
        let mut dict = Dict::new();
        for value in [Value::Int(1), Value::Float(1.0), Value::Bool(true)] {
            dict.insert(Key::new(value).unwrap(), Value::None);
        }
        assert_eq!(dict.len(), 1);
    }

    #[test]
    fn texts_are_found_without_a_key() {
        let mut dict = Dict::new();
        dict.insert(Key::str("a"), Value::Int(1));
        assert_eq!(dict.get(&StrKey("a")).and_then(Value::as_i64), Some(1));
        assert!(dict.get(&StrKey("b")).is_none());
    }

    #[test]
    fn lists_are_no_keys() {
        assert!(Key::new(Value::list(vec![])).is_err());
        assert!(Key::new(Value::tuple(vec![Value::list(vec![])])).is_err());
    }
}
