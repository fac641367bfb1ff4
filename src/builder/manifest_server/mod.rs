//! The API of `airbyte/manifest-server`, which an Airbyte platform asks to run manifests for its
//! Builder.

mod open;

use axum::Router;
use axum::routing::get;

use super::serve::Settings;

/// What the manifest server answers.
pub(super) fn routes(settings: &Settings) -> Router {
    let allows_custom_code = settings.allows_custom_code;
    let capabilities = get(move || open::capabilities(allows_custom_code));
    Router::new()
        .route("/health", get(open::health))
        .route("/health/", get(open::health))
        .route("/capabilities", capabilities.clone())
        .route("/capabilities/", capabilities)
}
