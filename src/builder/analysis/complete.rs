//! What may come next where the cursor stands.

use std::collections::BTreeSet;

use serde::Serialize;

use super::cursor::{self, Marked, Spot};
use super::lines::Lines;
use super::outline::Outline;
use super::shapes::{self, Holder, Shapes};
use super::vocabulary::{self, FILTERS, MACROS, VARIABLES, Word};
use crate::builder::edit::Step;
use crate::lint::template_fields;
use crate::manifest::{Findings, Manifest, Node, Source, parse, quote};
use crate::value::Json;

/// How deep definitions are looked through for what can be referred to.
const DEEPEST: usize = 4;

/// What may come next.
#[derive(Debug, Serialize)]
pub struct Completion {
    /// Where the word begins that is completed.
    from_column: usize,
    items: Vec<Item>,
}

/// One proposal.
#[derive(Debug, Serialize)]
struct Item {
    label: String,
    kind: &'static str,
    detail: String,
    documentation: String,
    insert: String,
}

impl Item {
    fn new(kind: &'static str, label: impl Into<String>) -> Self {
        let label = label.into();
        let (detail, documentation) = (String::new(), String::new());
        Self { insert: label.clone(), label, kind, detail, documentation }
    }

    fn about(mut self, detail: impl Into<String>, documentation: impl Into<String>) -> Self {
        (self.detail, self.documentation) = (detail.into(), documentation.into());
        self
    }

    fn inserting(mut self, insert: impl Into<String>) -> Self {
        self.insert = insert.into();
        self
    }
}

/// What may come next at a line and a column.
pub fn complete(text: &str, line: usize, column: usize) -> Completion {
    let lines = Lines::new(text);
    let offset = lines.offset(line, column);
    let (spot, word) = cursor::spot(text, offset);
    let items = match &spot {
        Spot::Comment => Vec::new(),
        Spot::Expression(expression) => in_expression(text, offset, word, expression),
        Spot::Key | Spot::Value(_) => match cursor::mark(text, &spot, word) {
            Some(marked) => in_document(&marked, &spot, text[..word].ends_with(['\'', '"'])),
            None => Vec::new(),
        },
    };
    Completion { from_column: lines.position(word).1, items }
}

fn in_document(marked: &Marked, spot: &Spot<'_>, is_quoted: bool) -> Vec<Item> {
    let Marked { root, holder: path } = marked;
    let (holders, shapes) = shapes::way(root, path);
    match spot {
        Spot::Key => {
            let node = path.iter().try_fold(root, |node, step| step.of(node));
            let mut items = match path.last() {
                Some(Step::Index(_)) => values(root, path, &holders, &shapes, is_quoted),
                _ => Vec::new(),
            };
            items.extend(node.map(|node| keys(&shapes, node)).unwrap_or_default());
            items
        }
        _ => values(root, path, &holders, &shapes, is_quoted),
    }
}

/// The fields that a mapping may have and has not.
fn keys(shapes: &Shapes, node: &Node) -> Vec<Item> {
    let mut items: Vec<(bool, Item)> = Vec::new();
    for shape in shapes {
        let is_required = |name: &str| {
            shape["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name))
        };
        for (name, schema) in shape["properties"].as_object().into_iter().flatten() {
            if node.get(name).is_some() || items.iter().any(|(_, item)| item.label == *name) {
                continue;
            }
            let mark = if is_required(name) { ", required" } else { "" };
            let detail = format!("{}{mark}", shapes::kind(schema));
            let item = Item::new("key", name.as_str())
                .about(detail, shapes::documentation(schema))
                .inserting(format!("{name}: "));
            items.push((!is_required(name) || name == "$parameters", item));
        }
    }
    let is_component = shapes.iter().any(|shape| shape["properties"].is_object());
    if is_component && node.get("$ref").is_none() {
        let about = "Takes over what stands elsewhere; the other fields count more.";
        items.push((true, Item::new("key", "$ref").about("reference", about).inserting("$ref: ")));
    }
    items.sort_by_key(|(is_optional, item)| (*is_optional, item.label != "type"));
    items.into_iter().map(|(_, item)| item).collect()
}

/// What a field, or an item, may be.
fn values(
    root: &Node,
    path: &[Step],
    holders: &[Holder<'_>],
    shapes: &Shapes,
    is_quoted: bool,
) -> Vec<Item> {
    let key = match path.last() {
        Some(Step::Key(name)) => name.as_str(),
        _ => "",
    };
    let list = path.iter().rev().find_map(|step| match step {
        Step::Key(name) => Some(name.as_str()),
        Step::Index(_) => None,
    });
    let mut items = Vec::new();
    if key == "type" {
        for shape in holders.last().map(|holder| holder.candidates.as_slice()).unwrap_or_default() {
            if let Some(name) = shapes::type_of(shape) {
                let about = shape["description"].as_str().unwrap_or_default();
                items.push(Item::new("type", name).about("component", about));
            }
        }
        if !items.is_empty() {
            return items;
        }
    }
    if matches!(list, Some("stream_names" | "stream_name")) {
        let names = stream_names(root);
        items.extend(names.into_iter().map(|name| {
            let insert = if is_quoted { name.clone() } else { quote(&name) };
            Item::new("value", name).about("stream", "").inserting(insert)
        }));
    }
    for shape in shapes {
        for word in shape["enum"].as_array().into_iter().flatten() {
            let word = shapes::plain(word);
            let insert = if is_quoted { word.clone() } else { quote(&word) };
            items.push(
                Item::new("value", word).about("", shapes::documentation(shape)).inserting(insert),
            );
        }
        if shape["type"] == "boolean" {
            items.extend(["true", "false"].map(|word| Item::new("value", word)));
        }
    }
    let wanted: BTreeSet<_> = shapes.iter().filter_map(|shape| shapes::type_of(shape)).collect();
    if key == "$ref" || !wanted.is_empty() {
        let mut references = Vec::new();
        if let Some(definitions) = root.get("definitions") {
            gather_references(definitions, "#/definitions", 0, &mut references);
        }
        let holder = holders.last().filter(|_| key == "$ref");
        let of_holder = holder.map(|holder| holder.candidates.as_slice()).unwrap_or_default();
        let wanted: BTreeSet<_> =
            of_holder.iter().filter_map(|shape| shapes::type_of(shape)).chain(wanted).collect();
        let fits = |kind: &str| wanted.contains(kind);
        references.sort_by_key(|(_, kind)| !fits(kind));
        let is_any = |kind: &str| fits(kind) || kind.is_empty() || wanted.is_empty();
        items.extend(references.into_iter().filter(|(_, kind)| is_any(kind)).map(
            |(path, kind)| {
                let insert = if is_quoted { path.clone() } else { format!("\"{path}\"") };
                Item::new("value", path).about(kind, "").inserting(insert)
            },
        ));
    }
    items
}

fn stream_names(root: &Node) -> Vec<String> {
    let json = Manifest::from_json(&root.to_json());
    Outline::of(&json.root).stream_names().map(str::to_owned).collect()
}

/// The mappings among the definitions, with their types.
fn gather_references(node: &Node, path: &str, depth: usize, found: &mut Vec<(String, String)>) {
    for (key, value) in node.fields() {
        let path = format!("{path}/{}", key.name());
        if value.as_map().is_some() || depth == 0 {
            found.push((path.clone(), value.type_name().unwrap_or_default().to_owned()));
        }
        if depth < DEEPEST && value.type_name().is_none() {
            gather_references(value, &path, depth + 1, found);
        }
    }
}

fn in_expression(text: &str, offset: usize, word: usize, expression: &str) -> Vec<Item> {
    let before = &expression[..expression.len() - (offset - word)];
    let before = before.trim_end();
    if before.ends_with('|') {
        return FILTERS.iter().map(|word| item("filter", word)).collect();
    }
    let source = Source::new("manifest.yaml", text);
    let root = parse(&source, &mut Findings::default());
    let access = before.trim_end_matches(['\'', '"']);
    for (variable, keys) in [
        ("config", input_names as fn(&Node) -> Vec<Item>),
        ("parameters", parameter_names),
        ("stream_slice", slice_names),
        ("stream_interval", interval_names),
        ("stream_partition", partition_names),
    ] {
        let is_item = access.strip_suffix('[').is_some_and(|it| it.ends_with(variable));
        let is_attribute = before.strip_suffix('.').is_some_and(|it| it.ends_with(variable));
        if is_item || is_attribute {
            let mut items = root.as_ref().map(keys).unwrap_or_default();
            if is_item && access == before {
                for item in &mut items {
                    item.insert = format!("'{}'", item.label);
                }
            }
            return items;
        }
    }
    if before.ends_with(['\'', '"', '.']) {
        return Vec::new();
    }
    let known = root.as_ref().map(|root| variables_at(root, offset)).unwrap_or_default();
    let variables = ["config", "parameters"].into_iter().chain(known);
    let variables = variables.filter_map(|name| vocabulary::find(VARIABLES, name));
    let variables = variables.map(|word| item("variable", word));
    variables.chain(MACROS.iter().map(|word| item("macro", word))).collect()
}

fn item(kind: &'static str, word: &Word) -> Item {
    Item::new(kind, word.name).about(word.detail, word.about)
}

/// The variables of the template that is written at a byte.
pub(super) fn variables_at(root: &Node, offset: usize) -> Vec<&'static str> {
    let (path, _) = cursor::at(root, offset);
    let (holders, _) = shapes::way(root, &path);
    for (depth, holder) in holders.iter().enumerate().rev() {
        let [shape] = holder.shapes.as_slice() else { continue };
        let (Some(name), Some(Step::Key(field))) = (shapes::type_of(shape), path.get(depth)) else {
            continue;
        };
        let field = template_fields(name).iter().find(|it| it.name == field);
        return field.map(|field| field.variables.to_vec()).unwrap_or_default();
    }
    Vec::new()
}

/// The inputs of the connector.
pub(super) fn inputs(root: &Node) -> Vec<(String, Json)> {
    let properties = ["spec", "connection_specification", "properties"];
    let properties = properties.iter().try_fold(root, |node, name| node.get(name));
    let fields = properties.into_iter().flat_map(Node::fields);
    fields.map(|(key, value)| (key.name().into_owned(), value.to_json())).collect()
}

fn input_names(root: &Node) -> Vec<Item> {
    let describe = |(name, schema): (String, Json)| {
        let title = schema["title"].as_str().unwrap_or_default().to_owned();
        let about = schema["description"].as_str().unwrap_or_default().to_owned();
        let kind = shapes::kind(&schema);
        let detail = if title.is_empty() { kind } else { format!("{title}, {kind}") };
        Item::new("value", name).about(detail, about)
    };
    inputs(root).into_iter().map(describe).collect()
}

/// The names of all fields that a mapping of this name has, anywhere.
fn parameter_names(root: &Node) -> Vec<Item> {
    let mut names = BTreeSet::new();
    walk(root, &mut |node| {
        let parameters = node.get("$parameters").into_iter().flat_map(Node::fields);
        names.extend(parameters.map(|(key, _)| key.name().into_owned()));
    });
    names.into_iter().map(|name| Item::new("value", name).about("parameter", "")).collect()
}

fn interval_names(_: &Node) -> Vec<Item> {
    ["start_time", "end_time"].map(|name| Item::new("value", name).about("text", "")).into()
}

fn partition_names(root: &Node) -> Vec<Item> {
    let mut names = BTreeSet::new();
    walk(root, &mut |node| {
        let field = match node.type_name() {
            Some("ListPartitionRouter") => "cursor_field",
            _ => "partition_field",
        };
        names.extend(node.get(field).and_then(Node::as_str).map(str::to_owned));
    });
    let mut items: Vec<_> =
        names.into_iter().map(|name| Item::new("value", name).about("partition", "")).collect();
    items.push(Item::new("value", "parent_slice").about("partition of the parent", ""));
    items
}

fn slice_names(root: &Node) -> Vec<Item> {
    let mut items = partition_names(root);
    items.extend(interval_names(root));
    items
}

fn walk(node: &Node, visit: &mut dyn FnMut(&Node)) {
    visit(node);
    node.items().iter().for_each(|item| walk(item, visit));
    node.fields().for_each(|(_, value)| walk(value, visit));
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
definitions:
  auth: {type: BearerAuthenticator, api_token: x}
  other: {a: {type: DefaultPaginator}}
streams:
  - type: DeclarativeStream
    name: users
    retriever:
      type: SimpleRetriever
      $parameters: {path: x}
      requester:
        HERE
spec:
  connection_specification:
    properties: {api_key: {type: string, title: Key}, start: {}}
check:
  type: CheckStream
  stream_names:
    - users
";

    /// The labels that are proposed, where `‸` is the cursor, and what the first one inserts.
    fn labels(here: &str) -> (Vec<String>, String) {
        let text = MANIFEST.replace("HERE", here);
        let offset = text.find('‸').unwrap();
        let (line, column) = Lines::new(&text).position(offset);
        let completion = complete(&text.replacen('‸', "", 1), line, column);
        let insert = completion.items.first().map(|it| it.insert.clone()).unwrap_or_default();
        (completion.items.into_iter().map(|it| it.label).collect(), insert)
    }

    #[track_caller]
    fn check(here: &str, expect: &[&str], not: &[&str]) {
        let (labels, _) = labels(here);
        for label in expect {
            assert!(labels.iter().any(|it| it == label), "{label} is not in {labels:?}");
        }
        for label in not {
            assert!(!labels.iter().any(|it| it == label), "{label} is in {labels:?}");
        }
        assert_eq!(labels.is_empty(), expect.is_empty(), "{labels:?}");
    }

    #[test]
    fn fields_are_those_of_the_component() {
        check("‸", &["type", "url", "authenticator", "$ref"], &["paginator"]);
        check("url: x\n        au‸", &["authenticator"], &["url"]);
        check(
            "authenticator:\n          type: ApiKeyAuthenticator\n          ‸",
            &["api_token", "inject_into"],
            &["url"],
        );
        check("authenticator: {type: BearerAuthenticator, ‸}", &["api_token"], &["type"]);
        assert_eq!(labels("authenticator:\n          ‸").1, "type: ");
    }

    #[test]
    fn values_are_those_of_the_field() {
        check(
            "authenticator:\n          type: ‸",
            &["BearerAuthenticator", "NoAuth"],
            &["HttpRequester"],
        );
        check("http_method: ‸", &["GET", "POST"], &[]);
        check("use_cache: ‸", &["true", "false"], &[]);
        check("authenticator: ‸", &["#/definitions/auth"], &["#/definitions/other/a"]);
        check("authenticator: '#/‸'", &["#/definitions/auth"], &[]);
        check(
            "authenticator:\n          $ref: \"‸\"",
            &["#/definitions/auth"],
            &["#/definitions/other/a"],
        );
        assert_eq!(labels("authenticator: ‸").1, "\"#/definitions/auth\"");
        let text = MANIFEST.replace("HERE", "url: x");
        let line = text.lines().count() + 1;
        let completion = complete(&format!("{text}    - "), line, 7);
        assert_eq!(completion.items[0].label, "users");
    }

    #[test]
    fn expressions_know_what_their_field_has() {
        check("url: \"{{ ‸ }}\"", &["config", "stream_slice", "now_utc"], &["record", "response"]);
        check("url: \"{{ con‸", &["config"], &[]);
        check("url: \"{{ config['‸'] }}\"", &["api_key", "start"], &["config"]);
        check("url: \"{{ config.‸ }}\"", &["api_key"], &[]);
        check("url: \"{{ parameters['‸'] }}\"", &["path"], &[]);
        check("url: \"{{ x | tr‸ }}\"", &["trim"], &[]);
        check("url: \"{{ stream_interval['‸'] }}\"", &["start_time", "end_time"], &[]);
        check("url: x # {‸", &[], &[]);
        assert_eq!(labels("url: \"{{ config[‸ }}\"").1, "'api_key'");
    }
}
