//! Versions: publishing, comparing, and taking them out.

use axum::Json as JsonBody;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::projects::{At, Which, draft_json, version_json};
use crate::builder::analysis::{analyze, findings_of, has_at_least};
use crate::manifest::{Manifest, Severity, Source};
use crate::value::Json;
use crate::workspace;

#[derive(Debug, Deserialize)]
pub(super) struct NewVersion {
    #[serde(default)]
    description: String,
    #[serde(default)]
    activate: bool,
    #[serde(default)]
    ignore_warnings: bool,
}

pub(super) async fn publish(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(new): Body<NewVersion>,
) -> Answer<(StatusCode, JsonBody<Json>)> {
    let publish = move || {
        let store = api.store()?;
        let draft = store.project(&workspace, &id)?.draft;
        let least = if new.ignore_warnings { Severity::Error } else { Severity::Warning };
        refuse_faulty(&draft.text, least, "it is not published")?;
        let NewVersion { description, activate, .. } = &new;
        Ok(store.publish(&workspace, &id, draft.saved.revision, description, *activate)?)
    };
    Ok((StatusCode::CREATED, JsonBody(json!({"version": apart(publish).await?}))))
}

/// Refuses a manifest with findings that matter that much; `consequence` says what comes of it.
pub(super) fn refuse_faulty(text: &str, least: Severity, consequence: &str) -> Answer<()> {
    let (manifest, written) = Manifest::with_written(Source::new("manifest.yaml", text));
    let findings = findings_of(&manifest, written.as_ref());
    if !has_at_least(&findings, least) {
        return Ok(());
    }
    let what = if findings.has_errors() { "errors" } else { "warnings" };
    let message = format!("the manifest has {what}, so that {consequence}");
    let failure = Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "findings", message);
    Err(failure.with("findings", json!(analyze(text).findings)))
}

pub(super) async fn one(
    State(api): State<Api>,
    Path((workspace, id, version)): Path<(String, String, String)>,
) -> Answer<JsonBody<Json>> {
    let Which::Version(number) = Which::read(&version.into())? else {
        return Err(Failure::invalid("the draft is no version"));
    };
    let found = api.with_store(move |store| store.version(&workspace, &id, number)).await?;
    let mut json = version_json(&found.version);
    json["text"] = found.text.into();
    Ok(JsonBody(json))
}

#[derive(Debug, Deserialize)]
pub(super) struct Number {
    version: u32,
}

pub(super) async fn activate(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(Number { version }): Body<Number>,
) -> Answer<StatusCode> {
    api.with_store(move |store| store.activate(&workspace, &id, version)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn revert(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(Number { version }): Body<Number>,
) -> Answer<JsonBody<Json>> {
    let draft = api.with_store(move |store| store.revert(&workspace, &id, version)).await?;
    Ok(JsonBody(draft_json(&draft)))
}

#[derive(Debug, Deserialize)]
pub(super) struct Sides {
    from: Option<String>,
    to: Option<String>,
}

pub(super) async fn diff(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Query(Sides { from, to }): Query<Sides>,
) -> Answer<JsonBody<Json>> {
    let read = |side: Option<String>| side.map(|side| Which::read(&side.into())).transpose();
    let (from, to) = (read(from)?, read(to)?.unwrap_or(Which::Draft));
    let texts = api.with_store(move |store| {
        let from = match from {
            Some(from) => from.version(),
            None => store.project(&workspace, &id)?.summary.latest_version,
        };
        let text = |version| store.text(&workspace, &id, version);
        Ok((text(from)?, text(to.version())?))
    });
    let (from, to) = texts.await?;
    let lines = apart(move || Ok(json!({"lines": workspace::diff(&from, &to)}))).await?;
    Ok(JsonBody(lines))
}

#[derive(Debug, Deserialize)]
pub(super) struct Exported {
    version: Option<String>,
}

pub(super) async fn export(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Query(Exported { version }): Query<Exported>,
) -> Answer<impl IntoResponse> {
    let which = version.map(|it| Which::read(&it.into())).transpose()?.unwrap_or(Which::Draft);
    let found = api.with_store(move |store| {
        let name = store.project(&workspace, &id)?.summary.name;
        Ok((name, store.text(&workspace, &id, which.version())?))
    });
    let (name, text) = found.await?;
    let disposition = format!("attachment; filename=\"{}.yaml\"", file_name(&name));
    let headers = [
        (header::CONTENT_TYPE, "application/yaml; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, text))
}

/// A name that is safe as that of a file, everywhere.
fn file_name(name: &str) -> String {
    let ascii = any_ascii::any_ascii(name);
    let words = ascii.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "connector".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_harm_nobody() {
        assert_eq!(file_name("PokéAPI v2"), "PokeAPI-v2");
        assert_eq!(file_name("../../etc/passwd\"; x"), "etc-passwd-x");
        assert_eq!(file_name("…!"), "connector");
    }
}
