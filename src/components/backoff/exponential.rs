//! `ExponentialBackoffStrategy`: each wait is twice as long as the one before.

use std::sync::Arc;

use super::jitter;
use crate::components::shape::{NumberFrom, NumberOrTemplate, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, NumberTemplate, ReadError, Surroundings,
};
use crate::http::Response;

/// The YAML shape.
pub mod yaml {
    use super::{NumberFrom, NumberOrTemplate, shape};

    shape! {
        /// Waits twice as long before each further retry.
        pub struct ExponentialBackoffStrategy {
            /// Half the seconds of the first wait; the runtime adds one to each.
            factor: NumberOrTemplate = NumberOrTemplate::Number(5.0),
            /// Adds a random part of up to twice these seconds.
            jitter_range_in_seconds: Option<NumberFrom<0, false>>,
        }
    }
}

impl Component for yaml::ExponentialBackoffStrategy {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        // As in the reference, no factor at all is the usual one.
        let factor = match self.factor {
            NumberOrTemplate::Number(0.0) => NumberOrTemplate::Number(5.0),
            factor => factor,
        };
        Ok(Arc::new(ExponentialBackoffStrategy {
            factor: NumberTemplate::new(&factor, &self.parameters),
            jitter_range: self.jitter_range_in_seconds.map(|range| range.0),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ExponentialBackoffStrategy {
    factor: NumberTemplate,
    jitter_range: Option<f64>,
    surroundings: Surroundings,
}

impl BackoffStrategy for ExponentialBackoffStrategy {
    fn backoff(&self, attempt: u32, _: Option<&Response>) -> Result<Option<f64>, ReadError> {
        let factor = self.surroundings.eval(|scope| self.factor.eval(&scope))?;
        let seconds = factor * 2_f64.powf(f64::from(attempt));
        Ok(Some(jitter(seconds, self.jitter_range, self.surroundings.run())))
    }
}
