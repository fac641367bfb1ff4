//! `ValidateAdheresToSchema`: a value has to obey a JSON schema.

use std::sync::Arc;

use crate::components::shape::{TextOrObject, shape};
use crate::components::{BuildContext, BuildError, Component, ValidationStrategy};
use crate::value::{Json, Map, check_against_schema, parse_text};

/// The YAML shape.
pub mod yaml {
    use super::{TextOrObject, shape};

    shape! {
        /// A value has to obey a JSON schema; text is read as JSON first.
        pub struct ValidateAdheresToSchema {
            /// The schema, or its JSON text.
            base_schema: TextOrObject,
        }
    }
}

impl Component for yaml::ValidateAdheresToSchema {
    type Family = dyn ValidationStrategy;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn ValidationStrategy>, BuildError> {
        let schema = match self.base_schema {
            TextOrObject::Object(schema) => schema,
            TextOrObject::Text(text) => match parse_text(&text) {
                Ok(Json::Object(schema)) => schema,
                _ => return Err(BuildError::in_span(text.span, "`base_schema` is no JSON schema")),
            },
        };
        Ok(Arc::new(ValidateAdheresToSchema { schema }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ValidateAdheresToSchema {
    schema: Map,
}

impl ValidationStrategy for ValidateAdheresToSchema {
    fn validate(&self, value: &Json) -> Result<(), BuildError> {
        let read;
        let value = match value {
            Json::String(text) => {
                let invalid = |_| BuildError::new(format!("Invalid JSON string: {text}"));
                read = parse_text(text).map_err(invalid)?;
                &read
            }
            other => other,
        };
        check_against_schema(value, &self.schema)
            .map_err(|err| BuildError::new(format!("JSON schema validation error: {err}")))
    }
}
