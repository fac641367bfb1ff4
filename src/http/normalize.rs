//! The URL that is sent for a URL that is written, as `requests` and `urllib3` make it.

use std::borrow::Cow;
use std::fmt::Write;

use super::encode::{hex_byte, requote_uri};
use super::error::{ErrorKind, HttpError};
use crate::value::write_python_text_repr;

/// What a user and password may hold unescaped, beside letters and digits.
const USERINFO: &[u8] = b"._-~!$&'()*+,;=:";
/// What a path may hold unescaped.
const PATH: &[u8] = b"._-~!$&'()*+,;=:@/";
/// What a query or fragment may hold unescaped.
const QUERY: &[u8] = b"._-~!$&'()*+,;=:@/?";

/// The URL to request for `url` with the encoded query `added_query` added to it.
///
/// Scheme and host are lower-cased, dot segments resolved, and what may not
/// stand in a URL is escaped. A URL of another scheme than http is left alone;
/// it fails when it is sent.
pub(super) fn request_url(url: &str, added_query: &str) -> Result<String, HttpError> {
    let url = url.trim_start();
    let looks_like_http = url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
    if url.contains(':') && !looks_like_http {
        return Ok(url.to_owned());
    }
    let invalid = |message: String| HttpError::new(ErrorKind::InvalidUrl, message);
    let parts =
        Parts::parse(url).map_err(|reason| invalid(format!("Failed to parse: {reason}")))?;
    let Some(scheme) = parts.scheme else {
        let message = format!(
            "Invalid URL {}: No scheme supplied. Perhaps you meant https://{url}?",
            quoted(url)
        );
        return Err(HttpError::new(ErrorKind::MissingSchema, message));
    };
    let Some(host) = parts.host else {
        return Err(invalid(format!("Invalid URL {}: No host supplied", quoted(url))));
    };
    if host.starts_with(['*', '.']) {
        return Err(invalid("URL has an invalid label.".to_owned()));
    }

    let mut made = format!("{scheme}://");
    // Writing to a string cannot fail.
    if let Some(userinfo) = parts.userinfo {
        let _ = write!(made, "{userinfo}@");
    }
    made.push_str(&host);
    if let Some(port) = parts.port {
        let _ = write!(made, ":{port}");
    }
    made.push_str(if parts.path.is_empty() { "/" } else { &parts.path });
    let query = parts.query.unwrap_or_default();
    for (idx, part) in [&*query, added_query].into_iter().filter(|p| !p.is_empty()).enumerate() {
        made.push(if idx == 0 { '?' } else { '&' });
        made.push_str(part);
    }
    if let Some(fragment) = parts.fragment.filter(|fragment| !fragment.is_empty()) {
        made.push('#');
        made.push_str(&fragment);
    }
    Ok(requote_uri(&made))
}

/// `text` as Python shows it in messages.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_python_text_repr(text, &mut out);
    out
}

/// A URL as `urllib3` takes it apart and normalises it.
#[derive(Debug, Default)]
struct Parts<'u> {
    scheme: Option<String>,
    userinfo: Option<Cow<'u, str>>,
    host: Option<String>,
    port: Option<u16>,
    path: Cow<'u, str>,
    query: Option<Cow<'u, str>>,
    fragment: Option<Cow<'u, str>>,
}

impl<'u> Parts<'u> {
    /// The parts of `url`, or what is wrong with it.
    fn parse(url: &'u str) -> Result<Self, String> {
        let (scheme, rest) = split_scheme(url);
        let has_scheme_or_slash = scheme.is_some() || url.starts_with('/');
        let (rest, fragment) = split_at_first(rest, '#');
        let (rest, query) = split_at_first(rest, '?');
        let authority_and_path =
            if has_scheme_or_slash { rest.strip_prefix("//") } else { Some(rest) };
        let (authority, path) = match authority_and_path {
            Some(rest) => rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let mut parts = Self {
            scheme: scheme.map(str::to_ascii_lowercase),
            query: query.map(|query| escape(query, QUERY)),
            fragment: fragment.map(|fragment| escape(fragment, QUERY)),
            ..Self::default()
        };
        let path = without_dot_segments(path);
        let path = match path {
            Cow::Borrowed(path) => escape(path, PATH),
            Cow::Owned(path) => Cow::Owned(escape(&path, PATH).into_owned()),
        };
        parts.path = if path.is_empty() || path.starts_with('/') {
            path
        } else {
            Cow::Owned(format!("/{path}"))
        };
        if !authority.is_empty() {
            parts.take_authority(url, authority)?;
        }
        Ok(parts)
    }

    fn take_authority(&mut self, url: &str, authority: &'u str) -> Result<(), String> {
        let (userinfo, host_and_port) = match authority.rsplit_once('@') {
            Some((userinfo, rest)) => (Some(userinfo), rest),
            None => (None, authority),
        };
        self.userinfo =
            userinfo.filter(|userinfo| !userinfo.is_empty()).map(|it| escape(it, USERINFO));
        let invalid = || {
            host_fault(host_and_port)
                .unwrap_or_else(|| format!("{} is not a valid host or port", quoted(host_and_port)))
        };
        let (host, port) = split_port(host_and_port).ok_or_else(invalid)?;
        self.port = match port {
            "" => None,
            port => Some(port.parse().map_err(|_| url.to_owned())?),
        };
        self.host = Some(normalize_host(host)?).filter(|host| !host.is_empty());
        Ok(())
    }
}

fn split_scheme(url: &str) -> (Option<&str>, &str) {
    match url.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-".contains(&b)) =>
        {
            (Some(scheme), rest)
        }
        _ => (None, url),
    }
}

fn split_at_first(text: &str, mark: char) -> (&str, Option<&str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Host and port digits without leading zeros, when both have their proper form.
fn split_port(host_and_port: &str) -> Option<(&str, &str)> {
    let (host, port) = if host_and_port.starts_with('[') {
        let (host, port) = host_and_port.split_at(host_and_port.find(']')? + 1);
        let address = &host[1..host.len() - 1];
        address.split('%').next()?.parse::<std::net::Ipv6Addr>().ok()?;
        match port {
            "" => (host, ""),
            port => (host, port.strip_prefix(':')?),
        }
    } else {
        host_and_port.split_once(':').unwrap_or((host_and_port, ""))
    };
    let is_name = host.starts_with('[')
        || (!host.contains(['[', ']', ':'])
            && host.split('%').skip(1).all(|rest| hex_byte(rest).is_some()));
    // `requests` leaves port 0 out, too.
    let port = port.trim_start_matches('0');
    let is_port = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
    (is_name && is_port).then_some((host, port))
}

/// What is wrong with a host that holds a space or a control character.
fn host_fault(host: &str) -> Option<String> {
    let fault = host.chars().find(|c| *c <= ' ' || *c == '\u{7f}')?;
    Some(format!(
        "Host {} contains invalid character {}",
        quoted(host),
        quoted(fault.encode_utf8(&mut [0; 4]))
    ))
}

fn normalize_host(host: &str) -> Result<String, String> {
    if let Some(fault) = host_fault(host) {
        return Err(fault);
    }
    let labels: Result<Vec<_>, _> = host.split('.').map(encode_label).collect();
    Ok(labels?.join("."))
}

/// A part of a host name as DNS knows it.
fn encode_label(label: &str) -> Result<String, String> {
    if label.is_ascii() {
        return Ok(label.to_ascii_lowercase());
    }
    let is_plain =
        |letter: char| !letter.is_ascii() || letter.is_ascii_alphanumeric() || letter == '-';
    let encoded = url::Host::parse(label).ok().filter(|_| label.chars().all(is_plain));
    match encoded {
        Some(encoded) => Ok(encoded.to_string()),
        None => Err(format!("Name {} is not a valid IDNA label", quoted(label))),
    }
}

/// Escapes every byte that is neither a letter nor a digit nor in `allowed`.
///
/// Escapes that are there already stay, in upper case; but if one of them is
/// broken, none of them counts as an escape.
fn escape<'t>(text: &'t str, allowed: &[u8]) -> Cow<'t, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || allowed.contains(&byte);
    if text.bytes().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let has_broken_escape = text.split('%').skip(1).any(|rest| hex_byte(rest).is_none());
    let mut escaped = String::with_capacity(text.len() + 16);
    let bytes = text.as_bytes();
    let mut idx = 0;
    while let Some(&byte) = bytes.get(idx) {
        // Writing to a string cannot fail.
        let _ = if byte == b'%' && hex_byte(&text[idx + 1..]).is_some() {
            let mark = if has_broken_escape { "%25" } else { "%" };
            let digits = text[idx + 1..idx + 3].to_ascii_uppercase();
            idx += 2;
            write!(escaped, "{mark}{digits}")
        } else if is_plain(byte) {
            escaped.write_char(char::from(byte))
        } else {
            write!(escaped, "%{byte:02X}")
        };
        idx += 1;
    }
    Cow::Owned(escaped)
}

/// Resolves `.` and `..` as RFC 3986 says.
fn without_dot_segments(path: &str) -> Cow<'_, str> {
    if !path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
    }
    if path.starts_with('/') && kept.first().is_none_or(|first| !first.is_empty()) {
        kept.insert(0, "");
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    Cow::Owned(kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expect: &str) {
        assert_eq!(request_url(url, "").unwrap(), expect);
    }

    #[track_caller]
    fn check_error(url: &str, kind: ErrorKind, message: &str) {
        assert_eq!(request_url(url, ""), Err(HttpError::new(kind, message)));
    }

    #[test]
    fn scheme_and_host_are_lower_cased() {
        check(" HTTP://Ho.ST:080", "http://ho.st:80/");
        check("https://u:p w@H/", "https://u:p%20w@h/");
        check("https://bücher.de/ä", "https://xn--bcher-kva.de/%C3%A4");
        check("http://[::1]:80/", "http://[::1]:80/");
        check("http://h:/", "http://h/");
        check("http://h:00/", "http://h/");
    }

    #[test]
    fn only_what_may_not_stand_in_a_url_is_escaped() {
        check("http://h/a b[]{}|\"\\^`", "http://h/a%20b%5B%5D%7B%7D%7C%22%5C%5E%60");
        check(
            "http://h/'(),!*+:@~$;=&?'(),!*+:@~$;/?[]",
            "http://h/'(),!*+:@~$;=&?'(),!*+:@~$;/?%5B%5D",
        );
        check("http://h/%7e%2f%c3?%2c", "http://h/~%2F%C3?%2C");
        check("http://h/a#b c", "http://h/a#b%20c");
        check("http://a.b\\c/d", "http://a.b/%5Cc/d");
        check("http://h/\u{1}é?b?d", "http://h/%01%C3%A9?b?d");
    }

    #[test]
    fn a_broken_escape_makes_the_others_plain() {
        check("http://h/%7e/b%zz;c?%41", "http://h/%257E/b%25zz;c?A");
        check("http://h/?q=100%", "http://h/?q=100%25");
    }

    #[test]
    fn dot_segments_are_resolved() {
        check("http://h/a/./b/../c/..", "http://h/a/");
        check("http://h/../../a", "http://h/a");
        check("http://h/a//b/", "http://h/a//b/");
        check("http://h/a;b=c/../d", "http://h/d");
        check("http://h/a%2e%2e/b", "http://h/a../b");
    }

    #[test]
    fn empty_parts_are_dropped() {
        check("http://h?", "http://h/");
        check("http://h/?#", "http://h/");
        check("http://h?a=1", "http://h/?a=1");
    }

    #[test]
    fn added_parameters_follow_those_of_the_url() {
        assert_eq!(request_url("http://h/a?x=1#f", "y=2").unwrap(), "http://h/a?x=1&y=2#f");
        assert_eq!(request_url("http://h/a?", "y=%7E").unwrap(), "http://h/a?y=~");
    }

    #[test]
    fn other_schemes_are_left_alone() {
        check("v1:batch/x y", "v1:batch/x y");
        check("ftp://x/a b", "ftp://x/a b");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        check_error(
            "foo/bar",
            ErrorKind::MissingSchema,
            "Invalid URL 'foo/bar': No scheme supplied. Perhaps you meant https://foo/bar?",
        );
        check_error(
            "http:/foo",
            ErrorKind::InvalidUrl,
            "Invalid URL 'http:/foo': No host supplied",
        );
        check_error(
            "http:///x",
            ErrorKind::InvalidUrl,
            "Invalid URL 'http:///x': No host supplied",
        );
        check_error(
            "http://a b/x",
            ErrorKind::InvalidUrl,
            "Failed to parse: Host 'a b' contains invalid character ' '",
        );
        check_error("http://.a/x", ErrorKind::InvalidUrl, "URL has an invalid label.");
        check_error("http://a:99999/x", ErrorKind::InvalidUrl, "Failed to parse: http://a:99999/x");
        check_error(
            "http://a:x/x",
            ErrorKind::InvalidUrl,
            "Failed to parse: 'a:x' is not a valid host or port",
        );
    }
}
