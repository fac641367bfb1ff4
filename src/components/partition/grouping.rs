//! `GroupingPartitionRouter`: several partitions are read as one.
//!
//! A group has the values of its partitions as lists. Groups are no lasting
//! thing, so a stream with them keeps one state for all.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;

use crate::components::generate::generate;
use crate::components::shape::shape;
use crate::components::slot::accepts;
use crate::components::{
    BuildContext, BuildError, Component, ParentStates, PartitionRouter, ReadError, RequestParts,
    Slot,
};
use crate::value::{Json, StreamSlice, python_repr, python_type_name};

use super::PARENT_SLICE;
use super::identity::Identity;

accepts!(
    /// Routers whose partitions have one value each.
    Groupable =
        "ListPartitionRouter",
        "SubstreamPartitionRouter",
        "UnionPartitionRouter",
        "CustomPartitionRouter",
);

/// The YAML shape.
pub mod yaml {
    use super::{Groupable, PartitionRouter, Slot, shape};

    shape! {
        /// Several partitions are read as one.
        pub struct GroupingPartitionRouter {
            /// How many partitions are one.
            group_size: i64,
            /// Where the partitions come from.
            underlying_partition_router: Slot<dyn PartitionRouter, Groupable>,
            /// Whether a value counts once only.
            deduplicate: bool = true,
        }
    }
}

impl Component for yaml::GroupingPartitionRouter {
    type Family = dyn PartitionRouter;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PartitionRouter>, BuildError> {
        let router = self.underlying_partition_router.build(cx)?;
        let Some(group_size) = usize::try_from(self.group_size).ok().filter(|size| *size > 0)
        else {
            let message = format!("Group size must be greater than 0, got {}", self.group_size);
            return Err(BuildError::in_span(self.span, message));
        };
        if router.has_request_options() {
            let message = "Request options are not supported for GroupingPartitionRouter.";
            return Err(BuildError::in_span(self.span, message));
        }
        Ok(Arc::new(GroupingPartitionRouter {
            router,
            group_size,
            deduplicate: self.deduplicate,
            state: Mutex::new(Some(ParentStates::default())),
        }))
    }
}

/// See the module documentation.
struct GroupingPartitionRouter {
    router: Arc<dyn PartitionRouter>,
    group_size: usize,
    deduplicate: bool,
    /// The parents' states as of the group that was given last.
    state: Mutex<Option<ParentStates>>,
}

impl PartitionRouter for GroupingPartitionRouter {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            let mut partitions = self.router.partitions();
            let mut group = Vec::with_capacity(self.group_size);
            let mut seen = HashSet::new();
            while let Some(partition) = partitions.next().await {
                let partition = partition?;
                let value = only_value(&partition)?;
                if self.deduplicate && !seen.insert(identity(value)?) {
                    continue;
                }
                group.push(partition);
                if group.len() == self.group_size {
                    self.remember_state();
                    yielder.give(grouped(std::mem::take(&mut group))).await;
                }
            }
            self.remember_state();
            if !group.is_empty() {
                yielder.give(grouped(group)).await;
            }
            Ok(())
        })
    }

    fn request_parts(&self, _: &StreamSlice) -> Result<RequestParts, ReadError> {
        Ok(RequestParts::default())
    }

    fn parent_state(&self) -> Option<ParentStates> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn partition_fields(&self) -> Vec<String> {
        self.router.partition_fields()
    }

    fn shapes(&self) -> Vec<Vec<String>> {
        self.router.shapes()
    }

    fn needs_global_state(&self) -> bool {
        true
    }

    fn ancestors(&self) -> Vec<String> {
        self.router.ancestors()
    }
}

impl GroupingPartitionRouter {
    fn remember_state(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = self.router.parent_state();
    }
}

fn only_value(partition: &StreamSlice) -> Result<&Json, ReadError> {
    let mut values = partition.partition.iter().filter(|(key, _)| *key != PARENT_SLICE);
    if let (Some((_, value)), None) = (values.next(), values.next()) {
        return Ok(value);
    }
    let found = python_repr(&Json::Object(partition.partition.clone()));
    Err(ReadError::value(format!(
        "GroupingPartitionRouter expects a single partition key-value pair. Got {found}"
    )))
}

fn identity(value: &Json) -> Result<Identity, ReadError> {
    Identity::of(value).ok_or_else(|| {
        let message = format!("unhashable type: '{}'", python_type_name(value));
        ReadError::unexpected("TypeError", message)
    })
}

/// One partition with the values of all as lists.
fn grouped(mut group: Vec<StreamSlice>) -> StreamSlice {
    let mut joined = StreamSlice::default();
    let Some(first) = group.first() else { return joined };
    let partition_keys: Vec<_> = first.partition.keys().cloned().collect();
    let mut extra_keys: Vec<String> = Vec::new();
    for key in group.iter().flat_map(|it| it.extra_fields.keys()) {
        if !extra_keys.contains(key) {
            extra_keys.push(key.clone());
        }
    }
    for key in partition_keys {
        let values = group.iter_mut().map(|it| it.partition.remove(&key).unwrap_or_default());
        joined.partition.insert(key.clone(), values.collect());
    }
    for key in extra_keys {
        let values = group.iter_mut().map(|it| it.extra_fields.remove(&key).unwrap_or_default());
        joined.extra_fields.insert(key.clone(), values.collect());
    }
    joined
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::Map;

    fn map(json: &Json) -> Map {
        json.as_object().unwrap().clone()
    }

    fn slice(partition: &Json, extra_fields: &Json) -> StreamSlice {
        StreamSlice { extra_fields: map(extra_fields), ..StreamSlice::of_partition(map(partition)) }
    }

    #[test]
    fn a_group_has_lists_of_values() {
        let group = grouped(vec![
            slice(&json!({"id": 1, "parent_slice": {}}), &json!({"a": 1})),
            slice(&json!({"id": 2, "parent_slice": {"x": 1}}), &json!({"b": 2})),
        ]);
        let expect = slice(
            &json!({"id": [1, 2], "parent_slice": [{}, {"x": 1}]}),
            &json!({"a": [1, null], "b": [null, 2]}),
        );
        assert_eq!(group, expect);
    }

    #[test]
    fn partitions_have_one_value() {
        let only = |partition: &Json| {
            let slice = slice(partition, &json!({}));
            only_value(&slice).cloned().map_err(|err| err.to_string())
        };
        assert_eq!(only(&json!({"id": 1, "parent_slice": {}})), Ok(json!(1)));
        let expect = "GroupingPartitionRouter expects a single partition key-value pair. Got {'a': 1, 'b': 2}";
        assert_eq!(only(&json!({"a": 1, "b": 2})), Err(expect.to_owned()));
    }
}
