//! URLs taken apart and joined, the way Python's `urllib.parse` does it.

use std::borrow::Cow;

/// The full URL of a `path` below a `base`.
///
/// An empty path leaves the base as it is; otherwise the base counts as a
/// directory. An absolute path or another URL replaces what it replaces, and a
/// path such as `v1:batch` is taken for a URL with a scheme, as in the reference.
pub fn join(base: &str, path: &str) -> String {
    match path {
        "" => base.to_owned(),
        _ if base.ends_with('/') => urljoin(base, path),
        _ => urljoin(&format!("{base}/"), path),
    }
}

/// Schemes whose relative URLs Python resolves, as far as they matter here.
const RELATIVE_SCHEMES: [&str; 4] = ["", "http", "https", "ftp"];

/// Python's `urljoin`.
pub fn urljoin(base: &str, url: &str) -> String {
    if base.is_empty() {
        return url.to_owned();
    }
    if url.is_empty() {
        return base.to_owned();
    }
    let base = UrlParts::of(base);
    let mut parts = UrlParts::with_default_scheme(url, &base.scheme);
    if parts.scheme != base.scheme || !RELATIVE_SCHEMES.contains(&parts.scheme.as_str()) {
        return url.to_owned();
    }
    if !parts.netloc.is_empty() {
        return parts.to_string();
    }
    parts.netloc = base.netloc;
    // What follows a semicolon belongs to its segment, but is no part of the path.
    let (base_path, _) = split_params(&base.path);
    let (path, params) = split_params(&parts.path);
    if path.is_empty() && params.is_empty() {
        parts.path = base.path;
        if parts.query.is_empty() {
            parts.query = base.query;
        }
        return parts.to_string();
    }
    let resolved = resolve_path(base_path, path);
    parts.path = if params.is_empty() { resolved } else { format!("{resolved};{params}") };
    parts.to_string()
}

fn resolve_path(base: &str, path: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    if !path.starts_with('/') {
        let mut base_segments: Vec<&str> = base.split('/').collect();
        // A base that does not end in a slash ends in a file, which is replaced.
        if base_segments.last().is_some_and(|last| !last.is_empty()) {
            base_segments.pop();
        }
        base_segments.append(&mut segments);
        segments = base_segments;
        let last_idx = segments.len() - 1;
        let mut idx = 0;
        segments.retain(|segment| {
            let is_inner = idx > 0 && idx < last_idx;
            idx += 1;
            !(is_inner && segment.is_empty())
        });
    }
    let mut resolved = Vec::with_capacity(segments.len());
    for segment in &segments {
        match *segment {
            ".." => _ = resolved.pop(),
            "." => {}
            segment => resolved.push(segment),
        }
    }
    if matches!(segments.last(), Some(&("." | ".."))) {
        resolved.push("");
    }
    match resolved.join("/") {
        empty if empty.is_empty() => "/".to_owned(),
        path => path,
    }
}

/// A path and what follows the semicolon of its last segment.
pub(super) fn split_params(path: &str) -> (&str, &str) {
    let last_segment = path.rfind('/').unwrap_or(0);
    match path[last_segment..].find(';') {
        Some(offset) => (&path[..last_segment + offset], &path[last_segment + offset + 1..]),
        None => (path, ""),
    }
}

/// The five parts of a URL as Python's `urlsplit` finds them; absent ones are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct UrlParts {
    pub(super) scheme: String,
    pub(super) netloc: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) fragment: String,
}

impl UrlParts {
    /// The parts of `url`.
    pub(super) fn of(url: &str) -> Self {
        Self::with_default_scheme(url, "")
    }

    fn with_default_scheme(url: &str, scheme: &str) -> Self {
        let url = url.trim_start_matches(|c| c <= ' ');
        let url: Cow<'_, str> = if url.contains(['\t', '\r', '\n']) {
            url.replace(['\t', '\r', '\n'], "").into()
        } else {
            url.into()
        };
        let (scheme, rest) = match split_scheme(&url) {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (scheme.to_owned(), &*url),
        };
        let (netloc, rest) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Self {
            scheme,
            netloc: netloc.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            fragment: fragment.to_owned(),
        }
    }

    /// The host in lower case, without brackets; empty when there is none.
    pub(super) fn hostname(&self) -> String {
        self.host_and_port().0.to_ascii_lowercase()
    }

    /// The port as it is written.
    pub(super) fn port(&self) -> Option<&str> {
        Some(self.host_and_port().1).filter(|port| !port.is_empty())
    }

    fn host_and_port(&self) -> (&str, &str) {
        let host = self.netloc.rsplit_once('@').map_or(&*self.netloc, |(_, host)| host);
        match host.split_once('[') {
            Some((_, bracketed)) => {
                let (host, port) = bracketed.split_once(']').unwrap_or((bracketed, ""));
                (host, port.split_once(':').map_or("", |(_, port)| port))
            }
            None => host.split_once(':').unwrap_or((host, "")),
        }
    }
}

impl std::fmt::Display for UrlParts {
    /// Python's `urlunsplit`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { scheme, netloc, path, query, fragment } = self;
        if !scheme.is_empty() {
            write!(f, "{scheme}:")?;
        }
        let has_authority = !netloc.is_empty()
            || (RELATIVE_SCHEMES[1..].contains(&scheme.as_str()) && !path.starts_with("//"));
        if has_authority {
            let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
            write!(f, "//{netloc}{slash}")?;
        }
        f.write_str(path)?;
        if !query.is_empty() {
            write!(f, "?{query}")?;
        }
        if !fragment.is_empty() {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

fn split_scheme(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    is_scheme.then_some((scheme, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, path: &str, expect: &str) {
        assert_eq!(join(base, path), expect);
    }

    #[test]
    fn a_path_is_below_its_base() {
        check("https://x.y/api", "v1/a", "https://x.y/api/v1/a");
        check("https://x.y/api/", "v1/a/", "https://x.y/api/v1/a/");
        check("https://x.y", "a//b", "https://x.y/a/b");
        check("https://x.y//api//v2", "a", "https://x.y/api/v2/a");
        check("https://x.y/api", "a b;c=1?d#e", "https://x.y/api/a b;c=1?d#e");
        check("https://x.y/api", ";c=1", "https://x.y/api/;c=1");
        check("https://x.y/api", ";", "https://x.y/api/");
        check("", "a", "/a");
    }

    #[test]
    fn an_empty_path_leaves_the_base_alone() {
        check("https://x.y/api/", "", "https://x.y/api/");
        check("https://x.y/api?x=1", "", "https://x.y/api?x=1");
    }

    #[test]
    fn dots_walk_up() {
        check("https://x.y/api", "../q", "https://x.y/q");
        check("https://x.y/api", "../../../q", "https://x.y/q");
        check("https://x.y/api", "./q/.", "https://x.y/api/q/");
        check("https://x.y/api", "..", "https://x.y/");
    }

    #[test]
    fn what_is_more_absolute_replaces() {
        check("https://x.y/api", "https://z/w", "https://z/w");
        check("https://x.y/api", "//h/p", "https://h/p");
        check("https://x.y/api", "/cursor", "https://x.y/cursor");
        check("https://x.y/api", "/a//b", "https://x.y/a//b");
        check("https://x.y/api", "?page=2", "https://x.y/api/?page=2");
        check("https://x.y/api", "#f", "https://x.y/api/#f");
    }

    #[test]
    fn a_colon_makes_a_scheme() {
        check("https://x.y/api", "v1:batch/x", "v1:batch/x");
        check("https://x.y/api", "a:b", "a:b");
        check("https://x.y/api", "1:b", "https://x.y/api/1:b");
        check("https://x.y/api", "https:q", "https://x.y/api/q");
    }

    #[test]
    fn the_query_of_a_base_is_lost() {
        check("https://x.y/api?x=1", "p", "https://x.y/p");
    }

    #[test]
    fn hosts_are_found_between_user_and_port() {
        let parts = UrlParts::of("HTTP://u:p@Ho.st:80/x");
        assert_eq!((parts.hostname().as_str(), parts.port()), ("ho.st", Some("80")));
        let parts = UrlParts::of("http://[::1]:9/x");
        assert_eq!((parts.hostname().as_str(), parts.port()), ("::1", Some("9")));
        assert_eq!(UrlParts::of("mailto:a@b").hostname(), "");
    }
}
