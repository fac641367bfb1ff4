//! The forms in which a manifest names the fields that identify a record.

use serde_json::json;

use crate::components::BuildError;
use crate::components::definitions::{Definitions, reference};
use crate::components::shape::{FieldValue, Reader};
use crate::manifest::{Node, Span};
use crate::value::{Json, python_repr};

/// The fields that identify a record, as they are written.
#[derive(Clone, Debug)]
pub struct PrimaryKey {
    form: Form,
    span: Option<Span>,
}

#[derive(Clone, Debug)]
enum Form {
    Field(String),
    Fields(Vec<String>),
    Paths(Vec<Vec<String>>),
}

impl PrimaryKey {
    /// The fields, each as a path of one name: records are identified by top-level fields only.
    pub(super) fn paths(&self) -> Result<Vec<Vec<String>>, BuildError> {
        match &self.form {
            Form::Field(name) => Ok(vec![vec![name.clone()]]),
            Form::Fields(names) => Ok(names.iter().map(|name| vec![name.clone()]).collect()),
            Form::Paths(paths) if paths.iter().all(|path| path.len() == 1) => Ok(paths.clone()),
            Form::Paths(paths) => {
                let found = python_repr(&json!(paths));
                let message = format!("Nested primary keys are not supported. Found {found}");
                Err(BuildError::in_span(self.span, message))
            }
        }
    }
}

impl FieldValue for PrimaryKey {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let form = match (node.as_str(), node.as_seq()) {
            (Some(name), _) => Form::Field(name.to_owned()),
            (_, Some(items)) if items.iter().all(|item| item.as_str().is_some()) => {
                Form::Fields(FieldValue::read(node, reader)?)
            }
            (_, Some(_)) => Form::Paths(FieldValue::read(node, reader)?),
            _ => {
                reader.wrong_kind(node, "a field, or a list of fields");
                return None;
            }
        };
        Some(Self { form, span: node.span() })
    }

    fn schema() -> Json {
        reference("PrimaryKey")
    }

    fn gather(definitions: &mut Definitions) {
        definitions.add("PrimaryKey", || {
            json!({
                "description": "A field, several fields, or paths of keys that lead to fields.",
                "anyOf": [String::schema(), Vec::<String>::schema(), Vec::<Vec<String>>::schema()],
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::registry::REGISTRY;
    use crate::manifest::Findings;

    /// `expect` is nothing when there is a finding, and an error when the stream cannot be built.
    #[track_caller]
    fn check(written: &Json, expect: Option<Result<Json, &str>>) {
        let mut findings = Findings::default();
        let node = Node::from_json(written, None);
        let key = PrimaryKey::read(&node, &mut Reader::new(&REGISTRY, &mut findings));
        let paths = key.map(|key| key.paths().map(|it| json!(it)).map_err(|err| err.message));
        assert_eq!(paths, expect.map(|it| it.map_err(str::to_owned)), "{findings:?}");
    }

    #[test]
    fn all_forms_come_to_paths_of_one_name() {
        check(&json!("id"), Some(Ok(json!([["id"]]))));
        check(&json!(""), Some(Ok(json!([[""]]))));
        check(&json!([]), Some(Ok(json!([]))));
        check(&json!(["a", "b"]), Some(Ok(json!([["a"], ["b"]]))));
        check(&json!([["a"], ["b"]]), Some(Ok(json!([["a"], ["b"]]))));
    }

    #[test]
    fn longer_paths_are_refused() {
        let message = "Nested primary keys are not supported. Found [['a', 'b']]";
        check(&json!([["a", "b"]]), Some(Err(message)));
    }

    #[test]
    fn other_forms_are_findings() {
        check(&json!(["a", ["b"]]), None);
        check(&json!(5), None);
    }
}
