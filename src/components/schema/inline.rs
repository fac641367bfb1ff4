//! `InlineSchemaLoader`: the schema is written in the manifest.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::{self, BoxFuture};

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, ReadError, SchemaLoader};
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::{Map, shape};

    shape! {
        /// The JSON schema of the stream, as it is written.
        pub struct InlineSchemaLoader {
            /// The schema.
            schema: Map = Map::new(),
        }
    }
}

impl Component for yaml::InlineSchemaLoader {
    type Family = dyn SchemaLoader;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn SchemaLoader>, BuildError> {
        Ok(Arc::new(InlineSchemaLoader(Arc::new(Json::Object(self.schema)))))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct InlineSchemaLoader(Arc<Json>);

impl SchemaLoader for InlineSchemaLoader {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        future::ready(Ok(self.0.clone())).boxed()
    }

    fn known(&self) -> Option<Arc<Json>> {
        Some(self.0.clone())
    }
}
