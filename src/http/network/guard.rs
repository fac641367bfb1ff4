//! What a run in the cloud may not reach: plain HTTP, and private networks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::super::error::{ErrorKind, HttpError};
use super::super::normalize::quoted;
use super::super::url::UrlParts;
use super::proxy::Proxies;

/// Refuses a URL that is not https, or whose host belongs to a private network.
pub(super) async fn admit(url: &str) -> Result<(), HttpError> {
    let parts = UrlParts::of(url);
    if parts.scheme != "https" {
        let message = format!(
            "Invalid Protocol Scheme: The endpoint that data is being requested from is using an \
             invalid or insecure protocol {}. Valid protocol schemes: https",
            quoted(&parts.scheme)
        );
        return Err(HttpError::new(ErrorKind::InvalidSchema, message));
    }
    let host = parts.hostname();
    if host.is_empty() {
        let message = "Invalid URL specified: The endpoint that data is being requested from is \
                       not a valid URL";
        return Err(HttpError::new(ErrorKind::InvalidUrl, message));
    }
    match resolve(host.clone()).await {
        Ok(_) => Ok(()),
        Err(Unresolved::Private) => {
            let message =
                format!("Invalid URL endpoint: `{}` belongs to a private network", quoted(&host));
            Err(HttpError::new(ErrorKind::PrivateNetwork, message))
        }
        Err(Unresolved::Lookup(error)) => {
            Err(HttpError::new(ErrorKind::InvalidUrl, format!("Invalid URL {url}: {error}")))
        }
    }
}

/// Resolves names to public addresses only, so that no second answer of a name
/// server can lead elsewhere than the first.
pub(super) struct PublicResolver {
    /// Proxies are the operator's choice, and may have private addresses.
    pub(super) proxies: Arc<Proxies>,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let is_proxy = self.proxies.hosts().any(|proxy| proxy.eq_ignore_ascii_case(&host));
        Box::pin(async move {
            let addresses = if is_proxy { look_up(host).await? } else { resolve(host).await? };
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The addresses of `host`, unless one of them is private.
async fn resolve(host: String) -> Result<Vec<SocketAddr>, Unresolved> {
    let addresses = look_up(host).await?;
    if addresses.iter().any(|address| is_private(address.ip())) {
        return Err(Unresolved::Private);
    }
    Ok(addresses)
}

async fn look_up(host: String) -> io::Result<Vec<SocketAddr>> {
    let lookup = move || (host.as_str(), 0).to_socket_addrs().map(Iterator::collect);
    tokio::task::spawn_blocking(lookup).await.map_err(io::Error::other)?
}

#[derive(Debug, thiserror::Error)]
enum Unresolved {
    #[error("the host belongs to a private network")]
    Private,
    #[error(transparent)]
    Lookup(#[from] io::Error),
}

/// Python's `ip_address(…).is_private`: what IANA lists as not globally reachable.
fn is_private(address: IpAddr) -> bool {
    const V4: [(Ipv4Addr, u32); 14] = [
        (Ipv4Addr::UNSPECIFIED, 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 29),
        (Ipv4Addr::new(192, 0, 0, 170), 31),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
        (Ipv4Addr::BROADCAST, 32),
    ];
    const V6: [(Ipv6Addr, u32); 8] = [
        (Ipv6Addr::LOCALHOST, 128),
        (Ipv6Addr::UNSPECIFIED, 128),
        (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
        (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
        (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
        // Translated to IPv4, where anything may be.
        (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    ];
    match address.to_canonical() {
        IpAddr::V4(address) => V4
            .iter()
            .any(|(network, n_bits)| (address.to_bits() ^ network.to_bits()) >> (32 - n_bits) == 0),
        IpAddr::V6(address) => V6.iter().any(|(network, n_bits)| {
            (address.to_bits() ^ network.to_bits()) >> (128 - n_bits) == 0
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, expect: bool) {
        assert_eq!(is_private(address.parse().unwrap()), expect, "{address}");
    }

    #[test]
    fn private_networks_are_known() {
        for address in ["10.0.0.1", "127.1.2.3", "169.254.169.254", "172.31.255.255", "192.168.0.1"]
        {
            check(address, true);
        }
        for address in ["0.0.0.0", "255.255.255.255", "198.19.0.1", "192.0.0.7", "::1", "::"] {
            check(address, true);
        }
        for address in ["fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2001:db8::1"] {
            check(address, true);
        }
        for address in
            ["8.8.8.8", "172.32.0.1", "192.0.0.8", "100.64.0.1", "2606:4700::1", "::ffff:8.8.8.8"]
        {
            check(address, false);
        }
    }

    #[track_caller]
    fn check_admit(url: &str, kind: ErrorKind, message: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(admit(url)), Err(HttpError::new(kind, message)));
    }

    #[test]
    fn the_cloud_refuses_what_is_not_public() {
        check_admit(
            "http://8.8.8.8/",
            ErrorKind::InvalidSchema,
            "Invalid Protocol Scheme: The endpoint that data is being requested from is using an \
             invalid or insecure protocol 'http'. Valid protocol schemes: https",
        );
        check_admit(
            "https://10.0.0.1/",
            ErrorKind::PrivateNetwork,
            "Invalid URL endpoint: `'10.0.0.1'` belongs to a private network",
        );
        check_admit(
            "https:///a",
            ErrorKind::InvalidUrl,
            "Invalid URL specified: The endpoint that data is being requested from is not a valid URL",
        );
    }

    #[tokio::test]
    async fn public_addresses_pass() {
        assert_eq!(admit("https://8.8.8.8/").await, Ok(()));
    }

    #[tokio::test]
    async fn names_lead_to_public_hosts_and_to_proxies_only() {
        let proxies = Proxies::from_env(|name| {
            (name == "https_proxy").then(|| "http://user@localhost:3128".to_owned())
        });
        for (proxies, is_found) in [(Proxies::default(), false), (proxies, true)] {
            let resolver = PublicResolver { proxies: Arc::new(proxies) };
            let found = resolver.resolve("LocalHost".parse().unwrap()).await;
            assert_eq!(found.is_ok(), is_found);
        }
    }
}
