//! Registries: images are fetched and pushed as the OCI distribution specification says.

mod challenge;
mod credentials;
mod push;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use serde_json::Value;

use self::challenge::Challenge;
use self::credentials::Login;
pub use self::push::Pushed;
use super::digest::Digest;
use super::documents::media;
use super::error::ImageError;
use super::reference::Reference;
use crate::http::{
    Body, BodyMode, Client, Http, Limits, Method, Options, ParamValue, Request, RequestBody,
    Response, urljoin,
};
use crate::value::Secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// A registry may look through a large layer before it answers.
const READ_TIMEOUT: Duration = Duration::from_mins(5);

/// A registry, for one image.
pub struct Registry {
    /// The image.
    pub(super) reference: Reference,
    client: Client,
    /// `https://host`, without a slash at its end.
    base: String,
    login: Login,
    /// What proves who we are, once the registry has asked for it.
    authorization: Mutex<Option<Secret>>,
}

/// A request to a registry.
struct Ask {
    method: Method,
    /// From the base, or a whole URL.
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Bytes>,
}

impl Registry {
    /// The registry of `reference`, with the login that the configuration of Docker in the folder
    /// `config` has for it. Plain http is spoken only where asked for, and on this machine.
    pub fn open(
        reference: &Reference,
        http: &Http,
        config: &Path,
        is_plain: bool,
    ) -> Result<Self, ImageError> {
        let login = Login::find(config, &reference.host)?;
        let host =
            if reference.host == "docker.io" { "registry-1.docker.io" } else { &reference.host };
        let scheme = if is_plain || reference.is_local() { "http" } else { "https" };
        Ok(Self {
            reference: reference.clone(),
            client: http.client(),
            base: format!("{scheme}://{host}"),
            login,
            authorization: Mutex::default(),
        })
    }

    /// The manifest or index that is called `name`: a tag or a digest.
    pub(super) async fn manifest(&self, name: &str) -> Result<Bytes, ImageError> {
        let accept =
            [media::INDEX, media::MANIFEST, media::DOCKER_INDEX, media::DOCKER_MANIFEST].join(", ");
        let ask = Ask::new(Method::GET, self.path(&format!("manifests/{name}")));
        let response = self.ask(ask.with("Accept", accept)).await?;
        self.expect(response, &[200], "give the image").map(bytes)
    }

    /// The blob with the address `digest`.
    pub(super) async fn blob(&self, digest: &Digest) -> Result<Bytes, ImageError> {
        let ask = Ask::new(Method::GET, self.path(&format!("blobs/{digest}")));
        let response = self.ask(ask).await?;
        self.expect(response, &[200], "give a layer").map(bytes)
    }

    /// The path of something in our repository.
    fn path(&self, what: &str) -> String {
        format!("/v2/{}/{what}", self.reference.repository)
    }

    /// Asks, once more with proof of who we are if the registry wants that.
    async fn ask(&self, ask: Ask) -> Result<Response, ImageError> {
        let known = self.known_authorization();
        let response = self.send(&ask, known.as_ref()).await?;
        // Another server, to which the registry has sent us, must not learn who we are.
        if response.status != 401 || !self.is_ours(response.url()) {
            return Ok(response);
        }
        let authorization = self.authorize(&response).await?;
        let response = self.send(&ask, Some(&authorization)).await?;
        if response.status == 401 {
            return Err(self.refused_login());
        }
        // A panic while the lock is held cannot leave it half written.
        *self.authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(authorization);
        Ok(response)
    }

    fn is_ours(&self, url: &str) -> bool {
        url.strip_prefix(&self.base).is_some_and(|path| path.starts_with('/'))
    }

    fn known_authorization(&self) -> Option<Secret> {
        self.authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn send(&self, ask: &Ask, proof: Option<&Secret>) -> Result<Response, ImageError> {
        let url = if ask.target.starts_with('/') {
            format!("{}{}", self.base, ask.target)
        } else {
            ask.target.clone()
        };
        let mut request = Request::new(ask.method.clone(), url);
        for (name, value) in &ask.headers {
            request.headers.push(((*name).to_owned(), value.clone()));
        }
        if let Some(proof) = proof.filter(|_| self.is_ours(&request.url)) {
            request.headers.push(("Authorization".to_owned(), proof.expose().clone()));
        }
        self.exchange(request, ask.body.clone()).await
    }

    async fn exchange(
        &self,
        mut request: Request,
        body: Option<Bytes>,
    ) -> Result<Response, ImageError> {
        let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        request.headers.push(("User-Agent".to_owned(), agent.to_owned()));
        // Layers are taken as they are.
        request.headers.push(("Accept-Encoding".to_owned(), "identity".to_owned()));
        request.options = Options {
            connect_timeout: Some(CONNECT_TIMEOUT),
            read_timeout: Some(READ_TIMEOUT),
            body: BodyMode::Raw,
            follows_redirects: true,
        };
        let sent = async {
            let mut prepared = self.client.prepare(&request)?;
            if let Some(body) = body {
                prepared.headers.set("Content-Length", body.len().to_string());
                prepared.body = Some(body);
            }
            let mut response = self.client.send(&Arc::new(prepared)).await?;
            response.load(&Limits::default()).await?;
            Ok(response)
        };
        sent.await.map_err(|reason| ImageError::Unreachable { host: self.host(), reason })
    }

    /// What the registry takes as proof of who we are, after it answered 401.
    async fn authorize(&self, response: &Response) -> Result<Secret, ImageError> {
        let challenge = response.headers.get("www-authenticate").and_then(Challenge::parse);
        match challenge {
            Some(Challenge::Basic) => match &self.login.basic {
                Some(basic) => Ok(Secret::new(basic_header(&basic.user, basic.password.expose()))),
                None => Err(self.refused_login()),
            },
            Some(Challenge::Bearer { realm, service, scope }) => {
                let scope = scope.unwrap_or_else(|| {
                    format!("repository:{}:pull,push", self.reference.repository)
                });
                self.token(&realm, service, scope).await
            }
            None => Err(self.refused_login()),
        }
    }

    /// A token from the server that the registry trusts.
    async fn token(
        &self,
        realm: &str,
        service: Option<String>,
        scope: String,
    ) -> Result<Secret, ImageError> {
        let text = |value: &str| ParamValue::Text(value.to_owned());
        let mut fields: Vec<(String, ParamValue)> = vec![("scope".to_owned(), scope.into())];
        fields.extend(service.map(|service| ("service".to_owned(), service.into())));
        let request = if let Some(token) = &self.login.identity_token {
            fields.push(("grant_type".to_owned(), text("refresh_token")));
            fields.push(("client_id".to_owned(), text(env!("CARGO_PKG_NAME"))));
            fields.push(("refresh_token".to_owned(), text(token.expose())));
            Request { body: RequestBody::Form(fields), ..Request::new(Method::POST, realm) }
        } else {
            let mut request = Request::new(Method::GET, realm);
            request.params = fields;
            if let Some(basic) = &self.login.basic {
                let header = basic_header(&basic.user, basic.password.expose());
                request.headers.push(("Authorization".to_owned(), header));
            }
            request
        };
        let response = self.exchange(request, None).await?;
        if matches!(response.status, 400 | 401 | 403) {
            return Err(self.refused_login());
        }
        let response = self.expect(response, &[200], "give a token")?;
        let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
        let token = answer["token"].as_str().or(answer["access_token"].as_str());
        match token {
            Some(token) => Ok(Secret::new(format!("Bearer {token}"))),
            None => Err(self.answer(&response, "give a token")),
        }
    }

    /// The response, if its status is one of `statuses`.
    fn expect(
        &self,
        response: Response,
        statuses: &[u16],
        what: &'static str,
    ) -> Result<Response, ImageError> {
        match response.status {
            status if statuses.contains(&status) => Ok(response),
            404 if response.request.method == Method::GET => {
                Err(ImageError::NotFound(Box::new(self.reference.clone())))
            }
            403 => {
                let is_fetching = response.request.method == Method::GET;
                Err(ImageError::Forbidden {
                    reference: Box::new(self.reference.clone()),
                    who: self.login.user().map_or("anybody".to_owned(), |user| format!("`{user}`")),
                    what: if is_fetching { "fetch from" } else { "push to" },
                    reason: reason(&response),
                })
            }
            _ => Err(self.answer(&response, what)),
        }
    }

    fn answer(&self, response: &Response, what: &'static str) -> ImageError {
        let (status, reason) = (response.status, reason(response));
        ImageError::Answer { host: self.host(), status, what, reason }
    }

    fn refused_login(&self) -> ImageError {
        let (host, file) = (self.host(), self.login.file.clone());
        match self.login.user() {
            Some(user) => ImageError::WrongLogin { host, user: user.to_owned(), file },
            None => ImageError::NoLogin { host, file },
        }
    }

    fn host(&self) -> String {
        self.reference.host.clone()
    }
}

impl Ask {
    fn new(method: Method, target: String) -> Self {
        Self { method, target, headers: Vec::new(), body: None }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(self, body: Bytes) -> Self {
        Self { body: Some(body), ..self }
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("base", &self.base).finish_non_exhaustive()
    }
}

fn basic_header(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// The body, which was received as a whole.
fn bytes(response: Response) -> Bytes {
    match response.into_body() {
        Body::Whole(bytes) => bytes,
        Body::Stream(_) => Bytes::new(),
    }
}

/// A location that the registry gave, as a whole URL.
fn located(response: &Response) -> Option<String> {
    let location = response.headers.get("location")?;
    Some(urljoin(response.url(), location))
}

/// What the registry says of its refusal, in one line.
fn reason(response: &Response) -> String {
    let answer: Value = serde_json::from_slice(response.bytes()).unwrap_or_default();
    let errors = answer["errors"].as_array().into_iter().flatten();
    let errors = errors.filter_map(|error| error["message"].as_str().or(error["code"].as_str()));
    let reasons: Vec<_> = errors.filter(|text| !text.is_empty()).collect();
    reasons.join("; ")
}
