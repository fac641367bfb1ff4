//! Who may ask: whoever has a token that was signed with the secret of the platform.

use std::sync::Arc;

use aws_lc_rs::hmac;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::error::ApiError;
use crate::builder::outside::Outside;
use crate::value::{Json, Map, Secret, is_truthy};

/// Checks tokens; without a secret everyone may ask.
pub(super) struct TokenCheck {
    key: Option<hmac::Key>,
    outside: Outside,
}

impl TokenCheck {
    /// A check for tokens that are signed with `secret`; an empty one is none.
    pub(super) fn new(secret: Option<Secret>, outside: &Outside) -> Self {
        let secret = secret.filter(|secret| !secret.expose().is_empty());
        let key =
            secret.map(|secret| hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()));
        Self { key, outside: outside.clone() }
    }

    fn admit(&self, authorization: Option<&str>, now: Timestamp) -> Result<(), ApiError> {
        let Some(key) = &self.key else { return Ok(()) };
        let token = authorization.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let token = token.filter(|token| !token.is_empty());
        let token = token.ok_or(ApiError::Unauthorized("Bearer token required"))?;
        let valid = is_valid(token, key, now).filter(|is_valid| *is_valid);
        valid.map(|_| ()).ok_or(ApiError::Unauthorized("Invalid token"))
    }
}

/// Whether the token is signed with `key` by HS256, and valid now; nothing where it is no token.
fn is_valid(token: &str, key: &hmac::Key, now: Timestamp) -> Option<bool> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    let part = |text: &str| -> Option<Map> { serde_json::from_slice(&bytes(text)?).ok() };
    let is_text = |fields: &Map, name| fields.get(name).is_none_or(Json::is_string);
    let header = part(header)?;
    let is_plain = !header.contains_key("crit") && header.get("b64") != Some(&Json::Bool(false));
    if header.get("alg")? != "HS256" || !is_plain || !is_text(&header, "kid") {
        return Some(false);
    }
    hmac::verify(key, signed.as_bytes(), &bytes(signature)?).ok()?;
    let claims = part(payload)?;
    // Times may be floats; one that is no number makes the token invalid, as in the reference.
    let now = now.as_second();
    let seconds = |name| match claims.get(name) {
        None => Some(None),
        Some(Json::Bool(flag)) => Some(Some(i64::from(*flag))),
        Some(Json::String(text)) => text.trim().parse::<i64>().ok().map(Some),
        #[expect(clippy::cast_possible_truncation, reason = "saturates far in past and future")]
        Some(time) => time.as_f64().map(|time| Some(time.trunc() as i64)),
    };
    let is_over = seconds("exp")?.is_some_and(|exp| exp <= now);
    let is_early = seconds("nbf")?.is_some_and(|nbf| nbf > now);
    let is_of_the_future = seconds("iat")?.is_some_and(|iat| iat > now);
    let is_named = is_text(&claims, "sub") && is_text(&claims, "jti");
    // Of a token for someone else, PyJWT wants to know for whom.
    let is_for_others = claims.get("aud").is_some_and(is_truthy);
    Some(!is_over && !is_early && !is_of_the_future && is_named && !is_for_others)
}

/// Lets requests through that have a token, if there has to be one.
pub(super) async fn check(
    State(check): State<Arc<TokenCheck>>,
    request: Request,
    next: Next,
) -> Response {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|it| it.to_str().ok());
    match check.admit(authorization, check.outside.clock().now()) {
        Ok(()) => next.run(request).await,
        Err(err) => err.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: &Json, claims: &Json, secret: &str) -> String {
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[track_caller]
    fn check(secret: Option<&str>, authorization: Option<&str>, expect: Result<(), &str>) {
        let outside = Outside::from_env(crate::http::Limits::default(), None);
        let check = TokenCheck::new(secret.map(|it| it.to_owned().into()), &outside);
        let now = Timestamp::from_second(1_000).unwrap();
        let admitted = check.admit(authorization, now);
        let refused = admitted.map_err(|err| match err {
            ApiError::Unauthorized(detail) => detail,
            other => panic!("{other:?}"),
        });
        assert_eq!(refused, expect);
    }

    #[test]
    fn without_a_secret_everyone_is_let_in() {
        check(None, None, Ok(()));
        check(Some(""), Some("Bearer x"), Ok(()));
    }

    #[test]
    fn a_token_has_to_be_signed_and_valid() {
        let invalid = Err("Invalid token");
        let hs256 = json!({"alg": "HS256", "typ": "JWT"});
        let bearer = |header: &Json, claims: &Json, secret: &str| {
            format!("Bearer {}", token(header, claims, secret))
        };
        let check = |authorization: &str, expect| check(Some("s"), Some(authorization), expect);
        check(
            &bearer(&hs256, &json!({"typ": "io.airbyte.auth.internal_client", "exp": 1001}), "s"),
            Ok(()),
        );
        check(&bearer(&hs256, &json!({}), "s"), Ok(()));
        check(&bearer(&hs256, &json!({"exp": 1000}), "s"), invalid);
        check(&bearer(&hs256, &json!({"exp": "soon"}), "s"), invalid);
        check(&bearer(&hs256, &json!({"nbf": 1001}), "s"), invalid);
        check(&bearer(&hs256, &json!({"nbf": true, "iat": false, "aud": []}), "s"), Ok(()));
        check(&bearer(&hs256, &json!({"aud": "x"}), "s"), invalid);
        check(&bearer(&hs256, &json!({"sub": null}), "s"), invalid);
        check(&bearer(&hs256, &json!({"jti": 5}), "s"), invalid);
        check(&bearer(&json!({"alg": "HS256", "kid": 5}), &json!({}), "s"), invalid);
        check(&bearer(&json!({"alg": "HS256", "crit": ["x"]}), &json!({}), "s"), invalid);
        check(&bearer(&json!({"alg": "HS256", "b64": false}), &json!({}), "s"), invalid);
        check(&format!("{}==", bearer(&hs256, &json!({}), "s")), Ok(()));
        check(&bearer(&hs256, &json!({}), "other"), invalid);
        check(&bearer(&json!({"alg": "none"}), &json!({}), "s"), invalid);
        check("Bearer a.b.c", invalid);
        check("Bearer nonsense", invalid);
        check("Basic eA==", Err("Bearer token required"));
    }

    #[test]
    fn no_token_is_told() {
        check(Some("s"), None, Err("Bearer token required"));
    }
}
