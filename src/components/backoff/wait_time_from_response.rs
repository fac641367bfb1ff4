//! `WaitTimeFromResponse`: a template finds the seconds to wait in the response.

use std::sync::Arc;

use tracing::warn;

use crate::components::shape::{Text, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, Parameters, ReadError, ResponseVariables,
    Surroundings,
};
use crate::http::Response;
use crate::protocol::FailureType;
use crate::template::{EvalError, Expression, ValidTypes};
use crate::value::{Json, python_float};

use super::max_wait::MaxWait;

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};
    use crate::components::shape::NumberOrTemplate;

    shape! {
        /// Waits as many seconds as a template finds in the response.
        pub struct WaitTimeFromResponse {
            /// The seconds; it sees `response` and `headers`. What is no positive number leaves the
            /// wait to the next strategy.
            wait_time_in_seconds: Text,
            /// A wait this long or longer fails the stream instead.
            max_waiting_time_in_seconds: Option<NumberOrTemplate>,
        }
    }
}

impl Component for yaml::WaitTimeFromResponse {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        let source = &self.wait_time_in_seconds;
        let seconds = Expression::new(source).with_default(source);
        let unknown = seconds.template().variables().iter().find(|name| !KNOWN.contains(&&***name));
        if let Some(name) = unknown {
            let message = format!(
                "The connector's rate limit wait time expression is invalid: it reads `{name}`, \
                 which nobody gives it. This is a problem with the connector rather than with your \
                 configuration."
            );
            let error = BuildError::in_span(source.span, message);
            return Err(error.failing(FailureType::SystemError));
        }
        let max_wait = self.max_waiting_time_in_seconds.as_ref();
        Ok(Arc::new(WaitTimeFromResponse {
            seconds,
            max_wait: MaxWait::build(max_wait, &self.parameters, cx)?,
            parameters: self.parameters,
            surroundings: cx.surroundings(),
        }))
    }
}

/// The variables that there are.
const KNOWN: [&str; 4] = ["config", "parameters", "response", "headers"];

/// See the module documentation.
#[derive(Debug)]
struct WaitTimeFromResponse {
    seconds: Expression,
    parameters: Parameters,
    max_wait: Option<MaxWait>,
    surroundings: Surroundings,
}

impl WaitTimeFromResponse {
    /// What the template gives; nothing for a response that it was not made for.
    fn eval(&self, response: &Response) -> Result<Option<Json>, ReadError> {
        let template = self.seconds.template();
        let variables = ResponseVariables::new(response, Some(template));
        let config = self.surroundings.config().snapshot();
        let scope = variables.add_to(self.surroundings.scope(&config));
        let value = self
            .seconds
            .eval(&scope, Some(&self.parameters), ValidTypes::ANY)
            .and_then(|value| value.to_json());
        let reason = match value {
            Ok(value) if template.is_literal() || value.as_str() != Some(template.source()) => {
                return Ok(Some(value));
            }
            Ok(_) => "TypeError",
            Err(err) if is_of_the_response(&err) => err.class_name(),
            Err(err) => return Err(err.into()),
        };
        warn!(
            "WaitTimeFromResponse: `wait_time_in_seconds` could not be evaluated on this response \
             ({reason}); deferring to the next backoff strategy."
        );
        Ok(None)
    }
}

/// Whether a body of another shape than expected makes such an error.
fn is_of_the_response(error: &EvalError) -> bool {
    use EvalError::{Overflow, Type, Undefined, ZeroDivision};
    error.is_value_error()
        || matches!(error, Undefined(_) | Type(_) | ZeroDivision(_) | Overflow(_))
}

impl BackoffStrategy for WaitTimeFromResponse {
    fn backoff(&self, _: u32, response: Option<&Response>) -> Result<Option<f64>, ReadError> {
        let Some(response) = response else { return Ok(None) };
        let seconds = match self.eval(response)? {
            Some(Json::Number(number)) => number.as_f64(),
            Some(Json::String(text)) => python_float(&text),
            Some(Json::Bool(flag)) => Some(f64::from(u8::from(flag))),
            _ => None,
        };
        let seconds = seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0);
        if let (Some(max_wait), Some(seconds)) = (&self.max_wait, seconds.filter(|it| *it != 0.0)) {
            max_wait.check(seconds, &self.surroundings)?;
        }
        Ok(seconds)
    }
}
