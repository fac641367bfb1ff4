//! What a test read came to, as the pages show it.

use std::collections::{BTreeSet, HashSet};

use serde::Serialize;
use serde_json::json;

use crate::builder::test_read::{Event, Outcome};
use crate::value::Json;

/// Longer bodies are cut, in bytes.
const LONGEST_BODY: usize = 64 << 10;

/// The requests of a test read, and when they were made.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Timeline {
    entries: Vec<Entry>,
    #[serde(skip)]
    waits: Vec<(u64, u64)>,
    #[serde(skip)]
    waited_ms: u64,
    #[serde(skip)]
    last: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Entry {
    id: u64,
    kind: &'static str,
    title: String,
    started_ms: u64,
    /// How long was waited before it.
    waited_ms: u64,
    first_byte_ms: Option<u64>,
    ended_ms: Option<u64>,
    /// The request that was answered last when this one was sent.
    depends_on: Option<u64>,
}

impl Timeline {
    /// Takes note of an event.
    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Request { id, kind, method, url, at_ms, .. } => {
                let path = url
                    .split_once("://")
                    .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
                self.entries.push(Entry {
                    id: *id,
                    kind,
                    title: format!("{method} {}", path.unwrap_or(url)),
                    started_ms: *at_ms,
                    waited_ms: std::mem::take(&mut self.waited_ms),
                    first_byte_ms: None,
                    ended_ms: None,
                    depends_on: self.last,
                });
            }
            Event::Response { id, first_byte_ms, at_ms, .. } => {
                self.end(*id, Some(*first_byte_ms), *at_ms);
            }
            Event::Unanswered { id, at_ms, .. } => self.end(*id, None, *at_ms),
            Event::Wait { wait, at_ms, .. } => self.waits.push((*wait, *at_ms)),
            Event::WaitEnded { wait, at_ms } => {
                if let Some(idx) = self.waits.iter().position(|(began, _)| began == wait) {
                    let (_, began_ms) = self.waits.swap_remove(idx);
                    let waited_ms = at_ms.saturating_sub(began_ms);
                    match self.entries.last_mut().filter(|entry| entry.ended_ms.is_none()) {
                        // A budget keeps a request that was to be sent already.
                        Some(entry) => {
                            entry.waited_ms += waited_ms;
                            entry.started_ms = *at_ms;
                        }
                        None => self.waited_ms += waited_ms,
                    }
                }
            }
            Event::Records { .. } | Event::Slice { .. } | Event::Log { .. } => {}
        }
    }

    fn end(&mut self, id: u64, first_byte_ms: Option<u64>, at_ms: u64) {
        self.last = Some(id);
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.id == id) {
            entry.first_byte_ms = first_byte_ms.map(|moment| moment.max(entry.started_ms));
            entry.ended_ms = Some(at_ms);
        }
    }
}

/// The result, and the bodies that were cut in it.
pub(super) fn result(outcome: &Outcome, timeline: &Timeline) -> (Json, Vec<String>) {
    let mut result = json!(outcome.answer);
    let mut bodies = Vec::new();
    cut_bodies(&mut result, &mut bodies);
    let declared = outcome.declared_schema.as_deref();
    let mut differences = Vec::new();
    if let (Some(declared), Some(detected)) = (declared, &outcome.answer.inferred_schema) {
        compare(declared, detected, &mut Vec::new(), &mut differences);
    }
    result["declared_schema"] = declared.cloned().unwrap_or_default();
    result["schema_diff"] = differences.into();
    let primary_key = outcome.stream.as_ref().map(|stream| stream.primary_key.as_slice());
    let slices = outcome.answer.slices.iter();
    let records = slices.flat_map(|slice| &slice.pages).flat_map(|page| &page.records);
    let problems = primary_key_problems(primary_key.unwrap_or_default(), records);
    result["primary_key_problems"] = problems.into();
    result["timeline"] = json!(timeline);
    (result, bodies)
}

/// Cuts the bodies of requests and responses that are too long to be shown at once.
fn cut_bodies(value: &mut Json, bodies: &mut Vec<String>) {
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| cut_bodies(item, bodies)),
        Json::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                let is_message = matches!(name.as_str(), "request" | "response");
                match value.get("body").and_then(Json::as_str) {
                    Some(body) if is_message && body.len() > LONGEST_BODY => {
                        let (body, len) = (body.to_owned(), body.len());
                        value["body"] = body[..body.floor_char_boundary(LONGEST_BODY)].into();
                        value["body_length"] = len.into();
                        value["body_id"] = bodies.len().into();
                        bodies.push(body);
                    }
                    _ if name == "records" || is_message => {}
                    _ => cut_bodies(value, bodies),
                }
            }
        }
        _ => {}
    }
}

/// The types that a schema allows.
fn types(schema: &Json) -> BTreeSet<&str> {
    let one = schema["type"].as_str().into_iter();
    let several = schema["type"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let unions = ["anyOf", "oneOf"].into_iter().filter_map(|kind| schema[kind].as_array());
    let mut types: BTreeSet<_> = one.chain(several).collect();
    types.extend(unions.flatten().flat_map(types_of_part));
    types
}

fn types_of_part(schema: &Json) -> Vec<&str> {
    types(schema).into_iter().collect()
}

/// Where the declared schema and that of the records differ.
fn compare(declared: &Json, detected: &Json, path: &mut Vec<String>, differences: &mut Vec<Json>) {
    let mut tell = |path: &[String], kind: &str, declared: &Json, detected: &Json| {
        differences.push(json!({
            "path": path, "kind": kind, "declared": declared["type"], "detected": detected["type"],
        }));
    };
    let (allowed, found) = (types(declared), types(detected));
    let is_allowed =
        |kind: &&str| allowed.contains(*kind) || *kind == "integer" && allowed.contains("number");
    if !allowed.is_empty() && !found.iter().all(is_allowed) {
        tell(path, "type", declared, detected);
    }
    let fields = |schema: &Json| schema["properties"].as_object().cloned().unwrap_or_default();
    let (declared_fields, detected_fields) = (fields(declared), fields(detected));
    // What declares no fields at all takes any.
    if !declared_fields.is_empty() {
        for (name, detected) in &detected_fields {
            path.push(name.clone());
            match declared_fields.get(name) {
                Some(declared) => compare(declared, detected, path, differences),
                None => differences.push(json!({
                    "path": path, "kind": "missing", "declared": null, "detected": detected["type"],
                })),
            }
            path.pop();
        }
        for (name, declared) in &declared_fields {
            if !detected_fields.contains_key(name) && !detected_fields.is_empty() {
                let path = [path.as_slice(), std::slice::from_ref(name)].concat();
                differences.push(json!({
                    "path": path, "kind": "extra", "declared": declared["type"], "detected": null,
                }));
            }
        }
    }
    if declared["items"].is_object() && detected["items"].is_object() {
        path.push("[]".to_owned());
        compare(&declared["items"], &detected["items"], path, differences);
        path.pop();
    }
}

/// What is wrong with the primary key, by the records.
fn primary_key_problems<'r>(
    primary_key: &[Vec<String>],
    records: impl Iterator<Item = &'r Json>,
) -> Vec<String> {
    if primary_key.is_empty() {
        return Vec::new();
    }
    let name = |path: &[String]| path.join(".");
    let mut missing = BTreeSet::new();
    let (mut seen, mut n_repeated) = (HashSet::new(), 0);
    for record in records {
        let values: Vec<_> = primary_key
            .iter()
            .map(|path| path.iter().try_fold(record, |value, name| value.get(name)))
            .collect();
        for (path, value) in primary_key.iter().zip(&values) {
            if value.is_none_or(Json::is_null) {
                missing.insert(format!("`{}` is not in all records", name(path)));
            }
        }
        n_repeated += usize::from(!seen.insert(json!(values).to_string()));
    }
    let mut problems: Vec<_> = missing.into_iter().collect();
    if n_repeated > 0 {
        let key: Vec<_> = primary_key.iter().map(|path| name(path)).collect();
        let plural = if n_repeated == 1 { "record has" } else { "records have" };
        problems.push(format!("{n_repeated} {plural} the `{}` of another one", key.join(", ")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_compared_field_by_field() {
        let declared = json!({"type": "object", "properties": {
            "id": {"type": "integer"}, "gone": {"type": "string"}, "price": {"type": ["null", "number"]},
            "tags": {"type": "array", "items": {"properties": {"a": {"type": "string"}}}}, "any": {},
        }});
        let detected = json!({"type": "object", "properties": {
            "id": {"type": "string"}, "new": {"type": "boolean"}, "price": {"type": ["integer", "null"]},
            "tags": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "null"}}}},
            "any": {"type": "object"},
        }});
        let mut differences = Vec::new();
        compare(&declared, &detected, &mut Vec::new(), &mut differences);
        let differences: Vec<_> = differences
            .iter()
            .map(|it| {
                format!("{} {} {} {}", it["path"], it["kind"], it["declared"], it["detected"])
            })
            .collect();
        let expect = [
            r#"["id"] "type" "integer" "string""#,
            r#"["new"] "missing" null "boolean""#,
            r#"["tags","[]","b"] "missing" null "null""#,
            r#"["tags","[]","a"] "extra" "string" null"#,
            r#"["gone"] "extra" "string" null"#,
        ];
        assert_eq!(differences, expect);
    }

    #[test]
    fn keys_that_identify_nothing_are_told() {
        let records = [json!({"id": 1}), json!({"id": 1}), json!({"id": null}), json!({})];
        let problems = primary_key_problems(&[vec!["id".to_owned()]], records.iter());
        assert_eq!(
            problems,
            ["`id` is not in all records", "2 records have the `id` of another one"]
        );
        assert!(primary_key_problems(&[], records.iter()).is_empty());
    }

    #[test]
    fn long_bodies_are_cut() {
        let long = "é".repeat(LONGEST_BODY);
        let mut value = json!({"slices": [{"pages": [
            {"request": {"body": "short"}, "response": {"body": long}, "records": [{"body": long}]},
        ]}]});
        let mut bodies = Vec::new();
        cut_bodies(&mut value, &mut bodies);
        let page = &value["slices"][0]["pages"][0];
        assert_eq!(page["response"]["body"].as_str().unwrap().len(), LONGEST_BODY);
        assert_eq!(
            (&page["response"]["body_length"], &page["response"]["body_id"]),
            (&json!(long.len()), &json!(0))
        );
        assert_eq!(page["request"], json!({"body": "short"}));
        assert_eq!(page["records"][0]["body"], json!(long));
        assert_eq!(bodies, [long]);
    }

    #[test]
    fn waits_are_told_with_the_request_that_is_sent_then() {
        let mut timeline = Timeline::default();
        let request = |id, at_ms| Event::Request {
            id,
            kind: "stream",
            stream: "a".to_owned(),
            method: "GET".to_owned(),
            url: "https://x.com/a?b=1".to_owned(),
            at_ms,
        };
        let wait = |wait, at_ms| Event::Wait { wait, seconds: 1.0, reason: String::new(), at_ms };
        for event in [
            request(1, 0),
            Event::Response { id: 1, status: 429, bytes: 0, first_byte_ms: 3, at_ms: 5 },
            wait(1, 6),
            Event::WaitEnded { wait: 1, at_ms: 1006 },
            request(2, 1007),
            wait(2, 1007),
            Event::WaitEnded { wait: 2, at_ms: 1507 },
            Event::Response { id: 2, status: 200, bytes: 0, first_byte_ms: 1506, at_ms: 1509 },
        ] {
            timeline.hear(&event);
        }
        let expect = json!([
            {"id": 1, "kind": "stream", "title": "GET /a?b=1", "started_ms": 0, "waited_ms": 0,
             "first_byte_ms": 3, "ended_ms": 5, "depends_on": null},
            {"id": 2, "kind": "stream", "title": "GET /a?b=1", "started_ms": 1507, "waited_ms": 1500,
             "first_byte_ms": 1507, "ended_ms": 1509, "depends_on": 1},
        ]);
        assert_eq!(json!(timeline), expect);
    }
}
