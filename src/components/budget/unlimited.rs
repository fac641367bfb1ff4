//! `UnlimitedCallRatePolicy`: requests that the API does not count.

use std::time::Duration;

use super::{Moment, Window};
use crate::components::request_matcher::yaml::HttpRequestRegexMatcher;
use crate::components::shape::shape;

/// The YAML shape.
pub mod yaml {
    use super::{HttpRequestRegexMatcher, shape};

    shape! {
        /// Lets all requests pass; stands before policies that would count them.
        pub struct UnlimitedCallRatePolicy {
            /// The requests it is for; all when there are none.
            matchers: Vec<HttpRequestRegexMatcher>,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Unlimited;

impl Window for Unlimited {
    fn limit(&self) -> u32 {
        u32::MAX
    }

    fn try_acquire(&self, _: u32, _: Moment) -> Result<(), Duration> {
        Ok(())
    }

    fn update(&self, _: Option<i64>, _: Option<Moment>, _: Moment) {}
}
