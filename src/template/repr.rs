//! Python's `str()` and `repr()`.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::cx::{MAX_DEPTH, MAX_TEXT};
use super::error::EvalError;
use super::iterate::pairs;
use super::numeric::decimal;
use super::object::{Callable, Object};
use super::ops::items;
use super::value::Value;
use crate::value::{write_python_float, write_python_text_repr};

/// Values beyond which a text is refused: shared containers can print as
/// exponentially more than they hold.
const MAX_VALUES: usize = 1 << 20;

impl Value<'_> {
    /// `str(value)`.
    pub fn py_str(&self) -> Result<Cow<'_, str>, EvalError> {
        Ok(match self {
            Self::Str(text) => Cow::Borrowed(text.as_str()),
            Self::Markup(text) => Cow::Borrowed(text),
            Self::Undefined(_) => Cow::Borrowed(""),
            Self::DateTime(when) => Cow::Owned(when.to_string()),
            Self::Date(date) => Cow::Owned(date.to_string()),
            Self::TimeDelta(delta) => Cow::Owned(delta.to_string()),
            Self::Duration(duration) => Cow::Owned(duration.to_string()),
            _ => Cow::Owned(self.py_repr()?),
        })
    }

    /// `repr(value)`.
    pub fn py_repr(&self) -> Result<String, EvalError> {
        let mut out = String::new();
        Printer { out: &mut out, open: Vec::new(), n_left: MAX_VALUES }.write(self)?;
        Ok(out)
    }
}

struct Printer<'o> {
    out: &'o mut String,
    /// The containers that are being printed, by address: one of them again is a circle.
    open: Vec<usize>,
    n_left: usize,
}

impl Printer<'_> {
    fn write(&mut self, value: &Value<'_>) -> Result<(), EvalError> {
        self.n_left = self.n_left.checked_sub(1).ok_or(EvalError::Limit)?;
        if self.out.len() > MAX_TEXT {
            return Err(EvalError::Limit);
        }
        match value {
            Value::None => self.out.push_str("None"),
            Value::Bool(true) => self.out.push_str("True"),
            Value::Bool(false) => self.out.push_str("False"),
            Value::Int(int) => self.push(int),
            Value::BigInt(int) => self.out.push_str(&decimal(int)?),
            Value::Float(float) => write_python_float(*float, self.out),
            Value::Str(text) => write_python_text_repr(text, self.out),
            Value::Markup(text) => {
                self.out.push_str("Markup(");
                write_python_text_repr(text, self.out);
                self.out.push(')');
            }
            Value::Bytes(bytes) => write_bytes_repr(self.out, bytes),
            Value::Tuple(items) => {
                let close = if items.len() == 1 { ",)" } else { ")" };
                self.sequence("(", items, close, value)?;
            }
            Value::List(_) | Value::JsonList(_) => self.sequence("[", &items(value), "]", value)?,
            Value::Dict(_) | Value::JsonDict(_) | Value::StreamSlice(_) | Value::Headers(_) => {
                self.mapping(value)?;
            }
            Value::Set(set) => {
                let items: Vec<_> = set.borrow().iter().map(|key| key.value().clone()).collect();
                if items.is_empty() {
                    self.out.push_str("set()");
                } else {
                    self.sequence("{", &items, "}", value)?;
                }
            }
            Value::Undefined(_) => self.out.push_str("Undefined"),
            Value::Ellipsis => self.out.push_str("Ellipsis"),
            Value::Function(function) => self.out.push_str(&function.repr()),
            Value::BoundMethod(method) => {
                let type_name = method.receiver.type_name();
                let name = method.name;
                write!(
                    self.out,
                    "<built-in method {name} of {type_name} object at 0x7f0000000000>"
                )
                .ok();
            }
            Value::Object(object) => self.object(object)?,
            Value::DateTime(when) => self.out.push_str(&when.repr()),
            Value::Date(date) => self.out.push_str(&date.repr()),
            Value::TimeDelta(delta) => self.out.push_str(&delta.repr()),
            Value::Duration(duration) => self.out.push_str(&duration.repr()),
        }
        Ok(())
    }

    fn push(&mut self, value: impl std::fmt::Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}");
    }

    fn enter(&mut self, value: &Value<'_>) -> Result<bool, EvalError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(EvalError::Recursion);
        }
        let address = value.address();
        if address != 0 && self.open.contains(&address) {
            return Ok(false);
        }
        self.open.push(address);
        Ok(true)
    }

    fn sequence(
        &mut self,
        open: &str,
        items: &[Value<'_>],
        close: &str,
        value: &Value<'_>,
    ) -> Result<(), EvalError> {
        self.out.push_str(open);
        if !self.enter(value)? {
            self.out.push_str("...");
            self.out.push_str(&close[close.len() - 1..]);
            return Ok(());
        }
        for (idx, item) in items.iter().enumerate() {
            if idx > 0 {
                self.out.push_str(", ");
            }
            self.write(item)?;
        }
        self.open.pop();
        self.out.push_str(close);
        Ok(())
    }

    fn mapping(&mut self, value: &Value<'_>) -> Result<(), EvalError> {
        self.out.push('{');
        if !self.enter(value)? {
            self.out.push_str("...}");
            return Ok(());
        }
        for (idx, (key, item)) in pairs(value).iter().enumerate() {
            if idx > 0 {
                self.out.push_str(", ");
            }
            self.write(key)?;
            self.out.push_str(": ");
            self.write(item)?;
        }
        self.open.pop();
        self.out.push('}');
        Ok(())
    }

    fn object(&mut self, object: &Object<'_>) -> Result<(), EvalError> {
        match object {
            Object::Generator(generator) => {
                let description = generator.description;
                self.push(format_args!("<{description} at 0x7f0000000000>"));
            }
            Object::View(view) => {
                self.push(format_args!("{}(", object.type_name()));
                self.sequence("[", &view.items(), "])", &view.mapping)?;
            }
            Object::Namespace(attributes) => {
                self.out.push_str("<Namespace {");
                for (idx, (name, value)) in attributes.borrow().iter().enumerate() {
                    if idx > 0 {
                        self.out.push_str(", ");
                    }
                    write_python_text_repr(name, self.out);
                    self.out.push_str(": ");
                    self.write(value)?;
                }
                self.out.push_str("}>");
            }
            Object::Group(grouper, list) => {
                let items = [grouper.clone(), list.clone()];
                self.sequence("(", &items, ")", grouper)?;
            }
            Object::Loop(state) => {
                self.push(format_args!("<LoopContext {}/", state.index0() + 1));
                match state.length() {
                    Some(length) => self.push(format_args!("{length}>")),
                    None => self.out.push_str("?>"),
                }
            }
            Object::Macro(Callable(node)) if node.name.name.is_empty() => {
                self.out.push_str("<Macro anonymous>");
            }
            Object::Macro(Callable(node)) => {
                self.push(format_args!("<Macro '{}'>", node.name.name));
            }
            Object::TemplateReference => self.out.push_str("<TemplateReference None>"),
            Object::Cycler(_) | Object::Joiner(_) | Object::BlockReference(_) => {
                let type_name = object.qualified_type_name();
                self.push(format_args!("<{type_name} at 0x7f0000000000>"));
            }
        }
        Ok(())
    }
}

impl Value<'_> {
    /// Where a shared container lies; 0 for values that cannot contain themselves.
    fn address(&self) -> usize {
        match self {
            Self::List(list) => std::rc::Rc::as_ptr(list).addr(),
            Self::Dict(dict) => std::rc::Rc::as_ptr(dict).addr(),
            _ => 0,
        }
    }
}

fn write_bytes_repr(out: &mut String, bytes: &[u8]) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    out.push('b');
    out.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ if byte == quote => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(char::from(quote));
}
