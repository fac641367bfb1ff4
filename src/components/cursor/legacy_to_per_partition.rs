//! `LegacyToPerPartitionStateMigration`: states of partitions, once one key each.
//!
//! `{"1": {"updated": …}}` becomes `{"states": [{"partition": {"id": "1"}, "cursor": {"updated": …}}]}`.
//! The partitions stay texts, and know nothing of their parent's slice, so
//! they only match partitions that are made alike.

use std::sync::Arc;

use serde_json::json;

use crate::components::shape::{read_parameters, shape};
use crate::components::{BuildContext, BuildError, Component, ReadError, StateMigration};
use crate::manifest::{Node, Span};
use crate::template::InterpolatedString;
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Turns states of partitions, once one key each, into today's form.
        pub struct LegacyToPerPartitionStateMigration: loosely_typed {}
    }
}

impl Component for yaml::LegacyToPerPartitionStateMigration {
    type Family = dyn StateMigration;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn StateMigration>, BuildError> {
        let span = self.span;
        let retriever = cx.stream.retriever.as_ref();
        let router = retriever.and_then(|retriever| retriever.get("partition_router"));
        let router_type = router.and_then(Node::type_name).unwrap_or_default();
        let parents = router.and_then(|router| router.get("parent_stream_configs"));
        let parents = parents.and_then(Node::as_seq).unwrap_or_default();
        let (field, n_parents) = match router_type {
            "UnionPartitionRouter" => (router, 1),
            "SubstreamPartitionRouter" | "CustomPartitionRouter" => {
                (parents.first(), parents.len())
            }
            _ => return Err(unfit(span, router_type)),
        };
        let Some(field) = field.and_then(|parent| parent.get("partition_field")) else {
            let message = "LegacyToPerPartitionStateMigrations can only be applied with a parent stream configuration.";
            return Err(BuildError::in_span(span, message));
        };
        let cursor_field =
            cx.stream.incremental_sync.as_ref().and_then(|it| it.get("cursor_field"));
        let Some(cursor_field) = cursor_field else {
            let message = "LegacyToPerPartitionStateMigrations can only be applied with an incremental_sync configuration.";
            return Err(BuildError::in_span(span, message));
        };
        // The stream's parameters reach the retriever as well.
        let parameters = retriever.map(read_parameters).unwrap_or_default();
        let config = cx.config.snapshot();
        let eval = |node: &Node| {
            InterpolatedString::new(node.as_str().unwrap_or_default(), parameters.clone())
                .eval_string(&cx.scope(&config))
        };
        Ok(Arc::new(LegacyToPerPartition {
            partition_field: eval(field)?,
            cursor_field: eval(cursor_field)?,
            has_one_parent: n_parents == 1,
        }))
    }
}

fn unfit(span: Option<Span>, router_type: &str) -> BuildError {
    BuildError::in_span(
        span,
        format!(
            "LegacyToPerPartitionStateMigrations can only be applied on a SimpleRetriever with a \
             SubstreamPartitionRouter, UnionPartitionRouter or CustomPartitionRouter. Got {router_type}"
        ),
    )
}

/// See the module documentation.
#[derive(Debug)]
struct LegacyToPerPartition {
    partition_field: String,
    cursor_field: String,
    has_one_parent: bool,
}

impl StateMigration for LegacyToPerPartition {
    fn should_migrate(&self, state: &Map) -> bool {
        let is_old = |value: &Json| {
            let keys = value.as_object().map(|cursor| cursor.keys().collect::<Vec<_>>());
            keys.is_some_and(|keys| keys == [&self.cursor_field])
        };
        let is_migrated = state.contains_key("states") || state.is_empty();
        !is_migrated && self.has_one_parent && state.values().all(is_old)
    }

    fn migrate(&self, state: Map) -> Result<Map, ReadError> {
        let states = state.into_iter().map(
            |(id, cursor)| json!({"partition": {&self.partition_field: id}, "cursor": cursor}),
        );
        Ok(Map::from_iter([("states".to_owned(), states.collect())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::World;

    fn migration(router: &Json) -> Result<Arc<dyn StateMigration>, BuildError> {
        let mut world = World::new(&json!({}));
        let node = |value: &Json| Some(Node::from_json(value, None));
        world.stream.retriever = node(&json!({
            "type": "SimpleRetriever",
            "partition_router": router,
            "$parameters": {"id_field": "pid"},
        }));
        world.stream.incremental_sync =
            node(&json!({"type": "DatetimeBasedCursor", "cursor_field": "updated"}));
        world.build::<dyn StateMigration>(&json!({"type": "LegacyToPerPartitionStateMigration"}))
    }

    fn substream(n_parents: usize) -> Json {
        let parent =
            json!({"type": "ParentStreamConfig", "partition_field": "{{ parameters.id_field }}"});
        json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": vec![parent; n_parents]})
    }

    #[track_caller]
    fn check(n_parents: usize, state: &Json, expect: Option<&Json>) {
        let migration = migration(&substream(n_parents)).unwrap();
        let state = state.as_object().unwrap().clone();
        let migrated = migration.should_migrate(&state).then(|| migration.migrate(state).unwrap());
        assert_eq!(migrated.map(Json::Object).as_ref(), expect);
    }

    #[test]
    fn one_key_each_becomes_a_list() {
        check(
            1,
            &json!({"1": {"updated": "2024"}, "2": {"updated": "2023"}}),
            Some(&json!({"states": [
                {"partition": {"pid": "1"}, "cursor": {"updated": "2024"}},
                {"partition": {"pid": "2"}, "cursor": {"updated": "2023"}},
            ]})),
        );
    }

    #[test]
    fn anything_else_stays() {
        check(1, &json!({}), None);
        check(1, &json!({"states": []}), None);
        check(1, &json!({"1": {"created": "2024"}}), None);
        check(1, &json!({"1": {"updated": "2024", "x": 1}}), None);
        check(1, &json!({"updated": "2024"}), None);
        check(2, &json!({"1": {"updated": "2024"}}), None);
    }

    #[test]
    fn only_some_routers_had_such_states() {
        let err = migration(&json!({"type": "ListPartitionRouter"})).err().unwrap();
        assert!(err.message.ends_with("Got ListPartitionRouter"), "{}", err.message);
        assert!(
            migration(&json!({"type": "UnionPartitionRouter", "partition_field": "id"})).is_ok()
        );
    }
}
