//! `UnionPartitionRouter`: the partitions of several routers, each value once.

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use tracing::warn;

use crate::components::generate::generate;
use crate::components::shape::{ListOf, Text, shape};
use crate::components::slot::accepts;
use crate::components::{
    BuildContext, BuildError, Component, ParentStates, PartitionRouter, ReadError, RequestParts,
    Slot,
};
use crate::template::InterpolatedString;
use crate::value::{Json, StreamSlice, python_repr, python_str};

use super::identity::Identity;

accepts!(
    /// Routers whose partitions have one value each.
    Unitable =
        "ListPartitionRouter",
        "SubstreamPartitionRouter",
        "UnionPartitionRouter",
        "CustomPartitionRouter",
);

/// The YAML shape.
pub mod yaml {
    use super::{ListOf, PartitionRouter, Slot, Text, Unitable, shape};

    shape! {
        /// The partitions of several routers, each value once.
        pub struct UnionPartitionRouter {
            /// The key of the value, the same in all routers.
            partition_field: Text,
            /// The routers, in order.
            partition_routers: ListOf<Slot<dyn PartitionRouter, Unitable>, 2>,
        }
    }
}

impl Component for yaml::UnionPartitionRouter {
    type Family = dyn PartitionRouter;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PartitionRouter>, BuildError> {
        let slots = &self.partition_routers.0;
        let routers: Vec<_> = slots.iter().map(|slot| slot.build(cx)).collect::<Result<_, _>>()?;
        let field = InterpolatedString::new(&self.partition_field, self.parameters.clone());
        let field = field.eval_json(&cx.scope(&cx.config.snapshot()))?;
        let field = python_str(&field).into_owned();
        for (slot, router) in slots.iter().zip(&routers) {
            if let Some(other) = router.partition_fields().into_iter().find(|other| *other != field)
            {
                let child = slot.node().type_name().unwrap_or_default();
                let message = format!(
                    "UnionPartitionRouter expects all child partition routers to emit the partition field '{field}', \
                     but a {child} child emits '{other}'."
                );
                return Err(BuildError::at(slot.node(), message));
            }
        }
        if routers.iter().any(|router| router.has_request_options()) {
            let message = "Request options are not supported for UnionPartitionRouter.";
            return Err(BuildError::in_span(self.span, message));
        }
        Ok(Arc::new(UnionPartitionRouter { routers, field }))
    }
}

/// See the module documentation.
struct UnionPartitionRouter {
    routers: Vec<Arc<dyn PartitionRouter>>,
    field: String,
}

impl PartitionRouter for UnionPartitionRouter {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            let mut seen = HashSet::new();
            for router in &self.routers {
                let mut partitions = router.partitions();
                while let Some(slice) = partitions.next().await {
                    let (slice, identity) = self.normalized(slice?)?;
                    if seen.insert(identity) {
                        yielder.give(slice).await;
                    }
                }
            }
            Ok(())
        })
    }

    fn request_parts(&self, _: &StreamSlice) -> Result<RequestParts, ReadError> {
        Ok(RequestParts::default())
    }

    fn parent_state(&self) -> Option<ParentStates> {
        let mut states = self.routers.iter().filter_map(|router| router.parent_state());
        let first = states.next().unwrap_or_default();
        let merge = |merged: ParentStates, state: ParentStates| {
            if merged.overlaps(&state) {
                warn!(
                    "UnionPartitionRouter child routers reference the same parent streams; the last child's state \
                     for each of them overwrites the previous one."
                );
            }
            merged.and(&state)
        };
        Some(states.fold(first, merge))
    }

    fn partition_fields(&self) -> Vec<String> {
        vec![self.field.clone()]
    }

    fn ancestors(&self) -> Vec<String> {
        self.routers.iter().flat_map(|router| router.ancestors()).collect()
    }
}

impl UnionPartitionRouter {
    /// The partition with its one value; what else it has becomes extra fields.
    fn normalized(&self, mut slice: StreamSlice) -> Result<(StreamSlice, Identity), ReadError> {
        let Some(value) = slice.partition.remove(&self.field) else {
            let found = python_repr(&Json::Object(slice.partition));
            return Err(ReadError::value(format!(
                "UnionPartitionRouter expects all child partition routers to emit the partition field '{}'. Got {found}",
                self.field
            )));
        };
        let Some(identity) = Identity::of(&value) else {
            return Err(ReadError::value(format!(
                "UnionPartitionRouter can only deduplicate hashable partition values. Got unhashable value {} for \
                 partition field '{}'.",
                python_repr(&value),
                self.field
            )));
        };
        let rest = std::mem::take(&mut slice.partition);
        slice.partition.insert(self.field.clone(), value);
        slice.extra_fields.extend(rest);
        Ok((slice, identity))
    }
}
