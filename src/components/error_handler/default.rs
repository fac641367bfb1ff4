//! `DefaultErrorHandler`: filters in order, then what everybody knows of a status.

use std::sync::Arc;
use std::time::Duration;

use super::response_filter::HttpResponseFilter;
use super::{default_mapping, first_backoff};
use crate::components::shape::{IntOrTemplate, shape};
use crate::components::{
    BackoffStrategy, BuildContext, BuildError, Component, ErrorHandler, Parameters, Slot,
};
use crate::http::{Action, Outcome, Resolution, RetryPolicy, SendError};
use crate::template::InterpolatedString;
use crate::value::{python_int, python_repr};

/// How long the retries of a request may go on.
const MAX_TIME: Duration = Duration::from_mins(10);

/// The YAML shape.
pub mod yaml {
    use super::super::response_filter::yaml::HttpResponseFilter;
    use super::{BackoffStrategy, IntOrTemplate, Slot, shape};

    shape! {
        /// Decides by its filters what a response means; else by the status: below 400 it is a
        /// success, and errors are retried or fail by what is usual for them.
        pub struct DefaultErrorHandler {
            /// How long to wait before a retry: the first that knows counts.
            backoff_strategies: Option<Vec<Slot<dyn BackoffStrategy>>>,
            /// How often a request is sent again.
            max_retries: IntOrTemplate = IntOrTemplate::Int(5),
            /// What some responses mean: the first that matches counts.
            response_filters: Option<Vec<HttpResponseFilter>>,
        }
    }
}

impl Component for yaml::DefaultErrorHandler {
    type Family = dyn ErrorHandler;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ErrorHandler>, BuildError> {
        let strategies = self.backoff_strategies.unwrap_or_default();
        let filters = self.response_filters.unwrap_or_default();
        Ok(Arc::new(DefaultErrorHandler {
            backoff_strategies: strategies
                .iter()
                .map(|strategy| strategy.build(cx))
                .collect::<Result<_, _>>()?,
            filters: filters.iter().map(|filter| HttpResponseFilter::build(filter, cx)).collect(),
            max_retries: max_retries(&self.max_retries, &self.parameters, cx)?,
        }))
    }
}

fn max_retries(
    written: &IntOrTemplate,
    parameters: &Parameters,
    cx: &BuildContext<'_>,
) -> Result<i64, BuildError> {
    let text = match written {
        IntOrTemplate::Int(count) => return Ok(*count),
        IntOrTemplate::Template(text) => text,
    };
    let template = InterpolatedString::new(text, parameters.clone()).with_default("5");
    let value = cx.surroundings().eval(|scope| template.eval_json(&scope))?;
    python_int(&value).ok_or_else(|| {
        let message = format!(
            "DefaultErrorHandler.max_retries did not evaluate to an integer (got {})",
            python_repr(&value)
        );
        BuildError::in_span(text.span, message)
    })
}

/// See the module documentation.
pub(super) struct DefaultErrorHandler {
    filters: Vec<HttpResponseFilter>,
    backoff_strategies: Vec<Arc<dyn BackoffStrategy>>,
    max_retries: i64,
}

impl RetryPolicy for DefaultErrorHandler {
    fn interpret(&self, outcome: Outcome<'_>) -> Result<Resolution, SendError> {
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return Ok(default_mapping::of_error(error)),
        };
        for filter in &self.filters {
            if let Some(resolution) = filter.resolve(response)? {
                return Ok(resolution);
            }
        }
        if response.is_ok() {
            return Ok(Resolution { action: Action::Success, failure_type: None, message: None });
        }
        Ok(default_mapping::of_response(response))
    }

    fn reads_bodies(&self) -> bool {
        self.filters.iter().any(HttpResponseFilter::reads_bodies)
    }

    fn backoff(&self, attempt: u32, outcome: Outcome<'_>) -> Result<Option<f64>, SendError> {
        Ok(first_backoff(&self.backoff_strategies, attempt, outcome)?)
    }

    fn max_retries(&self) -> i64 {
        self.max_retries
    }

    fn max_time(&self) -> Duration {
        MAX_TIME
    }
}

impl ErrorHandler for DefaultErrorHandler {
    fn backoff_strategies(&self) -> &[Arc<dyn BackoffStrategy>] {
        &self.backoff_strategies
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::http::{Body, Headers, Method, Request, Response};
    use crate::value::Json;

    /// What a response means: action, failure type, and message.
    fn resolve(handler: &Json, status: u16, body: &'static str) -> Result<String, SendError> {
        let world = World::new(&json!({"m": "cfg"}));
        let handler = world.build::<dyn ErrorHandler>(handler).unwrap();
        let request = Request::new(Method::GET, "http://u:p@h/a?k=1").prepare().unwrap();
        let headers = Headers::from_iter([("X-A", "1")]);
        let body = Body::Whole(body.into());
        let response = Response::new(status, headers, Arc::new(request), body);
        let Resolution { action, failure_type, message } = handler.interpret(Ok(&response))?;
        let failure_type = failure_type.map_or("-", |failure_type| failure_type.as_str());
        Ok(format!("{} {failure_type} {}", action.as_str(), message.as_deref().unwrap_or("-")))
    }

    #[track_caller]
    fn check(filter: &Json, status: u16, body: &'static str, expect: &str) {
        let filters = if filter.is_null() { json!([]) } else { json!([filter]) };
        let handler = json!({"type": "DefaultErrorHandler", "response_filters": filters});
        assert_eq!(resolve(&handler, status, body).unwrap(), expect);
    }

    fn filter(action: &str, condition: &str, value: &Json) -> Json {
        json!({"type": "HttpResponseFilter", "action": action, condition: value})
    }

    const NOT_FOUND: &str = "FAIL system_error HTTP Status Code: 404. Error: Not found. The \
                             requested resource was not found on the server.";

    #[test]
    fn without_filters_the_status_decides() {
        check(&Json::Null, 200, "{}", "SUCCESS - -");
        check(&Json::Null, 600, "", "SUCCESS - -");
        check(&Json::Null, 404, "{}", NOT_FOUND);
        check(
            &Json::Null,
            418,
            "tea",
            "RETRY system_error Response was not ok: `418 Client Error: I'm a teapot for url: \
             http://u:p@h/a?k=1`. Response content is: tea",
        );
    }

    #[test]
    fn a_filter_matches_a_status_a_predicate_or_a_message() {
        let forbidden = "IGNORE config_error HTTP Status Code: 403. Error: Forbidden. You don't \
                         have permission to access this resource.";
        check(&filter("IGNORE", "http_codes", &json!([403])), 403, "{}", forbidden);
        let predicate = |text: &str| filter("RETRY", "predicate", &json!(text));
        check(
            &predicate("{{ response.code == 5 }}"),
            200,
            r#"{"code": 5}"#,
            "RETRY system_error -",
        );
        let message = filter("IGNORE", "error_message_contains", &json!("boom"));
        let ignored = "IGNORE transient_error HTTP Status Code: 500. Error: Internal server error.";
        check(&message, 500, r#"{"errors": [{"message": "a boom b"}]}"#, ignored);
        check(&message, 500, "boom text", ignored);
        check(&message, 200, r#"{"errors": []}"#, "SUCCESS - -");
    }

    #[test]
    fn predicates_have_the_odd_sides_of_the_reference() {
        let predicate = |text: &str| filter("RETRY", "predicate", &json!(text));
        check(&predicate("{{ config.m == 'cfg' }}"), 200, "{}", "SUCCESS - -");
        check(&predicate("{{ response > 3 }}"), 200, "{}", "RETRY system_error -");
        check(&predicate("{{ response.a.b }}"), 200, "no JSON", "SUCCESS - -");
    }

    #[test]
    fn messages_are_templates() {
        let told = json!({
            "type": "HttpResponseFilter", "action": "FAIL", "http_codes": [403],
            "failure_type": "transient_error",
            "error_message": "{{ response.why }} {{ headers['x-a'] }} {{ request_url }} {{ config.m }}",
        });
        check(&told, 403, r#"{"why": "w"}"#, "FAIL transient_error w 1 http://h/a cfg");
        let silent = json!({
            "type": "HttpResponseFilter", "action": "RETRY", "http_codes": [409],
            "failure_type": "config_error", "error_message": "{{ response.missing }}",
        });
        check(&silent, 409, "[]", "RETRY system_error -");
        let broken = json!({"type": "DefaultErrorHandler", "response_filters": [{
            "type": "HttpResponseFilter", "action": "FAIL", "http_codes": [404],
            "error_message": "{{ response.a.b }}",
        }]});
        let expect = SendError::unexpected("UndefinedError", "'dict object' has no attribute 'a'");
        assert_eq!(resolve(&broken, 404, "{}"), Err(expect));
    }

    #[test]
    fn a_filter_without_action_decides_nothing() {
        check(&json!({"type": "HttpResponseFilter", "http_codes": [404]}), 404, "{}", NOT_FOUND);
    }

    /// Two handlers, each with a filter of this action and status.
    #[track_caller]
    fn check_composite(filters: [(&str, u16); 2], status: u16, expect: &str) {
        let handlers = filters.map(|(action, code)| {
            let filter = filter(action, "http_codes", &json!([code]));
            json!({"type": "DefaultErrorHandler", "response_filters": [filter]})
        });
        let handler = json!({"type": "CompositeErrorHandler", "error_handlers": handlers});
        let resolved = resolve(&handler, status, "{}").unwrap();
        assert_eq!(resolved.split(' ').next(), Some(expect));
    }

    #[test]
    fn of_several_handlers_the_first_that_does_not_fail_decides() {
        check_composite([("FAIL", 404), ("IGNORE", 404)], 404, "IGNORE");
        check_composite([("IGNORE", 404), ("RETRY", 404)], 404, "IGNORE");
        check_composite([("RATE_LIMITED", 403), ("FAIL", 404)], 403, "FAIL");
        check_composite([("FAIL", 403), ("RATE_LIMITED", 403)], 403, "RATE_LIMITED");
    }

    #[test]
    fn retries_may_depend_on_the_config() {
        let retries = |written: &Json| {
            let handler = json!({"type": "DefaultErrorHandler", "max_retries": written});
            let handler = World::new(&json!({"n": "3"})).build::<dyn ErrorHandler>(&handler);
            handler.map(|handler| handler.max_retries()).map_err(|err| err.message)
        };
        assert_eq!(retries(&json!(0)), Ok(0));
        assert_eq!(retries(&json!("{{ config.n }}")), Ok(3));
        assert_eq!(retries(&json!("{{ config.missing }}")), Ok(5));
        let message = "DefaultErrorHandler.max_retries did not evaluate to an integer (got 'many')";
        assert_eq!(retries(&json!("many")), Err(message.to_owned()));
    }
}
