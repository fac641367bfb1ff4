//! A token that a request option puts into the request.

use futures::future::{BoxFuture, FutureExt};

use super::token::TokenSource;
use crate::components::{
    Authenticator, InjectInto, ReadError, RequestOption, RequestParts, Surroundings,
};
use crate::http::{PreparedRequest, SendError, SessionAuth};
use crate::value::Json;

/// Puts a token where a request option says.
pub(super) struct InjectedToken {
    pub(super) option: RequestOption,
    pub(super) token: Box<dyn TokenSource>,
    pub(super) surroundings: Surroundings,
}

impl Authenticator for InjectedToken {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        async {
            let mut parts = RequestParts::default();
            let token = self.token.token().await?;
            self.surroundings
                .eval(|scope| self.option.inject(&mut parts, Json::String(token), &scope))?;
            // A header without a name is none.
            parts.headers.shift_remove("");
            Ok(parts)
        }
        .boxed()
    }
}

impl SessionAuth for InjectedToken {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async {
            // What stands in the URL or the body stays as it was when the request was composed.
            if self.option.inject_into == InjectInto::Header {
                for (name, value) in self.request_parts().await?.headers {
                    request.headers.set(name, value.as_str().unwrap_or_default());
                }
            }
            Ok(())
        }
        .boxed()
    }
}
