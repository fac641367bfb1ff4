//! Numbers that may be templates.

use crate::template::{InterpolatedString, Scope};
use crate::value::{Json, python_float, python_repr};

use super::Parameters;
use super::error::ReadError;
use super::shape::NumberOrTemplate;

/// A number of the manifest, or a template that gives one.
#[derive(Debug)]
pub enum NumberTemplate {
    /// The number.
    Number(f64),
    /// What has to be evaluated.
    Template(InterpolatedString),
}

impl NumberTemplate {
    /// The number that is written.
    pub fn new(written: &NumberOrTemplate, parameters: &Parameters) -> Self {
        match written {
            NumberOrTemplate::Number(number) => Self::Number(*number),
            NumberOrTemplate::Template(text) => {
                Self::Template(InterpolatedString::new(text, parameters.clone()))
            }
        }
    }

    /// The number, as Python's `float()` reads it.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<f64, ReadError> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Template(template) => to_float(&template.eval_json(scope)?),
        }
    }

    /// The number, or `None` where the template says so.
    pub fn eval_if_set(&self, scope: &Scope<'_>) -> Result<Option<f64>, ReadError> {
        match self {
            Self::Number(number) => Ok(Some(*number)),
            Self::Template(template) => match template.eval_json(scope)? {
                Json::Null => Ok(None),
                value => to_float(&value).map(Some),
            },
        }
    }
}

fn to_float(value: &Json) -> Result<f64, ReadError> {
    match value {
        Json::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Json::Number(number) => Ok(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => python_float(text).ok_or_else(|| {
            let text = python_repr(value);
            ReadError::value(format!("could not convert string to float: {text}"))
        }),
        _ => {
            let message = "float() argument must be a string or a real number";
            Err(ReadError::unexpected("TypeError", message))
        }
    }
}
