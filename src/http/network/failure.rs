//! Failures of the network, told as `requests` and `urllib3` tell them.

use std::error::Error;
use std::io;
use std::iter;
use std::time::Duration;

use super::super::error::{ErrorKind, HttpError};
use super::super::url::UrlParts;

/// The connection that a request wanted, for messages.
#[derive(Debug)]
pub(super) struct Destination {
    is_https: bool,
    host: String,
    port: String,
    target: String,
}

impl Destination {
    /// The destination of a request for `url`.
    pub(super) fn of(url: &str) -> Self {
        let parts = UrlParts::of(url);
        let is_https = parts.scheme == "https";
        let default_port = if is_https { "443" } else { "80" };
        let query = if parts.query.is_empty() { "" } else { "?" };
        Self {
            is_https,
            host: parts.hostname(),
            port: parts.port().unwrap_or(default_port).to_owned(),
            target: format!("{}{query}{}", parts.path, parts.query),
        }
    }

    /// No response within the time.
    pub(super) fn read_timeout(&self, timeout: Duration) -> HttpError {
        let message =
            format!("{}: Read timed out. (read timeout={})", self.pool(), seconds(timeout));
        HttpError::new(ErrorKind::ReadTimeout, message)
    }

    /// No further bytes of the body within the time.
    pub(super) fn body_timeout(&self) -> HttpError {
        HttpError::new(ErrorKind::Connection, format!("{}: Read timed out.", self.pool()))
    }

    /// The body broke off after `n_received` bytes of `n_expected`, if that is known.
    pub(super) fn broken_body(
        error: &reqwest::Error,
        n_received: u64,
        n_expected: Option<u64>,
    ) -> HttpError {
        let reason = match (os_error(error), n_expected) {
            (Some((code, text)), _) => {
                format!(
                    "(\"Connection broken: OSError({code}, '{text}')\", OSError({code}, '{text}'))"
                )
            }
            (None, Some(n_expected)) => {
                let read = format!(
                    "IncompleteRead({n_received} bytes read, {} more expected)",
                    n_expected.saturating_sub(n_received)
                );
                format!("('Connection broken: {read}', {read})")
            }
            (None, None) => "Response ended prematurely".to_owned(),
        };
        HttpError::new(ErrorKind::ChunkedEncoding, reason)
    }

    /// The request could not be sent (to a proxy, if there is one), or was not answered.
    pub(super) fn failure(
        &self,
        error: &reqwest::Error,
        connect_timeout: Duration,
        proxy: Option<&str>,
    ) -> HttpError {
        if !error.is_connect() {
            return HttpError::new(ErrorKind::Connection, aborted(error));
        }
        let connection =
            format!("{}(host='{}', port={})", self.class("Connection"), self.host, self.port);
        let (kind, cause) = if error.is_timeout() {
            let cause = format!(
                "ConnectTimeoutError(<{connection}>, 'Connection to {} timed out. (connect timeout={})')",
                self.host,
                seconds(connect_timeout),
            );
            (ErrorKind::ConnectTimeout, cause)
        } else if let Some(proxy) = proxy {
            let parts = UrlParts::of(proxy);
            let cause = format!(
                "ProxyError('Unable to connect to proxy', NewConnectionError(\"{}(host='{}', port={}): {}\"))",
                self.class("Connection"),
                parts.hostname(),
                parts.port().unwrap_or("80"),
                last_cause(error)
            );
            (ErrorKind::Proxy, cause)
        } else if error.is_dns() {
            let cause = format!(
                "NameResolutionError(\"{connection}: Failed to resolve '{}' ([Errno -2] {})\")",
                self.host,
                last_cause(error).trim_start_matches("failed to lookup address information: "),
            );
            (ErrorKind::Connection, cause)
        } else if let Some((code, text)) = os_error(error) {
            let cause = format!(
                "NewConnectionError(\"{connection}: Failed to establish a new connection: [Errno {code}] {text}\")"
            );
            (ErrorKind::Connection, cause)
        } else {
            let kind = if self.is_https { ErrorKind::Ssl } else { ErrorKind::Connection };
            (kind, format!("{}('{}')", kind.class_name(), last_cause(error)))
        };
        let message = format!(
            "{}: Max retries exceeded with url: {} (Caused by {cause})",
            self.pool(),
            self.target
        );
        HttpError::new(kind, message)
    }

    fn pool(&self) -> String {
        format!("{}(host='{}', port={})", self.class("ConnectionPool"), self.host, self.port)
    }

    fn class(&self, name: &str) -> String {
        format!("{}{name}", if self.is_https { "HTTPS" } else { "HTTP" })
    }
}

/// What happened to a connection after it was made.
fn aborted(error: &reqwest::Error) -> String {
    let reason = match os_error(error) {
        Some((code, text)) if code == 104 || code == 54 => {
            format!("ConnectionResetError({code}, '{text}')")
        }
        Some((code, text)) => format!("OSError({code}, '{text}')"),
        None => match last_cause(error) {
            cause if cause.contains("before message completed") => {
                "RemoteDisconnected('Remote end closed connection without response')".to_owned()
            }
            cause => format!("BadStatusLine('{cause}')"),
        },
    };
    format!("('Connection aborted.', {reason})")
}

/// Number and text of the system's own error below `error`.
fn os_error(error: &reqwest::Error) -> Option<(i32, String)> {
    let io_error = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>())?;
    let text = io_error.to_string();
    let text = text.rsplit_once(" (os error").map_or(&*text, |(text, _)| text);
    Some((io_error.raw_os_error()?, text.to_owned()))
}

fn last_cause(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source())
}

/// Seconds as Python shows them: `1`, `0.5`.
fn seconds(duration: Duration) -> String {
    duration.as_secs_f64().to_string()
}
