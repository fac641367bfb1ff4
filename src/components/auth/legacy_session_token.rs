//! `LegacySessionTokenAuthenticator`: a session's token of the config, as long as it is good, else
//! one for user name and password.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::Mutex;
use tracing::info;

use crate::components::shape::{Text, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, ReadError, RequestParts, Surroundings,
};
use crate::http::{
    Method, PreparedRequest, Request, RequestBody, Response, SendError, SessionAuth,
};
use crate::template::InterpolatedString;
use crate::value::{Json, python_str};

/// How long a token that was got is used for the same user.
const LIFETIME: Duration = Duration::from_hours(24);

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Sends the session's token that the config has, or logs in when it is no good.
        pub struct LegacySessionTokenAuthenticator {
            /// The name of the header that the token is sent in.
            header: Text,
            /// The path of the login, below the requester's URL.
            login_url: Text,
            /// The session's token.
            session_token: Option<Text>,
            /// The key of the token in the response to a login.
            session_token_response_key: Text,
            /// The user name.
            username: Option<Text>,
            /// The password.
            password: Text = Text::new(""),
            /// The path that says whether a token is good, below the requester's URL.
            validate_session_url: Text,
        }
    }
}

impl Component for yaml::LegacySessionTokenAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let template = |text: &Text| InterpolatedString::new(text, self.parameters.clone());
        let optional = |text: &Option<Text>| template(text.as_ref().unwrap_or(&Text::new("")));
        Ok(Arc::new(LegacySessionTokenAuthenticator {
            api_url: optional(&cx.stream.requester_url),
            header: template(&self.header),
            login_url: template(&self.login_url),
            session_token: optional(&self.session_token),
            response_key: template(&self.session_token_response_key),
            username: optional(&self.username),
            password: template(&self.password),
            validate_session_url: template(&self.validate_session_url),
            sessions: cx.shared.get_or_build("LegacySessionTokenAuthenticator", || {
                Ok(Mutex::new(Sessions::new()))
            })?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// Tokens by what they were got with, and when they were.
type Sessions = HashMap<[String; 4], (String, Timestamp)>;

/// See the module documentation.
struct LegacySessionTokenAuthenticator {
    api_url: InterpolatedString,
    header: InterpolatedString,
    login_url: InterpolatedString,
    session_token: InterpolatedString,
    response_key: InterpolatedString,
    username: InterpolatedString,
    password: InterpolatedString,
    validate_session_url: InterpolatedString,
    sessions: Arc<Mutex<Sessions>>,
    surroundings: Surroundings,
}

impl LegacySessionTokenAuthenticator {
    /// Name and value of the header, if it has a name.
    async fn header(&self) -> Result<Option<(String, String)>, ReadError> {
        let name = self.eval(&self.header)?;
        if name.is_empty() {
            return Ok(None);
        }
        let token = self.token(&name).await?;
        Ok(Some((name, token)))
    }

    async fn token(&self, header: &str) -> Result<String, ReadError> {
        let session_token = self.eval(&self.session_token)?;
        if !session_token.is_empty() && self.is_valid(header, &session_token).await? {
            return Ok(session_token);
        }
        let (username, password) = (self.eval(&self.username)?, self.eval(&self.password)?);
        if username.is_empty() || password.is_empty() {
            let message =
                "Invalid credentials: session token is not valid or provide username and password";
            return Err(connection_error(message));
        }
        info!(target: "airbyte", "Using generated session token by username and password");
        self.log_in(username, password).await
    }

    async fn is_valid(&self, header: &str, token: &str) -> Result<bool, ReadError> {
        let url = self.eval(&self.api_url)? + &self.eval(&self.validate_session_url)?;
        let mut request = Request::new(Method::GET, url);
        request.headers.push((header.to_owned(), token.to_owned()));
        let response = self.send(&request).await?;
        match response.status_error() {
            None => Ok(true),
            Some(error) if response.status == 401 => {
                info!(target: "airbyte", "Unable to connect by session token from config due to {error}");
                Ok(false)
            }
            Some(error) => {
                Err(connection_error(&format!("Error while validating session token: {error}")))
            }
        }
    }

    async fn log_in(&self, username: String, password: String) -> Result<String, ReadError> {
        let url = self.eval(&self.api_url)? + &self.eval(&self.login_url)?;
        let response_key = self.eval(&self.response_key)?;
        // Held while logging in, so that others wait for this session instead of making their own.
        let mut sessions = self.sessions.lock().await;
        let key = [url, username, password, response_key];
        let now = self.surroundings.run().now();
        if let Some((token, made)) = sessions.get(&key)
            && now.duration_since(*made).unsigned_abs() < LIFETIME
        {
            return Ok(token.clone());
        }
        let [url, username, password, response_key] = &key;
        let mut request = Request::new(Method::POST, url);
        request.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        request.body = RequestBody::Json(json!({"username": username, "password": password}));
        let response = self.send(&request).await?;
        if let Some(error) = response.status_error() {
            return Err(ReadError::unexpected("HTTPError", error));
        }
        let token = response.json().and_then(|json| json.get(response_key));
        let Some(token) = token else {
            let message = format!("'{response_key}'");
            return Err(ReadError::unexpected("KeyError", message));
        };
        let token = python_str(token).into_owned();
        self.surroundings.environment().secrets.add(&token);
        sessions.insert(key, (token.clone(), now));
        Ok(token)
    }

    async fn send(&self, request: &Request) -> Result<Response, ReadError> {
        let client = self.surroundings.environment().http.client();
        let request = Arc::new(client.prepare(request)?);
        Ok(client.send(&request).await?)
    }

    /// The text of a template; what Python counts as false is none.
    fn eval(&self, template: &InterpolatedString) -> Result<String, ReadError> {
        let value = self.surroundings.eval(|scope| template.eval_json(&scope))?;
        Ok(match value {
            Json::Null => String::new(),
            value => python_str(&value).into_owned(),
        })
    }
}

fn connection_error(message: &str) -> ReadError {
    ReadError::unexpected("ConnectionError", message)
}

impl Authenticator for LegacySessionTokenAuthenticator {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        async {
            Ok(match self.header().await? {
                Some((name, token)) => RequestParts::of_header(&name, token),
                None => RequestParts::default(),
            })
        }
        .boxed()
    }
}

impl SessionAuth for LegacySessionTokenAuthenticator {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async {
            if let Some((name, token)) = self.header().await? {
                request.headers.set(name, token);
            }
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::components::testing::World;
    use crate::value::Json;

    /// What is asked for one request, when only the token `good` is valid.
    #[track_caller]
    fn check(config: &Json, expect: &[&str]) {
        let authenticator = json!({
            "type": "LegacySessionTokenAuthenticator",
            "header": "X-T", "login_url": "login", "validate_session_url": "valid",
            "session_token": "{{ config.token }}", "session_token_response_key": "id",
            "username": "{{ config.user }}", "password": "{{ config.password }}",
        });
        let asked = World::asking(
            config,
            &json!({"type": "HttpRequester", "url_base": "http://h/", "authenticator": authenticator}),
            1,
            |_, request| match (&*request.url, request.headers.get("X-T")) {
                ("http://h/valid", Some("good")) => (200, json!({})),
                ("http://h/valid", Some("broken")) => (500, json!({})),
                ("http://h/valid", _) => (401, json!({})),
                _ => (200, json!({"id": 7})),
            },
        );
        assert_eq!(asked, expect);
    }

    const LOGIN: &str = "POST http://h/login | Content-Type: application/json | \
                         {\"username\": \"u\", \"password\": \"p\"}";

    #[test]
    fn a_good_token_is_used() {
        let valid = "GET http://h/valid | X-T: good";
        check(&json!({"token": "good"}), &[valid, valid, "GET http://h/ | X-T: good"]);
    }

    #[test]
    fn a_bad_one_is_replaced_by_a_login() {
        let valid = "GET http://h/valid | X-T: bad";
        let config = json!({"token": "bad", "user": "u", "password": "p"});
        check(&config, &[valid, LOGIN, valid, "GET http://h/ | X-T: 7"]);
        check(&json!({"user": "u", "password": "p"}), &[LOGIN, "GET http://h/ | X-T: 7"]);
    }

    #[test]
    fn without_anything_that_helps_the_stream_fails() {
        let message =
            "Invalid credentials: session token is not valid or provide username and password";
        check(&json!({}), &[message]);
        let message = "Error while validating session token: 500 Server Error: Internal Server \
                       Error for url: http://h/valid";
        check(&json!({"token": "broken"}), &["GET http://h/valid | X-T: broken", message]);
    }
}
