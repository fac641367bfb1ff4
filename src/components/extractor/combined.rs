//! `CombinedExtractor`: what several extractors find in one response.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::warn;

use crate::components::shape::{ListOf, choice, shape};
use crate::components::{
    BuildContext, BuildError, Component, ElementExtractor, Extraction, ReadError, RecordExtractor,
    Slot,
};
use crate::value::{Json, is_truthy};

/// The YAML shape.
pub mod yaml {
    use super::{ElementExtractor, ListOf, RecordExtractor, Slot, choice, shape};

    shape! {
        /// Finds records with several extractors in one response.
        pub struct CombinedExtractor {
            /// The extractors; each sees the whole response.
            extractors: ListOf<Slot<dyn RecordExtractor, ElementExtractor>, 1>,
            /// Whose records are taken.
            mode: CombineMode = CombineMode::Union,
            /// Whether records that Python calls false are left out. They count for the size of
            /// a page all the same.
            skip_empty_records: bool = false,
        }
    }

    choice! {
        /// Whose records are taken of several extractors.
        pub enum CombineMode {
            /// Those of all, in order.
            Union = "union",
            /// Those of the first that finds any.
            FirstMatch = "first_match",
        }
    }
}

impl Component for yaml::CombinedExtractor {
    type Family = dyn RecordExtractor;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn RecordExtractor>, BuildError> {
        let build = |slot: &Slot<dyn RecordExtractor, ElementExtractor>| {
            Ok((slot.node().type_name().unwrap_or_default().to_owned(), slot.build(cx)?))
        };
        Ok(Arc::new(CombinedExtractor {
            extractors: self.extractors.0.iter().map(build).collect::<Result<_, BuildError>>()?,
            mode: self.mode,
            skip_empty_records: self.skip_empty_records,
        }))
    }
}

/// See the module documentation.
struct CombinedExtractor {
    /// With the name of its type.
    extractors: Vec<(String, Arc<dyn RecordExtractor>)>,
    mode: yaml::CombineMode,
    skip_empty_records: bool,
}

impl RecordExtractor for CombinedExtractor {
    fn extract<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        records: &'a mut Vec<Json>,
    ) -> BoxFuture<'a, Result<usize, ReadError>> {
        async move {
            let mut n_extracted = 0;
            for extractor_idx in 0..self.extractors.len() {
                // Only the last one may leave holes.
                let is_last = extractor_idx + 1 == self.extractors.len();
                let mode = if is_last { mode } else { Extraction::Copy };
                let n_before = records.len();
                let n_counted = self.extract_with(extractor_idx, elements, mode, records).await?;
                if self.mode == yaml::CombineMode::Union {
                    n_extracted += n_counted;
                } else if records.len() > n_before {
                    return Ok(n_counted);
                }
            }
            Ok(n_extracted)
        }
        .boxed()
    }

    fn needs_whole_body(&self) -> bool {
        true
    }

    fn joins_lists(&self) -> bool {
        self.mode == yaml::CombineMode::Union
            || self.extractors.iter().any(|(_, extractor)| extractor.joins_lists())
    }
}

impl CombinedExtractor {
    async fn extract_with(
        &self,
        extractor_idx: usize,
        elements: &mut [Json],
        mode: Extraction,
        records: &mut Vec<Json>,
    ) -> Result<usize, ReadError> {
        let (type_name, extractor) = &self.extractors[extractor_idx];
        let n_before = records.len();
        let n_counted = extractor.extract(elements, mode, records).await?;
        if !self.skip_empty_records {
            return Ok(n_counted);
        }
        let n_found = records.len();
        let mut record_idx = 0;
        records.retain(|record| {
            record_idx += 1;
            record_idx <= n_before || is_truthy(record)
        });
        let n_dropped = n_found - records.len();
        if n_dropped > 0 {
            warn!(
                target: "airbyte",
                "CombinedExtractor dropped {n_dropped} empty record(s) yielded by sub-extractor {extractor_idx} \
                 ({type_name}) because `skip_empty_records` is enabled. An API that returns empty records alongside \
                 real ones usually reports the reason in an error field of the response body."
            );
        }
        Ok(n_counted)
    }
}

#[cfg(test)]
mod tests {
    use futures::future;
    use serde_json::json;

    use super::yaml::CombineMode::{FirstMatch, Union};
    use super::*;

    /// Finds the items of the list under a key.
    struct Under(&'static str);

    impl RecordExtractor for Under {
        fn extract<'a>(
            &'a self,
            elements: &'a mut [Json],
            mode: Extraction,
            records: &'a mut Vec<Json>,
        ) -> BoxFuture<'a, Result<usize, ReadError>> {
            let n_before = records.len();
            for items in elements.iter_mut().filter_map(|element| element.get_mut(self.0)) {
                let items = if mode == Extraction::Take { items.take() } else { items.clone() };
                records.extend(items.as_array().cloned().unwrap_or_default());
            }
            future::ready(Ok(records.len() - n_before)).boxed()
        }
    }

    #[track_caller]
    fn check(
        mode: yaml::CombineMode,
        skip_empty_records: bool,
        elements: &[Json],
        expect: &[Json],
        n_counted: usize,
    ) {
        let under =
            |key: &'static str| (key.to_owned(), Arc::new(Under(key)) as Arc<dyn RecordExtractor>);
        let extractors = vec![under("a"), under("b")];
        let combined = CombinedExtractor { extractors, mode, skip_empty_records };
        let mut records = vec![json!(null)];
        let mut elements = elements.to_vec();
        let extracted = combined.extract(&mut elements, Extraction::Take, &mut records);
        assert_eq!(extracted.now_or_never().unwrap().unwrap(), n_counted);
        assert_eq!(records[1..], *expect);
    }

    #[test]
    fn a_union_has_the_records_of_all() {
        let elements = [json!({"a": [1], "b": [2]}), json!({"b": [4], "a": [3]})];
        check(Union, false, &elements, &[json!(1), json!(3), json!(2), json!(4)], 4);
        check(Union, false, &[json!({})], &[], 0);
    }

    #[test]
    fn the_first_match_is_the_only_one() {
        let elements = [json!({"b": [2]}), json!({"b": [4], "a": [3]})];
        check(FirstMatch, false, &elements, &[json!(3)], 1);
        check(FirstMatch, false, &elements[..1], &[json!(2)], 1);
        check(FirstMatch, false, &[json!({})], &[], 0);
    }

    #[test]
    fn empty_records_are_left_out_but_counted() {
        let elements = [json!({"a": [null, 1, {}], "b": [2, ""]})];
        check(Union, true, &elements, &[json!(1), json!(2)], 5);
        check(FirstMatch, true, &elements, &[json!(1)], 3);
        check(FirstMatch, true, &[json!({"a": [null], "b": [2, ""]})], &[json!(2)], 2);
        check(FirstMatch, true, &[json!({"a": [null], "b": [""]})], &[], 0);
    }
}
