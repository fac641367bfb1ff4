//! The request for a new access token, and what its response says.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use regex::Regex;
use tracing::{info, warn};

use crate::components::{Asking, Purpose, ReadError, Surroundings};
use crate::http::{Action, ErrorKind, Method, ParamValue, Request, RequestBody, Response};
use crate::protocol::TracedError;
use crate::run::Wait;
use crate::template::time::{DateTime, TimeDelta, Unit};
use crate::template::{EvalError, InterpolatedMapping, InterpolatedString, Scope};
use crate::value::{Json, Map, is_truthy, python_float, python_str};

use super::super::eval_mapping;
use super::super::expiry::parse_date;
use super::super::token::TokenSource;

/// Seconds that the waits between attempts may take together.
const MAX_TIME: f64 = 300.0;

/// Levels of a response that are searched.
const MAX_DEPTH: usize = 5;

/// The templates of the request for a new access token.
pub(super) struct RefreshRequest {
    pub(super) endpoint: Option<InterpolatedString>,
    pub(super) grant: Grant,
    pub(super) body: InterpolatedMapping,
    pub(super) headers: InterpolatedMapping,
    /// Whether all is sent in the query instead of the body.
    pub(super) is_in_query: bool,
    pub(super) scopes: Vec<String>,
    pub(super) names: Names,
    pub(super) rejection: Rejection,
    /// Whether the response says when the token expires, and not how soon.
    pub(super) has_expiry_date: bool,
    /// Whether the token is for the parent of a stream.
    pub(super) is_parent: bool,
    /// What the templates are evaluated with.
    pub(super) surroundings: Surroundings,
}

/// What fields are called.
pub(super) struct Names {
    pub(super) grant_type: InterpolatedString,
    pub(super) client_id: InterpolatedString,
    pub(super) client_secret: InterpolatedString,
    pub(super) refresh_token: InterpolatedString,
    pub(super) access_token: InterpolatedString,
    pub(super) expires_in: InterpolatedString,
}

/// On what grounds a token is asked for.
pub(super) struct Grant {
    pub(super) kind: InterpolatedString,
    /// A signed token that takes the place of all else.
    pub(super) assertion: Option<Box<dyn TokenSource>>,
    pub(super) client_id: Credential,
    pub(super) client_secret: Credential,
}

/// A client's ID or secret.
pub(super) enum Credential {
    Template(Option<InterpolatedString>),
    /// Known when the authenticator was built.
    Fixed(Json),
}

/// Which responses say that the refresh token is no good.
pub(super) struct Rejection {
    pub(super) statuses: Vec<i64>,
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// What a response gives.
#[derive(Debug)]
pub(super) struct NewToken {
    pub(super) access_token: Json,
    /// When it expires, if the response says.
    pub(super) expiry: Option<DateTime>,
    pub(super) refresh_token: Option<Json>,
}

/// Why there is no new token.
#[derive(Debug)]
pub(super) struct RefreshFailure {
    pub(super) error: ReadError,
    /// Whether the endpoint refuses, and would again.
    pub(super) is_rejection: bool,
}

/// What an attempt without success means.
enum Attempt {
    Retry(ReadError),
    Failed(RefreshFailure),
}

impl From<ReadError> for RefreshFailure {
    fn from(error: ReadError) -> Self {
        Self { error, is_rejection: false }
    }
}

impl RefreshRequest {
    /// Where tokens are asked for; `None` when nowhere.
    pub(super) fn endpoint(&self) -> Result<Option<String>, ReadError> {
        let Some(endpoint) = &self.endpoint else { return Ok(None) };
        let endpoint = self.surroundings.eval(|scope| endpoint.eval_string(&scope))?;
        if endpoint.is_empty() {
            let message =
                "OAuthAuthenticator was unable to evaluate token_refresh_endpoint parameter";
            return Err(ReadError::value(message));
        }
        Ok(Some(endpoint))
    }

    /// Asks for a new token until there is an answer.
    pub(super) async fn send(&self, refresh_token: Json) -> Result<NewToken, RefreshFailure> {
        let run = self.surroundings.run();
        let (mut n_tries, mut waited) = (1, 0.0);
        let response = loop {
            let error = match self.attempt(&refresh_token).await {
                Ok(response) => break response,
                Err(Attempt::Failed(failure)) => return Err(failure),
                Err(Attempt::Retry(error)) if waited >= MAX_TIME => return Err(error.into()),
                Err(Attempt::Retry(error)) => error,
            };
            // Exponential with full jitter, as in the reference.
            let longest = f64::from(n_tries - 1).exp2();
            let wait = (longest * run.random_fraction()).min(MAX_TIME - waited);
            info!(
                "Caught retryable error after {n_tries} tries ({error}). Waiting {wait} seconds then retrying..."
            );
            run.wait(Wait::BackOff, Duration::from_secs_f64(wait)).await;
            waited += wait;
            n_tries += 1;
        };
        Ok(self.read(&response)?)
    }

    async fn attempt(&self, refresh_token: &Json) -> Result<Json, Attempt> {
        let failed = |error: ReadError| Attempt::Failed(error.into());
        let request = self.compose(refresh_token).await.map_err(|error| {
            let message = "OAuth access token refresh request failed.";
            let internal = format!("Unexpected error during OAuth token refresh: {error}");
            failed(ReadError::traced(TracedError::system(message).with_internal(internal)))
        })?;
        let client = self.surroundings.environment().http.client();
        let request = Arc::new(client.prepare(&request).map_err(|error| failed(error.into()))?);
        let observer = &self.surroundings.environment().observer;
        let (purpose, is_parent) = (Purpose::TokenRefresh, self.is_parent);
        let asking = Asking { stream: "", purpose, is_parent, request: &request };
        observer.asked(&asking);
        let sent = client.send(&request).await;
        if let Err(error) = &sent {
            observer.unanswered(&asking, error);
        }
        let response = match sent {
            Ok(response) => response,
            Err(error) if is_network_error(error.kind) => {
                let message = "OAuth access token refresh request failed due to a network error.";
                let internal = format!(
                    "Network error during OAuth token refresh after retries were exhausted: {error}"
                );
                let error = TracedError::transient(message).with_internal(internal);
                return Err(Attempt::Retry(ReadError::traced(error)));
            }
            Err(error) => return Err(failed(error.into())),
        };
        let Some(status_error) = response.status_error() else {
            let json = self.parse(&response).map_err(failed)?;
            // Only now, when the token is known to be a secret.
            observer.answered(&asking, &response, Action::Success);
            return Ok(json);
        };
        observer.answered(&asking, &response, Action::Fail);
        if response.status == 429 || response.status >= 500 {
            let message = format!(
                "Request URL: {}, Response Code: {}, Response Text: {}",
                response.url(),
                response.status,
                response.text()
            );
            return Err(Attempt::Retry(ReadError::unexpected("DefaultBackoffException", message)));
        }
        if self.rejection.matches(&response) {
            return Err(failed(self.rejected(&response, refresh_token)));
        }
        let error = ReadError::unexpected("HTTPError", status_error);
        Err(Attempt::Failed(RefreshFailure { error, is_rejection: true }))
    }

    async fn compose(&self, refresh_token: &Json) -> Result<Request, ReadError> {
        let endpoint = self.endpoint()?.unwrap_or_default();
        let mut request = Request::new(Method::POST, endpoint);
        let headers = self.surroundings.eval(|scope| eval_mapping(&self.headers, &scope))?;
        let has_credentials = !headers.contains_key("Authorization");
        let fields = if let Some(assertion) = &self.grant.assertion {
            let assertion = assertion.token().await?;
            self.surroundings.eval(|scope| {
                let name = self.names.grant_type.eval_string(&scope)?;
                let kind = self.grant.kind.eval_json(&scope)?;
                let assertion = ("assertion".to_owned(), Json::String(assertion));
                Ok::<_, EvalError>(Map::from_iter([(name, kind), assertion]))
            })?
        } else {
            self.surroundings.eval(|scope| self.fields(refresh_token, has_credentials, &scope))?
        };
        let fields = fields
            .into_iter()
            .filter_map(|(key, value)| Some((key, ParamValue::from_json(&value)?)))
            .collect();
        if self.is_in_query && self.grant.assertion.is_none() {
            request.params = fields;
        } else {
            request.body = RequestBody::Form(fields);
        }
        request.headers = headers
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, python_str(&value).into_owned()))
            .collect();
        Ok(request)
    }

    /// What a grant needs; fields of the manifest's own follow, and replace none.
    fn fields(
        &self,
        refresh_token: &Json,
        has_credentials: bool,
        scope: &Scope<'_>,
    ) -> Result<Map, ReadError> {
        let (names, grant) = (&self.names, &self.grant);
        let mut fields = Map::new();
        let grant_type = grant.kind.eval_json(scope)?;
        fields.insert(names.grant_type.eval_string(scope)?, grant_type);
        if has_credentials {
            let client_id = grant.client_id.eval(scope)?;
            if matches!(grant.client_id, Credential::Template(_)) && !is_truthy(&client_id) {
                let message = "OAuthAuthenticator was unable to evaluate client_id parameter";
                return Err(ReadError::value(message));
            }
            fields.insert(names.client_id.eval_string(scope)?, client_id);
            let client_secret = grant.client_secret.eval(scope)?;
            if !is_truthy(&client_secret) {
                // Some APIs want none.
                warn!(
                    "OAuthAuthenticator was unable to evaluate client_secret parameter hence it'll be empty"
                );
            }
            fields.insert(names.client_secret.eval_string(scope)?, client_secret);
        }
        fields.insert(names.refresh_token.eval_string(scope)?, refresh_token.clone());
        if !self.scopes.is_empty() {
            fields.insert("scopes".to_owned(), self.scopes.clone().into());
        }
        for (key, value) in eval_mapping(&self.body, scope)? {
            fields.entry(key).or_insert(value);
        }
        Ok(fields)
    }

    /// The JSON of a response, with the token in it a secret from now on.
    fn parse(&self, response: &Response) -> Result<Json, ReadError> {
        let Some(json) = response.json() else {
            let error = crate::value::parse(response.bytes()).err();
            let message = error.map(|error| error.to_string()).unwrap_or_default();
            return Err(ReadError::unexpected("JSONDecodeError", message));
        };
        let name = self.eval_name(&self.names.access_token)?;
        // What is nested too deep fails when the token is wanted.
        if let Ok(Some(token)) = find(json, &name, 0) {
            self.surroundings.environment().secrets.add(&python_str(token));
        }
        Ok(json.clone())
    }

    /// The tokens of a response.
    fn read(&self, response: &Json) -> Result<NewToken, ReadError> {
        let name = self.eval_name(&self.names.access_token)?;
        let access_token = find(response, &name, 0)?.filter(|token| is_truthy(token));
        let Some(access_token) = access_token else {
            let message = format!("Token refresh API response was missing access token {name}");
            return Err(ReadError::unexpected("Exception", message));
        };
        let expires_in = find(response, &self.eval_name(&self.names.expires_in)?, 0)?;
        let refresh_token = find(response, &self.eval_name(&self.names.refresh_token)?, 0)?;
        Ok(NewToken {
            access_token: access_token.clone(),
            expiry: expires_in.map(|value| self.expiry(value)).transpose()?,
            refresh_token: refresh_token.cloned(),
        })
    }

    fn eval_name(&self, name: &InterpolatedString) -> Result<String, ReadError> {
        Ok(self.surroundings.eval(|scope| name.eval_string(&scope))?)
    }

    fn expiry(&self, value: &Json) -> Result<DateTime, ReadError> {
        let text = python_str(value);
        if self.has_expiry_date {
            return parse_date(&text).map_err(|err| {
                ReadError::value(format!("Invalid token expiry date format: {err}"))
            });
        }
        let lifetime = python_float(&text)
            .filter(|seconds| seconds.is_finite())
            .and_then(|seconds| TimeDelta::sum(&[(seconds.trunc(), Unit::Second)]).ok());
        let now = DateTime::from_timestamp(self.surroundings.run().now());
        lifetime.and_then(|lifetime| now.plus(lifetime).ok()).ok_or_else(|| {
            ReadError::value(format!(
                "Invalid expires_in value: {text}. Expected number of seconds when no format specified."
            ))
        })
    }

    /// The error of a response that says that the refresh token is no good.
    fn rejected(&self, response: &Response, refresh_token: &Json) -> ReadError {
        let client_secret =
            self.surroundings.eval(|scope| self.grant.client_secret.eval(&scope)).ok();
        let redact = |text: &str| {
            let mut text = self.surroundings.environment().secrets.mask(text).into_owned();
            for secret in [Some(refresh_token), client_secret.as_ref()].into_iter().flatten() {
                if let Some(secret) = secret.as_str().filter(|secret| !secret.is_empty()) {
                    text = text.replace(secret, "****");
                }
            }
            text
        };
        let mut message = "Refresh token was rejected by the OAuth provider (invalid, expired, or \
                           already used). Re-authenticate this source's credentials in its \
                           connection settings."
            .to_owned();
        if let Some(detail) = provider_error(response) {
            message.push_str(" Provider error: ");
            message.push_str(&truncate(&redact(&detail), 64));
        }
        let internal = format!(
            "Refresh token rejected by the OAuth token endpoint. HTTP {}: {}",
            response.status,
            truncate(&redact(&response.text()), 1000)
        );
        ReadError::traced(TracedError::config(message).with_internal(internal))
    }
}

impl Credential {
    fn eval(&self, scope: &Scope<'_>) -> Result<Json, EvalError> {
        match self {
            Self::Template(Some(template)) => template.eval_json(scope),
            Self::Template(None) => Ok(Json::String(String::new())),
            Self::Fixed(value) => Ok(value.clone()),
        }
    }
}

impl Rejection {
    fn matches(&self, response: &Response) -> bool {
        let value = response.json().and_then(|json| json.get(&self.key));
        self.statuses.contains(&i64::from(response.status))
            && value
                .and_then(Json::as_str)
                .is_some_and(|value| self.values.iter().any(|it| it == value))
    }
}

/// The standard error word of a response, and the code that its description begins with: what is
/// the same each time, so that equal failures have equal messages.
fn provider_error(response: &Response) -> Option<String> {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and tested")]
    static CODE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[A-Za-z]{3,}[0-9]{4,}\b").unwrap());
    let text = |key: &str| response.json()?.get(key)?.as_str();
    let error = text("error").map(|error| error.split_whitespace().collect::<Vec<_>>().join(" "));
    let code = text("error_description").and_then(|it| CODE.find(it.trim())).map(|it| it.as_str());
    let parts: Vec<&str> =
        error.as_deref().filter(|it| !it.is_empty()).into_iter().chain(code).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn truncate(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_network_error(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectTimeout, Connection, Proxy, ReadTimeout, Ssl};
    matches!(kind, Connection | ConnectTimeout | ReadTimeout | Ssl | Proxy)
}

/// The value of `key`, wherever it is in the response.
fn find<'a>(json: &'a Json, key: &str, depth: usize) -> Result<Option<&'a Json>, ReadError> {
    if depth > MAX_DEPTH {
        let message = format!(
            "The maximum level of recursion is reached. Couldn't find the specified `{key}` in the response."
        );
        let error = TracedError::config(message.clone()).with_internal(message);
        return Err(ReadError::traced(error));
    }
    let inner: Box<dyn Iterator<Item = &Json>> = match json {
        Json::Object(object) => match object.get(key) {
            Some(value) => return Ok(Some(value).filter(|value| !value.is_null())),
            None => Box::new(object.values()),
        },
        Json::Array(items) => Box::new(items.iter()),
        _ => return Ok(None),
    };
    for value in inner {
        if let Some(found) = find(value, key, depth + 1)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(json: &Json, expect: Option<&str>) {
        assert_eq!(find(json, "t", 0).unwrap().and_then(Json::as_str), expect);
    }

    #[test]
    fn tokens_are_found_wherever_they_are() {
        check(&json!({"t": "a", "x": {"t": "b"}}), Some("a"));
        check(&json!({"x": {"t": null}, "y": [{"z": 1}, {"t": "b"}]}), Some("b"));
        check(&json!({"x": "t"}), None);
        check(&json!("t"), None);
    }

    #[test]
    fn but_not_too_deep() {
        check(&json!({"1": {"2": {"3": {"4": {"t": "a"}}}}}), Some("a"));
        assert!(find(&json!({"1": {"2": {"3": {"4": {"5": {"6": 1}}}}}}), "t", 0).is_err());
    }
}
