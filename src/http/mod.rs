//! The network: requests out, responses in. No other room opens sockets.
//!
//! A requester composes a [`Request`], which is prepared the way Python's
//! `requests` does it, byte for byte; its [`Client`] sends it, follows
//! redirects, and keeps cookies; [`Retry`] does so as often as the error
//! handler wants. Below the clients of a run there is one [`Transport`]: the
//! network, or a [`cassette`] of what it said earlier.

mod cache;
pub mod cassette;
mod client;
mod encode;
mod error;
mod error_message;
mod headers;
mod limits;
mod links;
mod network;
mod normalize;
mod offline;
mod redirect;
mod request;
mod resolution;
mod response;
mod retry;
mod text;
mod transport;
mod url;

pub use client::{Client, Http};
pub use encode::{parse_query, quote_plus, requote_uri, unquote, urlencode};
pub use error::{ErrorKind, HttpError, SendError};
pub use error_message::error_message;
pub use headers::Headers;
pub use limits::{LimitError, Limits};
pub use links::links;
pub use network::Network;
pub use offline::Offline;
pub use request::{BodyMode, Method, Options, ParamValue, PreparedRequest, Request, RequestBody};
pub use resolution::{
    Action, NoAuth, NoSendObserver, Outcome, Permit, RefreshError, Refreshed, Resolution,
    RetryPolicy, SendObserver, SessionAuth,
};
pub use response::{Body, BodyStream, Response, Transfer};
pub use retry::{Retry, Sender, Verdict};
pub use text::decode_text;
pub use transport::Transport;
pub use url::{join, urljoin};
