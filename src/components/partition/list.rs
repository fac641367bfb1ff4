//! `ListPartitionRouter`: one partition for each value of a list.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};

use crate::components::shape::{Text, TextOrList, shape};
use crate::components::{
    BuildContext, BuildError, Component, PartitionRouter, ReadError, RequestOption, RequestParts,
    Surroundings, request_option,
};
use crate::template::InterpolatedString;
use crate::value::{Json, Map, StreamSlice, is_truthy, python_str, python_type_name};

/// The YAML shape.
pub mod yaml {
    use super::{Text, TextOrList, request_option, shape};

    shape! {
        /// One partition for each value of a list.
        pub struct ListPartitionRouter {
            /// The key of the value in a partition.
            cursor_field: Text,
            /// The values, or a template that gives them.
            values: TextOrList,
            /// Where the value goes in requests.
            request_option: Option<request_option::yaml::RequestOption>,
        }
    }
}

impl Component for yaml::ListPartitionRouter {
    type Family = dyn PartitionRouter;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn PartitionRouter>, BuildError> {
        let config = cx.config.snapshot();
        let scope = cx.scope(&config);
        let eval =
            |text: &Text| InterpolatedString::new(text, self.parameters.clone()).eval_json(&scope);
        let values = match &self.values {
            // The texts of a list are no templates.
            TextOrList::List(texts) => Ok(texts.iter().map(|text| Json::from(&**text)).collect()),
            TextOrList::Text(text) => items_of(eval(text)?),
        };
        let option = self.request_option.as_ref();
        Ok(Arc::new(ListPartitionRouter {
            field: python_str(&eval(&self.cursor_field)?).into_owned(),
            values,
            option: option.map(|it| RequestOption::build(it, &Arc::default())).transpose()?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// What Python iterates over: the characters of a text, the keys of a mapping.
fn items_of(value: Json) -> Result<Vec<Json>, ReadError> {
    match value {
        Json::Array(items) => Ok(items),
        Json::String(text) => Ok(text.chars().map(|c| Json::from(c.to_string())).collect()),
        Json::Object(map) => Ok(map.into_iter().map(|(key, _)| Json::from(key)).collect()),
        other => {
            let message = format!("'{}' object is not iterable", python_type_name(&other));
            Err(ReadError::unexpected("TypeError", message))
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ListPartitionRouter {
    field: String,
    /// The values, or why there are none, which only matters when the stream is read.
    values: Result<Vec<Json>, ReadError>,
    option: Option<RequestOption>,
    surroundings: Surroundings,
}

impl PartitionRouter for ListPartitionRouter {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        let partition = |value: &Json| {
            let partition = Map::from_iter([(self.field.clone(), value.clone())]);
            Ok(StreamSlice::of_partition(partition))
        };
        match &self.values {
            Ok(values) => stream::iter(values.iter().map(partition)).boxed(),
            Err(err) => stream::iter([Err(err.clone())]).boxed(),
        }
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        let value = slice.get(&self.field).filter(|value| is_truthy(value));
        if let (Some(option), Some(value)) = (&self.option, value) {
            self.surroundings.eval(|scope| option.inject(&mut parts, value.clone(), &scope))?;
        }
        Ok(parts)
    }

    fn partition_fields(&self) -> Vec<String> {
        vec![self.field.clone()]
    }

    fn has_request_options(&self) -> bool {
        self.option.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_what_python_iterates_over() {
        #[track_caller]
        fn check(value: &Json, expect: &Json) {
            assert_eq!(Json::Array(items_of(value.clone()).unwrap()), *expect);
        }
        check(&json!([1, "a"]), &json!([1, "a"]));
        check(&json!("añ"), &json!(["a", "ñ"]));
        check(&json!({"a": 1, "b": 2}), &json!(["a", "b"]));
        assert_eq!(items_of(json!(5)).unwrap_err().to_string(), "'int' object is not iterable");
    }
}
