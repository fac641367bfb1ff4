//! The variables that an evaluation is given.

use super::error::EvalError;
use super::functions::Function;
use super::json_loads;
use super::value::{Text, Value};
use crate::run::RunContext;
use crate::value::{Json, Map, StreamSlice};

/// Other names of `stream_slice`; nothing else may be called so.
const SLICE_ALIASES: [&str; 2] = ["stream_interval", "stream_partition"];

/// The variables of one evaluation by name, without copies.
///
/// ```
/// # use jiff::Timestamp;
/// # use source_declarative_manifest::run::RunContext;
/// # use source_declarative_manifest::template::{InterpolatedString, Scope};
/// # use serde_json::json;
/// let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
/// let config = json!({"start": 2020});
/// let scope = Scope::new(&run).with("config", &config);
/// let url = InterpolatedString::new("/from/{{ config.start + 1 }}", Default::default());
/// assert_eq!(url.eval_string(&scope)?, "/from/2021");
/// # Ok::<(), source_declarative_manifest::template::EvalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    run: &'a RunContext,
    variables: Vec<(&'a str, Variable<'a>)>,
}

/// What a variable can be set to.
#[derive(Clone, Copy, Debug)]
pub enum Variable<'a> {
    /// `None`.
    None,
    /// A `bool`.
    Bool(bool),
    /// An `int`.
    Int(i64),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(&'a str),
    /// Any JSON value.
    Json(&'a Json),
    /// A `dict`.
    Map(&'a Map),
    /// A mapping whose keys ignore case.
    Headers(&'a Map),
    /// The part of the stream that is being read.
    StreamSlice(&'a StreamSlice),
    /// A function.
    Function(Function),
    /// A JSON document, read as Python's `json.loads` does when a template looks
    /// at it: its integers can have any size.
    JsonText(&'a str),
}

impl<'a> Scope<'a> {
    /// A scope without variables.
    pub fn new(run: &'a RunContext) -> Self {
        Self { run, variables: Vec::with_capacity(8) }
    }

    /// The scope with one more variable. Setting `stream_slice` sets
    /// `stream_interval` and `stream_partition` as well.
    #[must_use]
    pub fn with(mut self, name: &'a str, value: impl Into<Variable<'a>>) -> Self {
        self.set(name, value);
        self
    }

    /// The scope with the members of an object as variables.
    #[must_use]
    pub fn with_fields(mut self, fields: &'a Map) -> Self {
        for (name, value) in fields {
            self.set(name, value);
        }
        self
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &'a str, value: impl Into<Variable<'a>>) {
        self.variables.push((name, value.into()));
    }

    /// The clock and the randomness of the run.
    pub fn run(&self) -> &'a RunContext {
        self.run
    }

    /// The variable of that name.
    pub fn get(&self, name: &str) -> Option<Variable<'a>> {
        let name = if SLICE_ALIASES.contains(&name) { "stream_slice" } else { name };
        self.variables.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.variables.iter().map(|(name, _)| *name)
    }

    /// Refuses variables under names that only the slice may have.
    pub(super) fn check(&self) -> Result<(), EvalError> {
        match self.names().find(|name| SLICE_ALIASES.contains(name)) {
            None => Ok(()),
            Some(name) => Err(EvalError::Value(format!(
                "Found reserved keyword {name} in interpolation context. This is unexpected and \
                 indicative of a bug in the CDK."
            ))),
        }
    }
}

impl<'a> Variable<'a> {
    /// The variable's value.
    pub(super) fn value(self) -> Result<Value<'a>, EvalError> {
        Ok(match self {
            Self::None => Value::None,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(int) => Value::Int(int),
            Self::Float(float) => Value::Float(float),
            Self::Str(text) => Value::Str(Text::Borrowed(text)),
            Self::Json(json) => Value::from_json(json),
            Self::Map(map) => Value::JsonDict(map),
            Self::Headers(map) => Value::Headers(map),
            Self::StreamSlice(slice) => Value::StreamSlice(slice),
            Self::Function(function) => Value::Function(function),
            Self::JsonText(text) => json_loads::loads(text)?,
        })
    }
}

impl<'a> From<&'a Json> for Variable<'a> {
    fn from(json: &'a Json) -> Self {
        Self::Json(json)
    }
}

impl<'a> From<&'a Map> for Variable<'a> {
    fn from(map: &'a Map) -> Self {
        Self::Map(map)
    }
}

impl<'a> From<&'a StreamSlice> for Variable<'a> {
    fn from(slice: &'a StreamSlice) -> Self {
        Self::StreamSlice(slice)
    }
}

impl<'a> From<&'a str> for Variable<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(text)
    }
}

impl<'a> From<&'a String> for Variable<'a> {
    fn from(text: &'a String) -> Self {
        Self::Str(text)
    }
}

impl From<i64> for Variable<'_> {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<f64> for Variable<'_> {
    fn from(float: f64) -> Self {
        Self::Float(float)
    }
}

impl From<bool> for Variable<'_> {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Function> for Variable<'_> {
    fn from(function: Function) -> Self {
        Self::Function(function)
    }
}

impl<'a, T: Into<Variable<'a>>> From<Option<T>> for Variable<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}
