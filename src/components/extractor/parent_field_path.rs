//! `ParentFieldPath`: a field of a record that each of its items gets.

use crate::components::shape::{Text, shape};
use crate::components::{BuildContext, BuildError, PathTemplate, ReadError};
use crate::protocol::TracedError;
use crate::value::{Json, Map, PathError, insert, python_int, python_repr, python_str};

use super::record_expander::reject_globs;

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// A field of a record that each of its items gets.
        pub struct ParentFieldPath {
            /// The keys that lead to the value in the record; null where there is none.
            parent_path: Vec<Text>,
            /// The keys under which the item gets it; what is there already is replaced.
            record_path: Vec<Text>,
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct ParentFieldPath {
    parent_path: Vec<Json>,
    record_path: Vec<Json>,
}

impl yaml::ParentFieldPath {
    pub(super) fn build(&self, cx: &BuildContext<'_>) -> Result<ParentFieldPath, BuildError> {
        let segments = |field: &str, path: &[Text]| {
            if path.is_empty() {
                let message = format!("`{field}` cannot be empty.");
                return Err(BuildError::in_span(self.span, message));
            }
            let path = PathTemplate::new(path, &self.parameters, cx.surroundings());
            let segments = path.segments()?;
            reject_globs(&segments, field)?;
            Ok(segments)
        };
        Ok(ParentFieldPath {
            parent_path: segments("parent_path", &self.parent_path)?,
            record_path: segments("record_path", &self.record_path)?,
        })
    }
}

impl ParentFieldPath {
    /// Copies the field of `parent` to `item`.
    pub(super) fn copy(&self, parent: &Map, item: &mut Map) -> Result<(), ReadError> {
        let value = look_up(parent, &self.parent_path).cloned().unwrap_or_default();
        insert(item, &self.record_path, value).map_err(|err| match err {
            PathError::NotFound { .. } | PathError::NotAnIndex { .. } => {
                let path = python_repr(&Json::from(self.record_path.as_slice()));
                let message = format!(
                    "Cannot write parent field to `record_path` {path}: the expanded item already holds a \
                     non-object value on that path."
                );
                let internal_message = format!("{message} {err}");
                ReadError::traced(TracedError::config(message).with_internal(internal_message))
            }
            err => err.into(),
        })
    }
}

/// The value at a path without patterns; a number is a key as well.
fn look_up<'p>(parent: &'p Map, path: &[Json]) -> Option<&'p Json> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(parent.get(&*python_str(first))?, |value, segment| match value {
        Json::Object(object) => object.get(&*python_str(segment)),
        Json::Array(items) => {
            let index = python_int(segment)?;
            let distance = usize::try_from(index.unsigned_abs()).ok()?;
            items.get(if index < 0 { items.len().checked_sub(distance)? } else { distance })
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn copy(parent_path: Json, record_path: Json, item: Json) -> Result<Json, ReadError> {
        let list = |path| match path {
            Json::Array(segments) => segments,
            _ => panic!("a path is a list"),
        };
        let field =
            ParentFieldPath { parent_path: list(parent_path), record_path: list(record_path) };
        let parent = json!({"id": 7, "o": {"5": "five", "l": [1, 2]}});
        let Json::Object(mut item) = item else { panic!("an item is an object") };
        field.copy(parent.as_object().unwrap(), &mut item)?;
        Ok(Json::Object(item))
    }

    #[track_caller]
    fn check(parent_path: Json, record_path: Json, expect: Json) {
        let Json::Object(expect) = expect else { panic!("an item is an object") };
        let item = copy(parent_path, record_path, json!({"a": 1})).unwrap();
        assert_eq!(item.as_object(), Some(&expect));
    }

    #[test]
    fn values_are_found_and_put_anywhere() {
        check(json!(["id"]), json!(["parent", "id"]), json!({"a": 1, "parent": {"id": 7}}));
        check(json!(["o", 5]), json!(["a"]), json!({"a": "five"}));
        check(json!(["o", "l", "-1"]), json!(["b", "0"]), json!({"a": 1, "b": [2]}));
    }

    #[test]
    fn what_is_missing_is_null() {
        for path in
            [json!(["x"]), json!(["id", "x"]), json!(["o", "l", "2"]), json!(["o", "l", "x"])]
        {
            check(path, json!(["b"]), json!({"a": 1, "b": null}));
        }
    }

    #[test]
    fn values_are_not_entered() {
        let result = copy(json!(["id"]), json!(["a", "b"]), json!({"a": 1}));
        assert_eq!(
            result.unwrap_err().to_string(),
            "Cannot write parent field to `record_path` ['a', 'b']: the expanded item already holds a non-object \
             value on that path."
        );
    }
}
