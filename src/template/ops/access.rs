//! Attributes, items, and slices.

use num_traits::Signed;

use crate::template::dict::{Key, StrKey};
use crate::template::error::EvalError;
use crate::template::object::Object;
use crate::template::value::{Missing, Text, Undefined, Value};
use crate::template::{methods, ops};
use crate::value::{Json, Map};
use std::rc::Rc;

/// Attributes that every Python object has, and no template may touch.
const EVERYWHERE: [&str; 26] = [
    "__class__",
    "__delattr__",
    "__dir__",
    "__doc__",
    "__eq__",
    "__format__",
    "__ge__",
    "__getattribute__",
    "__getstate__",
    "__gt__",
    "__hash__",
    "__init__",
    "__init_subclass__",
    "__le__",
    "__lt__",
    "__ne__",
    "__new__",
    "__reduce__",
    "__reduce_ex__",
    "__repr__",
    "__setattr__",
    "__sizeof__",
    "__str__",
    "__subclasshook__",
    "__len__",
    "__iter__",
];

/// `value.name`: an attribute, or else an item of that name.
pub(crate) fn get_attribute<'a>(value: &Value<'a>, name: Text<'a>) -> Result<Value<'a>, EvalError> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    if let Some(found) = find_attribute(value, &name) {
        return Ok(found);
    }
    // An error here is a type error, which the reference ignores as well.
    match lookup_item(value, &Value::Str(name.clone())) {
        Ok(Some(found)) => Ok(found),
        _ => Ok(Value::undefined(Missing::Attribute(value.qualified_type_name(), name))),
    }
}

/// `value[key]`: an item, or else an attribute of that name.
pub(crate) fn get_item<'a>(value: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>, EvalError> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    if let Ok(Some(found)) = lookup_item(value, key) {
        return Ok(found);
    }
    let name = match key {
        Value::Str(name) => name.clone(),
        Value::Markup(name) => Text::Shared(Rc::clone(name)),
        _ => {
            let origin = Missing::Element(value.qualified_type_name(), key.py_repr()?);
            return Ok(Value::undefined(origin));
        }
    };
    Ok(find_attribute(value, &name)
        .unwrap_or_else(|| Value::undefined(Missing::Attribute(value.qualified_type_name(), name))))
}

/// An attribute, or the undefined value that stands for a forbidden one.
pub(crate) fn find_attribute<'a>(value: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let found = match value {
        Value::Object(object) => object.attribute(name),
        _ => methods::attribute(value, name),
    };
    if !name.starts_with('_') || name == "_partition" {
        return found;
    }
    if found.is_none() && !EVERYWHERE.contains(&name) {
        return None;
    }
    Some(Value::Undefined(Rc::new(Undefined {
        origin: Missing::Attribute(value.type_name(), Text::Shared(name.into())),
        is_forbidden: true,
    })))
}

/// The item of a mapping or sequence; an error is a type error.
fn lookup_item<'a>(value: &Value<'a>, key: &Value<'a>) -> Result<Option<Value<'a>>, EvalError> {
    match value {
        Value::List(items) => {
            let items = items.borrow();
            Ok(resolve_index(to_index(key)?, items.len()).map(|position| items[position].clone()))
        }
        Value::JsonList(items) => Ok(resolve_index(to_index(key)?, items.len())
            .map(|position| Value::from_json(&items[position]))),
        Value::Tuple(items) => {
            Ok(resolve_index(to_index(key)?, items.len()).map(|position| items[position].clone()))
        }
        Value::Bytes(bytes) => Ok(resolve_index(to_index(key)?, bytes.len())
            .map(|position| Value::Int(i64::from(bytes[position])))),
        Value::Str(_) | Value::Markup(_) => {
            let position = to_index(key)?;
            Ok(char_at(value.as_str().unwrap_or_default(), position).map(|char| {
                let char = Value::str(char.encode_utf8(&mut [0; 4]) as &str);
                match value {
                    Value::Markup(_) => Value::Markup(char.as_str().unwrap_or_default().into()),
                    _ => char,
                }
            }))
        }
        Value::Object(object) => match &**object {
            Object::Group(grouper, list) => {
                let position = resolve_index(to_index(key)?, 2);
                Ok(position.map(|position| [grouper, list][position].clone()))
            }
            _ => Err(not_subscriptable(value)),
        },
        _ => lookup(value, key),
    }
}

fn not_subscriptable(value: &Value<'_>) -> EvalError {
    EvalError::Type(format!("'{}' object is not subscriptable", value.type_name()))
}

fn char_at(text: &str, position: i64) -> Option<char> {
    if text.is_ascii() {
        return resolve_index(position, text.len())
            .map(|position| char::from(text.as_bytes()[position]));
    }
    match usize::try_from(position) {
        Ok(position) => text.chars().nth(position),
        Err(_) => text.chars().rev().nth(usize::try_from(-(position + 1)).ok()?),
    }
}

/// The value of a key of a mapping; a type error for other values and for keys that no
/// mapping can have.
pub(crate) fn lookup<'a>(
    mapping: &Value<'a>,
    key: &Value<'a>,
) -> Result<Option<Value<'a>>, EvalError> {
    match (mapping, key.as_str()) {
        (Value::Undefined(undefined), _) => Err(undefined.error()),
        (Value::JsonDict(map), Some(key)) => Ok(map.get(key).map(Value::from_json)),
        (Value::StreamSlice(slice), Some(key)) => Ok(slice.get(key).map(Value::from_json)),
        (Value::Headers(map), Some(key)) => Ok(header(map, key).map(Value::from_json)),
        (Value::Headers(_), None) => Err(EvalError::Attribute(format!(
            "'{}' object has no attribute 'lower'",
            key.type_name()
        ))),
        (Value::JsonDict(_) | Value::StreamSlice(_), None) => Key::new(key.clone()).map(|_| None),
        (Value::Dict(dict), Some(key)) => Ok(dict.borrow().get(&StrKey(key)).cloned()),
        (Value::Dict(dict), None) => Ok(dict.borrow().get(&Key::new(key.clone())?).cloned()),
        _ => Err(not_subscriptable(mapping)),
    }
}

fn header<'a>(map: &'a Map, name: &str) -> Option<&'a Json> {
    map.get(name).or_else(|| {
        map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    })
}

/// An index; a type error when the value is no `int`.
pub(crate) fn to_index(value: &Value<'_>) -> Result<i64, EvalError> {
    match value {
        // Beyond every length, on the right side.
        Value::BigInt(int) => Ok(if int.is_negative() { i64::MIN } else { i64::MAX }),
        _ => value.as_i64().ok_or_else(|| {
            EvalError::Type(format!(
                "'{}' object cannot be interpreted as an integer",
                value.type_name()
            ))
        }),
    }
}

/// The position that an index of Python means, if there is one.
pub(crate) fn resolve_index(index: i64, length: usize) -> Option<usize> {
    let position = match usize::try_from(index) {
        Ok(position) => position,
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    (position < length).then_some(position)
}

/// The nearest position that a bound of Python can mean.
pub(crate) fn clamp_index(index: i64, length: usize) -> usize {
    match usize::try_from(index) {
        Ok(position) => position.min(length),
        Err(_) => {
            length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
        }
    }
}

/// `value[start:stop:step]`, which knows nothing of undefined results.
pub(crate) fn slice<'a>(
    value: &Value<'a>,
    start: &Value<'a>,
    stop: &Value<'a>,
    step: &Value<'a>,
) -> Result<Value<'a>, EvalError> {
    let length = match value {
        Value::Undefined(undefined) => return Err(undefined.error()),
        Value::Str(_)
        | Value::Markup(_)
        | Value::Bytes(_)
        | Value::List(_)
        | Value::JsonList(_)
        | Value::Tuple(_) => ops::require_length(value)?,
        Value::Dict(_) | Value::JsonDict(_) | Value::StreamSlice(_) => {
            return Err(EvalError::type_error("unhashable type: 'slice'"));
        }
        Value::Headers(_) => {
            let message = "'slice' object has no attribute 'lower'".to_owned();
            return Err(EvalError::Attribute(message));
        }
        _ => return Err(not_subscriptable(value)),
    };
    let positions = Positions::new(start, stop, step, length)?;
    Ok(match value {
        Value::Str(text) => match (text, positions.as_range()) {
            (Text::Borrowed(text), Some(range)) => Value::from(char_slice(text, range)),
            (Text::Shared(text), Some(range)) => Value::str(char_slice(text, range)),
            (text, None) => Value::from(positions.pick_chars(text)),
        },
        Value::Markup(text) => Value::Markup(positions.pick_chars(text).into()),
        Value::Bytes(bytes) => Value::Bytes(positions.map(|position| bytes[position]).collect()),
        Value::Tuple(items) => {
            Value::tuple(positions.map(|position| items[position].clone()).collect::<Vec<_>>())
        }
        _ => {
            let items = ops::items(value);
            Value::list(positions.map(|position| items[position].clone()).collect())
        }
    })
}

fn char_slice(text: &str, range: std::ops::Range<usize>) -> &str {
    if text.is_ascii() {
        return &text[range];
    }
    let byte = |position| text.char_indices().nth(position).map_or(text.len(), |(byte, _)| byte);
    let start = byte(range.start);
    &text[start..byte(range.end).max(start)]
}

/// The positions that a slice takes.
#[derive(Clone)]
struct Positions {
    next: i64,
    step: i64,
    left: usize,
}

impl Positions {
    fn new(
        start: &Value<'_>,
        stop: &Value<'_>,
        step: &Value<'_>,
        length: usize,
    ) -> Result<Self, EvalError> {
        let index = |bound: &Value<'_>| match bound {
            Value::None => Ok(None),
            _ => to_index(bound).map(Some).map_err(|_| {
                EvalError::type_error(
                    "slice indices must be integers or None or have an __index__ method",
                )
            }),
        };
        let step = index(step)?.unwrap_or(1);
        if step == 0 {
            return Err(EvalError::value_error("slice step cannot be zero"));
        }
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let (lowest, highest) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let clamp = |bound: Option<i64>, default: i64| match bound {
            None => default,
            Some(bound) if bound < 0 => bound.saturating_add(length).max(lowest),
            Some(bound) => bound.min(highest),
        };
        let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
        let (start, stop) = (clamp(index(start)?, first), clamp(index(stop)?, last));
        let distance = if step > 0 { stop - start } else { start - stop };
        let left = match u64::try_from(distance) {
            Ok(distance) if distance > 0 => (distance - 1) / step.unsigned_abs() + 1,
            _ => 0,
        };
        Ok(Self { next: start, step, left: usize::try_from(left).unwrap_or(usize::MAX) })
    }

    fn as_range(&self) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(self.next).ok()?;
        (self.step == 1).then_some(start..start + self.left)
    }

    fn pick_chars(self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        self.map(|position| chars[position]).collect()
    }
}

impl Iterator for Positions {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let position = usize::try_from(self.next).ok()?;
        self.next = self.next.saturating_add(self.step);
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bounds: [Option<i64>; 3], expect: &str) {
        let [start, stop, step] = bounds.map(|bound| bound.map_or(Value::None, Value::Int));
        for text in ["abcdef", "äbcdef"] {
            let sliced = slice(&text.into(), &start, &stop, &step).unwrap();
            let expect = expect.replace('a', &text[..text.len() - 5]);
            assert_eq!(sliced.as_str(), Some(expect.as_str()));
        }
    }

    #[test]
    fn slices_as_python_does() {
        check([None, None, None], "abcdef");
        check([Some(1), Some(3), None], "bc");
        check([Some(-2), None, None], "ef");
        check([None, Some(-1), None], "abcde");
        check([None, None, Some(-1)], "fedcba");
        check([Some(4), Some(1), Some(-2)], "ec");
        check([Some(9), None, None], "");
        check([Some(-9), Some(2), None], "ab");
        check([Some(3), Some(1), None], "");
        check([None, None, Some(i64::MAX)], "a");
        check([None, None, Some(i64::MIN)], "f");
    }
}
