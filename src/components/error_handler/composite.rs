//! `CompositeErrorHandler`: several error handlers, one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::first_backoff;
use crate::components::shape::shape;
use crate::components::{BackoffStrategy, BuildContext, BuildError, Component, ErrorHandler, Slot};
use crate::http::{Action, Outcome, Resolution, RetryPolicy, SendError};

/// The YAML shape.
pub mod yaml {
    use super::{ErrorHandler, Slot, shape};

    shape! {
        /// Asks several error handlers: the first that neither fails nor slows down decides, else
        /// the last one. The waits of all are used for every error.
        pub struct CompositeErrorHandler {
            /// The handlers in order.
            error_handlers: Vec<Slot<dyn ErrorHandler>>,
        }
    }
}

impl Component for yaml::CompositeErrorHandler {
    type Family = dyn ErrorHandler;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ErrorHandler>, BuildError> {
        let mut handlers: Vec<_> = self
            .error_handlers
            .iter()
            .map(|handler| handler.build(cx))
            .collect::<Result<_, _>>()?;
        let Some(last) = handlers.pop() else {
            let message = "CompositeErrorHandler expects at least 1 underlying error handler";
            return Err(BuildError::in_span(self.span, message));
        };
        let backoff_strategies = handlers
            .iter()
            .chain([&last])
            .flat_map(|handler| handler.backoff_strategies())
            .cloned()
            .collect();
        Ok(Arc::new(CompositeErrorHandler { handlers, last, backoff_strategies }))
    }
}

/// See the module documentation.
struct CompositeErrorHandler {
    handlers: Vec<Arc<dyn ErrorHandler>>,
    last: Arc<dyn ErrorHandler>,
    backoff_strategies: Vec<Arc<dyn BackoffStrategy>>,
}

impl RetryPolicy for CompositeErrorHandler {
    fn interpret(&self, outcome: Outcome<'_>) -> Result<Resolution, SendError> {
        for handler in &self.handlers {
            let resolution = handler.interpret(outcome)?;
            let is_passed_on = matches!(
                resolution.action,
                Action::Fail | Action::RateLimited | Action::RefreshTokenThenRetry
            );
            if !is_passed_on {
                return Ok(resolution);
            }
        }
        self.last.interpret(outcome)
    }

    fn reads_bodies(&self) -> bool {
        self.handlers.iter().chain([&self.last]).any(|handler| handler.reads_bodies())
    }

    fn backoff(&self, attempt: u32, outcome: Outcome<'_>) -> Result<Option<f64>, SendError> {
        Ok(first_backoff(&self.backoff_strategies, attempt, outcome)?)
    }

    fn max_retries(&self) -> i64 {
        self.handlers.first().unwrap_or(&self.last).max_retries()
    }

    fn max_time(&self) -> Duration {
        let longest = self.handlers.iter().map(|handler| handler.max_time()).max();
        self.last.max_time().max(longest.unwrap_or_default())
    }
}

impl ErrorHandler for CompositeErrorHandler {
    fn backoff_strategies(&self) -> &[Arc<dyn BackoffStrategy>] {
        &self.backoff_strategies
    }
}
