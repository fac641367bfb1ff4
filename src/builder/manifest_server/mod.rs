//! The API of `airbyte/manifest-server`, which an Airbyte platform asks to run manifests for its
//! Builder; `openapi.json` describes it.
//!
//! What goes wrong with a manifest is the asker's fault, and has the status 400; a body that says
//! nothing we know has 422, and one without the token that we want, 401.

mod error;
mod manifest;
mod open;
mod request;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};

use self::token::TokenCheck;
use super::serve::Settings;

/// What the manifest server answers.
pub(super) fn routes(settings: &Settings) -> Router {
    let allows_custom_code = settings.allows_custom_code;
    let guarded = Router::new();
    let guarded = with_slash(guarded, "/v1/manifest/resolve", post(manifest::resolve));
    let guarded = with_slash(guarded, "/v1/manifest/full_resolve", post(manifest::full_resolve));
    let guarded = with_slash(guarded, "/v1/manifest/test_read", post(manifest::test_read));
    let guarded = with_slash(guarded, "/v1/manifest/check", post(manifest::check));
    let guarded = with_slash(guarded, "/v1/manifest/discover", post(manifest::discover));
    let check = Arc::new(TokenCheck::new(settings.token_secret.clone(), &settings.outside));
    let guarded = guarded
        .with_state(manifest::Shared { outside: settings.outside.clone(), allows_custom_code })
        .layer(axum::middleware::from_fn_with_state(check, token::check));
    let open = Router::new().route("/openapi.json", get(open::description));
    let open = with_slash(open, "/health", get(open::health));
    let open =
        with_slash(open, "/capabilities", get(move || open::capabilities(allows_custom_code)));
    open.merge(guarded)
}

/// The original redirects from the one form to the other, which not every client follows.
fn with_slash<S: Clone + Send + Sync + 'static>(
    router: Router<S>,
    path: &str,
    handler: MethodRouter<S>,
) -> Router<S> {
    router.route(path, handler.clone()).route(&format!("{path}/"), handler)
}
