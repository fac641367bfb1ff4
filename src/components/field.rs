//! What fields hold: texts, numbers, lists, and what can be made of them.

use indexmap::IndexMap;
use serde_json::json;

use super::definitions::Definitions;
use super::shape::{FieldValue, Reader, either};
use crate::manifest::{Finding, Node, Span};
use crate::value::{Json, Map};

/// A text of the manifest that may hold templates, with its place.
#[derive(Clone, Debug)]
pub struct Text {
    /// What is written.
    pub source: String,
    /// Where it is written.
    pub span: Option<Span>,
}

impl Text {
    /// A text that no manifest holds, such as a default.
    pub fn new(source: &str) -> Self {
        Self { source: source.to_owned(), span: None }
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.source
    }
}

impl FieldValue for Text {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let source = String::read(node, reader)?;
        reader.check_template(node, &source);
        Some(Self { source, span: node.span() })
    }

    fn schema() -> Json {
        String::schema()
    }
}

impl FieldValue for String {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        node.as_str().map(str::to_owned).or_else(|| {
            reader.wrong_kind(node, "a string");
            None
        })
    }

    fn schema() -> Json {
        json!({"type": "string"})
    }
}

impl FieldValue for bool {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        node.as_bool().or_else(|| {
            reader.wrong_kind(node, "true or false");
            None
        })
    }

    fn schema() -> Json {
        json!({"type": "boolean"})
    }
}

impl FieldValue for i64 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        // JSON schema counts 5.0 as an integer too.
        let whole = node.as_f64().filter(|it| it.fract() == 0.0 && it.abs() < 1e15);
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
        node.as_i64().or(whole.map(|it| it as i64)).or_else(|| {
            reader.wrong_kind(node, "an integer");
            None
        })
    }

    fn schema() -> Json {
        json!({"type": "integer"})
    }
}

/// An integer that may not be smaller than `MIN`.
#[derive(Clone, Copy, Debug)]
pub struct AtLeast<const MIN: i64>(pub i64);

impl<const MIN: i64> FieldValue for AtLeast<MIN> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = i64::read(node, reader)?;
        if value < MIN {
            reader.note(Finding::error("schema/minimum", format!("{value} is below {MIN}")), node);
            return None;
        }
        Some(Self(value))
    }

    fn schema() -> Json {
        json!({"type": "integer", "minimum": MIN})
    }
}

impl FieldValue for f64 {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        node.as_f64().or_else(|| {
            reader.wrong_kind(node, "a number");
            None
        })
    }

    fn schema() -> Json {
        json!({"type": "number"})
    }
}

/// A number of seconds, a factor, or the like: not negative, or above `MIN` when `OPEN`.
#[derive(Clone, Copy, Debug)]
pub struct NumberFrom<const MIN: i64, const OPEN: bool>(pub f64);

impl<const MIN: i64, const OPEN: bool> FieldValue for NumberFrom<MIN, OPEN> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = f64::read(node, reader)?;
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        let min = MIN as f64;
        if value < min || (OPEN && value <= min) {
            let bound = if OPEN { "above" } else { "at least" };
            let message = format!("{value} is out of range: it must be {bound} {MIN}");
            reader.note(Finding::error("schema/minimum", message), node);
            return None;
        }
        Some(Self(value))
    }

    fn schema() -> Json {
        let bound = if OPEN { "exclusiveMinimum" } else { "minimum" };
        json!({"type": "number", bound: MIN})
    }
}

impl FieldValue for Json {
    fn read(node: &Node, _: &mut Reader<'_>) -> Option<Self> {
        Some(node.to_json())
    }

    fn schema() -> Json {
        json!({})
    }
}

impl FieldValue for Map {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if let Json::Object(map) = node.to_json() {
            Some(map)
        } else {
            reader.wrong_kind(node, "a mapping");
            None
        }
    }

    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": true})
    }
}

/// A value all of whose texts may hold templates.
#[derive(Clone, Debug)]
pub struct Templated<T>(pub T);

impl<T> std::ops::Deref for Templated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: FieldValue> FieldValue for Templated<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let value = T::read(node, reader)?;
        reader.check_templates(node);
        Some(Self(value))
    }

    fn schema() -> Json {
        T::schema()
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

/// A mapping where null is the same as nothing, as where the reference forgets to ask for a mapping.
#[derive(Clone, Debug)]
pub struct Nullable<T>(pub Option<T>);

impl<T: FieldValue> FieldValue for Nullable<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_null() { Some(Self(None)) } else { T::read(node, reader).map(Some).map(Self) }
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }

    fn schema() -> Json {
        T::schema()
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

/// A mapping that is checked as `S`, and printed as it is written.
#[derive(Clone, Debug)]
pub struct Written<S> {
    /// What it means.
    pub shape: S,
    /// What is written.
    pub json: Map,
}

impl<S: FieldValue> FieldValue for Written<S> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let shape = S::read(node, reader)?;
        Some(Self { shape, json: Map::read(node, reader)? })
    }

    fn schema() -> Json {
        S::schema()
    }

    fn gather(definitions: &mut Definitions) {
        S::gather(definitions);
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> Json {
        T::schema()
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

impl<T: FieldValue> FieldValue for Box<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Box::new)
    }

    fn schema() -> Json {
        T::schema()
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(items) = node.as_seq() else {
            reader.wrong_kind(node, "a list");
            return None;
        };
        // All items are read before the first bad one ends it, for all findings.
        let read: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(idx, item)| reader.within_item(idx, item, T::read))
            .collect();
        read.into_iter().collect()
    }

    fn schema() -> Json {
        json!({"type": "array", "items": T::schema()})
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

/// A list with at least `MIN` items.
#[derive(Clone, Debug)]
pub struct ListOf<T, const MIN: usize>(pub Vec<T>);

impl<T: FieldValue, const MIN: usize> FieldValue for ListOf<T, MIN> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let items = Vec::<T>::read(node, reader)?;
        if items.len() < MIN {
            let message = format!("expected at least {MIN} items, found {}", items.len());
            reader.note(Finding::error("schema/length", message), node);
            return None;
        }
        Some(Self(items))
    }

    fn schema() -> Json {
        json!({"type": "array", "items": T::schema(), "minItems": MIN})
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

/// Integers, each of them once.
#[derive(Clone, Debug)]
pub struct DistinctInts(Vec<i64>);

impl std::ops::Deref for DistinctInts {
    type Target = [i64];

    fn deref(&self) -> &[i64] {
        &self.0
    }
}

impl FieldValue for DistinctInts {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let items = Vec::<i64>::read(node, reader)?;
        let repeated = (1..items.len()).find(|idx| items[..*idx].contains(&items[*idx]));
        if let Some(idx) = repeated {
            let message = format!("{} is in the list already", items[idx]);
            reader.note(Finding::error("schema/repeated", message), node);
            return None;
        }
        Some(Self(items))
    }

    fn schema() -> Json {
        json!({"type": "array", "items": i64::schema(), "uniqueItems": true})
    }
}

impl<T: FieldValue> FieldValue for IndexMap<String, T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(map) = node.as_map() else {
            reader.wrong_kind(node, "a mapping");
            return None;
        };
        let read: Vec<_> = map
            .iter()
            .map(|(key, value)| {
                let key = key.as_str().unwrap_or_default();
                reader.within(key, value, T::read).map(|value| (key.to_owned(), value))
            })
            .collect();
        read.into_iter().collect()
    }

    fn schema() -> Json {
        json!({"type": "object", "additionalProperties": T::schema()})
    }

    fn gather(definitions: &mut Definitions) {
        T::gather(definitions);
    }
}

either! {
    /// An integer, or a template that gives one.
    pub enum IntOrTemplate { Template(Text) if |node| node.as_str().is_some(), Int(i64) }
}

either! {
    /// A number, or a template that gives one.
    pub enum NumberOrTemplate { Template(Text) if |node| node.as_str().is_some(), Number(f64) }
}

either! {
    /// One text, or a list of texts.
    pub enum TextOrList { Text(Text) if |node| node.as_str().is_some(), List(Vec<Text>) }
}

either! {
    /// A mapping of names to texts, or one text for the whole.
    pub enum TextOrMapping { Text(Text) if |node| node.as_str().is_some(), Mapping(IndexMap<String, Text>) }
}

either! {
    /// Any mapping, or one text for the whole.
    pub enum TextOrObject { Text(Text) if |node| node.as_str().is_some(), Object(Map) }
}

either! {
    /// Any mapping whose texts may hold templates, or one text for the whole.
    pub enum TextOrTemplates { Text(Text) if |node| node.as_str().is_some(), Object(Templated<Map>) }
}
