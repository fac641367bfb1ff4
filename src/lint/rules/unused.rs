//! What is written and never used.

use std::collections::{HashMap, HashSet};

use crate::components::registry::manifest_schema;
use crate::lint::{Component, Lint, Report, Rule, rule};
use crate::manifest::{Node, Span};

pub(super) const RULES: &[Rule] = &[
    rule!("unused-definition", Warning, "a definition that nothing refers to", unused_definition),
    rule!(
        "unused-parameter",
        Warning,
        "a parameter that no component below takes",
        unused_parameter
    ),
    rule!(
        "unknown-parameter",
        Warning,
        "a template reads a parameter that it never gets",
        unknown_parameter
    ),
];

fn unused_definition(lint: &Lint<'_>, report: &mut Report<'_>) {
    let Some(written) = lint.written else { return };
    let mut uses = Uses::default();
    uses.note(written, true);
    for section in ["definitions", "schemas"] {
        if !uses.references.contains(section) {
            written
                .get(section)
                .into_iter()
                .for_each(|it| check_definitions(it, section, &uses, report));
        }
    }
}

/// Says which definitions below a path of references nothing refers to.
fn check_definitions(group: &Node, path: &str, uses: &Uses, report: &mut Report<'_>) {
    for (key, value) in group.fields() {
        let path = format!("{path}/{}", key.name());
        // The Builder puts its own things below `linked`, and takes them away itself.
        if path == "definitions/linked" || uses.references.contains(&path) || uses.shares(value) {
            continue;
        }
        if !uses.reaches_below(&path) {
            let message = format!("nothing refers to `#/{path}`");
            report.add(report.in_span(&path.replace('/', "."), key.span(), message));
        } else if value.fields().all(|(_, it)| it.type_name().is_some_and(is_component)) {
            check_definitions(value, &path, uses, report);
        }
    }
}

fn is_component(type_name: &str) -> bool {
    type_name.starts_with(char::is_uppercase)
}

/// What a manifest refers to, by reference and by alias.
#[derive(Default)]
struct Uses {
    references: HashSet<String>,
    /// How often a list or mapping at a place stands in the tree: aliases are one place.
    places: HashMap<Span, usize>,
}

impl Uses {
    fn note(&mut self, node: &Node, is_root: bool) {
        if let Some(reference) = node.as_reference() {
            self.references.insert(reference[2..].to_owned());
        }
        if let Some(span) = node.span().filter(|_| !is_root) {
            *self.places.entry(span).or_default() += 1;
        }
        node.items().iter().for_each(|item| self.note(item, false));
        for (_, value) in node.fields() {
            self.note(value, false);
        }
    }

    /// Whether a reference leads into what is at a path.
    fn reaches_below(&self, path: &str) -> bool {
        let is_below = |it: &String| it.strip_prefix(path).is_some_and(|it| it.starts_with('/'));
        self.references.iter().any(is_below)
    }

    /// Whether an alias stands for the value, or for a part of it.
    fn shares(&self, node: &Node) -> bool {
        let is_shared =
            node.span().is_some_and(|span| self.places.get(&span).is_some_and(|count| *count > 1));
        let parts = node.items().iter();
        let fields = node.fields().map(|(_, value)| value);
        is_shared || parts.chain(fields).any(|part| self.shares(part))
    }
}

fn unused_parameter(lint: &Lint<'_>, report: &mut Report<'_>) {
    let schema = manifest_schema();
    let mut texts = Vec::new();
    note_templates(lint.root, &mut texts);
    let mut unused: HashMap<Span, (&str, &Component<'_>)> = HashMap::new();
    let mut used: HashSet<Span> = HashSet::new();
    for component in lint.components() {
        let Some(parameters) = component.get("$parameters").and_then(Node::as_map) else {
            continue;
        };
        for (key, value) in parameters.iter() {
            let (Some(name), Some(span)) = (key.as_str(), key.span()) else { continue };
            let is_field = component.get(name).is_some_and(|it| it.span() == value.span());
            let known = schema["definitions"][component.type_name].get("properties");
            let has_field = known.is_none_or(|fields| fields.get(name).is_some());
            // Python may take everything, and templates of streams are filled in first.
            let is_open = component.is_custom() || lint.is_template(component);
            let is_taken = is_open || is_field && has_field;
            // Files of schemas are named after it.
            if is_taken || name == "name" || texts.iter().any(|text| text.contains(name)) {
                used.insert(span);
            } else {
                unused.entry(span).or_insert((name, component));
            }
        }
    }
    for (span, (name, component)) in unused.into_iter().filter(|(span, _)| !used.contains(span)) {
        let path = format!("{}.{name}", component.path_of("$parameters"));
        let message =
            format!("no component takes the parameter `{name}`, and no template reads it");
        report.add(report.in_span(&path, Some(span), message));
    }
}

/// All texts that look at parameters.
fn note_templates<'m>(node: &'m Node, texts: &mut Vec<&'m str>) {
    texts.extend(node.as_str().filter(|text| text.contains("parameters")));
    node.items().iter().for_each(|item| note_templates(item, texts));
    for (key, value) in node.fields() {
        if key.as_str() != Some("definitions") {
            texts.extend(
                key.as_str().filter(|text| text.contains("parameters") && *text != "$parameters"),
            );
            note_templates(value, texts);
        }
    }
}

fn unknown_parameter(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts() {
        let component = lint.component_of(text);
        let parameters = component.get("$parameters").and_then(Node::as_map);
        for key in text.keys("parameters").flatten() {
            let source = text.template.source();
            let is_guarded = [".get(", " or ", " if ", "default(", "is defined"]
                .iter()
                .any(|it| source.contains(it));
            if is_guarded || parameters.is_some_and(|it| it.contains(key)) {
                continue;
            }
            let stream =
                lint.enclosing(component, "DeclarativeStream").and_then(|it| it.text("name"));
            let place =
                stream.map_or_else(|| "here".to_owned(), |name| format!("in stream `{name}`"));
            let message = format!("no `$parameters` have `{key}` {place}: it is undefined");
            let finding = report.in_span(&text.path, lint.word_in(text.node, key), message);
            let known = component.get("$parameters").into_iter().flat_map(Node::fields);
            let known = known.filter_map(|(key, _)| key.as_str());
            report.add(finding.suggest(key, known));
        }
    }
}
