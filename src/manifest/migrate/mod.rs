//! Manifests brought up to date: the reference's migrations, done in the text itself, so that
//! comments and order stay.
//!
//! [`apply`] migrates a resolved manifest, as the reference does. [`text`] finds what has to be
//! edited for that. That both come to the same is checked before anything is given out.

mod apply;
mod text;

use jiff::Timestamp;
use serde_json::json;

use super::finding::{Finding, Findings};
use super::path::Path;
use super::source::Source;
use super::{Manifest, complete, parse};
use crate::value::{Json, python_str};

/// Python's `urljoin`.
pub type JoinUrl = fn(base: &str, url: &str) -> String;

/// A text that was migrated.
#[derive(Debug)]
pub struct Migrated {
    /// The text.
    pub text: String,
    /// How many requesters were changed.
    pub n_changed: usize,
    /// Requesters that keep something as it was, and why.
    pub notes: Findings,
}

/// Migrates a text; what keeps it from that are the findings.
///
/// - `url_base` becomes `url`, and `path` is joined to it;
/// - `request_body_json` and `request_body_data` become `request_body`.
///
/// A requester whose fields come from `$parameters`, or from a place that others use in another
/// way, stays as it is; it means the same.
pub fn migrate(source: &Source, join: JoinUrl) -> Result<Migrated, Findings> {
    let mut findings = Findings::default();
    let Some(written) = parse(source, &mut findings) else { return Err(findings) };
    let root = complete(Some(written.clone()), &mut findings);
    if findings.has_errors() {
        return Err(findings);
    }
    let mut expected = root.to_json();
    let unfit = |message: String| {
        let finding = Finding::error("migrate/unfit", message).at_path(&Path::ROOT);
        Findings::from_iter([finding])
    };
    apply::apply(&mut expected, join).map_err(|reason| {
        unfit(format!("{reason}: the reference does not migrate such a manifest"))
    })?;
    let migrated = text::migrate(source, &written, &root, join);
    let again = Manifest::from_yaml(Source::new(source.name.as_str(), migrated.text.as_str()));
    let mut found = again.root.to_json();
    let is_same = !again.findings.has_errors()
        && apply::apply(&mut found, join).is_ok()
        && essence(found) == essence(expected);
    if !is_same {
        let message = "this manifest is woven in a way that it cannot be migrated in place";
        return Err(unfit(message.to_owned()));
    }
    Ok(migrated)
}

/// Migrates a resolved manifest, and notes in its `metadata` what was done, as the reference does;
/// one that the reference stumbles over stays as it is.
pub fn migrate_resolved(manifest: &mut Json, join: JoinUrl, now: Timestamp) {
    let mut migrated = manifest.clone();
    let Ok(applied) = apply::apply(&mut migrated, join) else { return };
    let version = manifest.get("version").map_or_else(|| "0.0.0".into(), python_str).into_owned();
    let now = now.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00").to_string();
    let notes = applied.into_iter().map(|migration| {
        json!({
            "from_version": version, "to_version": "*", "migration": migration, "migrated_at": now,
        })
    });
    let notes: Vec<_> = notes.collect();
    if let (Json::Object(fields), false) = (&mut migrated, notes.is_empty()) {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Json::Object(metadata) = metadata {
            let known = metadata.entry("applied_migrations").or_insert_with(|| json!([]));
            if let Json::Array(known) = known {
                known.extend(notes);
            }
        }
    }
    *manifest = migrated;
}

/// What counts of a manifest: definitions are only there to be referred to, and parameters that
/// are handed down into bodies mean nothing there.
fn essence(mut manifest: Json) -> Json {
    if let Some(fields) = manifest.as_object_mut() {
        fields.shift_remove("definitions");
    }
    strip_bodies(&mut manifest);
    manifest
}

fn strip_bodies(value: &mut Json) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(strip_bodies),
        Json::Object(fields) => {
            if let Some(Json::Object(body)) = fields.get_mut("request_body") {
                body.retain(|name, _| ["type", "value"].contains(&name.as_str()));
            }
            fields.values_mut().for_each(strip_bodies);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(base: &str, path: &str) -> String {
        format!("{base}{path}")
    }

    /// `expect` is the migrated text, or the first fault.
    #[track_caller]
    fn check(text: &str, n_notes: usize, expect: Result<&str, &str>) {
        let migrated = migrate(&Source::new("m.yaml", text), join);
        match (migrated, expect) {
            (Ok(migrated), Ok(expect)) => {
                assert_eq!(migrated.text, expect);
                assert_eq!(migrated.notes.len(), n_notes, "{:?}", migrated.notes);
            }
            (Err(findings), Err(expect)) => {
                assert_eq!(findings.first_error().unwrap().message, expect);
            }
            (other, _) => panic!("{other:?}"),
        }
    }

    #[test]
    fn comments_and_order_stay() {
        check(
            "\
# An API.
streams:
  - retriever:
      requester:
        type: HttpRequester # sends
        path: '/a' # where
        # whose
        url_base: \"http://h\"   # host
        http_method: GET
",
            0,
            Ok("\
# An API.
streams:
  - retriever:
      requester:
        type: HttpRequester # sends
        # where
        # whose
        url: http://h/a   # host
        http_method: GET
"),
        );
    }

    #[test]
    fn what_is_shared_is_renamed_once() {
        check(
            "\
definitions:
  base: &base
    type: HttpRequester
    url_base: http://h
a: {requester: {$ref: '#/definitions/base', path: /a}}
b:
  requester:
    path: b
    $ref: '#/definitions/base'
c:
  requester:
    $ref: '#/definitions/base'
",
            0,
            Ok("\
definitions:
  base: &base
    type: HttpRequester
    url: http://h
a: {requester: {$ref: '#/definitions/base', url: 'http://h/a'}}
b:
  requester:
    url: http://h/b
    $ref: '#/definitions/base'
c:
  requester:
    $ref: '#/definitions/base'
"),
        );
    }

    #[test]
    fn parameters_are_left_alone() {
        check(
            "\
a:
  type: SimpleRetriever
  $parameters: {path: /a}
  requester:
    type: HttpRequester
    url_base: http://h
",
            1,
            Ok("\
a:
  type: SimpleRetriever
  $parameters: {path: /a}
  requester:
    type: HttpRequester
    url: http://h
"),
        );
    }

    #[test]
    fn bodies_are_wrapped() {
        check(
            "\
a:
- request_body_json:
    a: |
      x
    # b
    b: 1
  type: HttpRequester
  url: u
- {type: HttpRequester, url: u, request_body_data: {a: b}}
- type: HttpRequester
  url: u
  request_body_json: {query: x}
- type: HttpRequester
  url: u
  request_body_json: '{{ x }}'
",
            0,
            Ok("\
a:
- request_body:
    type: RequestBodyJsonObject
    value:
      a: |
        x
      # b
      b: 1
  type: HttpRequester
  url: u
- {type: HttpRequester, url: u, request_body: {type: RequestBodyUrlEncodedForm, value: {a: b}}}
- type: HttpRequester
  url: u
  request_body:
    type: RequestBodyGraphQL
    value: {query: x}
- type: HttpRequester
  url: u
  request_body_json: '{{ x }}'
"),
        );
    }

    #[test]
    fn what_cannot_be_migrated_is_told() {
        let text = "a: {type: HttpRequester, path: a}";
        let why =
            "a requester has a `path` and no `url`: the reference does not migrate such a manifest";
        check(text, 0, Err(why));
        check("a: [", 0, Err("expected a value, found the end of the text"));
    }
}
