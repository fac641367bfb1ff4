//! `HttpRequester`: composes requests out of templates, and sends them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::body::RequestBody;
use super::options::RequestOptions;
use super::parameters::{Queried, RequestParameters};
use super::{properties_from_endpoint, query_properties};
use crate::components::shape::{NumberFrom, Text, TextOrMapping, TextOrTemplates, choice, shape};
use crate::components::{
    Answer, Asking, Authenticator, BodyData, BuildContext, BuildError, Component, ErrorHandler,
    Observer, Purpose, QueryProperties, ReadError, RequestInput, Requester, Slot, StreamScope,
    Surroundings,
};
use crate::http::{
    self, Action, BodyMode, Client, HttpError, Method, ParamValue, PreparedRequest, Request,
    Response, Retry, SendObserver, Verdict,
};
use crate::template::{EvalError, InterpolatedString, Scope};
use crate::value::{Json, Map, python_str};

choice! {
    /// The method of requests.
    pub enum HttpMethod {
        /// Reads.
        Get = "GET",
        /// Reads with what stands in the body, or makes something.
        Post = "POST",
    }
}

/// The YAML shape.
pub mod yaml {
    use super::{
        Authenticator, ErrorHandler, HttpMethod, NumberFrom, RequestBody, RequestParameters, Slot,
        Text, TextOrMapping, TextOrTemplates, properties_from_endpoint, query_properties, shape,
    };

    shape! {
        /// Sends requests to a URL.
        pub struct HttpRequester {
            /// What URLs begin with; `url` is the newer way.
            url_base: Option<Text>,
            /// The URL, or what it begins with.
            url: Option<Text>,
            /// The rest of the URL.
            path: Option<Text>,
            /// The method.
            http_method: HttpMethod = HttpMethod::Get,
            /// The proof of identity.
            authenticator: Option<Slot<dyn Authenticator>>,
            /// Where the properties that are asked for are found; `query_properties` is the newer way.
            fetch_properties_from_endpoint: Option<properties_from_endpoint::yaml::PropertiesFromEndpoint>,
            /// The properties that are asked for, which templates see as `query_properties`.
            query_properties: Option<query_properties::yaml::QueryProperties>,
            /// Parameters of the query; one of them may be the properties that are asked for.
            request_parameters: Option<RequestParameters>,
            /// Headers.
            request_headers: Option<TextOrMapping>,
            /// A form or text to send; `request_body` is the newer way.
            request_body_data: Option<TextOrMapping>,
            /// JSON to send; `request_body` is the newer way.
            request_body_json: Option<TextOrTemplates>,
            /// The body.
            request_body: Option<RequestBody>,
            /// What responses mean.
            error_handler: Option<Slot<dyn ErrorHandler>>,
            /// Whether a response is kept for the run, and given to who asks for it again.
            use_cache: bool = false,
            /// Seconds after which a connection that is not made fails the attempt.
            connect_timeout_in_seconds: Option<NumberFrom<0, true>>,
            /// Seconds without a byte of the response after which the attempt fails.
            read_timeout_in_seconds: Option<NumberFrom<0, true>>,
            /// Whether idle connections are kept alive; they always are.
            use_tcp_keepalive: bool = false,
        }
    }
}

impl Component for yaml::HttpRequester {
    type Family = dyn Requester;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Requester>, BuildError> {
        self.tell_deprecated(cx);
        let url = self.url.clone().or_else(|| self.url_base.clone());
        let stream = StreamScope { requester_url: url, uses_cache: false, ..cx.stream.clone() };
        let inner = cx.for_stream(stream);
        let authenticator = self.authenticator.clone().unwrap_or_else(|| Slot::of_type("NoAuth"));
        let error_handler =
            self.error_handler.clone().unwrap_or_else(|| Slot::of_type("DefaultErrorHandler"));
        let mut client = cx.environment.http.client();
        let uses_cache = self.use_cache || cx.stream.uses_cache;
        if uses_cache && !cx.environment.is_test_read() {
            client = client.with_cache(&cx.stream.name);
        }
        if let Some(budget) = &cx.budget {
            client = client.with_permit(Arc::clone(budget));
        }
        let seconds = |timeout: Option<NumberFrom<0, true>>| {
            timeout.map(|NumberFrom(seconds)| Duration::from_secs_f64(seconds.min(MAX_TIMEOUT)))
        };
        let template = |text: &Option<Text>| {
            text.as_ref()
                .filter(|text| !text.is_empty())
                .map(|text| InterpolatedString::new(text, self.parameters.clone()))
        };
        Ok(Arc::new(HttpRequester {
            name: cx.stream.name.clone(),
            purpose: cx.stream.purpose,
            is_parent: cx.stream.is_parent,
            url: template(&self.url),
            url_base: template(&self.url_base),
            path: template(&self.path),
            method: match self.http_method {
                HttpMethod::Get => Method::GET,
                HttpMethod::Post => Method::POST,
            },
            options: RequestOptions::build(&self)?,
            queried: Queried::build(&self, cx)?,
            connect_timeout: seconds(self.connect_timeout_in_seconds),
            read_timeout: seconds(self.read_timeout_in_seconds),
            authenticator: authenticator.build(&inner)?,
            error_handler: error_handler.build(&inner)?,
            client,
            surroundings: cx.surroundings(),
        }))
    }
}

impl yaml::HttpRequester {
    /// Tells of fields that newer ones have replaced; as in the reference, not those of parents.
    fn tell_deprecated(&self, cx: &BuildContext<'_>) {
        if cx.stream.is_parent {
            return;
        }
        let fields = [
            ("url_base", self.url_base.is_some(), "url"),
            ("path", self.path.is_some(), "url"),
            (
                "fetch_properties_from_endpoint",
                self.fetch_properties_from_endpoint.is_some(),
                "query_properties",
            ),
            ("request_body_data", self.request_body_data.is_some(), "request_body"),
            ("request_body_json", self.request_body_json.is_some(), "request_body"),
        ];
        for (field, _, newer) in fields.iter().filter(|(_, is_written, _)| *is_written) {
            cx.environment.observer.deprecated(format!(
                "Component type: `HttpRequester`. Field '{field}' is deprecated. Use `{newer}` field instead."
            ));
        }
    }
}

/// Longer timeouts than a year are none.
const MAX_TIMEOUT: f64 = 366.0 * 86_400.0;

/// See the module documentation.
struct HttpRequester {
    name: String,
    purpose: Purpose,
    is_parent: bool,
    url: Option<InterpolatedString>,
    url_base: Option<InterpolatedString>,
    path: Option<InterpolatedString>,
    method: Method,
    options: RequestOptions,
    queried: Option<Queried>,
    connect_timeout: Option<Duration>,
    read_timeout: Option<Duration>,
    authenticator: Arc<dyn Authenticator>,
    error_handler: Arc<dyn ErrorHandler>,
    client: Client,
    surroundings: Surroundings,
}

impl Requester for HttpRequester {
    fn send<'a>(&'a self, input: RequestInput<'a>) -> BoxFuture<'a, Result<Answer, ReadError>> {
        async move {
            let request = self.compose(input).await?;
            let mut request = self.client.prepare(&request)?;
            self.authenticator.sign(&mut request).await?;
            let environment = self.surroundings.environment();
            let retry = Retry {
                name: &self.name,
                policy: &*self.error_handler,
                auth: &*self.authenticator,
                observer: self,
                run: &environment.run,
                is_retrying: !environment.is_test_read(),
            };
            Ok(match retry.send(&self.client, request).await? {
                Verdict::Response(response) => Answer::Response(response),
                Verdict::Ignored(Some(response)) => Answer::Ignored(response),
                // Error handlers of manifests look at responses only.
                Verdict::Ignored(None) => return Err(ReadError::value("there is no response")),
                Verdict::ResetPagination => Answer::ResetPagination,
                Verdict::ReducePageSize(message) => {
                    Answer::ReducePageSize(message.unwrap_or_default())
                }
                Verdict::SplitRequestWindow(message, _) => {
                    Answer::SplitRequestWindow(message.unwrap_or_default())
                }
            })
        }
        .boxed()
    }

    fn query_properties(&self) -> Option<Arc<dyn QueryProperties>> {
        self.queried.as_ref().map(|queried| Arc::clone(&queried.properties))
    }
}

/// Passes on what happens to the requests.
impl SendObserver for HttpRequester {
    fn rate_limited(&self) {
        self.observer().rate_limited(&self.name);
    }

    fn asked(&self, request: &PreparedRequest) {
        self.observer().asked(&self.asking(request));
    }

    fn answered(&self, request: &PreparedRequest, response: &Response, action: Action) {
        self.observer().answered(&self.asking(request), response, action);
    }

    fn unanswered(&self, request: &PreparedRequest, error: &HttpError) {
        self.observer().unanswered(&self.asking(request), error);
    }
}

impl HttpRequester {
    fn observer(&self) -> &dyn Observer {
        &*self.surroundings.environment().observer
    }

    fn asking<'a>(&'a self, request: &'a PreparedRequest) -> Asking<'a> {
        let Self { name: stream, purpose, is_parent, .. } = self;
        Asking { stream, purpose: *purpose, is_parent: *is_parent, request }
    }

    /// The request for `input`.
    async fn compose(&self, input: RequestInput<'_>) -> Result<Request, ReadError> {
        let token = input.next_page_token.map(page_token);
        let (url, mut parts) = self.surroundings.eval(|scope| {
            let scope = with_input(scope, &input, token.as_ref());
            Ok::<_, ReadError>((
                self.url(&scope, input.path.as_deref())?,
                self.options.eval(&scope)?,
            ))
        })?;
        if let Some(queried) = &self.queried {
            parts.params.extend(queried.parameter(input.slice)?);
        }
        parts.merge(self.authenticator.request_parts().await?)?;
        parts.merge(input.parts)?;

        let mut request = Request::new(self.method.clone(), url);
        request.options.connect_timeout = self.connect_timeout;
        request.options.read_timeout = self.read_timeout;
        request.options.body = match input.body {
            // An error handler that looks into a body wants all of it.
            BodyMode::Streamed(_) if self.error_handler.reads_bodies() => BodyMode::Whole,
            mode => mode,
        };
        request.headers = parts
            .headers
            .into_iter()
            .map(|(name, value)| (name, python_str(&value).into_owned()))
            .collect();
        request.params = params(parts.params)?;
        request.body = body(parts.body_json, parts.body_data)?;
        request.drop_repeated_params();
        Ok(request)
    }

    fn url(&self, scope: &Scope<'_>, path: Option<&str>) -> Result<String, EvalError> {
        let eval = |template: &Option<InterpolatedString>| match template {
            Some(template) => template.eval_string(scope),
            None => Ok(String::new()),
        };
        let url = eval(&self.url)?;
        let url_base = eval(&self.url_base)?;
        let base = if url_base.is_empty() { url } else { url_base };
        Ok(match path.filter(|path| !path.is_empty()) {
            Some(path) => http::join(&base, path),
            None => http::join(&base, eval(&self.path)?.trim_start_matches('/')),
        })
    }
}

/// A page token as templates see it.
fn page_token(token: &Json) -> Json {
    json!({"next_page_token": token})
}

/// The variables of a requester's templates.
fn with_input<'a>(
    scope: Scope<'a>,
    input: &'a RequestInput<'_>,
    token: Option<&'a Json>,
) -> Scope<'a> {
    let mut scope = scope.with("stream_slice", input.slice).with("next_page_token", token);
    if let Some(slice) = input.slice {
        scope = scope.with_fields(&slice.extra_fields);
    }
    for (name, value) in &input.variables {
        scope.set(name, *value);
    }
    scope
}

fn params(params: Map) -> Result<Vec<(String, ParamValue)>, ReadError> {
    let mut sent = Vec::with_capacity(params.len());
    for (key, value) in params {
        if value.is_object() {
            return Err(ReadError::value(format!(
                "Invalid value for `{key}` parameter. The values of request params cannot be an object."
            )));
        }
        sent.extend(ParamValue::from_json(&value).map(|value| (key, value)));
    }
    Ok(sent)
}

fn body(json: Map, data: BodyData) -> Result<http::RequestBody, ReadError> {
    match (json.is_empty(), data.is_empty()) {
        (true, true) => Ok(http::RequestBody::Empty),
        (false, true) => Ok(http::RequestBody::Json(Json::Object(json))),
        (true, false) => Ok(match data {
            BodyData::Text(text) => http::RequestBody::Text(text),
            BodyData::Form(fields) => http::RequestBody::Form(
                fields
                    .into_iter()
                    .filter_map(|(key, value)| Some((key, ParamValue::from_json(&value)?)))
                    .collect(),
            ),
        }),
        (false, false) => {
            let message = "At the same time only one of the 'request_body_data' and \
                           'request_body_json' functions can return data";
            Err(ReadError::unexpected("RequestBodyException", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::components::RequestParts;
    use crate::components::testing::{World, line};
    use crate::value::StreamSlice;

    /// What is sent: method, URL, own headers, and body; or why nothing is.
    fn sent(fields: &Json, path: Option<&str>, parts: RequestParts) -> String {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&asked);
        let config = json!({"a": "b c", "n": 3, "key": "0012"});
        let world = World::with_server(&config, move |request| {
            log.lock().unwrap().push(line(request));
            (200, json!({}))
        });
        let mut written = json!({"type": "HttpRequester"});
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let requester = match world.build::<dyn Requester>(&written) {
            Ok(requester) => requester,
            Err(err) => return err.message,
        };
        let slice = StreamSlice {
            partition: Map::from_iter([("id".to_owned(), json!(5))]),
            extra_fields: Map::from_iter([("kind".to_owned(), json!("k"))]),
            ..StreamSlice::default()
        };
        let token = json!(7);
        let input = RequestInput {
            slice: Some(&slice),
            next_page_token: Some(&token),
            path: path.map(str::to_owned),
            parts,
            ..RequestInput::default()
        };
        match requester.send(input).now_or_never().unwrap() {
            Ok(_) => asked.lock().unwrap().join("; "),
            Err(err) => err.to_string(),
        }
    }

    #[track_caller]
    fn check(fields: &Json, expect: &str) {
        assert_eq!(sent(fields, None, RequestParts::default()), expect);
    }

    #[test]
    fn the_url_is_made_of_its_parts() {
        check(
            &json!({"url_base": "https://x.y/api", "path": "/v1/{{ config.a }}"}),
            "GET https://x.y/api/v1/b%20c",
        );
        check(
            &json!({"url": "https://x.y/{{ stream_slice.id }}/{{ kind }}"}),
            "GET https://x.y/5/k",
        );
    }

    #[test]
    fn a_page_can_bring_its_own_path_with_parameters() {
        let params = [("a".to_owned(), json!("1")), ("b".to_owned(), json!(2))];
        let parts =
            RequestParts { params: params.into_iter().collect(), ..RequestParts::default() };
        let fields = json!({"url_base": "https://x.y/api", "path": "v1"});
        let request = sent(&fields, Some("/next?a=1"), parts);
        assert_eq!(request, "GET https://x.y/next?a=1&b=2");
    }

    #[test]
    fn parameters_are_text_or_lists() {
        let params = json!({
            "a": "5", "b": "{{ none }}", "c": "", "d": "{{ [1,2] }}", "e": "{{ config.missing }}",
            "f": "{{ true }}", "g": "{{ {'a': 1} }}", "h": "{{ next_page_token['next_page_token'] }}",
        });
        check(
            &json!({"url": "http://h", "request_parameters": params}),
            "GET http://h/?a=5&b=None&d=1&d=2&f=True&g=%7B%27a%27%3A+1%7D&h=7",
        );
    }

    #[test]
    fn headers_are_the_text_of_their_values() {
        let headers = json!({
            "A": "{{ 1.0 }}", "B": "{{ none }}", "C": "{{ [1,2] }}", "D": "00123", "E": "1_000",
            "F": "\"abc\"", "G": "{{ true }}", "H": "",
        });
        check(
            &json!({"url": "http://h", "request_headers": headers}),
            "GET http://h/ | A: 1.0 | C: [1, 2] | D: 00123 | E: 1000 | F: abc | G: True",
        );
        let text = json!({"url": "http://h", "request_headers": "{{ {'A': 1} }}"});
        check(&text, "GET http://h/ | A: 1");
        let text = json!({"url": "http://h", "request_headers": "text"});
        check(&text, "Request headers cannot be a string");
    }

    #[track_caller]
    fn check_body(field: &str, body: &Json, expect: &str) {
        let fields = json!({"url": "http://h", "http_method": "POST", field: body});
        check(&fields, &format!("POST http://h/{expect}"));
    }

    #[test]
    fn json_bodies_keep_types() {
        let nested = json!({
            "a": "{{ config.n }}", "b": "{{ none }}", "c": ["{{ none }}", "5"],
            "d": {"e": "{{ true }}"}, "f": 1,
        });
        let json = " | Content-Type: application/json | ";
        let expect = format!(r#"{json}{{"a": 3, "c": [null, 5], "d": {{"e": true}}, "f": 1}}"#);
        check_body("request_body_json", &nested, &expect);
        let text = json!("{{ {'a': config.n} }}");
        check_body("request_body_json", &text, &format!(r#"{json}{{"a": 3}}"#));
        let query = json!({"type": "RequestBodyGraphQL", "value": {
            "variables": {"n": "{{ config.n }}"}, "query": "{ a }",
        }});
        let expect = format!(r#"{json}{{"query": "{{ a }}", "variables": {{"n": 3}}}}"#);
        check_body("request_body", &query, &expect);
        check_body("request_body_json", &json!({}), "");
    }

    #[test]
    fn json_bodies_are_objects() {
        let fields = json!({"url": "http://h", "request_body_json": "{\"a\": null}"});
        check(&fields, "Request body json cannot be a string");
    }

    #[test]
    fn other_bodies_are_text_or_forms() {
        let plain = |text: &str| json!({"type": "RequestBodyPlainText", "value": text});
        check_body("request_body", &plain("plain {{ config.n }} é"), " | plain 3 é");
        let form = " | Content-Type: application/x-www-form-urlencoded | ";
        check_body("request_body", &plain(r#"{"a": "b"}"#), &format!("{form}a=b"));
        check_body("request_body", &plain("[1,2]"), "");
        let fields = json!({"type": "RequestBodyUrlEncodedForm", "value": {
            "a": "5", "b": "{{ [1,'x'] }}", "c": "{{ config.none }}",
        }});
        check_body("request_body", &fields, &format!("{form}a=5&b=1&b=x"));
    }

    #[test]
    fn there_is_one_body_only() {
        let both =
            json!({"url": "http://h", "request_body_json": {"a": 1}, "request_body_data": "x"});
        let message = "RequestOptionsProvider should only contain either 'request_body_data' or \
                       'request_body_json' not both";
        check(&both, message);
        let parts = RequestParts {
            body_json: Map::from_iter([("c".to_owned(), json!(1))]),
            ..RequestParts::default()
        };
        let form =
            json!({"url": "http://h", "http_method": "POST", "request_body_data": {"a": "1"}});
        let message = "At the same time only one of the 'request_body_data' and \
                       'request_body_json' functions can return data";
        assert_eq!(sent(&form, None, parts), message);
    }

    #[test]
    fn authenticators_take_part() {
        let key = |fields: Json| {
            let mut key = json!({"type": "ApiKeyAuthenticator", "api_token": "{{ config.key }}"});
            key.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            json!({"url": "http://h", "authenticator": key})
        };
        let option = |place: &str, field: &str, name: Json| json!({"inject_into": {"type": "RequestOption", "inject_into": place, field: name}});
        let expect = "GET http://h/?key=0012";
        check(&key(option("request_parameter", "field_name", json!("key"))), expect);
        let expect = r#"GET http://h/ | Content-Type: application/json | {"a": {"b": "0012"}}"#;
        check(&key(option("body_json", "field_path", json!(["a", "b"]))), expect);
        check(&key(json!({"header": "X-Key"})), "GET http://h/ | X-Key: 0012");
        check(&key(json!({"header": ""})), "GET http://h/");
        let message = "Expected either inject_into or header to be set for ApiKeyAuthenticator";
        check(&key(json!({})), message);
    }

    #[test]
    fn a_header_of_the_authenticator_is_set_nowhere_else() {
        let fields = |name: &str| {
            let token = json!({"type": "BearerAuthenticator", "api_token": "1e5"});
            json!({"url": "http://h", "request_headers": {name: "x"}, "authenticator": token})
        };
        check(&fields("X"), "GET http://h/ | X: x | Authorization: Bearer 100000.0");
        let message = "Request body collision, duplicate keys detected at key path: Authorization. \
                       Please ensure that all keys in the request are unique.";
        check(&fields("Authorization"), message);
        check(&fields("authorization"), "GET http://h/ | Authorization: Bearer 100000.0");
    }

    #[test]
    fn the_config_chooses_an_authenticator() {
        let fields = |key: &str| {
            let authenticator = json!({
                "type": "SelectiveAuthenticator",
                "authenticator_selection_path": [key],
                "authenticators": {
                    "b c": {"type": "BasicHttpAuthenticator", "username": "u", "password": "é"},
                },
            });
            json!({"url": "http://h", "authenticator": authenticator})
        };
        check(&fields("a"), "GET http://h/ | Authorization: Basic dTrDqQ==");
        check(&fields("n"), "The authenticator `3` is not found.");
        let message = "The path from `authenticator_selection_path` is not found in the config.";
        check(&fields("x"), message);
    }
}
