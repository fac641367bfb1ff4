//! `GroupByKeyMergeStrategy`: the parts of a record have a key in common.

use crate::components::shape::{either, shape};
use crate::components::{ReadError, RecordMerging};
use crate::value::{Json, is_truthy, python_type_name};

either! {
    /// One key, or several that count together.
    pub enum Keys { One(String) if |node| node.as_str().is_some(), Several(Vec<String>) }
}

/// The YAML shape.
pub mod yaml {
    use super::{Keys, shape};

    shape! {
        /// Joins the parts of records that have a key in common.
        pub struct GroupByKeyMergeStrategy {
            /// The key.
            key: Keys,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct GroupByKey(Vec<String>);

impl GroupByKey {
    /// Groups by `id` when nothing is said.
    pub(super) fn build(shape: Option<&yaml::GroupByKeyMergeStrategy>) -> Self {
        Self(match shape.map(|shape| &shape.key) {
            None => vec!["id".to_owned()],
            Some(Keys::One(key)) => vec![key.clone()],
            Some(Keys::Several(keys)) => keys.clone(),
        })
    }
}

impl RecordMerging for GroupByKey {
    fn merge_key(&self, record: &Json) -> Result<Option<String>, ReadError> {
        let mut parts = Vec::with_capacity(self.0.len());
        for key in &self.0 {
            match record.get(key).filter(|value| is_truthy(value)) {
                None => return Ok(None),
                Some(Json::String(text)) => parts.push(text.as_str()),
                Some(other) => {
                    let message = format!(
                        "sequence item {}: expected str instance, {} found",
                        parts.len(),
                        python_type_name(other)
                    );
                    return Err(ReadError::unexpected("TypeError", message));
                }
            }
        }
        Ok(Some(parts.join(",")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(keys: &[&str], record: &Json, expect: Result<Option<&str>, &str>) {
        let keys = GroupByKey(keys.iter().map(|key| (*key).to_owned()).collect());
        let key = keys.merge_key(record).map_err(|err| err.to_string());
        assert_eq!(key.as_ref().map(Option::as_deref).map_err(String::as_str), expect);
    }

    #[test]
    fn keys_are_texts() {
        check(&["a", "b"], &json!({"a": "x", "b": "y"}), Ok(Some("x,y")));
        check(&["a", "b"], &json!({"a": "x", "b": ""}), Ok(None));
        check(&["a"], &json!({}), Ok(None));
        let message = "sequence item 1: expected str instance, int found";
        check(&["a", "b"], &json!({"a": "x", "b": 5}), Err(message));
    }
}
