//! Backoff strategies: how long to wait before a request is sent again.
//!
//! - [`constant`]: `ConstantBackoffStrategy`, always the same time;
//! - [`exponential`]: `ExponentialBackoffStrategy`, twice as long each time;
//! - [`wait_time_from_header`]: `WaitTimeFromHeader`, as long as a header says;
//! - [`wait_until_time_from_header`]: `WaitUntilTimeFromHeader`, until the time that a header says;
//! - [`wait_time_from_response`]: `WaitTimeFromResponse`, as long as a template finds in the body.

pub mod constant;
pub mod exponential;
mod header;
mod max_wait;
pub mod wait_time_from_header;
pub mod wait_time_from_response;
pub mod wait_until_time_from_header;

use super::slot::Member;
use crate::run::RunContext;

/// The family's members.
pub(super) const MEMBERS: &[Member] = &[
    Member::of::<constant::yaml::ConstantBackoffStrategy>(),
    Member::of::<exponential::yaml::ExponentialBackoffStrategy>(),
    Member::of::<wait_time_from_header::yaml::WaitTimeFromHeader>(),
    Member::of::<wait_time_from_response::yaml::WaitTimeFromResponse>(),
    Member::of::<wait_until_time_from_header::yaml::WaitUntilTimeFromHeader>(),
];

/// A wait that is drawn from `seconds` to twice the range above, if there is a range.
fn jitter(seconds: f64, range: Option<f64>, run: &RunContext) -> f64 {
    match range {
        Some(range) => seconds + 2.0 * range * run.random_fraction(),
        None => seconds,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::components::testing::World;
    use crate::components::{BackoffStrategy, ReadError};
    use crate::http::{Body, Headers, Method, Request, Response};

    /// The wait after the second attempt, with this header in the response.
    fn wait(strategy: &Value, header: &str) -> Result<Option<f64>, ReadError> {
        let world = World::new(&json!({"wait": "7"}));
        let strategy = world.build::<dyn BackoffStrategy>(strategy).unwrap();
        let request = Request::new(Method::GET, "http://h/").prepare().unwrap();
        let headers = Headers::from_iter([("Retry-After", header)]);
        let body = Body::Whole(r#"{"error": {"wait": 3, "text": "x"}}"#.into());
        let response = Response::new(429, headers, request.into(), body);
        strategy.backoff(2, Some(&response))
    }

    #[track_caller]
    fn check(strategy: &Value, header: &str, expect: Option<f64>) {
        assert_eq!(wait(strategy, header).unwrap(), expect);
    }

    #[test]
    fn a_constant_wait_may_vary_a_little() {
        let constant = |seconds: Value, range: Value| {
            json!({"type": "ConstantBackoffStrategy", "backoff_time_in_seconds": seconds,
                   "jitter_range_in_seconds": range})
        };
        let mut plain = constant(json!(2.5), json!(1));
        plain.as_object_mut().unwrap().shift_remove("jitter_range_in_seconds");
        check(&plain, "", Some(2.5));
        let varied = wait(&constant(json!("{{ config.wait }}"), json!(1)), "").unwrap().unwrap();
        assert!((7.0..9.0).contains(&varied) && varied > 7.0);
    }

    #[test]
    fn an_exponential_wait_doubles() {
        check(&json!({"type": "ExponentialBackoffStrategy"}), "", Some(20.0));
        check(&json!({"type": "ExponentialBackoffStrategy", "factor": 0}), "", Some(20.0));
        check(&json!({"type": "ExponentialBackoffStrategy", "factor": "0.5"}), "", Some(2.0));
    }

    #[test]
    fn a_header_says_how_long() {
        let mut strategy = json!({"type": "WaitTimeFromHeader", "header": "retry-after"});
        check(&strategy, "1.5", Some(1.5));
        check(&strategy, "soon", None);
        check(&strategy, "", None);
        strategy["regex"] = json!("\\d+");
        check(&strategy, "12 seconds", Some(12.0));
        check(&strategy, "in 12 seconds", None);
        strategy["max_waiting_time_in_seconds"] = json!("{{ config.wait }}");
        check(&strategy, "6", Some(6.0));
        check(&strategy, "0", Some(0.0));
        let Err(ReadError::Traced(error)) = wait(&strategy, "7") else { panic!() };
        let internal = "Rate limit wait time 7.0s is greater than or equal to the maximum of 7.0s \
                        this stream is allowed to wait. Stopping the stream...";
        assert_eq!(error.internal_message.as_deref(), Some(internal));
    }

    #[test]
    fn a_header_says_until_when() {
        // The clock of the tests stands at 1714979289.
        let mut strategy = json!({"type": "WaitUntilTimeFromHeader", "header": "Retry-After"});
        check(&strategy, "1714979299.5", Some(10.5));
        check(&strategy, "1714979288", None);
        check(&strategy, "", None);
        strategy["min_wait"] = json!(20);
        check(&strategy, "1714979299", Some(20.0));
        check(&strategy, "", Some(20.0));
        strategy["max_waiting_time_in_seconds"] = json!(20);
        assert!(wait(&strategy, "").is_err());
    }

    #[test]
    fn the_body_says_how_long() {
        let strategy =
            |text: &str| json!({"type": "WaitTimeFromResponse", "wait_time_in_seconds": text});
        check(&strategy("{{ response.error.wait * 2 }}"), "", Some(6.0));
        check(&strategy("{{ headers['retry-after'] }}"), "4", Some(4.0));
        check(&strategy("{{ response.error.text + 1 }}"), "", None);
        check(&strategy("{{ response.error.text }}"), "", None);
        check(&strategy("{{ response.nothing.there }}"), "", None);
        check(&strategy("{{ -1 }}"), "", None);
    }

    #[test]
    fn faults_of_the_manifest_show_at_once() {
        let build = |strategy: &Value| {
            World::new(&json!({})).build::<dyn BackoffStrategy>(strategy).is_ok()
        };
        assert!(!build(
            &json!({"type": "WaitTimeFromResponse", "wait_time_in_seconds": "{{ x }}"})
        ));
        assert!(!build(&json!({"type": "WaitTimeFromHeader", "header": "h",
                               "max_waiting_time_in_seconds": "{{ config.wait }}"})));
        // The reference compiles a pattern when it needs it.
        let late = json!({"type": "WaitTimeFromHeader", "header": "h", "regex": "("});
        assert!(build(&late));
        assert!(wait(&late, "5").is_err());
    }
}
