//! Which proxy a request goes through, as the environment says.

use std::net::Ipv4Addr;

use reqwest::Url;

use super::super::error::{ErrorKind, HttpError};
use super::super::url::UrlParts;

/// The proxies of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and
/// `NO_PROXY` in upper or lower case, read the way `requests` reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Proxies {
    http: Option<String>,
    https: Option<String>,
    all: Option<String>,
    /// Hosts, domains and networks that are reached directly.
    exempt: Vec<String>,
}

impl Proxies {
    /// The proxies of an environment.
    pub(super) fn from_env(var: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |text: &String| !text.is_empty();
        // A lower-case variable counts even when it is empty: then there is no proxy.
        let proxy =
            |name: &str| var(name).or_else(|| var(&name.to_ascii_uppercase())).filter(is_set);
        // A web server that runs CGI scripts takes this variable from a header of its client.
        let is_cgi = var("REQUEST_METHOD").is_some();
        let http = if is_cgi { var("http_proxy").filter(is_set) } else { proxy("http_proxy") };
        let no_proxy = var("no_proxy").filter(is_set).or_else(|| var("NO_PROXY"));
        let exempt = no_proxy.unwrap_or_default().replace(' ', "").to_ascii_lowercase();
        Self {
            http,
            https: proxy("https_proxy"),
            all: proxy("all_proxy"),
            exempt: exempt.split(',').filter(|it| !it.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// Whether every host is reached directly.
    pub(super) fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none() && self.all.is_none()
    }

    /// The URL of the proxy for `url`; one that is given without scheme is spoken to in HTTP.
    pub(super) fn select(&self, url: &str) -> Option<String> {
        if self.is_empty() {
            return None;
        }
        let parts = UrlParts::of(url);
        let own = if parts.scheme == "https" { &self.https } else { &self.http };
        let proxy = own.as_ref().or(self.all.as_ref())?;
        if self.exempts(&parts.hostname(), parts.port()) {
            return None;
        }
        Some(if proxy.contains("://") { proxy.clone() } else { format!("http://{proxy}") })
    }

    /// The hosts of all proxies.
    pub(super) fn hosts(&self) -> impl Iterator<Item = String> {
        [&self.http, &self.https, &self.all].into_iter().flatten().map(|proxy| {
            let authority = proxy.split_once("//").map_or(&**proxy, |(_, rest)| rest);
            UrlParts::of(&format!("//{authority}")).hostname()
        })
    }

    /// Refuses a request whose proxy cannot be understood, rather than sending it directly.
    pub(super) fn check(&self, url: &str) -> Result<(), HttpError> {
        match self.select(url).map(|proxy| Url::parse(&proxy)) {
            Some(Ok(proxy)) if !proxy.has_host() => {}
            Some(Err(_)) => {}
            _ => return Ok(()),
        }
        let message = "Please check proxy URL. It is malformed and could be missing the host.";
        Err(HttpError::new(ErrorKind::InvalidProxyUrl, message))
    }

    fn exempts(&self, host: &str, port: Option<&str>) -> bool {
        let with_port = port.map(|port| format!("{host}:{port}"));
        let names = || [Some(host), with_port.as_deref()].into_iter().flatten();
        let address = host.parse::<Ipv4Addr>().ok();
        self.exempt.iter().any(|exempt| {
            if exempt == "*" {
                return true;
            }
            if let (Some(address), Some(network)) = (address, network(exempt)) {
                return network.0 == u32::from(address) & network.1;
            }
            let exempt = exempt.trim_start_matches('.');
            names().any(|name| {
                name.strip_suffix(exempt).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            })
        })
    }
}

/// Address and mask of a network in the form `10.0.0.0/8`.
fn network(text: &str) -> Option<(u32, u32)> {
    let (address, n_bits) = text.split_once('/')?;
    let n_bits = n_bits.parse::<u32>().ok().filter(|n_bits| (1..=32).contains(n_bits))?;
    let mask = u32::MAX << (32 - n_bits);
    Some((u32::from(address.parse::<Ipv4Addr>().ok()?) & mask, mask))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(env: &[(&str, &str)], url: &str, expect: Option<&str>) {
        let proxies = Proxies::from_env(|name| {
            env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        assert_eq!(proxies.select(url).as_deref(), expect);
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let env = [("HTTP_PROXY", "http://a:1"), ("https_proxy", "b:2")];
        check(&env, "http://h/", Some("http://a:1"));
        check(&env, "https://h/", Some("http://b:2"));
        check(&[("ALL_PROXY", "socks5://c")], "https://h/", Some("socks5://c"));
        check(&[], "https://h/", None);
    }

    #[test]
    fn a_malformed_proxy_is_an_error() {
        for (proxy, is_good) in [("http://:x", false), ("http://p", true), ("p:1", true)] {
            let proxies = Proxies::from_env(|name| (name == "http_proxy").then(|| proxy.into()));
            assert_eq!(proxies.check("http://h/").is_ok(), is_good);
            assert_eq!(proxies.check("https://h/"), Ok(()));
        }
    }

    #[test]
    fn lower_case_wins() {
        check(
            &[("HTTP_PROXY", "http://a"), ("http_proxy", "http://b")],
            "http://h/",
            Some("http://b"),
        );
        check(&[("HTTP_PROXY", "http://a"), ("http_proxy", "")], "http://h/", None);
        check(
            &[("NO_PROXY", "h"), ("no_proxy", "x"), ("http_proxy", "http://b")],
            "http://h/",
            Some("http://b"),
        );
    }

    #[test]
    fn a_header_of_a_web_client_is_no_proxy() {
        check(&[("HTTP_PROXY", "http://a"), ("REQUEST_METHOD", "GET")], "http://h/", None);
    }

    #[track_caller]
    fn check_exempt(no_proxy: &str, url: &str, is_exempt: bool) {
        let proxy = (!is_exempt).then_some("http://p");
        check(&[("ALL_PROXY", "http://p"), ("NO_PROXY", no_proxy)], url, proxy);
    }

    #[test]
    fn hosts_and_domains_are_exempt() {
        check_exempt("other, h.example", "http://h.example/", true);
        check_exempt(".example", "http://h.example:80/", true);
        check_exempt("example", "http://H.Example/", true);
        check_exempt("ample", "http://h.example/", false);
        check_exempt("h.example:80", "http://h.example:80/", true);
        check_exempt("h.example:80", "http://h.example/", false);
        check_exempt("*", "https://any/", true);
        check_exempt("", "https://any/", false);
    }

    #[test]
    fn networks_are_exempt() {
        check_exempt("10.0.0.0/8", "http://10.1.2.3/", true);
        check_exempt("10.0.0.0/8", "http://11.1.2.3/", false);
        check_exempt("10.1.2.3", "http://10.1.2.3:80/", true);
        check_exempt("10.0.0.0/33", "http://10.1.2.3/", false);
    }
}
