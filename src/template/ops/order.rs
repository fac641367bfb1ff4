//! `<`, `<=`, `>`, and `>=`, and what is sorted by them.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::ops::{self, equal, to_bigint};
use crate::template::value::Value;

/// A question about the order of two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Lt,
    Le,
    Gt,
    Ge,
}

impl Order {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Self::Lt => ordering == Some(Ordering::Less),
            Self::Le => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Gt => ordering == Some(Ordering::Greater),
            Self::Ge => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// `left < right` and the like; a type error for values without an order.
pub(crate) fn compare<'a>(
    cx: &Cx<'_>,
    order: Order,
    left: &Value<'a>,
    right: &Value<'a>,
) -> Result<bool, EvalError> {
    use Value as V;
    Ok(match (left, right) {
        (V::Undefined(undefined), _) | (_, V::Undefined(undefined)) => {
            return Err(undefined.error());
        }
        (V::Int(left), V::Int(right)) => order.holds(Some(left.cmp(right))),
        (V::Str(_) | V::Markup(_), V::Str(_) | V::Markup(_)) => {
            order.holds(Some(left.as_str().cmp(&right.as_str())))
        }
        (
            V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
            V::Bool(_) | V::Int(_) | V::BigInt(_) | V::Float(_),
        ) => order.holds(compare_numbers(left, right)),
        (V::Bytes(left), V::Bytes(right)) => order.holds(Some(left.cmp(right))),
        (V::List(_) | V::JsonList(_), V::List(_) | V::JsonList(_)) | (V::Tuple(_), V::Tuple(_)) => {
            let (left, right) = (ops::items(left), ops::items(right));
            for (left, right) in left.iter().zip(&right) {
                if !equal(cx, left, right)? {
                    return compare(cx, order, left, right);
                }
            }
            order.holds(Some(left.len().cmp(&right.len())))
        }
        (V::Set(left), V::Set(right)) => {
            let (left, right) = (left.borrow(), right.borrow());
            match order {
                Order::Lt => left.len() < right.len() && left.is_subset(&right),
                Order::Le => left.is_subset(&right),
                Order::Gt => left.len() > right.len() && left.is_superset(&right),
                Order::Ge => left.is_superset(&right),
            }
        }
        (V::DateTime(left), V::DateTime(right)) => order.holds(Some(left.compare(**right)?)),
        (V::Date(left), V::Date(right)) => order.holds(Some(left.cmp(right))),
        (V::TimeDelta(left), V::TimeDelta(right)) => order.holds(Some(left.cmp(right))),
        _ => {
            return Err(EvalError::Type(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                order.symbol(),
                left.type_name(),
                right.type_name()
            )));
        }
    })
}

fn compare_numbers(left: &Value<'_>, right: &Value<'_>) -> Option<Ordering> {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::Float(float), int) => {
            compare_int_float(&to_bigint(int)?, *float).map(Ordering::reverse)
        }
        (int, Value::Float(float)) => compare_int_float(&to_bigint(int)?, *float),
        _ => Some(to_bigint(left)?.cmp(&to_bigint(right)?)),
    }
}

/// Exactly, not by rounding the `int`.
fn compare_int_float(int: &BigInt, float: f64) -> Option<Ordering> {
    use num_traits::FromPrimitive;
    if float.is_nan() {
        return None;
    }
    let Some(floor) = BigInt::from_f64(float.floor()) else {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    };
    Some(int.cmp(&floor).then(if float.fract() == 0.0 { Ordering::Equal } else { Ordering::Less }))
}

/// Sorts by a key, as `sorted()` does: stably, by `<` only.
pub(crate) fn sort<'a>(
    cx: &Cx<'a>,
    items: Vec<Value<'a>>,
    is_reversed: bool,
    key: impl Fn(&Value<'a>) -> Result<Value<'a>, EvalError>,
) -> Result<Vec<Value<'a>>, EvalError> {
    let n_levels = items.len().checked_ilog2().unwrap_or_default() as usize + 1;
    cx.charge(items.len().saturating_mul(n_levels))?;
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((key(&item)?, item));
    }
    // Python reverses, sorts, and reverses again, which keeps equals in order.
    if is_reversed {
        keyed.reverse();
    }
    keyed = merge_sort(cx, keyed)?;
    if is_reversed {
        keyed.reverse();
    }
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

type Keyed<'a> = (Value<'a>, Value<'a>);

/// The standard library's sorts may panic when an order is not total, as that of floats is not.
fn merge_sort<'a>(cx: &Cx<'_>, mut items: Vec<Keyed<'a>>) -> Result<Vec<Keyed<'a>>, EvalError> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut right = merge_sort(cx, items.split_off(items.len() / 2))?.into_iter().peekable();
    let mut left = merge_sort(cx, items)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(first_left), Some(first_right)) = (left.peek(), right.peek()) {
        let takes_right = compare(cx, Order::Lt, &first_right.0, &first_left.0)?;
        merged.extend(if takes_right { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

/// The first item that no other one exceeds (`Order::Gt`) or undercuts (`Order::Lt`).
pub(crate) fn extreme<'a>(
    cx: &Cx<'a>,
    items: Vec<Value<'a>>,
    order: Order,
    key: impl Fn(&Value<'a>) -> Result<Value<'a>, EvalError>,
) -> Result<Option<Value<'a>>, EvalError> {
    let mut best: Option<(Value<'a>, Value<'a>)> = None;
    for item in items {
        let item_key = key(&item)?;
        match &best {
            Some((best_key, _)) if !compare(cx, order, &item_key, best_key)? => {}
            _ => best = Some((item_key, item)),
        }
    }
    Ok(best.map(|(_, item)| item))
}

/// An `int` as a `float`, or the overflow error.
pub(super) fn to_f64(value: &Value<'_>) -> Result<f64, EvalError> {
    let float = match value {
        Value::BigInt(int) => int.to_f64().filter(|float| float.is_finite()),
        _ => value.as_f64(),
    };
    float.ok_or_else(|| EvalError::Overflow("int too large to convert to float".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunContext;

    #[track_caller]
    fn check(
        left: impl Into<Value<'static>>,
        order: Order,
        right: impl Into<Value<'static>>,
        expect: Result<bool, &str>,
    ) {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let held = compare(&Cx::new(&run), order, &left.into(), &right.into());
        let held = held.map_err(|err| err.to_string());
        assert_eq!(held, expect.map_err(str::to_owned));
    }

    #[test]
    fn unlike_types_have_no_order() {
        check(1, Order::Lt, 1.5, Ok(true));
        check(true, Order::Gt, 0, Ok(true));
        check(1 << 53, Order::Lt, 9_007_199_254_740_993.0, Ok(false));
        check(f64::NAN, Order::Ge, 0, Ok(false));
        check(f64::INFINITY, Order::Gt, i64::MAX, Ok(true));
        let message = "'<' not supported between instances of 'str' and 'int'";
        check("a", Order::Lt, 1, Err(message));
    }
}
