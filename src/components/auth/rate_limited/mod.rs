//! `RateLimitedMultipleTokenAuthenticator`: several tokens that take turns as their quotas allow.

mod quota;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::{self, BoxFuture, FutureExt};
use indexmap::IndexMap;
use serde_json::json;
use tracing::info;

use crate::components::request_matcher::RequestMatcher;
use crate::components::request_matcher::yaml::HttpRequestRegexMatcher;
use crate::components::shape::{DistinctInts, ListOf, Text, choice, either, shape};
use crate::components::{
    Authenticator, BuildContext, BuildError, Component, ErrorHandler, Parameters, ReadError,
    RequestParts, Slot, Surroundings,
};
use crate::http::{
    Method, NoAuth, NoSendObserver, PreparedRequest, Request, Response, Retry, SendError,
    SessionAuth, Verdict,
};
use crate::manifest::Node;
use crate::protocol::{FailureType, TracedError};
use crate::run::Wait;
use crate::template::InterpolatedString;
use crate::template::time::{DateTime, Span};
use crate::value::{Json, PythonJson, python_int, python_str};

use super::expiry::parse_date;
use quota::{Ledger, Quota, Report, Reserve, Turn};

/// Seconds between two signs of life while all tokens are spent.
const HEARTBEAT: Duration = Duration::from_mins(1);

choice! {
    /// The method of the request for quotas.
    pub enum QuotaMethod {
        /// Reads.
        Get = "GET",
        /// Reads, where an API wants it so.
        Post = "POST",
    }
}

either! {
    /// Tokens one by one, or a text that holds all.
    pub enum Tokens { Joined(Text) if |node| node.as_str().is_some(), List(ListOf<Text, 1>) }
}

/// The YAML shapes.
pub mod yaml {
    use super::{
        DistinctInts, HttpRequestRegexMatcher, IndexMap, ListOf, QuotaMethod, Text, Tokens, shape,
    };

    shape! {
        /// Uses several tokens in turn, each as long as the API says that it has requests left.
        pub struct RateLimitedMultipleTokenAuthenticator {
            /// The tokens.
            tokens: Tokens,
            /// What stands between the tokens of a text.
            token_delimiter: String = ",".to_owned(),
            /// What stands before the token.
            auth_method: String = "Bearer".to_owned(),
            /// The name of the header that the token is sent in.
            header: String = "Authorization".to_owned(),
            /// Where the API says how many requests a token has left.
            quota_status_source: QuotaStatusSource,
            /// What the API counts apart.
            quotas: ListOf<TokenQuota, 1>,
            /// The longest wait when all tokens are spent, as an ISO 8601 duration.
            max_wait_time: Text = Text::new("PT2H"),
            /// The part of each limit that is spent slowly.
            budget_reserve_fraction: f64 = 0.1,
            /// Requests that are spent slowly at least.
            budget_min_reserve: i64 = 50,
        }
    }

    shape! {
        /// Where an API says how many requests a token has left.
        pub struct QuotaStatusSource {
            /// The URL.
            url: Text,
            /// The method.
            http_method: QuotaMethod = QuotaMethod::Get,
            /// Headers.
            request_headers: Option<IndexMap<String, Text>>,
            /// Statuses that say that the API does not count.
            unavailable_status_codes: Option<DistinctInts>,
        }
    }

    shape! {
        /// Requests that an API counts together.
        pub struct TokenQuota {
            /// Its name, for logs.
            name: String,
            /// Where the API says how many requests are left.
            remaining_path: Vec<String>,
            /// Where it says when there will be more.
            reset_path: Vec<String>,
            /// Where it says how many there are then.
            limit_path: Option<Vec<String>>,
            /// The requests; all others when there are none.
            matchers: Option<Vec<HttpRequestRegexMatcher>>,
            /// The header of other responses that says how many requests are left.
            remaining_header: Option<String>,
            /// The header that says when there will be more.
            reset_header: Option<String>,
            /// The header that says how many there are then.
            limit_header: Option<String>,
            /// Statuses that say that none are left.
            exhaustion_status_codes: Option<Vec<i64>>,
        }
    }
}

impl Component for yaml::RateLimitedMultipleTokenAuthenticator {
    type Family = dyn Authenticator;

    fn build(mut self, cx: &BuildContext<'_>) -> Result<Arc<dyn Authenticator>, BuildError> {
        // An empty text counts as none.
        let defaults = [
            (&mut self.token_delimiter, ","),
            (&mut self.auth_method, "Bearer"),
            (&mut self.header, "Authorization"),
        ];
        for (text, default) in defaults.into_iter().filter(|(text, _)| text.is_empty()) {
            default.clone_into(text);
        }
        let tokens = self.tokens(cx)?;
        let eval = |text: &Text| {
            let template = InterpolatedString::new(text, Parameters::default());
            cx.surroundings().eval(|scope| template.eval_string(&scope))
        };
        let source = &self.quota_status_source;
        let mut headers = Vec::new();
        for (name, value) in source.request_headers.iter().flatten() {
            headers.push((name.clone(), eval(value)?));
        }
        let (url, max_wait) = (eval(&source.url)?, eval(&self.max_wait_time)?);
        let Span::Exact(max_wait_time) = Span::parse(&max_wait)? else {
            let message = format!(
                "max_wait_time must be a fixed-length ISO 8601 duration (e.g. 'PT2H'); \
                 calendar-unit durations like '{max_wait}' are not supported"
            );
            return Err(BuildError::in_span(self.max_wait_time.span, message));
        };
        // Streams that say the same share one count.
        let key = PythonJson::SORTED.text(&json!([
            "RateLimitedMultipleTokenAuthenticator",
            tokens,
            url,
            source.http_method.as_str(),
            headers,
            source.unavailable_status_codes.as_deref(),
            self.auth_method,
            self.header,
            max_wait,
            self.budget_reserve_fraction,
            self.budget_min_reserve,
            format!("{:?}", self.quotas),
        ]));
        let shared = cx.shared.get_or_build(&key, || {
            let pools = self.quotas.0.iter().map(|shape| Pool::build(shape.clone(), cx));
            Ok(RateLimitedTokens {
                tokens,
                prefix: self.auth_method.clone(),
                header: self.header.clone(),
                pools: pools.collect::<Result<_, _>>()?,
                max_wait: max_wait_time.total_seconds(),
                #[expect(clippy::cast_precision_loss, reason = "quotas are small")]
                reserve: Reserve {
                    fraction: self.budget_reserve_fraction,
                    min: self.budget_min_reserve as f64,
                },
                source: QuotaSource::build(source, url, headers, cx)?,
                ledger: Mutex::default(),
                refreshing: tokio::sync::Mutex::default(),
                surroundings: cx.surroundings(),
            })
        })?;
        Ok(shared)
    }
}

impl yaml::RateLimitedMultipleTokenAuthenticator {
    fn tokens(&self, cx: &BuildContext<'_>) -> Result<Vec<String>, BuildError> {
        let eval = |text: &Text| {
            let template = InterpolatedString::new(text, Parameters::default());
            cx.surroundings().eval(|scope| template.eval_string(&scope))
        };
        let tokens: Vec<String> = match &self.tokens {
            Tokens::Joined(text) => {
                eval(text)?.split(&self.token_delimiter).map(str::to_owned).collect()
            }
            Tokens::List(texts) => texts.0.iter().map(eval).collect::<Result<_, _>>()?,
        };
        let tokens: Vec<String> =
            tokens.iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect();
        if tokens.is_empty() {
            let message = "Authentication tokens are missing from the configuration.";
            return Err(BuildError::new(message).failing(FailureType::ConfigError));
        }
        Ok(tokens)
    }
}

/// Where quotas are asked for.
struct QuotaSource {
    request: Request,
    unavailable_statuses: Vec<i64>,
    error_handler: Arc<dyn ErrorHandler>,
}

impl QuotaSource {
    fn build(
        shape: &yaml::QuotaStatusSource,
        url: String,
        headers: Vec<(String, String)>,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let method = match shape.http_method {
            QuotaMethod::Get => Method::GET,
            QuotaMethod::Post => Method::POST,
        };
        let unavailable_statuses = shape.unavailable_status_codes.as_deref().unwrap_or_default();
        let filter = json!({
            "type": "HttpResponseFilter", "action": "IGNORE", "http_codes": unavailable_statuses,
        });
        let handler = json!({"type": "DefaultErrorHandler", "response_filters": [filter]});
        Ok(Self {
            request: Request { headers, ..Request::new(method, url) },
            unavailable_statuses: unavailable_statuses.to_vec(),
            error_handler: Slot::<dyn ErrorHandler>::new(Node::from_json(&handler, None))
                .build(cx)?,
        })
    }
}

/// Requests that the API counts together.
struct Pool {
    shape: yaml::TokenQuota,
    matchers: Vec<RequestMatcher>,
}

impl Pool {
    fn build(shape: yaml::TokenQuota, cx: &BuildContext<'_>) -> Result<Self, BuildError> {
        let matchers = shape.matchers.iter().flatten();
        let matchers = matchers.map(|matcher| RequestMatcher::build(matcher, cx));
        Ok(Self { matchers: matchers.collect::<Result<_, _>>()?, shape })
    }

    /// What the API says of the pool.
    fn quota(&self, status: &Json) -> Result<Quota, ReadError> {
        let number = |path: &[String], what: &str| {
            let value = self.find(status, path, what)?;
            python_int(value).ok_or_else(|| ReadError::value(format!("{what} is no integer")))
        };
        let remaining = number(&self.shape.remaining_path, "remaining")?;
        let reset = self.find(status, &self.shape.reset_path, "reset")?;
        let limit = match self.shape.limit_path.as_ref().filter(|path| !path.is_empty()) {
            Some(path) => number(path, "limit")?,
            None => remaining,
        };
        let reset = parse_date(&python_str(reset)).map_err(ReadError::value)?;
        Ok(Quota { remaining, reset, limit, is_tracked: true })
    }

    fn find<'a>(
        &self,
        status: &'a Json,
        path: &[String],
        what: &str,
    ) -> Result<&'a Json, ReadError> {
        let found = path.iter().try_fold(status, |value, key| value.as_object()?.get(key));
        found.ok_or_else(|| {
            let name = &self.shape.name;
            let message = format!(
                "Quota status response does not contain the configured {what} path for token quota \
                 \"{name}\"."
            );
            let internal = format!(
                "Quota status response did not contain the {what} path {path:?} configured for \
                 quota '{name}'"
            );
            ReadError::traced(TracedError::system(message).with_internal(internal))
        })
    }

    /// What a response to another request says of the pool.
    fn report(&self, response: &Response) -> Report {
        let header = |name: &Option<String>| response.headers.get(name.as_deref()?);
        let number =
            |name: &Option<String>| header(name).and_then(|text| text.trim().parse::<i64>().ok());
        let statuses = self.shape.exhaustion_status_codes.as_deref().unwrap_or_default();
        let is_exhaustion = statuses.contains(&i64::from(response.status));
        Report {
            remaining: number(&self.shape.remaining_header).or(is_exhaustion.then_some(0)),
            reset: header(&self.shape.reset_header).and_then(|text| parse_date(text).ok()),
            limit: number(&self.shape.limit_header),
            is_exhaustion,
        }
    }
}

/// See the module documentation.
struct RateLimitedTokens {
    tokens: Vec<String>,
    prefix: String,
    header: String,
    pools: Vec<Pool>,
    /// Seconds.
    max_wait: f64,
    reserve: Reserve,
    source: QuotaSource,
    ledger: Mutex<Ledger>,
    /// Held while the API is asked for quotas, so that it is asked once.
    refreshing: tokio::sync::Mutex<()>,
    surroundings: Surroundings,
}

impl RateLimitedTokens {
    /// A panic while the lock is held can at worst leave a wrong count, which responses correct.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> DateTime {
        DateTime::from_timestamp(self.surroundings.run().now())
    }

    fn header_value(&self, token: usize) -> String {
        format!("{} {}", self.prefix, self.tokens[token]).trim().to_owned()
    }

    /// The token that a request was signed with.
    fn sender(&self, request: &PreparedRequest) -> Option<usize> {
        let value = request.headers.get(&self.header)?;
        (0..self.tokens.len()).find(|token| self.header_value(*token) == value)
    }

    /// The pool that the request is taken out of: the first that has it, else the first for all
    /// others, else the first.
    fn pool(&self, request: &PreparedRequest) -> usize {
        let has_it = |pool: &Pool| pool.matchers.iter().any(|it| it.matches(request));
        let of_others = || self.pools.iter().position(|pool| pool.matchers.is_empty());
        self.pools.iter().position(has_it).or_else(of_others).unwrap_or(0)
    }

    /// Reserves a request, and gives the token to send it with.
    async fn acquire(&self, request: &PreparedRequest) -> Result<usize, ReadError> {
        if self.ledger().quotas.is_empty() {
            let _guard = self.refreshing.lock().await;
            if self.ledger().quotas.is_empty() {
                self.refresh().await?;
            }
        }
        let pool = self.pool(request);
        let mut waited = 0.0;
        loop {
            let turn =
                self.ledger().take(pool, self.max_wait - waited, self.reserve, self.now())?;
            match turn {
                Turn::Use(token, delay) => {
                    if !delay.is_zero() {
                        self.surroundings.run().wait(Wait::Budget, delay).await;
                    }
                    return Ok(token);
                }
                Turn::Wait(wait) => {
                    self.wait(pool, wait).await;
                    waited += wait.as_secs_f64();
                    let _guard = self.refreshing.lock().await;
                    // Another request may have asked already.
                    let is_spent = self.ledger().is_spent(pool);
                    if is_spent {
                        self.refresh().await?;
                    }
                }
            }
        }
    }

    async fn wait(&self, pool: usize, wait: Duration) {
        let name = &self.pools[pool].shape.name;
        info!(
            target: "airbyte",
            "All tokens exhausted (quota: {name}). Waiting {:.0}s until rate limit resets.",
            wait.as_secs_f64()
        );
        let mut left = wait;
        while !left.is_zero() {
            let step = left.min(HEARTBEAT);
            self.surroundings.run().wait(Wait::Budget, step).await;
            left -= step;
            if !left.is_zero() {
                info!(
                    target: "airbyte",
                    "Rate limit exhausted (quota: {name}). Waiting for reset — {:.0}s remaining.",
                    left.as_secs_f64()
                );
            }
        }
    }

    /// Asks the API what each token has left.
    async fn refresh(&self) -> Result<(), ReadError> {
        let mut quotas = Vec::with_capacity(self.tokens.len());
        for token in 0..self.tokens.len() {
            quotas.push(self.fetch(token).await?);
        }
        self.ledger().quotas = quotas;
        Ok(())
    }

    async fn fetch(&self, token: usize) -> Result<Vec<Quota>, ReadError> {
        let environment = self.surroundings.environment();
        let client = environment.http.client();
        let mut request = client.prepare(&self.source.request)?;
        request.headers.set(&self.header, self.header_value(token));
        let retry = Retry {
            name: "quota_status",
            policy: &*self.source.error_handler,
            auth: &NoAuth,
            observer: &NoSendObserver,
            run: &environment.run,
            is_retrying: true,
        };
        let (Verdict::Response(response) | Verdict::Ignored(Some(response))) =
            retry.send(&client, request).await?
        else {
            return Err(ReadError::value("the quota status has no answer"));
        };
        if self.source.unavailable_statuses.contains(&i64::from(response.status)) {
            return Ok(self.pools.iter().map(|_| Quota::untracked(self.now())).collect());
        }
        let status = response.json().unwrap_or(&Json::Null);
        self.pools.iter().map(|pool| pool.quota(status)).collect()
    }
}

impl Authenticator for RateLimitedTokens {
    fn request_parts(&self) -> BoxFuture<'_, Result<RequestParts, ReadError>> {
        let parts = if self.header.is_empty() {
            RequestParts::default()
        } else {
            RequestParts::of_header(&self.header, self.header_value(self.ledger().active()))
        };
        future::ready(Ok(parts)).boxed()
    }
}

impl SessionAuth for RateLimitedTokens {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        async {
            let token = self.acquire(request).await?;
            request.headers.set(&self.header, self.header_value(token));
            Ok(())
        }
        .boxed()
    }

    fn has_alternative_token(&self, request: &PreparedRequest) -> bool {
        let Some(sender) = self.sender(request) else { return false };
        self.ledger().has_alternative(sender, self.pool(request))
    }

    fn observe(&self, request: &PreparedRequest, response: &Response) {
        let pool = self.pool(request);
        if let Some(sender) = self.sender(request) {
            let report = self.pools[pool].report(response);
            // A date that cannot be compared corrects nothing.
            let _ = self.ledger().correct(sender, pool, &report);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::components::testing::World;
    use crate::value::Json;

    /// What is asked for three requests with two tokens, when the API gives this status.
    #[track_caller]
    fn check(status: u16, remaining: [i64; 2], expect: &[&str]) {
        let authenticator = json!({
            "type": "RateLimitedMultipleTokenAuthenticator",
            "tokens": "{{ config.tokens }}",
            "quota_status_source": {
                "type": "QuotaStatusSource", "url": "http://h/quota", "unavailable_status_codes": [404],
            },
            "quotas": [{
                "type": "TokenQuota", "name": "core", "remaining_path": ["core", "left"],
                "reset_path": ["core", "reset"], "remaining_header": "X-Left",
            }],
            "budget_min_reserve": 0, "budget_reserve_fraction": 0,
        });
        let asked = World::asking(
            &json!({"tokens": "a, b"}),
            &json!({"type": "HttpRequester", "url": "http://h/", "authenticator": authenticator}),
            3,
            move |_, request| {
                let token = request.headers.get("Authorization").unwrap_or_default();
                let left = remaining[usize::from(token == "Bearer b")];
                if !request.url.ends_with("/quota") {
                    return (200, json!({}));
                }
                (status, json!({"core": {"left": left, "reset": 1_714_979_389}}))
            },
        );
        assert_eq!(asked, expect);
    }

    const QUOTA_A: &str = "GET http://h/quota | Authorization: Bearer a";
    const QUOTA_B: &str = "GET http://h/quota | Authorization: Bearer b";
    const A: &str = "GET http://h/ | Authorization: Bearer a";
    const B: &str = "GET http://h/ | Authorization: Bearer b";

    #[test]
    fn a_token_is_used_until_it_is_spent() {
        check(200, [2, 5], &[QUOTA_A, QUOTA_B, A, A, B]);
    }

    #[test]
    fn tokens_take_turns_when_the_api_does_not_count() {
        check(404, [0, 0], &[QUOTA_A, QUOTA_B, A, B, A]);
    }

    #[test]
    fn a_status_without_the_numbers_is_a_fault_of_the_manifest() {
        let message = "Quota status response does not contain the configured remaining path for \
                       token quota \"core\".";
        let authenticator = json!({
            "type": "RateLimitedMultipleTokenAuthenticator", "tokens": ["a"],
            "quota_status_source": {"type": "QuotaStatusSource", "url": "http://h/quota"},
            "quotas": [{
                "type": "TokenQuota", "name": "core", "remaining_path": ["left"], "reset_path": ["r"],
            }],
        });
        let requester: Json =
            json!({"type": "HttpRequester", "url": "http://h/", "authenticator": authenticator});
        let asked = World::asking(&json!({}), &requester, 1, |_, _| (200, json!({})));
        assert_eq!(asked, [QUOTA_A, message]);
    }
}
