//! Attributes and methods of `dict` and of the mappings that resemble it.

use std::cell::RefCell;
use std::rc::Rc;

use super::method;
use crate::template::iterate::{Iter, pairs};
use crate::template::object::{Object, View, ViewPart};
use crate::template::ops;
use crate::template::{Args, Cx, Dict, EvalError, Key, Value};

const DICT: [&str; 11] = [
    "clear",
    "copy",
    "fromkeys",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];

const STREAM_SLICE: [&str; 4] = ["get", "items", "keys", "values"];

const HEADERS: [&str; 5] = ["copy", "get", "items", "keys", "values"];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match receiver {
        Value::StreamSlice(slice) => match name {
            "partition" | "_partition" => Some(Value::JsonDict(&slice.partition)),
            "cursor_slice" | "_cursor_slice" => Some(Value::JsonDict(&slice.cursor_slice)),
            "extra_fields" | "_extra_fields" => Some(Value::JsonDict(&slice.extra_fields)),
            "_stream_slice" => Some(Value::None),
            _ => method(receiver, &STREAM_SLICE, name),
        },
        Value::Headers(_) => method(receiver, &HEADERS, name),
        _ => method(receiver, &DICT, name),
    }
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    // These are written in Python, the others in C.
    let takes_names = matches!(receiver, Value::StreamSlice(_) | Value::Headers(_));
    let args = if takes_names || name == "update" { args } else { args.unnamed(name)? };
    match name {
        "get" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let found = ops::lookup(receiver, &key.unwrap_or(Value::None))?;
            Ok(found.or(default).unwrap_or(Value::None))
        }
        "keys" => view(receiver, ViewPart::Keys, args),
        "values" => view(receiver, ViewPart::Values, args),
        "items" => view(receiver, ViewPart::Items, args),
        "copy" => {
            args.none(name)?;
            match receiver {
                Value::Headers(_) => Ok(receiver.clone()),
                _ => Ok(Value::Dict(Rc::new(RefCell::new(from_pairs(pairs(receiver))?)))),
            }
        }
        "fromkeys" => {
            let [keys, value] = args.bind(name, ["iterable", "value"], 1)?;
            let keys = Iter::new(&keys.unwrap_or(Value::None))?.collect(cx)?;
            let value = value.unwrap_or(Value::None);
            let pairs = keys.into_iter().map(|key| (key, value.clone())).collect();
            Ok(Value::dict(from_pairs(pairs)?))
        }
        _ => {
            let dict = own(receiver)?;
            change(cx, &dict, name, args)
        }
    }
}

fn view<'a>(mapping: &Value<'a>, part: ViewPart, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    args.none("keys")?;
    Ok(Value::Object(Rc::new(Object::View(View { part, mapping: mapping.clone() }))))
}

fn from_pairs<'a>(pairs: Vec<(Value<'a>, Value<'a>)>) -> Result<Dict<'a>, EvalError> {
    pairs.into_iter().map(|(key, value)| Ok((Key::new(key)?, value))).collect()
}

/// The dictionary itself, to be changed; one of the scope is copied.
fn own<'a>(receiver: &Value<'a>) -> Result<Rc<RefCell<Dict<'a>>>, EvalError> {
    match receiver {
        Value::Dict(dict) => Ok(Rc::clone(dict)),
        other => Ok(Rc::new(RefCell::new(from_pairs(pairs(other))?))),
    }
}

fn change<'a>(
    cx: &Cx<'a>,
    dict: &RefCell<Dict<'a>>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    match name {
        "pop" => {
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let key = Key::new(key.unwrap_or(Value::None))?;
            let found = dict.borrow_mut().shift_remove(&key);
            found.or(default).ok_or_else(|| EvalError::Key(format!("{:?}", key.value())))
        }
        "popitem" => {
            args.none(name)?;
            match dict.borrow_mut().pop() {
                Some((key, value)) => Ok(Value::tuple([key.into_value(), value])),
                None => Err(EvalError::Key("'popitem(): dictionary is empty'".to_owned())),
            }
        }
        "setdefault" => {
            cx.charge(1)?;
            let [key, default] = args.bind(name, ["key", "default"], 1)?;
            let key = Key::new(key.unwrap_or(Value::None))?;
            let mut dict = dict.borrow_mut();
            Ok(dict.entry(key).or_insert(default.unwrap_or(Value::None)).clone())
        }
        "clear" => {
            args.none(name)?;
            dict.borrow_mut().clear();
            Ok(Value::None)
        }
        _ => {
            let added = from_args(cx, name, args)?;
            dict.borrow_mut().extend(added);
            Ok(Value::None)
        }
    }
}

/// What `dict(…)` and `dict.update(…)` make of their arguments.
pub(crate) fn from_args<'a>(
    cx: &Cx<'a>,
    function: &str,
    args: Args<'a>,
) -> Result<Dict<'a>, EvalError> {
    if args.positional.len() > 1 {
        let n_given = args.positional.len();
        return Err(EvalError::Type(format!(
            "{function} expected at most 1 argument, got {n_given}"
        )));
    }
    let mut dict = Dict::new();
    for source in &args.positional {
        if ops::is_mapping(source) {
            dict.extend(from_pairs(pairs(source))?);
            continue;
        }
        for (position, pair) in Iter::new(source)?.collect(cx)?.iter().enumerate() {
            let pair = Iter::find(pair).ok_or_else(|| {
                EvalError::Type(format!(
                    "cannot convert dictionary update sequence element #{position} to a sequence"
                ))
            })?;
            let parts = pair.collect(cx)?;
            let Ok([key, value]) = <[Value<'a>; 2]>::try_from(parts) else {
                return Err(EvalError::Value(format!(
                    "dictionary update sequence element #{position} has the wrong length; 2 is \
                     required"
                )));
            };
            dict.insert(Key::new(key)?, value);
        }
    }
    cx.charge(dict.len() + args.named.len())?;
    dict.extend(args.named.into_iter().map(|(name, value)| (Key::str(name), value)));
    Ok(dict)
}
