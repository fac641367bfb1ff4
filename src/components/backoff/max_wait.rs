//! `max_waiting_time_in_seconds`: a wait this long or longer ends the stream.

use crate::components::shape::NumberOrTemplate;
use crate::components::{
    BuildContext, BuildError, NumberTemplate, Parameters, ReadError, Surroundings,
};
use crate::protocol::{FailureType, TracedError};
use crate::value::write_python_float;

/// What the user is told when the bound cannot be evaluated: it stands in the manifest.
const NOT_A_NUMBER: &str = "The connector could not determine how long it is allowed to wait for a \
     rate limit to clear. This is a problem with the connector rather than with your configuration.";

/// The longest wait that a strategy may ask for.
#[derive(Debug)]
pub(super) struct MaxWait(NumberTemplate);

impl MaxWait {
    /// Evaluates the bound at once, so that a faulty one does not wait for a rate limit to show.
    pub(super) fn build(
        written: Option<&NumberOrTemplate>,
        parameters: &Parameters,
        cx: &BuildContext<'_>,
    ) -> Result<Option<Self>, BuildError> {
        let Some(written) = written else { return Ok(None) };
        let max_wait = Self(NumberTemplate::new(written, parameters));
        match max_wait.seconds(&cx.surroundings()) {
            Ok(_) => Ok(Some(max_wait)),
            Err(_) => Err(BuildError::new(NOT_A_NUMBER).failing(FailureType::SystemError)),
        }
    }

    /// Refuses `wait` when it reaches the bound.
    pub(super) fn check(&self, wait: f64, surroundings: &Surroundings) -> Result<(), ReadError> {
        let max_wait = self.seconds(surroundings)?;
        if wait < max_wait {
            return Ok(());
        }
        let mut internal = "Rate limit wait time ".to_owned();
        write_python_float(wait, &mut internal);
        internal.push_str("s is greater than or equal to the maximum of ");
        write_python_float(max_wait, &mut internal);
        internal.push_str("s this stream is allowed to wait. Stopping the stream...");
        let message = "The rate limit wait time is longer than the connector is allowed to wait.";
        Err(ReadError::traced(TracedError::transient(message).with_internal(internal)))
    }

    fn seconds(&self, surroundings: &Surroundings) -> Result<f64, ReadError> {
        let error = |reason: String| {
            let internal = format!("Failed to evaluate max_waiting_time_in_seconds: {reason}");
            ReadError::traced(TracedError::system(NOT_A_NUMBER).with_internal(internal))
        };
        match surroundings.eval(|scope| self.0.eval(&scope)) {
            Ok(seconds) if seconds.is_finite() => Ok(seconds),
            Ok(seconds) => Err(error(format!("it is {seconds}, which is not a finite number"))),
            Err(err) => Err(error(err.to_string())),
        }
    }
}
