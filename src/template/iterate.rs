//! Python's iteration.

use std::cell::RefCell;
use std::rc::Rc;

use super::cx::Cx;
use super::error::EvalError;
use super::object::{Object, View, ViewPart};
use super::value::{Missing, Text, Value};
use crate::value::{Json, StreamSlice};

/// What makes the next item of a generator.
pub(super) type Next<'a> = Box<dyn FnMut(&Cx<'a>) -> Result<Option<Value<'a>>, EvalError> + 'a>;

/// The items of a value, one after the other.
pub(super) enum Iter<'a> {
    /// The items of a list, which may change meanwhile.
    List(Rc<RefCell<Vec<Value<'a>>>>, usize),
    /// The items of a list of the scope.
    Json(std::slice::Iter<'a, Json>),
    /// The keys of a dictionary of the scope.
    Keys(serde_json::map::Keys<'a>),
    /// Items that are known already.
    Items(std::vec::IntoIter<Value<'a>>),
    /// The characters of a text, from a byte position on.
    Chars(Text<'a>, usize),
    /// The items of a generator, whoever asks for them.
    Generator(Rc<Object<'a>>),
    /// Items that are made on demand.
    Lazy(Next<'a>),
}

impl<'a> Iter<'a> {
    /// The items of `value`; a type error when it has none.
    pub(super) fn new(value: &Value<'a>) -> Result<Self, EvalError> {
        Self::find(value).ok_or_else(|| {
            EvalError::Type(format!("'{}' object is not iterable", value.type_name()))
        })
    }

    /// The items of `value`, if it has any.
    pub(super) fn find(value: &Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Str(text) => Self::Chars(text.clone(), 0),
            Value::Markup(text) => Self::Chars(Text::Shared(Rc::clone(text)), 0),
            Value::List(list) => Self::List(Rc::clone(list), 0),
            Value::JsonList(list) => Self::Json(list.iter()),
            Value::Tuple(items) => Self::of(items.to_vec()),
            Value::Dict(dict) => {
                Self::of(dict.borrow().keys().map(|key| key.value().clone()).collect())
            }
            Value::JsonDict(map) | Value::Headers(map) => Self::Keys(map.keys()),
            Value::StreamSlice(slice) => Self::of(slice_keys(slice)),
            Value::Set(set) => {
                Self::of(set.borrow().iter().map(|key| key.value().clone()).collect())
            }
            Value::Bytes(bytes) => {
                Self::of(bytes.iter().map(|&byte| Value::Int(i64::from(byte))).collect())
            }
            Value::Undefined(_) => Self::of(Vec::new()),
            Value::Object(object) => match &**object {
                Object::Generator(_) => Self::Generator(Rc::clone(object)),
                Object::View(view) => Self::of(view.items()),
                Object::Group(grouper, list) => Self::of(vec![grouper.clone(), list.clone()]),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Items that are known already.
    pub(super) fn of(items: Vec<Value<'a>>) -> Self {
        Self::Items(items.into_iter())
    }

    /// The next item.
    pub(super) fn next(&mut self, cx: &Cx<'a>) -> Result<Option<Value<'a>>, EvalError> {
        cx.step()?;
        Ok(match self {
            Self::List(list, position) => {
                let item = list.borrow().get(*position).cloned();
                *position += 1;
                item
            }
            Self::Json(items) => items.next().map(Value::from_json),
            Self::Keys(keys) => keys.next().map(|key| Value::Str(Text::Borrowed(key))),
            Self::Items(items) => items.next(),
            Self::Chars(text, position) => {
                let start = *position;
                match text[start..].chars().next() {
                    None => None,
                    Some(char) => {
                        *position += char.len_utf8();
                        Some(match text {
                            Text::Borrowed(text) => (&text[start..*position]).into(),
                            Text::Shared(text) => Value::str(&text[start..*position]),
                        })
                    }
                }
            }
            Self::Generator(object) => match &**object {
                Object::Generator(generator) => match generator.items.try_borrow_mut() {
                    Ok(mut items) => items.next(cx)?,
                    Err(_) => return Err(EvalError::value_error("generator already executing")),
                },
                _ => None,
            },
            Self::Lazy(next) => next(cx)?,
        })
    }

    /// All items that are left.
    pub(super) fn collect(mut self, cx: &Cx<'a>) -> Result<Vec<Value<'a>>, EvalError> {
        let mut items = Vec::new();
        while let Some(item) = self.next(cx)? {
            items.push(item);
        }
        Ok(items)
    }
}

impl<'a> View<'a> {
    /// The items as they are now.
    pub(super) fn items(&self) -> Vec<Value<'a>> {
        pairs(&self.mapping)
            .into_iter()
            .map(|(key, value)| match self.part {
                ViewPart::Keys => key,
                ViewPart::Values => value,
                ViewPart::Items => Value::tuple([key, value]),
            })
            .collect()
    }
}

/// The keys of a mapping with their values; nothing for every other value.
pub(crate) fn pairs<'a>(mapping: &Value<'a>) -> Vec<(Value<'a>, Value<'a>)> {
    fn borrowed<'a>((key, value): (&'a String, &'a Json)) -> (Value<'a>, Value<'a>) {
        (Value::from(key.as_str()), Value::from_json(value))
    }
    match mapping {
        Value::Dict(dict) => {
            let dict = dict.borrow();
            dict.iter().map(|(key, value)| (key.value().clone(), value.clone())).collect()
        }
        Value::JsonDict(map) | Value::Headers(map) => map.iter().map(borrowed).collect(),
        Value::StreamSlice(slice) => slice.iter().map(borrowed).collect(),
        _ => Vec::new(),
    }
}

fn slice_keys(slice: &StreamSlice) -> Vec<Value<'_>> {
    slice.iter().map(|(key, _)| Value::from(key.as_str())).collect()
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Text::Borrowed(text))
    }
}

/// Nothing there, and a sentence that says so.
pub(crate) fn nothing<'a>(hint: &str) -> Value<'a> {
    Value::undefined(Missing::Hint(hint.to_owned()))
}
