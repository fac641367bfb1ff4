//! `SelectiveAuthenticator`: the config chooses one of several authenticators.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::components::shape::shape;
use crate::components::slot::accepts;
use crate::components::{Authenticator, BuildContext, BuildError, Component, Slot};
use crate::value::{Json, Path, python_str};

accepts! {
    /// Every authenticator that can be chosen.
    Selectable =
        "ApiKeyAuthenticator",
        "BasicHttpAuthenticator",
        "BearerAuthenticator",
        "OAuthAuthenticator",
        "JwtAuthenticator",
        "SessionTokenAuthenticator",
        "LegacySessionTokenAuthenticator",
        "CustomAuthenticator",
        "NoAuth",
        "RateLimitedMultipleTokenAuthenticator",
}

/// The YAML shape.
pub mod yaml {
    use super::{Authenticator, IndexMap, Selectable, Slot, shape};

    shape! {
        /// Uses the authenticator whose name stands in the config.
        pub struct SelectiveAuthenticator {
            /// Where in the config the name stands.
            authenticator_selection_path: Vec<String>,
            /// The authenticators by name.
            authenticators: IndexMap<String, Slot<dyn Authenticator, Selectable>>,
        }
    }
}

impl Component for yaml::SelectiveAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        // All are built, as in the reference: a fault of one that is not chosen shows too.
        let mut authenticators = self
            .authenticators
            .into_iter()
            .map(|(name, slot)| Ok((name, slot.build(cx)?)))
            .collect::<Result<IndexMap<_, _>, BuildError>>()?;
        let error = |message: String| BuildError::in_span(self.span, message);
        let path = self.authenticator_selection_path.into_iter().map(Json::String);
        let path = Path::new(path).map_err(|err| error(err.to_string()))?;
        let config = cx.config.snapshot();
        let name =
            path.get_in(&config).map_err(|err| error(err.to_string()))?.ok_or_else(|| {
                let message =
                    "The path from `authenticator_selection_path` is not found in the config.";
                error(message.to_owned())
            })?;
        let name = python_str(name);
        authenticators
            .swap_remove(&*name)
            .ok_or_else(|| error(format!("The authenticator `{name}` is not found.")))
    }
}
