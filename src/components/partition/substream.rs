//! `SubstreamPartitionRouter`: one partition for each record of parent streams.
//!
//! Parents are read one after the other, slice by slice, while the partitions
//! that were found already are read. A parent's state advances as if it were
//! read for its own sake, and a slice of it is closed before its last record
//! gives its partition: so the state that goes with a partition covers exactly
//! the records before.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};

use crate::components::generate::{Yielder, generate};
use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, ParentStates, PartitionRouter, ReadError, RecordSink,
    RequestParts, Surroundings,
};
use crate::value::{Json, StreamSlice, is_truthy};

use super::PARENT_SLICE;
use super::parent::Parent;

/// The YAML shape.
pub mod yaml {
    use super::super::parent::yaml::ParentStreamConfig;
    use super::shape;

    shape! {
        /// One partition for each record of parent streams.
        pub struct SubstreamPartitionRouter {
            /// The parents, read in this order.
            parent_stream_configs: Vec<ParentStreamConfig>,
        }
    }
}

impl Component for yaml::SubstreamPartitionRouter {
    type Family = dyn PartitionRouter;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PartitionRouter>, BuildError> {
        if self.parent_stream_configs.is_empty() {
            let message = "SubstreamPartitionRouter needs at least 1 parent stream";
            return Err(BuildError::in_span(self.span, message));
        }
        let parents = self.parent_stream_configs.iter().map(|shape| Parent::build(shape, cx));
        Ok(Arc::new(SubstreamPartitionRouter {
            parents: parents.collect::<Result<_, _>>()?,
            surroundings: cx.surroundings(),
            state: Mutex::default(),
        }))
    }
}

/// See the module documentation.
struct SubstreamPartitionRouter {
    parents: Vec<Parent>,
    surroundings: Surroundings,
    /// The parents' states as they were last asked for; none when they have changed since.
    state: Mutex<Option<ParentStates>>,
}

impl PartitionRouter for SubstreamPartitionRouter {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            for parent in &self.parents {
                self.read_parent(parent, &yielder).await?;
            }
            Ok(())
        })
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        for parent in &self.parents {
            let value = slice.get(&parent.field).filter(|value| is_truthy(value));
            if let (Some(option), Some(value)) = (&parent.option, value) {
                self.surroundings.eval(|scope| option.inject(&mut parts, value.clone(), &scope))?;
            }
        }
        Ok(parts)
    }

    fn parent_state(&self) -> Option<ParentStates> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let current = || {
            let parents = self.parents.iter().filter(|parent| parent.keeps_state);
            parents.map(|it| (it.stream.name.clone(), it.stream.cursor.snapshot())).collect()
        };
        Some(state.get_or_insert_with(current).clone())
    }

    fn partition_fields(&self) -> Vec<String> {
        self.parents.iter().map(|parent| parent.field.clone()).collect()
    }

    fn shapes(&self) -> Vec<Vec<String>> {
        let shape = |parent: &Parent| vec![parent.field.clone(), PARENT_SLICE.to_owned()];
        self.parents.iter().map(shape).collect()
    }

    fn has_request_options(&self) -> bool {
        self.parents.iter().any(|parent| parent.option.is_some())
    }

    fn ancestors(&self) -> Vec<String> {
        let names = |parent: &Parent| {
            let own = std::iter::once(parent.stream.name.clone());
            own.chain(parent.stream.parents.iter().cloned()).collect::<Vec<_>>()
        };
        self.parents.iter().flat_map(names).collect()
    }
}

impl SubstreamPartitionRouter {
    async fn read_parent(
        &self,
        parent: &Parent,
        yielder: &Yielder<StreamSlice>,
    ) -> Result<(), ReadError> {
        let mut slices = parent.stream.slices();
        let mut next = slices.next().await;
        while let Some(slice) = next {
            let slice = slice?;
            // As in the reference, the next slice is known before this one is read.
            next = slices.next().await;
            self.forget_state();
            let mut sink = ParentSink { parent, slice: &slice, yielder, held: None };
            parent.stream.retriever.read(&slice, &mut sink).await?;
            let held = sink.held;
            parent.stream.cursor.close_slice(&slice)?;
            if next.is_none() {
                parent.stream.cursor.finish()?;
            }
            self.forget_state();
            if let Some(record) = held {
                give(parent, &record, &slice, yielder).await?;
            }
        }
        Ok(())
    }

    fn forget_state(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

async fn give(
    parent: &Parent,
    record: &Json,
    slice: &StreamSlice,
    yielder: &Yielder<StreamSlice>,
) -> Result<(), ReadError> {
    if let Some(partition) = parent.partition(record, slice)? {
        yielder.give(partition).await;
    }
    Ok(())
}

/// Makes partitions of records, each when the next one is there: the last record of a slice waits
/// until the slice is closed.
struct ParentSink<'a> {
    parent: &'a Parent,
    slice: &'a StreamSlice,
    yielder: &'a Yielder<StreamSlice>,
    held: Option<Json>,
}

impl RecordSink for ParentSink<'_> {
    fn records(
        &mut self,
        mut records: Vec<Json>,
    ) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        async move {
            self.parent.stream.cursor.observe(self.slice, &records)?;
            let last = records.pop();
            let held = if last.is_some() { std::mem::replace(&mut self.held, last) } else { None };
            for record in held.iter().chain(&records) {
                give(self.parent, record, self.slice, self.yielder).await?;
            }
            Ok(ControlFlow::Continue(()))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn stream(name: &str, path: &str, router: &Json) -> Json {
        json!({
            "type": "DeclarativeStream",
            "name": name,
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url": "http://h", "path": path},
                "record_selector": {"type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []}},
                "partition_router": router,
            },
        })
    }

    fn router(key: &str, field: &str, parent: &Json, more: &Json) -> Json {
        let mut config = json!({"type": "ParentStreamConfig", "parent_key": key,
            "partition_field": field, "stream": parent});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [config]})
    }

    fn api(url: &str) -> (u16, Json) {
        match url {
            "http://h/a" => {
                (200, json!([{"id": 1}, {"id": null}, {"id": 0, "x": {"y": "z"}}, {"no": 1}]))
            }
            "http://h/b/1" => (200, json!([{"id": "p"}])),
            "http://h/b/0" => (200, json!([{"id": "q"}, {"id": "r"}])),
            _ => (404, json!({"message": "gone"})),
        }
    }

    /// The partitions, with extra fields where there are any, and how they end.
    async fn partitions(router: &Json) -> (Vec<Json>, Result<(), String>) {
        let world = World::with_api(&json!({"key": "id"}), api);
        let router = world.build::<dyn PartitionRouter>(router).unwrap();
        let mut found = Vec::new();
        let mut slices = router.partitions();
        let ended = loop {
            match slices.try_next().await {
                Ok(Some(slice)) if slice.extra_fields.is_empty() => {
                    found.push(json!(slice.partition));
                }
                Ok(Some(slice)) => found.push(json!([slice.partition, slice.extra_fields])),
                Ok(None) => break Ok(()),
                Err(err) => break Err(err.to_string()),
            }
        };
        (found, ended)
    }

    #[tokio::test]
    async fn each_record_with_a_value_gives_a_partition() {
        let parent = stream("a", "/a", &json!([]));
        let router = router("{{ config.key }}", "a_id", &parent, &json!({}));
        let expect =
            [json!({"a_id": 1, "parent_slice": {}}), json!({"a_id": 0, "parent_slice": {}})];
        assert_eq!(partitions(&router).await, (expect.to_vec(), Ok(())));
    }

    #[tokio::test]
    async fn partitions_know_those_of_their_parents() {
        let grandparent = stream("a", "/a", &json!([]));
        let parent = router("id", "a_id", &grandparent, &json!({}));
        let parent = stream("b", "/b/{{ stream_partition.a_id }}", &parent);
        let (found, ended) = partitions(&router("id", "b_id", &parent, &json!({}))).await;
        let above = |id: i64| json!({"a_id": id, "parent_slice": {}});
        let expect = [
            json!({"b_id": "p", "parent_slice": above(1)}),
            json!({"b_id": "q", "parent_slice": above(0)}),
            json!({"b_id": "r", "parent_slice": above(0)}),
        ];
        assert_eq!((found, ended), (expect.to_vec(), Ok(())));
    }

    #[tokio::test]
    async fn further_values_travel_along() {
        let parent = stream("a", "/a", &json!([]));
        let more = json!({"extra_fields": [["x", "y"], ["id"]], "lazy_read_pointer": ["x"]});
        let (found, _) = partitions(&router("id", "a_id", &parent, &more)).await;
        let extra =
            |page: Json, y: Json, id: i64| json!({"child_response": page, "x.y": y, "id": id});
        let expect = [
            json!([{"a_id": 1, "parent_slice": {}}, extra(json!([]), json!(null), 1)]),
            json!([{"a_id": 0, "parent_slice": {}}, extra(json!({"y": "z"}), json!("z"), 0)]),
        ];
        assert_eq!(found, expect);
    }

    #[tokio::test]
    async fn a_failure_comes_behind_the_partitions_before_it() {
        let list =
            json!({"type": "ListPartitionRouter", "cursor_field": "p", "values": ["a", "gone"]});
        let parent = stream("l", "/{{ stream_partition.p }}", &list);
        let (found, ended) = partitions(&router("id", "id", &parent, &json!({}))).await;
        assert_eq!(found.len(), 2);
        assert!(ended.unwrap_err().starts_with("HTTP Status Code: 404."));
    }
}
