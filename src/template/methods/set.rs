//! Methods of `set`.

use std::rc::Rc;

use super::method;
use crate::template::iterate::Iter;
use crate::template::{Args, Cx, EvalError, Key, Set, Value};

const SET: [&str; 12] = [
    "add",
    "clear",
    "copy",
    "difference",
    "discard",
    "intersection",
    "isdisjoint",
    "issubset",
    "issuperset",
    "pop",
    "remove",
    "union",
];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    method(receiver, &SET, name)
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let Value::Set(set) = receiver else {
        return Err(EvalError::Attribute(name.to_owned()));
    };
    let args = args.unnamed(name)?;
    let others = |args: &Args<'a>| -> Result<Vec<Set<'a>>, EvalError> {
        args.positional.iter().map(|other| collect(cx, other)).collect()
    };
    let this = || set.borrow().clone();
    Ok(match name {
        "add" => {
            cx.charge(1)?;
            let key = Key::new(args.only(name)?)?;
            set.borrow_mut().insert(key);
            Value::None
        }
        "discard" | "remove" => {
            let key = Key::new(args.only(name)?)?;
            if !set.borrow_mut().shift_remove(&key) && name == "remove" {
                return Err(EvalError::Key(format!("{:?}", key.value())));
            }
            Value::None
        }
        "pop" => match set.borrow_mut().shift_remove_index(0) {
            Some(key) => key.into_value(),
            None => return Err(EvalError::Key("'pop from an empty set'".to_owned())),
        },
        "clear" => {
            set.borrow_mut().clear();
            Value::None
        }
        "copy" => new(this()),
        "union" => new(others(&args)?.into_iter().fold(this(), |mut all, other| {
            all.extend(other);
            all
        })),
        "difference" => new(others(&args)?.into_iter().fold(this(), |mut left, other| {
            left.retain(|key| !other.contains(key));
            left
        })),
        "intersection" => new(others(&args)?.into_iter().fold(this(), |mut left, other| {
            left.retain(|key| other.contains(key));
            left
        })),
        "isdisjoint" => Value::Bool(this().is_disjoint(&collect(cx, &args.only(name)?)?)),
        "issubset" => Value::Bool(this().is_subset(&collect(cx, &args.only(name)?)?)),
        _ => Value::Bool(this().is_superset(&collect(cx, &args.only(name)?)?)),
    })
}

fn new(set: Set<'_>) -> Value<'_> {
    Value::Set(Rc::new(std::cell::RefCell::new(set)))
}

fn collect<'a>(cx: &Cx<'a>, value: &Value<'a>) -> Result<Set<'a>, EvalError> {
    Iter::new(value)?.collect(cx)?.into_iter().map(Key::new).collect()
}
