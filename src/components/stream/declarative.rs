//! `DeclarativeStream`: the ordinary stream.
//!
//! Its parts are built in the order in which they need one another: state,
//! partition router, cursor, what is done to records, retriever.

use std::sync::Arc;

use tracing::warn;

use super::primary_key::PrimaryKey;
use super::schema::CachedSchema;
use crate::components::full_refresh::FullRefresh;
use crate::components::response_actions::refuse_paging_actions;
use crate::components::shape::shape;
use crate::components::share::Share;
use crate::components::slot::OneOrMore;
use crate::components::{
    BuildContext, BuildError, Component, IncrementalSync, PartitionRouter, Retriever, SchemaLoader,
    Slot, StateMigration, Stream, StreamScope, Transformation,
};
use crate::manifest::{Key, Node, NodeMap, NodeValue};
use crate::value::Map;

/// The YAML shape.
pub mod yaml {
    use super::super::file_uploader::yaml::FileUploader;
    use super::{
        IncrementalSync, OneOrMore, PrimaryKey, Retriever, SchemaLoader, Slot, StateMigration,
        Transformation, shape,
    };

    shape! {
        /// A stream of records.
        pub struct DeclarativeStream {
            /// Its name, unique in the source.
            name: String = String::new(),
            /// Reads its records.
            retriever: Slot<dyn Retriever>,
            /// How later runs read only what is new.
            incremental_sync: Option<Slot<dyn IncrementalSync>>,
            /// The fields that identify a record.
            primary_key: Option<PrimaryKey>,
            /// Where its JSON schema comes from.
            schema_loader: Option<Slot<dyn SchemaLoader, OneOrMore>>,
            /// What is done to each record, in order.
            transformations: Vec<Slot<dyn Transformation>> = Vec::new(),
            /// How older states become those of today, in order.
            state_migrations: Vec<Slot<dyn StateMigration>> = Vec::new(),
            /// How the files come along that records stand for.
            file_uploader: Option<FileUploader>,
        }
    }
}

impl Component for yaml::DeclarativeStream {
    type Family = Stream;

    fn build(self, cx: &BuildContext<'_>) -> Result<Stream, BuildError> {
        let mut scope = StreamScope {
            name: self.name.clone(),
            is_parent: cx.stream.is_parent,
            retriever: Some(self.retriever.node().clone()),
            incremental_sync: self.incremental_sync.as_ref().map(|it| it.node().clone()),
            uploads_files: self.file_uploader.is_some(),
            ..StreamScope::default()
        };
        if let Some(uploader) = &self.file_uploader {
            let what = "requester of a `file_uploader`";
            refuse_paging_actions(uploader.requester.node(), what)?;
        }
        if let Some(primary_key) = &self.primary_key {
            scope.primary_key = primary_key.paths()?;
        }
        let share = Share::of(self.retriever.node(), cx);
        let state = cx.stream.state.clone().map(|state| share.admit(state, cx)).transpose()?;
        let state = self.migrated_state(&cx.for_stream(scope.clone()), state)?;
        scope.state = state.map(|state| share.state(state));
        let router = self.router(&cx.for_stream(scope.clone()))?;
        let router = router.map(|router| share.router(router));
        let parents = router.as_ref().map(|router| router.ancestors()).unwrap_or_default();
        let cursor = match &self.incremental_sync {
            Some(slot) => {
                let cx = cx.for_stream(scope.clone());
                let incremental_sync = slot.build(&cx)?;
                scope.filters_client_side = incremental_sync.filters_client_side();
                scope.is_data_feed = incremental_sync.is_data_feed();
                incremental_sync.cursor(router, scope.state.as_deref(), &cx)?
            }
            None => Arc::new(FullRefresh::new(router, cx.environment.run.clone())),
        };
        let cursor = share.cursor(cursor, cx);
        scope.cursor = Some(cursor.clone());
        let schema = self.schema(&cx.for_stream(scope.clone()))?;
        scope.schema = Some(schema.clone());
        let parts = cx.for_stream(scope.clone());
        scope.transformations =
            self.transformations.iter().map(|it| it.build(&parts)).collect::<Result<_, _>>()?;
        let files = self.file_uploader.as_ref().map(|it| it.build(&self.name, cx)).transpose()?;
        let primary_key = scope.primary_key.clone();
        let state = scope.state.clone();
        let retriever = self.retriever.build(&cx.for_stream(scope))?;
        Ok(Stream {
            name: self.name,
            primary_key,
            schema,
            retriever,
            cursor,
            files,
            parents,
            state,
            group: None,
            max_slices: cx.environment.test_limits.map_or(usize::MAX, |limits| limits.slices),
        })
    }
}

impl yaml::DeclarativeStream {
    fn migrated_state(
        &self,
        cx: &BuildContext<'_>,
        state: Option<Arc<Map>>,
    ) -> Result<Option<Arc<Map>>, BuildError> {
        let mut state = state;
        for migration in &self.state_migrations {
            let migration = migration.build(cx)?;
            let current = state.clone().unwrap_or_default();
            if migration.should_migrate(&current) {
                state = Some(Arc::new(migration.migrate(Arc::unwrap_or_clone(current))?));
            }
        }
        Ok(state.filter(|state| !state.is_empty()))
    }

    fn router(
        &self,
        cx: &BuildContext<'_>,
    ) -> Result<Option<Arc<dyn PartitionRouter>>, BuildError> {
        let retriever = self.retriever.node();
        if self.incremental_sync.is_none()
            && retriever.get("partition_router").is_some_and(depends_on_parents_state)
        {
            warn!(
                "Stream `{}` has `incremental_dependency: true` in its parent stream configuration but does not \
                 define `incremental_sync`. The parent stream's cursor is only persisted in the state of an \
                 incremental substream, so this setting has no effect and all parent records will be re-read on \
                 every sync. Define `incremental_sync` on this stream or remove `incremental_dependency`.",
                self.name
            );
        }
        cx.partition_router(retriever)
    }

    fn schema(&self, cx: &BuildContext<'_>) -> Result<Arc<dyn SchemaLoader>, BuildError> {
        if let Some(loader) = &self.schema_loader {
            return Ok(Arc::new(CachedSchema::new(loader.build(cx)?)));
        }
        let parameters = NodeValue::Map(NodeMap::from_iter([name_field("name", &self.name)]));
        let node = NodeValue::Map(NodeMap::from_iter([
            name_field("type", "JsonFileSchemaLoader"),
            (Key::new("$parameters", None), parameters.into()),
        ]));
        let loader = Slot::<dyn SchemaLoader>::new(node.into()).build(cx)?;
        Ok(Arc::new(CachedSchema::optional(loader, &self.name)))
    }
}

fn name_field(key: &str, name: &str) -> (Key, Node) {
    (Key::new(key, None), Node::from(name))
}

/// Whether a router, one of a list, or one under a grouping, has a parent with `incremental_dependency`.
fn depends_on_parents_state(router: &Node) -> bool {
    let routers = router.as_seq().unwrap_or(std::slice::from_ref(router));
    let parents = routers.iter().flat_map(|router| {
        let router = router.get("underlying_partition_router").unwrap_or(router);
        router.get("parent_stream_configs").and_then(Node::as_seq).unwrap_or_default()
    });
    let flags = parents.filter_map(|parent| parent.get("incremental_dependency")?.as_bool());
    flags.into_iter().any(|flag| flag)
}
