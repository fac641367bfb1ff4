//! Where a redirect leads, and what of the request goes there.

use std::sync::Arc;

use super::encode::requote_uri;
use super::request::{Method, PreparedRequest};
use super::response::Response;
use super::url::{UrlParts, split_params, urljoin};

/// Redirects that are followed before the chain counts as endless.
pub(super) const MAX_REDIRECTS: usize = 30;

/// The request that a response sends us to, if it is a redirect.
///
/// It has no `Cookie`; `fragment` is that of the last URL that had one.
pub(super) fn redirected(response: &Response, fragment: &mut String) -> Option<PreparedRequest> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let request = &response.request;
    let location = response.headers.get("location").filter(|location| !location.is_empty())?;
    let url = target(&request.url, &utf8(location), fragment);
    let mut next = PreparedRequest { url, ..PreparedRequest::clone(request) };
    next.method = match (response.status, &request.method) {
        (302 | 303, method) if method != Method::HEAD => Method::GET,
        (301, &Method::POST) => Method::GET,
        (_, method) => method.clone(),
    };
    if !matches!(response.status, 307 | 308) {
        next.body = None;
        for name in ["Content-Length", "Content-Type", "Transfer-Encoding"] {
            next.headers.remove(name);
        }
    }
    next.headers.remove("Cookie");
    if must_strip_authorization(&UrlParts::of(&request.url), &UrlParts::of(&next.url)) {
        next.headers.remove("Authorization");
    }
    Some(next)
}

/// Header fields arrive as Latin-1, but locations are written in UTF-8.
fn utf8(location: &str) -> String {
    let bytes: Option<Vec<u8>> =
        location.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| location.to_owned())
}

fn target(from: &str, location: &str, fragment: &mut String) -> String {
    let from_parts = UrlParts::of(from);
    let location = match location.strip_prefix("//") {
        Some(_) => format!("{}:{location}", from_parts.scheme),
        None => location.to_owned(),
    };
    let mut parts = UrlParts::of(&location);
    if parts.fragment.is_empty() {
        parts.fragment.clone_from(fragment);
    } else {
        fragment.clone_from(&parts.fragment);
    }
    if let (path, "") = split_params(&parts.path) {
        parts.path.truncate(path.len());
    }
    let url = requote_uri(&parts.to_string());
    if parts.netloc.is_empty() { urljoin(from, &url) } else { url }
}

/// Whether the proof of identity for one URL is not for the other.
fn must_strip_authorization(from: &UrlParts, to: &UrlParts) -> bool {
    if from.hostname() != to.hostname() {
        return true;
    }
    let default_port = |parts: &UrlParts| match parts.scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => "",
    };
    let has_default_port = |parts: &UrlParts| parts.port().is_none_or(|p| p == default_port(parts));
    // Going from http to https on the usual ports is safe.
    let is_upgrade = from.scheme == "http" && to.scheme == "https";
    if (is_upgrade || from.scheme == to.scheme) && has_default_port(from) && has_default_port(to) {
        return false;
    }
    from.port() != to.port() || from.scheme != to.scheme
}

/// The fragment that redirects of a request begin with.
pub(super) fn fragment_of(request: &Arc<PreparedRequest>) -> String {
    UrlParts::of(&request.url).fragment
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::http::{Body, Headers, Request, RequestBody};

    fn follow(method: Method, url: &str, status: u16, location: &str) -> Option<PreparedRequest> {
        let mut request = Request::new(method, url);
        request.body = RequestBody::Text("body".into());
        request.headers = vec![
            ("Authorization".into(), "Bearer t".into()),
            ("Cookie".into(), "a=b".into()),
            ("Content-Type".into(), "text/plain".into()),
        ];
        let request = Arc::new(request.prepare().unwrap());
        let headers = Headers::from_iter([("Location", location)]);
        let response =
            Response::new(status, headers, Arc::clone(&request), Body::Whole(Bytes::new()));
        redirected(&response, &mut fragment_of(&request))
    }

    #[track_caller]
    fn check_url(from: &str, location: &str, expect: &str) {
        assert_eq!(follow(Method::GET, from, 302, location).unwrap().url, expect);
    }

    #[test]
    fn locations_are_resolved() {
        check_url("http://h/a/b?c=1", "d e?f", "http://h/a/d%20e?f");
        check_url("http://h/a/b", "/d", "http://h/d");
        check_url("https://h/a", "//o/d", "https://o/d");
        check_url("http://h/a#f", "/d", "http://h/d#f");
        check_url("http://h/a#f", "http://o/d#g", "http://o/d#g");
        check_url("http://h/a", "/\u{c3}\u{a9}", "http://h/%C3%A9");
        check_url("http://h/a", "/b;?c", "http://h/b?c");
    }

    #[track_caller]
    fn check_method(method: Method, status: u16, expect: Option<(&Method, bool)>) {
        let next = follow(method, "http://h/", status, "/x");
        let found = next.map(|next| {
            assert_eq!(next.body.is_some(), next.headers.contains("content-type"));
            assert!(!next.headers.contains("cookie"));
            (next.method, next.body.is_some())
        });
        assert_eq!(found, expect.map(|(method, has_body)| (method.clone(), has_body)));
    }

    #[test]
    fn most_redirects_become_a_get() {
        check_method(Method::POST, 301, Some((&Method::GET, false)));
        check_method(Method::PUT, 301, Some((&Method::PUT, false)));
        check_method(Method::PUT, 302, Some((&Method::GET, false)));
        check_method(Method::PATCH, 303, Some((&Method::GET, false)));
        check_method(Method::POST, 307, Some((&Method::POST, true)));
        check_method(Method::POST, 308, Some((&Method::POST, true)));
    }

    #[test]
    fn other_statuses_lead_nowhere() {
        for status in [200, 300, 304, 404] {
            check_method(Method::GET, status, None);
        }
        assert_eq!(follow(Method::GET, "http://h/", 302, ""), None);
    }

    #[track_caller]
    fn check_authorization(from: &str, location: &str, is_kept: bool) {
        let next = follow(Method::GET, from, 302, location).unwrap();
        assert_eq!(next.headers.contains("authorization"), is_kept);
    }

    #[test]
    fn proof_of_identity_stays_with_its_host() {
        check_authorization("https://h/a", "/b", true);
        check_authorization("https://h/a", "https://H:443/b", true);
        check_authorization("http://h/a", "https://h/b", true);
        check_authorization("http://h:8080/a", "https://h/b", false);
        check_authorization("https://h/a", "http://h/b", false);
        check_authorization("https://h/a", "https://h:8443/b", false);
        check_authorization("https://h:8443/a", "https://h:8443/b", true);
        check_authorization("https://h/a", "https://o/b", false);
    }
}
