//! `FlattenFields`: fields of all levels become fields of the record.
//!
//! A field keeps its own name. Where that is taken, and everywhere once a list
//! was seen, the names on the way stand before it (`parent.name`, `list.0`).
//! The fields come out from the last to the first, as the reference keeps
//! those to do on a stack; so which name is taken depends on that order.

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, ReadError, Transformation};
use crate::value::{Json, Map, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Turns the fields of all levels into fields of the record.
        pub struct FlattenFields {
            /// Whether the items of lists become fields as well.
            flatten_lists: bool = true,
        }
    }
}

impl Component for yaml::FlattenFields {
    type Family = dyn Transformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(FlattenFields { flatten_lists: self.flatten_lists }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct FlattenFields {
    flatten_lists: bool,
}

impl Transformation for FlattenFields {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        let mut pending: Vec<(String, Json)> = std::mem::take(record).into_iter().collect();
        let mut has_seen_list = false;
        while let Some((name, value)) = pending.pop() {
            match value {
                Json::Object(object) => {
                    for (key, value) in object {
                        let is_taken = has_seen_list || record.contains_key(&key);
                        let key = if is_taken { format!("{name}.{key}") } else { key };
                        pending.push((key, value));
                    }
                }
                Json::Array(items) if self.flatten_lists => {
                    has_seen_list |= !items.is_empty();
                    let items = items.into_iter().enumerate();
                    pending.extend(items.map(|(index, item)| (format!("{name}.{index}"), item)));
                }
                value => {
                    record.insert(name, value);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(flatten_lists: bool, record: &str, expect: &str) {
        let mut record: Json = serde_json::from_str(record).unwrap();
        FlattenFields { flatten_lists }
            .transform(record.as_object_mut().unwrap(), &StreamSlice::default())
            .unwrap();
        assert_eq!(record.to_string(), expect);
    }

    #[test]
    fn fields_come_out_from_the_last_to_the_first() {
        check(true, r#"{"a":1,"b":{"c":2,"d":{"e":3}},"f":4}"#, r#"{"f":4,"e":3,"c":2,"a":1}"#);
        check(true, r#"{"a":{},"b":[],"c":null}"#, r#"{"c":null}"#);
    }

    #[test]
    fn taken_names_get_those_of_their_parents() {
        check(true, r#"{"a":{"b":1},"b":2}"#, r#"{"b":2,"a.b":1}"#);
        // The name was still free when the inner field was seen.
        check(true, r#"{"b":2,"a":{"b":1}}"#, r#"{"b":2}"#);
    }

    #[test]
    fn behind_a_list_all_names_are_long() {
        check(true, r#"{"a":{"b":1},"l":[1,{"x":2}]}"#, r#"{"l.1.x":2,"l.0":1,"a.b":1}"#);
        check(false, r#"{"a":{"b":1},"l":[1,{"x":2}]}"#, r#"{"l":[1,{"x":2}],"b":1}"#);
    }

    #[test]
    fn an_empty_record_stays_empty() {
        let mut record = Map::new();
        FlattenFields { flatten_lists: true }
            .transform(&mut record, &StreamSlice::default())
            .unwrap();
        assert_eq!(Json::Object(record), json!({}));
    }
}
