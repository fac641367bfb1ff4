//! The shape of a component: its YAML fields, read with findings, and described as JSON schema.
//!
//! [`shape!`] makes all three out of one declaration, so they cannot drift apart.

use serde_json::json;

use crate::manifest::{Finding, Findings, Node, NodeMap, NodeValue, Path, Source};
use crate::template::Template;
use crate::value::{Json, Map};

use super::definitions::Definitions;
use super::slot::Registry;

pub use super::field::{
    AtLeast, DistinctInts, IntOrTemplate, ListOf, Nullable, NumberFrom, NumberOrTemplate,
    Templated, Text, TextOrList, TextOrMapping, TextOrObject, TextOrTemplates, Written,
};

/// A component's YAML mapping.
pub trait Shape: Sized {
    /// The name of its definition in the published JSON schema.
    const NAME: &'static str;

    /// The component's `type`.
    const TYPE: &'static str;

    /// What it may have besides its fields.
    const MANNER: Manner;

    /// The fields other than `type` and `$parameters`.
    const FIELDS: &'static [&'static str];

    /// Reads the mapping; what is wrong becomes a finding, all of it.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// The component's part of the published JSON schema.
    fn definition() -> Definition;
}

/// What a component's mapping may have besides its fields.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// What it says about its `type`.
    pub type_field: TypeField,
    /// What becomes of fields that it does not know.
    pub unknown: UnknownFields,
}

/// What a mapping says about its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeField {
    /// It has to be there.
    Required,
    /// If it is there, it has to be the right one.
    Optional,
    /// There is none; what stands there means nothing.
    Unknown,
}

/// What becomes of fields that a mapping does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// They mean nothing.
    Ignored,
    /// They are an error.
    Refused,
    /// Something outside knows them.
    Used,
}

impl Manner {
    /// The `type` has to be there, unknown fields mean nothing.
    pub const USUAL: Self =
        Self { type_field: TypeField::Required, unknown: UnknownFields::Ignored };

    /// Without any `type`.
    #[must_use]
    pub const fn untyped(self) -> Self {
        Self { type_field: TypeField::Unknown, ..self }
    }

    /// With a `type` that may be left out.
    #[must_use]
    pub const fn loosely_typed(self) -> Self {
        Self { type_field: TypeField::Optional, ..self }
    }

    /// With nothing but its fields, not even `$parameters`.
    #[must_use]
    pub const fn closed(self) -> Self {
        Self { unknown: UnknownFields::Refused, ..self }
    }

    /// With fields that something outside knows.
    #[must_use]
    pub const fn open(self) -> Self {
        Self { unknown: UnknownFields::Used, ..self }
    }
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

    /// Adds the definitions that the schema refers to, with all that those refer to.
    fn gather(_: &mut Definitions) {}
}

/// A component as the published JSON schema describes it.
#[derive(Debug)]
pub struct Definition {
    /// What it is, for people.
    pub description: String,
    /// The component's `type`.
    pub type_name: &'static str,
    /// What it may have besides its fields.
    pub manner: Manner,
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
    /// The definition as JSON schema.
    pub fn to_json(&self) -> Json {
        let mut properties = Map::new();
        if self.manner.type_field != TypeField::Unknown {
            properties
                .insert("type".to_owned(), json!({"type": "string", "enum": [self.type_name]}));
        }
        for field in &self.fields {
            let mut schema = field.schema.clone();
            if let Json::Object(object) = &mut schema {
                object.insert("description".to_owned(), json!(field.description));
            }
            properties.insert(field.name.to_owned(), schema);
        }
        let is_closed = self.manner.unknown == UnknownFields::Refused;
        if !is_closed {
            properties.insert("$parameters".to_owned(), json!({"type": "object"}));
        }
        let has_type = self.manner.type_field == TypeField::Required;
        let required = self.fields.iter().filter(|field| field.is_required);
        let required: Vec<_> =
            has_type.then_some("type").into_iter().chain(required.map(|it| it.name)).collect();
        json!({
            "type": "object",
            "description": self.description,
            "required": required,
            "properties": properties,
            "additionalProperties": !is_closed,
        })
    }
}

/// Walks a manifest while its shapes are read, and collects findings.
#[derive(Debug)]
pub struct Reader<'a> {
    registry: &'static Registry,
    findings: &'a mut Findings,
    path: Path<'a>,
    /// Set to look also at what keeps no manifest from being read.
    scrutiny: Option<Scrutiny<'a>>,
}

/// Looks for fields that mean nothing, and templates that cannot be read.
#[derive(Clone, Copy, Debug)]
struct Scrutiny<'a> {
    /// What was written, if that is known.
    source: Option<&'a Source>,
}

impl<'a> Reader<'a> {
    /// A reader at the root of a manifest.
    pub fn new(registry: &'static Registry, findings: &'a mut Findings) -> Self {
        Self { registry, findings, path: Path::ROOT, scrutiny: None }
    }

    /// The same reader, looking also at what the reference does not see before it is used: fields
    /// that mean nothing, and templates that cannot be read.
    #[must_use]
    pub fn with_scrutiny(self, source: Option<&'a Source>) -> Self {
        Self { scrutiny: Some(Scrutiny { source }), ..self }
    }

    /// Whether anything so far keeps the manifest from running.
    pub fn has_errors(&self) -> bool {
        self.findings.has_errors()
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
        read(node, &mut Reader { path, findings: self.findings, ..*self })
    }

    /// Reads one item of a sequence with `read`.
    pub fn within_item<T>(
        &mut self,
        idx: usize,
        node: &Node,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        let path = self.path.index(idx);
        read(node, &mut Reader { path, findings: self.findings, ..*self })
    }

    /// Checks that `node` is a mapping with the shape's own `type`; notes fields that the shape
    /// refuses.
    pub fn object<S: Shape>(&mut self, node: &Node) -> bool {
        let Some(map) = node.as_map() else {
            self.wrong_kind(node, &format!("a mapping of type `{}`", S::TYPE));
            return false;
        };
        let found = map.get("type").filter(|_| S::MANNER.type_field != TypeField::Unknown);
        match found {
            None if S::MANNER.type_field == TypeField::Required => {
                let message = format!("`type` is missing; `type: {}` belongs here", S::TYPE);
                self.note(Finding::error("schema/type", message), node);
                return false;
            }
            Some(found) if found.as_str() != Some(S::TYPE) => {
                let name = found.as_str().unwrap_or("something that is not text");
                let message = format!("`{name}` cannot stand here; expected type `{}`", S::TYPE);
                self.note(Finding::error("schema/type", message), found);
                return false;
            }
            _ => {}
        }
        match S::MANNER.unknown {
            UnknownFields::Refused => self.refuse_unknown::<S>(map),
            UnknownFields::Ignored if self.scrutiny.is_some() => self.warn_of_unknown::<S>(map),
            UnknownFields::Ignored | UnknownFields::Used => {}
        }
        true
    }

    /// Notes all fields that a closed shape does not have.
    fn refuse_unknown<S: Shape>(&mut self, map: &NodeMap) {
        let has_type = S::MANNER.type_field != TypeField::Unknown;
        for (key, _) in map.iter() {
            let name = key.name();
            if !(S::FIELDS.contains(&&*name) || has_type && name == "type") {
                let message = format!("`{}` has no field `{name}`", S::NAME);
                let finding = Finding::error("schema/unknown", message);
                self.note(finding.suggest(&name, S::FIELDS.iter().copied()), key.node());
            }
        }
    }

    /// Notes all fields that an ordinary shape does not have, and that no parameter brought.
    fn warn_of_unknown<S: Shape>(&mut self, map: &NodeMap) {
        let parameters = map.get("$parameters").and_then(Node::as_map);
        let is_parameter = |name: &str| parameters.is_some_and(|it| it.contains(name));
        for (key, _) in map.iter() {
            let name = key.name();
            let is_known = S::FIELDS.contains(&&*name) || ["type", "$parameters"].contains(&&*name);
            if !is_known && !is_parameter(&name) {
                let message = format!("`{}` has no field `{name}`: it means nothing", S::NAME);
                let finding = Finding::warning("schema/unknown", message);
                self.note(finding.suggest(&name, S::FIELDS.iter().copied()), key.node());
            }
        }
    }

    /// Notes that a text cannot be read as a template, if that is asked for.
    pub fn check_template(&mut self, node: &Node, text: &str) {
        let Some(scrutiny) = self.scrutiny else { return };
        let template = Template::parse(text);
        let Some(err) = template.syntax_error() else { return };
        let span = match (scrutiny.source, node.span()) {
            (Some(source), Some(span)) => Some(source.place_inside(span, text, err.offset)),
            (_, span) => span,
        };
        let finding = Finding::error("template/syntax", err.message.clone())
            .help(format!("mend the template of `{}`", self.path))
            .at_path(&self.path)
            .at_span(span);
        self.findings.push(finding);
    }

    /// Notes what is no template of all texts inside of a value.
    pub fn check_templates(&mut self, node: &Node) {
        if self.scrutiny.is_none() {
            return;
        }
        if let Some(text) = node.as_str() {
            self.check_template(node, text);
        }
        for (idx, item) in node.as_seq().unwrap_or_default().iter().enumerate() {
            self.within_item(idx, item, |item, reader| {
                reader.check_templates(item);
                Some(())
            });
        }
        for (key, value) in node.as_map().into_iter().flat_map(NodeMap::iter) {
            self.check_templates(key.node());
            self.within(&key.name(), value, |value, reader| {
                reader.check_templates(value);
                Some(())
            });
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
/// (`Option`) or it has a default. What stands behind a colon (`pub struct Rate:
/// untyped`) are the methods of [`Manner`] that change the usual one;
/// `pub struct ApiKey as "Other"` has another `type` than the struct's name.
macro_rules! shape {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident $(as $type:literal)? $(: $($manner:ident),+)? {
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
            const NAME: &'static str = stringify!($name);
            const TYPE: &'static str = $crate::components::shape::shape!(@type $name $($type)?);
            const MANNER: $crate::components::shape::Manner =
                $crate::components::shape::Manner::USUAL$($(.$manner())+)?;
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn read(
                node: &$crate::manifest::Node,
                reader: &mut $crate::components::shape::Reader<'_>,
            ) -> Option<Self> {
                if !reader.object::<Self>(node) {
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
                    description: $crate::components::shape::description(&[$($doc),*]),
                    type_name: <Self as $crate::components::shape::Shape>::TYPE,
                    manner: <Self as $crate::components::shape::Shape>::MANNER,
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
                $crate::components::definitions::reference(stringify!($name))
            }

            fn gather(definitions: &mut $crate::components::definitions::Definitions) {
                use $crate::components::shape::Shape;
                if definitions.add(Self::NAME, || Self::definition().to_json()) {
                    $( <$ty as $crate::components::shape::FieldValue>::gather(definitions); )*
                }
            }
        }
    };
    (@type $name:ident) => { stringify!($name) };
    (@type $name:ident $type:literal) => { $type };
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
                $crate::components::definitions::reference(stringify!($name))
            }

            fn gather(definitions: &mut $crate::components::definitions::Definitions) {
                let description = $crate::components::shape::description(&[$($doc),*]);
                definitions.add(stringify!($name), || serde_json::json!({
                    "description": description, "type": "string", "enum": [$($word),*],
                }));
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

            fn gather(definitions: &mut $crate::components::definitions::Definitions) {
                <$first_ty as $crate::components::shape::FieldValue>::gather(definitions);
                <$second_ty as $crate::components::shape::FieldValue>::gather(definitions);
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

            fn gather(definitions: &mut $crate::components::definitions::Definitions) {
                $( <$shape as $crate::components::shape::FieldValue>::gather(definitions); )*
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
