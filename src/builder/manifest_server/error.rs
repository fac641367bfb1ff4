//! What is answered instead of an answer, in the forms of the original's framework.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Why a request is not answered as it would like.
#[derive(Debug)]
pub(super) enum ApiError {
    /// What was asked for cannot be done; secrets are masked.
    Failed(String),
    /// The body is not what it has to be: all that is wrong with it.
    Invalid(Vec<Fault>),
    /// There is no token, or none that is good.
    Unauthorized(&'static str),
}

/// Something that is wrong with a body.
#[derive(Debug, PartialEq)]
pub(super) struct Fault {
    /// A word for programs.
    pub(super) kind: &'static str,
    /// Keys and indexes from the body's root to it.
    pub(super) place: Vec<Value>,
    /// A sentence for people.
    pub(super) message: String,
    /// What is there instead.
    pub(super) input: Value,
    /// What the sentence is made of.
    pub(super) context: Option<Value>,
}

impl Fault {
    fn to_json(&self) -> Value {
        let place = std::iter::once(json!("body")).chain(self.place.iter().cloned());
        let mut fault = json!({
            "type": self.kind,
            "loc": place.collect::<Value>(),
            "msg": self.message,
            "input": self.input,
        });
        if let Some(context) = &self.context {
            fault["ctx"] = context.clone();
        }
        fault
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let detail = |status, detail: Value| (status, Json(json!({"detail": detail})));
        match self {
            Self::Failed(text) => detail(StatusCode::BAD_REQUEST, text.into()).into_response(),
            Self::Invalid(faults) => {
                let faults = faults.iter().map(Fault::to_json).collect();
                detail(StatusCode::UNPROCESSABLE_ENTITY, faults).into_response()
            }
            Self::Unauthorized(text) => {
                let answer = detail(StatusCode::UNAUTHORIZED, text.into());
                ([(WWW_AUTHENTICATE, "Bearer")], answer).into_response()
            }
        }
    }
}
