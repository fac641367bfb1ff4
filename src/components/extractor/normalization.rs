//! `schema_normalization`: values become those of the types that the stream's schema declares.
//!
//! Only fields that `properties`, `items`, and `$ref` lead to are looked at. A
//! field with one type besides null is converted; what cannot be converted
//! stays, and the log tells that it does not fit the schema.

use std::collections::HashMap;

use serde_json::json;
use tracing::warn;

use crate::value::{Json, Map, is_truthy, python_float, python_int, python_str};

/// A schema, ready to convert records.
#[derive(Debug)]
pub(super) struct Normalizer {
    /// The schema itself comes first.
    nodes: Vec<Node>,
}

/// A schema or a part of it.
#[derive(Debug, Default)]
struct Node {
    target: Target,
    /// Null stays null.
    is_nullable: bool,
    /// The declared types, which the log tells when a value has none of them.
    types: Option<Json>,
    properties: Vec<(String, NodeIdx)>,
    items: Option<NodeIdx>,
    reference: Option<NodeIdx>,
}

type NodeIdx = usize;

/// What a value is converted to.
#[derive(Clone, Copy, Debug, Default)]
enum Target {
    #[default]
    Same,
    Text,
    Number,
    Integer,
    Boolean,
    /// A list, of which a bare value becomes the only item.
    List,
}

/// Where in a record a value is.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

const SIMPLE_TYPES: [&str; 5] = ["string", "number", "integer", "boolean", "null"];

impl Normalizer {
    /// Reads a schema; a reference that leads nowhere asks nothing.
    pub(super) fn new(schema: &Json) -> Self {
        let mut compiler = Compiler { root: schema, nodes: Vec::new(), references: HashMap::new() };
        compiler.node(schema);
        Self { nodes: compiler.nodes }
    }

    /// Converts the values of `record`.
    pub(super) fn normalize(&self, record: &mut Json) {
        self.descend(0, record, Place::Root);
    }

    /// Checks a value, and converts those inside of it.
    fn descend(&self, node_idx: NodeIdx, value: &mut Json, place: Place<'_>) {
        let node = &self.nodes[node_idx];
        if let Some(types) = &node.types
            && !has_type(value, types)
        {
            let (from, to) = (structure(value, 0), python_str(types));
            let from = python_str(&from);
            warn!(
                target: "airbyte",
                "Failed to transform value from type '{from}' to type '{to}' at path: '{place}'"
            );
        }
        match value {
            Json::Object(object) => {
                for (key, child_idx) in &node.properties {
                    if let Some(child) = object.get_mut(key) {
                        self.nodes[*child_idx].convert(child);
                        self.descend(*child_idx, child, Place::Key(&place, key));
                    }
                }
            }
            Json::Array(items) => {
                if let Some(child_idx) = node.items {
                    for (index, item) in items.iter_mut().enumerate() {
                        self.nodes[child_idx].convert(item);
                        self.descend(child_idx, item, Place::Index(&place, index));
                    }
                }
            }
            _ => {}
        }
        if let Some(referred_idx) = node.reference {
            self.descend(referred_idx, value, place);
        }
    }
}

impl Node {
    /// Converts a value, if that is possible.
    fn convert(&self, value: &mut Json) {
        if value.is_null() && self.is_nullable {
            return;
        }
        let converted = match self.target {
            Target::Same => None,
            Target::Text if value.is_string() => None,
            Target::Text => Some(Json::from(python_str(value).into_owned())),
            Target::Number => to_number(value).map(Json::from),
            Target::Integer => python_int(value).map(Json::from),
            Target::Boolean => to_bool(value).map(Json::Bool),
            Target::List if value.is_array() || value.is_object() => None,
            Target::List => Some(json!([value.take()])),
        };
        if let Some(converted) = converted {
            *value = converted;
        }
    }
}

fn to_number(value: &Json) -> Option<f64> {
    match value {
        Json::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Json::Number(number) => number.as_f64(),
        Json::String(text) => python_float(text),
        _ => None,
    }
}

/// The words for yes and no, and else what Python makes of a value; other text has no truth.
fn to_bool(value: &Json) -> Option<bool> {
    match value {
        Json::String(text) => match text.to_lowercase().trim() {
            "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
            "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
            _ => None,
        },
        value => Some(is_truthy(value)),
    }
}

/// Whether a value has one of the types that a schema declares.
fn has_type(value: &Json, types: &Json) -> bool {
    let is_one = |name: &Json| match (name.as_str(), value) {
        (Some("string"), Json::String(_))
        | (Some("boolean"), Json::Bool(_))
        | (Some("null"), Json::Null)
        | (Some("object"), Json::Object(_))
        | (Some("array"), Json::Array(_))
        | (Some("number"), Json::Number(_)) => true,
        (Some("integer"), Json::Number(number)) => {
            number.as_f64().is_none_or(|float| float.fract() == 0.0)
        }
        _ => false,
    };
    types.as_array().map_or_else(|| is_one(types), |types| types.iter().any(is_one))
}

/// The type of a value; of an object, the types of its fields.
fn structure(value: &Json, depth: usize) -> Json {
    let name = match value {
        Json::Object(object) if depth < 3 => {
            let field = |(key, value): (&String, &Json)| (key.clone(), structure(value, depth + 1));
            return Json::Object(object.iter().map(field).collect());
        }
        Json::Object(_) => "object",
        Json::Array(_) => "array",
        Json::String(_) => "string",
        Json::Bool(_) => "boolean",
        Json::Number(number) if number.is_f64() => "number",
        Json::Number(_) => "integer",
        Json::Null => "null",
    };
    Json::from(name)
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (parent, name) = match self {
            Self::Root => return Ok(()),
            Self::Key(parent, key) => (parent, (*key).to_owned()),
            Self::Index(parent, index) => (parent, index.to_string()),
        };
        match parent {
            Self::Root => f.write_str(&name),
            _ => write!(f, "{parent}.{name}"),
        }
    }
}

/// Makes nodes of a schema.
struct Compiler<'s> {
    root: &'s Json,
    nodes: Vec<Node>,
    /// The nodes of what references lead to, which may lead back to themselves.
    references: HashMap<&'s str, NodeIdx>,
}

impl<'s> Compiler<'s> {
    fn node(&mut self, schema: &'s Json) -> NodeIdx {
        let node_idx = self.nodes.len();
        self.nodes.push(Node::default());
        let types = schema.get("type");
        let (target, is_nullable) = target(schema, types);
        let properties = schema.get("properties").and_then(Json::as_object);
        let properties = properties.into_iter().flatten();
        self.nodes[node_idx] = Node {
            target,
            is_nullable,
            types: types.cloned(),
            properties: properties.map(|(key, schema)| (key.clone(), self.node(schema))).collect(),
            items: schema.get("items").filter(|items| items.is_object()).map(|it| self.node(it)),
            reference: schema.get("$ref").and_then(Json::as_str).and_then(|it| self.reference(it)),
        };
        node_idx
    }

    fn reference(&mut self, reference: &'s str) -> Option<NodeIdx> {
        if let Some(node_idx) = self.references.get(reference) {
            return Some(*node_idx);
        }
        let referred = self.root.pointer(reference.strip_prefix('#')?)?;
        self.references.insert(reference, self.nodes.len());
        Some(self.node(referred))
    }
}

/// What values of a schema are converted to, and whether null stays.
fn target(schema: &Json, types: Option<&Json>) -> (Target, bool) {
    let (name, is_nullable) = match types {
        Some(Json::String(name)) => (Some(name.as_str()), name == "null"),
        Some(Json::Array(names)) => {
            let mut others = names.iter().filter_map(Json::as_str).filter(|name| *name != "null");
            let only = others.next().filter(|_| others.next().is_none());
            (only, names.iter().any(|name| name == "null"))
        }
        _ => (None, false),
    };
    let target = match name {
        Some("string") => Target::Text,
        Some("number") => Target::Number,
        Some("integer") => Target::Integer,
        Some("boolean") => Target::Boolean,
        Some("array") if has_simple_items(schema.get("items")) => Target::List,
        _ => Target::Same,
    };
    (target, is_nullable)
}

/// Whether the items of a list are declared as simple types in a list; one type alone is taken for
/// its letters by the reference, and so never is simple.
fn has_simple_items(items: Option<&Json>) -> bool {
    match items.and_then(|items| items.get("type")) {
        None => true,
        Some(Json::Array(names)) => {
            names.iter().all(|name| name.as_str().is_some_and(|name| SIMPLE_TYPES.contains(&name)))
        }
        Some(_) => false,
    }
}

/// Whether a schema asks anything of records at all.
pub(super) fn is_schema(schema: &Json) -> bool {
    schema.as_object().is_some_and(|schema: &Map| !schema.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normalises the one field `a` of a record.
    #[track_caller]
    fn check(schema: Json, values: &[(Json, Json)]) {
        let schema = Json::Object(Map::from_iter([(
            "properties".to_owned(),
            Json::Object(Map::from_iter([("a".to_owned(), schema)])),
        )]));
        let normalizer = Normalizer::new(&schema);
        for (value, expect) in values {
            let mut record = json!({"a": value, "b": value});
            normalizer.normalize(&mut record);
            assert_eq!(record, json!({"a": expect, "b": value}), "{schema}");
            assert_eq!(record["a"].to_string(), expect.to_string());
        }
    }

    #[test]
    fn text() {
        let values = [
            (json!(1.0), json!("1.0")),
            (json!(true), json!("True")),
            (json!({"x": "3"}), json!("{'x': '3'}")),
            (json!("a"), json!("a")),
        ];
        check(json!({"type": "string"}), &values);
        check(json!({"type": ["null", "string"]}), &values);
        check(json!({"type": "string"}), &[(json!(null), json!("None"))]);
        check(json!({"type": ["string", "null"]}), &[(json!(null), json!(null))]);
    }

    #[test]
    fn numbers() {
        check(
            json!({"type": "number"}),
            &[
                (json!("1.5"), json!(1.5)),
                (json!(2), json!(2.0)),
                (json!(true), json!(1.0)),
                (json!("x"), json!("x")),
                (json!(null), json!(null)),
                (json!([1]), json!([1])),
            ],
        );
        check(
            json!({"type": ["integer", "null"]}),
            &[
                (json!("12"), json!(12)),
                (json!("1.9"), json!("1.9")),
                (json!(1.9), json!(1)),
                (json!(-1.9), json!(-1)),
                (json!(true), json!(1)),
                (json!(null), json!(null)),
            ],
        );
    }

    #[test]
    fn truth() {
        check(
            json!({"type": "boolean"}),
            &[
                (json!(" Yes "), json!(true)),
                (json!("OFF"), json!(false)),
                (json!("maybe"), json!("maybe")),
                (json!(0), json!(false)),
                (json!([0]), json!(true)),
                (json!(null), json!(false)),
            ],
        );
    }

    #[test]
    fn lists_of_simple_types_take_bare_values() {
        check(
            json!({"type": "array", "items": {"type": ["null", "integer"]}}),
            &[
                (json!("5"), json!([5])),
                (json!(["5", null]), json!([5, null])),
                (json!({"x": 1}), json!({"x": 1})),
            ],
        );
        check(
            json!({"type": ["array", "null"]}),
            &[(json!(1), json!([1])), (json!(null), json!(null))],
        );
        check(json!({"type": "array"}), &[(json!(null), json!([null]))]);
        check(
            json!({"type": "array", "items": {"type": "string"}}),
            &[(json!(1), json!(1)), (json!([1]), json!(["1"]))],
        );
        check(json!({"type": "array", "items": {"type": ["object"]}}), &[(json!(1), json!(1))]);
    }

    #[test]
    fn what_has_several_types_stays() {
        check(json!({"type": ["string", "integer"]}), &[(json!(1.5), json!(1.5))]);
        check(json!({"anyOf": [{"type": "string"}]}), &[(json!(1), json!(1))]);
        check(json!({}), &[(json!(1), json!(1))]);
    }

    #[test]
    fn objects_are_entered() {
        let inner = json!({"type": "object", "properties": {"x": {"type": "string"}}});
        check(
            inner,
            &[(json!({"x": 1, "y": 1}), json!({"x": "1", "y": 1})), (json!("x"), json!("x"))],
        );
    }

    #[test]
    fn references_are_followed_into_objects() {
        let schema = json!({
            "properties": {"a": {"$ref": "#/definitions/tree"}, "b": {"$ref": "#/nowhere"}},
            "definitions": {"tree": {"type": "integer", "properties": {
                "n": {"type": "integer"}, "l": {"type": "array", "items": {"$ref": "#/definitions/tree"}}
            }}}
        });
        let mut record = json!({"a": {"n": "1", "l": [{"n": "2"}, "3"]}, "b": "4"});
        Normalizer::new(&schema).normalize(&mut record);
        assert_eq!(record, json!({"a": {"n": 1, "l": [{"n": 2}, "3"]}, "b": "4"}));
    }

    #[test]
    fn places_and_types_are_told() {
        let (a, b) = (Place::Key(&Place::Root, "a"), Place::Root);
        assert_eq!(Place::Key(&Place::Index(&a, 0), "b").to_string(), "a.0.b");
        assert_eq!(b.to_string(), "");
        let value = json!({"a": {"b": {"c": {"d": 1}}}, "e": [1], "f": 1.5, "g": null});
        assert_eq!(
            structure(&value, 0),
            json!({"a": {"b": {"c": "object"}}, "e": "array", "f": "number", "g": "null"})
        );
    }
}
