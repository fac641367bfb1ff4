//! `HttpRequester`: composes requests out of templates, and sends them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::body::RequestBody;
use super::options::RequestOptions;
use crate::components::shape::{NumberFrom, Text, TextOrMapping, TextOrObject, choice, shape};
use crate::components::{
    Answer, Authenticator, BodyData, BuildContext, BuildError, Component, ErrorHandler, Observer,
    ReadError, RequestInput, Requester, Slot, StreamScope, Surroundings,
};
use crate::http::{
    self, Action, Client, Method, ParamValue, PreparedRequest, Request, Response, Retry,
    SendObserver, Verdict,
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
        Authenticator, ErrorHandler, HttpMethod, NumberFrom, RequestBody, Slot, Text,
        TextOrMapping, TextOrObject, shape,
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
            /// Parameters of the query.
            request_parameters: Option<TextOrMapping>,
            /// Headers.
            request_headers: Option<TextOrMapping>,
            /// A form or text to send; `request_body` is the newer way.
            request_body_data: Option<TextOrMapping>,
            /// JSON to send; `request_body` is the newer way.
            request_body_json: Option<TextOrObject>,
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
        let url = self.url.clone().or_else(|| self.url_base.clone());
        let stream = StreamScope { requester_url: url, ..cx.stream.clone() };
        let inner = cx.for_stream(stream);
        let authenticator = self.authenticator.clone().unwrap_or_else(|| Slot::of_type("NoAuth"));
        let error_handler =
            self.error_handler.clone().unwrap_or_else(|| Slot::of_type("DefaultErrorHandler"));
        let mut client = cx.environment.http.client();
        if self.use_cache && !cx.environment.is_test_read {
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
            url: template(&self.url),
            url_base: template(&self.url_base),
            path: template(&self.path),
            method: match self.http_method {
                HttpMethod::Get => Method::GET,
                HttpMethod::Post => Method::POST,
            },
            options: RequestOptions::build(&self)?,
            connect_timeout: seconds(self.connect_timeout_in_seconds),
            read_timeout: seconds(self.read_timeout_in_seconds),
            authenticator: authenticator.build(&inner)?,
            error_handler: error_handler.build(&inner)?,
            client,
            surroundings: cx.surroundings(),
        }))
    }
}

/// Longer timeouts than a year are none.
const MAX_TIMEOUT: f64 = 366.0 * 86_400.0;

/// See the module documentation.
struct HttpRequester {
    name: String,
    url: Option<InterpolatedString>,
    url_base: Option<InterpolatedString>,
    path: Option<InterpolatedString>,
    method: Method,
    options: RequestOptions,
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
                observer: &ObservedStream { name: &self.name, observer: &*environment.observer },
                run: &environment.run,
                is_retrying: !environment.is_test_read,
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
}

/// Passes on what happens to the requests of a stream.
struct ObservedStream<'a> {
    name: &'a str,
    observer: &'a dyn Observer,
}

impl SendObserver for ObservedStream<'_> {
    fn rate_limited(&self) {
        self.observer.rate_limited(self.name);
    }

    fn answered(&self, _: &PreparedRequest, _: &Response, _: Action) {
        self.observer.answered(self.name);
    }
}

impl HttpRequester {
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
        parts.merge(self.authenticator.request_parts().await?)?;
        parts.merge(input.parts)?;

        let mut request = Request::new(self.method.clone(), url);
        request.options.connect_timeout = self.connect_timeout;
        request.options.read_timeout = self.read_timeout;
        request.options.body = input.body;
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
