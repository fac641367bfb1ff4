//! `AddFields`: values that templates give, at paths in the record.
//!
//! The fields are added one after the other, so a template sees those before
//! it. Missing parents are made; see [`insert`].

use std::sync::Arc;

use crate::components::added_field::AddedField;
use crate::components::added_field::yaml::AddedFieldDefinition;
use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, Surroundings, Transformation,
};
use crate::template::InterpolatedBoolean;
use crate::value::{Json, Map, StreamSlice, insert};

/// The YAML shape.
pub mod yaml {
    use super::{AddedFieldDefinition, Text, shape};

    shape! {
        /// Adds fields to a record.
        pub struct AddFields {
            /// The fields, in order.
            fields: Vec<AddedFieldDefinition>,
            /// Whether a field is added; sees its `value` and `path` as well. Always when unset.
            condition: Text = Text::new(""),
        }
    }
}

impl Component for yaml::AddFields {
    type Family = dyn Transformation;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(AddFields {
            fields: self.fields.iter().map(AddedField::build).collect::<Result<_, _>>()?,
            condition: (!self.condition.is_empty())
                .then(|| InterpolatedBoolean::new(&self.condition, self.parameters.clone())),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct AddFields {
    fields: Vec<AddedField>,
    condition: Option<InterpolatedBoolean>,
    surroundings: Surroundings,
}

impl Transformation for AddFields {
    fn transform(&self, record: &mut Map, slice: &StreamSlice) -> Result<(), ReadError> {
        let config = self.surroundings.config().snapshot();
        for field in &self.fields {
            let scope = || {
                self.surroundings
                    .scope(&config)
                    .with("record", &*record)
                    .with("stream_slice", slice)
            };
            // The value is evaluated even when the condition will not let it in, as its errors count.
            let value = field.eval(&scope())?;
            if let Some(condition) = &self.condition {
                let path = Json::Array(field.path.clone());
                if !condition.eval(&scope().with("value", &value).with("path", &path))? {
                    continue;
                }
            }
            insert(record, &field.path, value)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn transform(written: &Json, record: &Json) -> Result<Json, String> {
        let world = World::new(&json!({"shop": "x"}));
        let transformation =
            world.build::<dyn Transformation>(written).map_err(|err| err.message)?;
        let mut record = record.clone();
        let partition = Map::from_iter([("id".to_owned(), json!(7))]);
        transformation
            .transform(record.as_object_mut().unwrap(), &StreamSlice::of_partition(partition))
            .map_err(|err| err.to_string())?;
        Ok(record)
    }

    #[track_caller]
    fn check(fields: Json, condition: &str, expect: &str) {
        let Json::Array(fields) = fields else { panic!("fields are a list") };
        let written = json!({"type": "AddFields", "fields": fields, "condition": condition});
        let record = transform(&written, &json!({"a": 1, "o": {"b": "text"}, "l": [0]}));
        assert_eq!(record.map(|record| record.to_string()), Ok(expect.to_owned()));
    }

    #[test]
    fn templates_see_record_slice_and_config() {
        check(
            json!([
                {"type": "AddedFieldDefinition", "path": ["c"], "value": "{{ record.o.b }}-{{ config.shop }}"},
                {"type": "AddedFieldDefinition", "path": ["d", "e"], "value": "{{ stream_slice.id }}"},
                {"type": "AddedFieldDefinition", "path": ["f"], "value": "{{ record.d }}"},
                {"type": "AddedFieldDefinition", "path": ["l", "2"], "value": "1,2"}
            ]),
            "",
            r#"{"a":1,"o":{"b":"text"},"l":[0,null,[1,2]],"c":"text-x","d":{"e":7},"f":{"e":7}}"#,
        );
    }

    #[test]
    fn the_type_of_a_value_can_be_asked_for() {
        let field = |value_type: &str, value: &str| json!([{"type": "AddedFieldDefinition", "path": ["a"], "value": value, "value_type": value_type}]);
        let rest = r#","o":{"b":"text"},"l":[0]}"#;
        check(field("string", "5"), "", &format!(r#"{{"a":"5"{rest}"#));
        check(field("number", "5"), "", &format!(r#"{{"a":"5"{rest}"#));
        check(field("number", "5.0"), "", &format!(r#"{{"a":5.0{rest}"#));
        check(field("integer", "5"), "", &format!(r#"{{"a":5{rest}"#));
        check(field("boolean", "{{ record.a == 1 }}"), "", &format!(r#"{{"a":true{rest}"#));
    }

    #[test]
    fn the_condition_sees_the_value_and_its_path() {
        let fields = json!([
            {"type": "AddedFieldDefinition", "path": ["c"], "value": "1"},
            {"type": "AddedFieldDefinition", "path": ["d"], "value": "2"}
        ]);
        let record = r#"{"a":1,"o":{"b":"text"},"l":[0]"#;
        check(fields.clone(), "{{ value == 2 }}", &format!(r#"{record},"d":2}}"#));
        check(fields.clone(), "{{ path == ['c'] }}", &format!(r#"{record},"c":1}}"#));
        check(fields, "{{ False }}", &format!("{record}}}"));
    }

    #[test]
    fn values_are_not_entered() {
        let field =
            |path: Json| json!({"type": "AddedFieldDefinition", "path": path, "value": "x"});
        let written = json!({"type": "AddFields", "fields": [field(json!(["a", "b"]))]});
        assert_eq!(transform(&written, &json!({"a": 1})), Err("Path: ['a', 'b'][0]".to_owned()));
        let written = json!({"type": "AddFields", "fields": [field(json!([]))]});
        let error = transform(&written, &json!({})).unwrap_err();
        assert!(error.starts_with("Expected a non-zero-length path"), "{error}");
    }
}
