//! No network at all.

use std::sync::Arc;

use futures::future::{self, BoxFuture};

use super::error::{ErrorKind, HttpError};
use super::request::PreparedRequest;
use super::response::Response;
use super::transport::Transport;

/// A transport that reaches nobody, for what must be found out without a network.
#[derive(Clone, Copy, Debug)]
pub struct Offline;

impl Transport for Offline {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        let message = format!("{} is not asked, as no network is used here.", request.url);
        Box::pin(future::ready(Err(HttpError::new(ErrorKind::NotRecorded, message))))
    }
}
