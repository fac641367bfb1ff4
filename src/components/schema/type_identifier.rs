//! `SchemaTypeIdentifier`: how the API's description of a field becomes its JSON schema.

use serde_json::json;

use crate::components::definitions::Definitions;
use crate::components::shape::{FieldValue, Reader, Text, either, shape};
use crate::components::{BuildContext, BuildError, PathTemplate, ReadError, Surroundings};
use crate::manifest::Node;
use crate::template::InterpolatedBoolean;
use crate::value::{Json, Map, python_repr, python_str};

/// The YAML shape.
pub mod yaml {
    use super::{Definitions, FieldValue, Json, Node, Reader, Text, either, json, shape};

    shape! {
        /// Where in a record the descriptions of fields are, and what their types mean.
        pub struct SchemaTypeIdentifier: loosely_typed {
            /// The keys that lead to the list of descriptions; the record itself when empty.
            schema_pointer: Vec<Text> = Vec::new(),
            /// The keys that lead to the field's name in its description.
            key_pointer: Vec<Text>,
            /// The keys that lead to the field's type; text when unset.
            type_pointer: Option<Vec<Text>>,
            /// What the API's types are called here, in order.
            types_mapping: Option<Vec<TypesMap>>,
        }
    }

    shape! {
        /// What a type of the API is called here.
        pub struct TypesMap: untyped {
            /// The type here.
            target_type: TargetType,
            /// The type of the API.
            current_type: TypeNames,
            /// Whether this counts; sees the description as `raw_schema`.
            condition: Option<Text>,
        }
    }

    either! {
        /// A type, or a list of types.
        pub enum TypeNames { One(String) if |node| node.as_str().is_some(), Several(Vec<String>) }
    }

    /// A type, two types, or a list of a type.
    #[derive(Clone, Debug)]
    pub enum TargetType {
        /// By name.
        Names(TypeNames),
        /// A list of something.
        Complex(ComplexFieldType),
    }

    impl FieldValue for TargetType {
        fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
            if node.as_map().is_some() {
                return ComplexFieldType::read(node, reader).map(Self::Complex);
            }
            TypeNames::read(node, reader).map(Self::Names)
        }

        fn schema() -> Json {
            json!({"anyOf": [String::schema(), Vec::<String>::schema(), ComplexFieldType::schema()]})
        }

        fn gather(definitions: &mut Definitions) {
            ComplexFieldType::gather(definitions);
        }
    }

    shape! {
        /// A type that contains another.
        pub struct ComplexFieldType: untyped {
            /// The type itself.
            field_type: String,
            /// The type of the items of an array.
            items: Option<ItemsType>,
        }
    }

    either! {
        /// The type of items.
        pub enum ItemsType { Name(String) if |node| node.as_str().is_some(), Complex(Box<ComplexFieldType>) }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct SchemaTypeIdentifier {
    schema_pointer: PathTemplate,
    key_pointer: PathTemplate,
    type_pointer: Option<PathTemplate>,
    types_mapping: Vec<TypesMap>,
    surroundings: Surroundings,
}

#[derive(Debug)]
struct TypesMap {
    current_type: Json,
    target_type: yaml::TargetType,
    condition: Option<InterpolatedBoolean>,
}

impl yaml::SchemaTypeIdentifier {
    pub(super) fn build(&self, cx: &BuildContext<'_>) -> Result<SchemaTypeIdentifier, BuildError> {
        let pointer = |path: &[Text]| PathTemplate::new(path, &self.parameters, cx.surroundings());
        let types_mapping = self.types_mapping.iter().flatten().map(yaml::TypesMap::build);
        Ok(SchemaTypeIdentifier {
            schema_pointer: pointer(&self.schema_pointer),
            key_pointer: pointer(&self.key_pointer),
            type_pointer: self.type_pointer.as_deref().filter(|it| !it.is_empty()).map(pointer),
            types_mapping: types_mapping.collect::<Result<_, _>>()?,
            surroundings: cx.surroundings(),
        })
    }
}

impl yaml::TypesMap {
    fn build(&self) -> Result<TypesMap, BuildError> {
        if let yaml::TargetType::Complex(complex) = &self.target_type {
            complex.check()?;
        }
        let condition = self.condition.as_deref();
        Ok(TypesMap {
            current_type: match &self.current_type {
                yaml::TypeNames::One(name) => json!(name),
                yaml::TypeNames::Several(names) => json!(names),
            },
            target_type: self.target_type.clone(),
            condition: condition.map(|it| InterpolatedBoolean::new(it, std::sync::Arc::default())),
        })
    }
}

impl yaml::ComplexFieldType {
    fn check(&self) -> Result<(), BuildError> {
        match &self.items {
            Some(_) if self.field_type != "array" => {
                let message = "'items' can only be used when 'field_type' is an array.";
                Err(BuildError::in_span(self.span, message))
            }
            Some(yaml::ItemsType::Complex(items)) => items.check(),
            _ => Ok(()),
        }
    }
}

impl SchemaTypeIdentifier {
    /// The fields that `record` describes, with their schemas.
    pub(super) fn properties(&self, record: &Json) -> Result<Map, ReadError> {
        match self.schema_pointer.path()?.get(record)? {
            Some(Json::Array(descriptions)) => {
                descriptions.iter().map(|description| self.property(description)).collect()
            }
            // The reference goes over the keys.
            Some(Json::Object(descriptions)) => {
                descriptions.keys().map(|key| self.property(&Json::from(key.as_str()))).collect()
            }
            found => {
                let found = python_repr(found.unwrap_or(&Json::Null));
                let message = format!("the descriptions of fields are no list, but {found}");
                Err(ReadError::unexpected("TypeError", message))
            }
        }
    }

    fn property(&self, description: &Json) -> Result<(String, Json), ReadError> {
        let key = match self.key_pointer.path()?.get(description)? {
            Some(Json::String(key)) => key.clone(),
            found => {
                let found = python_str(found.unwrap_or(&Json::Null));
                return Err(ReadError::value(format!("Expected key to be a string. Got {found}")));
            }
        };
        let default = json!("string");
        let current_type = match &self.type_pointer {
            Some(pointer) => pointer.path()?.get(description)?.unwrap_or(&default),
            None => &default,
        };
        for map in &self.types_mapping {
            let is_met = match &map.condition {
                Some(condition) => self
                    .surroundings
                    .eval(|scope| condition.eval(&scope.with("raw_schema", description)))?,
                None => true,
            };
            if is_met && map.current_type == *current_type {
                return Ok((key, target_schema(&map.target_type)?));
            }
        }
        Ok((key, schema_of(current_type)?))
    }
}

fn target_schema(target: &yaml::TargetType) -> Result<Json, ReadError> {
    match target {
        yaml::TargetType::Names(yaml::TypeNames::One(name)) => named_schema(name),
        yaml::TargetType::Names(yaml::TypeNames::Several(names)) => schema_of(&json!(names)),
        yaml::TargetType::Complex(complex) => complex_schema(complex),
    }
}

/// The schema of a type, or of one of two types.
fn schema_of(types: &Json) -> Result<Json, ReadError> {
    let names: Option<Vec<&str>> =
        types.as_array().and_then(|types| types.iter().map(Json::as_str).collect());
    match (types, names.as_deref()) {
        (Json::String(name), _) => named_schema(name),
        (_, Some([first, second])) => {
            Ok(json!({"oneOf": [named_schema(first)?, named_schema(second)?]}))
        }
        _ => {
            let found = python_str(types);
            let message = format!(
                "Invalid data type. Available string or two items list of string. Got {found}."
            );
            Err(ReadError::value(message))
        }
    }
}

fn complex_schema(complex: &yaml::ComplexFieldType) -> Result<Json, ReadError> {
    let mut schema = named_schema(&complex.field_type)?;
    match &complex.items {
        None => {}
        Some(yaml::ItemsType::Name(name)) => schema["items"] = named_schema(name)?,
        Some(yaml::ItemsType::Complex(items)) => schema["items"] = complex_schema(items)?,
    }
    Ok(schema)
}

fn named_schema(name: &str) -> Result<Json, ReadError> {
    let text = |format: &str| json!({"type": ["null", "string"], "format": format});
    let untimed = |format: &str| {
        let mut schema = text(format);
        schema["airbyte_type"] = json!(name);
        schema
    };
    Ok(match name {
        "string" | "boolean" | "integer" | "number" | "array" | "object" => {
            json!({"type": ["null", name]})
        }
        "date" => text("date"),
        "timestamp_with_timezone" => text("date-time"),
        "timestamp_without_timezone" => untimed("date-time"),
        "time_with_timezone" | "time_without_timezone" => untimed("time"),
        _ => return Err(ReadError::value(format!("Invalid Airbyte data type: {name}"))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::World;

    fn properties(written: &Json, record: &Json) -> Result<Json, String> {
        let world = World::new(&json!({"list": "fields"}));
        let shape: yaml::SchemaTypeIdentifier = world.read(written);
        let identifier = shape.build(&world.cx()).map_err(|err| err.to_string())?;
        identifier.properties(record).map(Json::Object).map_err(|err| err.to_string())
    }

    #[test]
    fn descriptions_become_schemas() {
        let written = json!({
            "schema_pointer": ["{{ config.list }}"], "key_pointer": ["name"], "type_pointer": ["type"]
        });
        let record = json!({"fields": [
            {"name": "a", "type": "integer"}, {"name": "b"}, {"name": "c", "type": ["string", "time_without_timezone"]}
        ]});
        let expect = json!({
            "a": {"type": ["null", "integer"]},
            "b": {"type": ["null", "string"]},
            "c": {"oneOf": [
                {"type": ["null", "string"]},
                {"type": ["null", "string"], "format": "time", "airbyte_type": "time_without_timezone"}
            ]}
        });
        assert_eq!(properties(&written, &record), Ok(expect));
    }

    #[test]
    fn the_first_map_that_fits_counts() {
        let written = json!({
            "key_pointer": ["n"],
            "type_pointer": ["t"],
            "types_mapping": [
                {"current_type": "num", "target_type": "integer", "condition": "{{ raw_schema.whole }}"},
                {"current_type": "num", "target_type": "number"},
                {"current_type": ["x", "y"], "target_type": ["string", "date"]},
                {"current_type": "list", "target_type": {"field_type": "array", "items": {
                    "field_type": "array", "items": "boolean"
                }}}
            ]
        });
        let record = json!([
            {"n": "a", "t": "num", "whole": true}, {"n": "b", "t": "num"}, {"n": "c", "t": ["x", "y"]}, {"n": "d", "t": "list"}
        ]);
        let expect = json!({
            "a": {"type": ["null", "integer"]},
            "b": {"type": ["null", "number"]},
            "c": {"oneOf": [{"type": ["null", "string"]}, {"type": ["null", "string"], "format": "date"}]},
            "d": {"type": ["null", "array"], "items": {"type": ["null", "array"], "items": {"type": ["null", "boolean"]}}}
        });
        assert_eq!(properties(&written, &record), Ok(expect));
    }

    #[track_caller]
    fn check_error(written: &Json, record: &Json, expect: &str) {
        assert_eq!(properties(written, record), Err(expect.to_owned()));
    }

    #[test]
    fn what_is_no_description_is_an_error() {
        let written = json!({"key_pointer": ["n"], "type_pointer": ["t"]});
        check_error(&written, &json!([{"n": 1}]), "Expected key to be a string. Got 1");
        check_error(&written, &json!([{"n": "a", "t": "x"}]), "Invalid Airbyte data type: x");
        check_error(
            &written,
            &json!([{"n": "a", "t": ["string"]}]),
            "Invalid data type. Available string or two items list of string. Got ['string'].",
        );
        check_error(&written, &json!({"n": "a"}), "Expected key to be a string. Got None");
        let written = json!({"key_pointer": ["n"], "types_mapping": [
            {"current_type": "a", "target_type": {"field_type": "object", "items": "string"}}
        ]});
        check_error(
            &written,
            &json!([]),
            "'items' can only be used when 'field_type' is an array.",
        );
    }
}
