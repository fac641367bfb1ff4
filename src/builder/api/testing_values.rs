//! The values that a project is tested with. Secrets among them never are in an answer.

use axum::Json as JsonBody;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Api;
use super::answer::{Answer, Body, Failure, apart};
use super::projects::At;
use crate::builder::analysis::{MASK, secret_paths};
use crate::builder::edit::Step;
use crate::manifest::{Manifest, Source};
use crate::value::{Json, Secrets};
use crate::workspace::{Store, WorkspaceError};

/// What is kept, encrypted.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    values: Json,
    /// What was secret when it was given; it stays so whatever becomes of the manifest.
    secrets: Vec<Vec<Step>>,
}

pub(super) async fn get(
    State(api): State<Api>,
    Path((workspace, id)): At,
) -> Answer<JsonBody<Json>> {
    apart(move || Ok(JsonBody(shown(&*api.store()?, &workspace, &id)?))).await
}

#[derive(Debug, Deserialize)]
pub(super) struct Values {
    values: Json,
}

pub(super) async fn put(
    State(api): State<Api>,
    Path((workspace, id)): At,
    Body(Values { values }): Body<Values>,
) -> Answer<JsonBody<Json>> {
    if !values.is_object() {
        return Err(Failure::invalid("the values of a config are an object"));
    }
    apart(move || {
        let store = api.store()?;
        let _alone = api.changing_values();
        let kept = kept(&store, &workspace, &id)?.unwrap_or_default();
        let text = store.text(&workspace, &id, None)?;
        let mut secrets = secrets_of(&text, &values);
        secrets.extend(kept.secrets.iter().filter(|it| at(&values, it).is_some()).cloned());
        secrets.sort();
        secrets.dedup();
        let kept = Kept { values: unmasked(values, &kept), secrets };
        store.save_testing_values(&workspace, &id, &json!(kept))?;
        Ok(JsonBody(shown(&store, &workspace, &id)?))
    })
    .await
}

/// The values to run with: those that were given, with what is kept where a secret is masked; or
/// else those that are kept. And those of them that were secret when they were kept.
pub(super) fn to_run(
    store: &Store,
    workspace: &str,
    id: &str,
    given: Option<Json>,
) -> Result<(Json, Vec<String>), WorkspaceError> {
    let kept = kept(store, workspace, id)?.unwrap_or_default();
    let values = match given {
        Some(values) => unmasked(values, &kept),
        None if kept.values.is_object() => kept.values,
        None => json!({}),
    };
    let secrets = kept.secrets.iter().filter_map(|path| at(&values, path)?.as_str());
    let secrets = secrets.map(str::to_owned).collect();
    Ok((values, secrets))
}

/// Adds what was got elsewhere: from now on it is secret.
pub(super) fn fill(
    store: &Store,
    workspace: &str,
    id: &str,
    got: Vec<(Vec<String>, Json)>,
) -> Result<(), WorkspaceError> {
    let Kept { mut values, mut secrets } = kept(store, workspace, id)?.unwrap_or_default();
    for (path, value) in got {
        let mut place = &mut values;
        for step in &path {
            if !place.is_object() {
                *place = json!({});
            }
            place = &mut place[step];
        }
        *place = value;
        secrets.push(path.into_iter().map(Step::Key).collect());
    }
    secrets.sort();
    secrets.dedup();
    store.save_testing_values(workspace, id, &json!(Kept { values, secrets }))
}

/// What may not be shown of the values that a manifest is run with.
pub(super) fn masking(manifest: &Manifest, values: &Json) -> Secrets {
    let secrets = Secrets::new();
    for path in secrets_in(manifest, values) {
        if let Some(text) = at(values, &path).and_then(Json::as_str) {
            secrets.add(text);
        }
    }
    secrets
}

fn kept(store: &Store, workspace: &str, id: &str) -> Result<Option<Kept>, WorkspaceError> {
    let kept = store.testing_values(workspace, id)?;
    Ok(kept.and_then(|kept| serde_json::from_value(kept).ok()))
}

/// The values without their secrets.
fn shown(store: &Store, workspace: &str, id: &str) -> Result<Json, WorkspaceError> {
    let text = store.text(workspace, id, None)?;
    let kept = kept(store, workspace, id)?;
    let is_saved = kept.is_some();
    let Kept { mut values, secrets: mut paths } = kept.unwrap_or_default();
    if !is_saved {
        values = json!({});
    }
    paths.extend(secrets_of(&text, &values));
    paths.sort();
    paths.dedup();
    for path in &paths {
        if let Some(secret) = at_mut(&mut values, path)
            && !is_empty(secret)
        {
            *secret = MASK.into();
        }
    }
    Ok(json!({"values": values, "secrets": paths, "saved": is_saved}))
}

fn is_empty(value: &Json) -> bool {
    value.is_null() || value == ""
}

/// What is secret by a manifest; all texts, if the manifest cannot say.
fn secrets_of(text: &str, values: &Json) -> Vec<Vec<Step>> {
    secrets_in(&Manifest::from_yaml(Source::new("manifest.yaml", text)), values)
}

fn secrets_in(manifest: &Manifest, values: &Json) -> Vec<Vec<Step>> {
    let specification =
        manifest.root.get("spec").and_then(|spec| spec.get("connection_specification"));
    if let Some(specification) = specification {
        return secret_paths(&specification.to_json(), values);
    }
    let mut paths = Vec::new();
    texts(values, &mut Vec::new(), &mut paths);
    paths
}

fn texts(value: &Json, path: &mut Vec<Step>, paths: &mut Vec<Vec<Step>>) {
    let mut below = |step, value: &Json| {
        path.push(step);
        texts(value, path, paths);
        path.pop();
    };
    match value {
        Json::Object(fields) => {
            fields.iter().for_each(|(name, value)| below(Step::Key(name.clone()), value));
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(idx, item)| below(Step::Index(idx), item));
        }
        Json::String(_) => paths.push(path.clone()),
        _ => {}
    }
}

/// Values with what is kept in place of the mask.
fn unmasked(mut values: Json, kept: &Kept) -> Json {
    let mut masked = Vec::new();
    texts(&values, &mut Vec::new(), &mut masked);
    for path in masked {
        if let Some(value) = at_mut(&mut values, &path)
            && value == MASK
        {
            *value = at(&kept.values, &path).cloned().unwrap_or_default();
        }
    }
    values
}

fn at<'v>(values: &'v Json, path: &[Step]) -> Option<&'v Json> {
    path.iter().try_fold(values, |value, step| match step {
        Step::Key(name) => value.get(name),
        Step::Index(index) => value.get(index),
    })
}

fn at_mut<'v>(values: &'v mut Json, path: &[Step]) -> Option<&'v mut Json> {
    path.iter().try_fold(values, |value, step| match step {
        Step::Key(name) => value.get_mut(name),
        Step::Index(index) => value.get_mut(index),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunContext;

    const MANIFEST: &str =
        "spec: {connection_specification: {properties: {key: {airbyte_secret: true}, start: {}}}}";

    #[test]
    fn secrets_are_kept_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), RunContext::system()).unwrap();
        let id = store.create("default", "a", MANIFEST, None).unwrap();
        let shown = || shown(&store, "default", &id).unwrap();
        assert_eq!(shown(), json!({"values": {}, "secrets": [["key"]], "saved": false}));

        let save = |values: Json| {
            let kept = kept(&store, "default", &id).unwrap().unwrap_or_default();
            let secrets = secrets_of(&store.text("default", &id, None).unwrap(), &values);
            let kept = Kept { values: unmasked(values, &kept), secrets };
            store.save_testing_values("default", &id, &json!(kept)).unwrap();
        };
        save(json!({"key": "hunter2", "start": "2024"}));
        let masked = json!({"key": MASK, "start": "2024"});
        assert_eq!(shown()["values"], masked);
        let run = |given| to_run(&store, "default", &id, given).unwrap().0;
        assert_eq!(run(None), json!({"key": "hunter2", "start": "2024"}));
        assert_eq!(run(Some(json!({"key": MASK}))), json!({"key": "hunter2"}));

        save(json!({"key": MASK, "start": "2025"}));
        assert_eq!(run(None), json!({"key": "hunter2", "start": "2025"}));
        let path = ["credentials", "token"].map(str::to_owned).to_vec();
        fill(&store, "default", &id, vec![(path, json!("t0ken"))]).unwrap();
        assert_eq!(shown()["values"]["credentials"], json!({"token": MASK}));
        let whole = json!({"key": "hunter2", "start": "2025", "credentials": {"token": "t0ken"}});
        assert_eq!(run(None), whole);
        let (_, secrets) = to_run(&store, "default", &id, None).unwrap();
        assert_eq!(secrets, ["t0ken", "hunter2"]);
        // A draft that no longer says what is secret gets nothing out.
        for text in ["spec: {connection_specification: {properties: {key: {}}}}", "a: ["] {
            let revision = store.project("default", &id).unwrap().draft.saved.revision;
            store.save("default", &id, text, revision, None).unwrap();
            assert_eq!(shown()["values"]["key"], MASK);
        }
    }
}
