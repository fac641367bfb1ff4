//! `HttpResponseFilter`: what some responses mean.

use super::default_mapping;
use crate::components::shape::{DistinctInts, Text, choice, shape};
use crate::components::{BuildContext, ReadError, ResponseVariables, Surroundings};
use crate::http::{self, Resolution, Response, error_message};
use crate::protocol::FailureType;
use crate::template::{InterpolatedBoolean, InterpolatedString, Scope, Variable};

choice! {
    /// What is done about a response.
    pub enum Action {
        /// Its records are read.
        Success = "SUCCESS",
        /// The stream fails.
        Fail = "FAIL",
        /// The request is sent again.
        Retry = "RETRY",
        /// Its records are read if its status is no error; there are none otherwise.
        Ignore = "IGNORE",
        /// The slice is read again from its first page.
        ResetPagination = "RESET_PAGINATION",
        /// The request is sent again, after waits that the server's limits may need.
        RateLimited = "RATE_LIMITED",
        /// The request is sent again with a new access token.
        RefreshTokenThenRetry = "REFRESH_TOKEN_THEN_RETRY",
        /// The same page is requested with fewer records.
        ReducePageSize = "REDUCE_PAGE_SIZE",
        /// The window of the slice is split and read in parts.
        SplitRequestWindow = "SPLIT_REQUEST_WINDOW",
    }
}

choice! {
    /// Who can mend a failure.
    pub enum Failure {
        /// Who maintains the source.
        System = "system_error",
        /// The user.
        Config = "config_error",
        /// Time.
        Transient = "transient_error",
    }
}

/// The YAML shape.
pub mod yaml {
    use super::{Action, DistinctInts, Failure, Text, shape};

    shape! {
        /// Says what responses mean that have a status, satisfy a predicate, or hold an error
        /// message: any one is enough.
        pub struct HttpResponseFilter {
            /// What is done about such a response.
            action: Option<Action>,
            /// Who can mend it, when the action is `FAIL`.
            failure_type: Option<Failure>,
            /// What the user is told.
            error_message: Option<Text>,
            /// A part of the error message of such responses.
            error_message_contains: Option<Text>,
            /// Statuses of such responses.
            http_codes: Option<DistinctInts>,
            /// A condition on `response`, `headers`, and `request_url`; it does not see the config.
            predicate: Option<Text>,
        }
    }
}

impl From<Action> for http::Action {
    fn from(action: Action) -> Self {
        match action {
            Action::Success => Self::Success,
            Action::Fail => Self::Fail,
            Action::Retry => Self::Retry,
            Action::Ignore => Self::Ignore,
            Action::ResetPagination => Self::ResetPagination,
            Action::RateLimited => Self::RateLimited,
            Action::RefreshTokenThenRetry => Self::RefreshTokenThenRetry,
            Action::ReducePageSize => Self::ReducePageSize,
            Action::SplitRequestWindow => Self::SplitRequestWindow,
        }
    }
}

impl From<Failure> for FailureType {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::System => Self::SystemError,
            Failure::Config => Self::ConfigError,
            Failure::Transient => Self::TransientError,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct HttpResponseFilter {
    action: Option<http::Action>,
    failure_type: Option<FailureType>,
    statuses: Vec<i64>,
    predicate: Option<InterpolatedBoolean>,
    message_part: Option<String>,
    message: Option<InterpolatedString>,
    surroundings: Surroundings,
}

impl HttpResponseFilter {
    pub(super) fn build(shape: &yaml::HttpResponseFilter, cx: &BuildContext<'_>) -> Self {
        let written = |text: &Option<Text>| text.clone().filter(|text| !text.is_empty());
        Self {
            action: shape.action.map(Into::into),
            failure_type: shape.failure_type.map(Into::into),
            statuses: shape.http_codes.as_deref().unwrap_or_default().to_vec(),
            predicate: written(&shape.predicate)
                .map(|text| InterpolatedBoolean::new(&text, shape.parameters.clone())),
            message_part: written(&shape.error_message_contains).map(|text| text.source),
            message: written(&shape.error_message)
                .map(|text| InterpolatedString::new(&text, shape.parameters.clone())),
            surroundings: cx.surroundings(),
        }
    }

    /// Whether it looks into bodies, also into those of responses that are no errors.
    pub(super) fn reads_bodies(&self) -> bool {
        self.predicate.is_some() || self.message_part.is_some()
    }

    /// What the response means, if the filter knows.
    pub(super) fn resolve(&self, response: &Response) -> Result<Option<Resolution>, ReadError> {
        if !self.matches(response)? {
            return Ok(None);
        }
        let Some(action) = self.action else { return Ok(None) };
        let known = default_mapping::of_status(response.status);
        let failure_type = match (self.failure_type, &known) {
            (Some(failure_type), _) if action == http::Action::Fail => Some(failure_type),
            (_, Some(known)) => known.failure_type,
            (_, None) => Some(FailureType::SystemError),
        };
        let message = self.message(response)?.or_else(|| known?.message);
        Ok(Some(Resolution { action, failure_type, message }))
    }

    fn matches(&self, response: &Response) -> Result<bool, ReadError> {
        if self.statuses.contains(&i64::from(response.status)) {
            return Ok(true);
        }
        if let Some(predicate) = &self.predicate {
            let variables = ResponseVariables::new(response, predicate.template());
            // The reference does not give the config to predicates.
            let scope = Scope::new(self.surroundings.run()).with("config", Variable::None);
            if predicate.eval(&variables.add_to(scope))? {
                return Ok(true);
            }
        }
        let Some(part) = &self.message_part else { return Ok(false) };
        Ok(error_message(response).is_some_and(|message| message.contains(part)))
    }

    fn message(&self, response: &Response) -> Result<Option<String>, ReadError> {
        let Some(template) = &self.message else { return Ok(None) };
        let variables = ResponseVariables::new(response, Some(template.template()));
        let config = self.surroundings.config().snapshot();
        let scope = variables.add_to(self.surroundings.scope(&config));
        let message = template.eval_string(&scope)?;
        Ok(Some(message).filter(|message| !message.is_empty()))
    }
}
