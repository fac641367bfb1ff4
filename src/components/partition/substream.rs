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
    BuildContext, BuildError, Component, PartitionRouter, ReadError, RecordSink, RequestParts,
    Surroundings,
};
use crate::value::{Json, Map, StreamSlice, is_truthy};

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
    state: Mutex<Option<Arc<Map>>>,
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

    fn parent_state(&self) -> Option<Arc<Map>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let current = || {
            let parents = self.parents.iter().filter(|parent| parent.keeps_state);
            let states =
                parents.map(|it| (it.stream.name.clone(), Json::Object(it.stream.cursor.state())));
            Arc::new(states.collect())
        };
        Some(Arc::clone(state.get_or_insert_with(current)))
    }

    fn partition_fields(&self) -> Vec<String> {
        self.parents.iter().map(|parent| parent.field.clone()).collect()
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
