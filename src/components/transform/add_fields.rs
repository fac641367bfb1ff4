//! `AddFields`: values that templates give, at paths in the record.
//!
//! The fields are added one after the other, so a template sees those before
//! it. Missing parents are made; see [`insert`].

use std::sync::Arc;

use crate::components::added_field::AddedField;
use crate::components::added_field::yaml::AddedFieldDefinition;
use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, ReadError, Surroundings, Transformation,
};
use crate::template::InterpolatedBoolean;
use crate::value::{Json, Map, StreamSlice, insert};

/// The YAML shape.
pub mod yaml {
    use super::{AddedFieldDefinition, shape};

    shape! {
        /// Adds fields to a record.
        pub struct AddFields {
            /// The fields, in order.
            fields: Vec<AddedFieldDefinition>,
            /// Whether a field is added; sees its `value` and `path` as well. Always when unset.
            condition: String = String::new(),
        }
    }
}

impl Component for yaml::AddFields {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(AddFields {
            fields: self.fields.iter().map(AddedField::build).collect::<Result<_, _>>()?,
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
            let value = field.eval(&scope())?;
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
