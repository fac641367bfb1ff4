//! Checks values against JSON schemas, and words the worst fault as the
//! reference does.
//!
//! The reference validates with Python's `jsonschema` and shows the text of
//! its *best match*: of all faults the one highest up in the value, and inside
//! of an `anyOf` or `oneOf` that one deepest down. Users know these texts.

use std::cmp::Reverse;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, ValidationError};

use super::{Json, Map, python_repr};

/// Why a value was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The schema itself is none.
    #[error("the JSON schema is not valid: {0}")]
    Schema(String),
    /// The value does not obey the schema.
    #[error("{fault}")]
    Value {
        /// What is wrong, in the words of the reference.
        fault: String,
        /// Where, as a JSON pointer; empty when it is the whole value.
        pointer: String,
    },
}

/// Checks `value` against `schema`, by the draft that its `$schema` names or
/// else the latest; formats are not checked.
pub fn check_against_schema(value: &Json, schema: &Map) -> Result<(), SchemaError> {
    let mut schema = schema.clone();
    let draft = draft(schema.get("$schema").and_then(Json::as_str));
    // The draft is chosen; one that the library does not know would stop it.
    schema.remove("$schema");
    let schema = Json::Object(schema);
    let validator = jsonschema::options()
        .with_draft(draft)
        .should_validate_formats(false)
        .build(&schema)
        .map_err(|err| SchemaError::Schema(err.to_string()))?;
    let checked = Checked { value, schema: &schema, draft };
    let errors: Vec<_> = validator.iter_errors(value).collect();
    match checked.best_match(&errors) {
        Some(error) => Err(SchemaError::Value {
            fault: checked.message(error),
            pointer: instance_path(error).to_owned(),
        }),
        None => Ok(()),
    }
}

fn draft(uri: Option<&str>) -> Draft {
    match uri.map(|uri| uri.strip_suffix('#').unwrap_or(uri)) {
        // The library knows none older.
        Some(
            "http://json-schema.org/draft-03/schema" | "http://json-schema.org/draft-04/schema",
        ) => Draft::Draft4,
        Some("http://json-schema.org/draft-06/schema") => Draft::Draft6,
        Some("http://json-schema.org/draft-07/schema") => Draft::Draft7,
        Some("https://json-schema.org/draft/2019-09/schema") => Draft::Draft201909,
        _ => Draft::Draft202012,
    }
}

/// A value, and the schema that it does not obey.
#[derive(Clone, Copy)]
struct Checked<'a> {
    value: &'a Json,
    schema: &'a Json,
    draft: Draft,
}

/// How much a fault says; the greatest is shown.
type Relevance<'e> = (Reverse<usize>, Vec<Step<'e>>, bool, bool);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Step<'e> {
    Index(usize),
    Key(&'e str),
}

impl<'a> Checked<'a> {
    /// The fault that the reference shows.
    fn best_match<'e>(self, errors: &'e [ValidationError<'e>]) -> Option<&'e ValidationError<'e>> {
        let errors = self.in_schema_order(errors.iter());
        // Of equals the first counts.
        let mut best = errors.into_iter().rev().max_by_key(|error| self.relevance(error))?;
        while let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = best.kind() {
            let mut inner = self.in_schema_order(context.iter().flatten());
            inner.sort_by_key(|error| self.relevance(error));
            match inner.as_slice() {
                [first, second, ..] if self.relevance(first) == self.relevance(second) => break,
                [first, ..] => best = first,
                [] => break,
            }
        }
        Some(best)
    }

    fn relevance<'e>(self, error: &'e ValidationError<'_>) -> Relevance<'e> {
        let path: Vec<_> = instance_path(error)
            .split('/')
            .skip(1)
            .map(|step| step.parse().map_or(Step::Key(step), Step::Index))
            .collect();
        let is_weak = matches!(
            error.kind(),
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } | Kind::OneOfMultipleValid { .. }
        );
        (Reverse(path.len()), path, !is_weak, !self.matches_type(error))
    }

    /// Whether the value at least has the type that the schema wants there.
    fn matches_type(self, error: &ValidationError<'_>) -> bool {
        let Some(schema) = self.schema_around(error) else { return false };
        // For a property that may not be there, the library names the property's value.
        let instance = match error.kind() {
            Kind::FalseSchema => self.value.pointer(instance_path(error)).unwrap_or(&Json::Null),
            _ => error.instance(),
        };
        let types = schema.get("type").map_or(&[][..], listed);
        types.iter().filter_map(Json::as_str).any(|name| has_type(instance, name))
    }

    /// The errors in the order in which their keywords are written.
    fn in_schema_order<'e>(
        self,
        errors: impl Iterator<Item = &'e ValidationError<'e>>,
    ) -> Vec<&'e ValidationError<'e>> {
        let mut errors: Vec<_> = errors.map(innermost).collect();
        errors.sort_by_cached_key(|error| self.position(error.evaluation_path().as_str()));
        errors
    }

    /// The positions of the steps of `path` among their siblings.
    fn position(self, path: &str) -> Vec<usize> {
        let mut positions = Vec::new();
        let mut schema = Some(self.schema);
        for step in path.split('/').skip(1).map(unescape) {
            let position = match schema {
                Some(Json::Object(object)) => object.keys().position(|key| *key == step),
                Some(Json::Array(_)) => step.parse().ok(),
                _ => None,
            };
            positions.push(position.unwrap_or(usize::MAX));
            schema = match schema {
                Some(Json::Object(object)) if step == "$ref" => object
                    .get("$ref")
                    .and_then(Json::as_str)
                    .and_then(|uri| self.schema.pointer(uri.strip_prefix('#')?)),
                Some(Json::Object(object)) => object.get(&step),
                Some(Json::Array(items)) => position.and_then(|index| items.get(index)),
                _ => None,
            };
        }
        positions
    }

    /// The schema one of whose keywords is violated.
    fn schema_around(self, error: &ValidationError<'_>) -> Option<&'a Map> {
        let (schema, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(schema)?.as_object()
    }

    /// The argument of the violated keyword.
    fn argument(self, error: &ValidationError<'_>) -> Json {
        self.schema.pointer(error.schema_path().as_str()).cloned().unwrap_or_default()
    }

    fn message(self, error: &ValidationError<'_>) -> String {
        let instance = python_repr(error.instance());
        let argument = self.argument(error);
        let text = python_repr(&argument);
        match error.kind() {
            Kind::Required { property } => {
                let missing = python_repr(property);
                match dependent(property, error.instance(), &argument) {
                    Some(dependent) => format!("{missing} is a dependency of {dependent}"),
                    None => format!("{missing} is a required property"),
                }
            }
            Kind::Type { .. } => format!("{instance} is not of type {}", reprs(listed(&argument))),
            Kind::Enum { options } => format!("{instance} is not one of {}", python_repr(options)),
            Kind::Constant { .. } => format!("{text} was expected"),
            Kind::Pattern { .. } => format!("{instance} does not match {text}"),
            Kind::Minimum { .. } => format!("{instance} is less than the minimum of {text}"),
            Kind::Maximum { .. } => format!("{instance} is greater than the maximum of {text}"),
            Kind::ExclusiveMinimum { limit } => {
                let limit = python_repr(limit);
                format!("{instance} is less than or equal to the minimum of {limit}")
            }
            Kind::ExclusiveMaximum { limit } => {
                let limit = python_repr(limit);
                format!("{instance} is greater than or equal to the maximum of {limit}")
            }
            Kind::MultipleOf { .. } => format!("{instance} is not a multiple of {text}"),
            Kind::MinLength { limit: 1 }
            | Kind::MinItems { limit: 1 }
            | Kind::MinProperties { limit: 1 } => {
                format!("{instance} should be non-empty")
            }
            Kind::MaxLength { limit: 0 }
            | Kind::MaxItems { limit: 0 }
            | Kind::MaxProperties { limit: 0 } => {
                format!("{instance} is expected to be empty")
            }
            Kind::MinLength { .. } | Kind::MinItems { .. } => format!("{instance} is too short"),
            Kind::MaxLength { .. } | Kind::MaxItems { .. } => format!("{instance} is too long"),
            Kind::MinProperties { .. } => format!("{instance} does not have enough properties"),
            Kind::MaxProperties { .. } => format!("{instance} has too many properties"),
            Kind::UniqueItems => format!("{instance} has non-unique elements"),
            Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
                format!("{instance} is not valid under any of the given schemas")
            }
            Kind::OneOfMultipleValid { context } => {
                let is_valid = context.iter().map(Vec::is_empty);
                let branches = listed(&argument).iter().zip(is_valid);
                let mut valid: Vec<_> =
                    branches.filter_map(|(branch, is_valid)| is_valid.then_some(branch)).collect();
                // The reference finds the first before it looks for others.
                let n_first = valid.len().min(1);
                valid.rotate_left(n_first);
                format!("{instance} is valid under each of {}", reprs(valid))
            }
            Kind::Not { schema } => {
                format!("{instance} should not be valid under {}", python_repr(schema))
            }
            Kind::Contains if self.draft < Draft::Draft201909 => {
                format!("None of {instance} are valid under the given schema")
            }
            Kind::Contains => {
                format!("{instance} does not contain items matching the given schema")
            }
            Kind::AdditionalProperties { .. } => self.additional_properties(error),
            Kind::FalseSchema
                if error.schema_path().as_str().ends_with("/additionalProperties") =>
            {
                self.additional_properties(error)
            }
            Kind::FalseSchema => format!("False schema does not allow {instance}"),
            Kind::AdditionalItems { limit } => {
                let items = error.instance().as_array().map_or(&[][..], Vec::as_slice);
                let extra = items.get(*limit..).unwrap_or_default();
                format!("Additional items are not allowed ({} unexpected)", were(extra))
            }
            _ => error.to_string(),
        }
    }

    fn additional_properties(self, error: &ValidationError<'_>) -> String {
        let instance = self.value.pointer(instance_path(error)).and_then(Json::as_object);
        let schema = self.schema_around(error);
        let keys_of = |keyword: &str| schema.and_then(|schema| schema.get(keyword)?.as_object());
        let declared = keys_of("properties");
        let patterns = keys_of("patternProperties");
        let is_extra = |key: &&String| {
            !declared.is_some_and(|declared| declared.contains_key(*key))
                && !patterns.is_some_and(|patterns| patterns.keys().any(|p| is_match(p, key)))
        };
        let mut extras: Vec<_> = instance
            .into_iter()
            .flat_map(Map::keys)
            .filter(is_extra)
            .map(|key| Json::from(key.as_str()))
            .collect();
        extras.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        let Some(patterns) = patterns else {
            return format!("Additional properties are not allowed ({} unexpected)", were(&extras));
        };
        let mut patterns: Vec<_> = patterns.keys().map(|key| Json::from(key.as_str())).collect();
        patterns.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        let verb = if extras.len() == 1 { "does" } else { "do" };
        format!("{} {verb} not match any of the regexes: {}", reprs(&extras), reprs(&patterns))
    }
}

/// The reference does not wrap what is wrong with the name of a property.
fn innermost<'e>(error: &'e ValidationError<'e>) -> &'e ValidationError<'e> {
    match error.kind() {
        Kind::PropertyNames { error } => innermost(error),
        _ => error,
    }
}

fn instance_path<'e>(error: &'e ValidationError<'_>) -> &'e str {
    error.instance_path().as_str()
}

/// The property of `instance` whose presence demands `property`, if the
/// argument of the violated keyword is a mapping of such demands.
fn dependent(property: &Json, instance: &Json, argument: &Json) -> Option<String> {
    let mut demands = argument.as_object()?.iter();
    let (dependent, _) = demands.find(|(dependent, demanded)| {
        instance.get(dependent).is_some() && listed(demanded).contains(property)
    })?;
    Some(python_repr(&Json::from(dependent.as_str())))
}

fn unescape(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn is_match(pattern: &str, text: &str) -> bool {
    fancy_regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text).unwrap_or(false))
}

fn has_type(value: &Json, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        _ => false,
    }
}

/// A keyword's argument that is one value or a list of them, as a list.
fn listed(argument: &Json) -> &[Json] {
    argument.as_array().map_or_else(|| std::slice::from_ref(argument), Vec::as_slice)
}

fn reprs<'j>(values: impl IntoIterator<Item = &'j Json>) -> String {
    values.into_iter().map(python_repr).collect::<Vec<_>>().join(", ")
}

fn were(extras: &[Json]) -> String {
    let verb = if extras.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", reprs(extras))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `expect` is what Python's `jsonschema` says; empty when it accepts.
    #[track_caller]
    fn check(schema: Json, value: &Json, expect: &str) {
        let Json::Object(schema) = schema else { panic!("not an object") };
        let message = check_against_schema(value, &schema).map_err(|err| err.to_string());
        assert_eq!(message.err().unwrap_or_default(), expect);
    }

    #[test]
    fn the_fault_highest_up_is_shown_and_of_equals_the_first() {
        let schema = json!({
            "required": ["b", "a"],
            "properties": {"c": {"type": "integer"}, "d": {"minimum": 3}},
            "additionalProperties": false,
        });
        check(schema.clone(), &json!({"c": "x"}), "'b' is a required property");
        check(
            schema.clone(),
            &json!({"a": 1, "b": 2, "z": 3}),
            "Additional properties are not allowed ('a', 'b', 'z' were unexpected)",
        );
        let schema = json!({"properties": schema["properties"]});
        check(schema.clone(), &json!({"d": 2, "c": "it's"}), "2 is less than the minimum of 3");
        check(schema.clone(), &json!({"c": "it's"}), r#""it's" is not of type 'integer'"#);
        check(schema, &json!({"c": 1.0, "d": 3}), "");
    }

    #[test]
    fn inside_of_alternatives_the_deepest_fault_is_shown() {
        let schema = json!({"properties": {"auth": {"oneOf": [
            {"required": ["token"], "properties": {"kind": {"const": "token"}}},
            {"required": ["key"], "properties": {"kind": {"const": "key"}}},
        ]}}});
        check(schema.clone(), &json!({"auth": {"kind": "key"}}), "'token' was expected");
        check(
            schema.clone(),
            &json!({"auth": {}}),
            "{} is not valid under any of the given schemas",
        );
        check(
            schema,
            &json!({"auth": {"token": 1, "key": null}}),
            "{'token': 1, 'key': None} is valid under each of \
             {'required': ['key'], 'properties': {'kind': {'const': 'key'}}}, \
             {'required': ['token'], 'properties': {'kind': {'const': 'token'}}}",
        );
    }

    #[test]
    fn each_keyword_has_the_words_of_the_reference() {
        for (schema, value, expect) in [
            (json!({"type": ["string", "null"]}), json!(1), "1 is not of type 'string', 'null'"),
            (json!({"enum": ["a", 1]}), json!(true), "True is not one of ['a', 1]"),
            (json!({"const": null}), json!(1.5), "None was expected"),
            (json!({"pattern": "^a$"}), json!("b"), "'b' does not match '^a$'"),
            (json!({"maximum": 1}), json!(2), "2 is greater than the maximum of 1"),
            (
                json!({"exclusiveMinimum": 1}),
                json!(1),
                "1 is less than or equal to the minimum of 1",
            ),
            (json!({"multipleOf": 2}), json!(3), "3 is not a multiple of 2"),
            (json!({"minLength": 1}), json!(""), "'' should be non-empty"),
            (json!({"minItems": 2}), json!([1]), "[1] is too short"),
            (json!({"maxItems": 0}), json!([1]), "[1] is expected to be empty"),
            (json!({"minProperties": 2}), json!({}), "{} does not have enough properties"),
            (json!({"uniqueItems": true}), json!([1, 1]), "[1, 1] has non-unique elements"),
            (
                json!({"not": {"type": "null"}}),
                json!(null),
                "None should not be valid under {'type': 'null'}",
            ),
            (json!({"properties": {"a": false}}), json!({"a": 1}), "False schema does not allow 1"),
            (json!({"propertyNames": {"maxLength": 1}}), json!({"ab": 1}), "'ab' is too long"),
            (
                json!({"dependentRequired": {"a": ["b"]}}),
                json!({"a": 1}),
                "'b' is a dependency of 'a'",
            ),
            (
                json!({"patternProperties": {"^x": {}}, "additionalProperties": false}),
                json!({"xa": 1, "y": 2}),
                "'y' does not match any of the regexes: '^x'",
            ),
            (
                json!({"contains": {"type": "null"}}),
                json!([1]),
                "[1] does not contain items matching the given schema",
            ),
            (
                json!({"$schema": "http://json-schema.org/draft-07/schema#", "contains": {"type": "null"}}),
                json!([1]),
                "None of [1] are valid under the given schema",
            ),
            (
                json!({"$defs": {"n": {"type": "number"}}, "$ref": "#/$defs/n"}),
                json!("x"),
                "'x' is not of type 'number'",
            ),
        ] {
            check(schema, &value, expect);
        }
    }

    #[test]
    fn formats_are_not_checked() {
        check(json!({"format": "date"}), &json!("yesterday"), "");
    }

    #[test]
    fn a_draft_nobody_knows_is_the_latest() {
        let schema = |uri| json!({"$schema": uri, "prefixItems": [{"type": "null"}]});
        check(
            schema("https://json-schema.org/draft-07/schema#"),
            &json!([1]),
            "1 is not of type 'null'",
        );
        check(schema("http://json-schema.org/draft-07/schema#"), &json!([1]), "");
    }

    #[test]
    fn a_schema_that_is_none_is_told_apart() {
        let Json::Object(schema) = json!({"type": "text"}) else { panic!() };
        let error = check_against_schema(&json!(1), &schema).unwrap_err();
        assert!(matches!(error, SchemaError::Schema(_)), "{error:?}");
    }
}
