//! Attributes and methods of `datetime`.

use crate::template::{Args, Cx, EvalError, Value};

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let _ = (receiver, name);
    None
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let _ = (cx, receiver, args);
    Err(EvalError::Attribute(name.to_owned()))
}
