//! `DpathFlattenFields`: the fields of an object inside the record become the record's own.
//!
//! If one of them is there already, nothing happens at all. With a `*` in the
//! path the first match is taken.

use std::borrow::Cow;
use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Parameters, PathTemplate, ReadError, Transformation,
};
use crate::template::InterpolatedString;
use crate::value::{Json, Map, Path, StreamSlice, is_truthy, python_str};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Moves the fields of an object inside the record up into the record.
        pub struct DpathFlattenFields {
            /// The path of the object.
            field_path: Vec<Text>,
            /// Whether the object itself is removed.
            delete_origin_value: bool = false,
            /// Whether its fields take the place of the whole record.
            replace_record: bool = false,
            /// How the fields are named then.
            key_transformation: Option<KeyTransformation>,
        }
    }

    shape! {
        /// How fields that move up are named.
        pub struct KeyTransformation {
            /// Text before each name.
            prefix: Option<Text>,
            /// Text behind each name.
            suffix: Option<Text>,
        }
    }
}

impl Component for yaml::DpathFlattenFields {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        let affix = |text: Option<&Text>| affix(text, &self.parameters, cx);
        let keys = self.key_transformation.as_ref();
        Ok(Arc::new(DpathFlattenFields {
            prefix: affix(keys.and_then(|keys| keys.prefix.as_ref()))?,
            suffix: affix(keys.and_then(|keys| keys.suffix.as_ref()))?,
            path: PathTemplate::new(&self.field_path, &self.parameters, cx.surroundings()),
            delete_origin_value: self.delete_origin_value,
            replace_record: self.replace_record,
        }))
    }
}

/// The text before or behind each name; a value that Python calls false is none.
fn affix(
    text: Option<&Text>,
    parameters: &Parameters,
    cx: &BuildContext<'_>,
) -> Result<String, BuildError> {
    let Some(text) = text else { return Ok(String::new()) };
    let template = InterpolatedString::new(text, parameters.clone());
    let value = cx.surroundings().eval(|scope| template.eval_json(&scope))?;
    Ok(if is_truthy(&value) { python_str(&value).into_owned() } else { String::new() })
}

/// See the module documentation.
#[derive(Debug)]
struct DpathFlattenFields {
    path: PathTemplate,
    delete_origin_value: bool,
    replace_record: bool,
    prefix: String,
    suffix: String,
}

impl Transformation for DpathFlattenFields {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        let path = self.path.path()?;
        let Some(fields) = find(path, record)? else { return Ok(()) };
        let is_replaced = self.replace_record && !fields.is_empty();
        if !is_replaced && fields.keys().any(|key| record.contains_key(&*self.name(key))) {
            return Ok(());
        }
        let is_whole = path.is_empty();
        let fields = if (is_replaced || self.delete_origin_value) && !is_whole {
            path.take_values_in(record).into_iter().next()
        } else {
            Some(Json::Object(fields.clone()))
        };
        if is_replaced {
            record.clear();
        } else if self.delete_origin_value {
            path.remove(record);
        }
        if is_replaced && is_whole && !self.is_renaming() {
            // The reference has emptied what it now copies from.
            return Ok(());
        }
        let Some(Json::Object(fields)) = fields else { return Ok(()) };
        record.extend(fields.into_iter().map(|(key, value)| (self.name(&key).into_owned(), value)));
        Ok(())
    }
}

impl DpathFlattenFields {
    fn is_renaming(&self) -> bool {
        !self.prefix.is_empty() || !self.suffix.is_empty()
    }

    fn name<'k>(&self, key: &'k str) -> Cow<'k, str> {
        if self.is_renaming() {
            Cow::Owned(format!("{}{key}{}", self.prefix, self.suffix))
        } else {
            Cow::Borrowed(key)
        }
    }
}

/// The object that the path leads to, if it is one; the empty path leads to the record itself.
fn find<'r>(path: &Path, record: &'r Map) -> Result<Option<&'r Map>, ReadError> {
    if path.is_empty() {
        return Ok(Some(record));
    }
    let found = if path.has_star() {
        path.values_in(record).first().copied()
    } else {
        path.get_in(record)?
    };
    Ok(found.and_then(Json::as_object))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    #[track_caller]
    fn check(field_path: &Json, further: &Json, expect: &str) {
        let world = World::new(&json!({"key": "a", "word": "p"}));
        let mut written = json!({"type": "DpathFlattenFields", "field_path": field_path});
        for (key, value) in further.as_object().unwrap() {
            written[key] = value.clone();
        }
        let mut record = json!({"a": {"x": {"k": 1}, "y": 2}, "l": [{"p": 1}, {"q": 2}], "z": 1});
        let transformation = world.build::<dyn Transformation>(&written).unwrap();
        transformation.transform(record.as_object_mut().unwrap(), &StreamSlice::default()).unwrap();
        assert_eq!(record.to_string(), expect);
    }

    const RECORD: &str = r#"{"a":{"x":{"k":1},"y":2},"l":[{"p":1},{"q":2}],"z":1}"#;

    #[test]
    fn fields_move_up() {
        check(
            &json!(["{{ config.key }}"]),
            &json!({}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[{"p":1},{"q":2}],"z":1,"x":{"k":1},"y":2}"#,
        );
        check(
            &json!(["a"]),
            &json!({"delete_origin_value": true}),
            r#"{"l":[{"p":1},{"q":2}],"z":1,"x":{"k":1},"y":2}"#,
        );
        check(&json!(["a"]), &json!({"replace_record": true}), r#"{"x":{"k":1},"y":2}"#);
        check(
            &json!(["l", "0"]),
            &json!({"delete_origin_value": true}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[null,{"q":2}],"z":1,"p":1}"#,
        );
    }

    #[test]
    fn of_several_matches_the_first_moves_and_all_go() {
        check(
            &json!(["*", "x"]),
            &json!({}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[{"p":1},{"q":2}],"z":1,"k":1}"#,
        );
        check(
            &json!(["l", "*"]),
            &json!({"delete_origin_value": true}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[null],"z":1,"p":1}"#,
        );
    }

    #[test]
    fn names_can_be_changed() {
        let keys =
            json!({"type": "KeyTransformation", "prefix": "{{ config.word }}_", "suffix": "_s"});
        check(
            &json!(["a"]),
            &json!({"key_transformation": keys, "replace_record": true}),
            r#"{"p_x_s":{"k":1},"p_y_s":2}"#,
        );
        check(
            &json!([]),
            &json!({"key_transformation": keys, "replace_record": true}),
            r#"{"p_a_s":{"x":{"k":1},"y":2},"p_l_s":[{"p":1},{"q":2}],"p_z_s":1}"#,
        );
    }

    #[test]
    fn nothing_happens_without_fields_or_with_one_too_many() {
        check(&json!(["none"]), &json!({"replace_record": true}), RECORD);
        check(&json!(["l"]), &json!({}), RECORD);
        check(&json!([]), &json!({}), RECORD);
        check(
            &json!(["a"]),
            &json!({"key_transformation": {"type": "KeyTransformation", "prefix": ""}, "delete_origin_value": false}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[{"p":1},{"q":2}],"z":1,"x":{"k":1},"y":2}"#,
        );
        check(
            &json!(["a", "x"]),
            &json!({"key_transformation": {"type": "KeyTransformation", "suffix": "z"}}),
            r#"{"a":{"x":{"k":1},"y":2},"l":[{"p":1},{"q":2}],"z":1,"kz":1}"#,
        );
        check(&json!([]), &json!({"replace_record": true}), "{}");
    }
}
