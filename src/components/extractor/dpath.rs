//! `DpathExtractor`: the records are what a path leads to.
//!
//! A list is its items; any other value is one record, unless Python calls it
//! false. With a `*` in the path each match is a record, whatever it is.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::record_expander::{self, RecordExpander};
use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Extraction, PathTemplate, ReadError, RecordExtractor,
};
use crate::value::{Json, Path, is_truthy};

/// The YAML shape.
pub mod yaml {
    use super::{Text, record_expander, shape};

    shape! {
        /// Finds records by a path in the response.
        pub struct DpathExtractor {
            /// The keys that lead to the records; `*` stands for any.
            field_path: Vec<Text>,
            /// Makes several records out of each.
            record_expander: Option<record_expander::yaml::RecordExpander>,
        }
    }
}

impl Component for yaml::DpathExtractor {
    type Family = dyn RecordExtractor;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn RecordExtractor>, BuildError> {
        let path = PathTemplate::new(&self.field_path, &self.parameters, cx.surroundings());
        let expander = self.record_expander.map(|expander| expander.build(cx)).transpose()?;
        // A template that fails now will fail again when a response is read, and be reported then.
        let keys = path.path().ok().filter(|_| expander.is_none()).and_then(Path::keys);
        Ok(Arc::new(DpathExtractor { path, keys, expander }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct DpathExtractor {
    path: PathTemplate,
    /// The path, when it is made of plain keys.
    keys: Option<Vec<String>>,
    expander: Option<RecordExpander>,
}

impl RecordExtractor for DpathExtractor {
    fn extract<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        records: &'a mut Vec<Json>,
    ) -> BoxFuture<'a, Result<usize, ReadError>> {
        async move {
            let path = self.path.path()?;
            let n_before = records.len();
            for element in elements {
                let found = find(path, element, mode)?;
                let Some(expander) = &self.expander else {
                    records.extend(found);
                    continue;
                };
                for record in found {
                    expander.expand(record, records).await?;
                }
            }
            Ok(records.len() - n_before)
        }
        .boxed()
    }

    fn path(&self) -> Option<&[String]> {
        self.keys.as_deref()
    }
}

fn find(path: &Path, element: &mut Json, mode: Extraction) -> Result<Vec<Json>, ReadError> {
    let found = match (path.has_star(), mode) {
        (true, Extraction::Take) => return Ok(path.take_values(element)),
        (true, Extraction::Copy) => {
            return Ok(path.values(element).into_iter().cloned().collect());
        }
        (false, Extraction::Take) => path.take(element)?,
        (false, Extraction::Copy) => path.get(element)?.cloned(),
    };
    Ok(match found {
        Some(Json::Array(items)) => items,
        Some(value) if is_truthy(&value) => vec![value],
        _ => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(segments: Json, expect: Json) {
        let body = json!({"data": {
            "items": [{"id": 1}, {"id": 2}], "o": {"x": 1}, "e": {}, "n": null, "s": "str", "z": 0
        }});
        let Json::Array(segments) = segments else { panic!("a path is a list") };
        let Json::Array(expect) = expect else { panic!("records are a list") };
        let path = Path::new(segments).unwrap();
        for mode in [Extraction::Take, Extraction::Copy] {
            let mut element = body.clone();
            assert_eq!(find(&path, &mut element, mode).unwrap(), expect, "{mode:?}");
            assert!(mode == Extraction::Take || element == body);
        }
    }

    #[test]
    fn lists_are_their_items_and_objects_are_records() {
        check(json!(["data", "items"]), json!([{"id": 1}, {"id": 2}]));
        check(json!(["data", "o"]), json!([{"x": 1}]));
        check(json!(["data", "s"]), json!(["str"]));
        check(json!(["data", "items", "0"]), json!([{"id": 1}]));
        check(json!(["data", "it*"]), json!([{"id": 1}, {"id": 2}]));
    }

    #[test]
    fn what_is_false_is_no_record() {
        for key in ["e", "n", "z", "none"] {
            check(json!(["data", key]), json!([]));
        }
    }

    #[test]
    fn each_match_of_a_star_is_a_record() {
        check(json!(["*", "items"]), json!([[{"id": 1}, {"id": 2}]]));
        check(json!(["data", "items", "*", "id"]), json!([1, 2]));
        check(json!(["data", "o", "*"]), json!([1]));
    }

    #[test]
    fn the_empty_path_is_the_whole_element() {
        let path = Path::new([]).unwrap();
        let records = |mut element| find(&path, &mut element, Extraction::Take).unwrap();
        assert_eq!(records(json!({"a": 1})), [json!({"a": 1})]);
        assert_eq!(records(json!([1, 2])), [json!(1), json!(2)]);
        assert_eq!(records(json!({})), [json!(null); 0]);
    }

    #[test]
    fn two_matches_of_another_pattern_are_an_error() {
        let path = Path::new([json!("data"), json!("[os]")]).unwrap();
        let result = find(&path, &mut json!({"data": {"o": 1, "s": 2}}), Extraction::Take);
        assert_eq!(
            result.unwrap_err().to_string(),
            "dpath.get() globs must match only one leaf: ['data', '[os]']"
        );
    }
}
