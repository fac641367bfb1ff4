//! `OAuthAuthenticator`: an access token that is renewed when it has expired.

mod refresh;
mod store;

use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::MutexGuard;

use crate::components::shape::{Nullable, Templated, Text, shape};
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
    use super::{Map, Nullable, Templated, Text, jwt, shape};

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
            refresh_request_body: Option<Templated<Map>>,
            /// Headers of the refresh request; with `Authorization`, ID and secret are not sent as
            /// fields.
            refresh_request_headers: Option<Templated<Map>>,
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
            refresh_token_updater: Nullable<RefreshTokenUpdater>,
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
        let authenticator = match &self.refresh_token_updater.0 {
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
            request: self.request(
                grant,
                refresh_token_name,
                surroundings.clone(),
                cx.stream.is_parent,
            )?,
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
            request: self.request(grant, &refresh_token_name, frozen, cx.stream.is_parent)?,
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
        is_parent: bool,
    ) -> Result<RefreshRequest, BuildError> {
        let mapping = |map: &Option<Templated<Map>>| {
            let map = map.as_deref().cloned().unwrap_or_default();
            InterpolatedMapping::new(&map, self.parameters.clone())
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
            is_parent,
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
        let in_updater = self.refresh_token_updater.0.as_ref().and_then(|updater| {
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
        Ok(self.store.keep(new, &self.surroundings).await?)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::components::testing::World;

    use super::*;

    const API: &str = "GET http://h/ | Authorization: Bearer ";

    /// What is asked for two requests, when the token endpoint gives `answers` one after the other.
    fn asked(fields: &Json, config: &Json, answers: &[(u16, Json)]) -> Vec<String> {
        let mut authenticator =
            json!({"type": "OAuthAuthenticator", "token_refresh_endpoint": "http://h/token"});
        authenticator.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let answers = answers.to_vec();
        World::asking(
            config,
            &json!({"type": "HttpRequester", "url": "http://h/", "authenticator": authenticator}),
            2,
            move |asked, request| {
                if !request.url.starts_with("http://h/token") {
                    return (200, json!({}));
                }
                let n_refreshes = asked.iter().filter(|line| line.starts_with("POST")).count();
                answers[n_refreshes - 1].clone()
            },
        )
    }

    #[track_caller]
    fn check(fields: &Json, answers: &[(u16, Json)], expect: &[&str]) {
        let config = json!({"id": "i d", "secret": "s", "refresh": "r0"});
        assert_eq!(asked(fields, &config, answers), expect);
    }

    fn basic() -> Json {
        json!({
            "client_id": "{{ config.id }}", "client_secret": "{{ config.secret }}",
            "refresh_token": "{{ config.refresh }}",
        })
    }

    fn with(fields: &Json) -> Json {
        let mut all = basic();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        all
    }

    /// A refresh request with this body.
    fn refresh(body: &str) -> String {
        format!("POST http://h/token | Content-Type: application/x-www-form-urlencoded | {body}")
    }

    const BASIC: &str = "grant_type=refresh_token&client_id=i+d&client_secret=s&refresh_token=r0";

    #[test]
    fn a_token_is_used_until_it_expires() {
        let answer = json!({"data": {"access_token": "t1", "expires_in": "3600"}});
        let (refresh, api) = (refresh(BASIC), format!("{API}t1"));
        check(&basic(), &[(200, answer)], &[&refresh, &api, &api]);
    }

    #[test]
    fn an_expired_token_is_renewed_each_time() {
        let answer = |token: &str| (200, json!({"access_token": token, "expires_in": -1}));
        let answers: Vec<_> = ["t1", "t2", "t3", "t4"].map(answer).into();
        let refresh = refresh(BASIC);
        let (first, second) = (format!("{API}t2"), format!("{API}t4"));
        check(&basic(), &answers, &[&refresh, &refresh, &first, &refresh, &refresh, &second]);
    }

    #[test]
    fn the_request_has_what_the_manifest_adds() {
        let fields = with(&json!({
            "scopes": ["a", "b"], "client_id_name": "cid", "grant_type_name": "kind",
            "refresh_request_body": {"extra": "{{ 1 }}", "cid": "lost", "none": "{{ none }}"},
        }));
        let body =
            "kind=refresh_token&cid=i+d&client_secret=s&refresh_token=r0&scopes=a&scopes=b&extra=1";
        let answer = (200, json!({"access_token": "t1"}));
        let (refresh, api) = (refresh(body), format!("{API}t1"));
        check(&fields, &[answer], &[&refresh, &api, &api]);
    }

    #[test]
    fn credentials_in_a_header_are_no_fields() {
        let fields = with(&json!({
            "refresh_request_headers": {"Authorization": "Basic x"},
            "send_refresh_request_as_query_params": true,
        }));
        let refresh = "POST http://h/token?grant_type=refresh_token&refresh_token=r0 | \
                       Authorization: Basic x";
        let api = format!("{API}t1");
        check(&fields, &[(200, json!({"access_token": "t1"}))], &[refresh, &api, &api]);
    }

    #[test]
    fn client_credentials_need_no_refresh_token() {
        let fields =
            json!({"client_id": "i", "client_secret": "s", "grant_type": "client_credentials"});
        let refresh = refresh("grant_type=client_credentials&client_id=i&client_secret=s");
        let api = format!("{API}t1");
        check(&fields, &[(200, json!({"access_token": "t1"}))], &[&refresh, &api, &api]);
    }

    #[test]
    fn an_assertion_takes_the_place_of_all_else() {
        let fields = json!({
            "use_profile_assertion": true,
            "profile_assertion": {"type": "JwtAuthenticator", "secret_key": "s", "algorithm": "HS256"},
        });
        let asked = asked(&fields, &json!({}), &[(200, json!({"access_token": "t1"}))]);
        let start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=ey";
        assert!(asked[0].starts_with(&refresh(start)), "{}", asked[0]);
    }

    #[test]
    fn a_token_of_the_config_can_do_without_an_endpoint() {
        let mut fields = with(&json!({"access_token_value": "{{ config.secret }}0"}));
        fields["token_refresh_endpoint"] = json!(null);
        let fields: Map = fields
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .filter(|(_, it)| !it.is_null())
            .collect();
        let authenticator = json!({"type": "OAuthAuthenticator"});
        let mut authenticator = authenticator.as_object().unwrap().clone();
        authenticator.extend(fields);
        let requester =
            json!({"type": "HttpRequester", "url": "http://h/", "authenticator": authenticator});
        let asked = World::asking(&json!({"secret": "t"}), &requester, 1, |_, _| (200, json!({})));
        assert_eq!(asked, [format!("{API}t0")]);
    }

    #[test]
    fn overloads_are_waited_for() {
        let answers = [(503, json!({})), (429, json!({})), (200, json!({"access_token": "t1"}))];
        let (refresh, api) = (refresh(BASIC), format!("{API}t1"));
        check(&basic(), &answers, &[&refresh, &refresh, &refresh, &api, &api]);
    }

    #[test]
    fn refusals_say_who_can_mend_them() {
        let answer =
            json!({"error": "invalid_grant", "error_description": "AADSTS50173: r0 is old"});
        let message = "Refresh token was rejected by the OAuth provider (invalid, expired, or already \
                       used). Re-authenticate this source's credentials in its connection settings. \
                       Provider error: invalid_grant: AADSTS50173";
        let refresh = refresh(BASIC);
        check(
            &basic(),
            &[(400, answer.clone()), (400, answer)],
            &[&refresh, message, &refresh, message],
        );
        let message = "400 Client Error: Bad Request for url: http://h/token";
        let answer = (400, json!({"error": "other"}));
        check(&basic(), &[answer.clone(), answer], &[&refresh, message, &refresh, message]);
        let message = "Token refresh API response was missing access token access_token";
        let answer = (200, json!({}));
        check(&basic(), &[answer.clone(), answer], &[&refresh, message, &refresh, message]);
    }

    #[test]
    fn a_refresh_token_that_works_once_is_kept_in_the_config() {
        let config = json!({"credentials": {
            "client_id": "i", "client_secret": "s", "refresh_token": "r0",
            "access_token": "t0", "token_expiry_date": "2024-05-06T07:08:08Z",
        }});
        let fields = json!({"refresh_token_updater": {}});
        let answer = |nth: i64, expires_in: i64| {
            let tokens = json!({
                "access_token": format!("t{nth}"), "refresh_token": format!("r{nth}"),
                "expires_in": expires_in,
            });
            (200, tokens)
        };
        let body = |nth: i64| {
            refresh(&format!(
                "grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=r{nth}"
            ))
        };
        let asked = asked(&fields, &config, &[answer(1, -1), answer(2, 60)]);
        let api = format!("{API}t2");
        assert_eq!(asked, [&*body(0), &body(1), &api, &api]);
    }

    #[test]
    fn what_is_missing_shows_when_it_is_built() {
        let build = |fields: &Json| {
            let mut written = json!({"type": "OAuthAuthenticator"});
            written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            let built = World::new(&json!({})).build::<dyn Authenticator>(&written);
            built.err().map(|err| err.message).unwrap_or_default()
        };
        let message = "OAuthAuthenticator configuration error: Both 'client_id' and 'client_secret' \
                       are required for the basic OAuth flow.";
        assert_eq!(build(&json!({"client_id": "i", "refresh_token": "r"})), message);
        let message = "OAuthAuthenticator configuration error: A 'refresh_token' is required when the \
                       'grant_type' is set to 'refresh_token'.";
        assert_eq!(build(&json!({"client_id": "i", "client_secret": "s"})), message);
        let date = "Invalid token expiry date format: Could not parse datetime string: soon";
        assert_eq!(build(&with(&json!({"token_expiry_date": "soon"}))), date);
    }
}
