//! What templates see of a response.

use std::sync::LazyLock;

use crate::http::{Headers, Response};
use crate::template::{Scope, Template, Variable};
use crate::value::{Json, Map};

/// The variables `response`, `headers`, and `request_url`, as far as a template reads them: most
/// read the body of none but errors, which is then not parsed.
#[derive(Debug)]
pub struct ResponseVariables<'a> {
    body: Option<&'a Json>,
    headers: Option<Map>,
    url: String,
}

impl<'a> ResponseVariables<'a> {
    /// What `template` reads of `response`; without a template, everything.
    pub fn new(response: &'a Response, template: Option<&Template>) -> Self {
        /// What a body counts as that is not JSON.
        static NO_JSON: LazyLock<Json> = LazyLock::new(|| Json::Object(Map::new()));
        let reads = |name: &str| {
            template.is_none_or(|template| template.variables().iter().any(|read| read == name))
        };
        Self {
            body: reads("response").then(|| response.json().unwrap_or(&NO_JSON)),
            headers: reads("headers").then(|| headers(&response.headers)),
            url: response.request.place(),
        }
    }

    /// The scope with these variables.
    pub fn add_to<'s>(&'s self, scope: Scope<'s>) -> Scope<'s> {
        let headers = self.headers.as_ref().map_or(Variable::None, Variable::Headers);
        scope.with("response", self.body).with("headers", headers).with("request_url", &self.url)
    }
}

fn headers(headers: &Headers) -> Map {
    headers.iter().map(|(name, value)| (name.to_owned(), Json::from(value))).collect()
}
