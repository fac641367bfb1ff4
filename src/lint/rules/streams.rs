//! Streams, their names, and their schemas.

use std::collections::HashMap;

use crate::lint::{Component, Lint, Report, Rule, rule};
use crate::manifest::{Node, Span};

pub(super) const RULES: &[Rule] = &[
    rule!(
        "cursor-not-in-schema",
        Warning,
        "the schema of a stream lacks its cursor field",
        cursor_not_in_schema
    ),
    rule!(
        "key-not-in-schema",
        Warning,
        "the schema of a stream lacks a field of its primary key",
        key_not_in_schema
    ),
    rule!("duplicate-stream", Warning, "two streams have one name", duplicate),
    rule!(
        "unknown-check-stream",
        Error,
        "the check names a stream that does not exist",
        unknown_check_stream
    ),
];

fn cursor_not_in_schema(lint: &Lint<'_>, report: &mut Report<'_>) {
    for stream in lint.of_type("DeclarativeStream") {
        let cursor = stream.get("incremental_sync");
        let field = cursor.and_then(|cursor| cursor.get("cursor_field")).and_then(Node::as_str);
        let Some(field) = field.filter(|field| !field.contains(['{', '.'])) else { continue };
        check_fields(lint, stream, &[field], "cursor field", report);
    }
}

fn key_not_in_schema(lint: &Lint<'_>, report: &mut Report<'_>) {
    for stream in lint.of_type("DeclarativeStream") {
        let Some(key) = stream.get("primary_key") else { continue };
        let items = key.as_seq().unwrap_or(std::slice::from_ref(key)).iter();
        let is_known = |field: &&str| !field.is_empty() && !field.contains('{');
        let fields: Vec<_> = items.filter_map(first_key).filter(is_known).collect();
        check_fields(lint, stream, &fields, "primary key", report);
    }
}

/// The key that a path of one or more begins with.
fn first_key(path: &Node) -> Option<&str> {
    path.as_seq().map_or(Some(path), <[Node]>::first)?.as_str()
}

/// Says which of the fields the stream's inline schema lacks.
fn check_fields(
    lint: &Lint<'_>,
    stream: &Component<'_>,
    fields: &[&str],
    role: &str,
    report: &mut Report<'_>,
) {
    let Some(loader) =
        lint.child(stream, "schema_loader").filter(|it| it.type_name == "InlineSchemaLoader")
    else {
        return;
    };
    let is_one = stream.get("schema_loader").is_some_and(|loader| loader.as_map().is_some());
    let Some(schema) = loader.get("schema").filter(|_| is_one && !lint.is_template(stream)) else {
        return;
    };
    let Some((key, properties)) = schema.as_map().and_then(|schema| schema.get_entry("properties"))
    else {
        return;
    };
    let Some(properties) = properties.as_map().filter(|it| !it.is_empty()) else { return };
    let has_more = ["allOf", "anyOf", "oneOf", "$ref", "patternProperties"]
        .iter()
        .any(|word| schema.get(word).is_some());
    let missing: Vec<_> = fields
        .iter()
        .filter(|field| !properties.contains(field))
        .map(|it| format!("`{it}`"))
        .collect();
    if has_more || missing.is_empty() {
        return;
    }
    let name = stream.text("name").unwrap_or_default();
    let message =
        format!("this schema lacks {}, the {role} of stream `{name}`", missing.join(", "));
    let path = format!("{}.schema.properties", loader.path);
    let finding = report.in_span(&path, key.span(), message);
    report.add(finding.suggest(fields[0], properties.iter().filter_map(|(key, _)| key.as_str())));
}

fn duplicate(lint: &Lint<'_>, report: &mut Report<'_>) {
    let mut seen: HashMap<&str, Option<Span>> = HashMap::new();
    for stream in streams(lint) {
        let Some(name) = stream.get("name") else { continue };
        let Some(text) = name.as_str() else { continue };
        if let Some(first) = seen.get(text) {
            let message = format!("there are two streams `{text}`: no catalog can tell them apart");
            report.add(
                report.at(&stream.path_of("name"), name, message).relate(*first, "the first one"),
            );
        } else {
            seen.insert(text, name.span());
        }
    }
}

/// The streams of the source that every config has.
fn streams<'l, 'm>(lint: &'l Lint<'m>) -> impl Iterator<Item = &'l Component<'m>> {
    lint.components().iter().filter(|it| {
        let is_stream = ["DeclarativeStream", "StateDelegatingStream"].contains(&it.type_name);
        let mut around = lint.around(it);
        is_stream
            && it.field == "streams"
            && around.next().is_some_and(|it| it.type_name == "DeclarativeSource")
    })
}

fn unknown_check_stream(lint: &Lint<'_>, report: &mut Report<'_>) {
    let has_dynamic = lint.root.has("dynamic_streams");
    let conditional = lint.of_type("ConditionalStreams").flat_map(|it| it.items("streams"));
    let names: Vec<_> = streams(lint)
        .map(|it| it.node)
        .chain(conditional)
        .filter_map(|it| it.get("name")?.as_str())
        .collect();
    for check in lint.of_type("CheckStream").filter(|_| !has_dynamic) {
        for item in check.items("stream_names") {
            let Some(name) =
                item.as_str().filter(|name| !name.contains('{') && !names.contains(name))
            else {
                continue;
            };
            let message = format!("there is no stream `{name}`: every check fails");
            let finding = report.at(&check.path_of("stream_names"), item, message);
            report.add(finding.suggest(name, names.iter().copied()));
        }
    }
}
