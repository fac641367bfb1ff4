//! `AddedFieldDefinition`: a field, and where its value comes from.

use crate::template::{InterpolatedString, Scope, ValidTypes};
use crate::value::Json;

use super::error::{BuildError, ReadError};
use super::shape::{Text, choice, shape};

/// The YAML shape.
pub mod yaml {
    use super::{Text, choice, shape};

    shape! {
        /// A field, and where its value comes from.
        pub struct AddedFieldDefinition {
            /// The keys that lead to the field; a number is the index of a list.
            path: Vec<String>,
            /// The value: a template.
            value: Text,
            /// The type that the value must have, or else it stays text; any when unset.
            value_type: Option<ValueType>,
        }
    }

    choice! {
        /// A type that the value of a template may have.
        pub enum ValueType {
            String = "string",
            Number = "number",
            Integer = "integer",
            Boolean = "boolean",
        }
    }
}

impl yaml::ValueType {
    /// The Python type that a literal must have.
    pub fn valid_types(self) -> ValidTypes {
        match self {
            Self::String => ValidTypes::STR,
            Self::Number => ValidTypes::FLOAT,
            Self::Integer => ValidTypes::INT,
            Self::Boolean => ValidTypes::BOOL,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct AddedField {
    /// Where the field goes.
    pub path: Vec<Json>,
    value: InterpolatedString,
    valid_types: ValidTypes,
}

impl AddedField {
    /// Builds the field.
    pub fn build(shape: &yaml::AddedFieldDefinition) -> Result<Self, BuildError> {
        if shape.path.is_empty() {
            let message = "Expected a non-zero-length path for the AddFields transformation";
            return Err(BuildError::in_span(shape.span, message));
        }
        let valid_types = shape.value_type.map_or(ValidTypes::ANY, yaml::ValueType::valid_types);
        Ok(Self {
            path: shape.path.iter().map(|key| Json::from(key.as_str())).collect(),
            value: InterpolatedString::new(&shape.value, shape.parameters.clone()),
            valid_types,
        })
    }

    /// The value of the field.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Json, ReadError> {
        Ok(self.value.eval_as(scope, self.valid_types)?.to_json()?)
    }
}
