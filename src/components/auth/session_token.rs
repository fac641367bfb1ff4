//! `SessionTokenAuthenticator`: a request that logs in gives the token for all others.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::Mutex;

use crate::components::request_option::yaml::RequestOption as WrittenOption;
use crate::components::response_actions::refuse_paging_actions;
use crate::components::shape::{Text, one_of, shape};
use crate::components::slot::accepts;
use crate::components::{
    Answer, Authenticator, BuildContext, BuildError, Component, Decoder, InjectInto, Purpose,
    ReadError, RequestInput, RequestOption, Requester, Slot, StreamScope, Surroundings,
};
use crate::http::BodyMode;
use crate::template::time::{DateTime, Span};
use crate::template::{EvalError, InterpolatedString};
use crate::value::{Json, Path, python_str};

use super::bearer::BearerToken;
use super::inject::InjectedToken;
use super::token::TokenSource;

accepts! {
    /// The requesters that can log in.
    LoginRequester = "HttpRequester"
}

accepts! {
    /// The decoders that can read the response to a login.
    LoginDecoder = "JsonDecoder", "XmlDecoder"
}

one_of! {
    /// How the token is sent.
    pub enum RequestAuthentication {
        /// As a key.
        ApiKey(yaml::SessionTokenRequestApiKeyAuthenticator),
        /// In the `Authorization` header.
        Bearer(yaml::SessionTokenRequestBearerAuthenticator),
    }
}

/// The YAML shapes.
pub mod yaml {
    use super::{
        Decoder, LoginDecoder, LoginRequester, RequestAuthentication, Requester, Slot, Text,
        WrittenOption, shape,
    };

    shape! {
        /// Logs in with a request, and sends the token that it gives with all others.
        pub struct SessionTokenAuthenticator {
            /// The request that logs in.
            login_requester: Slot<dyn Requester, LoginRequester>,
            /// Where the token is in the response.
            session_token_path: Vec<String>,
            /// How long a token is good, as an ISO 8601 duration; without it, every request logs in.
            expiration_duration: Option<Text>,
            /// How the token is sent.
            request_authentication: RequestAuthentication,
            /// Reads the response.
            decoder: Option<Slot<dyn Decoder, LoginDecoder>>,
        }
    }

    shape! {
        /// Sends the session's token as a key.
        pub struct SessionTokenRequestApiKeyAuthenticator as "ApiKey" {
            /// Where the token is put.
            inject_into: WrittenOption,
            /// What is sent, made of `session_token`.
            api_token: Text = Text::new("{{ session_token }}"),
        }
    }

    shape! {
        /// Sends the session's token in the `Authorization` header.
        pub struct SessionTokenRequestBearerAuthenticator as "Bearer" {}
    }
}

impl Component for yaml::SessionTokenAuthenticator {
    type Family = dyn Authenticator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        let what =
            format!("`login_requester` of the SessionTokenAuthenticator of {}", cx.stream.name);
        refuse_paging_actions(self.login_requester.node(), &what)?;
        let name = format!("{}_login_requester", cx.stream.name);
        let login_cx =
            cx.for_stream(StreamScope { name, purpose: Purpose::Login, ..cx.stream.clone() });
        let path = self.session_token_path.into_iter().map(Json::String);
        let lifetime = self.expiration_duration.filter(|lifetime| !lifetime.is_empty());
        let login = Login {
            requester: self.login_requester.build(&login_cx)?,
            decoder: match self.decoder {
                Some(decoder) => decoder.build(&login_cx)?,
                None => Slot::<dyn Decoder>::of_type("JsonDecoder").build(&login_cx)?,
            },
            path: Path::new(path).map_err(|err| BuildError::in_span(self.span, err.to_string()))?,
            lifetime: lifetime.map(|lifetime| Span::parse(&lifetime)).transpose()?,
            session: Mutex::default(),
            surroundings: cx.surroundings(),
        };
        Ok(match self.request_authentication {
            RequestAuthentication::Bearer(_) => Arc::new(BearerToken(Box::new(login))),
            RequestAuthentication::ApiKey(key) => {
                let option = RequestOption::build(&key.inject_into, &Arc::default())?;
                // To name a header the reference makes its value too, twice.
                let n_logins = if option.inject_into == InjectInto::Header { 3 } else { 1 };
                let template = if key.api_token.is_empty() {
                    InterpolatedString::new("{{ session_token }}", self.parameters)
                } else {
                    InterpolatedString::new(&key.api_token, self.parameters)
                };
                let token = KeyOfSession { login, template, n_logins };
                Arc::new(InjectedToken {
                    option,
                    token: Box::new(token),
                    surroundings: cx.surroundings(),
                })
            }
        })
    }
}

/// Logs in when there is no session.
struct Login {
    requester: Arc<dyn Requester>,
    decoder: Arc<dyn Decoder>,
    path: Path,
    lifetime: Option<Span>,
    /// The token, and when it expires.
    session: Mutex<Option<(Json, DateTime)>>,
    surroundings: Surroundings,
}

impl Login {
    async fn session_token(&self) -> Result<Json, ReadError> {
        let Some(lifetime) = self.lifetime else { return self.log_in().await };
        // Held while logging in, so that others wait for this session instead of making their own.
        let mut session = self.session.lock().await;
        let now = || DateTime::from_timestamp(self.surroundings.run().now());
        if let Some((token, expiry)) = &*session
            && expiry.compare(now()).map_err(EvalError::from)?.is_ge()
        {
            return Ok(token.clone());
        }
        let token = self.log_in().await?;
        let expiry = now().plus_span(lifetime).map_err(EvalError::from)?;
        *session = Some((token.clone(), expiry));
        Ok(token)
    }

    async fn log_in(&self) -> Result<Json, ReadError> {
        let input = RequestInput { body: BodyMode::Whole, ..RequestInput::default() };
        let (Answer::Response(response) | Answer::Ignored(response)) =
            self.requester.send(input).await?
        else {
            return Err(ReadError::value("the login cannot be paginated"));
        };
        let mut decode = self.decoder.begin(&response.headers);
        let mut elements = Vec::new();
        decode.feed(response.bytes(), &mut elements)?;
        decode.finish(&mut elements)?;
        let Some(body) = elements.into_iter().next() else {
            return Err(ReadError::unexpected("StopIteration", ""));
        };
        match self.path.get(&body)? {
            None => Err(ReadError::unexpected("KeyError", "the response has no session token")),
            Some(Json::Null) => {
                let message = "Failed to get session token, token is None";
                Err(ReadError::unexpected("ReadException", message))
            }
            Some(token) => {
                self.surroundings.environment().secrets.add(&python_str(token));
                Ok(token.clone())
            }
        }
    }
}

impl TokenSource for Login {
    fn token(&self) -> BoxFuture<'_, Result<String, ReadError>> {
        async { Ok(python_str(&self.session_token().await?).into_owned()) }.boxed()
    }
}

/// A key made of a session's token.
struct KeyOfSession {
    login: Login,
    template: InterpolatedString,
    /// How often the token is asked for; all but the last are forgotten.
    n_logins: usize,
}

impl TokenSource for KeyOfSession {
    fn token(&self) -> BoxFuture<'_, Result<String, ReadError>> {
        async {
            for _ in 1..self.n_logins {
                self.login.session_token().await?;
            }
            let token = self.login.session_token().await?;
            let key = self
                .login
                .surroundings
                .eval(|scope| self.template.eval_string(&scope.with("session_token", &token)));
            Ok(key?)
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::components::testing::World;
    use crate::value::Json;

    /// The tokens of two requests, when each login gives another one, and a header says which.
    #[track_caller]
    fn check(authentication: &Json, lifetime: Option<&str>, expect: &[&str]) {
        let mut authenticator = json!({
            "type": "SessionTokenAuthenticator",
            "login_requester": {"type": "HttpRequester", "url": "http://h/login"},
            "session_token_path": ["data", "token"],
            "request_authentication": authentication,
        });
        if let Some(lifetime) = lifetime {
            authenticator["expiration_duration"] = json!(lifetime);
        }
        let server = World::asking(
            &json!({}),
            &json!({"type": "HttpRequester", "url": "http://h/", "authenticator": authenticator}),
            2,
            |asked, request| {
                if !request.url.ends_with("/login") {
                    return (200, json!({}));
                }
                (200, json!([{"data": {"token": format!("t{}", asked.len())}}]))
            },
        );
        assert_eq!(server, expect);
    }

    fn key(place: &str, token: &str) -> Json {
        let option = json!({"type": "RequestOption", "inject_into": place, "field_name": "k"});
        json!({"type": "ApiKey", "inject_into": option, "api_token": token})
    }

    #[test]
    fn a_token_with_a_lifetime_is_used_again() {
        let login = "GET http://h/login";
        let bearer = "GET http://h/ | Authorization: Bearer t1";
        check(&json!({"type": "Bearer"}), Some("PT1H"), &[login, bearer, bearer]);
        let parameter = "GET http://h/?k=t1";
        check(&key("request_parameter", ""), Some("PT1H"), &[login, parameter, parameter]);
        let header = "GET http://h/ | k: Token t1";
        check(&key("header", "Token {{ session_token }}"), Some("PT1H"), &[login, header, header]);
    }

    #[test]
    fn without_a_lifetime_each_look_at_the_token_logs_in() {
        let login = "GET http://h/login";
        let (first, second) = (
            "GET http://h/ | Authorization: Bearer t2",
            "GET http://h/ | Authorization: Bearer t5",
        );
        check(&json!({"type": "Bearer"}), None, &[login, login, first, login, login, second]);
        let parameter = key("request_parameter", "{{ session_token }}");
        let (first, second) = ("GET http://h/?k=t1", "GET http://h/?k=t3");
        check(&parameter, None, &[login, first, login, second]);
        let mut expect = [login; 14];
        (expect[6], expect[13]) = ("GET http://h/ | k: t6", "GET http://h/ | k: t13");
        check(&key("header", "{{ session_token }}"), None, &expect);
    }
}
