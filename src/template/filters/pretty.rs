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
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    args.none("pprint")?;
    let mut out = String::new();
    write(&mut out, input, 0, 0)?;
    Ok(Value::from(out))
}

/// `indent` columns stand before the value, `allowance` characters follow it.
fn write(
    out: &mut String,
    value: &Value<'_>,
    indent: usize,
    allowance: usize,
) -> Result<(), EvalError> {
    let flat = flat(value, 0)?;
    if flat.chars().count() + indent + allowance <= WIDTH {
        out.push_str(&flat);
        return Ok(());
    }
    match value {
        Value::Dict(_) | Value::JsonDict(_) => {
            let items = sorted(value);
            out.push('{');
            for (idx, (key, item)) in items.iter().enumerate() {
                let key = self::flat(key, 0)?;
                separate(out, idx, indent);
                out.push_str(&key);
                out.push_str(": ");
                let allowance = if idx + 1 == items.len() { allowance + 1 } else { 1 };
                write(out, item, indent + 1 + key.chars().count() + 2, allowance)?;
            }
            out.push('}');
        }
        Value::List(_) | Value::JsonList(_) | Value::Tuple(_) => {
            let is_tuple = matches!(value, Value::Tuple(_));
            let items = ops::items(value);
            out.push(if is_tuple { '(' } else { '[' });
            for (idx, item) in items.iter().enumerate() {
                separate(out, idx, indent);
                let allowance = if idx + 1 == items.len() { allowance + 1 } else { 1 };
                write(out, item, indent + 1, allowance)?;
            }
            out.push_str(match (is_tuple, items.len()) {
                (false, _) => "]",
                (true, 1) => ",)",
                (true, _) => ")",
            });
        }
        _ => out.push_str(&flat),
    }
    Ok(())
}

fn separate(out: &mut String, idx: usize, indent: usize) {
    if idx > 0 {
        out.push_str(",\n");
        out.push_str(&" ".repeat(indent + 1));
    }
}

/// Items by their keys, or as they are when the keys have no order.
fn sorted<'a>(dict: &Value<'a>) -> Vec<(Value<'a>, Value<'a>)> {
    let mut items = pairs(dict);
    let _ = json::sort_keys(&mut items);
    items
}

/// `repr()` with sorted dictionaries.
fn flat(value: &Value<'_>, depth: usize) -> Result<String, EvalError> {
    if depth > 100 {
        return Err(EvalError::Recursion);
    }
    let flat_items = |value: &Value<'_>| -> Result<Vec<String>, EvalError> {
        ops::items(value).iter().map(|item| flat(item, depth + 1)).collect()
    };
    Ok(match value {
        Value::Dict(_) | Value::JsonDict(_) => {
            let items: Vec<String> = sorted(value)
                .iter()
                .map(|(key, item)| {
                    Ok(format!("{}: {}", flat(key, depth + 1)?, flat(item, depth + 1)?))
                })
                .collect::<Result<_, EvalError>>()?;
            format!("{{{}}}", items.join(", "))
        }
        Value::List(_) | Value::JsonList(_) => format!("[{}]", flat_items(value)?.join(", ")),
        Value::Tuple(items) if items.len() == 1 => format!("({},)", flat_items(value)?.join("")),
        Value::Tuple(_) => format!("({})", flat_items(value)?.join(", ")),
        _ => value.py_repr()?,
    })
}
