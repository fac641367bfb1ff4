//! What filters mean by the attribute of an item.

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::ops;
use crate::template::value::{Missing, Text, Value};

/// A path of keys and positions, such as `address.lines.0`.
#[derive(Clone, Debug, Default)]
pub(super) struct Path<'a> {
    parts: Vec<Value<'a>>,
    default: Option<Value<'a>>,
    ignores_case: bool,
}

impl<'a> Path<'a> {
    /// The path that an `attribute` argument means; `None` is the item itself.
    pub(super) fn new(attribute: Option<&Value<'a>>) -> Self {
        let parts = match attribute {
            None | Some(Value::None) => Vec::new(),
            Some(attribute) => match attribute.as_str() {
                Some(path) => path.split('.').map(part).collect(),
                None => vec![attribute.clone()],
            },
        };
        Self { parts, default: None, ignores_case: false }
    }

    /// The paths of an argument such as `name,address.city`.
    pub(super) fn several(attribute: Option<&Value<'a>>) -> Vec<Self> {
        match attribute.and_then(Value::as_str) {
            Some(paths) => {
                paths.split(',').map(|path| Self::new(Some(&Value::str(path)))).collect()
            }
            None => vec![Self::new(attribute)],
        }
    }

    /// What stands for missing parts.
    pub(super) fn or(self, default: Option<Value<'a>>) -> Self {
        Self { default: default.filter(|default| !default.is_none()), ..self }
    }

    /// Texts are found in lower case.
    pub(super) fn ignoring_case(self, ignores_case: bool) -> Self {
        Self { ignores_case, ..self }
    }

    /// What lies under the path.
    pub(super) fn get(&self, item: &Value<'a>) -> Result<Value<'a>, EvalError> {
        let mut found = item.clone();
        for part in &self.parts {
            found = ops::get_item(&found, part)?;
            if let (true, Some(default)) = (found.is_undefined(), &self.default) {
                found = default.clone();
            }
        }
        match (self.ignores_case, found.as_str()) {
            (true, Some(text)) => Ok(Value::from(text.to_lowercase())),
            _ => Ok(found),
        }
    }
}

fn part<'a>(part: &str) -> Value<'a> {
    let is_position = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match part.parse() {
        Ok(position) if is_position => Value::Int(position),
        _ => Value::str(part),
    }
}

/// `value | attr(name)`: an attribute, never an item.
pub(super) fn attr<'a>(
    _: &Cx<'a>,
    input: &Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let [name] = args.bind("attr", ["name"], 1)?;
    let name = name.unwrap_or(Value::None);
    let name = Text::Shared(super::text_argument(&name, "attribute name")?.into());
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    Ok(ops::find_attribute(input, &name)
        .unwrap_or_else(|| Value::undefined(Missing::Attribute(input.qualified_type_name(), name))))
}
