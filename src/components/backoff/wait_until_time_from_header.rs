//! `WaitUntilTimeFromHeader`: the server says in a header when to come again.

use std::sync::Arc;

use super::header::NumericHeader;
use super::max_wait::MaxWait;
use crate::components::shape::shape;
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, NumberTemplate, ReadError, Surroundings,
};
use crate::http::Response;

/// The YAML shape.
pub mod yaml {
    use super::shape;
    use crate::components::shape::{NumberOrTemplate, Text};

    shape! {
        /// Waits until the time that a response header says, in seconds since 1970.
        pub struct WaitUntilTimeFromHeader {
            /// The header's name.
            header: Text,
            /// Seconds to wait at least, also when the header is missing.
            min_wait: Option<NumberOrTemplate>,
            /// What the number looks like at the beginning of the header.
            regex: Option<Text>,
            /// A wait this long or longer fails the stream instead.
            max_waiting_time_in_seconds: Option<NumberOrTemplate>,
        }
    }
}

impl Component for yaml::WaitUntilTimeFromHeader {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        let (max_wait, parameters) = (self.max_waiting_time_in_seconds, self.parameters);
        Ok(Arc::new(WaitUntilTimeFromHeader {
            header: NumericHeader::build(&self.header, self.regex.as_ref(), &parameters, cx),
            min_wait: self.min_wait.map(|min_wait| NumberTemplate::new(&min_wait, &parameters)),
            max_wait: MaxWait::build(max_wait.as_ref(), &parameters, cx)?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct WaitUntilTimeFromHeader {
    header: NumericHeader,
    min_wait: Option<NumberTemplate>,
    max_wait: Option<MaxWait>,
    surroundings: Surroundings,
}

impl BackoffStrategy for WaitUntilTimeFromHeader {
    fn backoff(&self, _: u32, response: Option<&Response>) -> Result<Option<f64>, ReadError> {
        let until = match response {
            Some(response) => self.header.value(response, &self.surroundings)?,
            None => None,
        };
        let min_wait = match &self.min_wait {
            Some(min_wait) => self.surroundings.eval(|scope| min_wait.eval_if_set(&scope))?,
            None => None,
        };
        let min_wait = min_wait.filter(|seconds| *seconds != 0.0);
        let left = until
            .filter(|until| *until != 0.0)
            .map(|until| until - self.surroundings.run().now().as_duration().as_secs_f64());
        let wait = match (left, min_wait) {
            (Some(left), Some(min_wait)) => left.max(min_wait),
            (None, Some(min_wait)) => min_wait,
            (Some(left), None) if left >= 0.0 => left,
            (_, None) => return Ok(None),
        };
        if let Some(max_wait) = &self.max_wait {
            max_wait.check(wait, &self.surroundings)?;
        }
        Ok(Some(wait))
    }
}
