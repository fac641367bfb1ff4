//! `RemoveFields`: what paths lead to, or every value that meets a condition.
//!
//! With a condition the paths say nothing any more: of the whole record, every
//! value that is no object and no list goes when the condition holds for it.
//! That is how the reference's library behaves, whatever its documentation says.
//! An item of a list becomes null, unless it is the last one.

use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, Surroundings, Transformation,
};
use crate::template::InterpolatedBoolean;
use crate::value::{Json, Map, Path, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Removes fields from a record.
        pub struct RemoveFields {
            /// The paths of the fields; segments may be patterns (`*`, `a?`, `**`).
            field_pointers: Vec<Vec<String>>,
            /// Whether a value is removed; sees it as `property`. Any value of the record can meet
            /// it, also one that no path leads to.
            condition: Text = Text::new(""),
        }
    }
}

impl Component for yaml::RemoveFields {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        let paths = self
            .field_pointers
            .into_iter()
            .map(|keys| Path::new(keys.into_iter().map(Json::String)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|err| {
                BuildError::in_span(self.span, err.to_string()).class(err.class_name())
            })?;
        if self.condition.is_empty() {
            return Ok(Arc::new(RemoveFields { paths }));
        }
        Ok(Arc::new(RemoveValues {
            n_passes: paths.len(),
            // The reference gives no parameters here.
            condition: InterpolatedBoolean::new(&self.condition, Arc::default()),
            surroundings: cx.surroundings(),
        }))
    }
}

/// Removes what paths lead to.
#[derive(Debug)]
struct RemoveFields {
    paths: Vec<Path>,
}

impl Transformation for RemoveFields {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        for path in &self.paths {
            path.remove(record);
        }
        Ok(())
    }
}

/// Removes all values that meet a condition, once for each path.
#[derive(Debug)]
struct RemoveValues {
    n_passes: usize,
    condition: InterpolatedBoolean,
    surroundings: Surroundings,
}

impl Transformation for RemoveValues {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        let config = self.surroundings.config().snapshot();
        let mut is_removed = |value: &Json| {
            Ok(self.condition.eval(&self.surroundings.scope(&config).with("property", value))?)
        };
        for _ in 0..self.n_passes {
            remove_from_object(record, &mut is_removed)?;
        }
        Ok(())
    }
}

type Condition<'c> = &'c mut dyn FnMut(&Json) -> Result<bool, ReadError>;

fn remove_from_object(object: &mut Map, is_removed: Condition<'_>) -> Result<(), ReadError> {
    let mut result = Ok(());
    object.retain(|_, value| match meets(value, is_removed) {
        Ok(is_met) => !is_met,
        Err(err) => {
            result = Err(err);
            true
        }
    });
    result
}

fn remove_from_list(items: &mut Vec<Json>, is_removed: Condition<'_>) -> Result<(), ReadError> {
    let last = items.len().checked_sub(1);
    for index in 0..items.len() {
        if !meets(&mut items[index], is_removed)? {
            continue;
        }
        if Some(index) == last {
            items.pop();
        } else {
            items[index] = Json::Null;
        }
    }
    Ok(())
}

/// Whether a plain value meets the condition; goes on inside of others.
fn meets(value: &mut Json, is_removed: Condition<'_>) -> Result<bool, ReadError> {
    match value {
        Json::Object(object) => remove_from_object(object, is_removed).map(|()| false),
        Json::Array(items) => remove_from_list(items, is_removed).map(|()| false),
        _ => is_removed(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    /// Removes the values that are equal to `unwanted`.
    #[track_caller]
    fn check(unwanted: &Json, mut record: Json, expect: &str) {
        let mut is_removed = |value: &Json| Ok(value == unwanted);
        remove_from_object(record.as_object_mut().unwrap(), &mut is_removed).unwrap();
        assert_eq!(record.to_string(), expect);
    }

    #[test]
    fn values_go_wherever_they_are() {
        check(&json!(1), json!({"a": 1, "b": {"c": 1, "d": 2}, "e": 2}), r#"{"b":{"d":2},"e":2}"#);
        check(&json!({}), json!({"a": {}, "b": [{}]}), r#"{"a":{},"b":[{}]}"#);
    }

    #[test]
    fn items_leave_a_hole_unless_they_are_last() {
        check(&json!(""), json!({"a": ["", 2, ""], "b": [""]}), r#"{"a":[null,2],"b":[]}"#);
        check(&json!(null), json!({"a": [null, null, 1]}), r#"{"a":[null,null,1]}"#);
    }

    #[track_caller]
    fn check_written(pointers: &Json, condition: &str, expect: &str) {
        let world = World::new(&json!({"unwanted": 1}));
        let written =
            json!({"type": "RemoveFields", "field_pointers": pointers, "condition": condition});
        let transformation = world.build::<dyn Transformation>(&written).unwrap();
        let mut record = json!({"a": 1, "b": {"a": 2, "c": [1, 2]}});
        transformation.transform(record.as_object_mut().unwrap(), &StreamSlice::default()).unwrap();
        assert_eq!(record.to_string(), expect);
    }

    #[test]
    fn paths_are_patterns() {
        check_written(&json!([["a"], ["b", "c", "0"]]), "", r#"{"b":{"a":2,"c":[null,2]}}"#);
        check_written(&json!([["**", "a"], ["x"]]), "", r#"{"b":{"c":[1,2]}}"#);
    }

    #[test]
    fn beside_a_condition_paths_say_nothing() {
        let condition = "{{ property == config.unwanted }}";
        check_written(&json!([["x"]]), condition, r#"{"b":{"a":2,"c":[null,2]}}"#);
        check_written(&json!([]), condition, r#"{"a":1,"b":{"a":2,"c":[1,2]}}"#);
    }

    #[test]
    fn an_error_ends_it() {
        let mut is_removed = |_: &Json| Err(ReadError::value("no"));
        let mut record = json!({"a": [{"b": 1}]});
        let result = remove_from_object(record.as_object_mut().unwrap(), &mut is_removed);
        assert_eq!(result.unwrap_err().to_string(), "no");
        assert_eq!(record, json!({"a": [{"b": 1}]}));
    }
}
