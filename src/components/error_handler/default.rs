//! `DefaultErrorHandler`: filters in order, then what everybody knows of a status.

use std::sync::Arc;
use std::time::Duration;

use super::response_filter::{self, HttpResponseFilter};
use super::{default_mapping, first_backoff};
use crate::components::shape::{IntOrTemplate, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, ErrorHandler, Parameters, Slot,
};
use crate::http::{Action, Outcome, Resolution, RetryPolicy, SendError};
use crate::template::InterpolatedString;
use crate::value::{python_int, python_repr};

/// How long the retries of a request may go on.
const MAX_TIME: Duration = Duration::from_mins(10);

/// The YAML shape.
pub mod yaml {
    use super::response_filter::yaml::HttpResponseFilter;
    use super::{BackoffStrategy, IntOrTemplate, Slot, shape};

    shape! {
        /// Decides by its filters what a response means; else by the status: below 400 it is a
        /// success, and errors are retried or fail by what is usual for them.
        pub struct DefaultErrorHandler {
            /// How long to wait before a retry: the first that knows counts.
            backoff_strategies: Option<Vec<Slot<dyn BackoffStrategy>>>,
            /// How often a request is sent again.
            max_retries: IntOrTemplate = IntOrTemplate::Int(5),
            /// What some responses mean: the first that matches counts.
            response_filters: Option<Vec<HttpResponseFilter>>,
        }
    }
}

impl Component for yaml::DefaultErrorHandler {
    type Family = dyn ErrorHandler;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ErrorHandler>, BuildError> {
        let strategies = self.backoff_strategies.unwrap_or_default();
        let filters = self.response_filters.unwrap_or_default();
        Ok(Arc::new(DefaultErrorHandler {
            backoff_strategies: strategies
                .iter()
                .map(|strategy| strategy.build(cx))
                .collect::<Result<_, _>>()?,
            filters: filters.iter().map(|filter| HttpResponseFilter::build(filter, cx)).collect(),
            max_retries: max_retries(&self.max_retries, &self.parameters, cx)?,
        }))
    }
}

fn max_retries(
    written: &IntOrTemplate,
    parameters: &Parameters,
    cx: &BuildContext<'_>,
) -> Result<i64, BuildError> {
    let text = match written {
        IntOrTemplate::Int(count) => return Ok(*count),
        IntOrTemplate::Template(text) => text,
    };
    let template = InterpolatedString::new(text, parameters.clone()).with_default("5");
    let value = cx.surroundings().eval(|scope| template.eval_json(&scope))?;
    python_int(&value).ok_or_else(|| {
        let message = format!(
            "DefaultErrorHandler.max_retries did not evaluate to an integer (got {})",
            python_repr(&value)
        );
        BuildError::in_span(text.span, message)
    })
}

/// See the module documentation.
pub(super) struct DefaultErrorHandler {
    filters: Vec<HttpResponseFilter>,
    backoff_strategies: Vec<Arc<dyn BackoffStrategy>>,
    max_retries: i64,
}

impl RetryPolicy for DefaultErrorHandler {
    fn interpret(&self, outcome: Outcome<'_>) -> Result<Resolution, SendError> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return Ok(default_mapping::of_error(error)),
        };
        for filter in &self.filters {
            if let Some(resolution) = filter.resolve(response)? {
                return Ok(resolution);
            }
        }
        if response.is_ok() {
            return Ok(Resolution { action: Action::Success, failure_type: None, message: None });
        }
        Ok(default_mapping::of_response(response))
    }

    fn backoff(&self, attempt: u32, outcome: Outcome<'_>) -> Result<Option<f64>, SendError> {
        Ok(first_backoff(&self.backoff_strategies, attempt, outcome)?)
    }

    fn max_retries(&self) -> i64 {
        self.max_retries
    }

    fn max_time(&self) -> Duration {
        MAX_TIME
    }
}

impl ErrorHandler for DefaultErrorHandler {
    fn backoff_strategies(&self) -> &[Arc<dyn BackoffStrategy>] {
        &self.backoff_strategies
    }
}
