//! The schema of a stream: found once, and empty when there is none.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::OnceCell;
use tracing::info;

use crate::components::{ReadError, SchemaLoader};
use crate::value::{Json, Map};

/// Remembers the schema that another loader finds.
pub(super) struct CachedSchema {
    loader: Arc<dyn SchemaLoader>,
    /// The stream's name, when the schema may be missing.
    optional_for: Option<String>,
    found: OnceCell<Arc<Json>>,
}

impl CachedSchema {
    /// Remembers what `loader` finds.
    pub(super) fn new(loader: Arc<dyn SchemaLoader>) -> Self {
        Self { loader, optional_for: None, found: OnceCell::new() }
    }

    /// Remembers what `loader` finds for `stream`, or that it finds nothing.
    pub(super) fn optional(loader: Arc<dyn SchemaLoader>, stream: &str) -> Self {
        Self { optional_for: Some(stream.to_owned()), ..Self::new(loader) }
    }

    async fn find(&self) -> Result<Arc<Json>, ReadError> {
        let (found, stream) = (self.loader.load().await, &self.optional_for);
        let (Err(_), Some(stream)) = (&found, stream) else { return found };
        info!("Could not find schema for stream {stream}, defaulting to the empty schema");
        Ok(Arc::new(Json::Object(Map::new())))
    }
}

impl SchemaLoader for CachedSchema {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        async { self.found.get_or_try_init(|| self.find()).await.cloned() }.boxed()
    }

    fn known(&self) -> Option<Arc<Json>> {
        self.found.get().cloned().or_else(|| self.loader.known())
    }
}
