//! What can go wrong between a request and its response.

use crate::protocol::{FailureType, TracedError};

/// Why a request could not be prepared, sent, or answered.
///
/// Kind and message are those of the exception that the reference's HTTP
/// library raises, because error handlers and users see both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The text for people; may hold secrets of the URL until it is masked.
    pub message: String,
}

/// What went wrong, named by exceptions of the `requests` library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection, or it broke before the response began.
    Connection,
    /// The connection was not made in time.
    ConnectTimeout,
    /// The response did not begin in time.
    ReadTimeout,
    /// The server's certificate is not trusted, or it does not speak TLS.
    Ssl,
    /// The proxy cannot be reached, or refuses.
    Proxy,
    /// The body broke off.
    ChunkedEncoding,
    /// The body is not compressed as its headers say.
    ContentDecoding,
    /// A header field that cannot be sent.
    InvalidHeader,
    /// A body with a number that JSON does not know.
    InvalidJson,
    /// A URL of a scheme other than http and https.
    InvalidSchema,
    /// A URL that cannot be understood.
    InvalidUrl,
    /// A URL without a scheme.
    MissingSchema,
    /// The URL of a proxy that cannot be understood.
    InvalidProxyUrl,
    /// More than thirty redirects.
    TooManyRedirects,
    /// A character that header fields cannot hold.
    UnicodeEncode,
    /// A host name that DNS cannot hold.
    LocationParse,
    /// A file of certificates that is not there.
    Os,
    /// The host belongs to a private network, and the run may not reach those.
    PrivateNetwork,
    /// The answer is larger than the run allows.
    Limit,
    /// A replayed run asks for what was never recorded.
    NotRecorded,
}

impl ErrorKind {
    /// The class name of the exception.
    pub fn class_name(self) -> &'static str {
        match self {
            Self::Connection => "ConnectionError",
            Self::ConnectTimeout => "ConnectTimeout",
            Self::ReadTimeout => "ReadTimeout",
            Self::Ssl => "SSLError",
            Self::Proxy => "ProxyError",
            Self::ChunkedEncoding => "ChunkedEncodingError",
            Self::ContentDecoding => "ContentDecodingError",
            Self::InvalidHeader => "InvalidHeader",
            Self::InvalidJson => "InvalidJSONError",
            Self::InvalidSchema => "InvalidSchema",
            Self::InvalidUrl => "InvalidURL",
            Self::MissingSchema => "MissingSchema",
            Self::InvalidProxyUrl => "InvalidProxyURL",
            Self::TooManyRedirects => "TooManyRedirects",
            Self::UnicodeEncode => "UnicodeEncodeError",
            Self::LocationParse => "LocationParseError",
            Self::Os => "OSError",
            Self::PrivateNetwork => "AirbyteTracedException",
            Self::Limit => "LimitError",
            Self::NotRecorded => "NotRecordedError",
        }
    }

    /// The kind whose exception has the class name `name`.
    pub fn from_class_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.class_name() == name)
    }

    /// Whether error handlers are asked about it; all else fails the stream at once.
    pub fn is_request_exception(self) -> bool {
        !matches!(
            self,
            Self::UnicodeEncode
                | Self::LocationParse
                | Self::Os
                | Self::PrivateNetwork
                | Self::Limit
                | Self::NotRecorded
        )
    }

    const ALL: [Self; 20] = [
        Self::Connection,
        Self::ConnectTimeout,
        Self::ReadTimeout,
        Self::Ssl,
        Self::Proxy,
        Self::ChunkedEncoding,
        Self::ContentDecoding,
        Self::InvalidHeader,
        Self::InvalidJson,
        Self::InvalidSchema,
        Self::InvalidUrl,
        Self::MissingSchema,
        Self::InvalidProxyUrl,
        Self::TooManyRedirects,
        Self::UnicodeEncode,
        Self::LocationParse,
        Self::Os,
        Self::PrivateNetwork,
        Self::Limit,
        Self::NotRecorded,
    ];
}

impl HttpError {
    /// An error of `kind` with its text.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Why a request failed for good, after all its attempts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// An error that says all the protocol wants to know.
    #[error(transparent)]
    Traced(Box<TracedError>),
    /// Anything else: users see the class, maintainers the text.
    #[error("{message}")]
    Unexpected {
        /// The exception the reference raises.
        class: &'static str,
        /// Its text.
        message: String,
    },
}

impl SendError {
    /// Any exception that the reference does not turn into a traced error.
    pub fn unexpected(class: &'static str, message: impl Into<String>) -> Self {
        Self::Unexpected { class, message: message.into() }
    }
}

impl From<TracedError> for SendError {
    fn from(error: TracedError) -> Self {
        Self::Traced(Box::new(error))
    }
}

/// What a host of a private network means to the user.
const PRIVATE_NETWORK: &str = "Invalid URL endpoint: The endpoint that data is being requested from \
     belongs to a private network. Source connectors only support requesting data from public API \
     endpoints.";

impl From<HttpError> for SendError {
    fn from(error: HttpError) -> Self {
        match error.kind {
            ErrorKind::PrivateNetwork => {
                TracedError::config(PRIVATE_NETWORK).with_internal(error.message).into()
            }
            ErrorKind::Limit | ErrorKind::NotRecorded => {
                TracedError::new(FailureType::SystemError, error.message).into()
            }
            kind => Self::unexpected(kind.class_name(), error.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_lead_back_to_kinds() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_class_name(kind.class_name()), Some(kind));
        }
        assert_eq!(ErrorKind::from_class_name("ValueError"), None);
    }
}
