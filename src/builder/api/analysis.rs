//! What can be said of a text, whatever project it is of.

use std::sync::LazyLock;

use axum::Json as JsonBody;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use crate::builder::analysis::{self, Analysis, Completion, Location};
use crate::builder::edit::{self, Edit, Step};
use crate::components::registry::manifest_schema;
use crate::value::Json;
use crate::workspace::{DiffKind, diff};

#[derive(Debug, Deserialize)]
pub(super) struct Text {
    text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct TextAt {
    text: String,
    path: Vec<Step>,
}

pub(super) async fn session(State(api): State<Api>) -> JsonBody<Json> {
    JsonBody(json!({
        "user_trusted": api.0.is_trusted,
        "custom_components": api.0.allows_custom_code,
        "version": env!("CARGO_PKG_VERSION"),
    }))
}

pub(super) async fn schema() -> impl IntoResponse {
    static SCHEMA: LazyLock<String> = LazyLock::new(|| manifest_schema().to_string());
    ([(header::CONTENT_TYPE, "application/json")], SCHEMA.as_str())
}

pub(super) async fn analyze(Body(Text { text }): Body<Text>) -> Answer<JsonBody<Analysis>> {
    apart(move || Ok(JsonBody(analysis::analyze(&text)))).await
}

pub(super) async fn locate(
    Body(TextAt { text, path }): Body<TextAt>,
) -> Answer<JsonBody<Location>> {
    apart(move || {
        let found = analysis::locate(&text, &path)?;
        let missing = || Failure::not_found(format!("there is no `{}`", edit::print_path(&path)));
        found.map(JsonBody).ok_or_else(missing)
    })
    .await
}

#[derive(Debug, Deserialize)]
pub(super) struct Edits {
    text: String,
    edits: Vec<Edit>,
}

pub(super) async fn edit(Body(Edits { text, edits }): Body<Edits>) -> Answer<JsonBody<Json>> {
    apart(move || {
        let edited = edit::apply(&text, &edits)?;
        let changed = changes(&text, &edited);
        Ok(JsonBody(json!({"text": edited, "changed": changed})))
    })
    .await
}

/// Where lines were removed or inserted, by the line numbers of the new text.
fn changes(from: &str, to: &str) -> Vec<Json> {
    let mut changes = Vec::new();
    let (mut line, mut removed, mut inserted) = (1, 0, 0);
    for kind in diff(from, to).iter().map(|line| line.kind).chain([DiffKind::Same]) {
        match kind {
            DiffKind::Added => inserted += 1,
            DiffKind::Removed => removed += 1,
            DiffKind::Same => {
                if removed + inserted > 0 {
                    changes.push(json!({"line": line, "removed": removed, "inserted": inserted}));
                }
                line += inserted + 1;
                (removed, inserted) = (0, 0);
            }
        }
    }
    changes
}

pub(super) async fn yaml(Body(TextAt { text, path }): Body<TextAt>) -> Answer<JsonBody<Json>> {
    apart(move || Ok(JsonBody(json!({"yaml": edit::component(&text, &path)?})))).await
}

#[derive(Debug, Deserialize)]
pub(super) struct At {
    text: String,
    line: usize,
    column: usize,
}

pub(super) async fn complete(Body(at): Body<At>) -> Answer<JsonBody<Completion>> {
    apart(move || Ok(JsonBody(analysis::complete(&at.text, at.line, at.column)))).await
}

pub(super) async fn hover(Body(at): Body<At>) -> Answer<Response> {
    apart(move || {
        let hover = analysis::hover(&at.text, at.line, at.column).map(JsonBody);
        Ok(hover.map_or_else(|| StatusCode::NO_CONTENT.into_response(), JsonBody::into_response))
    })
    .await
}

#[derive(Debug, Deserialize)]
pub(super) struct Mend {
    text: String,
    code: String,
    path: Vec<Step>,
}

pub(super) async fn fix(Body(Mend { text, code, path }): Body<Mend>) -> Answer<JsonBody<Json>> {
    apart(move || {
        let fixed = analysis::fix(&text, &code, &path);
        let missing = || Failure::not_found(format!("there is no fix of `{code}` at this place"));
        fixed.map(|text| JsonBody(json!({"text": text}))).ok_or_else(missing)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_by_line() {
        let changes = Json::from(changes("a\nb\nc\nd\n", "a\nx\ny\nc\n"));
        let expect = json!([
            {"line": 2, "removed": 1, "inserted": 2},
            {"line": 5, "removed": 1, "inserted": 0},
        ]);
        assert_eq!(changes, expect);
    }
}
