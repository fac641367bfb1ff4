//! The normal form of a resolved manifest: what is said several times is said once, under
//! `definitions.linked`, and referred to.
//!
//! The rules are those of the reference's normaliser, which writes the manifests of its Builder.
//! It takes equal mappings under different names for the same thing, and writes what the first of
//! them is called into the components of all; here those of other names only stay as they are.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::json;

use crate::value::{Json, Map, PythonJson};

/// The fields whose values are worth sharing.
const LINKABLE: [&str; 9] = [
    "authenticator",
    "error_handler",
    "file_uploader",
    "paginator",
    "request_body",
    "request_headers",
    "request_parameters",
    "transformations",
    "url_base",
];

const DEFINITIONS: &str = "definitions";
const LINKED: &str = "linked";

/// A field somewhere in the manifest: the path to its component, and its name.
#[derive(Clone)]
struct Field {
    parent: String,
    name: String,
}

/// The normal form; the manifest as it is where it has none.
pub fn normalize(manifest: &Json) -> Json {
    let mut normal = manifest.clone();
    let is_done = normalize_in_place(&mut normal).is_some();
    if is_done { normal } else { manifest.clone() }
}

fn normalize_in_place(manifest: &mut Json) -> Option<()> {
    keep_linked_definitions(manifest)?;
    let mut repeated = IndexMap::new();
    gather(manifest, "", &mut repeated);
    repeated.retain(|_, fields: &mut Vec<Field>| fields.len() > 1);
    // What is said most often comes first, and what is inside of it before.
    repeated.sort_by(|_, one, _, other| other.len().cmp(&one.len()));
    for fields in repeated.values() {
        link(manifest, fields)?;
    }
    refer_to_parents(manifest);
    drop_unused(manifest);
    Some(())
}

/// Empties the definitions, but for those of an earlier normal form.
fn keep_linked_definitions(manifest: &mut Json) -> Option<()> {
    let definitions = manifest.as_object_mut()?.entry(DEFINITIONS).or_insert_with(|| json!({}));
    let definitions = definitions.as_object_mut()?;
    let linked = definitions.remove(LINKED).unwrap_or_else(|| json!({}));
    *definitions = Map::from_iter([(LINKED.to_owned(), linked)]);
    Some(())
}

/// Gathers the linkable fields by their values.
fn gather(component: &Json, path: &str, repeated: &mut IndexMap<String, Vec<Field>>) {
    for (name, value) in component.as_object().into_iter().flatten() {
        if name == DEFINITIONS {
            continue;
        }
        let path_of_value = format!("{path}/{}", escape(name));
        match value {
            Json::Object(_) => gather(value, &path_of_value, repeated),
            Json::Array(items) => {
                for (idx, item) in items.iter().enumerate() {
                    gather(item, &format!("{path_of_value}/{idx}"), repeated);
                }
                continue;
            }
            Json::Null => continue,
            _ => {}
        }
        if LINKABLE.contains(&name.as_str()) {
            let key = match value {
                Json::Object(_) => PythonJson::SORTED.text(value),
                scalar => PythonJson::SORTED.text(&json!({ name: scalar })),
            };
            let field = Field { parent: path.to_owned(), name: name.clone() };
            repeated.entry(key).or_default().push(field);
        }
    }
}

/// Names in JSON pointers.
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Puts references where these fields are, which say the same, as far as they are called as the
/// first one is; the value goes to the linked definitions, unless there is one of that name with
/// another value.
fn link(manifest: &mut Json, fields: &[Field]) -> Option<()> {
    let first = fields.first()?;
    let component = manifest.pointer(&first.parent)?;
    let type_name = component.get("type")?.as_str()?.to_owned();
    let (name, value) = (&first.name, component.get(&first.name)?.clone());
    let linked = manifest.get_mut(DEFINITIONS)?.get_mut(LINKED)?.as_object_mut()?;
    let linked = linked.entry(&type_name).or_insert_with(|| json!({})).as_object_mut()?;
    if let Some(known) = linked.get(name)
        && *known != value
    {
        return Some(());
    }
    linked.entry(name).or_insert(value);
    let reference = json!({"$ref": format!("#/{DEFINITIONS}/{LINKED}/{type_name}/{name}")});
    for field in fields.iter().filter(|field| field.name == first.name) {
        let component = manifest.pointer_mut(&field.parent)?.as_object_mut()?;
        component.insert(field.name.clone(), reference.clone());
    }
    Some(())
}

/// Parents that are streams of the source become references to them.
fn refer_to_parents(manifest: &mut Json) {
    let Some(streams) = manifest.get_mut("streams").and_then(Json::as_array_mut) else { return };
    let keys = streams.iter().enumerate().map(|(idx, it)| (PythonJson::SORTED.text(it), idx));
    let known: HashMap<_, _> = keys.collect();
    for stream in streams {
        let Some(router) = stream.pointer_mut("/retriever/partition_router") else { continue };
        let routers = match router {
            Json::Array(routers) => routers.iter_mut().collect(),
            router => vec![router],
        };
        let routers = routers.into_iter().filter(|it| it["type"] == "SubstreamPartitionRouter");
        let parents = routers.filter_map(|it| it.get_mut("parent_stream_configs")?.as_array_mut());
        for parent in parents.flatten().filter_map(|it| it.get_mut("stream")) {
            let idx = known.get(&PythonJson::SORTED.text(parent));
            if let Some(idx) = idx.filter(|_| parent.is_object()) {
                *parent = json!({"$ref": format!("#/streams/{idx}")});
            }
        }
    }
}

/// Drops definitions and schemas that nothing refers to.
fn drop_unused(manifest: &mut Json) {
    let mut references = Vec::new();
    gather_references(manifest, &mut references);
    for section in [DEFINITIONS, "schemas"] {
        let Some(entries) = manifest.get_mut(section).and_then(Json::as_object_mut) else {
            continue;
        };
        entries.retain(|name, _| {
            let path = format!("{section}/{name}");
            references.iter().any(|reference| reference.starts_with(&path))
        });
        if let (true, Some(manifest)) = (entries.is_empty(), manifest.as_object_mut()) {
            manifest.shift_remove(section);
        }
    }
}

/// What `$ref`s refer to, without `#/`; those in lists of lists are overlooked.
fn gather_references(value: &Json, references: &mut Vec<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Json::String(text) if name == "$ref" => {
                references.extend(text.get(2..).map(str::to_owned));
            }
            Json::Array(items) => items.iter().for_each(|it| gather_references(it, references)),
            value => gather_references(value, references),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(name: &str, requester: &Json) -> Json {
        json!({"type": "DeclarativeStream", "name": name, "retriever": {"type": "SimpleRetriever", "requester": requester}})
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let auth = json!({"type": "BearerAuthenticator", "api_token": "x"});
        let requester =
            |url: &str| json!({"type": "HttpRequester", "url_base": url, "authenticator": auth});
        let manifest = json!({
            "definitions": {"unused": 1},
            "schemas": {"a": {}, "b": {}},
            "streams": [
                stream("a", &requester("u")), stream("b", &requester("u")),
                stream("c", &requester("v")), stream("d", &requester("v")),
                {"type": "DeclarativeStream", "name": "e", "schema_loader": {"schema": {"$ref": "#/schemas/b"}}},
            ],
        });
        let normal = normalize(&manifest);
        let linked = json!({"HttpRequester": {"authenticator": auth, "url_base": "u"}});
        assert_eq!(normal["definitions"], json!({"linked": linked}));
        let urls = (0..4)
            .map(|idx| normal.pointer(&format!("/streams/{idx}/retriever/requester/url_base")));
        let reference = json!({"$ref": "#/definitions/linked/HttpRequester/url_base"});
        assert_eq!(
            urls.flatten().collect::<Vec<_>>(),
            [&reference, &reference, &json!("v"), &json!("v")]
        );
        assert_eq!(normal["schemas"], json!({"b": {}}));
        assert_eq!(normalize(&normal), normal);
    }

    #[test]
    fn what_is_called_otherwise_stays() {
        let requester = |header: &str| json!({"type": "HttpRequester", "request_parameters": {}, "request_headers": {"a": header}});
        let plain = json!({"type": "HttpRequester", "request_headers": {}});
        let streams = json!([
            stream("a", &requester("b")),
            stream("b", &requester("b")),
            stream("c", &plain)
        ]);
        let normal = normalize(&json!({"streams": streams}));
        let linked = json!({"request_parameters": {}, "request_headers": {"a": "b"}});
        assert_eq!(normal["definitions"]["linked"]["HttpRequester"], linked);
        assert_eq!(normal["streams"][2], stream("c", &plain));
    }

    #[test]
    fn parents_are_referred_to() {
        let parent = stream("a", &json!({"type": "HttpRequester"}));
        let mut child = stream("b", &json!({"type": "HttpRequester"}));
        child["retriever"]["partition_router"] = json!([{
            "type": "SubstreamPartitionRouter", "parent_stream_configs": [{"stream": parent}],
        }]);
        let normal = normalize(&json!({"streams": [parent, child]}));
        let config =
            normal.pointer("/streams/1/retriever/partition_router/0/parent_stream_configs/0");
        assert_eq!(config, Some(&json!({"stream": {"$ref": "#/streams/0"}})));
        assert_eq!(normal.get("definitions"), None);
    }

    #[test]
    fn what_has_no_normal_form_stays() {
        let manifest = json!({"a": {"paginator": {}}, "b": {"paginator": {}}});
        assert_eq!(normalize(&manifest), manifest);
    }
}
