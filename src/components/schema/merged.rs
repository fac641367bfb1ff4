//! A list of schema loaders: the properties of all, each as the first loader that has it says.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use crate::components::slot::Combination;
use crate::components::{BuildContext, BuildError, ReadError, SchemaLoader};
use crate::value::{Json, Map};

/// See the module documentation.
pub struct MergedSchema {
    loaders: Vec<Arc<dyn SchemaLoader>>,
}

impl std::fmt::Debug for MergedSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MergedSchema").field("n_loaders", &self.loaders.len()).finish()
    }
}

impl Combination for MergedSchema {
    type Family = dyn SchemaLoader;

    fn combine(
        loaders: Vec<Arc<dyn SchemaLoader>>,
        _: &BuildContext<'_>,
    ) -> Result<Arc<dyn SchemaLoader>, BuildError> {
        Ok(Arc::new(Self { loaders }))
    }
}

impl SchemaLoader for MergedSchema {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        async {
            let mut schemas = Vec::with_capacity(self.loaders.len());
            for loader in &self.loaders {
                schemas.push(loader.load().await?);
            }
            merge(&schemas)
        }
        .boxed()
    }

    fn known(&self) -> Option<Arc<Json>> {
        let schemas: Option<Vec<_>> = self.loaders.iter().map(|loader| loader.known()).collect();
        merge(&schemas?).ok()
    }
}

fn merge(schemas: &[Arc<Json>]) -> Result<Arc<Json>, ReadError> {
    let mut merged = Map::new();
    for schema in schemas {
        let Some(Json::Object(properties)) = schema.get("properties") else {
            return Err(ReadError::unexpected("KeyError", "'properties'"));
        };
        // The properties of later loaders come first, and give way.
        let earlier = std::mem::replace(&mut merged, properties.clone());
        merged.extend(earlier);
    }
    Ok(Arc::new(json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": ["null", "object"],
        "properties": merged,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_loader_decides() {
        let schemas = [
            json!({"properties": {"a": 1, "b": 1}}),
            json!({"properties": {"c": 2, "a": 2}, "required": ["c"]}),
        ];
        let merged = merge(&schemas.map(Arc::new)).unwrap();
        assert_eq!(
            merged.to_string(),
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":["null","object"],"properties":{"c":2,"a":1,"b":1}}"#
        );
    }

    #[test]
    fn each_needs_properties() {
        assert_eq!(merge(&[Arc::new(json!({}))]).unwrap_err().to_string(), "'properties'");
    }
}
