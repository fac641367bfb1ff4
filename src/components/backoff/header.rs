//! Numbers in response headers.

use crate::components::shape::Text;
use crate::components::{BuildContext, Parameters, ReadError, Surroundings};
use crate::http::Response;
use crate::template::InterpolatedString;
use crate::template::regex::Pattern;
use crate::value::python_float;

/// A header, or the part of it, that holds a number.
#[derive(Debug)]
pub(super) struct NumericHeader {
    name: InterpolatedString,
    /// A pattern that cannot be read is an error only when it is asked for, as in the reference.
    regex: Option<Result<Pattern, ReadError>>,
}

impl NumericHeader {
    /// The header `name`, or what `regex` matches at its beginning.
    pub(super) fn build(
        name: &Text,
        regex: Option<&Text>,
        parameters: &Parameters,
        cx: &BuildContext<'_>,
    ) -> Self {
        // The config cannot change what a pattern is written with, so it is compiled once.
        let regex = regex.filter(|regex| !regex.is_empty()).map(|regex| {
            let template = InterpolatedString::new(regex, parameters.clone());
            let pattern = cx.surroundings().eval(|scope| template.eval_string(&scope))?;
            Ok(Pattern::new(&pattern)?)
        });
        Self { name: InterpolatedString::new(name, parameters.clone()), regex }
    }

    /// The number, if the response has the header and it is one.
    pub(super) fn value(
        &self,
        response: &Response,
        surroundings: &Surroundings,
    ) -> Result<Option<f64>, ReadError> {
        let regex = self.regex.as_ref().map(|regex| regex.as_ref().map_err(Clone::clone));
        let regex = regex.transpose()?;
        let name = surroundings.eval(|scope| self.name.eval_string(&scope))?;
        let Some(text) = response.headers.get(&name).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let matched = match regex {
            Some(regex) => regex.match_at_start(text)?,
            None => None,
        };
        Ok(python_float(matched.unwrap_or(text)))
    }
}
