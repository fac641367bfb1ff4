//! The real network.

mod buffers;
mod bundle;
mod content;
mod failure;
mod guard;
mod incoming;
mod proxy;
mod tls;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Proxy, Url};
use tokio::time::timeout;

use self::buffers::Buffers;
use self::failure::Destination;
use self::incoming::Incoming;
use self::proxy::Proxies;
use self::tls::Roots;
use super::error::{ErrorKind, HttpError};
use super::limits::Limits;
use super::normalize::quoted;
use super::request::PreparedRequest;
use super::response::{Response, Transfer};
use super::transport::Transport;
use crate::run::ledger::{self, Spent};

/// Idle connections kept for each host, as many as the reference keeps.
const MAX_IDLE_PER_HOST: usize = 20;

/// The network, spoken to in HTTP/1.1 as the reference does, through the
/// proxies and with the certificate authorities that the environment names.
///
/// All who send through it share its connections. Certificates are read when
/// the first https request is made.
pub struct Network {
    proxies: Arc<Proxies>,
    roots: Roots,
    /// Whether only public hosts may be reached, and only over https.
    is_public_only: bool,
    limits: Limits,
    clients: Mutex<HashMap<ClientKey, Client>>,
    buffers: Buffers,
}

/// What a client cannot change from one request to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct ClientKey {
    is_https: bool,
    connect_timeout: Duration,
}

impl Network {
    /// The network as the process's environment says; with connections of its own.
    pub fn from_env() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// The network as the process's environment says, whose connections all runs share.
    pub fn shared() -> Arc<Self> {
        static NETWORK: LazyLock<Arc<Network>> = LazyLock::new(|| Arc::new(Network::from_env()));
        Arc::clone(&NETWORK)
    }

    /// The network as an environment says.
    pub fn new(var: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            proxies: Arc::new(Proxies::from_env(&var)),
            roots: Roots::from_env(&var),
            is_public_only: var("DEPLOYMENT_MODE")
                .is_some_and(|mode| mode.eq_ignore_ascii_case("cloud")),
            limits: Limits::default(),
            clients: Mutex::default(),
            buffers: Buffers::default(),
        }
    }

    /// The network that reaches public hosts only, and only over https.
    #[must_use]
    pub fn public_only(self) -> Self {
        Self { is_public_only: true, ..self }
    }

    /// The network with these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    fn client(&self, key: ClientKey) -> Result<Client, HttpError> {
        // A panic while the lock is held cannot leave the map half made.
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = if key.is_https {
            self.roots.client(|| self.builder(key))?
        } else {
            let built = self.builder(key).tls_certs_only([]).build();
            built.map_err(|error| HttpError::new(ErrorKind::Connection, error.to_string()))?
        };
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn builder(&self, key: ClientKey) -> ClientBuilder {
        let proxies = Arc::clone(&self.proxies);
        let public = guard::PublicResolver { proxies: Arc::clone(&self.proxies) };
        let mut builder = Client::builder()
            .http1_title_case_headers()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .tcp_keepalive(Duration::from_mins(1))
            .tcp_keepalive_interval(Duration::from_secs(10))
            .tcp_keepalive_retries(6)
            .connect_timeout(key.connect_timeout);
        // With a proxy that may be one, every URL is parsed once more.
        if !proxies.is_empty() {
            builder = builder.proxy(Proxy::custom(move |url| proxies.select(url.as_str())));
        }
        if self.is_public_only {
            builder = builder.dns_resolver(public);
        }
        builder
    }

    async fn send(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        if self.is_public_only {
            guard::admit(&request.url).await?;
        }
        let url = Url::parse(&request.url).map_err(|error| {
            HttpError::new(
                ErrorKind::InvalidUrl,
                format!("Failed to parse: {}: {error}", request.url),
            )
        })?;
        let options = &request.options;
        let connection = self.limits.for_connection(options);
        let key =
            ClientKey { is_https: url.scheme() == "https", connect_timeout: connection.limit };
        self.proxies.check(&request.url)?;
        let sent = self.client(key)?.execute(to_reqwest(request, url)?);
        let begun = Instant::now();
        let first_byte = self.limits.for_first_byte(options);
        // Connecting counts too, but is not what is waited for.
        let limit = first_byte.limit + options.connect_timeout.unwrap_or(first_byte.limit);
        let answered = ledger::spend(Spent::Server, timeout(limit, sent)).await.map_err(|_| {
            let error = Destination::of(&request.url).read_timeout(first_byte.limit);
            first_byte.explain(error, request)
        })?;
        let response = answered.map_err(|error| {
            let proxy = self.proxies.select(&request.url);
            let destination = Destination::of(&request.url);
            let error = destination.failure(&error, connection.limit, proxy.as_deref());
            match error.kind {
                ErrorKind::ConnectTimeout => connection.explain(error, request),
                _ => error,
            }
        })?;
        let (version, wait) = (response.version(), begun.elapsed());
        let mut response = Incoming::receive(response, request, self.limits, &self.buffers).await?;
        response.transfer =
            Transfer { version, wait, receive: begun.elapsed().saturating_sub(wait) };
        Ok(response)
    }
}

impl Transport for Network {
    fn exchange<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        Box::pin(self.send(request))
    }
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("is_public_only", &self.is_public_only)
            .finish_non_exhaustive()
    }
}

fn to_reqwest(request: &PreparedRequest, mut url: Url) -> Result<reqwest::Request, HttpError> {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    if !request.headers.contains("host")
        && let Some(host) = url.host_str()
    {
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        headers.insert(HOST, header_value("Host", &host)?);
    }
    for (name, value) in request.headers.iter() {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
            HttpError::new(
                ErrorKind::InvalidHeader,
                format!("Invalid header name {}", quoted(name)),
            )
        })?;
        headers.insert(key, header_value(name, value)?);
    }
    // A user in the URL is no proof of identity to the reference, whose
    // requesters always have an authenticator.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    let mut sent = reqwest::Request::new(request.method.clone(), url);
    *sent.headers_mut() = headers;
    *sent.body_mut() = request.body.clone().map(Into::into);
    Ok(sent)
}

/// The value in Latin-1, the only character set that header fields have.
fn header_value(name: &str, value: &str) -> Result<HeaderValue, HttpError> {
    let bytes = value.chars().enumerate().map(|(position, letter)| {
        u8::try_from(u32::from(letter)).map_err(|_| {
            let message = format!(
                "'latin-1' codec can't encode character '\\u{:04x}' in position {position}: ordinal not in range(256)",
                u32::from(letter)
            );
            HttpError::new(ErrorKind::UnicodeEncode, message)
        })
    });
    HeaderValue::from_bytes(&bytes.collect::<Result<Vec<_>, _>>()?).map_err(|_| {
        HttpError::new(
            ErrorKind::InvalidHeader,
            format!("Invalid header value of {}", quoted(name)),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::http::{Body, BodyMode, Headers, Http, Method, Request, RequestBody};

    /// Serves one connection: reads a request, writes `answer`, closes unless it is to hang.
    async fn serve(
        answer: impl Into<Vec<u8>>,
        hangs: bool,
    ) -> (String, tokio::task::JoinHandle<String>) {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let n_read = socket.read(&mut request).await.unwrap();
            socket.write_all(&answer).await.unwrap();
            if hangs {
                // Ends when the client goes away.
                let _ = socket.read(&mut [0; 64]).await;
            }
            String::from_utf8_lossy(&request[..n_read]).into_owned()
        });
        (url, server)
    }

    async fn exchange(request: &Request) -> Result<Response, HttpError> {
        let network = Network::new(|_| None);
        network.exchange(&Arc::new(request.prepare().unwrap())).await
    }

    fn get(url: String) -> Request {
        Request::new(Method::GET, url)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn ok(headers: &str, body: &[u8]) -> Vec<u8> {
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n{headers}\r\n");
        [head.as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn requests_look_like_those_of_the_reference() {
        let (url, server) = serve(ok("", b""), false).await;
        let mut request =
            Request::new(Method::POST, format!("{}/a?b='c", url.replace("//", "//u:p@")));
        request.headers = vec![("X-price".into(), "5 €".into())];
        check_error(
            exchange(&request).await,
            ErrorKind::UnicodeEncode,
            "'latin-1' codec can't encode character '\\u20ac' in position 2: ordinal not in range(256)",
        );
        request.headers = vec![("X-size".into(), "é".into()), ("Accept".into(), "text/csv".into())];
        request.body = RequestBody::Text("body".into());
        exchange(&request).await.unwrap();
        let expect = format!(
            "POST /a?b=%27c HTTP/1.1\r\nHost: {}\r\nUser-Agent: python-requests/2.34.2\r\n\
             Accept-Encoding: gzip, deflate\r\nAccept: text/csv\r\nConnection: keep-alive\r\n\
             X-Size: \u{fffd}\r\nContent-Length: 4\r\n\r\nbody",
            url.trim_start_matches("http://")
        );
        assert_eq!(server.await.unwrap(), expect);
    }

    #[tokio::test]
    async fn responses_are_read_whole() {
        let headers = "X-rate-LIMIT: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n";
        let (url, _server) = serve(ok(headers, b"{\"a\": 1}"), false).await;
        let response = exchange(&get(url)).await.unwrap();
        assert_eq!((response.status, response.bytes()), (200, &b"{\"a\": 1}"[..]));
        assert_eq!(response.set_cookies, ["a=1", "b=2"]);
        let expect = [("Content-Length", "8"), ("X-Rate-Limit", "5"), ("Set-Cookie", "a=1, b=2")];
        assert_eq!(response.headers.iter().collect::<Vec<_>>(), expect);
    }

    #[tokio::test]
    async fn bodies_are_decompressed() {
        let (url, _server) = serve(ok("Content-Encoding: gzip\r\n", &gzip("hello")), false).await;
        assert_eq!(exchange(&get(url)).await.unwrap().bytes(), b"hello");
    }

    async fn stream(mode: BodyMode, status: &str) -> (bool, Vec<u8>) {
        let text = "hello ".repeat(10_000);
        let answer = ok("Content-Encoding: gzip\r\n", &gzip(&text));
        let answer = String::from_utf8_lossy(&answer[..15])
            .replace("200 OK", status)
            .into_bytes()
            .into_iter()
            .chain(answer[15..].iter().copied())
            .collect::<Vec<_>>();
        let (url, _server) = serve(answer, false).await;
        let mut request = get(url);
        request.options.body = mode;
        let mut body = exchange(&request).await.unwrap().into_body();
        let is_stream = matches!(body, Body::Stream(_));
        let mut all = Vec::new();
        while let Some(chunk) = body.next().await {
            all.extend_from_slice(&chunk.unwrap());
        }
        (is_stream, all)
    }

    #[tokio::test]
    async fn large_bodies_can_be_streamed() {
        let text = "hello ".repeat(10_000).into_bytes();
        assert_eq!(stream(BodyMode::Whole, "200 OK").await, (false, text.clone()));
        assert_eq!(stream(BodyMode::Streamed(1000), "200 OK").await.1, text);
        assert_eq!(stream(BodyMode::Streamed(100_000), "200 OK").await, (false, text.clone()));
        let (is_stream, raw) = stream(BodyMode::Raw, "200 OK").await;
        assert_eq!((is_stream, &raw[..2]), (true, &b"\x1f\x8b"[..]));
        assert_eq!(stream(BodyMode::Raw, "500 No").await, (false, text));
    }

    #[track_caller]
    fn check_error(result: Result<Response, HttpError>, kind: ErrorKind, message: &str) {
        assert_eq!(result.unwrap_err(), HttpError::new(kind, message));
    }

    #[tokio::test]
    async fn failures_are_told_as_the_reference_tells_them() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        check_error(
            exchange(&get(format!("http://127.0.0.1:{port}/a?b=1"))).await,
            ErrorKind::Connection,
            &format!(
                "HTTPConnectionPool(host='127.0.0.1', port={port}): Max retries exceeded with url: \
                 /a?b=1 (Caused by NewConnectionError(\"HTTPConnection(host='127.0.0.1', \
                 port={port}): Failed to establish a new connection: [Errno 111] Connection \
                 refused\"))"
            ),
        );
        let (url, _server) = serve("", false).await;
        check_error(
            exchange(&get(url)).await,
            ErrorKind::Connection,
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
        );
        let (url, _server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", false).await;
        check_error(
            exchange(&get(url)).await,
            ErrorKind::ChunkedEncoding,
            "('Connection broken: IncompleteRead(3 bytes read, 7 more expected)', \
             IncompleteRead(3 bytes read, 7 more expected))",
        );
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n";
        let (url, _server) = serve(chunked, false).await;
        check_error(
            exchange(&get(url)).await,
            ErrorKind::ChunkedEncoding,
            "Response ended prematurely",
        );
        let (url, _server) =
            serve(ok("Content-Encoding: gzip\r\n", b"plain text, no gzip"), false).await;
        assert_eq!(exchange(&get(url)).await.unwrap_err().kind, ErrorKind::ContentDecoding);
        let (url, _server) = serve("nonsense\r\n\r\n", false).await;
        assert_eq!(exchange(&get(url)).await.unwrap_err().kind, ErrorKind::Connection);
        let (url, _server) = serve("HTTP/1.1 400 No TLS here\r\n\r\n", false).await;
        let error = exchange(&get(url.replace("http", "https"))).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Ssl, "{error}");
    }

    #[tokio::test]
    async fn silence_is_an_error_after_the_timeout() {
        for (answer, kind) in [
            ("", ErrorKind::ReadTimeout),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ErrorKind::Connection),
        ] {
            let (url, _server) = serve(answer, true).await;
            let mut request = get(url);
            request.options.read_timeout = Some(Duration::from_millis(100));
            let error = exchange(&request).await.unwrap_err();
            assert_eq!((error.kind, error.message.contains("Read timed out.")), (kind, true));
        }
    }

    #[tokio::test]
    async fn proxies_are_asked_in_absolute_form() {
        let (url, server) = serve(ok("", b""), false).await;
        let network =
            Network::new(|name| (name == "http_proxy").then(|| url.replace("//", "//u:p@")));
        let request = get("http://h.example:8080/a?b".into()).prepare().unwrap();
        network.exchange(&Arc::new(request)).await.unwrap();
        let sent = server.await.unwrap();
        assert!(
            sent.starts_with("GET http://h.example:8080/a?b HTTP/1.1\r\nHost: h.example:8080\r\n"),
            "{sent}"
        );
        assert!(sent.contains("Proxy-Authorization: Basic dTpw\r\n"), "{sent}");
    }

    #[tokio::test]
    async fn a_run_in_the_cloud_reaches_public_hosts_only() {
        let network = Network::new(|name| (name == "DEPLOYMENT_MODE").then(|| "CLOUD".into()));
        for (url, kind) in [
            ("http://8.8.8.8/", ErrorKind::InvalidSchema),
            ("https://127.0.0.1/", ErrorKind::PrivateNetwork),
        ] {
            let request = get(url.into()).prepare().unwrap();
            assert_eq!(network.exchange(&Arc::new(request)).await.unwrap_err().kind, kind);
        }
    }

    /// Stands for a public host that sends us to `.0`; whatever else is asked goes to the network.
    struct Redirecting(&'static str, Network);

    impl Transport for Redirecting {
        fn exchange<'a>(
            &'a self,
            request: &'a Arc<PreparedRequest>,
        ) -> BoxFuture<'a, Result<Response, HttpError>> {
            if request.url != "https://public.example/" {
                return self.1.exchange(request);
            }
            let headers = Headers::from_iter([("Location", self.0)]);
            let body = Body::Whole(bytes::Bytes::new());
            Box::pin(async { Ok(Response::new(302, headers, Arc::clone(request), body)) })
        }
    }

    #[tokio::test]
    async fn redirects_lead_to_public_hosts_only() {
        for (location, kind) in [
            ("http://public.example/plain", ErrorKind::InvalidSchema),
            ("https://169.254.169.254/latest", ErrorKind::PrivateNetwork),
            // By its name only.
            ("https://localhost/", ErrorKind::PrivateNetwork),
        ] {
            let network = Network::new(|name| (name == "DEPLOYMENT_MODE").then(|| "CLOUD".into()));
            let client = Http::new(Arc::new(Redirecting(location, network))).client();
            let request = client.prepare(&get("https://public.example/".into())).unwrap();
            assert_eq!(client.send(&Arc::new(request)).await.unwrap_err().kind, kind, "{location}");
        }
    }
}
