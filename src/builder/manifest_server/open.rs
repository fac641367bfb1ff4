//! What everyone is told, with a token or without.

use std::future::{Ready, ready};

use axum::Json;
use serde_json::{Value, json};

/// Whether the server is alive: it is.
pub(super) fn health() -> Ready<Json<Value>> {
    ready(Json(json!({"status": "ok"})))
}

/// What the server can do.
pub(super) fn capabilities(allows_custom_code: bool) -> Ready<Json<Value>> {
    ready(Json(json!({"custom_code_execution": allows_custom_code})))
}
