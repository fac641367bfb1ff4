//! The JSON schema that records have in common, as the reference infers it.
//!
//! Types of one value stand in one list, objects and lists with content beside them under `anyOf`;
//! every property may be null, but those that identify a record or order it.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::json;

use crate::value::{Json, Map, python_repr};

/// What was seen of one value: its types, in the order in which they came.
#[derive(Clone, Debug, Default)]
struct Node(Vec<Kind>);

/// A type, with what is known of the content.
#[derive(Clone, Debug)]
enum Kind {
    /// Any type without content, by its name.
    Scalar(&'static str),
    Array(Node),
    Object(IndexMap<String, Node>),
}

impl Node {
    fn add(&mut self, value: &Json) {
        match value {
            Json::Null => self.add_scalar("null"),
            Json::Bool(_) => self.add_scalar("boolean"),
            Json::Number(_) => self.add_scalar("number"),
            Json::String(_) => self.add_scalar("string"),
            Json::Array(values) => {
                let known = self.0.iter().position(|kind| matches!(kind, Kind::Array(_)));
                let idx = known.unwrap_or_else(|| self.push(Kind::Array(Self::default())));
                if let Some(Kind::Array(items)) = self.0.get_mut(idx) {
                    for value in values {
                        items.add(value);
                    }
                }
            }
            Json::Object(fields) => {
                let known = self.0.iter().position(|kind| matches!(kind, Kind::Object(_)));
                let idx = known.unwrap_or_else(|| self.push(Kind::Object(IndexMap::new())));
                if let Some(Kind::Object(properties)) = self.0.get_mut(idx) {
                    for (name, value) in fields {
                        match properties.get_mut(name) {
                            Some(property) => property.add(value),
                            None => properties.entry(name.clone()).or_default().add(value),
                        }
                    }
                }
            }
        }
    }

    fn push(&mut self, kind: Kind) -> usize {
        self.0.push(kind);
        self.0.len() - 1
    }

    fn add_scalar(&mut self, name: &'static str) {
        if !self.0.iter().any(|kind| matches!(kind, Kind::Scalar(known) if *known == name)) {
            self.0.push(Kind::Scalar(name));
        }
    }

    fn schema(&self) -> Map {
        let mut names = BTreeSet::new();
        let mut schemas = Vec::new();
        for kind in &self.0 {
            match kind {
                Kind::Scalar(name) => _ = names.insert(*name),
                Kind::Array(items) if items.0.is_empty() => _ = names.insert("array"),
                Kind::Object(properties) if properties.is_empty() => _ = names.insert("object"),
                Kind::Array(items) => {
                    schemas.push(json!({"type": "array", "items": items.schema()}));
                }
                Kind::Object(properties) => {
                    let properties: Map = properties
                        .iter()
                        .map(|(name, node)| (name.clone(), Json::Object(node.schema())))
                        .collect();
                    schemas.push(json!({"type": "object", "properties": properties}));
                }
            }
        }
        match names.len() {
            0 => {}
            1 => schemas.insert(0, json!({"type": names.first()})),
            _ => schemas.insert(0, json!({"type": names})),
        }
        match schemas.as_mut_slice() {
            [] => Map::new(),
            [Json::Object(schema)] => std::mem::take(schema),
            _ => Map::from_iter([("anyOf".to_owned(), Json::Array(schemas))]),
        }
    }
}

/// Infers the schema of a stream's records.
#[derive(Debug, Default)]
pub(super) struct Inferrer(Node);

impl Inferrer {
    /// Looks at a record.
    pub(super) fn observe(&mut self, record: &Json) {
        self.0.add(record);
    }

    /// The schema, in which `required` are the paths of fields that every record has; none without
    /// records. Also tells which of these are not there.
    pub(super) fn schema(&self, required: &[Vec<String>]) -> (Option<Json>, Vec<String>) {
        if self.0.0.is_empty() {
            return (None, Vec::new());
        }
        let mut root =
            Map::from_iter([("$schema".to_owned(), Json::from("http://json-schema.org/schema#"))]);
        root.extend(self.0.schema());
        clean(&mut root);
        root.insert("type".to_owned(), "object".into());
        let faults =
            required.iter().filter_map(|path| require(&mut root, path, &mut Vec::new()).err());
        let faults = faults.collect();
        (Some(Json::Object(root)), faults)
    }
}

/// Lets everything be null, and leaves out what never was anything else.
fn clean(node: &mut Map) {
    if node.contains_key("anyOf") {
        clean_any_of(node);
    }
    if let Some(Json::Object(properties)) = node.get_mut("properties") {
        properties.retain(|_, schema| schema.get("type") != Some(&Json::from("null")));
        properties.values_mut().filter_map(Json::as_object_mut).for_each(clean);
    }
    if let Some(Json::Object(items)) = node.get_mut("items") {
        clean(items);
    }
    if node.contains_key("anyOf") {
        node.shift_remove("type");
        return;
    }
    match node.get_mut("type") {
        Some(Json::Array(types)) => {
            types.retain(|name| name != "null");
            types.push("null".into());
        }
        Some(name) => *name = json!([name.take(), "null"]),
        None => {}
    }
}

/// What is either null or one other thing is that thing.
fn clean_any_of(node: &mut Map) {
    let Some(Json::Array(schemas)) = node.get_mut("anyOf") else { return };
    let is_null = |schema: &Json| *schema == json!({"type": "null"});
    let [first, second] = schemas.as_mut_slice() else { return };
    let real = match (is_null(first), is_null(second)) {
        (true, _) => second.take(),
        (_, true) => first.take(),
        _ => return,
    };
    let Json::Object(real) = real else { return };
    node.extend(real);
    let name = node.get("type").cloned();
    node.insert("type".to_owned(), json!([name, "null"]));
    node.shift_remove("anyOf");
}

/// Marks the field at `path` as one that is always there; the words of what is wrong are the
/// reference's own.
fn require(node: &mut Map, path: &[String], traveled: &mut Vec<String>) -> Result<(), String> {
    if let Some(Json::Array(types)) = node.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_mut_slice() {
            let only = only.take();
            node.insert("type".to_owned(), only);
        }
    }
    let Some((next, rest)) = path.split_first() else { return Ok(()) };
    let place = texts_repr(traveled);
    let Some(Json::Object(properties)) = node.get("properties") else {
        let schema = python_repr(&Json::Object(node.clone()));
        return Err(format!(
            "Path {place} does not refer to an object but is `{schema}` and hence {} can't be marked as required.",
            texts_repr(path)
        ));
    };
    let Some(property) = properties.get(next) else {
        return Err(format!(
            "Path {place} does not have field `{next}` in the schema and hence can't be marked as required."
        ));
    };
    if node.get("type") != Some(&Json::from("object")) {
        let name = property.get("type").map(python_repr).unwrap_or_default();
        return Err(format!("Path {place} is expected to be an object but was of type `{name}`"));
    }
    match node.get_mut("required") {
        Some(Json::Array(required)) if required.iter().any(|name| name == next) => {}
        Some(Json::Array(required)) => required.push(next.as_str().into()),
        _ => _ = node.insert("required".to_owned(), json!([next])),
    }
    traveled.push(next.clone());
    match node.get_mut("properties").and_then(|it| it.get_mut(next)) {
        Some(Json::Object(property)) => require(property, rest, traveled),
        _ => Ok(()),
    }
}

fn texts_repr(texts: &[String]) -> String {
    python_repr(&texts.iter().map(|text| Json::from(text.as_str())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(records: &[Json], expect: &Json) {
        let mut inferrer = Inferrer::default();
        for record in records {
            inferrer.observe(record);
        }
        let (schema, faults) = inferrer.schema(&[]);
        let schema = schema.unwrap();
        assert_eq!(schema["properties"].to_string(), expect.to_string());
        assert_eq!((&schema["type"], faults), (&json!("object"), vec![]));
    }

    #[test]
    fn everything_may_be_null() {
        check(
            &[json!({"n": 1, "s": "a", "b": true, "nothing": null}), json!({"n": 1.5, "s": null})],
            &json!({"n": {"type": ["number", "null"]}, "s": {"type": ["string", "null"]},
                "b": {"type": ["boolean", "null"]}}),
        );
    }

    #[test]
    fn types_of_one_field_stand_together() {
        check(
            &[json!({"a": 1}), json!({"a": "x"}), json!({"a": null}), json!({"a": []})],
            &json!({"a": {"type": ["array", "number", "string", "null"]}}),
        );
    }

    #[test]
    fn content_is_looked_into() {
        check(
            &[
                json!({"o": {"x": 1, "gone": null}, "l": [{"y": "a"}, {"y": null}], "e": {}, "k": [1, "a"]}),
            ],
            &json!({
                "o": {"type": ["object", "null"], "properties": {"x": {"type": ["number", "null"]}}},
                "l": {"type": ["array", "null"], "items": {"type": ["object", "null"],
                    "properties": {"y": {"type": ["string", "null"]}}}},
                "e": {"type": ["object", "null"]},
                "k": {"type": ["array", "null"], "items": {"type": ["number", "string", "null"]}},
            }),
        );
    }

    #[test]
    fn objects_beside_other_types_are_alternatives() {
        check(
            &[json!({"a": {"x": 1}, "b": {"x": 1}}), json!({"a": null, "b": "text"})],
            &json!({
                "a": {"type": ["object", "null"], "properties": {"x": {"type": ["number", "null"]}}},
                "b": {"anyOf": [{"type": "string"},
                    {"type": "object", "properties": {"x": {"type": "number"}}}]},
            }),
        );
    }

    #[track_caller]
    fn check_required(record: &Json, path: &[&str], expect: Result<&Json, &str>) {
        let mut inferrer = Inferrer::default();
        inferrer.observe(record);
        let path = path.iter().map(|&field| field.to_owned()).collect::<Vec<_>>();
        let (schema, faults) = inferrer.schema(&[path]);
        match expect {
            Ok(expect) => assert_eq!((schema.unwrap(), faults), (expect.clone(), vec![])),
            Err(expect) => assert_eq!(faults, [expect]),
        }
    }

    #[test]
    fn keys_are_always_there() {
        check_required(
            &json!({"id": 1, "o": {"id": 2}}),
            &["o", "id"],
            Ok(&json!({
                "$schema": "http://json-schema.org/schema#", "type": "object",
                "properties": {
                    "id": {"type": ["number", "null"]},
                    "o": {"type": "object", "properties": {"id": {"type": "number"}}, "required": ["id"]},
                },
                "required": ["o"],
            })),
        );
        check_required(
            &json!({"id": 1}),
            &["key"],
            Err(
                "Path [] does not have field `key` in the schema and hence can't be marked as required.",
            ),
        );
        check_required(
            &json!({"id": 1}),
            &["id", "key"],
            Err(
                "Path ['id'] does not refer to an object but is `{'type': 'number'}` and hence ['key'] can't be \
                 marked as required.",
            ),
        );
    }

    #[test]
    fn no_records_have_no_schema() {
        assert_eq!(Inferrer::default().schema(&[vec!["id".to_owned()]]), (None, vec![]));
    }
}
