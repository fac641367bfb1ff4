//! `JsonSchemaPropertySelector`: only properties that the configured catalog selects.

use std::sync::Arc;

use indexmap::IndexSet;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, ReadError, Slot, Transformation};
use crate::value::{Json, Map, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::{Slot, Transformation, shape};

    shape! {
        /// Asks only for properties that the stream's schema in the configured catalog has.
        pub struct JsonSchemaPropertySelector {
            /// Turns the names of fields into those of properties.
            transformations: Option<Vec<Slot<dyn Transformation>>>,
        }
    }
}

/// See the module documentation.
pub(super) struct JsonSchemaPropertySelector {
    /// Without a catalog nothing is selected, and all is asked for.
    properties: Option<Map>,
    transformations: Vec<Arc<dyn Transformation>>,
}

impl JsonSchemaPropertySelector {
    pub(super) fn build(
        shape: &yaml::JsonSchemaPropertySelector,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let properties = cx.configured().map(|configured| {
            let schema = &configured.json_schema;
            schema.get("properties").and_then(Json::as_object).cloned().unwrap_or_default()
        });
        let transformations = shape.transformations.iter().flatten();
        Ok(Self {
            properties,
            transformations: transformations.map(|it| it.build(cx)).collect::<Result<_, _>>()?,
        })
    }

    /// The names of the selected properties; `None` when there is no selection.
    pub(super) fn selected(&self) -> Result<Option<IndexSet<String>>, ReadError> {
        let Some(mut properties) = self.properties.clone() else { return Ok(None) };
        for transformation in &self.transformations {
            transformation.transform(&mut properties, &StreamSlice::default())?;
        }
        Ok(Some(properties.into_iter().map(|(name, _)| name).collect()))
    }
}
