//! A user's consent in a browser, as `spec.advanced_auth` declares it: where the user agrees, how
//! the code is exchanged, and where in the config what comes of it belongs.
//!
//! A platform does this for the connectors that it runs; here it fills testing values.

mod error;
mod flows;
mod placeholders;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::http::{Method, ParamValue, Request, RequestBody, Response, quote_plus};
use crate::manifest::Manifest;
use crate::value::{Json, Map, Secret, Secrets};

pub use error::OAuthError;
pub use flows::{Asked, Flows, Status};
use placeholders::{Values, render};

/// What is called otherwise where a field `…_key` says so, and what it is called else.
const NAMES: [(&str, &str); 6] = [
    ("client_id", "client_id"),
    ("client_secret", "client_secret"),
    ("auth_code", "code"),
    ("redirect_uri", "redirect_uri"),
    ("scope", "scope"),
    ("state", "state"),
];
/// Its value is a moment; what the answer has is how many seconds it is away.
const EXPIRY: &str = "token_expiry_date";
const PATIENCE: Duration = Duration::from_secs(30);
/// More of an answer nobody reads.
const LONGEST_WORDS: usize = 300;

/// A consent with all that is known before it is asked for.
#[derive(Debug)]
pub struct Consent {
    /// The declared requests.
    input: Map,
    outputs: Vec<Output>,
    /// What of the config goes into the requests; the client's secret is there.
    given: Secret<Values>,
}

/// A value of the answer, and its place in the config.
#[derive(Debug, PartialEq, Eq)]
struct Output {
    name: String,
    in_answer: Vec<String>,
    in_config: Vec<String>,
}

/// What comes of a consent.
#[derive(Debug)]
pub struct Kept {
    /// Where it goes in the config.
    pub path: Vec<String>,
    /// What it is.
    pub value: Secret<Json>,
}

impl Consent {
    /// The consent that a manifest declares, for these values of its config.
    pub fn declared(manifest: &Manifest, config: &Json) -> Result<Self, OAuthError> {
        let oauth = manifest.root.get("spec").and_then(|spec| spec.get("advanced_auth"));
        let oauth = oauth.and_then(|auth| auth.get("oauth_config_specification"));
        let oauth = oauth.map(crate::manifest::Node::to_json).unwrap_or_default();
        let Some(Json::Object(input)) = oauth.get("oauth_connector_input_specification") else {
            return Err(OAuthError::NotDeclared);
        };
        let mut given = Values::new();
        for specification in [
            "oauth_user_input_from_connector_config_specification",
            "complete_oauth_server_output_specification",
        ] {
            for (name, property) in properties(oauth.get(specification)) {
                let value = at(config, &path_in_config(property, name)?);
                if let Some(text) = value.and_then(scalar) {
                    given.insert(name.clone(), text);
                }
            }
        }
        let consent = Self {
            outputs: outputs(&oauth, input)?,
            input: input.clone(),
            given: Secret::new(given),
        };
        let mut given = consent.given.expose().clone();
        // What no specification places stands at the top of the config.
        for name in ["client_id", "client_secret"].map(|name| consent.key(name)) {
            if let Some(text) = config.get(&name).and_then(scalar) {
                given.entry(name).or_insert(text);
            }
        }
        let id = consent.key("client_id");
        if given.get(&id).is_none_or(String::is_empty) {
            return Err(OAuthError::NoValue(id));
        }
        Ok(Self { given: Secret::new(given), ..consent })
    }

    /// What a part of the requests is called.
    pub fn key(&self, name: &str) -> String {
        let usual = NAMES.iter().find(|(known, _)| *known == name).map_or(name, |(_, usual)| usual);
        let key = self.input.get(&format!("{name}_key")).and_then(Json::as_str);
        key.unwrap_or(usual).to_owned()
    }

    /// How long the state is to be: as long as it may be, or as a PKCE verifier wants it.
    pub fn state_len(&self) -> usize {
        let bound = |name| self.input.get("state")?.get(name)?.as_u64();
        let longest = bound("max").or_else(|| bound("min")).unwrap_or(64);
        usize::try_from(longest).unwrap_or(usize::MAX).clamp(8, 128)
    }

    /// Where the user agrees.
    pub fn url(&self, redirect_uri: &str, state: &str) -> Result<String, OAuthError> {
        let mut values = self.values(redirect_uri, state);
        // Under whatever name: the secret is never in an address that a browser shows.
        for name in [self.key("client_secret"), "client_secret".to_owned()] {
            let given = self.given.expose().get(&name).cloned();
            for secret in given.into_iter().chain(values.remove(&name)).filter(|it| !it.is_empty())
            {
                // What is shorter is part of much by chance.
                let is_long = secret.len() > 3;
                values.retain(|_, value| *value != secret && !(is_long && value.contains(&secret)));
            }
        }
        let url = render(self.text("consent_url")?, &values)?;
        checked_url(url, "consent_url")
    }

    /// The request that exchanges the code.
    pub fn exchange(
        &self,
        redirect_uri: &str,
        state: &str,
        code: &str,
    ) -> Result<Request, OAuthError> {
        let mut values = self.values(redirect_uri, state);
        values.insert(self.key("auth_code"), code.to_owned());
        self.refer(&mut values, "auth_code", false);
        let url = render(self.text("access_token_url")?, &values)?;
        let mut request = Request::new(Method::POST, checked_url(url, "access_token_url")?);
        request.options.connect_timeout = Some(PATIENCE);
        request.options.read_timeout = Some(PATIENCE);
        let rendered = |field: &str| -> Result<Vec<(String, String)>, OAuthError> {
            let Some(Json::Object(pairs)) = self.input.get(field) else { return Ok(Vec::new()) };
            let pairs = pairs.iter().filter_map(|(name, value)| Some((name, scalar(value)?)));
            pairs
                .map(|(name, value)| Ok((render(name, &values)?, render(&value, &values)?)))
                .collect()
        };
        request.headers = rendered("access_token_headers")?;
        if request.headers.is_empty() {
            request.headers.push(("Accept".to_owned(), "application/json".to_owned()));
        }
        let kind =
            request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let is_form = kind.is_some_and(|(_, kind)| kind.contains("x-www-form-urlencoded"));
        let params = rendered("access_token_params")?;
        request.body = if params.is_empty() {
            RequestBody::Empty
        } else if is_form {
            let fields = params.into_iter().map(|(name, text)| (name, ParamValue::Text(text)));
            RequestBody::Form(fields.collect())
        } else {
            RequestBody::Json(
                params.into_iter().map(|(name, text)| (name, Json::String(text))).collect(),
            )
        };
        Ok(request)
    }

    /// What is kept of the answer to the exchange.
    pub fn kept(
        &self,
        response: &Response,
        code: &str,
        now: Timestamp,
    ) -> Result<Vec<Kept>, OAuthError> {
        if !response.is_ok() {
            let said = words(response);
            let said = self.secrets([code]).mask(&said).into_owned();
            let said = said.chars().take(LONGEST_WORDS).collect::<String>();
            let said = if said.is_empty() { said } else { format!(": {said}") };
            return Err(OAuthError::Refused { status: response.status, said });
        }
        let answer = response.json().ok_or(OAuthError::NotJson)?;
        self.outputs.iter().map(|output| output.take(answer, now)).collect()
    }

    /// What no message may show: all that is given for the consent, and `more`.
    pub fn secrets<'t>(&self, more: impl IntoIterator<Item = &'t str>) -> Secrets {
        let secrets = Secrets::new();
        self.given.expose().values().for_each(|it| secrets.add(it));
        more.into_iter().for_each(|it| secrets.add(it));
        secrets
    }

    fn text(&self, field: &'static str) -> Result<&str, OAuthError> {
        self.input.get(field).and_then(Json::as_str).ok_or(OAuthError::NoField(field))
    }

    /// All that placeholders can name.
    fn values(&self, redirect_uri: &str, state: &str) -> Values {
        let mut values = self.given.expose().clone();
        for (name, value) in &self.input {
            if let Some(text) = scalar(value) {
                values.insert(name.clone(), text);
            }
        }
        for (name, _) in NAMES {
            values.insert(format!("{name}_key"), self.key(name));
        }
        values.insert(self.key("redirect_uri"), redirect_uri.to_owned());
        values.insert(self.key("state"), state.to_owned());
        let scopes = self.scopes("scopes").or_else(|| scalar(self.input.get("scope")?));
        if let Some(scopes) = scopes {
            values.insert("scope".to_owned(), scopes.clone());
            values.insert(self.key("scope"), scopes);
        }
        for (name, _) in NAMES {
            self.refer(&mut values, name, matches!(name, "redirect_uri" | "scope"));
        }
        for form in ["value", "param"] {
            let same = values.get(&format!("scope_{form}")).cloned().unwrap_or_default();
            values.insert(format!("scopes_{form}"), same);
        }
        if let Some(optional) = self.scopes("optional_scopes") {
            let param = format!("optional_scopes={}", quote_plus(&optional));
            values.insert("optional_scopes_param".to_owned(), param);
            values.insert("optional_scopes_value".to_owned(), optional.clone());
            values.insert("optional_scopes".to_owned(), optional);
        }
        values
    }

    /// Adds `…_value`, and `…_param`, which has the name before it.
    fn refer(&self, values: &mut Values, name: &str, is_encoded: bool) {
        let key = self.key(name);
        let value = values.get(&key).cloned().unwrap_or_default();
        let sent = if is_encoded { quote_plus(&value) } else { value.clone() };
        values.insert(format!("{name}_param"), format!("{key}={sent}"));
        values.insert(format!("{name}_value"), value);
    }

    fn scopes(&self, field: &str) -> Option<String> {
        let scopes = self.input.get(field)?.as_array()?.iter();
        let scopes: Vec<_> = scopes.filter_map(|it| it.get("scope")?.as_str()).collect();
        let between = match self.input.get("scopes_join_strategy").and_then(Json::as_str) {
            Some("comma") => ",",
            Some("plus") => "+",
            _ => " ",
        };
        Some(scopes.join(between))
    }
}

impl Output {
    fn take(&self, answer: &Json, now: Timestamp) -> Result<Kept, OAuthError> {
        let value = at(answer, &self.in_answer).filter(|value| !value.is_null());
        let Some(value) = value else {
            let known = answer.as_object().map(|it| it.keys().map(|it| format!("`{it}`")));
            let known = known.map(|it| it.collect::<Vec<_>>().join(", ")).unwrap_or_default();
            let known = if known.is_empty() { "no fields".to_owned() } else { known };
            return Err(OAuthError::NothingAt { field: self.in_answer.join("."), known });
        };
        let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let value = match seconds {
            Some(seconds) if self.name == EXPIRY => {
                let moment = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
                moment.to_string().into()
            }
            _ => value.clone(),
        };
        Ok(Kept { path: self.in_config.clone(), value: Secret::new(value) })
    }
}

/// What is taken out of the answer, and where it goes.
fn outputs(oauth: &Json, input: &Map) -> Result<Vec<Output>, OAuthError> {
    let extracted = input.get("extract_output").and_then(Json::as_array);
    let extracted: Vec<Vec<String>> = extracted
        .into_iter()
        .flatten()
        .filter_map(|path| Some(path.as_str()?.split('.').map(str::to_owned).collect()))
        .collect();
    let mut outputs: Vec<_> = properties(oauth.get("complete_oauth_output_specification"))
        .map(|(name, property)| {
            let known = extracted.iter().find(|path| path.last() == Some(name));
            let usual = known.cloned().unwrap_or_else(|| vec![name.clone()]);
            Ok(Output {
                name: name.clone(),
                in_answer: path_at(property, "path_in_oauth_response")?.unwrap_or(usual),
                in_config: path_in_config(property, name)?,
            })
        })
        .collect::<Result<_, _>>()?;
    if outputs.is_empty() {
        let paths =
            if extracted.is_empty() { vec![vec!["refresh_token".to_owned()]] } else { extracted };
        outputs.extend(paths.into_iter().filter_map(|in_answer| {
            let name = in_answer.last()?.clone();
            Some(Output { in_config: vec![name.clone()], name, in_answer })
        }));
    }
    Ok(outputs)
}

/// The properties of a JSON schema, or of a plain mapping of them.
fn properties(schema: Option<&Json>) -> impl Iterator<Item = (&String, &Json)> {
    let schema = schema.and_then(Json::as_object);
    let inner = schema.and_then(|schema| schema.get("properties")).and_then(Json::as_object);
    inner.or(schema).into_iter().flatten().filter(|(_, property)| property.is_object())
}

/// The path in a field; nothing if it has none. An empty one would stand for everything.
fn path_at(property: &Json, field: &'static str) -> Result<Option<Vec<String>>, OAuthError> {
    let Some(path) = property.get(field).filter(|path| !path.is_null()) else { return Ok(None) };
    let steps = path.as_array().filter(|steps| !steps.is_empty()).into_iter().flatten();
    let steps: Option<Vec<_>> = steps.map(|step| step.as_str().map(str::to_owned)).collect();
    steps.filter(|steps| !steps.is_empty()).map(Some).ok_or(OAuthError::Path(field))
}

fn path_in_config(property: &Json, name: &str) -> Result<Vec<String>, OAuthError> {
    let path = path_at(property, "path_in_connector_config")?;
    Ok(path.unwrap_or_else(|| vec![name.to_owned()]))
}

fn at<'v>(value: &'v Json, path: &[String]) -> Option<&'v Json> {
    path.iter().try_fold(value, |value, step| value.get(step))
}

/// A text, a number, or a flag as text.
fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn checked_url(url: String, field: &'static str) -> Result<String, OAuthError> {
    let is_http = ["http://", "https://"].iter().any(|start| url.starts_with(start));
    if is_http { Ok(url) } else { Err(OAuthError::Url { field }) }
}

/// What an error says of itself.
fn words(response: &Response) -> String {
    let said = |name| response.json().and_then(|json| json.get(name)?.as_str());
    let known: Vec<_> =
        ["error", "error_description", "message"].into_iter().filter_map(said).collect();
    if known.is_empty() { response.text() } else { known.join(": ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::manifest::Source;

    const URI: &str = "http://127.0.0.1:8080/oauth/callback";

    fn consent(oauth: &Json, config: &Json) -> Result<Consent, OAuthError> {
        let spec = json!({"spec": {"advanced_auth": {"oauth_config_specification": oauth}}});
        Consent::declared(&Manifest::from_yaml(Source::new("m.yaml", spec.to_string())), config)
    }

    fn plain(input: &Json) -> Consent {
        let config = json!({"client_id": "me", "client_secret": "hunter2", "app_id": "my-app"});
        consent(&json!({"oauth_connector_input_specification": input}), &config).unwrap()
    }

    #[test]
    fn the_url_is_filled_and_never_has_the_secret() {
        let consent = plain(&json!({
            "consent_url": "https://a.test/agree?{{ client_id_param }}&{{ redirect_uri_param }}&{{ scope_param }}\
                            &{{ state_key }}={{ state_value }}&x={{ client_secret_value }}{{ app }}{{ client_secret }}{{ hint }}",
            "access_token_url": "https://a.test/token",
            "scopes": [{"scope": "read"}, {"scope": "write"}],
            "client_id_key": "app_id",
            "app": "hunter2!",
            "client_secret": "other-secret",
            "hint": "an other-secret thing",
        }));
        let expect = "https://a.test/agree?app_id=my-app&redirect_uri=http%3A%2F%2F127.0.0.1%3A8080\
                      %2Foauth%2Fcallback&scope=read+write&state=abc&x=";
        assert_eq!(consent.url(URI, "abc").as_deref(), Ok(expect));
    }

    #[test]
    fn a_client_without_an_id_is_told() {
        let oauth = json!({
            "oauth_connector_input_specification": {"consent_url": "https://a", "client_id_key": "app"},
            "complete_oauth_server_output_specification": {"app": {"path_in_connector_config": ["c", "app"]}},
        });
        let error = consent(&oauth, &json!({"app": ""})).unwrap_err();
        assert_eq!(error, OAuthError::NoValue("app".to_owned()));
        let consent = consent(&oauth, &json!({"c": {"app": 7}})).unwrap();
        assert_eq!(consent.values(URI, "s")["client_id_value"], "7");
        assert_eq!(self::consent(&json!({}), &json!({})).unwrap_err(), OAuthError::NotDeclared);
    }

    #[test]
    fn a_place_that_is_none_is_told() {
        for path in [json!([]), json!([0]), json!("a"), json!(["a", null])] {
            for field in ["path_in_connector_config", "path_in_oauth_response"] {
                let oauth = json!({
                    "oauth_connector_input_specification": {"consent_url": "https://a"},
                    "complete_oauth_output_specification": {"properties": {"token": {field: path}}},
                });
                let error = consent(&oauth, &json!({"client_id": "me"})).unwrap_err();
                assert_eq!(error, OAuthError::Path(field), "{path}");
            }
        }
    }

    #[test]
    fn a_browser_is_sent_to_web_addresses_only() {
        let consent =
            plain(&json!({"consent_url": "javascript:alert(1)", "access_token_url": "x"}));
        assert_eq!(consent.url(URI, "s"), Err(OAuthError::Url { field: "consent_url" }));
        let error = consent.exchange(URI, "s", "c").err();
        assert_eq!(error, Some(OAuthError::Url { field: "access_token_url" }));
    }

    #[test]
    fn the_code_is_exchanged_as_declared() {
        let input = |headers: Json| {
            plain(&json!({
                "consent_url": "https://a",
                "access_token_url": "https://a.test/token?x={{ state_value }}",
                "access_token_headers": headers,
                "access_token_params": {
                    "{{ auth_code_key }}": "{{ auth_code_value }}",
                    "client_secret": "{{ client_secret_value }}",
                },
            }))
        };
        let request = input(json!({})).exchange(URI, "s", "c0de").unwrap();
        assert_eq!(request.url, "https://a.test/token?x=s");
        let fields = json!({"code": "c0de", "client_secret": "hunter2"});
        assert_eq!(request.body, RequestBody::Json(fields));
        let form =
            json!({"content-type": "application/x-www-form-urlencoded", "a": "{{ client_id }}"});
        let request = input(form).exchange(URI, "s", "c0de").unwrap();
        assert_eq!(request.headers[1], ("a".to_owned(), "me".to_owned()));
        assert!(matches!(request.body, RequestBody::Form(fields) if fields.len() == 2));
    }

    #[test]
    fn what_is_kept_has_its_place_in_the_config() {
        let oauth = json!({
            "oauth_connector_input_specification": {"extract_output": ["data.access_token"]},
            "complete_oauth_output_specification": {"required": ["x"], "properties": {
                "access_token": {"path_in_connector_config": ["credentials", "access_token"]},
                "token_expiry_date": {"path_in_oauth_response": ["expires_in"]},
            }},
        });
        let consent = consent(&oauth, &json!({"client_id": "me"})).unwrap();
        let answer = json!({"data": {"access_token": "t0ken"}, "expires_in": "3600"});
        let taken = consent.outputs.iter().map(|it| it.take(&answer, Timestamp::UNIX_EPOCH));
        let taken: Vec<_> = taken
            .map(|kept| {
                kept.map(|kept| (kept.path.join("."), kept.value.expose().clone())).unwrap()
            })
            .collect();
        let expect = [
            ("credentials.access_token".to_owned(), json!("t0ken")),
            ("token_expiry_date".to_owned(), json!("1970-01-01T01:00:00Z")),
        ];
        assert_eq!(taken, expect);
        let error = consent.outputs[0].take(&json!({"a": 1}), Timestamp::UNIX_EPOCH).unwrap_err();
        let words = "the answer to the exchange has no `data.access_token`; it has `a`";
        assert_eq!(error.to_string(), words);
    }

    #[test]
    fn the_state_is_as_long_as_it_may_be() {
        assert_eq!(plain(&json!({})).state_len(), 64);
        assert_eq!(plain(&json!({"state": {"min": 7, "max": 24}})).state_len(), 24);
        assert_eq!(plain(&json!({"state": {"min": 1, "max": 2}})).state_len(), 8);
    }
}
