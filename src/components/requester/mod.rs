//! Requesters: they compose requests and send them.
//!
//! - [`http`]: `HttpRequester`;
//! - [`body`]: `RequestBody…`, what stands in its `request_body`.

pub mod body;
pub mod http;
mod options;

use super::slot::Member;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[Member::of::<http::yaml::HttpRequester>()];
