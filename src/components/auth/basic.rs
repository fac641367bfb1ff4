//! `BasicHttpAuthenticator`: user name and password in the `Authorization` header.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::{self, BoxFuture, FutureExt};

use crate::components::shape::{Text, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, ReadError, RequestParts, Surroundings,
};
use crate::http::{PreparedRequest, SendError, SessionAuth};
use crate::template::{EvalError, InterpolatedString};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Sends user name and password with every request, as RFC 7617 says.
        pub struct BasicHttpAuthenticator {
            /// The user name.
            username: Text,
            /// The password.
            password: Text = Text::new(""),
        }
    }
}

impl Component for yaml::BasicHttpAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        Ok(Arc::new(BasicHttpAuthenticator {
            username: InterpolatedString::new(&self.username, self.parameters.clone()),
            password: InterpolatedString::new(&self.password, self.parameters),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct BasicHttpAuthenticator {
    username: InterpolatedString,
    password: InterpolatedString,
    surroundings: Surroundings,
}

impl BasicHttpAuthenticator {
    fn header(&self) -> Result<String, EvalError> {
        let credentials = self.surroundings.eval(|scope| {
            let username = self.username.eval_string(&scope)?;
            Ok::<_, EvalError>(format!("{username}:{}", self.password.eval_string(&scope)?))
        })?;
        let encoded = STANDARD.encode(&credentials);
        let secrets = &self.surroundings.environment().secrets;
        // A server that repeats what it hears repeats a password in this form.
        let is_secret = secrets.mask(&credentials) != credentials;
        if is_secret && secrets.mask(&encoded) == encoded {
            secrets.add(&encoded);
        }
        Ok(format!("Basic {encoded}"))
    }
}

impl Authenticator for BasicHttpAuthenticator {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        let parts = self.header().map(|header| RequestParts::of_header("Authorization", header));
        future::ready(parts.map_err(ReadError::from)).boxed()
    }
}

impl SessionAuth for BasicHttpAuthenticator {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        let signed = self.header().map(|header| request.headers.set("Authorization", header));
        future::ready(signed.map_err(|err| ReadError::from(err).into())).boxed()
    }
}
