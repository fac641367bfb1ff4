//! `HTTPAPIBudget`: the policies that requests are counted by.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};

use super::Window;
use super::clock::BudgetClock;
use super::fixed_window::FixedWindow;
use super::unlimited::Unlimited;
use super::{fixed_window, moving_window, unlimited};
use crate::components::request_matcher::RequestMatcher;
use crate::components::shape::{Text, one_of, shape};
use crate::components::{BuildContext, BuildError, Component};
use crate::http::{Permit, PreparedRequest, Response};

one_of! {
    /// How requests of one kind are counted.
    pub enum CallRatePolicy {
        /// In windows that follow one another.
        FixedWindow(fixed_window::yaml::FixedWindowCallRatePolicy),
        /// In windows that end now.
        MovingWindow(moving_window::yaml::MovingWindowCallRatePolicy),
        /// Not at all.
        Unlimited(unlimited::yaml::UnlimitedCallRatePolicy),
    }
}

/// The YAML shape.
pub mod yaml {
    use super::{CallRatePolicy, Text, shape};

    shape! {
        /// Delays requests, so that the API does not have to refuse them.
        pub struct HTTPAPIBudget {
            /// How requests are counted: the first policy that is for a request counts it.
            policies: Vec<CallRatePolicy>,
            /// The response header with the time of the next reset, in seconds since 1970.
            ratelimit_reset_header: Text = Text::new("ratelimit-reset"),
            /// The response header with the number of requests that are left.
            ratelimit_remaining_header: Text = Text::new("ratelimit-remaining"),
            /// Statuses that mean that no requests are left.
            status_codes_for_ratelimit_hit: Vec<i64> = vec![429],
        }
    }
}

impl Component for yaml::HTTPAPIBudget {
    type Family = dyn Permit;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Permit>, BuildError> {
        let clock = BudgetClock::new(&cx.environment.run);
        let policies = self.policies.iter().map(|policy| Policy::build(policy, &clock, cx));
        Ok(Arc::new(HttpApiBudget {
            policies: policies.collect::<Result<_, _>>()?,
            reset_header: self.ratelimit_reset_header.source,
            remaining_header: self.ratelimit_remaining_header.source,
            exhausted_statuses: self.status_codes_for_ratelimit_hit,
            clock,
        }))
    }
}

/// See the module documentation.
struct HttpApiBudget {
    policies: Vec<Policy>,
    reset_header: String,
    remaining_header: String,
    exhausted_statuses: Vec<i64>,
    clock: BudgetClock,
}

/// How some requests are counted.
struct Policy {
    matchers: Vec<RequestMatcher>,
    window: Box<dyn Window>,
}

impl Policy {
    fn build(
        shape: &CallRatePolicy,
        clock: &BudgetClock,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let (matchers, window): (_, Box<dyn Window>) = match shape {
            CallRatePolicy::FixedWindow(shape) => {
                (&shape.matchers, Box::new(FixedWindow::build(shape, clock.now())?))
            }
            CallRatePolicy::MovingWindow(shape) => {
                (&shape.matchers, moving_window::build(shape, clock, cx)?)
            }
            CallRatePolicy::Unlimited(shape) => (&shape.matchers, Box::new(Unlimited)),
        };
        let matchers = matchers
            .iter()
            .map(|matcher| RequestMatcher::build(matcher, cx))
            .collect::<Result<Vec<_>, _>>()?;
        let heaviest = matchers.iter().map(RequestMatcher::weight).max().unwrap_or(1);
        if heaviest > window.limit() {
            // The reference says so when the first such request is about to be sent.
            return Err(BuildError::new("Weight can not exceed the call limit"));
        }
        Ok(Self { matchers, window })
    }

    /// How much the request counts; `None` when the policy is not for it.
    fn weight(&self, request: &PreparedRequest) -> Option<u32> {
        if self.matchers.is_empty() {
            return Some(1);
        }
        self.matchers.iter().find(|it| it.matches(request)).map(RequestMatcher::weight)
    }
}

impl HttpApiBudget {
    fn policy(&self, request: &PreparedRequest) -> Option<(&Policy, u32)> {
        self.policies.iter().find_map(|policy| Some((policy, policy.weight(request)?)))
    }
}

impl Permit for HttpApiBudget {
    fn acquire<'a>(&'a self, request: &'a PreparedRequest) -> BoxFuture<'a, ()> {
        async {
            let Some((policy, weight)) = self.policy(request) else { return };
            let mut waiting = self.clock.waiting();
            while let Err(wait) = policy.window.try_acquire(weight, self.clock.now()) {
                self.clock.wait(&mut waiting, wait).await;
            }
        }
        .boxed()
    }

    fn observe(&self, request: &PreparedRequest, response: &Response) {
        let Some((policy, _)) = self.policy(request) else { return };
        let header = |name: &str| response.headers.get(name)?.trim().parse::<i64>().ok();
        let is_exhausted = self.exhausted_statuses.contains(&i64::from(response.status));
        let left = header(&self.remaining_header).or(is_exhausted.then_some(0));
        let reset = header(&self.reset_header).map(|seconds| self.clock.moment_of(seconds));
        policy.window.update(left, reset, self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::http::{Body, Headers, Method, Request};
    use crate::value::Json;

    fn build(policies: &Json) -> Result<Arc<dyn Permit>, BuildError> {
        let written = json!({"type": "HTTPAPIBudget", "policies": policies});
        World::new(&json!({"limit": "2"})).build::<dyn Permit>(&written)
    }

    fn request(path: &str) -> PreparedRequest {
        Request::new(Method::GET, format!("http://h{path}")).prepare().unwrap()
    }

    /// Whether requests may be sent without a wait; waits of tests take no time.
    #[track_caller]
    fn check(policies: &Json, paths: &[&str], expect: &[bool]) {
        let shape: yaml::HTTPAPIBudget = {
            let written = json!({"type": "HTTPAPIBudget", "policies": policies});
            World::new(&json!({"limit": "2"})).read(&written)
        };
        let world = World::new(&json!({"limit": "2"}));
        let clock = BudgetClock::new(&world.cx().environment.run);
        let policies: Vec<_> = shape
            .policies
            .iter()
            .map(|policy| Policy::build(policy, &clock, &world.cx()).unwrap())
            .collect();
        let is_free = |path: &&str| {
            let request = request(path);
            let matching =
                policies.iter().find_map(|policy| Some((policy, policy.weight(&request)?)));
            matching.is_none_or(|(policy, weight)| {
                policy.window.try_acquire(weight, clock.now()).is_ok()
            })
        };
        assert_eq!(paths.iter().map(is_free).collect::<Vec<_>>(), expect);
    }

    fn moving(limit: &Json, pattern: &str) -> Json {
        json!({
            "type": "MovingWindowCallRatePolicy",
            "rates": [{"limit": limit, "interval": "PT1H"}],
            "matchers": [{"url_path_pattern": pattern, "weight": 1}],
        })
    }

    #[test]
    fn the_first_policy_for_a_request_counts_it() {
        let policies = json!([
            moving(&json!(1), "^/a"),
            moving(&json!("{{ config.limit }}"), "/b"),
            {"type": "UnlimitedCallRatePolicy", "matchers": [{"url_path_pattern": "/free"}]},
            {"type": "FixedWindowCallRatePolicy", "period": "P1D", "call_limit": 1, "matchers": []},
        ]);
        check(
            &policies,
            &["/a/b", "/b", "/b", "/b", "/a", "/free", "/free", "/other", "/more"],
            &[true, true, true, false, false, true, true, true, false],
        );
    }

    #[test]
    fn a_request_waits_until_it_may_be_sent() {
        let budget = build(&json!([moving(&json!(1), "")])).unwrap();
        let request = request("/");
        let passes = || budget.acquire(&request).now_or_never().is_some();
        assert!(passes() && passes());
        let body = Body::Whole("".into());
        let response = Response::new(429, Headers::default(), Arc::new(request.clone()), body);
        budget.observe(&request, &response);
        assert!(passes());
    }

    #[test]
    fn what_can_never_pass_is_refused() {
        let mut policy = moving(&json!(1), "");
        policy["matchers"][0]["weight"] = json!(2);
        assert!(build(&json!([policy])).is_err());
        let policy = json!({"type": "MovingWindowCallRatePolicy", "rates": [], "matchers": []});
        assert!(build(&json!([policy])).is_err());
    }
}
