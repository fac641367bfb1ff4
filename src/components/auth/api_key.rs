//! `ApiKeyAuthenticator`: a key in a header, a parameter, or the body.

use std::sync::Arc;

use super::inject::InjectedToken;
use super::token::TemplateToken;
use crate::components::shape::{Text, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, InjectInto, RequestOption,
};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};
    use crate::components::request_option::yaml::RequestOption;

    shape! {
        /// Sends a key with every request.
        pub struct ApiKeyAuthenticator {
            /// The key.
            api_token: Option<Text>,
            /// The name of the header that the key is sent in; `inject_into` is the newer way.
            header: Option<Text>,
            /// Where the key is put.
            inject_into: Option<RequestOption>,
        }
    }
}

impl Component for yaml::ApiKeyAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let parameters = self.parameters;
        let option = match (&self.inject_into, &self.header) {
            (Some(option), None) => RequestOption::build(option, &parameters)?,
            (None, Some(header)) => RequestOption::named(InjectInto::Header, header, &parameters),
            (None, None) => {
                let message =
                    "Expected either inject_into or header to be set for ApiKeyAuthenticator";
                return Err(BuildError::in_span(self.span, message));
            }
            (Some(_), Some(header)) => {
                let message = "inject_into and header cannot be set both for ApiKeyAuthenticator \
                               - remove the deprecated header option";
                return Err(BuildError::in_span(header.span, message));
            }
        };
        let token = self.api_token.unwrap_or_else(|| Text::new(""));
        Ok(Arc::new(InjectedToken {
            option,
            token: Box::new(TemplateToken::new(&token, &parameters, cx)),
            surroundings: cx.surroundings(),
        }))
    }
}
