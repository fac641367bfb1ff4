//! Authenticators: proof of identity for requests.
//!
//! - [`no_auth`]: `NoAuth`, none;
//! - [`api_key`]: `ApiKeyAuthenticator`, a key in a header, a parameter, or the body;
//! - [`bearer`]: `BearerAuthenticator`, a token in the `Authorization` header;
//! - [`basic`]: `BasicHttpAuthenticator`, user name and password;
//! - [`jwt`]: `JwtAuthenticator`, a token that is signed anew for each request;
//! - [`session_token`]: `SessionTokenAuthenticator`, a token that a login gives;
//! - [`legacy_session_token`]: `LegacySessionTokenAuthenticator`, the older form of it;
//! - [`oauth`]: `OAuthAuthenticator`, a token that is renewed when it has expired;
//! - [`rate_limited`]: `RateLimitedMultipleTokenAuthenticator`, tokens that take turns;
//! - [`selective`]: `SelectiveAuthenticator`, one of these, as the config says.

pub mod api_key;
pub mod basic;
pub mod bearer;
mod expiry;
mod inject;
pub mod jwt;
mod jwt_key;
pub mod legacy_session_token;
pub mod no_auth;
pub mod oauth;
pub mod rate_limited;
pub mod selective;
pub mod session_token;
mod token;

use super::slot::Member;
use crate::template::{EvalError, InterpolatedMapping, Scope, ValidTypes, Value};
use crate::value::{Json, Map};

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<api_key::yaml::ApiKeyAuthenticator>(),
    Member::of::<basic::yaml::BasicHttpAuthenticator>(),
    Member::of::<bearer::yaml::BearerAuthenticator>(),
    Member::of::<jwt::yaml::JwtAuthenticator>(),
    Member::of::<legacy_session_token::yaml::LegacySessionTokenAuthenticator>(),
    Member::of::<no_auth::yaml::NoAuth>(),
    Member::of::<oauth::yaml::OAuthAuthenticator>(),
    Member::of::<rate_limited::yaml::RateLimitedMultipleTokenAuthenticator>(),
    Member::of::<selective::yaml::SelectiveAuthenticator>(),
    Member::of::<session_token::yaml::SessionTokenAuthenticator>(),
];

/// The evaluated mapping as JSON.
fn eval_mapping(mapping: &InterpolatedMapping, scope: &Scope<'_>) -> Result<Map, EvalError> {
    match Value::dict(mapping.eval(scope, ValidTypes::ANY)?).to_json()? {
        Json::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}
