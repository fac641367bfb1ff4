//! `OAuthAuthenticator`: an access token that is renewed when it has expired.

mod refresh;
mod store;

use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::MutexGuard;

use crate::components::shape::{Text, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, Config, ReadError, RequestParts,
    Surroundings,
};
use crate::http::{PreparedRequest, RefreshError, Refreshed, SendError, SessionAuth};
use crate::template::time::{DateTime, TimeDelta};
use crate::template::{InterpolatedMapping, InterpolatedString};
use crate::value::{Json, Map, python_str};

use super::expiry::parse_date;
use super::jwt;
use refresh::{Credential, Grant, Names, RefreshFailure, RefreshRequest, Rejection};
use store::{ConfigPath, ConfigPaths, KeptToken, TokenStore};

/// One refresh at a time: streams may share a refresh token that works only once.
static REFRESHING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The grant type of a signed assertion.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The YAML shapes.
pub mod yaml {
    use super::{Map, Text, jwt, shape};

    shape! {
        /// Sends an access token with every request, and renews it when it has expired.
        pub struct OAuthAuthenticator {
            /// What the client's ID is called in the refresh request.
            client_id_name: Text = Text::new("client_id"),
            /// The client's ID.
            client_id: Option<Text>,
            /// What the client's secret is called in the refresh request.
            client_secret_name: Text = Text::new("client_secret"),
            /// The client's secret.
            client_secret: Option<Text>,
            /// What the refresh token is called in the refresh request and its response.
            refresh_token_name: Text = Text::new("refresh_token"),
            /// The refresh token.
            refresh_token: Option<Text>,
            /// Where tokens are renewed; without it the access token is used as it is.
            token_refresh_endpoint: Option<Text>,
            /// What the access token is called in the response.
            access_token_name: Text = Text::new("access_token"),
            /// The access token to begin with.
            access_token_value: Option<Text>,
            /// What the lifetime is called in the response.
            expires_in_name: Text = Text::new("expires_in"),
            /// What the grant type is called in the refresh request.
            grant_type_name: Text = Text::new("grant_type"),
            /// The grant type: `refresh_token` or `client_credentials`.
            grant_type: Text = Text::new("refresh_token"),
            /// Further fields of the refresh request.
            refresh_request_body: Option<Map>,
            /// Headers of the refresh request; with `Authorization`, ID and secret are not sent as
            /// fields.
            refresh_request_headers: Option<Map>,
            /// Whether the fields are sent in the query instead of the body.
            send_refresh_request_as_query_params: bool = false,
            /// Scopes to ask for.
            scopes: Option<Vec<String>>,
            /// When the access token to begin with expires.
            token_expiry_date: Option<Text>,
            /// Set when the response says when the token expires, instead of how soon.
            token_expiry_date_format: Option<String>,
            /// Statuses of a response that may say that the refresh token is no good.
            refresh_token_error_status_codes: Option<Vec<i64>>,
            /// The key that says so.
            refresh_token_error_key: Option<String>,
            /// The values that say so.
            refresh_token_error_values: Option<Vec<String>>,
            /// Set when each use of a refresh token gives a new one, which the config has to keep.
            refresh_token_updater: Option<RefreshTokenUpdater>,
            /// A signed token that proves who asks.
            profile_assertion: Option<jwt::yaml::JwtAuthenticator>,
            /// Whether the signed token takes the place of ID, secret, and refresh token.
            use_profile_assertion: bool = false,
        }
    }

    shape! {
        /// Where in the config tokens are kept.
        pub struct RefreshTokenUpdater: untyped {
            /// What the new refresh token is called in the response.
            refresh_token_name: String = "refresh_token".to_owned(),
            /// Where the access token is kept.
            access_token_config_path: Vec<String> = super::credentials("access_token"),
            /// Where the refresh token is kept.
            refresh_token_config_path: Vec<String> = super::credentials("refresh_token"),
            /// Where it is kept when the access token expires.
            token_expiry_date_config_path: Vec<String> = super::credentials("token_expiry_date"),
            /// Statuses of a response that may say that the refresh token is no good.
            refresh_token_error_status_codes: Option<Vec<i64>>,
            /// The key that says so.
            refresh_token_error_key: Option<String>,
            /// The values that say so.
            refresh_token_error_values: Option<Vec<String>>,
        }
    }
}

fn credentials(key: &str) -> Vec<String> {
    vec!["credentials".to_owned(), key.to_owned()]
}

impl Component for yaml::OAuthAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let authenticator = match &self.refresh_token_updater {
            Some(updater) => self.build_updating(updater, cx)?,
            None => self.build_keeping(cx)?,
        };
        Ok(Arc::new(authenticator))
    }
}

impl yaml::OAuthAuthenticator {
    /// An authenticator that keeps the access token to itself.
    fn build_keeping(&self, cx: &BuildContext<'_>) -> Result<OAuthAuthenticator, BuildError> {
        let error = |problem: &str| {
            let message = format!("OAuthAuthenticator configuration error: {problem}");
            BuildError::in_span(self.span, message)
        };
        let surroundings = cx.surroundings();
        let expiry = self.initial_expiry(&surroundings)?;
        let token = match &self.access_token_value {
            Some(text) => {
                let template = self.template(text);
                Some(surroundings.eval(|scope| template.eval_json(&scope))?)
                    .filter(|_| !text.is_empty())
            }
            None => None,
        };
        if !self.use_profile_assertion && (self.client_id.is_none() || self.client_secret.is_none())
        {
            return Err(error(
                "Both 'client_id' and 'client_secret' are required for the basic OAuth flow.",
            ));
        }
        let assertion = match &self.profile_assertion {
            Some(assertion) if self.use_profile_assertion => Some(assertion.build_token(cx)),
            None if self.use_profile_assertion => {
                return Err(error(
                    "'profile_assertion' is required when using the profile assertion flow.",
                ));
            }
            _ => None,
        };
        let jwt_bearer = Text::new(JWT_BEARER);
        let grant_type = if self.use_profile_assertion { &jwt_bearer } else { &self.grant_type };
        let kind = self.template(grant_type);
        let is_refresh = surroundings.eval(|scope| kind.eval_json(&scope))? == "refresh_token";
        if is_refresh && self.refresh_token.is_none() {
            return Err(error(
                "A 'refresh_token' is required when the 'grant_type' is set to 'refresh_token'.",
            ));
        }
        let grant = Grant {
            kind,
            assertion,
            client_id: Credential::Template(self.credential(self.client_id.as_ref())),
            client_secret: Credential::Template(self.credential(self.client_secret.as_ref())),
        };
        let refresh_token_name = &self.refresh_token_name;
        Ok(OAuthAuthenticator {
            request: self.request(grant, refresh_token_name, surroundings.clone())?,
            refresh_token: self.refresh_token.as_ref().map(|text| self.template(text)),
            store: TokenStore::Memory(Mutex::new(KeptToken { token, expiry })),
            surroundings,
        })
    }

    /// An authenticator that keeps its tokens in the config. As in the reference, everything else
    /// is what it was when the authenticator was built.
    fn build_updating(
        &self,
        updater: &yaml::RefreshTokenUpdater,
        cx: &BuildContext<'_>,
    ) -> Result<OAuthAuthenticator, BuildError> {
        let surroundings = cx.surroundings();
        let frozen = Config::new(Map::clone(&cx.config.snapshot()));
        let frozen = Surroundings::new(frozen, Arc::clone(cx.environment));
        let credential = |text: Option<&Text>, key: &str| {
            let path = ConfigPath::new(&credentials(key))?;
            let in_config = Some(path.get(&frozen)?).filter(|value| value != "");
            Ok::<_, BuildError>(match (in_config, self.credential(text)) {
                (Some(value), _) => Credential::Fixed(value),
                (None, Some(template)) => {
                    Credential::Fixed(frozen.eval(|scope| template.eval_json(&scope))?)
                }
                (None, None) => Credential::Fixed(Json::String(String::new())),
            })
        };
        let grant = Grant {
            kind: self.template(&self.grant_type),
            assertion: None,
            client_id: credential(self.client_id.as_ref(), "client_id")?,
            client_secret: credential(self.client_secret.as_ref(), "client_secret")?,
        };
        let store = TokenStore::Config(Box::new(ConfigPaths {
            access_token: ConfigPath::new(&updater.access_token_config_path)?,
            refresh_token: ConfigPath::new(&updater.refresh_token_config_path)?,
            expiry: ConfigPath::new(&updater.token_expiry_date_config_path)?,
        }));
        // An expiry that cannot be read fails here.
        store.expiry(&surroundings)?;
        let refresh_token_name = Text::new(&updater.refresh_token_name);
        Ok(OAuthAuthenticator {
            request: self.request(grant, &refresh_token_name, frozen)?,
            refresh_token: None,
            store,
            surroundings,
        })
    }

    fn request(
        &self,
        grant: Grant,
        refresh_token_name: &Text,
        surroundings: Surroundings,
    ) -> Result<RefreshRequest, BuildError> {
        let mapping = |map: &Option<Map>| {
            InterpolatedMapping::new(&map.clone().unwrap_or_default(), self.parameters.clone())
        };
        Ok(RefreshRequest {
            endpoint: self.token_refresh_endpoint.as_ref().map(|text| self.template(text)),
            grant,
            body: mapping(&self.refresh_request_body),
            headers: mapping(&self.refresh_request_headers),
            is_in_query: self.send_refresh_request_as_query_params,
            scopes: self.scopes.clone().unwrap_or_default(),
            names: Names {
                grant_type: self.template(&self.grant_type_name),
                client_id: self.template(&self.client_id_name),
                client_secret: self.template(&self.client_secret_name),
                refresh_token: self.template(refresh_token_name),
                access_token: self.template(&self.access_token_name),
                expires_in: self.template(&self.expires_in_name),
            },
            rejection: self.rejection()?,
            has_expiry_date: self
                .token_expiry_date_format
                .as_ref()
                .is_some_and(|it| !it.is_empty()),
            surroundings,
        })
    }

    fn template(&self, text: &Text) -> InterpolatedString {
        InterpolatedString::new(text, self.parameters.clone())
    }

    fn credential(&self, text: Option<&Text>) -> Option<InterpolatedString> {
        text.filter(|text| !text.is_empty()).map(|text| self.template(text))
    }

    fn initial_expiry(&self, surroundings: &Surroundings) -> Result<DateTime, BuildError> {
        let Some(text) = self.token_expiry_date.as_ref().filter(|text| !text.is_empty()) else {
            let now = DateTime::from_timestamp(surroundings.run().now());
            return Ok(now.minus(TimeDelta::from_days(1.0)?)?);
        };
        let date = surroundings.eval(|scope| self.template(text).eval_string(&scope))?;
        parse_date(&date).map_err(|err| {
            BuildError::in_span(text.span, format!("Invalid token expiry date format: {err}"))
        })
    }

    /// What is said here or in the updater about refresh tokens that are no good, else what most
    /// APIs do.
    fn rejection(&self) -> Result<Rejection, BuildError> {
        let here = written_rejection(
            self.refresh_token_error_status_codes.as_ref(),
            self.refresh_token_error_key.as_ref(),
            self.refresh_token_error_values.as_ref(),
        );
        let in_updater = self.refresh_token_updater.as_ref().and_then(|updater| {
            written_rejection(
                updater.refresh_token_error_status_codes.as_ref(),
                updater.refresh_token_error_key.as_ref(),
                updater.refresh_token_error_values.as_ref(),
            )
        });
        if here.is_some() && in_updater.is_some() {
            let message = "refresh_token_error should either be defined on the \
                           OAuthAuthenticatorModel or the RefreshTokenUpdaterModel, not both";
            return Err(BuildError::in_span(self.span, message));
        }
        Ok(here.or(in_updater).unwrap_or_else(|| Rejection {
            statuses: vec![400],
            key: "error".to_owned(),
            values: vec!["invalid_grant".to_owned(), "invalid_permissions".to_owned()],
        }))
    }
}

/// One that is written in part is otherwise empty; nothing when none of it is written.
fn written_rejection(
    statuses: Option<&Vec<i64>>,
    key: Option<&String>,
    values: Option<&Vec<String>>,
) -> Option<Rejection> {
    let rejection = Rejection {
        statuses: statuses.cloned().unwrap_or_default(),
        key: key.cloned().unwrap_or_default(),
        values: values.cloned().unwrap_or_default(),
    };
    let is_written =
        !rejection.statuses.is_empty() || !rejection.key.is_empty() || !rejection.values.is_empty();
    is_written.then_some(rejection)
}

/// See the module documentation.
struct OAuthAuthenticator {
    request: RefreshRequest,
    /// The refresh token, unless the config keeps it.
    refresh_token: Option<InterpolatedString>,
    store: TokenStore,
    surroundings: Surroundings,
}

impl OAuthAuthenticator {
    /// The token to send, new if need be.
    async fn token(&self) -> Result<Json, RefreshFailure> {
        let surroundings = &self.surroundings;
        if self.request.endpoint()?.is_some() && self.store.is_expired(surroundings)? {
            let guard = REFRESHING.lock().await;
            // Another stream may have been faster.
            if self.store.is_expired(surroundings)? {
                self.renew(&guard).await?;
            }
        }
        let token = self.store.access_token(surroundings)?;
        token.ok_or_else(|| ReadError::value("access_token is not set").into())
    }

    /// Gets a new token, unless another has been set while this one was waiting for its turn.
    async fn force_renewal(&self) -> Result<(), RefreshFailure> {
        let before = self.store.access_token(&self.surroundings)?;
        let guard = REFRESHING.lock().await;
        if self.store.access_token(&self.surroundings)? == before {
            self.renew(&guard).await?;
        }
        Ok(())
    }

    async fn renew(&self, _: &MutexGuard<'_, ()>) -> Result<(), RefreshFailure> {
        let refresh_token = match (&self.store, &self.refresh_token) {
            (TokenStore::Config(paths), _) => paths.refresh_token.get(&self.surroundings)?,
            (_, Some(template)) => {
                let token = self.surroundings.eval(|scope| template.eval_string(&scope));
                Json::String(token.map_err(ReadError::from)?)
            }
            (_, None) => Json::Null,
        };
        let new = self.request.send(refresh_token).await?;
        Ok(self.store.keep(new, &self.surroundings)?)
    }

    async fn header(&self) -> Result<String, RefreshFailure> {
        Ok(format!("Bearer {}", python_str(&self.token().await?)))
    }
}

impl Authenticator for OAuthAuthenticator {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        async {
            let header = self.header().await.map_err(|failure| failure.error)?;
            Ok(RequestParts::of_header("Authorization", header))
        }
        .boxed()
    }
}

impl SessionAuth for OAuthAuthenticator {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async {
            let header = self.header().await.map_err(|failure| failure.error)?;
            request.headers.set("Authorization", header);
            Ok(())
        }
        .boxed()
    }

    fn refresh<'a>(
        &'a self,
        rejected: &'a PreparedRequest,
    ) -> Option<BoxFuture<'a, Result<Refreshed, RefreshError>>> {
        let renewal = async {
            let sent = rejected.headers.get("Authorization").filter(|sent| !sent.is_empty());
            if sent.is_some() && sent != Some(&*self.header().await?) {
                return Ok(Refreshed::Already);
            }
            self.force_renewal().await?;
            Ok(Refreshed::Now)
        };
        let result = async {
            renewal.await.map_err(|RefreshFailure { error, is_rejection }| {
                if is_rejection {
                    return RefreshError::Rejected(error.to_string());
                }
                RefreshError::Failed(error.into())
            })
        };
        Some(result.boxed())
    }
}
