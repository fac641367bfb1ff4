//! What the outcome of a request means, and who decides it.

use std::time::Duration;

use futures::future::BoxFuture;

use super::error::{HttpError, SendError};
use super::request::PreparedRequest;
use super::response::Response;
use crate::protocol::FailureType;

/// What one attempt came to.
pub type Outcome<'a> = Result<&'a Response, &'a HttpError>;

/// What to do about an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Use the response.
    Success,
    /// Try again.
    Retry,
    /// Give up.
    Fail,
    /// Go on without an answer.
    Ignore,
    /// Try again later, and say so.
    RateLimited,
    /// Get a new token, and try again.
    RefreshTokenThenRetry,
    /// Read the slice from its first page again.
    ResetPagination,
    /// Ask for the page again with fewer records.
    ReducePageSize,
    /// Read the slice in smaller windows.
    SplitRequestWindow,
}

impl Action {
    /// The name in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Retry => "RETRY",
            Self::Fail => "FAIL",
            Self::Ignore => "IGNORE",
            Self::RateLimited => "RATE_LIMITED",
            Self::RefreshTokenThenRetry => "REFRESH_TOKEN_THEN_RETRY",
            Self::ResetPagination => "RESET_PAGINATION",
            Self::ReducePageSize => "REDUCE_PAGE_SIZE",
            Self::SplitRequestWindow => "SPLIT_REQUEST_WINDOW",
        }
    }
}

/// An error handler's verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// What to do.
    pub action: Action,
    /// Who can mend it, should it fail.
    pub failure_type: Option<FailureType>,
    /// What is told.
    pub message: Option<String>,
}

/// Decides what outcomes mean and how long to wait; an error handler.
pub trait RetryPolicy: Send + Sync {
    /// What to do about `outcome`.
    fn interpret(&self, outcome: Outcome<'_>) -> Result<Resolution, SendError>;

    /// Whether it looks into the bodies of responses that are no errors.
    fn reads_bodies(&self) -> bool {
        true
    }

    /// Seconds to wait before the next attempt, after `attempt` (from 1) had this outcome.
    ///
    /// Nothing and zero leave it to the exponential wait.
    fn backoff(&self, attempt: u32, outcome: Outcome<'_>) -> Result<Option<f64>, SendError>;

    /// Attempts after the first one; less than none is none.
    fn max_retries(&self) -> i64;

    /// How long retries may go on.
    fn max_time(&self) -> Duration;
}

/// Puts proof of identity on requests; the authenticator of a requester.
pub trait SessionAuth: Send + Sync {
    /// Signs the request, before each attempt; replaces what it set before.
    fn sign<'a>(&'a self, request: &'a mut PreparedRequest)
    -> BoxFuture<'a, Result<(), SendError>>;

    /// Gets a new token, after `rejected` was refused; `None` if it has no such thing.
    fn refresh<'a>(
        &'a self,
        _rejected: &'a PreparedRequest,
    ) -> Option<BoxFuture<'a, Result<Refreshed, RefreshError>>> {
        None
    }

    /// Whether another token can serve the request now.
    fn has_alternative_token(&self, _request: &PreparedRequest) -> bool {
        false
    }

    /// Looks at a response that was not taken from a cache.
    fn observe(&self, _request: &PreparedRequest, _response: &Response) {}
}

/// An authenticator that proves nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoAuth;

impl SessionAuth for NoAuth {
    fn sign<'a>(&'a self, _: &'a mut PreparedRequest) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Why a request should be sent again with better hope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// There is a new token.
    Now,
    /// The token had been replaced since the request was sent.
    Already,
}

/// Why there is no new token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The token endpoint refuses; it would again.
    #[error("{0}")]
    Rejected(String),
    /// Anything else, which may pass.
    #[error(transparent)]
    Failed(SendError),
}

/// Hears of what happens to the requests of a requester.
pub trait SendObserver: Send + Sync {
    /// The server asked to slow down.
    fn rate_limited(&self) {}

    /// An attempt is about to be made.
    fn asked(&self, _request: &PreparedRequest) {}

    /// An attempt was answered, and this is what it means.
    fn answered(&self, _request: &PreparedRequest, _response: &Response, _action: Action) {}

    /// An attempt came to no answer.
    fn unanswered(&self, _request: &PreparedRequest, _error: &HttpError) {}
}

/// An observer that does not listen.
#[derive(Clone, Copy, Debug)]
pub struct NoSendObserver;

impl SendObserver for NoSendObserver {}

/// May delay requests, and learns from their responses; an API budget.
pub trait Permit: Send + Sync {
    /// Waits until the request may be sent.
    fn acquire<'a>(&'a self, request: &'a PreparedRequest) -> BoxFuture<'a, ()>;

    /// Learns what the server said.
    fn observe(&self, _request: &PreparedRequest, _response: &Response) {}
}
