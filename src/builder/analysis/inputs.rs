//! What a user of a connector is asked for, and which of it is secret.

use crate::builder::edit::Step;
use crate::value::Json;

/// What is told in place of a secret.
pub const MASK: &str = "********";

/// How deep a specification is looked into.
const DEEPEST: usize = 32;

/// The paths of the secrets among `values`, by the specification of a connector.
pub fn secret_paths(specification: &Json, values: &Json) -> Vec<Vec<Step>> {
    let mut paths = Vec::new();
    walk(specification, Some(values), &mut Vec::new(), &mut paths);
    paths.sort();
    paths.dedup();
    paths
}

fn walk(schema: &Json, value: Option<&Json>, path: &mut Vec<Step>, paths: &mut Vec<Vec<Step>>) {
    if path.len() > DEEPEST {
        return;
    }
    if schema["airbyte_secret"] == true && !path.is_empty() {
        paths.push(path.clone());
        return;
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        path.push(Step::Key(name.clone()));
        walk(schema, value.and_then(|value| value.get(name)), path, paths);
        path.pop();
    }
    for kind in ["oneOf", "anyOf", "allOf"] {
        for schema in schema[kind].as_array().into_iter().flatten().filter(|it| it.is_object()) {
            walk(schema, value, path, paths);
        }
    }
    let items = value.and_then(Json::as_array).into_iter().flatten();
    for (idx, item) in items.enumerate().filter(|_| schema["items"].is_object()) {
        path.push(Step::Index(idx));
        walk(&schema["items"], Some(item), path, paths);
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_wherever_they_are() {
        let specification = json!({"properties": {
            "key": {"airbyte_secret": true},
            "plain": {"type": "string"},
            "credentials": {"oneOf": [
                {"properties": {"auth_type": {}, "token": {"airbyte_secret": true}}},
                {"properties": {"auth_type": {}, "password": {"airbyte_secret": true}}},
            ]},
            "accounts": {"items": {"properties": {"secret": {"airbyte_secret": true}}}},
        }});
        let values = json!({"accounts": [{}, {"secret": "x"}]});
        let paths = secret_paths(&specification, &values);
        let paths: Vec<_> = paths.iter().map(|it| crate::builder::edit::print_path(it)).collect();
        let expect = [
            "accounts[0].secret",
            "accounts[1].secret",
            "credentials.password",
            "credentials.token",
            "key",
        ];
        assert_eq!(paths, expect);
        assert!(secret_paths(&json!(null), &values).is_empty());
    }
}
