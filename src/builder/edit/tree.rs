//! The trees that changes must lead to.

use super::place::Step;
use crate::manifest::{Key, Node, NodeMap, NodeValue};

/// The tree with a value set; fields and items above it are made as far as they are missing.
pub(super) fn set(root: &Node, path: &[Step], value: Node) -> Option<Node> {
    let Some((step, rest)) = path.split_first() else { return Some(value) };
    match step {
        Step::Key(name) => {
            let mut map = match root.value() {
                NodeValue::Null => NodeMap::default(),
                _ => root.as_map()?.clone(),
            };
            let found = map.iter().find(|(key, _)| key.name() == name.as_str());
            let (key, field) = match found {
                Some((key, field)) => (key.clone(), field.clone()),
                None => (Key::new(name, None), NodeValue::Null.into()),
            };
            map.insert(key, set(&field, rest, value)?);
            Some(Node::new(NodeValue::Map(map), None))
        }
        Step::Index(index) => {
            let mut items = match root.value() {
                NodeValue::Null => Vec::new(),
                _ => root.as_seq()?.to_vec(),
            };
            if *index == items.len() {
                items.push(NodeValue::Null.into());
            }
            let item = items.get_mut(*index)?;
            *item = set(item, rest, value)?;
            Some(list(items))
        }
    }
}

/// The tree without a field or an item.
pub(super) fn remove(root: &Node, path: &[Step]) -> Option<Node> {
    let (step, holder) = path.split_last()?;
    change(root, holder, |node| match step {
        Step::Key(name) => {
            let map = node.as_map()?;
            map.iter().find(|(key, _)| key.name() == name.as_str())?;
            let fields = map.iter().filter(|(key, _)| key.name() != name.as_str());
            Some(mapping(fields.map(|(key, value)| (key.clone(), value.clone()))))
        }
        Step::Index(index) => {
            let mut items = node.as_seq()?.to_vec();
            (*index < items.len()).then(|| items.remove(*index))?;
            Some(list(items))
        }
    })
}

/// The tree with an item more.
pub(super) fn insert(root: &Node, path: &[Step], index: usize, value: Node) -> Option<Node> {
    change(root, path, |node| {
        let mut items = node.as_seq()?.to_vec();
        (index <= items.len()).then(|| items.insert(index, value))?;
        Some(list(items))
    })
}

/// The tree with an item elsewhere in its list.
pub(super) fn move_item(root: &Node, path: &[Step], from: usize, to: usize) -> Option<Node> {
    change(root, path, |node| {
        let mut items = node.as_seq()?.to_vec();
        if from >= items.len() || to >= items.len() {
            return None;
        }
        let item = items.remove(from);
        items.insert(to, item);
        Some(list(items))
    })
}

/// The tree with another name for a field.
pub(super) fn rename(root: &Node, path: &[Step], from: &str, to: &str) -> Option<Node> {
    change(root, path, |node| {
        let renamed = |key: &Key| if key.name() == from { Key::new(to, None) } else { key.clone() };
        let fields = node.as_map()?.iter();
        Some(mapping(fields.map(|(key, value)| (renamed(key), value.clone()))))
    })
}

fn change(root: &Node, path: &[Step], make: impl FnOnce(&Node) -> Option<Node>) -> Option<Node> {
    let holder = path.iter().try_fold(root, |node, step| step.of(node))?;
    set(root, path, make(holder)?)
}

fn mapping(fields: impl Iterator<Item = (Key, Node)>) -> Node {
    Node::new(NodeValue::Map(fields.collect()), None)
}

fn list(items: Vec<Node>) -> Node {
    Node::new(NodeValue::Seq(items.into()), None)
}
