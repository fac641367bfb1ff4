//! A value of a manifest that knows where it was written.
//!
//! Nodes are cheap to clone: strings, lists, and mappings are shared, so that
//! resolving references and propagating parameters copies only what changes.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::map::MutableKeys;
use indexmap::{Equivalent, IndexMap};
use jiff::civil::{Date, DateTime};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::value::Json;

/// A part of the manifest's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Byte offset of the first character.
    pub start: u32,
    /// Byte offset behind the last character.
    pub end: u32,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, in characters, from 1.
    pub column: u32,
}

impl Span {
    /// The place of what was never text: injected manifests, inferred types.
    const UNKNOWN: Self = Self { start: 0, end: 0, line: 0, column: 0 };
}

/// A located value.
#[derive(Clone)]
pub struct Node {
    value: NodeValue,
    span: Span,
}

/// What a node holds: the types that YAML 1.1 knows.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that does not fit 64 bits.
    BigInt(Arc<BigInt>),
    Float(f64),
    Str(Arc<str>),
    /// An unquoted `2021-01-31`.
    Date(Date),
    /// An unquoted `2021-01-31T00:00:00Z`.
    DateTime(Timestamp),
    Seq(Arc<[Node]>),
    Map(NodeMap),
}

/// An unquoted date with a time, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timestamp {
    /// As written: not converted to UTC.
    pub civil: DateTime,
    /// Seconds east of UTC, where the text tells.
    pub offset: Option<i32>,
}

impl Node {
    /// A value written at `span`.
    pub fn new(value: NodeValue, span: Option<Span>) -> Self {
        Self { value, span: span.unwrap_or(Span::UNKNOWN) }
    }

    /// The same value as if written at `span`.
    #[must_use]
    pub fn at(mut self, span: Option<Span>) -> Self {
        self.span = span.unwrap_or(Span::UNKNOWN);
        self
    }

    /// A value that came as JSON, all of it with the place of what brought it.
    pub fn from_json(json: &Json, span: Option<Span>) -> Self {
        let value = match json {
            Json::Null => NodeValue::Null,
            Json::Bool(bool) => NodeValue::Bool(*bool),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(int), _) => NodeValue::Int(int),
                (None, Some(int)) => NodeValue::BigInt(Arc::new(int.into())),
                (None, None) => NodeValue::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => NodeValue::Str(text.as_str().into()),
            Json::Array(items) => {
                NodeValue::Seq(items.iter().map(|item| Self::from_json(item, span)).collect())
            }
            Json::Object(map) => NodeValue::Map(
                map.iter()
                    .map(|(key, value)| (Key::new(key, span), Self::from_json(value, span)))
                    .collect(),
            ),
        };
        Self::new(value, span)
    }

    /// The value as JSON; dates become what Python's `str()` prints of them,
    /// integers beyond 64 bits and other numbers JSON cannot hold are approximated.
    pub fn to_json(&self) -> Json {
        match &self.value {
            NodeValue::Null => Json::Null,
            NodeValue::Bool(bool) => Json::Bool(*bool),
            NodeValue::Int(int) => Json::from(*int),
            NodeValue::BigInt(int) => match int.to_u64() {
                Some(int) => Json::from(int),
                None => Json::from(int.to_f64()),
            },
            NodeValue::Float(float) => Json::from(*float),
            NodeValue::Str(text) => Json::from(&**text),
            NodeValue::Date(date) => Json::from(date.to_string()),
            NodeValue::DateTime(timestamp) => Json::from(timestamp.to_string()),
            NodeValue::Seq(items) => items.iter().map(Self::to_json).collect(),
            NodeValue::Map(map) => {
                map.iter().map(|(key, value)| (key.to_string(), value.to_json())).collect()
            }
        }
    }

    /// What the node holds.
    pub fn value(&self) -> &NodeValue {
        &self.value
    }

    /// Where it was written; nothing for what never was text.
    ///
    /// After references are resolved this is the place of the definition, not of its use.
    pub fn span(&self) -> Option<Span> {
        (self.span != Span::UNKNOWN).then_some(self.span)
    }

    /// The value of a field, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// Whether there is a field of this name that Python calls true.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(Self::is_truthy)
    }

    /// The `type` of a component.
    pub fn type_name(&self) -> Option<&str> {
        self.get("type")?.as_str()
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            NodeValue::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    /// The integer, if this is one that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            NodeValue::Int(int) => Some(int),
            _ => None,
        }
    }

    /// The number, if this is one, integers included.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.value {
            #[expect(clippy::cast_precision_loss, reason = "asked for as a double")]
            NodeValue::Int(int) => Some(*int as f64),
            NodeValue::BigInt(int) => int.to_f64(),
            NodeValue::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_seq(&self) -> Option<&[Self]> {
        match &self.value {
            NodeValue::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The fields, if this is a mapping.
    pub fn as_map(&self) -> Option<&NodeMap> {
        match &self.value {
            NodeValue::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items of a list; nothing else has any.
    pub fn items(&self) -> &[Self] {
        self.as_seq().unwrap_or_default()
    }

    /// The fields of a mapping; nothing else has any.
    pub fn fields(&self) -> impl Iterator<Item = (&Key, &Self)> {
        self.as_map().into_iter().flat_map(NodeMap::iter)
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self.value, NodeValue::Null)
    }

    /// Whether Python calls this true: not null, false, zero, or empty.
    pub fn is_truthy(&self) -> bool {
        match &self.value {
            NodeValue::Null => false,
            NodeValue::Bool(bool) => *bool,
            NodeValue::Int(int) => *int != 0,
            NodeValue::Float(float) => *float != 0.0,
            NodeValue::Str(text) => !text.is_empty(),
            NodeValue::Seq(items) => !items.is_empty(),
            NodeValue::Map(map) => !map.is_empty(),
            NodeValue::BigInt(_) | NodeValue::Date(_) | NodeValue::DateTime(_) => true,
        }
    }

    /// The text of a string that begins with `#/`.
    ///
    /// In a resolved manifest such a string is a reference that leads nowhere,
    /// and there is a finding for it already.
    pub fn as_reference(&self) -> Option<&str> {
        self.as_str().filter(|text| text.starts_with("#/"))
    }

    /// The kind of value in words, for messages: `a string`, `a mapping`.
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "a boolean",
            NodeValue::Int(_) | NodeValue::BigInt(_) => "an integer",
            NodeValue::Float(_) => "a number",
            NodeValue::Str(_) => "a string",
            NodeValue::Date(_) => "a date",
            NodeValue::DateTime(_) => "a date with a time",
            NodeValue::Seq(_) => "a list",
            NodeValue::Map(_) => "a mapping",
        }
    }

    /// What Python calls a value of this type.
    pub(super) fn python_type(&self) -> &'static str {
        match self.value {
            NodeValue::Null => "NoneType",
            NodeValue::Bool(_) => "bool",
            NodeValue::Int(_) | NodeValue::BigInt(_) => "int",
            NodeValue::Float(_) => "float",
            NodeValue::Str(_) => "str",
            NodeValue::Date(_) => "datetime.date",
            NodeValue::DateTime(_) => "datetime.datetime",
            NodeValue::Seq(_) => "list",
            NodeValue::Map(_) => "dict",
        }
    }

    /// Whether both are the same piece of memory, which only lists and mappings can be.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.address().is_some_and(|address| other.address() == Some(address))
    }

    /// What tells one list or mapping from another while both are alive.
    pub(super) fn address(&self) -> Option<usize> {
        match &self.value {
            NodeValue::Seq(items) => Some(items.as_ptr().addr()),
            NodeValue::Map(map) => Some(Arc::as_ptr(&map.0).addr()),
            _ => None,
        }
    }
}

/// Nodes are equal when their values are, wherever they were written.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            NodeValue::Seq(items) => items.fmt(f),
            NodeValue::Map(map) => map.fmt(f),
            scalar => scalar.fmt(f),
        }
    }
}

impl From<NodeValue> for Node {
    fn from(value: NodeValue) -> Self {
        Self::new(value, None)
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        NodeValue::Str(text.into()).into()
    }
}

/// The key of a field: mostly a string, but YAML 1.1 also has `5: x` and `yes: x`.
///
/// Keys are the same as in Python: `1`, `1.0`, and `true` are one key.
#[derive(Clone)]
pub struct Key(Node);

impl Key {
    /// A string key.
    pub fn new(name: &str, span: Option<Span>) -> Self {
        Self(Node::from(name).at(span))
    }

    /// A key out of any scalar; lists and mappings are no keys.
    pub fn from_node(node: Node) -> Option<Self> {
        (!matches!(node.value, NodeValue::Seq(_) | NodeValue::Map(_))).then_some(Self(node))
    }

    /// The name, if this is a string key.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_str()
    }

    /// The name, or what a key that is no string prints as.
    pub fn name(&self) -> Cow<'_, str> {
        self.as_str().map_or_else(|| self.to_string().into(), Cow::Borrowed)
    }

    /// The key as a value.
    pub fn node(&self) -> &Node {
        &self.0
    }

    /// Where the key was written.
    pub fn span(&self) -> Option<Span> {
        self.0.span()
    }

    /// The value by which numeric keys are told apart.
    fn as_number(&self) -> Option<f64> {
        match self.0.value {
            NodeValue::Bool(bool) => Some(f64::from(bool)),
            _ => self.0.as_f64(),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0.value, &other.0.value) {
            (NodeValue::Str(this), NodeValue::Str(other)) => this == other,
            (NodeValue::Int(this), NodeValue::Int(other)) => this == other,
            (NodeValue::BigInt(this), NodeValue::BigInt(other)) => this == other,
            (this, other_value) => match (self.as_number(), other.as_number()) {
                (Some(this), Some(other)) => this.to_bits() == other.to_bits(),
                _ => this == other_value,
            },
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0.value {
            NodeValue::Str(text) => text.hash(state),
            NodeValue::Date(date) => date.hash(state),
            NodeValue::DateTime(timestamp) => timestamp.hash(state),
            _ => self.as_number().map(f64::to_bits).hash(state),
        }
    }
}

impl Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

/// As a JSON object names it: `5`, `true`, `null`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.value {
            NodeValue::Null => f.write_str("null"),
            NodeValue::Bool(bool) => bool.fmt(f),
            NodeValue::Int(int) => int.fmt(f),
            NodeValue::BigInt(int) => int.fmt(f),
            NodeValue::Float(float) => write!(f, "{float:?}"),
            NodeValue::Str(text) => f.write_str(text),
            NodeValue::Date(date) => date.fmt(f),
            NodeValue::DateTime(timestamp) => timestamp.fmt(f),
            NodeValue::Seq(_) | NodeValue::Map(_) => Ok(()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The fields of a mapping, in the order in which they were written.
#[derive(Clone, Default)]
pub struct NodeMap(Arc<IndexMap<Key, Node, foldhash::fast::RandomState>>);

impl NodeMap {
    /// The value of a string key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.0.get(key)
    }

    /// The value of any key.
    pub fn get_key(&self, key: &Key) -> Option<&Node> {
        self.0.get(key)
    }

    /// A field with its key as it was written, and so with the key's place.
    pub fn get_entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.0.get_key_value(key)
    }

    /// The field of any key, as [`NodeMap::get_entry`].
    pub fn get_key_entry(&self, key: &Key) -> Option<(&Key, &Node)> {
        self.0.get_key_value(key)
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Node)> + DoubleEndedIterator {
        self.0.iter()
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a field: a new one becomes the last, an old one keeps its rank and its key, which is
    /// now where the new key is written.
    pub fn insert(&mut self, key: Key, value: Node) -> Option<Node> {
        let fields = Arc::make_mut(&mut self.0);
        let span = key.0.span;
        let (idx, old) = fields.insert_full(key, value);
        if old.is_some()
            && span != Span::UNKNOWN
            && let Some((key, _)) = fields.get_index_mut2(idx)
        {
            key.0.span = span;
        }
        old
    }

    /// Takes a field out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        self.contains(key).then(|| Arc::make_mut(&mut self.0).shift_remove(key))?
    }

    /// Takes the field of any key out, as [`NodeMap::remove`].
    pub fn remove_key(&mut self, key: &Key) -> Option<Node> {
        self.get_key(key).is_some().then(|| Arc::make_mut(&mut self.0).shift_remove(key))?
    }

    /// Whether both are the same piece of memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<(Key, Node)> for NodeMap {
    fn from_iter<T: IntoIterator<Item = (Key, Node)>>(fields: T) -> Self {
        let mut map = Self::default();
        for (key, value) in fields {
            map.insert(key, value);
        }
        map
    }
}

/// Mappings are equal when they have the same fields, in whichever order.
impl PartialEq for NodeMap {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for NodeMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As Python's `str()` prints it: `2021-01-31 00:00:00+00:00`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.civil.date(), self.civil.strftime("%H:%M:%S"))?;
        match self.civil.subsec_nanosecond() / 1000 {
            0 => {}
            micros => write!(f, ".{micros:06}")?,
        }
        if let Some(offset) = self.offset {
            let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60);
            write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(value: NodeValue) -> Key {
        Key::from_node(value.into()).unwrap()
    }

    #[test]
    fn json_comes_back_as_it_was() {
        let json = serde_json::json!({
            "text": "x", "int": -5, "big": u64::MAX, "float": 1.5, "none": null,
            "list": [true, {}, []], "a/b": {"": 1},
        });
        let node = Node::from_json(&json, None);
        assert_eq!(node.to_json(), json);
        assert_eq!(node.span(), None);
        assert_eq!(node.get("list").and_then(Node::as_seq).map(<[_]>::len), Some(3));
    }

    #[test]
    fn keys_are_those_of_python() {
        let one = key(NodeValue::Int(1));
        let map: NodeMap = [
            (one.clone(), Node::from("int")),
            (key(NodeValue::Bool(true)), Node::from("bool")),
            (key(NodeValue::Float(1.0)), Node::from("float")),
            (Key::new("1", None), Node::from("text")),
            (key(NodeValue::Null), Node::from("null")),
        ]
        .into_iter()
        .collect();
        assert_eq!(map.len(), 3);
        assert_eq!(map.get_key(&one), Some(&Node::from("float")));
        assert_eq!(map.get("1"), Some(&Node::from("text")));
        let names: Vec<_> = map.iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(names, ["1", "1", "null"]);
    }

    #[test]
    fn a_changed_copy_leaves_the_original_alone() {
        let original: NodeMap = [("a", "1"), ("b", "2"), ("c", "3")]
            .map(|(name, value)| (Key::new(name, None), Node::from(value)))
            .into_iter()
            .collect();
        let mut copy = original.clone();
        assert_eq!(copy.remove("a"), Some(Node::from("1")));
        assert_eq!(copy.remove("a"), None);
        copy.insert(Key::new("c", None), Node::from("4"));
        assert_eq!(format!("{copy:?}"), r#"{Str("b"): Str("2"), Str("c"): Str("4")}"#);
        assert_eq!(original.len(), 3);
    }

    #[test]
    fn timestamps_print_as_in_python() {
        #[track_caller]
        fn check(micros: i32, offset: Option<i32>, expect: &str) {
            let civil = jiff::civil::datetime(2021, 1, 31, 4, 5, 6, micros * 1000);
            assert_eq!(Timestamp { civil, offset }.to_string(), expect);
        }
        check(0, None, "2021-01-31 04:05:06");
        check(120, Some(0), "2021-01-31 04:05:06.000120+00:00");
        check(0, Some(-19_800), "2021-01-31 04:05:06-05:30");
    }
}
