//! `ConstantBackoffStrategy`: the same wait before every retry, give or take.

use std::sync::Arc;

use super::jitter;
use crate::components::shape::{NumberFrom, Text, either, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, NumberTemplate, ReadError, Surroundings,
};
use crate::http::Response;
use crate::template::InterpolatedString;

either! {
    /// Seconds to wait, not less than none, or a template that gives them.
    pub enum Seconds { Template(Text) if |node| node.as_str().is_some(), Number(NumberFrom<0, false>) }
}

/// The YAML shape.
pub mod yaml {
    use super::{NumberFrom, Seconds, shape};

    shape! {
        /// Waits the same time before every retry.
        pub struct ConstantBackoffStrategy {
            /// Seconds to wait; the runtime adds one.
            backoff_time_in_seconds: Seconds,
            /// Adds a random part of up to twice these seconds.
            jitter_range_in_seconds: Option<NumberFrom<0, false>>,
        }
    }
}

impl Component for yaml::ConstantBackoffStrategy {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        Ok(Arc::new(ConstantBackoffStrategy {
            seconds: match &self.backoff_time_in_seconds {
                Seconds::Number(seconds) => NumberTemplate::Number(seconds.0),
                Seconds::Template(text) => {
                    NumberTemplate::Template(InterpolatedString::new(text, self.parameters))
                }
            },
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
