//! `AddFields`: values that templates give, at paths in the record.
//!
//! The fields are added one after the other, so a template sees those before
//! it. Missing parents are made; see [`insert`].

use std::sync::Arc;

use crate::components::shape::{Text, choice, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, Surroundings, Transformation,
};
use crate::template::{InterpolatedBoolean, InterpolatedString, ValueType};
use crate::value::{Json, Map, StreamSlice, insert};

/// The YAML shape.
pub mod yaml {
    use super::{Text, choice, shape};

    shape! {
        /// Adds fields to a record.
        pub struct AddFields {
            /// The fields, in order.
            fields: Vec<AddedFieldDefinition>,
            /// Whether a field is added; sees its `value` and `path` as well. Always when unset.
            condition: String = String::new(),
        }
    }

    shape! {
        /// A field, and where its value comes from.
        pub struct AddedFieldDefinition {
            /// The keys that lead to the field; a number is the index of a list.
            path: Vec<String>,
            /// The value: a template that sees `record` and `stream_slice`.
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

impl Component for yaml::AddFields {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(AddFields {
            fields: self.fields.iter().map(AddedField::new).collect::<Result<_, _>>()?,
            condition: (!self.condition.is_empty())
                .then(|| InterpolatedBoolean::new(&self.condition, self.parameters.clone())),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct AddFields {
    fields: Vec<AddedField>,
    condition: Option<InterpolatedBoolean>,
    surroundings: Surroundings,
}

#[derive(Debug)]
struct AddedField {
    path: Vec<Json>,
    value: InterpolatedString,
    value_type: Option<ValueType>,
}

impl AddedField {
    fn new(written: &yaml::AddedFieldDefinition) -> Result<Self, BuildError> {
        if written.path.is_empty() {
            let message = "Expected a non-zero-length path for the AddFields transformation";
            return Err(BuildError::in_span(written.span, message));
        }
        Ok(Self {
            path: written.path.iter().map(|key| Json::from(key.as_str())).collect(),
            value: InterpolatedString::new(&written.value, written.parameters.clone()),
            value_type: written.value_type.map(|value_type| match value_type {
                yaml::ValueType::String => ValueType::String,
                yaml::ValueType::Number => ValueType::Number,
                yaml::ValueType::Integer => ValueType::Integer,
                yaml::ValueType::Boolean => ValueType::Boolean,
            }),
        })
    }
}

impl Transformation for AddFields {
    fn transform(&self, record: &mut Map, slice: &StreamSlice) -> Result<(), ReadError> {
        let config = self.surroundings.config().snapshot();
        for field in &self.fields {
            let scope = || {
                self.surroundings
                    .scope(&config)
                    .with("record", &*record)
                    .with("stream_slice", slice)
            };
            // The value is evaluated even when the condition will not let it in, as its errors count.
            let value = match field.value_type {
                Some(value_type) => field.value.eval_as(&scope(), value_type)?,
                None => field.value.eval(&scope())?,
            };
            if let Some(condition) = &self.condition {
                let path = Json::Array(field.path.clone());
                if !condition.eval(&scope().with("value", &value).with("path", &path))? {
                    continue;
                }
            }
            insert(record, &field.path, value)?;
        }
        Ok(())
    }
}
