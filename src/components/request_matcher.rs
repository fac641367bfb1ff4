//! `HttpRequestRegexMatcher`: which requests a limit is for.

use std::sync::Arc;

use crate::http::{PreparedRequest, parse_query};
use crate::template::InterpolatedString;
use crate::template::regex::Pattern;
use crate::value::{Map, python_int, python_str};

use super::build::BuildContext;
use super::error::BuildError;
use super::shape::{IntOrTemplate, Text, shape};

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, Map, Text, shape};

    shape! {
        /// Requests that have all that is written here.
        pub struct HttpRequestRegexMatcher: untyped {
            /// The method.
            method: Option<Text>,
            /// Scheme and host.
            url_base: Option<Text>,
            /// A pattern found in the path.
            url_path_pattern: Option<Text>,
            /// Parameters of the query, with others or without.
            params: Option<Map>,
            /// Headers, with others or without.
            headers: Option<Map>,
            /// As how many requests one of them counts.
            weight: Option<IntOrTemplate>,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct RequestMatcher {
    method: Option<String>,
    url_base: Option<String>,
    path: Option<Pattern>,
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    weight: u32,
}

impl RequestMatcher {
    /// Compiles the pattern, and evaluates the weight.
    pub fn build(
        shape: &yaml::HttpRequestRegexMatcher,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let written = |text: &Option<Text>| text.clone().filter(|text| !text.is_empty());
        let pairs = |map: &Option<Map>| {
            let pairs = map.iter().flatten();
            pairs.map(|(key, value)| (key.clone(), python_str(value).into_owned())).collect()
        };
        let path = written(&shape.url_path_pattern).map(|pattern| Pattern::new(&pattern));
        Ok(Self {
            method: written(&shape.method).map(|method| method.to_uppercase()),
            url_base: written(&shape.url_base).map(|url| url.trim_end_matches('/').to_owned()),
            path: path.transpose()?,
            params: pairs(&shape.params),
            headers: pairs(&shape.headers),
            weight: shape
                .weight
                .as_ref()
                .map_or(Ok(1), |weight| build_weight(weight, shape, cx))?,
        })
    }

    /// As how many requests one of these counts.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Whether the request is one of them.
    pub fn matches(&self, request: &PreparedRequest) -> bool {
        let url = request.url.split_once('#').map_or(&*request.url, |(url, _)| url);
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let host_start = place.find("://").map_or(0, |idx| idx + 3);
        let path_start = place[host_start..].find('/').map_or(place.len(), |idx| host_start + idx);
        let (base, path) = place.split_at(path_start);
        let is_given = |params: &[(String, String)]| {
            params.iter().all(|(key, value)| {
                // Of several values the last counts.
                let given = parse_query(query).filter(|(given, _)| given == key).last();
                given.is_some_and(|(_, given)| given == *value)
            })
        };
        self.method.as_ref().is_none_or(|method| method == request.method.as_str())
            && self.url_base.as_ref().is_none_or(|url_base| url_base == base)
            && self
                .path
                .as_ref()
                .is_none_or(|pattern| pattern.is_found(path.trim_end_matches('/')).unwrap_or(false))
            && is_given(&self.params)
            && self.headers.iter().all(|(name, value)| request.headers.get(name) == Some(value))
    }
}

fn build_weight(
    weight: &IntOrTemplate,
    shape: &yaml::HttpRequestRegexMatcher,
    cx: &BuildContext<'_>,
) -> Result<u32, BuildError> {
    let weight = match weight {
        IntOrTemplate::Int(weight) => *weight,
        IntOrTemplate::Template(text) => {
            let template = InterpolatedString::new(text, Arc::default());
            let weight = cx.surroundings().eval(|scope| template.eval_json(&scope))?;
            python_int(&weight)
                .ok_or_else(|| BuildError::in_span(text.span, "the weight is not an integer"))?
        }
    };
    u32::try_from(weight).ok().filter(|weight| *weight > 0).ok_or_else(|| {
        BuildError::in_span(shape.span, format!("weight must be >= 1, got {weight}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::http::{Method, Request};
    use crate::value::Json;

    fn build(written: &Json) -> Result<RequestMatcher, String> {
        let world = World::new(&json!({"w": "3"}));
        let shape = world.read::<yaml::HttpRequestRegexMatcher>(written);
        RequestMatcher::build(&shape, &world.cx()).map_err(|err| err.message)
    }

    #[track_caller]
    fn check(written: &Json, expect: bool) {
        let url = "https://api.x.y/v1/users/?page=2&page=3&all=a+b#top";
        let mut request = Request::new(Method::POST, url);
        request.headers.push(("X-Version".to_owned(), "7".to_owned()));
        let matcher = build(written).unwrap();
        assert_eq!(matcher.matches(&request.prepare().unwrap()), expect);
    }

    #[test]
    fn a_request_has_all_that_is_written() {
        check(&json!({}), true);
        check(&json!({"method": "post", "url_base": "https://api.x.y/"}), true);
        check(&json!({"method": "GET"}), false);
        check(&json!({"url_base": "https://x.y"}), false);
        check(&json!({"url_path_pattern": "^/v\\d/users$"}), true);
        check(&json!({"url_path_pattern": "page"}), false);
        check(&json!({"params": {"page": 3, "all": "a b"}}), true);
        check(&json!({"params": {"page": 2}}), false);
        check(&json!({"headers": {"x-version": 7}}), true);
        check(&json!({"headers": {"x-version": 7, "other": 1}}), false);
    }

    #[test]
    fn a_weight_counts_at_least_once() {
        let weight = |weight: Json| build(&json!({"weight": weight})).map(|it| it.weight());
        assert_eq!(build(&json!({})).unwrap().weight(), 1);
        assert_eq!(weight(json!(2)), Ok(2));
        assert_eq!(weight(json!("{{ config.w }}")), Ok(3));
        assert_eq!(weight(json!(0)), Err("weight must be >= 1, got 0".to_owned()));
    }
}
