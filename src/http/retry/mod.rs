//! Sends a request as often as its error handler wants.
//!
//! Three layers of retries are nested, each with its own count: waits that a
//! backoff strategy names are the innermost, then rate limits without such a
//! wait, then all other failures. An attempt of an outer layer begins the
//! inner ones anew, so failures of mixed kinds can exceed the limit of one.

mod layer;
mod message;
mod refresh;

use std::sync::Arc;

use futures::future::BoxFuture;
use tracing::{error, info};

use self::layer::{Layer, Limits, duration};
use super::client::Client;
use super::error::{HttpError, SendError};
use super::request::PreparedRequest;
use super::resolution::{Action, Outcome, Resolution, RetryPolicy, SendObserver, SessionAuth};
use super::response::Response;
use crate::protocol::{FailureType, TracedError};
use crate::run::{RunContext, Wait, ledger};

/// Seconds of a wait that is only there to slow down a token that misreports its quota.
const TOKEN_ROTATION_WAIT: f64 = 0.1;

/// How the requests of a requester are tried.
pub struct Retry<'a> {
    /// The requester's name: that of its stream.
    pub name: &'a str,
    /// What outcomes mean, and how long to wait.
    pub policy: &'a dyn RetryPolicy,
    /// Signs each attempt after the first, which is signed already.
    pub auth: &'a dyn SessionAuth,
    /// Hears of each attempt.
    pub observer: &'a dyn SendObserver,
    /// Time and waiting.
    pub run: &'a RunContext,
    /// Whether a request is tried more than once at all; a test read does not.
    pub is_retrying: bool,
}

/// What a request came to at last.
#[derive(Debug)]
pub enum Verdict {
    /// A response to read.
    Response(Response),
    /// A response, if there is any, that the error handler ignores.
    Ignored(Option<Response>),
    /// Read the slice from its first page again.
    ResetPagination,
    /// Ask for the page again with fewer records; else fail with this message.
    ReducePageSize(Option<String>),
    /// Read the slice in smaller windows; else fail with this message.
    SplitRequestWindow(Option<String>, Option<FailureType>),
}

/// Makes one attempt; a [`Client`].
pub trait Sender: Send + Sync {
    /// Sends the request, and follows redirects.
    fn attempt<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>>;
}

impl Sender for Client {
    fn attempt<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        Box::pin(self.send(request))
    }
}

/// An attempt that should be followed by another.
struct Failed<'a> {
    request: &'a PreparedRequest,
    outcome: Outcome<'a>,
    reason: &'a str,
    failure_type: Option<FailureType>,
}

/// The counts of a request, the outermost first.
struct Layers {
    limits: Limits,
    default: Layer,
    rate_limit: Layer,
    strategy: Layer,
}

impl Retry<'_> {
    /// Sends the request until it comes to something.
    pub async fn send(
        &self,
        sender: &dyn Sender,
        request: PreparedRequest,
    ) -> Result<Verdict, SendError> {
        let mut request = Arc::new(request);
        let mut layers = self.layers();
        // Whether a new token was got for this request, once one was wanted.
        let mut refreshed = None;
        let mut attempt = 1;
        loop {
            self.observer.asked(&request);
            let result = sender.attempt(&request).await;
            if let Err(error) = &result {
                self.observer.unanswered(&request, error);
            }
            if let Err(error) = &result
                && !error.kind.is_request_exception()
            {
                return Err(error.clone().into());
            }
            if let Ok(response) = &result
                && !response.is_from_cache
            {
                self.auth.observe(&request, response);
            }
            let outcome = result.as_ref();
            let resolution = self.policy.interpret(outcome)?;
            if let Ok(response) = outcome {
                self.observer.answered(&request, response, resolution.action);
            }
            if !resolution.action.is_retry() {
                return conclude(&request, result, resolution);
            }
            if resolution.action == Action::RateLimited {
                self.observer.rate_limited();
            }
            if resolution.action == Action::RefreshTokenThenRetry {
                let reason = resolution.message.as_deref();
                refresh::refresh(self.auth, &request, outcome, reason, &mut refreshed).await?;
            }
            self.wait(&request, outcome, &resolution, attempt, &mut layers).await?;
            attempt += 1;
            ledger::count_retry();
            self.auth.sign(Arc::make_mut(&mut request)).await?;
        }
    }

    fn layers(&self) -> Layers {
        let max_retries = if self.is_retrying { self.policy.max_retries() } else { 0 };
        let limits = Limits {
            max_tries: u64::try_from(max_retries).unwrap_or(0) + 1,
            max_time: self.policy.max_time().as_secs_f64(),
        };
        let layer = Layer::new(self.run.now());
        Layers { limits, default: layer, rate_limit: layer, strategy: layer }
    }

    /// Waits for the next attempt, or fails when there is none.
    async fn wait(
        &self,
        request: &PreparedRequest,
        outcome: Outcome<'_>,
        resolution: &Resolution,
        attempt: u32,
        layers: &mut Layers,
    ) -> Result<(), SendError> {
        let is_rate_limited = resolution.action == Action::RateLimited;
        let named_wait = if is_rate_limited && self.auth.has_alternative_token(request) {
            info!(
                "Rate limited on the current credential; retrying in {TOKEN_ROTATION_WAIT}s with \
                 another one instead of waiting for the rate limit to reset. Any configured backoff, \
                 including a wait cap, is not evaluated for this retry."
            );
            Some(TOKEN_ROTATION_WAIT)
        } else {
            self.policy.backoff(attempt, outcome)?.filter(|&seconds| seconds != 0.0)
        };
        let reason = resolution.message.clone().filter(|message| !message.is_empty());
        let reason = reason.unwrap_or_else(|| message::retry_reason(request, resolution));
        let failure_type = resolution.failure_type;
        let failed = Failed { request, outcome, reason: &reason, failure_type };
        match named_wait {
            Some(seconds) => self.wait_as_named(&failed, seconds, layers).await,
            None => self.wait_exponentially(&failed, is_rate_limited, layers).await,
        }
    }

    async fn wait_as_named(
        &self,
        failed: &Failed<'_>,
        seconds: f64,
        layers: &mut Layers,
    ) -> Result<(), SendError> {
        let status = failed.outcome.ok().map(|response| response.status);
        if layers.strategy.is_spent(layers.limits) {
            error!(
                "Max retry limit reached after {:.1}s. Request: {:?}, Response: {}",
                layers.strategy.elapsed,
                failed.request,
                status.map_or_else(|| "None".to_owned(), |status| format!("<Response [{status}]>")),
            );
            return Err(self.exhausted(failed));
        }
        // A second more makes up for fractions that were cut off.
        let seconds = seconds + 1.0;
        let status = status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        info!(
            "UserDefinedBackoffException: Rate limit exceeded{status}. Retrying in {seconds} seconds."
        );
        self.run.wait(Wait::BackOff, duration(seconds)).await;
        layers.strategy.begin_try(self.run.now());
        Ok(())
    }

    async fn wait_exponentially(
        &self,
        failed: &Failed<'_>,
        is_rate_limited: bool,
        layers: &mut Layers,
    ) -> Result<(), SendError> {
        let reason = failed.reason;
        let (layer, max_time, class) = if is_rate_limited {
            (&mut layers.rate_limit, f64::INFINITY, "RateLimitBackoffException")
        } else {
            (&mut layers.default, layers.limits.max_time, "DefaultBackoffException")
        };
        let limits = Limits { max_time, ..layers.limits };
        let class = format!("airbyte_cdk.sources.streams.http.exceptions.{class}");
        if layer.is_spent(limits) {
            let n_tries = layer.n_tries;
            error!("Giving up _send(...) after {n_tries} tries ({class}: {reason})");
            return Err(self.exhausted(failed));
        }
        let seconds = layer.exponential_wait().min(max_time - layer.elapsed);
        info!("Backing off _send(...) for {seconds:.1}s ({class}: {reason})");
        info!(
            "Caught retryable error '{reason}' after {} tries. Waiting {seconds} seconds then retrying...",
            layer.n_tries
        );
        self.run.wait(Wait::BackOff, duration(seconds)).await;
        let now = self.run.now();
        layer.begin_try(now);
        layers.strategy = Layer::new(now);
        if !is_rate_limited {
            layers.rate_limit = Layer::new(now);
        }
        Ok(())
    }

    fn exhausted(&self, failed: &Failed<'_>) -> SendError {
        let Failed { request, outcome, reason, failure_type } = failed;
        error!("Retries exhausted with backoff exception.");
        // In one line, for who looks for the reason.
        let (stream, method, place) = (self.name, &request.method, request.place());
        error!("Stream {stream}: {method} {place} has failed for good: {reason}");
        let error = if outcome.is_ok_and(|response| response.status == 429) {
            TracedError::transient("API rate limit exceeded.").with_internal(format!(
                "Rate limit retry budget exhausted. Last exception: {reason}"
            ))
        } else {
            let message = format!(
                "Exhausted available request attempts. Please see logs for more details. Exception: {reason}"
            );
            TracedError::new(failure_type.unwrap_or_default(), message)
                .with_internal(format!("Exhausted available request attempts. Exception: {reason}"))
        };
        error.in_stream(self.name).into()
    }
}

/// What a request came to that is not tried again.
fn conclude(
    request: &PreparedRequest,
    result: Result<Response, HttpError>,
    resolution: Resolution,
) -> Result<Verdict, SendError> {
    let Resolution { action, failure_type, message } = resolution;
    match action {
        Action::ResetPagination => Ok(Verdict::ResetPagination),
        Action::ReducePageSize => Ok(Verdict::ReducePageSize(message)),
        Action::SplitRequestWindow => Ok(Verdict::SplitRequestWindow(message, failure_type)),
        Action::Ignore => {
            let message = message.filter(|message| !message.is_empty());
            let message = message.unwrap_or_else(|| message::ignoring(request, result.as_ref()));
            info!("{message}");
            Ok(Verdict::Ignored(result.ok()))
        }
        Action::Fail => {
            let internal = message::failure(request, result.as_ref());
            error!("{internal}");
            let message = message.filter(|message| !message.is_empty());
            let message = message.unwrap_or_else(|| internal.clone());
            let failure_type = failure_type.unwrap_or_default();
            Err(TracedError::new(failure_type, message).with_internal(internal).into())
        }
        _ => Ok(result.map_or(Verdict::Ignored(None), Verdict::Response)),
    }
}

impl std::fmt::Debug for Retry<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retry").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
