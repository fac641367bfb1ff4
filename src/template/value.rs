//! Python's values, as far as templates can hold them.
//!
//! Records, configuration, and slices are not copied: their values borrow
//! from the scope of the evaluation. What a template itself makes is counted
//! by reference, and shared and mutable as in Python.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::dict::{Dict, Set};
use super::error::EvalError;
use super::functions::Function;
use super::object::Object;
use super::time::{Date, DateTime, Duration, TimeDelta};
use crate::value::{Json, Map, StreamSlice};

/// A value during the evaluation of a template.
///
/// Cloning is cheap: lists, dictionaries, and sets are shared, as in Python.
#[derive(Clone)]
pub enum Value<'a> {
    /// `None`.
    None,
    /// `True` and `False`; numbers, to arithmetic.
    Bool(bool),
    /// An `int` that fits 64 bits.
    Int(i64),
    /// Any other `int`; make it with [`Value::from_bigint`].
    BigInt(Rc<BigInt>),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(Text<'a>),
    /// A `markupsafe.Markup`: a `str` that escapes what is added to it.
    Markup(Rc<str>),
    /// `bytes`.
    Bytes(Rc<[u8]>),
    /// A `list` made by the template.
    List(Rc<RefCell<Vec<Value<'a>>>>),
    /// A `list` of the scope.
    JsonList(&'a Vec<Json>),
    /// A `tuple`.
    Tuple(Rc<[Value<'a>]>),
    /// A `dict` made by the template.
    Dict(Rc<RefCell<Dict<'a>>>),
    /// A `dict` of the scope.
    JsonDict(&'a Map),
    /// A mapping of the scope whose keys ignore case, such as HTTP headers.
    Headers(&'a Map),
    /// The part of the stream that is being read.
    StreamSlice(&'a StreamSlice),
    /// A `set`.
    Set(Rc<RefCell<Set<'a>>>),
    /// A `datetime.datetime`.
    DateTime(Rc<DateTime>),
    /// A `datetime.date`.
    Date(Date),
    /// A `datetime.timedelta`.
    TimeDelta(TimeDelta),
    /// An `isodate.Duration` of years and months.
    Duration(Rc<Duration>),
    /// What a missing name, key, or position gives.
    Undefined(Rc<Undefined<'a>>),
    /// `...`.
    Ellipsis,
    /// A function that every template can call.
    Function(Function),
    /// A method together with the value it belongs to.
    BoundMethod(Rc<BoundMethod<'a>>),
    /// What else templates come across: loops, generators, namespaces, views.
    Object(Rc<Object<'a>>),
}

/// A text of the scope or of the template itself, or one made on the way.
#[derive(Clone)]
pub enum Text<'a> {
    /// Text that outlives the evaluation.
    Borrowed(&'a str),
    /// Text made by the evaluation.
    Shared(Rc<str>),
}

/// What is known about something that is not there.
#[derive(Clone, Debug)]
pub struct Undefined<'a> {
    /// What was looked for, and where.
    pub origin: Missing<'a>,
    /// Whether it is there, but templates may not touch it.
    pub is_forbidden: bool,
}

/// What was looked for.
#[derive(Clone, Debug)]
pub enum Missing<'a> {
    /// A variable.
    Name(Text<'a>),
    /// An attribute or key of a value of a type.
    Attribute(&'static str, Text<'a>),
    /// A position in a value of a type, as `repr()` shows it.
    Element(&'static str, String),
    /// Something that a sentence tells.
    Hint(String),
}

/// A method together with the value it belongs to.
#[derive(Clone, Debug)]
pub struct BoundMethod<'a> {
    /// The value.
    pub receiver: Value<'a>,
    /// The method's name.
    pub name: &'static str,
}

impl<'a> Value<'a> {
    /// A borrowed view of a JSON value.
    pub fn from_json(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::None,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::from_number(number),
            Json::String(text) => Self::Str(Text::Borrowed(text)),
            Json::Array(items) => Self::JsonList(items),
            Json::Object(map) => Self::JsonDict(map),
        }
    }

    fn from_number(number: &serde_json::Number) -> Self {
        if let Some(int) = number.as_i64() {
            Self::Int(int)
        } else if let Some(int) = number.as_u64() {
            Self::from_bigint(BigInt::from(int))
        } else {
            Self::Float(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    /// An `int` of any size.
    pub fn from_bigint(int: BigInt) -> Self {
        match int.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::BigInt(Rc::new(int)),
        }
    }

    /// A `str` made on the way.
    pub fn str(text: impl Into<Rc<str>>) -> Self {
        Self::Str(Text::Shared(text.into()))
    }

    /// A new `list`.
    pub fn list(items: Vec<Value<'a>>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    /// A new `tuple`.
    pub fn tuple(items: impl Into<Rc<[Value<'a>]>>) -> Self {
        Self::Tuple(items.into())
    }

    /// A new `dict`.
    pub fn dict(dict: Dict<'a>) -> Self {
        Self::Dict(Rc::new(RefCell::new(dict)))
    }

    /// A method of `receiver`.
    pub fn method(receiver: &Self, name: &'static str) -> Self {
        Self::BoundMethod(Rc::new(BoundMethod { receiver: receiver.clone(), name }))
    }

    /// An undefined value.
    pub fn undefined(origin: Missing<'a>) -> Self {
        Self::Undefined(Rc::new(Undefined { origin, is_forbidden: false }))
    }

    /// Whether this is `None`.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Whether this is undefined.
    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    /// The text of a `str`; `None` for every other type.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text.as_str()),
            Self::Markup(text) => Some(text),
            _ => None,
        }
    }

    /// An `int` or `bool` that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Bool(flag) => Some(i64::from(*flag)),
            Self::Int(int) => Some(*int),
            _ => None,
        }
    }

    /// Any number as a `float`, rounded to the nearest.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Bool(flag) => Some(f64::from(*flag)),
            #[expect(clippy::cast_precision_loss, reason = "float() rounds as well")]
            Self::Int(int) => Some(*int as f64),
            Self::BigInt(int) => int.to_f64(),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The name of the value's Python type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Markup(_) => "Markup",
            Self::Bytes(_) => "bytes",
            Self::List(_) | Self::JsonList(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) | Self::JsonDict(_) => "dict",
            Self::Headers(_) => "CaseInsensitiveDict",
            Self::StreamSlice(_) => "StreamSlice",
            Self::Set(_) => "set",
            Self::DateTime(_) => "datetime",
            Self::Date(_) => "date",
            Self::TimeDelta(_) => "timedelta",
            Self::Duration(_) => "Duration",
            Self::Undefined(_) => "Undefined",
            Self::Ellipsis => "ellipsis",
            Self::Function(function) => function.type_name(),
            Self::BoundMethod(_) => "builtin_function_or_method",
            Self::Object(object) => object.type_name(),
        }
    }

    /// How an undefined attribute's message names the value's type.
    pub(crate) fn qualified_type_name(&self) -> &'static str {
        match self {
            Self::None => "None",
            Self::StreamSlice(_) => "airbyte_cdk.sources.types.StreamSlice object",
            Self::Headers(_) => "requests.structures.CaseInsensitiveDict object",
            Self::Bool(_) => "bool object",
            Self::Int(_) | Self::BigInt(_) => "int object",
            Self::Float(_) => "float object",
            Self::Str(_) => "str object",
            Self::Markup(_) => "markupsafe.Markup object",
            Self::Bytes(_) => "bytes object",
            Self::List(_) | Self::JsonList(_) => "list object",
            Self::Tuple(_) => "tuple object",
            Self::Dict(_) | Self::JsonDict(_) => "dict object",
            Self::Set(_) => "set object",
            Self::DateTime(_) => "datetime.datetime object",
            Self::Date(_) => "datetime.date object",
            Self::TimeDelta(_) => "datetime.timedelta object",
            Self::Duration(_) => "isodate.duration.Duration object",
            Self::Undefined(_) => "jinja2.runtime.Undefined object",
            Self::Ellipsis => "ellipsis object",
            Self::Function(_) => "function object",
            Self::BoundMethod(_) => "builtin_function_or_method object",
            Self::Object(object) => object.qualified_type_name(),
        }
    }
}

impl Undefined<'_> {
    /// The error that any use of the value raises.
    pub fn error(&self) -> EvalError {
        let message = match &self.origin {
            Missing::Name(name) => format!("'{name}' is undefined"),
            Missing::Attribute(type_name, name) if self.is_forbidden => {
                format!("access to attribute '{name}' of '{type_name}' object is unsafe.")
            }
            Missing::Attribute(type_name, name) => {
                format!("'{type_name}' has no attribute '{name}'")
            }
            Missing::Element(type_name, position) => {
                format!("{type_name} has no element {position}")
            }
            Missing::Hint(hint) => hint.clone(),
        };
        if self.is_forbidden { EvalError::Security(message) } else { EvalError::Undefined(message) }
    }
}

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Shared(text) => text,
        }
    }

    /// The text, if it outlives the evaluation.
    pub fn as_borrowed(&self) -> Option<&'a str> {
        match self {
            Self::Borrowed(text) => Some(text),
            Self::Shared(_) => None,
        }
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.py_repr() {
            Ok(repr) => f.write_str(&repr),
            Err(err) => write!(f, "<{}>", err.class_name()),
        }
    }
}

impl<'a> From<Text<'a>> for Value<'a> {
    fn from(text: Text<'a>) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::Borrowed(text)
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Shared(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value<'_> {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<f64> for Value<'_> {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<BigInt> for Value<'_> {
    fn from(int: BigInt) -> Self {
        Self::from_bigint(int)
    }
}
