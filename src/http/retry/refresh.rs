//! A new token for a request that was refused.

use tracing::{error, info, warn};

use super::super::error::SendError;
use super::super::request::PreparedRequest;
use super::super::resolution::{Outcome, RefreshError, Refreshed, SessionAuth};
use super::message::rejection;
use crate::protocol::{FailureType, TracedError};

/// Gets a new token, at most once for a request; `refreshed` says whether that
/// was tried and went well. `reason` is the error handler's.
pub(super) async fn refresh(
    auth: &dyn SessionAuth,
    request: &PreparedRequest,
    outcome: Outcome<'_>,
    reason: Option<&str>,
    refreshed: &mut Option<bool>,
) -> Result<(), SendError> {
    if let Some(was_refreshed) = *refreshed {
        return Err(refused_again(request, outcome, reason, was_refreshed).into());
    }
    let Some(refresh) = auth.refresh(request) else {
        warn!(
            "REFRESH_TOKEN_THEN_RETRY action received but authenticator does not support token \
             refresh. Proceeding with normal retry."
        );
        return Ok(());
    };
    let result = refresh.await;
    *refreshed = Some(result.is_ok());
    match result {
        Ok(Refreshed::Already) => info!(
            "OAuth token was already replaced since this request was sent; retrying with the \
             current token without refreshing again."
        ),
        Ok(Refreshed::Now) => {
            info!("Refreshed OAuth token due to REFRESH_TOKEN_THEN_RETRY response action");
        }
        Err(RefreshError::Rejected(reason)) => {
            let internal = format!(
                "{} and the OAuth token endpoint rejected the refresh request: {reason}",
                rejection(request, outcome)
            );
            error!("{internal}");
            let message = "OAuth token refresh request is rejected by the token endpoint.";
            return Err(TracedError::config(message).with_internal(internal).into());
        }
        Err(RefreshError::Failed(SendError::Traced(error)))
            if error.failure_type == FailureType::ConfigError =>
        {
            return Err(SendError::Traced(error));
        }
        Err(RefreshError::Failed(error)) => warn!(
            "Failed to refresh OAuth token: {error}. Proceeding with retry using existing token."
        ),
    }
    Ok(())
}

/// The error of a request that was refused with a new token too, or for lack of one.
fn refused_again(
    request: &PreparedRequest,
    outcome: Outcome<'_>,
    reason: Option<&str>,
    was_refreshed: bool,
) -> TracedError {
    let (failure_type, message, circumstance) = if was_refreshed {
        (
            FailureType::ConfigError,
            "Refreshed OAuth access token is rejected by the API.",
            "again after the OAuth token was refreshed",
        )
    } else {
        (
            FailureType::TransientError,
            "API rejects the current OAuth access token and the token refresh failed.",
            "and the OAuth token could not be refreshed",
        )
    };
    let rejection = rejection(request, outcome);
    let reason = reason.filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" Error handler message: '{reason}'"));
    let internal = format!(
        "{rejection} {circumstance}; not refreshing again.{}",
        reason.as_deref().unwrap_or_default()
    );
    error!("{internal}");
    TracedError::new(failure_type, message).with_internal(internal)
}
