//! Who may talk to the Builder.
//!
//! On the loopback interface that is every program of this machine, but no page of another site: a
//! browser tells by `Host` and `Origin` which page asks, and a name that was bent to lead to this
//! machine is not one of its own. Bound elsewhere it is whoever has the token.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, ORIGIN, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use crate::value::Secret;

/// The cookie that holds the token.
const TOKEN: &str = "builder_token";
/// What a browser says of the page that asks.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who is let in.
#[derive(Clone, Debug)]
pub(super) struct Guard(Arc<Access>);

/// What somebody needs to be let in.
#[derive(Debug)]
pub(super) enum Access {
    /// To be on this machine.
    Loopback,
    /// To know the token.
    Token(Secret),
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Admit,
    /// The token came in the address, and is a cookie from now on.
    Welcome,
    /// It comes from a page of another site, or to a name that is not this machine's.
    Foreign,
    /// It has no token, or a wrong one.
    Unknown,
}

impl Guard {
    pub(super) fn new(access: Access) -> Self {
        Self(Arc::new(access))
    }

    /// Refuses what the pages of other sites have a browser ask.
    fn is_foreign(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        let host = text(headers, &HOST);
        if matches!(*self.0, Access::Loopback) && !host.is_some_and(is_own_name) {
            return true;
        }
        let is_api = uri.path().starts_with("/api/");
        if is_api && text(headers, &FETCH_SITE) == Some("cross-site") {
            return true;
        }
        let Some(origin) = headers.get(ORIGIN) else { return false };
        let origin = origin.to_str().ok().and_then(|origin| {
            origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
        });
        origin.is_none() || origin != host
    }

    fn verdict(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Verdict {
        if self.is_foreign(headers, uri) {
            return Verdict::Foreign;
        }
        let Access::Token(token) = &*self.0 else { return Verdict::Admit };
        let is_token = |given: &str| {
            let (given, token) = (given.as_bytes(), token.expose().as_bytes());
            constant_time::verify_slices_are_equal(given, token).is_ok()
        };
        let bearer = text(headers, &AUTHORIZATION).and_then(|it| it.strip_prefix("Bearer "));
        let cookies = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
        let mut cookies =
            cookies.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
        if bearer.is_some_and(is_token)
            || cookies.any(|(name, value)| name == TOKEN && is_token(value))
        {
            return Verdict::Admit;
        }
        let given = token_in(uri).filter(|_| method == Method::GET);
        if given.is_some_and(is_token) { Verdict::Welcome } else { Verdict::Unknown }
    }

    fn token(&self) -> &str {
        match &*self.0 {
            Access::Loopback => "",
            Access::Token(token) => token.expose(),
        }
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The token in an address.
fn token_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|part| part.strip_prefix("token="))
}

/// Whether this is a name that leads to this machine wherever it is looked up.
fn is_own_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_v4 =
        name.starts_with("127.") && name.split('.').count() == 4 && name.split('.').all(is_number);
    name.eq_ignore_ascii_case("localhost") || name == "[::1]" || is_v4
}

/// Keeps the pages of other sites away from everything that is served.
pub(super) async fn keep_foreigners_out(
    State(guard): State<Guard>,
    request: Request,
    next: Next,
) -> Response {
    if guard.is_foreign(request.headers(), request.uri()) {
        return refusal(&Verdict::Foreign);
    }
    next.run(request).await
}

/// Lets in whoever may use the Builder.
pub(super) async fn admit(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    match guard.verdict(request.method(), request.uri(), request.headers()) {
        Verdict::Admit => {
            let mut response = next.run(request).await;
            if is_api {
                let headers = response.headers_mut();
                headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
                headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
                let policy = "default-src 'none'; frame-ancestors 'none'; sandbox";
                headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
            }
            response
        }
        Verdict::Welcome => {
            let cookie = format!("{TOKEN}={}; HttpOnly; SameSite=Strict; Path=/", guard.token());
            ([(SET_COOKIE, cookie)], Redirect::to(request.uri().path())).into_response()
        }
        refused => refusal(&refused),
    }
}

fn refusal(verdict: &Verdict) -> Response {
    let (status, code, message) = match verdict {
        Verdict::Unknown => (
            StatusCode::UNAUTHORIZED,
            "unknown",
            "open the address with the token that the program told when it started",
        ),
        _ => (
            StatusCode::FORBIDDEN,
            "foreign",
            "this comes from the page of another site, or to a name that is not this machine's",
        ),
    };
    let error = json!({"error": {"code": code, "message": message}});
    (status, axum::Json(error)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(guard: &Guard, uri: &str, headers: &[(&str, &str)], expect: &Verdict) {
        let pairs = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let (uri, headers) = (uri.parse().unwrap(), pairs.collect());
        assert_eq!(guard.verdict(&Method::GET, &uri, &headers), *expect);
    }

    #[test]
    fn pages_of_others_are_kept_out() {
        let guard = Guard::new(Access::Loopback);
        let check = |headers: &[_], expect| check(&guard, "/api/session", headers, &expect);
        for host in ["localhost:8080", "127.0.0.1:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"] {
            check(&[("host", host)], Verdict::Admit);
        }
        for host in [
            "evil.com:8080",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "127.evil.com",
            "10.0.0.1",
            "",
        ] {
            check(&[("host", host)], Verdict::Foreign);
        }
        check(&[], Verdict::Foreign);
        let host = ("host", "localhost:8080");
        check(&[host, ("origin", "http://localhost:8080")], Verdict::Admit);
        for origin in
            ["http://localhost:9090", "http://evil.com", "null", "file://", "http://127.0.0.1:8080"]
        {
            check(&[host, ("origin", origin)], Verdict::Foreign);
        }
        check(&[host, ("sec-fetch-site", "same-origin")], Verdict::Admit);
        check(&[host, ("sec-fetch-site", "cross-site")], Verdict::Foreign);
    }

    #[test]
    fn elsewhere_a_token_is_needed() {
        let guard = Guard::new(Access::Token(Secret::new("s3cret".to_owned())));
        let host = ("host", "builder.example.com");
        let at = |uri, headers: &[_], expect| check(&guard, uri, headers, &expect);
        at("/", &[host], Verdict::Unknown);
        at("/?token=nope", &[host], Verdict::Unknown);
        at("/?token=s3cret", &[host], Verdict::Welcome);
        at("/a?x=1&token=s3cret", &[host], Verdict::Welcome);
        at("/api/session", &[host, ("authorization", "Bearer s3cret")], Verdict::Admit);
        at("/api/session", &[host, ("authorization", "Bearer s3cre")], Verdict::Unknown);
        at("/api/session", &[host, ("cookie", "a=b; builder_token=s3cret")], Verdict::Admit);
        at("/api/session", &[host, ("cookie", "builder_token=")], Verdict::Unknown);
        let foreign = ("origin", "https://evil.com");
        at("/api/session", &[host, ("cookie", "builder_token=s3cret"), foreign], Verdict::Foreign);
    }
}
