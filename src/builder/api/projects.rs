//! Projects and their drafts.

use axum::Json as JsonBody;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure};
use crate::builder::edit::{self, Edit, Step};
use crate::value::Json;
use crate::workspace::{
    Draft, Origin, Project, ProjectSummary, Saved, Undone, Version, WorkspaceError,
};

/// What a new project begins with: it has no streams yet, and `base_requester` for all that come.
const SKELETON: &str = include_str!("skeleton.yaml");

/// A workspace and a project in it.
pub(super) type At = Path<(String, String)>;

/// A version, or the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Draft,
    Version(u32),
}

impl Which {
    pub(super) fn read(value: &Json) -> Answer<Self> {
        let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
        match (value.as_str(), number.and_then(|number| u32::try_from(number).ok())) {
            (Some("draft"), _) => Ok(Self::Draft),
            (_, Some(number)) => Ok(Self::Version(number)),
            _ => Err(Failure::invalid("a version is a number, or \"draft\"")),
        }
    }

    pub(super) fn version(self) -> Option<u32> {
        match self {
            Self::Draft => None,
            Self::Version(number) => Some(number),
        }
    }
}

pub(super) async fn list(
    State(api): State<Api>,
    Path(workspace): Path<String>,
) -> Answer<JsonBody<Json>> {
    let projects = api.with_store(move |store| store.projects(&workspace)).await?;
    Ok(JsonBody(projects.iter().map(summary_json).collect()))
}

#[derive(Debug, Deserialize)]
pub(super) struct NewProject {
    name: Option<String>,
    text: Option<String>,
    /// What the addresses of the API begin with, for a project that begins with nothing else.
    url: Option<String>,
    fork: Option<Fork>,
}

#[derive(Debug, Deserialize)]
struct Fork {
    project: String,
    version: Json,
}

pub(super) async fn create(
    State(api): State<Api>,
    Path(workspace): Path<String>,
    Body(new): Body<NewProject>,
) -> Answer<(StatusCode, JsonBody<Json>)> {
    let fork = match new.fork {
        Some(Fork { project, version }) => Some((project, Which::read(&version)?.version())),
        None => None,
    };
    let beginning = skeleton(new.url.as_deref().unwrap_or_default())?;
    let project = api.with_store(move |store| {
        let origin = fork.map(|(project, version)| Origin { project, version });
        let (name, text) = match &origin {
            Some(Origin { project, version }) => (
                format!("{} (fork)", store.project(&workspace, project)?.summary.name),
                store.text(&workspace, project, *version)?,
            ),
            None => ("New connector".to_owned(), beginning),
        };
        let (name, text) = (new.name.unwrap_or(name), new.text.unwrap_or(text));
        let id = store.create(&workspace, &name, &text, origin.as_ref())?;
        store.project(&workspace, &id)
    });
    Ok((StatusCode::CREATED, JsonBody(project_json(&project.await?))))
}

pub(super) async fn one(
    State(api): State<Api>,
    Path((workspace, id)): At,
) -> Answer<JsonBody<Json>> {
    let project = api.with_store(move |store| store.project(&workspace, &id)).await?;
    Ok(JsonBody(project_json(&project)))
}

/// The beginning of a connector for the API at `url`.
fn skeleton(url: &str) -> Answer<String> {
    let path = ["definitions", "base_requester", "url"].map(|name| Step::Key(name.to_owned()));
    Ok(edit::apply(SKELETON, &[Edit::Set { path: path.into(), value: url.into() }])?)
}

#[derive(Debug, Deserialize)]
pub(super) struct Name {
    name: String,
}

pub(super) async fn rename(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(Name { name }): Body<Name>,
) -> Answer<JsonBody<Json>> {
    let project = api.with_store(move |store| {
        store.rename(&workspace, &id, &name)?;
        store.project(&workspace, &id)
    });
    Ok(JsonBody(project_json(&project.await?)))
}

pub(super) async fn delete(
    State(api): State<Api>,
    Path((workspace, id)): At,
) -> Answer<StatusCode> {
    api.with_store(move |store| store.delete(&workspace, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize)]
pub(super) struct NewDraft {
    text: String,
    revision: i64,
    label: Option<String>,
}

pub(super) async fn save(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(new): Body<NewDraft>,
) -> Answer<JsonBody<Json>> {
    let saved = api.with_store(move |store| {
        let NewDraft { text, revision, label } = &new;
        match store.save(&workspace, &id, text, *revision, label.as_deref()) {
            Err(error @ WorkspaceError::Outdated { .. }) => {
                Ok(Err((error, store.project(&workspace, &id)?.draft)))
            }
            saved => saved.map(Ok),
        }
    });
    match saved.await? {
        Ok(saved) => Ok(JsonBody(saved_json(&saved))),
        Err((error, draft)) => Err(Failure::from(error).with("draft", draft_json(&draft))),
    }
}

pub(super) async fn undo(
    State(api): State<Api>,
    Path((workspace, id)): At,
) -> Answer<JsonBody<Json>> {
    let undone = api.with_store(move |store| store.undo(&workspace, &id)).await?;
    Ok(JsonBody(undone_json(&undone)))
}

pub(super) async fn redo(
    State(api): State<Api>,
    Path((workspace, id)): At,
) -> Answer<JsonBody<Json>> {
    let redone = api.with_store(move |store| store.redo(&workspace, &id)).await?;
    Ok(JsonBody(undone_json(&redone)))
}

fn summary_json(summary: &ProjectSummary) -> Json {
    json!({
        "id": summary.id,
        "name": summary.name,
        "updated_at": summary.updated_at.to_string(),
        "active_version": summary.active_version,
        "latest_version": summary.latest_version,
        "forked_from": summary.forked_from.as_ref().map(origin_json),
        "changed_since_version": summary.is_changed,
    })
}

fn origin_json(origin: &Origin) -> Json {
    let version = origin.version.map_or_else(|| "draft".into(), Json::from);
    json!({"project": origin.project, "version": version})
}

fn project_json(project: &Project) -> Json {
    let mut json = summary_json(&project.summary);
    json["created_at"] = project.created_at.to_string().into();
    json["draft"] = draft_json(&project.draft);
    json["versions"] = project.versions.iter().map(version_json).collect();
    json
}

pub(super) fn version_json(version: &Version) -> Json {
    json!({
        "version": version.number,
        "description": version.description,
        "published_at": version.published_at.to_string(),
    })
}

fn saved_json(saved: &Saved) -> Json {
    json!({
        "revision": saved.revision,
        "can_undo": saved.can_undo,
        "can_redo": saved.can_redo,
        "saved_at": saved.saved_at.to_string(),
    })
}

pub(super) fn draft_json(draft: &Draft) -> Json {
    let mut json = saved_json(&draft.saved);
    json["text"] = draft.text.as_str().into();
    json
}

fn undone_json(undone: &Undone) -> Json {
    let mut json = draft_json(&undone.draft);
    json["label"] = undone.label.clone().into();
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::analysis;

    #[test]
    fn a_new_project_waits_for_its_first_stream() {
        let url = "https://api.example.com/#1: \"x\"";
        let text = skeleton(url).unwrap();
        let analysis = serde_json::to_value(analysis::analyze(&text)).unwrap();
        let findings = analysis["findings"].as_array().unwrap().iter();
        let codes: Vec<_> = findings.map(|finding| &finding["code"]).collect();
        assert_eq!(codes, ["lint/unused-definition"]);
        let requester = &analysis["document"]["definitions"]["base_requester"];
        assert_eq!(requester["url"], json!(url));
        assert!(text.contains("# What the requests of all streams have in common."));
    }

    #[test]
    fn versions_are_numbers_or_the_draft() {
        let read = |json| Which::read(&json).ok();
        assert_eq!(read(json!("draft")), Some(Which::Draft));
        assert_eq!(read(json!(3)), Some(Which::Version(3)));
        assert_eq!(read(json!("3")), Some(Which::Version(3)));
        assert_eq!(read(json!("x")), None);
        assert_eq!(read(json!(-1)), None);
    }
}
