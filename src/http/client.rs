//! A requester's own door to the network, with its cookies.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cookie_store::CookieStore;
use reqwest::Url;
use tracing::debug;

use super::cache::{Cache, Caches, Lookup};
use super::cassette::{Asking, Har};
use super::error::{ErrorKind, HttpError};
use super::limits::Limits;
use super::normalize::quoted;
use super::redirect::{MAX_REDIRECTS, fragment_of, redirected};
use super::request::{PreparedRequest, Request};
use super::resolution::Permit;
use super::response::Response;
use super::transport::Transport;
use crate::run::ledger;

/// The network of one run: where all its clients send, and what they keep. Clones share it.
#[derive(Clone)]
pub struct Http {
    transport: Arc<dyn Transport>,
    caches: Arc<Caches>,
    limits: Limits,
    har: Option<Arc<Har>>,
}

impl Http {
    /// The network behind `transport`.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, caches: Arc::default(), limits: Limits::default(), har: None }
    }

    /// The network of a run with these limits.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The network of a run that logs its requests.
    #[must_use]
    pub fn with_har(self, har: Option<Arc<Har>>) -> Self {
        Self { har, ..self }
    }

    /// How much of an answer is taken.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// A client without cookies, cache and permit.
    pub fn client(&self) -> Client {
        Client {
            http: self.clone(),
            cookies: Mutex::default(),
            has_cookies: AtomicBool::new(false),
            cache: None,
            permit: None,
        }
    }
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// What `requests` calls a session: one for each requester.
pub struct Client {
    http: Http,
    cookies: Mutex<CookieStore>,
    /// Whether a server ever set a cookie; most never do.
    has_cookies: AtomicBool,
    cache: Option<Arc<Cache>>,
    permit: Option<Arc<dyn Permit>>,
}

impl Client {
    /// The client with the run's cache `name`, which it shares with all that have it.
    #[must_use]
    pub fn with_cache(self, name: &str) -> Self {
        Self { cache: Some(self.http.caches.get(name)), ..self }
    }

    /// The client that asks `permit` before each request it really sends.
    #[must_use]
    pub fn with_permit(self, permit: Arc<dyn Permit>) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Prepares a request, with the cookies that are known by now.
    pub fn prepare(&self, request: &Request) -> Result<PreparedRequest, HttpError> {
        let mut prepared = request.prepare()?;
        self.add_cookies(&mut prepared);
        Ok(prepared)
    }

    /// Sends a request, follows redirects, and keeps cookies and what can be cached.
    pub async fn send(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        let mut response = self.exchange(request).await?;
        if !request.options.follows_redirects {
            return Ok(response);
        }
        let mut fragment = fragment_of(request);
        let mut n_redirects = 0;
        while let Some(mut next) = redirected(&response, &mut fragment) {
            if n_redirects == MAX_REDIRECTS {
                let message = format!("Exceeded {MAX_REDIRECTS} redirects.");
                return Err(HttpError::new(ErrorKind::TooManyRedirects, message));
            }
            n_redirects += 1;
            self.add_cookies(&mut next);
            response = self.exchange(&Arc::new(next)).await?;
        }
        if n_redirects > 0 {
            self.keep(request, &mut response).await?;
        }
        Ok(response)
    }

    /// One request and its response: from the cache, or when the permit is given.
    async fn exchange(&self, request: &Arc<PreparedRequest>) -> Result<Response, HttpError> {
        let _asking = match &self.cache {
            Some(cache) => match cache.look_up(request).await {
                Lookup::Found(response) => return Ok(*response),
                Lookup::Missing(asking) => asking,
            },
            None => None,
        };
        let mut asking = self.http.har.as_ref().map(|har| har.begin(request));
        if let Some(permit) = &self.permit {
            permit.acquire(request).await;
        }
        if !is_http(&request.url) {
            let message = format!("No connection adapters were found for {}", quoted(&request.url));
            return Err(HttpError::new(ErrorKind::InvalidSchema, message));
        }
        debug!(url = %request.place(), "Making outbound API request");
        ledger::count_request();
        asking.iter_mut().for_each(Asking::sent);
        let answer = self.http.transport.exchange(request).await;
        let mut response = match asking {
            Some(asking) => asking.end(answer)?,
            None => answer?,
        };
        if let Some(permit) = &self.permit {
            permit.observe(request, &response);
        }
        self.take_cookies(&response);
        self.keep(request, &mut response).await?;
        Ok(response)
    }

    async fn keep(
        &self,
        request: &PreparedRequest,
        response: &mut Response,
    ) -> Result<(), HttpError> {
        if let Some(cache) = &self.cache {
            response.load(&self.http.limits).await?;
            cache.keep(request, response);
        }
        Ok(())
    }

    fn add_cookies(&self, request: &mut PreparedRequest) {
        if !self.has_cookies.load(Ordering::Relaxed) || request.headers.contains("Cookie") {
            return;
        }
        let Ok(url) = Url::parse(&request.url) else { return };
        let cookies = self.cookies();
        let cookies =
            cookies.get_request_values(&url).map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            request.headers.set("Cookie", cookies);
        }
    }

    fn take_cookies(&self, response: &Response) {
        if response.set_cookies.is_empty() {
            return;
        }
        let Ok(url) = Url::parse(response.url()) else { return };
        let mut cookies = self.cookies();
        for cookie in &response.set_cookies {
            // One that is not understood, or not for this host, is not kept.
            let _ = cookies.parse(cookie, &url);
        }
        self.has_cookies.store(true, Ordering::Relaxed);
    }

    fn cookies(&self) -> MutexGuard<'_, CookieStore> {
        // A panic while the lock is held cannot leave a cookie half kept.
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("is_caching", &self.cache.is_some()).finish_non_exhaustive()
    }
}

fn is_http(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use futures::future::BoxFuture;

    use super::*;
    use crate::http::{Body, Headers, Method};

    /// Path, status and headers.
    type Answer = (&'static str, u16, &'static [(&'static str, &'static str)]);

    /// Answers by path, and writes down what is asked.
    struct Scripted {
        asked: Mutex<Vec<String>>,
    }

    impl Transport for Scripted {
        fn exchange<'a>(
            &'a self,
            request: &'a Arc<PreparedRequest>,
        ) -> BoxFuture<'a, Result<Response, HttpError>> {
            let path = request.url.strip_prefix("http://h").unwrap_or(&request.url);
            let cookie = request.headers.get("Cookie").unwrap_or("-");
            self.asked.lock().unwrap().push(format!("{} {path} {cookie}", request.method));
            let (_, status, headers) =
                ANSWERS.iter().find(|(answer_path, ..)| *answer_path == path).unwrap();
            let body = Body::Whole(Bytes::copy_from_slice(path.as_bytes()));
            let headers = headers.iter().copied().collect::<Headers>();
            let mut response = Response::new(*status, headers, Arc::clone(request), body);
            response.set_cookies =
                response.headers.get("Set-Cookie").map(str::to_owned).into_iter().collect();
            Box::pin(std::future::ready(Ok(response)))
        }
    }

    const ANSWERS: &[Answer] = &[
        ("/ok", 200, &[]),
        ("/moved", 302, &[("Location", "/ok"), ("Set-Cookie", "s=é; Path=/")]),
        ("/alias", 302, &[("Location", "/ok")]),
        ("/loop", 302, &[("Location", "/loop")]),
        ("/away", 302, &[("Location", "ftp://o/a")]),
        ("/missing", 404, &[]),
    ];

    fn scripted() -> (Arc<Scripted>, Client) {
        let transport = Arc::new(Scripted { asked: Mutex::default() });
        let client = Http::new(Arc::clone(&transport) as Arc<dyn Transport>).client();
        (transport, client)
    }

    async fn send(client: &Client, path: &str) -> Result<Response, HttpError> {
        let request = Request::new(Method::GET, format!("http://h{path}"));
        client.send(&Arc::new(client.prepare(&request)?)).await
    }

    #[tokio::test]
    async fn redirects_are_followed_with_cookies() {
        let (transport, client) = scripted();
        let response = send(&client, "/moved").await.unwrap();
        assert_eq!((response.status, response.url()), (200, "http://h/ok"));
        send(&client, "/ok").await.unwrap();
        let asked = transport.asked.lock().unwrap();
        assert_eq!(*asked, ["GET /moved -", "GET /ok s=é", "GET /ok s=é"]);
    }

    #[tokio::test]
    async fn endless_redirects_are_an_error() {
        let (transport, client) = scripted();
        let error = send(&client, "/loop").await.unwrap_err();
        let expect = HttpError::new(ErrorKind::TooManyRedirects, "Exceeded 30 redirects.");
        assert_eq!((error, transport.asked.lock().unwrap().len()), (expect, 31));
    }

    #[tokio::test]
    async fn redirects_can_be_left_alone() {
        let (_, client) = scripted();
        let mut request = client.prepare(&Request::new(Method::GET, "http://h/moved")).unwrap();
        request.options.follows_redirects = false;
        assert_eq!(client.send(&Arc::new(request)).await.unwrap().status, 302);
    }

    #[tokio::test]
    async fn other_schemes_are_refused() {
        let (_, client) = scripted();
        let request = client.prepare(&Request::new(Method::GET, "v1:batch")).unwrap();
        let error = client.send(&Arc::new(request)).await.unwrap_err();
        let expect = "No connection adapters were found for 'v1:batch'";
        assert_eq!(error, HttpError::new(ErrorKind::InvalidSchema, expect));
        let error = send(&client, "/away").await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSchema);
    }

    #[tokio::test]
    async fn clients_share_the_cache_of_a_name() {
        let (transport, client) = scripted();
        let client = client.with_cache("parents");
        assert!(!send(&client, "/ok").await.unwrap().is_from_cache);
        let other = client.http.client().with_cache("parents");
        let response = send(&other, "/ok").await.unwrap();
        assert_eq!((response.is_from_cache, response.bytes()), (true, &b"/ok"[..]));
        send(&client, "/alias").await.unwrap();
        assert_eq!(send(&client, "/alias").await.unwrap().url(), "http://h/ok");
        send(&client, "/missing").await.unwrap();
        send(&client, "/missing").await.unwrap();
        let asked = transport.asked.lock().unwrap();
        assert_eq!(asked.len(), 4, "{asked:?}");
    }

    /// Counts what is sent.
    #[derive(Default)]
    struct Counting(Mutex<(usize, usize)>);

    impl Permit for Counting {
        fn acquire<'a>(&'a self, _: &'a PreparedRequest) -> BoxFuture<'a, ()> {
            self.0.lock().unwrap().0 += 1;
            Box::pin(std::future::ready(()))
        }

        fn observe(&self, _: &PreparedRequest, _: &Response) {
            self.0.lock().unwrap().1 += 1;
        }
    }

    #[tokio::test]
    async fn each_request_that_is_sent_needs_a_permit() {
        let (_, client) = scripted();
        let permit = Arc::new(Counting::default());
        let client = client.with_cache("c").with_permit(Arc::clone(&permit) as Arc<dyn Permit>);
        send(&client, "/alias").await.unwrap();
        send(&client, "/alias").await.unwrap();
        assert_eq!(*permit.0.lock().unwrap(), (2, 2));
    }
}
