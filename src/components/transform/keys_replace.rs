//! `KeysReplace`: other text in names, also inside of objects (but not of lists).

use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, Surroundings, Transformation,
};
use crate::template::InterpolatedString;
use crate::value::{Json, Map, StreamSlice, python_str};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Replaces a text in the names of all fields.
        pub struct KeysReplace {
            /// The text that is replaced; a template that sees `record` and `stream_slice`.
            old: Text,
            /// The text that takes its place; a template that sees the same.
            new: Text,
        }
    }
}

impl Component for yaml::KeysReplace {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(KeysReplace {
            old: InterpolatedString::new(&self.old, self.parameters.clone()),
            new: InterpolatedString::new(&self.new, self.parameters.clone()),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct KeysReplace {
    old: InterpolatedString,
    new: InterpolatedString,
    surroundings: Surroundings,
}

impl Transformation for KeysReplace {
    fn transform(&self, record: &mut Map, slice: &StreamSlice) -> Result<(), ReadError> {
        let config = self.surroundings.config().snapshot();
        let scope =
            self.surroundings.scope(&config).with("record", &*record).with("stream_slice", slice);
        let (old, new) = (self.old.eval_json(&scope)?, self.new.eval_json(&scope)?);
        drop(scope);
        rename(record, &python_str(&old), &python_str(&new));
        Ok(())
    }
}

fn rename(object: &mut Map, old: &str, new: &str) {
    for value in object.values_mut() {
        if let Json::Object(inner) = value {
            rename(inner, old, new);
        }
    }
    if object.keys().any(|key| key.contains(old)) {
        let renamed = std::mem::take(object).into_iter();
        *object = renamed.map(|(key, value)| (key.replace(old, new), value)).collect();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    #[track_caller]
    fn check(old: &str, new: &str, mut record: Json, expect: &str) {
        rename(record.as_object_mut().unwrap(), old, new);
        assert_eq!(record.to_string(), expect);
    }

    #[test]
    fn text_is_replaced_everywhere_in_names() {
        check(
            " ",
            "_",
            json!({"a b c": {"d e": 1}, "f": [{"g h": 2}]}),
            r#"{"a_b_c":{"d_e":1},"f":[{"g h":2}]}"#,
        );
        check("x", "", json!({"ax": 1, "b": 2, "a": 3}), r#"{"a":3,"b":2}"#);
        check("", "-", json!({"ab": 1}), r#"{"-a-b-":1}"#);
    }

    #[test]
    fn templates_say_what_is_replaced() {
        let world = World::new(&json!({"new": 5}));
        let written =
            json!({"type": "KeysReplace", "old": "{{ record.old }}", "new": "{{ config.new }}"});
        let transformation = world.build::<dyn Transformation>(&written).unwrap();
        let mut record = Map::from_iter([("old".to_owned(), json!("l"))]);
        transformation.transform(&mut record, &StreamSlice::default()).unwrap();
        assert_eq!(Json::Object(record), json!({"o5d": "l"}));
    }
}
