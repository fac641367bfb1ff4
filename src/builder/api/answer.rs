//! How the API answers: JSON, and errors in one form.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::builder::edit::EditError;
use crate::value::{Json, Map};
use crate::workspace::WorkspaceError;

/// What a handler gives.
pub(super) type Answer<T> = Result<T, Failure>;

/// An error as the pages are told it.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    help: Option<&'static str>,
    /// What is told besides.
    extra: Box<Map>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), help: None, extra: Box::default() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid", message)
    }

    pub(super) fn help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    pub(super) fn with(mut self, name: &str, value: Json) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(help) = self.help {
            error["help"] = help.into();
        }
        let mut body = Map::from_iter([("error".to_owned(), error)]);
        body.extend(*self.extra);
        (self.status, axum::Json(body)).into_response()
    }
}

impl From<WorkspaceError> for Failure {
    fn from(error: WorkspaceError) -> Self {
        use WorkspaceError as E;
        let (status, code) = match error {
            E::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            E::WorkspaceName(_) | E::ProjectName => (StatusCode::BAD_REQUEST, "invalid"),
            E::Outdated { .. } => (StatusCode::CONFLICT, "outdated"),
            E::NoStep(_) => (StatusCode::CONFLICT, "no_step"),
            E::IsPublished => (StatusCode::CONFLICT, "published"),
            E::Unpublished(_) | E::Ambiguous { .. } => (StatusCode::CONFLICT, "unclear"),
            E::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            E::Damaged { .. }
            | E::TooNew(_)
            | E::Unreadable { .. }
            | E::WrongKey(_)
            | E::Sqlite { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "storage"),
        };
        let failure = Self::new(status, code, error.to_string());
        match error {
            E::Outdated { .. } => {
                failure.help("take over the other draft, or save yours as a fork")
            }
            _ => failure,
        }
    }
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        let code = match error {
            EditError::Unreadable(_) => "unreadable",
            EditError::NotFound(_) | EditError::Index { .. } => "not_found",
            EditError::Reference { .. } | EditError::Alias(_) => "shared",
            EditError::Yaml { .. } => "yaml",
            EditError::Scalar { .. } | EditError::Exists(_) | EditError::NotInPlace => "refused",
        };
        let failure = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, error.to_string());
        match error {
            EditError::Yaml { line, column, .. } => {
                failure.with("line", line.into()).with("column", column.into())
            }
            _ => failure,
        }
    }
}

/// A body of JSON. It must say that it is: pages of others cannot send such a body unasked.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let kind = kind.and_then(|it| it.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Failure::new(status, "invalid", "the body must be application/json"));
        }
        let bytes = Bytes::from_request(request, state).await;
        let bytes =
            bytes.map_err(|error| Failure::new(error.status(), "invalid", error.body_text()))?;
        let body = serde_json::from_slice(&bytes);
        body.map(Self)
            .map_err(|error| Failure::invalid(format!("the body is not as expected: {error}")))
    }
}

/// Does what takes a while, without keeping others waiting.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Answer<T> + Send + 'static,
) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let message = "this met a fault of the Builder";
        Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", message))
    })
}
