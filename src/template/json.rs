//! JSON to and from the values of templates.

use std::fmt::Write as _;

use super::cx::{Cx, MAX_DEPTH, MAX_TEXT};
use super::error::EvalError;
use super::iterate::pairs;
use super::numeric::decimal;
use super::ops::{self, Order};
use super::value::Value;
use crate::value::{Json, Map, PythonJson, write_python_float};

/// What a value takes of the bytes that a result may have, besides its text.
const VALUE: usize = 16;

impl Value<'_> {
    /// The value as JSON, as records and requests need it: tuples become
    /// arrays. Sets, bytes, dates, and the like are a type error; so are keys
    /// that are no texts, numbers, booleans, or `None`.
    pub fn to_json(&self) -> Result<Json, EvalError> {
        let mut n_left = MAX_TEXT;
        self.to_json_at(0, &mut n_left)
    }

    /// Containers may be shared, so that `n_left` is what bounds the result.
    fn to_json_at(&self, depth: usize, n_left: &mut usize) -> Result<Json, EvalError> {
        if depth > MAX_DEPTH {
            return Err(EvalError::Recursion);
        }
        let mut take = |amount: usize| -> Result<(), EvalError> {
            *n_left = n_left.checked_sub(amount).ok_or(EvalError::Limit)?;
            Ok(())
        };
        take(VALUE + self.as_str().map_or(0, str::len))?;
        Ok(match self {
            Self::None => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Int(int) => Json::from(*int),
            Self::BigInt(int) => match u64::try_from(&**int) {
                Ok(int) => Json::from(int),
                Err(_) => self.as_f64().map_or(Json::Null, Json::from),
            },
            Self::Float(float) => Json::from(*float),
            Self::Str(text) => Json::from(text.as_str()),
            Self::Markup(text) => Json::from(&**text),
            Self::JsonList(items) if depth == 0 => Json::Array((*items).clone()),
            Self::JsonDict(map) if depth == 0 => Json::Object((*map).clone()),
            Self::List(_) | Self::Tuple(_) | Self::JsonList(_) => Json::Array(
                ops::items(self)
                    .iter()
                    .map(|item| item.to_json_at(depth + 1, n_left))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Dict(_) | Self::StreamSlice(_) | Self::JsonDict(_) => {
                let mut map = Map::new();
                for (key, value) in pairs(self) {
                    map.insert(json_key(&key)?, value.to_json_at(depth + 1, n_left)?);
                }
                Json::Object(map)
            }
            _ => return Err(not_serializable(self)),
        })
    }
}

fn not_serializable(value: &Value<'_>) -> EvalError {
    EvalError::Type(format!("Object of type {} is not JSON serializable", value.type_name()))
}

fn json_key(key: &Value<'_>) -> Result<String, EvalError> {
    Ok(match key {
        Value::Str(text) => text.to_string(),
        Value::Markup(text) => text.to_string(),
        Value::None => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) => key.py_repr()?,
        _ => {
            return Err(EvalError::Type(format!(
                "keys must be str, int, float, bool or None, not {}",
                key.type_name()
            )));
        }
    })
}

/// `json.dumps(value)`, in ASCII.
pub(super) fn dumps<'a>(
    cx: &Cx<'a>,
    value: &Value<'a>,
    is_sorted: bool,
    indent: Option<&str>,
) -> Result<String, EvalError> {
    let mut writer = Writer { cx, out: String::new(), is_sorted, indent };
    writer.write(value, 0)?;
    Ok(writer.out)
}

struct Writer<'i, 'a> {
    cx: &'i Cx<'a>,
    out: String,
    is_sorted: bool,
    indent: Option<&'i str>,
}

impl<'a> Writer<'_, 'a> {
    fn write(&mut self, value: &Value<'a>, depth: usize) -> Result<(), EvalError> {
        if depth > MAX_DEPTH {
            return Err(EvalError::Recursion);
        }
        if self.out.len() > MAX_TEXT {
            return Err(EvalError::Limit);
        }
        match value {
            Value::None => self.out.push_str("null"),
            Value::Bool(flag) => self.push(flag),
            Value::Int(int) => self.push(int),
            Value::BigInt(int) => self.out.push_str(&decimal(int)?),
            Value::Float(float) if float.is_nan() => self.out.push_str("NaN"),
            Value::Float(float) if float.is_infinite() => {
                self.out.push_str(if *float > 0.0 { "Infinity" } else { "-Infinity" });
            }
            Value::Float(float) => write_python_float(*float, &mut self.out),
            Value::Str(text) => PythonJson::DEFAULT.write_string(text, &mut self.out),
            Value::Markup(text) => PythonJson::DEFAULT.write_string(text, &mut self.out),
            Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => {
                let items = ops::items(value);
                self.open('[', depth, items.is_empty());
                for (idx, item) in items.iter().enumerate() {
                    self.separate(idx, depth);
                    self.write(item, depth + 1)?;
                }
                self.close(']', depth, items.is_empty());
            }
            Value::Dict(_) | Value::JsonDict(_) => {
                let mut items = pairs(value);
                if self.is_sorted {
                    sort_keys(self.cx, &mut items)?;
                }
                self.open('{', depth, items.is_empty());
                for (idx, (key, item)) in items.iter().enumerate() {
                    self.separate(idx, depth);
                    PythonJson::DEFAULT.write_string(&json_key(key)?, &mut self.out);
                    self.out.push_str(": ");
                    self.write(item, depth + 1)?;
                }
                self.close('}', depth, items.is_empty());
            }
            _ => return Err(not_serializable(value)),
        }
        Ok(())
    }

    fn push(&mut self, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}");
    }

    fn open(&mut self, bracket: char, depth: usize, is_empty: bool) {
        self.out.push(bracket);
        if !is_empty {
            self.line_break(depth + 1);
        }
    }

    fn separate(&mut self, idx: usize, depth: usize) {
        if idx == 0 {
            return;
        }
        self.out.push_str(if self.indent.is_some() { "," } else { ", " });
        self.line_break(depth + 1);
    }

    fn close(&mut self, bracket: char, depth: usize, is_empty: bool) {
        if !is_empty {
            self.line_break(depth);
        }
        self.out.push(bracket);
    }

    fn line_break(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            (0..depth).for_each(|_| self.out.push_str(indent));
        }
    }
}

/// Texts, or numbers, but not both, have an order.
pub(super) fn sort_keys<'a>(
    cx: &Cx<'a>,
    items: &mut [(Value<'a>, Value<'a>)],
) -> Result<(), EvalError> {
    for (idx, (key, _)) in items.iter().enumerate().skip(1) {
        ops::compare(cx, Order::Lt, key, &items[idx - 1].0)?;
    }
    let number = |value: &Value<'_>| value.as_f64().unwrap_or_default();
    items.sort_by(|(left, _), (right, _)| {
        left.as_str().cmp(&right.as_str()).then(number(left).total_cmp(&number(right)))
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_much_larger_as_json_is_none() {
        fn doubled(leaf: Value<'_>, n_levels: usize) -> Value<'_> {
            (0..n_levels).fold(leaf, |value, _| Value::Tuple([value.clone(), value].into()))
        }
        assert_eq!(doubled(Value::Int(1), 3).to_json().unwrap().to_string().len(), 8 + 7 + 14);
        assert_eq!(doubled(Value::Int(1), 60).to_json(), Err(EvalError::Limit));
        let text = "x".repeat(1 << 20);
        assert_eq!(doubled(text.as_str().into(), 7).to_json(), Err(EvalError::Limit));
        let nested = (0..400).fold(Value::None, |value, _| Value::Tuple([value].into()));
        assert_eq!(nested.to_json(), Err(EvalError::Recursion));
    }
}
