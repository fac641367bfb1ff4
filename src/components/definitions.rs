//! The JSON schema of manifests, derived from the shapes that read them.
//!
//! It is of draft 7, as the reference's own: what most editors understand.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde_json::json;

use super::slot::Registry;
use crate::value::{Json, Map};

/// The key under which a slot's schema names its family, until the registry says who that is.
pub(super) const FAMILY: &str = "$family";

/// The schema of a value that has a definition of its own.
pub fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/definitions/{name}")})
}

/// Definitions by their name, while they are gathered.
#[derive(Debug, Default)]
pub struct Definitions(BTreeMap<&'static str, Json>);

impl Definitions {
    /// Adds a definition; false if it is there already.
    pub fn add(&mut self, name: &'static str, make: impl FnOnce() -> Json) -> bool {
        match self.0.entry(name) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(make());
                true
            }
        }
    }

    /// A JSON schema with one of the definitions as its root.
    pub fn into_schema(mut self, root: &str, registry: &Registry) -> Json {
        let mut schema = Map::new();
        schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
        if let Some(Json::Object(root)) = self.0.remove(root) {
            schema.extend(root);
        }
        let definitions: Map =
            self.0.into_iter().map(|(name, json)| (name.to_owned(), json)).collect();
        schema.insert("definitions".to_owned(), Json::Object(definitions));
        let mut schema = Json::Object(schema);
        expand_families(&mut schema, registry);
        schema
    }
}

/// Puts the unions of families where their names stand.
fn expand_families(schema: &mut Json, registry: &Registry) {
    match schema {
        Json::Array(items) => items.iter_mut().for_each(|item| expand_families(item, registry)),
        Json::Object(fields) => {
            fields.values_mut().for_each(|value| expand_families(value, registry));
            if let Some(Json::String(family)) = fields.remove(FAMILY) {
                let members = registry.members(&family).filter(|member| !member.is_list());
                let union = members.map(|member| reference(member.type_name));
                fields.insert("anyOf".to_owned(), union.collect());
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::components::registry::manifest_schema;
    use crate::manifest::{Manifest, Source};

    /// The definitions of the reference; `integration_tests/tools/reference_definitions.py` makes
    /// the list, and says how it is spelled.
    const REFERENCE: &str = include_str!("testdata/definitions.json");

    const KINDS: [&str; 6] = ["array", "boolean", "null", "number", "object", "string"];

    /// Spells our schema as the reference's is spelled.
    struct Speller<'a> {
        reference: &'a Map,
        definitions: &'a Map,
    }

    impl Speller<'_> {
        fn spell(&self, schema: &Json) -> String {
            let parts: BTreeSet<_> = self.parts(schema).into_iter().collect();
            parts.into_iter().collect::<Vec<_>>().join(" | ")
        }

        fn parts(&self, schema: &Json) -> Vec<String> {
            if let Some(name) = schema["$ref"].as_str() {
                let name = name.trim_start_matches("#/definitions/");
                // What has no name there is spelled where it stands.
                return if self.reference.contains_key(name) {
                    vec![format!("@{name}")]
                } else {
                    self.parts(&self.definitions[name])
                };
            }
            if let Some(parts) = schema["anyOf"].as_array() {
                return parts.iter().flat_map(|part| self.parts(part)).collect();
            }
            if let Some(words) = schema["enum"].as_array() {
                return words.iter().map(Json::to_string).collect();
            }
            let kinds: Vec<_> = match &schema["type"] {
                Json::String(kind) => vec![kind.as_str()],
                Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).collect(),
                _ => vec!["any"],
            };
            if KINDS.iter().all(|kind| kinds.contains(kind)) {
                return vec!["any".to_owned()];
            }
            kinds.into_iter().map(|kind| self.kind(kind, schema)).collect()
        }

        fn kind(&self, kind: &str, schema: &Json) -> String {
            let bound = |name: &str, sign: &str| {
                schema[name].as_f64().map(|bound| format!(" {sign} {bound}")).unwrap_or_default()
            };
            match kind {
                "array" => {
                    let once = if schema["uniqueItems"] == true { " once" } else { "" };
                    let items = self.spell(&schema["items"]);
                    format!("[{items}{once}]{}", bound("minItems", "of at least"))
                }
                "object" if schema["properties"].is_object() => {
                    let fields = self.fields(schema);
                    let fields = fields
                        .iter()
                        .map(|(name, it)| format!("{name}: {}", it.as_str().unwrap_or_default()));
                    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
                }
                "object" if schema["additionalProperties"].is_object() => {
                    format!("{{*: {}}}", self.spell(&schema["additionalProperties"]))
                }
                _ => format!("{kind}{}{}", bound("minimum", ">="), bound("exclusiveMinimum", ">")),
            }
        }

        fn fields(&self, schema: &Json) -> Map {
            let required = schema["required"].as_array().unwrap();
            let fields = schema["properties"].as_object().unwrap().iter();
            let mut fields: BTreeMap<String, Json> = fields
                .filter(|(name, _)| *name != "$parameters")
                .map(|(name, schema)| {
                    let mark = if required.iter().any(|it| it == name) { "" } else { "?" };
                    (format!("{name}{mark}"), Json::String(self.spell(schema)))
                })
                .collect();
            if schema["additionalProperties"] == false {
                fields.insert("*".to_owned(), json!("refused"));
            }
            fields.into_iter().collect()
        }

        fn definition(&self, name: &str) -> Option<Json> {
            let schema = self.definitions.get(name)?;
            Some(if schema["properties"].is_object() {
                Json::Object(self.fields(schema))
            } else {
                Json::String(self.spell(schema))
            })
        }
    }

    #[test]
    fn definitions_are_those_of_the_reference() {
        let Json::Object(reference) = serde_json::from_str(REFERENCE).unwrap() else { panic!() };
        let schema = manifest_schema();
        let mut definitions = schema["definitions"].as_object().unwrap().clone();
        definitions.insert("DeclarativeSource".to_owned(), schema.clone());
        let speller = Speller { reference: &reference, definitions: &definitions };
        let mut differences = Vec::new();
        for (name, theirs) in &reference {
            let ours = speller.definition(name).unwrap_or_default();
            let (Json::Object(theirs), Json::Object(ours)) = (theirs, &ours) else {
                if *theirs != ours {
                    differences.push(format!("{name}\n    there {theirs}\n    here  {ours}"));
                }
                continue;
            };
            let fields: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
            for field in fields.into_iter().filter(|field| theirs.get(*field) != ours.get(*field)) {
                let spelled = |fields: &Map| fields.get(field).cloned().unwrap_or_default();
                let (theirs, ours) = (spelled(theirs), spelled(ours));
                differences.push(format!("{name}.{field}\n    there {theirs}\n    here  {ours}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }

    #[test]
    fn everything_is_described_and_defined() {
        fn walk(schema: &Json, path: &str, definitions: &Map, faults: &mut Vec<String>) {
            if let Some(name) = schema["$ref"].as_str() {
                let name = name.trim_start_matches("#/definitions/");
                if !definitions.contains_key(name) {
                    faults.push(format!("{path}: there is no {name}"));
                }
            }
            if schema.get(FAMILY).is_some() {
                faults.push(format!("{path}: an unknown family"));
            }
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let is_told = property["description"].as_str().is_some_and(|it| !it.is_empty());
                if !is_told && !["type", "$parameters"].contains(&name.as_str()) {
                    faults.push(format!("{path}.{name}: no description"));
                }
            }
            let children = match schema {
                Json::Object(fields) => fields.iter().map(|(k, v)| (k.clone(), v)).collect(),
                Json::Array(items) => {
                    items.iter().enumerate().map(|(idx, it)| (idx.to_string(), it)).collect()
                }
                _ => Vec::new(),
            };
            for (name, child) in children {
                walk(child, &format!("{path}.{name}"), definitions, faults);
            }
        }
        let schema = manifest_schema();
        let definitions = schema["definitions"].as_object().unwrap();
        let mut faults = Vec::new();
        for (name, definition) in definitions {
            if definition["description"].as_str().is_none_or(str::is_empty) {
                faults.push(format!("{name}: no description"));
            }
        }
        walk(&schema, "", definitions, &mut faults);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn it_is_a_json_schema_that_the_examples_obey() {
        let schema = manifest_schema();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
        let mut n_manifests = 0;
        for folder in std::fs::read_dir(folder).unwrap() {
            let file = folder.unwrap().path().join("manifest.yaml");
            let manifest = Manifest::from_yaml(Source::read(&file).unwrap());
            let root = manifest.root.to_json();
            let errors: Vec<_> = validator.iter_errors(&root).map(|err| err.to_string()).collect();
            assert_eq!(errors, [""; 0], "{}", file.display());
            n_manifests += 1;
        }
        assert!(n_manifests > 5);
    }
}
