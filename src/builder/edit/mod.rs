//! Changes of a manifest's text by the paths of its values.
//!
//! A form changes one value, and all else in the text stays as its author wrote it: comments, the
//! order of keys, anchors, quotes, and every line that is not part of the value. `place` finds
//! where a value is written, `change` says which piece of the text becomes what, and `component`
//! takes one out as a YAML text of its own and puts it back. Each change is checked by reading the
//! new text: it must be the old tree with just that change (`tree`), or the change is refused.

mod change;
mod component;
mod error;
mod place;
mod tree;
mod wire;

use serde::Deserialize;

use crate::manifest::{Node, Path};
use crate::value::Json;

pub use component::component;
pub use error::EditError;
pub use place::{Document, Located, Step, Written};

/// One change.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Edit {
    /// Makes a value what is given; makes it if it is not there, with what is missing above it.
    Set {
        /// The value.
        path: Vec<Step>,
        /// What it becomes.
        value: Json,
    },
    /// Takes a field or an item out.
    Remove {
        /// The field or item.
        path: Vec<Step>,
    },
    /// Puts an item into a list.
    Insert {
        /// The list.
        path: Vec<Step>,
        /// Before which item; the number of items for the end.
        index: usize,
        /// The new item.
        value: Json,
    },
    /// Puts an item of a list elsewhere in it.
    Move {
        /// The list.
        path: Vec<Step>,
        /// Where the item is.
        from: usize,
        /// Where it is afterwards.
        to: usize,
    },
    /// Gives a field another name.
    Rename {
        /// The mapping that has the field.
        path: Vec<Step>,
        /// Its name.
        from: String,
        /// Its name afterwards.
        to: String,
    },
    /// Puts a YAML text where a value is, as [`component`] gives it.
    ReplaceYaml {
        /// The value.
        path: Vec<Step>,
        /// What stands there afterwards.
        yaml: String,
    },
}

/// More changes of single values than this are one change of the value around them.
const MANY: usize = 40;

/// The text after all the changes, one after the other.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut text = text.to_owned();
    for edit in edits {
        let document = Document::read(&text)?;
        let steps = match edit {
            Edit::Set { path, value } => differences(&document, path, value),
            Edit::ReplaceYaml { path, yaml } if component(&text, path)? == *yaml => Vec::new(),
            edit => vec![edit.clone()],
        };
        // Most changes are one: the text need not be read again for it.
        let mut changed: Option<String> = None;
        for step in steps {
            let after = match &changed {
                None => apply_one(&document, &step)?,
                Some(text) => apply_one(&Document::read(text)?, &step)?,
            };
            changed = Some(after);
        }
        if let Some(after) = changed {
            text = after;
        }
    }
    Ok(text)
}

/// What is different between a value and what it is to become, as few small changes.
fn differences(document: &Document<'_>, path: &[Step], value: &Json) -> Vec<Edit> {
    let mut edits = Vec::new();
    let node = document.value_at(path);
    if let Some(node) = node {
        gather_differences(node, path, value, &mut edits);
    }
    if node.is_none() || edits.len() > MANY {
        edits = vec![Edit::Set { path: path.to_vec(), value: value.clone() }];
    }
    edits
}

fn gather_differences(node: &Node, path: &[Step], value: &Json, edits: &mut Vec<Edit>) {
    if node.to_json() == *value {
        return;
    }
    let below = |step: Step| [path, &[step]].concat();
    match (node.as_map(), node.as_seq(), value) {
        (Some(map), _, Json::Object(fields))
            if map.iter().any(|(key, _)| fields.contains_key(&*key.name())) =>
        {
            for (name, value) in fields {
                let path = below(Step::Key(name.clone()));
                match map.iter().find(|(key, _)| key.name() == name.as_str()) {
                    Some((_, node)) => gather_differences(node, &path, value, edits),
                    None => edits.push(Edit::Set { path, value: value.clone() }),
                }
            }
            let gone = map.iter().filter(|(key, _)| !fields.contains_key(&*key.name()));
            edits.extend(
                gone.map(|(key, _)| Edit::Remove { path: below(Step::Key(key.name().into())) }),
            );
        }
        (_, Some(nodes), Json::Array(items)) if !nodes.is_empty() && !items.is_empty() => {
            let is_same = |(node, item): &(&Node, &Json)| node.to_json() == **item;
            let n_before = nodes.iter().zip(items).take_while(is_same).count();
            let (nodes, items) = (&nodes[n_before..], &items[n_before..]);
            let ends = nodes.iter().rev().zip(items.iter().rev());
            let n_behind = ends.take_while(|(node, item)| node.to_json() == **item).count();
            let nodes = &nodes[..nodes.len() - n_behind];
            let items = &items[..items.len() - n_behind];
            for (idx, (node, item)) in (n_before..).zip(nodes.iter().zip(items)) {
                gather_differences(node, &below(Step::Index(idx)), item, edits);
            }
            for idx in (items.len()..nodes.len()).rev() {
                edits.push(Edit::Remove { path: below(Step::Index(n_before + idx)) });
            }
            for (idx, item) in items.iter().enumerate().skip(nodes.len()) {
                let (path, index) = (path.to_vec(), n_before + idx);
                edits.push(Edit::Insert { path, index, value: item.clone() });
            }
        }
        _ => edits.push(Edit::Set { path: path.to_vec(), value: value.clone() }),
    }
}

fn apply_one(document: &Document<'_>, edit: &Edit) -> Result<String, EditError> {
    let (change, expect) = match edit {
        Edit::Set { path, value } => {
            let value = Node::from_json(value, None);
            (change::set(document, path, &value)?, tree::set(document.root(), path, value))
        }
        Edit::Remove { path } => {
            (change::remove(document, path)?, tree::remove(document.root(), path))
        }
        Edit::Insert { path, index, value } => {
            let value = Node::from_json(value, None);
            let change = change::insert(document, path, *index, &value)?;
            (change, tree::insert(document.root(), path, *index, value))
        }
        Edit::Move { path, from, to } => {
            let change = change::move_item(document, path, *from, *to)?;
            (change, tree::move_item(document.root(), path, *from, *to))
        }
        Edit::Rename { path, from, to } => {
            let change = change::rename(document, path, from, to)?;
            (change, tree::rename(document.root(), path, from, to))
        }
        Edit::ReplaceYaml { path, yaml } => {
            let (change, value) = component::replace(document, path, yaml)?;
            (change, tree::set(document.root(), path, value))
        }
    };
    let text = change.apply(document.text());
    let after = Document::read(&text).map_err(|_| EditError::NotInPlace)?;
    match expect {
        Some(expect) if expect == *after.root() => Ok(text),
        _ => Err(EditError::NotInPlace),
    }
}

/// A path as findings print it.
pub fn print_path(path: &[Step]) -> String {
    fn print(before: &Path<'_>, rest: &[Step]) -> String {
        match rest {
            [] => before.to_string(),
            [Step::Key(name), rest @ ..] => print(&before.key(name), rest),
            [Step::Index(index), rest @ ..] => print(&before.index(*index), rest),
        }
    }
    print(&Path::ROOT, path)
}

#[cfg(test)]
mod tests;
