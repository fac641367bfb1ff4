//! `HttpComponentsResolver`: one stream for each record that an API gives.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};

use crate::components::full_refresh::FullRefresh;
use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, ComponentsResolver, Cursor, ReadError, RecordSink,
    Retriever, Slot, StreamScope, Surroundings,
};
use crate::manifest::Node;
use crate::value::Json;

use super::mapping::{Mapping, Reading, fill_all};

/// The YAML shape.
pub mod yaml {
    use super::super::mapping::yaml::ComponentMappingDefinition;
    use super::{Retriever, Slot, shape};

    shape! {
        /// One stream for each record that an API gives.
        pub struct HttpComponentsResolver {
            /// Reads the records.
            retriever: Slot<dyn Retriever>,
            /// What of the template is filled.
            components_mapping: Vec<ComponentMappingDefinition>,
        }
    }
}

impl Component for yaml::HttpComponentsResolver {
    type Family = dyn ComponentsResolver;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ComponentsResolver>, BuildError> {
        let name = match cx.stream.name.as_str() {
            "" => "__http_components_resolver",
            name => name,
        };
        let mut scope = StreamScope {
            name: name.to_owned(),
            retriever: Some(self.retriever.node().clone()),
            ..StreamScope::default()
        };
        let router = cx.for_stream(scope.clone()).partition_router(self.retriever.node())?;
        let cursor: Arc<dyn Cursor> =
            Arc::new(FullRefresh::new(router, cx.environment.run.clone()));
        scope.cursor = Some(Arc::clone(&cursor));
        Ok(Arc::new(HttpComponentsResolver {
            retriever: self.retriever.build(&cx.for_stream(scope))?,
            cursor,
            mappings: Mapping::build_all(&self.components_mapping, false, false)?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
struct HttpComponentsResolver {
    retriever: Arc<dyn Retriever>,
    cursor: Arc<dyn Cursor>,
    mappings: Vec<Mapping>,
    surroundings: Surroundings,
}

impl ComponentsResolver for HttpComponentsResolver {
    fn resolve<'a>(&'a self, template: &'a Node) -> BoxFuture<'a, Result<Vec<Node>, ReadError>> {
        async move {
            let mut slices = self.retriever.slices(&*self.cursor);
            let mut streams = Vec::new();
            while let Some(slice) = slices.try_next().await? {
                let mut records = Records(Vec::new());
                self.retriever.read(&slice, &mut records).await?;
                let fillings = records.0.iter().map(|record| (record, Some(&slice)));
                let reading = Reading::AsIs;
                let filled =
                    fill_all(&self.mappings, template, fillings, reading, &self.surroundings);
                streams.append(&mut filled?);
            }
            Ok(streams)
        }
        .boxed()
    }
}

/// Keeps all records.
struct Records(Vec<Json>);

impl RecordSink for Records {
    fn records(
        &mut self,
        mut records: Vec<Json>,
    ) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.0.append(&mut records);
        async { Ok(ControlFlow::Continue(())) }.boxed()
    }
}
