//! Consents in a browser: where to agree, and what becomes of them.

use axum::Json as JsonBody;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::projects::At;
use super::testing_values::{fill, to_run};
use crate::builder::oauth::{Asked, Consent, OAuthError, Status};
use crate::http::parse_query;
use crate::manifest::{Manifest, Source};
use crate::run::RunContext;
use crate::value::Json;

/// Where users come back to.
const CALLBACK: &str = "/oauth/callback";
/// What they see there, by whether it is done. Nothing that came with the address is on that page.
const PAGE: &str = include_str!("consent.html");
const DONE: [&str; 2] =
    ["Connected", "The Connector Builder has what it needs. You can close this window."];
const NOT_DONE: [&str; 2] = [
    "Not connected",
    "The Connector Builder got nothing: its own window says why. You can close this one, and try again there.",
];

#[derive(Debug, Deserialize)]
pub(super) struct New {
    text: String,
    values: Option<Json>,
}

/// Where the user of the pages has to agree.
pub(super) async fn begin(
    State(api): State<Api>,
    Path((workspace, project)): At,
    headers: HeaderMap,
    Body(New { text, values }): Body<New>,
) -> Answer<JsonBody<Json>> {
    let redirect_uri = format!("{}{CALLBACK}", own_address(&headers));
    apart(move || {
        let (config, _) = to_run(&*api.store()?, &workspace, &project, values)?;
        let manifest = Manifest::from_yaml(Source::new("manifest.yaml", text));
        let consent = Consent::declared(&manifest, &config).map_err(refused)?;
        let asked = Asked { workspace, project, consent, redirect_uri };
        let begun = api.0.consents.begin(asked, &RunContext::system());
        let (id, url) = begun.map_err(refused)?;
        Ok(JsonBody(json!({"consent": id, "url": url})))
    })
    .await
}

/// The address that the pages were loaded from; the guard has compared its host.
fn own_address(headers: &HeaderMap) -> String {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = || format!("http://{}", text(HOST).unwrap_or_default());
    text(ORIGIN).map_or_else(host, str::to_owned)
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn refused(error: OAuthError) -> Failure {
    let failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "consent", error.to_string());
    match error {
        OAuthError::NoValue(_) => failure.help("enter it as a testing value, and save"),
        _ => failure,
    }
}

/// What became of a consent.
pub(super) async fn status(
    State(api): State<Api>,
    Path(consent): Path<String>,
) -> Answer<JsonBody<Json>> {
    let status = api.0.consents.status(&consent, RunContext::system().now());
    let status = status.ok_or_else(|| Failure::not_found("this consent is not known any more"))?;
    Ok(JsonBody(match status {
        Status::Waiting => json!({"status": "waiting"}),
        Status::Done(kept) => json!({"status": "done", "kept": kept}),
        Status::Failed(message) => json!({"status": "failed", "message": message}),
    }))
}

/// Takes a user back who agreed, or did not.
pub(super) async fn callback(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let query: Vec<_> = parse_query(query.as_deref().unwrap_or_default()).collect();
    let taken = api.0.consents.take(&query, RunContext::system().now());
    let Some((id, state, asked)) = taken else {
        return page(StatusCode::BAD_REQUEST, NOT_DONE);
    };
    // Goes on when the window is closed meanwhile: the code counts once.
    let exchange = tokio::spawn(async move {
        let key = asked.consent.key("auth_code");
        let code = query.iter().find(|(name, _)| *name == key).map(|(_, code)| code.as_str());
        let secrets = asked.consent.secrets(code.into_iter().chain([state.as_str()]));
        let status = match complete(&api, &query, &state, asked).await {
            Ok(names) => Status::Done(names),
            Err(message) => Status::Failed(secrets.mask(&message).into_owned()),
        };
        let is_done = matches!(status, Status::Done(_));
        api.0.consents.end(&id, status);
        is_done
    });
    let is_done = exchange.await.unwrap_or(false);
    page(StatusCode::OK, if is_done { DONE } else { NOT_DONE })
}

/// Exchanges the code, and keeps what comes of it; gives the names of that.
async fn complete(
    api: &Api,
    query: &[(String, String)],
    state: &str,
    asked: Asked,
) -> Result<Vec<String>, String> {
    let Asked { workspace, project, consent, redirect_uri } = asked;
    let given = |key: &str| query.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let key = consent.key("auth_code");
    let Some(code) = given(&key) else {
        let said: Vec<_> = ["error", "error_description"]
            .into_iter()
            .filter_map(given)
            .map(String::as_str)
            .collect();
        return Err(match said.as_slice() {
            [] => format!("the provider sent no `{key}`"),
            said => format!("the provider says: {}", said.join(": ")),
        });
    };
    let request = consent.exchange(&redirect_uri, state, code).map_err(|err| err.to_string())?;
    let response = api.0.outside.send(&request).await;
    let response =
        response.map_err(|error| OAuthError::Unanswered(error.to_string()).to_string())?;
    let now = RunContext::system().now();
    let kept = consent.kept(&response, code, now).map_err(|err| err.to_string())?;
    let names = kept.iter().map(|it| it.path.join(".")).collect();
    let got = kept.into_iter().map(|it| (it.path, it.value.expose().clone())).collect();
    let holder = api.clone();
    api.with_store(move |store| {
        let _alone = holder.changing_values();
        fill(store, &workspace, &project, got)
    })
    .await
    .map_err(|failure| failure.message().to_owned())?;
    Ok(names)
}

fn page(status: StatusCode, [title, text]: [&str; 2]) -> Response {
    let html = PAGE.replace("{title}", title).replace("{text}", text);
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, "no-referrer"),
    ];
    (status, headers, Html(html)).into_response()
}
