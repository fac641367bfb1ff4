//! `BearerAuthenticator`: a token in the `Authorization` header.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use super::token::{TemplateToken, TokenSource};
use crate::components::shape::{Text, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, ReadError, RequestParts,
};
use crate::http::{PreparedRequest, SendError, SessionAuth};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Sends `Authorization: Bearer …` with every request.
        pub struct BearerAuthenticator {
            /// The token.
            api_token: Text,
        }
    }
}

impl Component for yaml::BearerAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let token = TemplateToken::new(&self.api_token, &self.parameters, cx);
        Ok(Arc::new(BearerToken(Box::new(token))))
    }
}

/// A token from anywhere, sent in the `Authorization` header.
pub(super) struct BearerToken(pub(super) Box<dyn TokenSource>);

impl BearerToken {
    async fn header(&self) -> Result<String, ReadError> {
        Ok(format!("Bearer {}", self.0.token().await?))
    }
}

impl Authenticator for BearerToken {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        async { Ok(RequestParts::of_header("Authorization", self.header().await?)) }.boxed()
    }
}

impl SessionAuth for BearerToken {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async {
            request.headers.set("Authorization", self.header().await?);
            Ok(())
        }
        .boxed()
    }
}
