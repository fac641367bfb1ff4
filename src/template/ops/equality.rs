//! `==` and `!=`.

use std::cmp::Ordering;
use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use crate::template::cx::{Cx, MAX_DEPTH};
use crate::template::error::EvalError;
use crate::template::iterate::pairs;
use crate::template::object::{Object, ViewPart};
use crate::template::ops::{items, length, lookup, to_bigint};
use crate::template::value::Value;

/// `left == right`; values of unlike types are unequal.
pub(crate) fn equal<'a>(
    cx: &Cx<'_>,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<bool, EvalError> {
    Comparison { cx: Some(cx), depth: 0 }.equal(left, right)
}

/// The same for keys of dictionaries, which are neither deep nor large.
pub(crate) fn equal_keys<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    Comparison { cx: None, depth: 0 }.equal(left, right).unwrap_or(false)
}

struct Comparison<'c> {
    /// Pays for each pair of values: shared containers can hold exponentially many, and lists
    /// themselves.
    cx: Option<&'c Cx<'c>>,
    depth: usize,
}

impl Comparison<'_> {
    fn equal<'a>(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, EvalError> {
        use Value as V;
        if let Some(cx) = self.cx {
            cx.step()?;
        }
        Ok(match (left, right) {
            (V::None, V::None) | (V::Ellipsis, V::Ellipsis) => true,
            (V::Undefined(_), V::Undefined(_)) => true,
            (V::Str(_) | V::Markup(_), V::Str(_) | V::Markup(_)) => left.as_str() == right.as_str(),
            (V::Int(left), V::Int(right)) => left == right,
            (
                V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
                V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
            ) => equal_numbers(left, right),
            (V::Bytes(left), V::Bytes(right)) => left == right,
            (V::DateTime(left), V::DateTime(right)) => left == right,
            (V::Date(left), V::Date(right)) => left == right,
            (V::TimeDelta(left), V::TimeDelta(right)) => left == right,
            (V::Duration(left), V::Duration(right)) => left == right,
            (V::Duration(duration), V::TimeDelta(delta))
            | (V::TimeDelta(delta), V::Duration(duration)) => duration.equals_exact(*delta),
            (V::Function(left), V::Function(right)) => left == right,
            // The same container is equal to itself, whatever it holds.
            (V::List(left), V::List(right)) if Rc::ptr_eq(left, right) => true,
            (V::Dict(left), V::Dict(right)) if Rc::ptr_eq(left, right) => true,
            (V::Tuple(left), V::Tuple(right)) if Rc::ptr_eq(left, right) => true,
            _ if self.depth == MAX_DEPTH => return Err(EvalError::Recursion),
            _ => {
                self.depth += 1;
                let is_equal = self.equal_inside(left, right);
                self.depth -= 1;
                is_equal?
            }
        })
    }

    /// What holds other values.
    fn equal_inside<'a>(&mut self, left: &Value<'a>, right: &Value<'a>) -> Result<bool, EvalError> {
        use Value as V;
        Ok(match (left, right) {
            (V::Tuple(left), V::Tuple(right)) => self.equal_items(left, right)?,
            (V::List(_) | V::JsonList(_), V::List(_) | V::JsonList(_)) => {
                length(left) == length(right) && self.equal_items(&items(left), &items(right))?
            }
            (
                V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
                V::Dict(_) | V::JsonDict(_) | V::StreamSlice(_),
            )
            | (V::Headers(_), V::Headers(_)) => self.equal_mappings(left, right)?,
            (V::Set(left), V::Set(right)) => {
                let (left, right) = (left.borrow(), right.borrow());
                left.len() == right.len() && left.iter().all(|key| right.contains(key))
            }
            (V::BoundMethod(left), V::BoundMethod(right)) => {
                left.name == right.name && self.equal(&left.receiver, &right.receiver)?
            }
            (V::Object(left), V::Object(right)) => match (&**left, &**right) {
                (Object::Group(left, left_list), Object::Group(right, right_list)) => {
                    self.equal(left, right)? && self.equal(left_list, right_list)?
                }
                (Object::View(left), Object::View(right)) if left.part != ViewPart::Values => {
                    self.equal_members(&left.items(), &right.items())?
                }
                _ => Rc::ptr_eq(left, right),
            },
            _ => false,
        })
    }

    fn equal_items<'a>(
        &mut self,
        left: &[Value<'a>],
        right: &[Value<'a>],
    ) -> Result<bool, EvalError> {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.iter().zip(right) {
            if !self.equal(left, right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same items in any order.
    fn equal_members<'a>(
        &mut self,
        left: &[Value<'a>],
        right: &[Value<'a>],
    ) -> Result<bool, EvalError> {
        for item in left {
            let mut is_found = false;
            for other in right {
                is_found = is_found || self.equal(item, other)?;
            }
            if !is_found {
                return Ok(false);
            }
        }
        Ok(left.len() == right.len())
    }

    fn equal_mappings<'a>(
        &mut self,
        left: &Value<'a>,
        right: &Value<'a>,
    ) -> Result<bool, EvalError> {
        if length(left) != length(right) {
            return Ok(false);
        }
        for (key, value) in pairs(left) {
            let Ok(Some(other)) = lookup(right, &key) else { return Ok(false) };
            if !self.equal(&value, &other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn equal_numbers<'a>(left: &Value<'a>, right: &Value<'a>) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => {
            left.partial_cmp(right) == Some(Ordering::Equal)
        }
        (Value::Float(float), int) | (int, Value::Float(float)) => {
            float.fract() == 0.0 && BigInt::from_f64(*float) == to_bigint(int)
        }
        _ => to_bigint(left) == to_bigint(right),
    }
}

#[cfg(test)]
mod tests {
    use num_traits::ToPrimitive;

    use super::*;
    use crate::run::RunContext;

    #[expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]
    #[track_caller]
    fn check<'a>(left: &Value<'a>, right: &Value<'a>, expect: Result<bool, EvalError>) {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let cx = Cx::new(&run);
        // Little is left, so that the test is short.
        (0..60).for_each(|_| cx.charge(1 << 20).unwrap());
        assert_eq!(equal(&cx, left, right), expect);
    }

    /// Two lists that hold the list before twice, and so on: few lists, and 2^60 values.
    fn doubled(n_times: usize) -> Value<'static> {
        let double = |list: Value<'static>, _| Value::list(vec![list.clone(), list]);
        (0..n_times).fold(Value::list(vec![]), double)
    }

    #[test]
    fn numbers_are_equal_across_types() {
        check(&Value::Int(1), &Value::Bool(true), Ok(true));
        check(&Value::Int(2), &Value::Float(2.0), Ok(true));
        check(&Value::Int(1), &Value::from("1"), Ok(false));
        let big = BigInt::from(2).pow(80);
        check(&Value::from_bigint(big.clone()), &Value::Float(big.to_f64().unwrap()), Ok(true));
    }

    #[test]
    fn a_container_is_itself_whatever_it_holds() {
        let doubled = doubled(60);
        check(&doubled, &doubled.clone(), Ok(true));
        let nan = Value::list(vec![Value::Float(f64::NAN)]);
        check(&nan, &nan.clone(), Ok(true));
    }

    #[test]
    fn comparing_ends_where_it_would_take_too_long_or_go_too_deep() {
        check(&doubled(60), &doubled(60), Err(EvalError::Limit));
        let nested = |_| (0..400).fold(Value::Int(1), |inner, _| Value::tuple(vec![inner]));
        check(&nested(1), &nested(2), Err(EvalError::Recursion));
    }
}
