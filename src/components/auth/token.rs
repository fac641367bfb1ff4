//! Where tokens come from.

use futures::future::{self, BoxFuture, FutureExt};

use crate::components::shape::Text;
use crate::components::{BuildContext, Parameters, ReadError, Surroundings};
use crate::template::InterpolatedString;

/// Knows, makes, or fetches a token.
pub(super) trait TokenSource: Send + Sync {
    /// The token as it is now.
    fn token(&self) -> BoxFuture<'_, Result<String, ReadError>>;
}

/// A token that a template gives.
#[derive(Debug)]
pub(super) struct TemplateToken {
    template: InterpolatedString,
    surroundings: Surroundings,
}

impl TemplateToken {
    pub(super) fn new(text: &Text, parameters: &Parameters, cx: &BuildContext<'_>) -> Self {
        let template = InterpolatedString::new(text, parameters.clone());
        Self { template, surroundings: cx.surroundings() }
    }
}

impl TokenSource for TemplateToken {
    fn token(&self) -> BoxFuture<'_, Result<String, ReadError>> {
        let token = self.surroundings.eval(|scope| self.template.eval_string(&scope));
        future::ready(token.map_err(ReadError::from)).boxed()
    }
}
