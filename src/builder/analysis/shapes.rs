//! What the schema of manifests says of a place in one.

use std::fmt::Write;
use std::sync::LazyLock;

use crate::builder::edit::Step;
use crate::components::registry::manifest_schema;
use crate::manifest::{Node, default_type};
use crate::value::{Json, Map};

static SCHEMA: LazyLock<Json> = LazyLock::new(manifest_schema);

/// What may stand at a place: schemas without references and unions.
pub(super) type Shapes = Vec<&'static Json>;

/// What is known of a mapping on the way to a place.
#[derive(Debug)]
pub(super) struct Holder<'n> {
    /// The mapping or list.
    pub(super) node: &'n Node,
    /// What it may be; one if its type is known.
    pub(super) shapes: Shapes,
    /// What could stand there before its own `type` is looked at.
    pub(super) candidates: Shapes,
}

/// The mappings and lists on the way to a place, from the outside in, its value not included; and
/// what may stand at the place.
pub(super) fn way<'n>(root: &'n Node, path: &[Step]) -> (Vec<Holder<'n>>, Shapes) {
    let mut holders = Vec::new();
    let mut candidates: Shapes = vec![&SCHEMA];
    let mut parent = "";
    let mut field = "";
    let mut node = Some(root);
    for step in path {
        let Some(holder) = node else { return (holders, candidates) };
        let shapes = narrowed(&candidates, holder, parent, field);
        let next = below(&shapes, step);
        if let [shape] = shapes.as_slice()
            && let Some(name) = type_of(shape)
        {
            parent = name;
        }
        if let Step::Key(name) = step {
            field = name;
        }
        node = step.of(holder);
        holders.push(Holder { node: holder, shapes, candidates });
        candidates = next;
    }
    let shapes = match node {
        Some(node) if node.as_map().is_some() => narrowed(&candidates, node, parent, field),
        _ => candidates,
    };
    (holders, shapes)
}

/// What may stand in a field, or as an item.
fn below(shapes: &[&'static Json], step: &Step) -> Shapes {
    let mut found = Vec::new();
    for shape in shapes {
        let next = match step {
            Step::Key(name) => {
                shape["properties"].get(name).unwrap_or(&shape["additionalProperties"])
            }
            Step::Index(_) => &shape["items"],
        };
        if next.is_object() {
            expand(next, &mut found);
        }
    }
    found
}

/// Follows references and takes unions apart.
fn expand(schema: &'static Json, found: &mut Shapes) {
    if let Some(name) = schema["$ref"].as_str() {
        if let Some(definition) = definition(name.trim_start_matches("#/definitions/")) {
            expand(definition, found);
        }
    } else if let Some(parts) = schema["anyOf"].as_array() {
        for part in parts {
            expand(part, found);
        }
    } else if !found.iter().any(|known| std::ptr::eq(*known, schema)) {
        found.push(schema);
    }
}

fn definitions() -> Option<&'static Map> {
    SCHEMA["definitions"].as_object()
}

fn definition(name: &str) -> Option<&'static Json> {
    definitions()?.get(name)
}

/// The `type` that components of a shape have.
pub(super) fn type_of(shape: &'static Json) -> Option<&'static str> {
    shape["properties"]["type"]["enum"][0].as_str()
}

/// The shape of components of a `type`.
pub(super) fn of_type(name: &str) -> Option<&'static Json> {
    let by_name = definition(name).filter(|shape| type_of(shape) == Some(name));
    by_name.or_else(|| definitions()?.values().find(|shape| type_of(shape) == Some(name)))
}

/// What a node is of all that may stand where it is.
fn narrowed(candidates: &[&'static Json], node: &Node, parent: &str, field: &str) -> Shapes {
    if node.as_map().is_none() {
        return candidates.to_vec();
    }
    let is_custom = node.get("class_name").is_some();
    let name = node.type_name().or_else(|| default_type(parent, field, is_custom));
    let objects = || candidates.iter().copied().filter(|it| it["properties"].is_object());
    if let Some(name) = name {
        if let Some(shape) = objects().find(|shape| type_of(shape) == Some(name)) {
            return vec![shape];
        }
        if node.type_name().is_some()
            && let Some(shape) = of_type(name)
        {
            return vec![shape];
        }
    }
    let objects: Vec<_> = objects().collect();
    if objects.is_empty() { candidates.to_vec() } else { objects }
}

/// The type of a value in a word or two.
pub(super) fn kind(schema: &Json) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.trim_start_matches("#/definitions/").to_owned();
    }
    if let Some(parts) = schema["anyOf"].as_array() {
        let mut kinds: Vec<_> = parts.iter().map(kind).collect();
        kinds.dedup();
        let more = kinds.len().saturating_sub(4);
        kinds.truncate(4);
        let more = if more > 0 { format!(" | {more} more") } else { String::new() };
        return kinds.join(" | ") + &more;
    }
    let name = match &schema["type"] {
        Json::String(name) => name.clone(),
        Json::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Json::as_str).collect();
            if names.len() > 4 { "any".to_owned() } else { names.join(" | ") }
        }
        _ => "any".to_owned(),
    };
    if name == "array" { format!("list of {}", kind(&schema["items"])) } else { name }
}

/// The documentation of a field, in Markdown.
pub(super) fn documentation(schema: &Json) -> String {
    let mut text = schema["description"].as_str().unwrap_or_default().to_owned();
    if let Some(default) = schema.get("default") {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n\nWithout it: `{default}`.");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| format!("`{}`", plain(word))).collect();
        let _ = write!(text, "\n\nOne of {}.", words.join(", "));
    }
    text
}

/// A word of an enumeration as it is written.
pub(super) fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
