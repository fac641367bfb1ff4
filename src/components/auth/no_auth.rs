//! `NoAuth`: an API that is open to everybody.

use std::sync::Arc;

use futures::future::{self, BoxFuture, FutureExt};

use crate::components::shape::shape;
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, ReadError, RequestParts,
};
use crate::http::{PreparedRequest, SendError, SessionAuth};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Sends no proof of identity.
        pub struct NoAuth {}
    }
}

impl Component for yaml::NoAuth {
    type Family = dyn Authenticator;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        Ok(Arc::new(NoAuth))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct NoAuth;

impl Authenticator for NoAuth {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        future::ready(Ok(RequestParts::default())).boxed()
    }
}

impl SessionAuth for NoAuth {
    fn sign<'a>(&'a self, _: &'a mut PreparedRequest) -> BoxFuture<'a, Result<(), SendError>> {
        future::ready(Ok(())).boxed()
    }
}
