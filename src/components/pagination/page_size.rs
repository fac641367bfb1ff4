//! How many records a page is asked for.

use crate::components::shape::IntOrTemplate;
use crate::components::{BuildContext, BuildError, Parameters, ReadError, Surroundings};
use crate::template::{InterpolatedString, Scope};
use crate::value::{Json, is_truthy, python_int, python_str, python_type_name};

/// A number of records, or a template that gives one.
#[derive(Debug)]
pub(super) enum PageSize {
    /// The number.
    Number(i64),
    /// What has to be evaluated.
    Template(InterpolatedString),
}

impl PageSize {
    /// The size that is written; text that is a number counts as one.
    pub(super) fn new(written: &IntOrTemplate, parameters: &Parameters) -> Self {
        match written {
            IntOrTemplate::Int(number) => Self::Number(*number),
            IntOrTemplate::Template(text) => match text.parse() {
                Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Self::Number(number)
                }
                _ => Self::Template(InterpolatedString::new(text, parameters.clone())),
            },
        }
    }

    /// The size as of the config at build time, for strategies that never ask again.
    pub(super) fn fixed(
        written: Option<&IntOrTemplate>,
        parameters: &Parameters,
        cx: &BuildContext<'_>,
    ) -> Result<Option<i64>, BuildError> {
        let Some(written) = written else { return Ok(None) };
        Ok(Some(Self::new(written, parameters).eval(&cx.surroundings())?))
    }

    /// The size as of the config.
    pub(super) fn eval(&self, surroundings: &Surroundings) -> Result<i64, ReadError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Template(template) => {
                let value = surroundings.eval(|scope| template.eval_json(&scope))?;
                whole(&value).ok_or_else(|| {
                    let (value, found) = (python_str(&value), python_type_name(&value));
                    let message =
                        format!("{value} is of type <class '{found}'>. Expected <class 'int'>");
                    ReadError::unexpected("Exception", message)
                })
            }
        }
    }

    /// The size as of a response; what is no number at all is no size.
    pub(super) fn eval_with(&self, scope: &Scope<'_>) -> Result<Option<i64>, ReadError> {
        let value = match self {
            Self::Number(number) => return Ok(Some(*number)),
            Self::Template(template) => template.eval_json(scope)?,
        };
        if !is_truthy(&value) {
            return Ok(None);
        }
        if let Json::Number(_) | Json::Bool(_) = value {
            return Ok(python_int(&value));
        }
        let found = python_type_name(&value);
        let message = format!("'<' not supported between instances of 'int' and '{found}'");
        Err(ReadError::unexpected("TypeError", message))
    }
}

/// What Python takes for an `int`, truth values among them.
fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or(value.as_bool().map(i64::from))
}
