//! What statuses and exceptions mean when the manifest does not say.

use crate::http::{Action, ErrorKind, HttpError, Resolution, Response};
use crate::protocol::FailureType;

/// What everybody knows of a status.
pub(super) fn of_status(status: u16) -> Option<Resolution> {
    use Action::{Fail, RateLimited, Retry};
    use FailureType::{ConfigError, SystemError, TransientError};
    let (action, failure_type, text) = match status {
        400 => (Fail, SystemError, "Bad request. Please check your request parameters."),
        401 => (Fail, ConfigError, "Unauthorized. Please ensure you are authenticated correctly."),
        403 => (Fail, ConfigError, "Forbidden. You don't have permission to access this resource."),
        404 => {
            (Fail, SystemError, "Not found. The requested resource was not found on the server.")
        }
        405 => (Fail, SystemError, "Method not allowed. Please check your request method."),
        408 => (Retry, TransientError, "Request timeout."),
        429 => (RateLimited, TransientError, "Too many requests."),
        500 => (Retry, TransientError, "Internal server error."),
        502 => (Retry, TransientError, "Bad gateway."),
        503 => (Retry, TransientError, "Service unavailable."),
        504 => (Retry, TransientError, "Gateway timeout."),
        _ => return None,
    };
    let message = format!("HTTP Status Code: {status}. Error: {text}");
    Some(Resolution { action, failure_type: Some(failure_type), message: Some(message) })
}

/// What a response means by its status alone.
pub(super) fn of_response(response: &Response) -> Resolution {
    of_status(response.status).unwrap_or_else(|| {
        retry(match response.status_error() {
            Some(error) => {
                let content = response.text();
                format!("Response was not ok: `{error}`. Response content is: {content}")
            }
            None => format!("Unexpected response with HTTP status {}", response.status),
        })
    })
}

/// What it means that there is no response.
pub(super) fn of_error(error: &HttpError) -> Resolution {
    match error.kind {
        ErrorKind::InvalidSchema => Resolution {
            action: Action::Fail,
            failure_type: Some(FailureType::ConfigError),
            message: Some(
                "Invalid Protocol Schema: The endpoint that data is being requested from is using \
                 an invalid or insecure. Exception: requests.exceptions.InvalidSchema"
                    .to_owned(),
            ),
        },
        ErrorKind::InvalidUrl => Resolution {
            action: Action::Retry,
            failure_type: Some(FailureType::TransientError),
            message: Some(
                "Invalid URL specified or DNS error occurred: The endpoint that data is being \
                 requested from is not a valid URL. Exception: requests.exceptions.InvalidURL"
                    .to_owned(),
            ),
        },
        kind => retry(format!("{}: {error}", kind.class_name())),
    }
}

fn retry(message: String) -> Resolution {
    Resolution {
        action: Action::Retry,
        failure_type: Some(FailureType::SystemError),
        message: Some(message),
    }
}
