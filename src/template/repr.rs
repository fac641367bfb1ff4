//! Python's `str()` and `repr()`.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::error::EvalError;
use super::iterate::pairs;
use super::object::Object;
use super::ops::list_items;
use super::value::Value;

/// Nesting beyond which Python gives up as well.
const MAX_DEPTH: usize = 300;

/// Bytes beyond which a text is refused: shared containers can print as
/// exponentially more than they hold.
const MAX_LENGTH: usize = 1 << 28;

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
        Printer { out: &mut out, open: Vec::new() }.write(self)?;
        Ok(out)
    }
}

struct Printer<'o> {
    out: &'o mut String,
    /// The containers that are being printed, by address: one of them again is a circle.
    open: Vec<usize>,
}

impl Printer<'_> {
    fn write(&mut self, value: &Value<'_>) -> Result<(), EvalError> {
        if self.out.len() > MAX_LENGTH {
            return Err(EvalError::Limit);
        }
        match value {
            Value::None => self.out.push_str("None"),
            Value::Bool(true) => self.out.push_str("True"),
            Value::Bool(false) => self.out.push_str("False"),
            Value::Int(int) => self.push(int),
            Value::BigInt(int) => self.push(int),
            Value::Float(float) => self.out.push_str(&float_repr(*float)),
            Value::Str(text) => write_str_repr(self.out, text),
            Value::Markup(text) => {
                self.out.push_str("Markup(");
                write_str_repr(self.out, text);
                self.out.push(')');
            }
            Value::Bytes(bytes) => write_bytes_repr(self.out, bytes),
            Value::Tuple(items) => {
                self.sequence("(", items, if items.len() == 1 { ",)" } else { ")" }, value)?
            }
            Value::List(_) | Value::JsonList(_) => {
                self.sequence("[", &list_items(value), "]", value)?
            }
            Value::Dict(_) | Value::JsonDict(_) | Value::StreamSlice(_) | Value::Headers(_) => {
                self.mapping(value)?;
            }
            Value::Set(set) => {
                let items: Vec<_> = set.borrow().iter().map(|key| key.value().clone()).collect();
                match items.is_empty() {
                    true => self.out.push_str("set()"),
                    false => self.sequence("{", &items, "}", value)?,
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
                self.push(format_args!("<generator object {} at 0x7f0000000000>", generator.name));
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
                    write_str_repr(self.out, name);
                    self.out.push_str(": ");
                    self.write(value)?;
                }
                self.out.push_str("}>");
            }
            Object::Cycler(_) | Object::Joiner(_) => {
                self.push(format_args!(
                    "<jinja2.utils.{} object at 0x7f0000000000>",
                    object.type_name()
                ));
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

/// `repr()` of a float: the shortest digits that read back as the same number.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = float.abs();
    if magnitude == 0.0 || (1e-4..1e16).contains(&magnitude) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    // Rust writes `1e-7` and `1.5e300`; Python pads the exponent and always signs it.
    let scientific = format!("{float:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) => match exponent.strip_prefix('-') {
            Some(exponent) => format!("{digits}e-{exponent:0>2}"),
            None => format!("{digits}e+{exponent:0>2}"),
        },
        None => scientific,
    }
}

/// `repr()` of a text: single quotes, unless only those need escapes.
pub(crate) fn write_str_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char == quote => {
                out.push('\\');
                out.push(char);
            }
            ' '..='~' => out.push(char),
            _ if is_printable(char) => out.push(char),
            _ => {
                let code = u32::from(char);
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
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

/// Whether Python prints the character as it is: no control, format,
/// separator, surrogate, private, or unassigned characters.
fn is_printable(char: char) -> bool {
    // Rust's own escapes follow nearly the same tables.
    char != '\u{ad}' && !char.is_control() && !char.escape_debug().to_string().starts_with('\\')
}
