//! What stands between clients and the outside world.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::error::HttpError;
use super::request::PreparedRequest;
use super::response::Response;

/// Answers requests: the network, or a recording of it.
pub trait Transport: Send + Sync {
    /// One request, one response; redirects are not followed, cookies not kept.
    ///
    /// The body comes as the request's options say, but whole if the status is
    /// not one of success.
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>>;
}
