//! `pprint`: Python's pretty printer.

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::iterate::pairs;
use crate::template::value::Value;
use crate::template::{json, ops};

/// The columns that lines may take.
const WIDTH: usize = 80;

pub(super) fn pprint<'a>(
    cx: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    args.none("pprint")?;
    let mut printer = Printer { cx, out: String::new() };
    printer.write(input, 0, 0)?;
    Ok(Value::from(printer.out))
}

struct Printer<'c, 'a> {
    cx: &'c Cx<'a>,
    out: String,
}

impl<'a> Printer<'_, 'a> {
    /// `indent` columns stand before the value, `allowance` characters follow it.
    fn write(
        &mut self,
        value: &Value<'a>,
        indent: usize,
        allowance: usize,
    ) -> Result<(), EvalError> {
        let flat = self.flat(value, 0)?;
        if flat.chars().count() + indent + allowance <= WIDTH {
            self.out.push_str(&flat);
            return Ok(());
        }
        match value {
            Value::Dict(_) | Value::JsonDict(_) => {
                let items = self.sorted(value);
                self.out.push('{');
                for (idx, (key, item)) in items.iter().enumerate() {
                    let key = self.flat(key, 0)?;
                    self.separate(idx, indent);
                    self.out.push_str(&key);
                    self.out.push_str(": ");
                    let allowance = if idx + 1 == items.len() { allowance + 1 } else { 1 };
                    self.write(item, indent + 1 + key.chars().count() + 2, allowance)?;
                }
                self.out.push('}');
            }
            Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => {
                let is_tuple = matches!(value, Value::Tuple(_));
                let items = ops::items(value);
                self.out.push(if is_tuple { '(' } else { '[' });
                for (idx, item) in items.iter().enumerate() {
                    self.separate(idx, indent);
                    let allowance = if idx + 1 == items.len() { allowance + 1 } else { 1 };
                    self.write(item, indent + 1, allowance)?;
                }
                self.out.push_str(match (is_tuple, items.len()) {
                    (false, _) => "]",
                    (true, 1) => ",)",
                    (true, _) => ")",
                });
            }
            _ => self.out.push_str(&flat),
        }
        Ok(())
    }

    fn separate(&mut self, idx: usize, indent: usize) {
        if idx > 0 {
            self.out.push_str(",\n");
            self.out.push_str(&" ".repeat(indent + 1));
        }
    }

    /// Items by their keys, or as they are when the keys have no order.
    fn sorted(&self, dict: &Value<'a>) -> Vec<(Value<'a>, Value<'a>)> {
        let mut items = pairs(dict);
        let _ = json::sort_keys(self.cx, &mut items);
        items
    }

    /// `repr()` with sorted dictionaries.
    fn flat(&self, value: &Value<'a>, depth: usize) -> Result<String, EvalError> {
        self.cx.step()?;
        if depth > 100 {
            return Err(EvalError::Recursion);
        }
        let flat_items = |value: &Value<'a>| -> Result<Vec<String>, EvalError> {
            ops::items(value).iter().map(|item| self.flat(item, depth + 1)).collect()
        };
        let flat = match value {
            Value::Dict(_) | Value::JsonDict(_) => {
                let items = self.sorted(value).into_iter().map(|(key, item)| {
                    Ok(format!("{}: {}", self.flat(&key, depth + 1)?, self.flat(&item, depth + 1)?))
                });
                format!("{{{}}}", items.collect::<Result<Vec<_>, EvalError>>()?.join(", "))
            }
            Value::List(_) | Value::JsonList(_) => format!("[{}]", flat_items(value)?.join(", ")),
            Value::Tuple(items) if items.len() == 1 => {
                format!("({},)", flat_items(value)?.join(""))
            }
            Value::Tuple(_) => format!("({})", flat_items(value)?.join(", ")),
            _ => value.py_repr()?,
        };
        self.cx.charge(flat.len())?;
        Ok(flat)
    }
}
