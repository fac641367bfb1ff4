//! `ParentStreamConfig`: which stream partitions come from, and what they take of its records.

use std::sync::Arc;

use crate::components::job_slots::JobSlots;
use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, ReadError, RequestOption, Slot, Stream, StreamScope, request_option,
};
use crate::manifest::Node;
use crate::template::InterpolatedString;
use crate::value::{Json, Map, Path, StreamSlice, python_str};

use super::PARENT_SLICE;

/// The YAML shape.
pub mod yaml {
    use super::{Slot, Stream, Text, request_option, shape};

    shape! {
        /// Which stream partitions come from, and what they take of its records.
        pub struct ParentStreamConfig {
            /// The stream; it is read for its partitions only.
            stream: Slot<Stream>,
            /// The path of the value in a record, with slashes; records without it give no partition.
            parent_key: Text,
            /// The key of the value in a partition.
            partition_field: Text,
            /// Where the value goes in requests.
            request_option: Option<request_option::yaml::RequestOption>,
            /// Whether only what is new of the parent is read; its state is kept in the child's.
            incremental_dependency: bool = false,
            /// Where in a record the first page of its partition stands.
            lazy_read_pointer: Vec<Text> = Vec::new(),
            /// Paths of further values that travel along for templates.
            extra_fields: Option<Vec<Vec<Text>>>,
        }
    }
}

/// See the module documentation.
pub(super) struct Parent {
    /// The stream.
    pub(super) stream: Stream,
    /// The key of the value in a partition.
    pub(super) field: String,
    /// Where the value goes in requests.
    pub(super) option: Option<RequestOption>,
    /// Whether its state is kept in the child's.
    pub(super) keeps_state: bool,
    key: Path,
    embedded_page: Option<Path>,
    extra_fields: Vec<(String, Path)>,
}

impl Parent {
    /// Builds the parent with its own state, taken from the child's.
    pub(super) fn build(
        shape: &yaml::ParentStreamConfig,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let config = cx.config.snapshot();
        let scope = cx.scope(&config);
        let eval =
            |text: &Text| InterpolatedString::new(text, shape.parameters.clone()).eval_json(&scope);
        let path = |texts: &[Text]| {
            let segments = texts.iter().map(eval).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, BuildError>(Path::new(segments)?)
        };
        if shape.lazy_read_pointer.iter().any(|text| text.contains('*')) {
            let message = "The '*' wildcard in 'lazy_read_pointer' is not supported — only direct paths are allowed.";
            return Err(BuildError::in_span(shape.span, message));
        }
        let key = python_str(&eval(&shape.parent_key)?).into_owned();
        let key = Path::new(key.trim_start_matches('/').split('/').map(Json::from))?;
        let mut extra_fields = Vec::new();
        for texts in shape.extra_fields.iter().flatten() {
            let names = texts.iter().map(|text| Ok(python_str(&eval(text)?).into_owned()));
            let name = names.collect::<Result<Vec<_>, BuildError>>()?.join(".");
            extra_fields.push((name, path(texts)?));
        }
        let embedded_page = match shape.lazy_read_pointer.as_slice() {
            [] => None,
            pointer => Some(path(pointer)?),
        };
        let option = shape.request_option.as_ref();
        Ok(Self {
            field: python_str(&eval(&shape.partition_field)?).into_owned(),
            option: option.map(|it| RequestOption::build(it, &Arc::default())).transpose()?,
            keeps_state: shape.incremental_dependency,
            key,
            embedded_page,
            extra_fields,
            stream: shape.stream.build(&parent_cx(shape, cx)?)?,
        })
    }

    /// The child's partition for a record of `slice`; `None` when the record has no value for it.
    pub(super) fn partition(
        &self,
        record: &Json,
        slice: &StreamSlice,
    ) -> Result<Option<StreamSlice>, ReadError> {
        let Some(value) = self.key.get(record)?.filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let mut partition = Map::with_capacity(2);
        partition.insert(self.field.clone(), value.clone());
        partition.insert(PARENT_SLICE.to_owned(), Json::Object(slice.partition.clone()));
        let mut child = StreamSlice::of_partition(partition);
        if let Some(path) = &self.embedded_page {
            let page = path.get(record)?.cloned().unwrap_or_else(|| Json::Array(Vec::new()));
            child.extra_fields.insert("child_response".to_owned(), page);
        }
        for (name, path) in &self.extra_fields {
            let value = path.get(record)?.cloned().unwrap_or_default();
            child.extra_fields.insert(name.clone(), value);
        }
        Ok(Some(child))
    }
}

/// What the parent is built with. Its jobs have slots of their own: a child that takes the last
/// one waits for its parent.
fn parent_cx<'a>(
    shape: &yaml::ParentStreamConfig,
    cx: &BuildContext<'a>,
) -> Result<BuildContext<'a>, BuildError> {
    let node = shape.stream.node();
    let name = node.get("name").and_then(Node::as_str).unwrap_or_default().to_owned();
    let child_state = cx.stream.state.as_deref().filter(|_| shape.incremental_dependency);
    let state = match child_state {
        Some(state) => parent_state(state, &name, || cursor_field(node, cx))?,
        None => None,
    };
    let state = state.map(Arc::new);
    let stream = StreamScope { name, state, is_parent: true, ..StreamScope::default() };
    Ok(BuildContext { job_slots: JobSlots::default(), ..cx.for_stream(stream) })
}

/// The state of the parent `name`, as far as the child's state tells of it.
fn parent_state(
    child: &Map,
    name: &str,
    cursor_field: impl FnOnce() -> Result<Option<String>, BuildError>,
) -> Result<Option<Map>, BuildError> {
    if let Some(states) = child.get("parent_state") {
        let states =
            states.as_object().ok_or_else(|| BuildError::of_state("parent_state", "object"))?;
        if let Some(state) = states.get(name) {
            return object_of(state, "parent_state").map(Some);
        }
    }
    if let Some(state) = child.get("state") {
        return object_of(state, "state").map(Some);
    }
    // A child that was read without its parent's state before: its own cursor value serves both.
    let mut values = child.iter().filter(|(key, _)| *key != "__ab_no_cursor_state_message");
    let (Some((_, value)), None) = (values.next(), values.next()) else { return Ok(None) };
    if !(value.is_string() || value.is_number()) {
        return Ok(None);
    }
    Ok(cursor_field()?.map(|field| Map::from_iter([(field, value.clone())])))
}

/// The state in a state; an empty list or text is one too, for Python.
fn object_of(state: &Json, name: &str) -> Result<Map, BuildError> {
    match state {
        Json::Object(state) => Ok(state.clone()),
        Json::Array(items) if items.is_empty() => Ok(Map::new()),
        Json::String(text) if text.is_empty() => Ok(Map::new()),
        _ => Err(BuildError::of_state(name, "object")),
    }
}

fn cursor_field(stream: &Node, cx: &BuildContext<'_>) -> Result<Option<String>, BuildError> {
    let stream = stream.get("incremental_stream").unwrap_or(stream);
    let Some(cursor) = stream.get("incremental_sync") else { return Ok(None) };
    let Some(field) = cursor.get("cursor_field").and_then(Node::as_str) else { return Ok(None) };
    let parameters = crate::components::shape::read_parameters(cursor);
    let field =
        InterpolatedString::new(field, parameters).eval_json(&cx.scope(&cx.config.snapshot()))?;
    Ok(Some(python_str(&field).into_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(child: &Json, expect: Option<&Json>) {
        let state =
            parent_state(child.as_object().unwrap(), "p", || Ok(Some("updated".to_owned())));
        assert_eq!(state.unwrap().map(Json::Object).as_ref(), expect);
    }

    #[test]
    fn the_parents_own_state_comes_first() {
        check(&json!({"state": {"c": 1}, "parent_state": {"p": {"c": 2}}}), Some(&json!({"c": 2})));
        check(&json!({"state": {"c": 1}, "parent_state": {"q": {"c": 2}}}), Some(&json!({"c": 1})));
    }

    #[test]
    fn states_that_are_none_are_refused() {
        for child in [
            json!({"parent_state": null}),
            json!({"parent_state": "p"}),
            json!({"parent_state": {"p": null}}),
            json!({"state": 5}),
        ] {
            let refused = parent_state(child.as_object().unwrap(), "p", || Ok(None));
            let message = refused.unwrap_err().message;
            assert!(message.ends_with(r#"is not of type "object""#), "{message}");
        }
        check(&json!({"parent_state": {"p": []}}), Some(&json!({})));
    }

    #[test]
    fn a_lone_cursor_value_serves_the_parent_too() {
        check(&json!({"created": "2024"}), Some(&json!({"updated": "2024"})));
        check(&json!({"created": "2024", "other": 1}), None);
        check(&json!({"__ab_full_refresh_sync_complete": true}), None);
        check(&json!({"__ab_no_cursor_state_message": true}), None);
        check(&json!({"states": []}), None);
    }
}
