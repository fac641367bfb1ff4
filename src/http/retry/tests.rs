use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::http::{Body, ErrorKind, Headers, Method, NoAuth, RefreshError, Refreshed, Request};
use crate::run::{TapeClock, Wait};

/// What the server says, and what the error handler makes of it.
#[derive(Clone, Copy)]
struct Step {
    status: u16,
    action: Action,
    /// What a backoff strategy names.
    wait: Option<f64>,
    /// Seconds until the answer.
    takes: u64,
}

const OK: Step = Step { status: 200, action: Action::Success, wait: None, takes: 0 };
const RETRY: Step = Step { status: 503, action: Action::Retry, ..OK };
const LIMITED: Step = Step { status: 429, action: Action::RateLimited, ..OK };
const NAMED: Step = Step { status: 500, action: Action::Retry, wait: Some(0.5), takes: 0 };
const REFRESH: Step = Step { status: 401, action: Action::RefreshTokenThenRetry, ..OK };

/// Server, error handler, authenticator and observer in one.
struct Script {
    steps: Mutex<VecDeque<Step>>,
    current: Mutex<Step>,
    run: RunContext,
    max_retries: i64,
    refresh: Option<Result<Refreshed, RefreshError>>,
    /// Signatures, rate limits and responses, in order.
    heard: Mutex<String>,
    attempts: Mutex<Vec<u32>>,
}

impl Script {
    fn new(steps: &[Step]) -> Self {
        let clock = Arc::new(TapeClock::replaying(Timestamp::UNIX_EPOCH));
        Self {
            steps: Mutex::new(steps.iter().copied().collect()),
            current: Mutex::new(OK),
            run: RunContext::new(clock, StdRng::seed_from_u64(0)),
            max_retries: 5,
            refresh: None,
            heard: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    fn elapsed(&self) -> f64 {
        self.run.now().duration_since(Timestamp::UNIX_EPOCH).as_secs_f64()
    }

    fn hear(&self, what: &str) {
        self.heard.lock().unwrap().push_str(what);
    }

    async fn run(&self) -> Result<Verdict, SendError> {
        let retry = Retry {
            name: "s",
            policy: self,
            auth: self,
            observer: self,
            run: &self.run,
            is_retrying: true,
        };
        let request = Request::new(Method::GET, "http://h/a").prepare().unwrap();
        // Runs of a multi-threaded runtime need it.
        let sent: BoxFuture<'_, _> = Box::pin(retry.send(self, request));
        sent.await
    }
}

impl Sender for Script {
    fn attempt<'a>(
        &'a self,
        request: &'a Arc<PreparedRequest>,
    ) -> BoxFuture<'a, Result<Response, HttpError>> {
        Box::pin(async move {
            let step = self.steps.lock().unwrap().pop_front().expect("no attempt expected");
            *self.current.lock().unwrap() = step;
            self.run.wait(Wait::BackOff, Duration::from_secs(step.takes)).await;
            if step.status == 0 {
                return Err(HttpError::new(ErrorKind::Connection, "refused"));
            }
            let body = Body::Whole(Bytes::from_static(br#"{"error": "boom"}"#));
            Ok(Response::new(step.status, Headers::default(), Arc::clone(request), body))
        })
    }
}

impl RetryPolicy for Script {
    fn interpret(&self, outcome: Outcome<'_>) -> Result<Resolution, SendError> {
        let message = match outcome {
            Ok(response) => format!("HTTP {}", response.status),
            Err(error) => format!("{}: {error}", error.kind.class_name()),
        };
        Ok(Resolution {
            action: self.current.lock().unwrap().action,
            failure_type: Some(FailureType::TransientError),
            message: Some(message),
        })
    }

    fn backoff(&self, attempt: u32, _: Outcome<'_>) -> Result<Option<f64>, SendError> {
        self.attempts.lock().unwrap().push(attempt);
        Ok(self.current.lock().unwrap().wait)
    }

    fn max_retries(&self) -> i64 {
        self.max_retries
    }

    fn max_time(&self) -> Duration {
        Duration::from_mins(10)
    }
}

impl SessionAuth for Script {
    fn sign<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        self.hear("sign ");
        NoAuth.sign(request)
    }

    fn refresh<'a>(
        &'a self,
        _: &'a PreparedRequest,
    ) -> Option<BoxFuture<'a, Result<Refreshed, RefreshError>>> {
        let result = self.refresh.clone()?;
        self.hear("refresh ");
        Some(Box::pin(std::future::ready(result)))
    }
}

impl SendObserver for Script {
    fn rate_limited(&self) {
        self.hear("limited ");
    }

    fn answered(&self, _: &PreparedRequest, response: &Response, action: Action) {
        self.hear(&format!("{}={} ", response.status, action.as_str()));
    }
}

/// Keeps the messages of log lines.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut lines = self.0.lock().unwrap();
        write!(lines, "{} ", event.metadata().level()).unwrap();
        event.record(&mut Message(&mut lines));
    }
}

struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            writeln!(self.0, "{value:?}").unwrap();
        }
    }
}

/// The log lines of a run.
async fn log_of(script: &Script) -> String {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    let _ = script.run().await;
    lines.0.lock().unwrap().clone()
}

/// `expect` is how long it takes and how many attempts are left over.
#[track_caller]
fn check(steps: &[Step], is_answered: bool, expect: (f64, usize)) {
    let script = Script::new(steps);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(script.run());
    assert_eq!(matches!(result, Ok(Verdict::Response(_))), is_answered, "{result:?}");
    let n_left = script.steps.lock().unwrap().len();
    assert_eq!((script.elapsed(), n_left), expect);
}

#[test]
fn waits_double() {
    check(&[RETRY, RETRY, RETRY, OK], true, (1.0 + 2.0 + 4.0, 0));
    check(&[LIMITED, LIMITED, OK], true, (1.0 + 2.0, 0));
}

#[test]
fn attempts_are_counted() {
    check(&[RETRY; 7], false, (1.0 + 2.0 + 4.0 + 8.0 + 16.0, 1));
    check(&[LIMITED; 7], false, (31.0, 1));
    check(&[NAMED; 7], false, (5.0 * 1.5, 1));
}

#[test]
fn a_named_wait_gets_a_second_more() {
    check(&[NAMED, OK], true, (1.5, 0));
}

#[test]
fn an_outer_layer_begins_the_inner_ones_anew() {
    let five_named = [NAMED; 5];
    let steps = [&five_named[..], &[RETRY], &five_named, &[OK]].concat();
    check(&steps, true, (7.5 + 1.0 + 7.5, 0));
    // The waits of the outer layer go on doubling.
    check(&[RETRY, LIMITED, RETRY, LIMITED, OK], true, (1.0 + 1.0 + 2.0 + 1.0, 0));
}

#[test]
fn time_is_bounded_unless_the_server_limits_the_rate() {
    let slow = Step { takes: 301, ..RETRY };
    // The third attempt begins after 605 seconds.
    check(&[slow; 4], false, (3.0 * 301.0 + 3.0, 1));
    // The last wait is cut short.
    check(&[Step { takes: 598, ..RETRY }, RETRY, OK], true, (598.0 + 1.0 + 1.0, 0));
    let slow = Step { takes: 1000, ..LIMITED };
    check(&[slow, slow, OK], true, (2000.0 + 3.0, 0));
}

#[test]
fn zero_is_no_named_wait() {
    check(&[Step { wait: Some(0.0), ..RETRY }, OK], true, (1.0, 0));
}

#[tokio::test]
async fn retries_can_be_switched_off() {
    for max_retries in [0, -3] {
        let script = Script { max_retries, ..Script::new(&[RETRY, OK]) };
        script.run().await.unwrap_err();
        assert_eq!(script.steps.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn each_attempt_is_signed_observed_and_counted() {
    let script = Script::new(&[LIMITED, NAMED, RETRY, OK]);
    script.run().await.unwrap();
    let expect = "429=RATE_LIMITED limited sign 500=RETRY sign 503=RETRY sign 200=SUCCESS ";
    assert_eq!(*script.heard.lock().unwrap(), expect);
    assert_eq!(*script.attempts.lock().unwrap(), [1, 2, 3]);
}

#[track_caller]
fn check_error(result: Result<Verdict, SendError>, expect: &TracedError) {
    match result {
        Err(SendError::Traced(error)) => assert_eq!(*error, *expect),
        result => panic!("{result:?}"),
    }
}

#[tokio::test]
async fn exhaustion_is_told_with_the_reason() {
    let reason = "Exhausted available request attempts. Please see logs for more details. \
                  Exception: HTTP 503";
    let internal = "Exhausted available request attempts. Exception: HTTP 503";
    let expect = TracedError::transient(reason).with_internal(internal).in_stream("s");
    check_error(Script::new(&[RETRY; 6]).run().await, &expect);

    let internal = "Rate limit retry budget exhausted. Last exception: HTTP 429";
    let expect =
        TracedError::transient("API rate limit exceeded.").with_internal(internal).in_stream("s");
    check_error(Script::new(&[LIMITED; 6]).run().await, &expect);
}

#[tokio::test]
async fn failing_and_ignoring_are_final() {
    let fail = Step { status: 404, action: Action::Fail, ..OK };
    let internal = "'GET' request to 'http://h/a' failed with status code '404' and error message: \
                    'boom'. Request (body): 'None'. Response (body): '{'error': 'boom'}'. Response \
                    (headers): '{}'.";
    let expect = TracedError::transient("HTTP 404").with_internal(internal);
    check_error(Script::new(&[fail]).run().await, &expect);

    let ignore = Step { status: 403, action: Action::Ignore, ..OK };
    let verdict = Script::new(&[ignore]).run().await.unwrap();
    assert!(matches!(verdict, Verdict::Ignored(Some(response)) if response.status == 403));
}

#[tokio::test]
async fn other_actions_go_to_who_reads_the_slice() {
    for action in [Action::ResetPagination, Action::ReducePageSize, Action::SplitRequestWindow] {
        let verdict = Script::new(&[Step { action, ..OK }]).run().await.unwrap();
        let found = match verdict {
            Verdict::ResetPagination => Action::ResetPagination,
            Verdict::ReducePageSize(_) => Action::ReducePageSize,
            Verdict::SplitRequestWindow(..) => Action::SplitRequestWindow,
            verdict => panic!("{verdict:?}"),
        };
        assert_eq!(found, action);
    }
}

#[tokio::test]
async fn a_token_is_refreshed_once() {
    let script =
        Script { refresh: Some(Ok(Refreshed::Now)), ..Script::new(&[REFRESH, REFRESH, OK]) };
    let internal = "'GET' request to 'http://h/a' was rejected with status code '401' again after \
                    the OAuth token was refreshed; not refreshing again. Error handler message: \
                    'HTTP 401'";
    let message = "Refreshed OAuth access token is rejected by the API.";
    check_error(script.run().await, &TracedError::config(message).with_internal(internal));
    let expect = "401=REFRESH_TOKEN_THEN_RETRY refresh sign 401=REFRESH_TOKEN_THEN_RETRY ";
    assert_eq!(*script.heard.lock().unwrap(), expect);
}

#[tokio::test]
async fn a_refused_refresh_is_final() {
    let refused = Err(RefreshError::Rejected("400 Client Error".into()));
    let script = Script { refresh: Some(refused), ..Script::new(&[REFRESH]) };
    let internal = "'GET' request to 'http://h/a' was rejected with status code '401' and the OAuth \
                    token endpoint rejected the refresh request: 400 Client Error";
    let message = "OAuth token refresh request is rejected by the token endpoint.";
    check_error(script.run().await, &TracedError::config(message).with_internal(internal));
}

#[tokio::test]
async fn without_a_new_token_the_old_one_is_tried_again() {
    let script = Script::new(&[REFRESH, OK]);
    script.run().await.unwrap();
    let failed = RefreshError::Failed(SendError::unexpected("ConnectionError", "refused"));
    let script = Script { refresh: Some(Err(failed)), ..Script::new(&[REFRESH, REFRESH]) };
    let message = "API rejects the current OAuth access token and the token refresh failed.";
    let Err(SendError::Traced(error)) = script.run().await else { panic!("no error") };
    assert_eq!(error.message.as_deref(), Some(message));
    assert_eq!(error.failure_type, FailureType::TransientError);
}

#[tokio::test]
async fn retries_are_logged_as_in_the_reference() {
    let refused = Step { status: 0, ..RETRY };
    insta::assert_snapshot!(log_of(&Script::new(&[RETRY, NAMED, refused, OK])).await, @r"
    INFO Backing off _send(...) for 1.0s (airbyte_cdk.sources.streams.http.exceptions.DefaultBackoffException: HTTP 503)
    INFO Caught retryable error 'HTTP 503' after 1 tries. Waiting 1 seconds then retrying...
    INFO UserDefinedBackoffException: Rate limit exceeded (HTTP 500). Retrying in 1.5 seconds.
    INFO Backing off _send(...) for 2.0s (airbyte_cdk.sources.streams.http.exceptions.DefaultBackoffException: ConnectionError: refused)
    INFO Caught retryable error 'ConnectionError: refused' after 2 tries. Waiting 2 seconds then retrying...
    ");
    let script = Script { max_retries: 1, ..Script::new(&[NAMED, NAMED]) };
    insta::assert_snapshot!(log_of(&script).await, @r"
    INFO UserDefinedBackoffException: Rate limit exceeded (HTTP 500). Retrying in 1.5 seconds.
    ERROR Max retry limit reached after 1.5s. Request: <PreparedRequest [GET]>, Response: <Response [500]>
    ERROR Retries exhausted with backoff exception.
    ERROR Stream s: GET http://h/a has failed for good: HTTP 500
    ");
    let script = Script { max_retries: 0, ..Script::new(&[LIMITED]) };
    insta::assert_snapshot!(log_of(&script).await, @r"
    ERROR Giving up _send(...) after 1 tries (airbyte_cdk.sources.streams.http.exceptions.RateLimitBackoffException: HTTP 429)
    ERROR Retries exhausted with backoff exception.
    ERROR Stream s: GET http://h/a has failed for good: HTTP 429
    ");
}
