//! What everyone is told, with a token or without.

use std::future::{Ready, ready};

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::{Value, json};

/// The description of this API.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Whether the server is alive: it is.
pub(super) fn health() -> Ready<Json<Value>> {
    ready(Json(json!({"status": "ok"})))
}

/// What the server can do.
pub(super) fn capabilities(allows_custom_code: bool) -> Ready<Json<Value>> {
    ready(Json(json!({"custom_code_execution": allows_custom_code})))
}

/// The description of this API, as `OpenAPI`.
pub(super) fn description() -> Ready<impl IntoResponse> {
    ready(([(CONTENT_TYPE, "application/json")], DESCRIPTION))
}
