//! What rules look at: the components of a manifest, and its templates.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::fields::{self, Field};
use crate::manifest::{Manifest, Node, NodeMap, Path, Source, Span};
use crate::template::Template;

/// How many components are looked at: references can make exponentially many out of a short text.
const MAX_COMPONENTS: usize = 200_000;

/// Parts of a manifest that hold no components: schemas, values, and what is only referred to.
const NO_COMPONENTS: [(&str, &str); 7] = [
    ("DeclarativeSource", "definitions"),
    ("DeclarativeSource", "schemas"),
    ("DeclarativeSource", "metadata"),
    ("InlineSchemaLoader", "schema"),
    ("Spec", "connection_specification"),
    ("CheckStream", "config_overrides"),
    ("CheckDynamicStream", "config_overrides"),
];

/// Components that send requests of their own, without the slices of the stream around them.
const APART: [&str; 4] = [
    "DynamicSchemaLoader",
    "HttpComponentsResolver",
    "SessionTokenAuthenticator",
    "PropertiesFromEndpoint",
];

/// A typed mapping of the resolved manifest.
#[derive(Debug)]
pub struct Component<'m> {
    /// Its `type`.
    pub type_name: &'m str,
    /// What it is.
    pub node: &'m Node,
    /// Where it is.
    pub path: String,
    /// The field that it stands in.
    pub field: &'m str,
    index: usize,
    parent: Option<usize>,
    /// Behind the last component below.
    end: usize,
}

impl<'m> Component<'m> {
    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&'m Node> {
        self.node.as_map()?.get(field)
    }

    /// The text of a field.
    pub fn text(&self, field: &str) -> Option<&'m str> {
        self.get(field)?.as_str()
    }

    /// The items of a field that is a list.
    pub fn items(&self, field: &str) -> &'m [Node] {
        self.get(field).and_then(Node::as_seq).unwrap_or_default()
    }

    /// The path of a field.
    pub fn path_of(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }

    /// The place of a field's name.
    pub fn key_span(&self, field: &str) -> Option<Span> {
        self.node.as_map()?.get_entry(field)?.0.span()
    }

    /// Whether it is written in Python.
    pub fn is_custom(&self) -> bool {
        self.type_name.starts_with("Custom")
    }
}

/// A text that is read as a template.
#[derive(Debug)]
pub struct TextAt<'m> {
    /// The text as it stands.
    pub node: &'m Node,
    /// Where it is.
    pub path: String,
    /// The field of its component that it is in.
    pub field: &'static Field,
    /// What it is.
    pub template: Template,
    component: usize,
}

impl TextAt<'_> {
    /// Whether it looks at the variable.
    pub fn reads(&self, variable: &str) -> bool {
        self.template.variables().iter().any(|it| it == variable)
    }

    /// The first keys that it looks up in a variable; nothing stands for the whole of it.
    pub fn keys<'t>(&'t self, variable: &'t str) -> impl Iterator<Item = Option<&'t str>> {
        self.template.reads(variable).map(|keys| keys.first().map(String::as_str))
    }
}

/// A manifest as rules see it.
#[derive(Debug)]
pub struct Lint<'m> {
    /// What was written.
    pub source: Option<&'m Source>,
    /// The tree as it was written, with its references.
    pub written: Option<&'m Node>,
    /// The tree that is run.
    pub root: &'m Node,
    components: Vec<Component<'m>>,
    texts: Vec<TextAt<'m>>,
    /// Where the mappings begin that keys are written in, by where the keys are.
    mappings: OnceCell<HashMap<Span, u32>>,
}

impl<'m> Lint<'m> {
    pub(super) fn new(manifest: &'m Manifest, written: Option<&'m Node>) -> Self {
        let source = manifest.source.as_ref();
        let mut walk = Walk::default();
        walk.value(&manifest.root, "", None, &Path::ROOT);
        let Walk { components, texts, .. } = walk;
        let mappings = OnceCell::new();
        Self { source, written, root: &manifest.root, components, texts, mappings }
    }

    /// Where the mapping begins that a key is written in.
    pub fn mapping_of(&self, key: Span) -> Option<u32> {
        let mappings = self.mappings.get_or_init(|| {
            let mut mappings = HashMap::new();
            self.written.into_iter().for_each(|it| note_mappings(it, &mut mappings));
            mappings
        });
        mappings.get(&key).copied()
    }

    /// All components, parents before children.
    pub fn components(&self) -> &[Component<'m>] {
        &self.components
    }

    /// The components of a type.
    pub fn of_type<'l>(&'l self, name: &'l str) -> impl Iterator<Item = &'l Component<'m>> {
        self.components.iter().filter(move |it| it.type_name == name)
    }

    /// The components inside of one, at any depth.
    pub fn below(&self, component: &Component<'_>) -> &[Component<'m>] {
        &self.components[component.index + 1..component.end]
    }

    /// The component in a field of another.
    pub fn child(&self, component: &Component<'_>, field: &str) -> Option<&Component<'m>> {
        let mut below = self.below(component).iter();
        below.find(|it| it.parent == Some(component.index) && it.field == field)
    }

    /// The components around one, from the inside out.
    pub fn around(&self, component: &Component<'_>) -> impl Iterator<Item = &Component<'m>> {
        let parent = |it: &Component<'_>| it.parent.map(|parent| &self.components[parent]);
        std::iter::successors(parent(component), move |it| parent(it))
    }

    /// The innermost component of a type around one.
    pub fn enclosing(&self, component: &Component<'_>, name: &str) -> Option<&Component<'m>> {
        self.around(component).find(|it| it.type_name == name)
    }

    /// Whether it is filled in before it is a component: nothing in it is certain.
    pub fn is_template(&self, component: &Component<'_>) -> bool {
        self.enclosing(component, "DynamicDeclarativeStream").is_some()
    }

    /// All templates.
    pub fn texts(&self) -> &[TextAt<'m>] {
        &self.texts
    }

    /// The templates of a component and of those inside.
    pub fn texts_of(&self, component: &Component<'_>) -> impl Iterator<Item = &TextAt<'m>> {
        let (start, end) = (component.index, component.end);
        self.texts.iter().filter(move |text| (start..end).contains(&text.component))
    }

    /// The components of a stream that are not those of another stream inside of it.
    pub fn own_parts<'l>(
        &'l self,
        stream: &'l Component<'m>,
    ) -> impl Iterator<Item = &'l Component<'m>> {
        let is_own = move |part: &&Component<'m>| {
            self.up_to(part, stream).all(|it| it.type_name != "DeclarativeStream")
        };
        self.below(stream).iter().filter(is_own)
    }

    /// The templates of a stream that are evaluated for its own slices.
    pub fn own_texts<'l>(
        &'l self,
        stream: &'l Component<'m>,
    ) -> impl Iterator<Item = &'l TextAt<'m>> {
        self.texts_of(stream).filter(move |text| {
            let mut between = self.up_to(self.component_of(text), stream);
            between.all(|it| it.type_name != "DeclarativeStream" && !APART.contains(&it.type_name))
        })
    }

    /// A component and those around it, as far as another one around them all.
    fn up_to<'l>(
        &'l self,
        component: &'l Component<'m>,
        last: &Component<'_>,
    ) -> impl Iterator<Item = &'l Component<'m>> {
        let around = std::iter::once(component).chain(self.around(component));
        let last = last.index;
        around.take_while(move |it| it.index != last)
    }

    /// The component that a template belongs to.
    pub fn component_of(&self, text: &TextAt<'_>) -> &Component<'m> {
        &self.components[text.component]
    }

    /// Where a word first stands by itself in the text of a value; the whole value otherwise.
    pub fn word_in(&self, node: &Node, word: &str) -> Option<Span> {
        let span = node.span()?;
        let (start, end) = (span.start as usize, span.end as usize);
        let Some(text) = self.source.and_then(|source| source.text.get(start..end)) else {
            return Some(span);
        };
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let is_alone = |at: &usize| {
            !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part)
        };
        let Some(at) = text.match_indices(word).map(|(at, _)| at).find(is_alone) else {
            return Some(span);
        };
        let before = &text[..at];
        let (n_lines, line_start) = match before.rfind('\n') {
            Some(newline) => (before.matches('\n').count(), newline + 1),
            None => (0, 0),
        };
        let n_chars = before[line_start..].chars().count();
        let column = if n_lines == 0 { span.column as usize } else { 1 } + n_chars;
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Span {
            start: narrow(start + at),
            end: narrow(start + at + word.len()),
            line: span.line + narrow(n_lines),
            column: narrow(column),
        })
    }
}

fn note_mappings(node: &Node, mappings: &mut HashMap<Span, u32>) {
    if let Some(holder) = node.span() {
        for key in node.fields().filter_map(|(key, _)| key.span()) {
            // `<<` repeats keys further down.
            mappings.entry(key).or_insert(holder.start);
        }
    }
    node.fields().for_each(|(_, value)| note_mappings(value, mappings));
    node.items().iter().for_each(|item| note_mappings(item, mappings));
}

#[derive(Default)]
struct Walk<'m> {
    components: Vec<Component<'m>>,
    texts: Vec<TextAt<'m>>,
    /// Most texts stand in many places.
    templates: HashMap<&'m str, Template>,
}

impl<'m> Walk<'m> {
    /// Walks over a value in `field` of the component `parent`.
    fn value(&mut self, node: &'m Node, field: &'m str, parent: Option<usize>, path: &Path<'_>) {
        if self.components.len() >= MAX_COMPONENTS {
            return;
        }
        let implied = || node.as_map().and(implied_type(field));
        if let Some(type_name) = type_of(node).or_else(implied) {
            self.component(node, type_name, field, parent, path);
        } else if let Some(map) = node.as_map() {
            self.fields(map, None, parent, path);
        }
        for (idx, item) in node.items().iter().enumerate() {
            self.value(item, field, parent, &path.index(idx));
        }
    }

    fn component(
        &mut self,
        node: &'m Node,
        type_name: &'m str,
        field: &'m str,
        parent: Option<usize>,
        path: &Path<'_>,
    ) {
        let index = self.components.len();
        let path_text = path.to_string();
        let component =
            Component { type_name, node, path: path_text, field, index, parent, end: index + 1 };
        self.components.push(component);
        for template in fields::of(type_name) {
            if let Some(value) = node.get(template.name) {
                self.templates(value, template, index, &path.key(template.name));
            }
        }
        if let Some(map) = node.as_map() {
            self.fields(map, Some(type_name), Some(index), path);
        }
        self.components[index].end = self.components.len();
    }

    fn fields(
        &mut self,
        map: &'m NodeMap,
        type_name: Option<&str>,
        parent: Option<usize>,
        path: &Path<'_>,
    ) {
        for (key, value) in map.iter() {
            let Some(name) = key.as_str().filter(|name| *name != "$parameters") else { continue };
            let is_opaque = NO_COMPONENTS
                .iter()
                .any(|(owner, field)| Some(*owner) == type_name && *field == name);
            if !is_opaque {
                self.value(value, name, parent, &path.key(name));
            }
        }
    }

    /// Notes every text in a value, keys included; components have their own.
    fn templates(
        &mut self,
        node: &'m Node,
        field: &'static Field,
        component: usize,
        path: &Path<'_>,
    ) {
        if let Some(source) = node.as_str() {
            let template = self.templates.entry(source).or_insert_with(|| Template::parse(source));
            let template = template.clone();
            self.texts.push(TextAt { node, path: path.to_string(), field, template, component });
        }
        for (idx, item) in node.items().iter().enumerate() {
            self.templates(item, field, component, &path.index(idx));
        }
        let Some(map) = node.as_map().filter(|_| type_of(node).is_none()) else { return };
        for (key, value) in map.iter() {
            let path = path.key(key.as_str().unwrap_or_default());
            self.templates(key.node(), field, component, &path);
            self.templates(value, field, component, &path);
        }
    }
}

/// The type of a component; the types of JSON schemas are written small.
fn type_of(node: &Node) -> Option<&str> {
    node.type_name().filter(|name| name.starts_with(char::is_uppercase))
}

/// The type of what has none to say, as it can be nothing else where it stands.
fn implied_type(field: &str) -> Option<&'static str> {
    Some(match field {
        "concurrency_level" => "ConcurrencyLevel",
        "matchers" => "HttpRequestRegexMatcher",
        "rates" => "Rate",
        "schema_type_identifier" => "SchemaTypeIdentifier",
        "types_mapping" => "TypesMap",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(text: &str) -> (Manifest, Option<Node>) {
        Manifest::with_written(Source::new("m.yaml", text))
    }

    const TEXT: &str = "\
streams:
- name: a
  retriever:
    requester:
      path: |
        é {{ x }}
      request_parameters: {\"{{ k }}\": [\"{{ v }}\"]}
  schema_loader: {type: InlineSchemaLoader, schema: {type: Object}}
definitions:
  x: {type: HttpRequester}
";

    #[test]
    fn components_know_one_another() {
        let (manifest, written) = manifest(TEXT);
        let lint = Lint::new(&manifest, written.as_ref());
        let types: Vec<_> = lint.components().iter().map(|it| it.type_name).collect();
        let expect = [
            "DeclarativeSource",
            "DeclarativeStream",
            "SimpleRetriever",
            "HttpRequester",
            "InlineSchemaLoader",
        ];
        assert_eq!(types, expect);
        let requester = lint.of_type("HttpRequester").next().unwrap();
        assert_eq!(requester.path, "streams[0].retriever.requester");
        let stream = lint.enclosing(requester, "DeclarativeStream").unwrap();
        assert_eq!(lint.below(stream).len(), 3);
        assert_eq!(lint.child(stream, "retriever").unwrap().type_name, "SimpleRetriever");
        assert!(lint.child(stream, "requester").is_none());
    }

    #[test]
    fn templates_are_found_with_the_places_of_their_words() {
        let (manifest, written) = manifest(TEXT);
        let lint = Lint::new(&manifest, written.as_ref());
        let variables: Vec<_> =
            lint.texts().iter().flat_map(|text| text.template.variables().to_vec()).collect();
        assert_eq!(variables, ["x", "k", "v"]);
        let path = &lint.texts()[0];
        let span = lint.word_in(path.node, "x").unwrap();
        assert_eq!((span.line, span.column), (6, 14));
        assert_eq!(&TEXT[span.start as usize..span.end as usize], "x");
        assert_eq!(lint.word_in(path.node, "nope"), path.node.span());
    }
}
