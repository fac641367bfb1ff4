//! Methods of `list` and `tuple`.

use std::cell::RefCell;
use std::rc::Rc;

use super::method;
use crate::template::iterate::Iter;
use crate::template::ops;
use crate::template::{Args, Cx, EvalError, Value};

const LIST: [&str; 11] = [
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
];

const TUPLE: [&str; 2] = ["count", "index"];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match receiver {
        Value::Tuple(_) => method(receiver, &TUPLE, name),
        _ => method(receiver, &LIST, name),
    }
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let args = if name == "sort" { args } else { args.unnamed(name)? };
    match name {
        "copy" => {
            args.none(name)?;
            Ok(Value::list(ops::items(receiver)))
        }
        "count" => {
            let wanted = args.only(name)?;
            let mut n_found = 0;
            for item in &ops::items(receiver) {
                n_found += usize::from(ops::equal(cx, item, &wanted)?);
            }
            Ok(ops::int(n_found))
        }
        "index" => index(cx, receiver, args),
        _ => change(cx, &own(receiver), name, args),
    }
}

/// The list itself, to be changed; a list of the scope is copied.
fn own<'a>(receiver: &Value<'a>) -> Rc<RefCell<Vec<Value<'a>>>> {
    match receiver {
        Value::List(list) => Rc::clone(list),
        other => Rc::new(RefCell::new(ops::items(other))),
    }
}

/// Where the first item is that equals `wanted`.
fn position<'a>(
    cx: &Cx<'a>,
    items: &[Value<'a>],
    wanted: &Value<'a>,
) -> Result<Option<usize>, EvalError> {
    for (position, item) in items.iter().enumerate() {
        if ops::equal(cx, item, wanted)? {
            return Ok(Some(position));
        }
    }
    Ok(None)
}

fn index<'a>(cx: &Cx<'a>, receiver: &Value<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let [wanted, start, stop] = args.bind("index", ["value", "start", "stop"], 1)?;
    let wanted = wanted.unwrap_or(Value::None);
    let items = ops::items(receiver);
    let bound = |bound: Option<Value<'a>>, default: usize| match bound {
        None => Ok::<_, EvalError>(default),
        Some(bound) => Ok(ops::clamp_index(ops::to_index(&bound)?, items.len())),
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, items.len())?);
    let wanted_items = items.get(start..stop).unwrap_or_default();
    let found = position(cx, wanted_items, &wanted)?.map(|position| start + position);
    found.map(ops::int).ok_or_else(|| match receiver {
        Value::Tuple(_) => EvalError::value_error("tuple.index(x): x not in tuple"),
        _ => EvalError::Value(format!("{wanted:?} is not in list")),
    })
}

fn change<'a>(
    cx: &Cx<'a>,
    list: &RefCell<Vec<Value<'a>>>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    match name {
        "append" => {
            cx.charge(1)?;
            list.borrow_mut().push(args.only(name)?);
        }
        "extend" => {
            let items = Iter::new(&args.only(name)?)?.collect(cx)?;
            list.borrow_mut().extend(items);
        }
        "insert" => {
            cx.charge(1)?;
            let [position, item] = args.bind(name, ["index", "object"], 2)?;
            let (position, item) = (position.unwrap_or(Value::None), item.unwrap_or(Value::None));
            let mut items = list.borrow_mut();
            let position = ops::clamp_index(ops::to_index(&position)?, items.len());
            items.insert(position, item);
        }
        "pop" => {
            let [position] = args.bind(name, ["index"], 0)?;
            let mut items = list.borrow_mut();
            if items.is_empty() {
                return Err(EvalError::Index("pop from empty list".to_owned()));
            }
            let position = position.map_or(Ok(-1), |position| ops::to_index(&position))?;
            return match ops::resolve_index(position, items.len()) {
                Some(position) => Ok(items.remove(position)),
                None => Err(EvalError::Index("pop index out of range".to_owned())),
            };
        }
        "remove" => {
            let wanted = args.only(name)?;
            let mut items = list.borrow_mut();
            match position(cx, &items, &wanted)? {
                Some(position) => drop(items.remove(position)),
                None => return Err(EvalError::value_error("list.remove(x): x not in list")),
            }
        }
        "reverse" => {
            args.none(name)?;
            list.borrow_mut().reverse();
        }
        "clear" => {
            args.none(name)?;
            list.borrow_mut().clear();
        }
        _ => {
            if !args.positional.is_empty() {
                return Err(EvalError::type_error("sort() takes no positional arguments"));
            }
            let [key, reverse] = args.bind(name, ["key", "reverse"], 0)?;
            if key.is_some_and(|key| !key.is_none()) {
                return Err(EvalError::type_error("sort() takes no key in templates"));
            }
            let is_reversed = reverse.is_some_and(|reverse| reverse.is_truthy());
            let sorted =
                ops::sort(cx, list.borrow().clone(), is_reversed, |item| Ok(item.clone()))?;
            *list.borrow_mut() = sorted;
        }
    }
    Ok(Value::None)
}
