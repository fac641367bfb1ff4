//! Finds the secrets of a config by the specification of its source.
//!
//! The reference misses secrets in lists, below `anyOf` and `allOf`, and under
//! keys that follow a pattern; nobody relies on that, so here all are found.

use crate::value::{Json, Map, Secrets, python_str};

/// References within references that are followed.
const MAX_DEPTH: usize = 64;

/// Masks from now on every value of `config` that `connection_specification`
/// marks with `airbyte_secret: true`, wherever it stands.
pub fn mask_config(config: &Map, connection_specification: &Map, secrets: &Secrets) {
    let finder = Finder { specification: connection_specification, secrets };
    finder.descend(connection_specification, &Json::Object(config.clone()), 0);
}

struct Finder<'a> {
    specification: &'a Map,
    secrets: &'a Secrets,
}

impl Finder<'_> {
    fn visit(&self, schema: &Json, value: &Json, depth: usize) {
        let Some(schema) = schema.as_object().filter(|_| depth < MAX_DEPTH) else { return };
        if schema.get("airbyte_secret") == Some(&Json::Bool(true)) {
            self.mask(value);
        } else {
            self.descend(schema, value, depth);
        }
    }

    fn descend(&self, schema: &Map, value: &Json, depth: usize) {
        self.visit_alternatives(schema, |schema| self.visit(schema, value, depth + 1));
        match value {
            Json::Object(object) => self.visit_properties(schema, object, depth),
            Json::Array(items) => self.visit_items(schema, items, depth),
            _ => {}
        }
    }

    /// Visits the other schemas that the same value may have to obey.
    fn visit_alternatives(&self, schema: &Map, visit: impl Fn(&Json)) {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            schema.get(keyword).and_then(Json::as_array).into_iter().flatten().for_each(&visit);
        }
        for keyword in ["if", "then", "else"] {
            schema.get(keyword).into_iter().for_each(&visit);
        }
        for keyword in ["dependencies", "dependentSchemas"] {
            let dependent = schema.get(keyword).and_then(Json::as_object);
            dependent.into_iter().flat_map(Map::values).for_each(&visit);
        }
        if let Some(uri) = schema.get("$ref").and_then(Json::as_str) {
            self.lookup(uri).into_iter().for_each(&visit);
        }
    }

    fn visit_properties(&self, schema: &Map, object: &Map, depth: usize) {
        let properties = schema.get("properties");
        let patterns = schema.get("patternProperties").and_then(Json::as_object);
        let patterns: Vec<_> = patterns
            .into_iter()
            .flatten()
            .map(|(pattern, schema)| (fancy_regex::Regex::new(pattern), schema))
            .collect();
        for (key, value) in object {
            let named = properties.and_then(|properties| properties.get(key));
            // A pattern that cannot be read may mean any key.
            let matching = patterns.iter().filter(|(pattern, _)| match pattern {
                Ok(pattern) => pattern.is_match(key).unwrap_or(true),
                Err(_) => true,
            });
            let matching = matching.map(|(_, schema)| *schema);
            let other = schema.get("additionalProperties").filter(|_| named.is_none());
            for schema in named.into_iter().chain(matching).chain(other) {
                self.visit(schema, value, depth + 1);
            }
        }
    }

    fn visit_items(&self, schema: &Map, items: &[Json], depth: usize) {
        for keyword in ["items", "prefixItems", "additionalItems", "contains"] {
            for (item_idx, item) in items.iter().enumerate() {
                match schema.get(keyword) {
                    Some(Json::Array(schemas)) => {
                        schemas
                            .get(item_idx)
                            .into_iter()
                            .for_each(|s| self.visit(s, item, depth + 1));
                    }
                    Some(schema) => self.visit(schema, item, depth + 1),
                    None => {}
                }
            }
        }
    }

    /// Follows a reference within the specification.
    fn lookup(&self, uri: &str) -> Option<&Json> {
        let (first, rest) = uri.strip_prefix("#/")?.split_once('/')?;
        self.specification.get(first)?.pointer(&format!("/{rest}"))
    }

    /// Masks a value, or all within it; yes and no are no secrets.
    fn mask(&self, value: &Json) {
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::String(_) | Json::Number(_) => self.secrets.add(&python_str(value)),
            Json::Array(items) => items.iter().for_each(|item| self.mask(item)),
            Json::Object(object) => object.values().for_each(|value| self.mask(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Every text `s…` in the config is a secret, and no other is.
    #[track_caller]
    fn check(spec: &Json, config: &Json) {
        let secrets = Secrets::new();
        mask_config(config.as_object().unwrap(), spec.as_object().unwrap(), &secrets);
        let text = config.to_string();
        let expect = regex::Regex::new(r#""s[^"]*"|\b77\b"#).unwrap();
        let expect =
            expect.replace_all(
                &text,
                |found: &regex::Captures<'_>| {
                    if found[0].starts_with('"') { r#""****""# } else { "****" }
                },
            );
        assert_ne!(text, expect, "the config holds no secret");
        assert_eq!(secrets.mask(&text), expect);
    }

    #[test]
    fn finds_secrets_where_the_reference_does() {
        let secret = json!({"type": "string", "airbyte_secret": true});
        check(
            &json!({"properties": {
                "a": secret,
                "b": {"type": "string", "airbyte_secret": "yes"},
                "c": {"oneOf": [{"properties": {"x": secret}}, {"properties": {"y": secret}}]},
                "n": secret,
            }}),
            &json!({"a": "s1", "b": "open", "c": {"y": "s2", "z": "open"}, "n": 77}),
        );
    }

    #[test]
    fn finds_secrets_where_the_reference_does_not() {
        let secret = json!({"airbyte_secret": true});
        check(
            &json!({
                "definitions": {"deep": {"key": {"properties": {"k": secret}}}},
                "anyOf": [{"properties": {"any": secret}}],
                "properties": {
                    "list": {"items": {"properties": {"key": secret}}},
                    "tuple": {"items": [{}, secret]},
                    "all": {"allOf": [{"properties": {"key": secret}}]},
                    "map": {"patternProperties": {"^x": secret}, "additionalProperties": {}},
                    "others": {"additionalProperties": secret, "properties": {"id": {}}},
                    "whole": {"airbyte_secret": true, "type": "object"},
                    "there": {"$ref": "#/definitions/deep/key"},
                },
            }),
            &json!({
                "any": "s1",
                "list": [{"key": "s2"}, {"key": "s3", "name": "open"}],
                "tuple": ["open", "s4"],
                "all": {"key": "s5"},
                "map": {"x1": "s6", "y1": "open"},
                "others": {"id": "open", "other": "s7"},
                "whole": {"p": "s8", "flag": true, "q": ["s9"]},
                "there": {"k": "s10"},
            }),
        );
    }

    #[test]
    fn a_specification_that_refers_to_itself_ends() {
        check(
            &json!({
                "definitions": {"r": {"a": {"$ref": "#/definitions/r/a"}}},
                "properties": {"x": {"$ref": "#/definitions/r/a"}, "k": {"airbyte_secret": true}},
            }),
            &json!({"x": {}, "k": "s1"}),
        );
    }
}
