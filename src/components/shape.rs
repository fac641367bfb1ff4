//! The shape of a component: its YAML fields, read with findings, and described as JSON schema.
//!
//! [`shape!`] makes all three out of one declaration, so they cannot drift apart.

use indexmap::IndexMap;
use serde_json::json;

use crate::manifest::{Finding, Findings, Node, NodeValue, Path, Span};
use crate::value::{Json, Map};

use super::slot::Registry;

/// A component's YAML mapping.
pub trait Shape: Sized {
    /// The component's `type`.
    const TYPE: &'static str;

    /// Reads the mapping; what is wrong becomes a finding, all of it.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// The component's part of the published JSON schema.
    fn definition() -> Definition;
}

/// What the value of a field may be.
pub trait FieldValue: Sized {
    /// Reads a value that is present.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// What an absent field means; `None` when the field is required.
    fn absent() -> Option<Self> {
        None
    }

    /// The JSON schema of the value.
    fn schema() -> Json;
}

/// A component as the published JSON schema describes it.
#[derive(Debug)]
pub struct Definition {
    /// The component's `type`.
    pub name: &'static str,
    /// What it is, for people.
    pub description: String,
    /// Whether `type` has to be written.
    pub is_typed: bool,
    /// The fields other than `type` and `$parameters`.
    pub fields: Vec<FieldDefinition>,
}

/// One field of a [`Definition`].
#[derive(Debug)]
pub struct FieldDefinition {
    /// The YAML key.
    pub name: &'static str,
    /// What it is, for people.
    pub description: String,
    /// Whether it has to be there.
    pub is_required: bool,
    /// What it may hold.
    pub schema: Json,
}

impl Definition {
    /// The definition as JSON schema (draft 7).
    pub fn to_json(&self) -> Json {
        let mut properties = Map::new();
        properties.insert("type".to_owned(), json!({"type": "string", "enum": [self.name]}));
        for field in &self.fields {
            let mut schema = field.schema.clone();
            if let Json::Object(object) = &mut schema {
                object.insert("description".to_owned(), json!(field.description));
            }
            properties.insert(field.name.to_owned(), schema);
        }
        properties.insert("$parameters".to_owned(), json!({"type": "object"}));
        let required: Vec<_> = self
            .is_typed
            .then_some("type")
            .into_iter()
            .chain(self.fields.iter().filter(|field| field.is_required).map(|field| field.name))
            .collect();
        json!({
            "type": "object",
            "description": self.description,
            "required": required,
            "properties": properties,
        })
    }
}

/// Walks a manifest while its shapes are read, and collects findings.
#[derive(Debug)]
pub struct Reader<'a> {
    registry: &'static Registry,
    findings: &'a mut Findings,
    path: Path<'a>,
}

impl<'a> Reader<'a> {
    /// A reader at the root of a manifest.
    pub fn new(registry: &'static Registry, findings: &'a mut Findings) -> Self {
        Self { registry, findings, path: Path::ROOT }
    }

    /// All component families.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// Notes what is wrong at `node`.
    pub fn note(&mut self, finding: Finding, node: &Node) {
        self.findings.push(finding.at(&self.path, node));
    }

    /// Notes that `node` is not what it should be.
    pub fn wrong_kind(&mut self, node: &Node, expected: &str) {
        let message = format!("expected {expected}, found {}", node.kind_name());
        let mut finding = Finding::error("schema/kind", message);
        if matches!(node.value(), NodeValue::Date(_) | NodeValue::DateTime(_)) {
            finding = finding.help("YAML reads an unquoted date as a date: put it in quotes");
        }
        self.note(finding, node);
    }

    /// Reads the value of a field with `read`, one step deeper in the path.
    pub fn within<T>(
        &mut self,
        key: &str,
        node: &Node,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        let path = self.path.key(key);
        read(node, &mut Reader { registry: self.registry, findings: self.findings, path })
    }

    /// Reads one item of a sequence with `read`.
    pub fn within_item<T>(
        &mut self,
        idx: usize,
        node: &Node,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        let path = self.path.index(idx);
        read(node, &mut Reader { registry: self.registry, findings: self.findings, path })
    }

    /// Checks that `node` is a mapping whose `type` is the shape's own.
    pub fn object<S: Shape>(&mut self, node: &Node, is_typed: bool) -> bool {
        let Some(map) = node.as_map() else {
            self.wrong_kind(node, &format!("a mapping of type `{}`", S::TYPE));
            return false;
        };
        match map.get("type") {
            Some(found) if found.as_str() == Some(S::TYPE) => true,
            None if !is_typed => true,
            None => {
                let message = format!("`type` is missing; `type: {}` belongs here", S::TYPE);
                self.note(Finding::error("schema/type", message), node);
                false
            }
            Some(found) => {
                let name = found.as_str().unwrap_or("something that is not text");
                let message = format!("`{name}` cannot stand here; expected type `{}`", S::TYPE);
                self.note(Finding::error("schema/type", message), found);
                false
            }
        }
    }

    /// Reads a field; an absent one is what its type says, or a finding.
    pub fn field<T: FieldValue>(&mut self, node: &Node, component: &str, key: &str) -> Option<T> {
        match node.get(key) {
            Some(value) => self.within(key, value, T::read),
            None => T::absent().or_else(|| {
                let message = format!("`{component}` needs `{key}`");
                self.note(Finding::error("schema/required", message), node);
                None
            }),
        }
    }

    /// Reads a field that has a default.
    pub fn field_or<T: FieldValue>(&mut self, node: &Node, key: &str, default: T) -> Option<T> {
        match node.get(key) {
            Some(value) => self.within(key, value, T::read),
            None => Some(default),
        }
    }
}

/// Reads the `$parameters` that reached a component.
pub fn read_parameters(node: &Node) -> std::sync::Arc<Map> {
    match node.get("$parameters").map(Node::to_json) {
        Some(Json::Object(parameters)) => std::sync::Arc::new(parameters),
        _ => std::sync::Arc::default(),
    }
}

/// Joins the lines of a doc comment.
pub fn description(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}

/// Declares a component's YAML mapping.
///
/// ```ignore
/// shape! {
///     /// The next page starts where this one ended.
///     pub struct OffsetIncrement {
///         /// Records a page is asked for; a shorter page is the last one.
///         page_size: Option<IntOrTemplate>,
///         /// Send offset 0 with the first request too.
///         inject_on_first_request: bool = false,
///     }
/// }
/// ```
///
/// Makes the struct (with its `$parameters` and its place), [`Shape`] and
/// [`FieldValue`]. A field is required unless its type says otherwise
/// (`Option`) or it has a default. `pub struct Rate: untyped` is a mapping whose
/// `type` may be left out; `pub struct ApiKey as "Other"` has another `type`
/// than the struct's name.
macro_rules! shape {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(as $type:literal)? $(: $untyped:ident)? {
            $( $(#[doc = $field_doc:literal])* $field:ident : $ty:ty $(= $default:expr)? ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $ty, )*
            /// Values for templates and absent fields, inherited from the components around.
            pub parameters: std::sync::Arc<$crate::value::Map>,
            /// Where it is written.
            pub span: Option<$crate::manifest::Span>,
        }

        impl $crate::components::shape::Shape for $name {
            const TYPE: &'static str = $crate::components::shape::shape!(@type $name $($type)?);

            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                if !reader.object::<Self>(node, $crate::components::shape::shape!(@typed $($untyped)?)) {
                    return None;
                }
                // Every field is read before the first missing one ends it, for all its findings.
                $( let $field: Option<$ty> =
                    $crate::components::shape::shape!(@read reader, node, $field, $ty $(, $default)?); )*
                Some(Self {
                    $( $field: $field?, )*
                    parameters: $crate::components::shape::read_parameters(node),
                    span: node.span(),
                })
            }

            fn definition() -> $crate::components::shape::Definition {
                $crate::components::shape::Definition {
                    name: <Self as $crate::components::shape::Shape>::TYPE,
                    description: $crate::components::shape::description(&[$($doc),*]),
                    is_typed: $crate::components::shape::shape!(@typed $($untyped)?),
                    fields: vec![ $( $crate::components::shape::FieldDefinition {
                        name: stringify!($field).trim_start_matches("r#"),
                        description: $crate::components::shape::description(&[$($field_doc),*]),
                        is_required: $crate::components::shape::shape!(@required $ty $(, $default)?),
                        schema: <$ty as $crate::components::shape::FieldValue>::schema(),
                    } ),* ],
                }
            }
        }

        impl $crate::components::shape::FieldValue for $name {
            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                <Self as $crate::components::shape::Shape>::read(node, reader)
            }

            fn schema() -> $crate::value::Json {
                let name = <Self as $crate::components::shape::Shape>::TYPE;
                serde_json::json!({"$ref": format!("#/definitions/{name}")})
            }
        }
    };
    (@type $name:ident) => { stringify!($name) };
    (@type $name:ident $type:literal) => { $type };
    (@typed) => { true };
    (@typed untyped) => { false };
    (@read $reader:ident, $node:ident, $field:ident, $ty:ty) => {
        $reader.field::<$ty>(
            $node,
            <Self as $crate::components::shape::Shape>::TYPE,
            stringify!($field).trim_start_matches("r#"),
        )
    };
    (@read $reader:ident, $node:ident, $field:ident, $ty:ty, $default:expr) => {
        $reader.field_or::<$ty>($node, stringify!($field).trim_start_matches("r#"), $default)
    };
    (@required $ty:ty) => { <$ty as $crate::components::shape::FieldValue>::absent().is_none() };
    (@required $ty:ty, $default:expr) => { false };
}

/// Declares a field whose value is one of a few words.
///
/// ```ignore
/// choice! {
///     /// The method of a request.
///     pub enum HttpMethod { Get = "GET", Post = "POST" }
/// }
/// ```
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident { $( $(#[doc = $variant_doc:literal])* $variant:ident = $word:literal ),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $variant_doc])* #[doc = concat!("`", $word, "`")] $variant, )* }

        impl $name {
            /// The word in the manifest.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl $crate::components::shape::FieldValue for $name {
            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                match node.as_str() {
                    $( Some($word) => Some(Self::$variant), )*
                    _ => {
                        $crate::components::shape::wrong_choice(node, reader, &[$($word),*]);
                        None
                    }
                }
            }

            fn schema() -> $crate::value::Json {
                serde_json::json!({"type": "string", "enum": [$($word),*]})
            }
        }
    };
}

pub(crate) use {choice, shape};

/// Notes that `node` is none of the `words` a [`choice!`] offers.
pub fn wrong_choice(node: &Node, reader: &mut Reader<'_>, words: &[&str]) {
    let found = node.as_str().map_or_else(|| node.kind_name().to_owned(), |it| format!("`{it}`"));
    let message = format!("expected one of {}, found {found}", words.join(", "));
    reader.note(Finding::error("schema/choice", message), node);
}

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
        Some(Self { source: String::read(node, reader)?, span: node.span() })
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
}

impl<T: FieldValue> FieldValue for Box<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(node, reader).map(Box::new)
    }

    fn schema() -> Json {
        T::schema()
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
}

/// Declares a field value that is one of two kinds, told apart by the YAML kind.
macro_rules! either {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident { $first:ident($first_ty:ty) if $is_first:expr, $second:ident($second_ty:ty) }
    ) => {
        $(#[doc = $doc])*
        // Shapes are few and short-lived: what they weigh does not matter.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug)]
        pub enum $name {
            #[doc = concat!("A `", stringify!($first_ty), "`.")]
            $first($first_ty),
            #[doc = concat!("A `", stringify!($second_ty), "`.")]
            $second($second_ty),
        }

        impl $crate::components::shape::FieldValue for $name {
            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                let is_first: fn(&$crate::manifest::Node) -> bool = $is_first;
                if is_first(node) {
                    <$first_ty as $crate::components::shape::FieldValue>::read(node, reader).map(Self::$first)
                } else {
                    <$second_ty as $crate::components::shape::FieldValue>::read(node, reader).map(Self::$second)
                }
            }

            fn schema() -> $crate::value::Json {
                serde_json::json!({"anyOf": [
                    <$first_ty as $crate::components::shape::FieldValue>::schema(),
                    <$second_ty as $crate::components::shape::FieldValue>::schema(),
                ]})
            }
        }
    };
}

pub(crate) use either;

/// Declares a field value that is one of a few shapes, told apart by their `type`.
///
/// ```ignore
/// one_of! {
///     /// The body of a request.
///     pub enum RequestBody { Text(yaml::RequestBodyPlainText), Json(yaml::RequestBodyJsonObject) }
/// }
/// ```
macro_rules! one_of {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident { $( $(#[doc = $variant_doc:literal])* $variant:ident($shape:ty) ),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub enum $name { $( $(#[doc = $variant_doc])* #[doc = concat!("A `", stringify!($shape), "`.")] $variant($shape), )* }

        impl $crate::components::shape::FieldValue for $name {
            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                match node.type_name() {
                    $( Some(<$shape as $crate::components::shape::Shape>::TYPE) => {
                        <$shape as $crate::components::shape::Shape>::read(node, reader).map(Self::$variant)
                    } )*
                    _ => {
                        let types = [$(<$shape as $crate::components::shape::Shape>::TYPE),*];
                        $crate::components::shape::wrong_type(node, reader, &types);
                        None
                    }
                }
            }

            fn schema() -> $crate::value::Json {
                serde_json::json!({"anyOf": [
                    $( <$shape as $crate::components::shape::FieldValue>::schema() ),*
                ]})
            }
        }
    };
}

pub(crate) use one_of;

/// Notes that the `type` of `node` is none of the `types` that a [`one_of!`] offers.
pub fn wrong_type(node: &Node, reader: &mut Reader<'_>, types: &[&str]) {
    if node.as_map().is_none() {
        return reader.wrong_kind(node, "a mapping with a `type`");
    }
    let place = node.get("type").unwrap_or(node);
    let finding = match place.as_str() {
        Some(name) => Finding::error("schema/type", format!("`{name}` does not fit here"))
            .help(format!("it is one of {}", types.join(", ")))
            .suggest(name, types.iter().copied()),
        None => Finding::error("schema/type", "`type` is missing")
            .help(format!("it is one of {}", types.join(", "))),
    };
    reader.note(finding, place);
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
    /// Any mapping whose texts may hold templates, or one text for the whole.
    pub enum TextOrObject { Text(Text) if |node| node.as_str().is_some(), Object(Map) }
}
