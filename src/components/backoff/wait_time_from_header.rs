//! `WaitTimeFromHeader`: the server says in a header how many seconds to wait.

use std::sync::Arc;

use super::header::NumericHeader;
use super::max_wait::MaxWait;
use crate::components::shape::shape;
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, ReadError, Surroundings,
};
use crate::http::Response;

/// The YAML shape.
pub mod yaml {
    use super::shape;
    use crate::components::shape::{NumberOrTemplate, Text};

    shape! {
        /// Waits as many seconds as a response header says.
        pub struct WaitTimeFromHeader {
            /// The header's name.
            header: Text,
            /// What the number looks like at the beginning of the header.
            regex: Option<Text>,
            /// A wait this long or longer fails the stream instead.
            max_waiting_time_in_seconds: Option<NumberOrTemplate>,
        }
    }
}

impl Component for yaml::WaitTimeFromHeader {
    type Family = dyn BackoffStrategy;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn BackoffStrategy>, BuildError> {
        let (max_wait, parameters) = (self.max_waiting_time_in_seconds, self.parameters);
        Ok(Arc::new(WaitTimeFromHeader {
            header: NumericHeader::build(&self.header, self.regex.as_ref(), &parameters, cx),
            max_wait: MaxWait::build(max_wait.as_ref(), &parameters, cx)?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct WaitTimeFromHeader {
    header: NumericHeader,
    max_wait: Option<MaxWait>,
    surroundings: Surroundings,
}

impl BackoffStrategy for WaitTimeFromHeader {
    fn backoff(&self, _: u32, response: Option<&Response>) -> Result<Option<f64>, ReadError> {
        let Some(response) = response else { return Ok(None) };
        let seconds = self.header.value(response, &self.surroundings)?;
        // A header of 0 asks for no wait at all, which no bound refuses.
        if let (Some(max_wait), Some(seconds)) = (&self.max_wait, seconds.filter(|it| *it != 0.0)) {
            max_wait.check(seconds, &self.surroundings)?;
        }
        Ok(seconds)
    }
}
