//! `ConstantBackoffStrategy`: the same wait before every retry, give or take.

use std::sync::Arc;

use super::jitter;
use crate::components::shape::{NumberFrom, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, NumberTemplate, ReadError, Surroundings,
};
use crate::http::Response;

/// The YAML shape.
pub mod yaml {
    use super::{NumberFrom, shape};
    use crate::components::shape::NumberOrTemplate;

    shape! {
        /// Waits the same time before every retry.
        pub struct ConstantBackoffStrategy {
            /// Seconds to wait; the runtime adds one.
            backoff_time_in_seconds: NumberOrTemplate,
            /// Adds a random part of up to twice these seconds.
            jitter_range_in_seconds: Option<NumberFrom<0, false>>,
        }
    }
}

impl Component for yaml::ConstantBackoffStrategy {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        Ok(Arc::new(ConstantBackoffStrategy {
            seconds: NumberTemplate::new(&self.backoff_time_in_seconds, &self.parameters),
            jitter_range: self.jitter_range_in_seconds.map(|range| range.0),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ConstantBackoffStrategy {
    seconds: NumberTemplate,
    jitter_range: Option<f64>,
    surroundings: Surroundings,
}

impl BackoffStrategy for ConstantBackoffStrategy {
    fn backoff(&self, _: u32, _: Option<&Response>) -> Result<Option<f64>, ReadError> {
        let seconds = self.surroundings.eval(|scope| self.seconds.eval(&scope))?;
        Ok(Some(jitter(seconds, self.jitter_range, self.surroundings.run())))
    }
}
