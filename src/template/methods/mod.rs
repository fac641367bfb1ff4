//! Attributes and methods of the built-in types, one file per type.
//!
//! Each file offers two functions: `attribute` finds a property or method by
//! name, and `call` runs a method that `attribute` has found.

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::value::{BoundMethod, Value};

/// The attribute of a value, as `getattr()` finds it; `None` when there is no such attribute.
pub(crate) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let _ = (receiver, name);
    None
}

/// Calls a method that [`attribute`] has found.
pub(crate) fn call<'a>(
    cx: &Cx<'a>,
    method: &BoundMethod<'a>,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let _ = (cx, args);
    Err(EvalError::Attribute(method.name.to_owned()))
}
