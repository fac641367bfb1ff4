//! When two values are one and the same to Python's `set`.

use serde_json::Number;

use crate::value::Json;

/// What a value is known by in a set: `1`, `1.0`, and `True` are one value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    None,
    Int(i128),
    /// A number that no integer equals, by its bits.
    Float(u64),
    Text(Box<str>),
}

impl Identity {
    /// The identity of a value; lists and mappings have none.
    pub(super) fn of(value: &Json) -> Option<Self> {
        match value {
            Json::Null => Some(Self::None),
            Json::Bool(flag) => Some(Self::Int(i128::from(*flag))),
            Json::Number(number) => Some(Self::of_number(number)),
            Json::String(text) => Some(Self::Text(text.as_str().into())),
            Json::Array(_) | Json::Object(_) => None,
        }
    }

    fn of_number(number: &Number) -> Self {
        if let Some(int) = number.as_i128() {
            return Self::Int(int);
        }
        let float = number.as_f64().unwrap_or(f64::NAN);
        // Integers beyond come as floats anyway.
        if float.fract() == 0.0 && float.abs() < 1e30 {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within the type")]
            return Self::Int(float as i128);
        }
        Self::Float(float.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_equal_whatever_their_type() {
        #[track_caller]
        fn check(left: &Json, right: &Json, expect: bool) {
            assert_eq!(Identity::of(left) == Identity::of(right), expect);
        }
        check(&json!(1), &json!(1.0), true);
        check(&json!(1), &json!(true), true);
        check(&json!(0), &json!(null), false);
        check(&json!(1), &json!("1"), false);
        check(&json!(1.5), &json!(1.5), true);
        check(&json!(u64::MAX), &json!(i64::MAX), false);
        assert_eq!(Identity::of(&json!([1])), None);
    }
}
