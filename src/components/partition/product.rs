//! A list of partition routers: all combinations of their partitions, the last varying fastest.
//!
//! Where routers have a key in common, the first one's value counts.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::TryStreamExt;
use futures::stream::BoxStream;
use tracing::warn;

use crate::components::generate::generate;
use crate::components::slot::Combination;
use crate::components::{BuildContext, BuildError, PartitionRouter, ReadError, RequestParts};
use crate::value::{Map, StreamSlice};

/// See the module documentation.
pub struct Product {
    routers: Vec<Arc<dyn PartitionRouter>>,
}

impl std::fmt::Debug for Product {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Product").field("n_routers", &self.routers.len()).finish()
    }
}

impl Combination for Product {
    type Family = dyn PartitionRouter;

    fn combine(
        routers: Vec<Arc<dyn PartitionRouter>>,
        _: &BuildContext<'_>,
    ) -> Result<Arc<dyn PartitionRouter>, BuildError> {
        if routers.iter().any(|router| !router.ancestors().is_empty()) {
            warn!("Parent state handling is not supported for CartesianProductStreamSlicer.");
        }
        Ok(Arc::new(Self { routers }))
    }
}

impl PartitionRouter for Product {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            let mut factors = Vec::with_capacity(self.routers.len());
            for router in &self.routers {
                factors.push(router.partitions().try_collect::<Vec<_>>().await?);
            }
            let mut combination = vec![0; factors.len()];
            let mut goes_on = factors.iter().all(|factor| !factor.is_empty());
            while goes_on {
                let slices = factors.iter().zip(&combination).map(|(factor, idx)| &factor[*idx]);
                yielder.give(combined(slices)).await;
                goes_on = advance(&mut combination, &factors);
            }
            Ok(())
        })
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        for router in self.routers.iter().rev() {
            parts.overlay(router.request_parts(slice)?);
        }
        Ok(parts)
    }

    fn partition_fields(&self) -> Vec<String> {
        self.routers.iter().flat_map(|router| router.partition_fields()).collect()
    }

    fn shapes(&self) -> Vec<Vec<String>> {
        let mut shapes = vec![BTreeSet::new()];
        for router in &self.routers {
            let longer = |shape: &BTreeSet<String>| {
                let more = router.shapes().into_iter();
                more.map(|more| shape.iter().cloned().chain(more).collect()).collect::<Vec<_>>()
            };
            shapes = shapes.iter().flat_map(longer).collect();
        }
        shapes.into_iter().map(|shape| shape.into_iter().collect()).collect()
    }

    fn has_request_options(&self) -> bool {
        self.routers.iter().any(|router| router.has_request_options())
    }

    fn ancestors(&self) -> Vec<String> {
        self.routers.iter().flat_map(|router| router.ancestors()).collect()
    }
}

/// The next combination; whether there is one.
fn advance(combination: &mut [usize], factors: &[Vec<StreamSlice>]) -> bool {
    for (idx, factor) in combination.iter_mut().zip(factors).rev() {
        *idx += 1;
        if *idx < factor.len() {
            return true;
        }
        *idx = 0;
    }
    false
}

/// One partition of several; keys stand in the order of Python's `ChainMap`, the last one's first.
fn combined<'a>(slices: impl DoubleEndedIterator<Item = &'a StreamSlice>) -> StreamSlice {
    let mut joined = StreamSlice::default();
    let extend = |map: &mut Map, more: &Map| {
        map.extend(more.iter().map(|(key, value)| (key.clone(), value.clone())));
    };
    for slice in slices.rev() {
        extend(&mut joined.partition, &slice.partition);
        extend(&mut joined.extra_fields, &slice.extra_fields);
    }
    joined
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::stream;
    use serde_json::json;

    use super::*;
    use crate::value::Json;

    struct Fixed(Vec<StreamSlice>);

    impl PartitionRouter for Fixed {
        fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
            stream::iter(self.0.iter().cloned().map(Ok)).boxed()
        }

        fn request_parts(&self, _: &StreamSlice) -> Result<RequestParts, ReadError> {
            Ok(RequestParts::default())
        }

        fn partition_fields(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[track_caller]
    fn check(factors: &[&[Json]], expect: &[Json]) {
        let router = |partitions: &&[Json]| {
            let slice = |json: &Json| StreamSlice::of_partition(json.as_object().unwrap().clone());
            Arc::new(Fixed(partitions.iter().map(slice).collect())) as Arc<dyn PartitionRouter>
        };
        let product = Product { routers: factors.iter().map(router).collect() };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let slices: Vec<_> = runtime.block_on(product.partitions().try_collect()).unwrap();
        let partitions: Vec<_> = slices.into_iter().map(|it| Json::Object(it.partition)).collect();
        assert_eq!(partitions, expect);
    }

    #[test]
    fn the_last_router_varies_fastest() {
        check(
            &[&[json!({"a": 1}), json!({"a": 2})], &[json!({"b": 1}), json!({"b": 2})]],
            &[
                json!({"a": 1, "b": 1}),
                json!({"a": 1, "b": 2}),
                json!({"a": 2, "b": 1}),
                json!({"a": 2, "b": 2}),
            ],
        );
    }

    #[test]
    fn the_first_router_wins() {
        check(&[&[json!({"a": 1})], &[json!({"a": 2, "b": 2})]], &[json!({"a": 1, "b": 2})]);
    }

    #[test]
    fn nothing_times_anything_is_nothing() {
        check(&[&[json!({"a": 1})], &[]], &[]);
    }
}
