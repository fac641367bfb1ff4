//! Partitions, and what templates know of them.

use std::collections::BTreeSet;

use crate::lint::fields::SLICE;
use crate::lint::{Component, Lint, Report, Rule, TextAt, rule};
use crate::manifest::Node;

pub(super) const RULES: &[Rule] = &[
    rule!(
        "partition-not-sent",
        Warning,
        "the requests of all partitions are the same",
        partition_not_sent
    ),
    rule!(
        "unknown-slice-key",
        Warning,
        "a template looks for a key that no slice of its stream has",
        unknown_key
    ),
];

/// What slices have besides their keys.
const PARTS: [&str; 3] = ["partition", "cursor_slice", "extra_fields"];

/// Components that send requests of their own, without the slices of the stream around them.
const APART: [&str; 4] = [
    "DynamicSchemaLoader",
    "HttpComponentsResolver",
    "SessionTokenAuthenticator",
    "PropertiesFromEndpoint",
];

fn partition_not_sent(lint: &Lint<'_>, report: &mut Report<'_>) {
    for stream in lint.of_type("DeclarativeStream") {
        let Some(retriever) =
            lint.child(stream, "retriever").filter(|it| it.type_name == "SimpleRetriever")
        else {
            continue;
        };
        if own_parts(lint, stream).any(Component::is_custom) {
            continue;
        }
        for component in own_parts(lint, retriever) {
            let field = match component.type_name {
                "ParentStreamConfig" => "partition_field",
                "ListPartitionRouter" => "cursor_field",
                _ => continue,
            };
            let is_sent = component.get("request_option").is_some_and(Node::is_truthy);
            let Some(value) = component.get(field).filter(|_| !is_sent) else { continue };
            let Some(name) = value.as_str().filter(|name| !name.contains('{')) else { continue };
            let is_read = |text: &TextAt<'_>| {
                SLICE.iter().any(|slice| {
                    text.keys(slice)
                        .any(|key| key.is_none_or(|key| key == name || PARTS.contains(&key)))
                })
            };
            if !own_texts(lint, stream).any(is_read) {
                let message = format!(
                    "no request says which `{name}` it wants: the requests of all partitions are the same"
                );
                let finding = report.at(&component.path_of(field), value, message);
                report.add(finding.help(format!(
                    "use `stream_partition['{name}']` in the request, or add a `request_option`"
                )));
            }
        }
    }
}

fn unknown_key(lint: &Lint<'_>, report: &mut Report<'_>) {
    for stream in lint.of_type("DeclarativeStream") {
        let Some(keys) = keys_of(lint, stream) else { continue };
        for text in own_texts(lint, stream) {
            for slice in SLICE {
                let read = text.keys(slice).flatten();
                for key in read.filter(|key| !keys.contains(*key) && !PARTS.contains(key)) {
                    let message =
                        format!("`{slice}` has no `{key}` here: this is always undefined");
                    let finding = report.in_span(&text.path, lint.word_in(text.node, key), message);
                    let list: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                    let help = if list.is_empty() {
                        "this stream has neither a `partition_router` nor an `incremental_sync`"
                            .to_owned()
                    } else {
                        format!("its slices have {}", list.join(", "))
                    };
                    report.add(finding.help(help).suggest(key, keys.iter().map(String::as_str)));
                }
            }
        }
    }
}

/// The keys of a stream's slices; nothing if they cannot be known.
fn keys_of(lint: &Lint<'_>, stream: &Component<'_>) -> Option<BTreeSet<String>> {
    let retriever = lint.child(stream, "retriever")?;
    if lint.is_template(stream) || retriever.type_name != "SimpleRetriever" {
        return None;
    }
    let mut keys = BTreeSet::new();
    let mut add = |text: Option<&str>, default: &str| {
        let key = text.filter(|text| !text.is_empty()).unwrap_or(default);
        let is_known = !key.is_empty() && !key.contains('{');
        is_known.then(|| keys.insert(key.to_owned())).map(drop)
    };
    for part in own_parts(lint, stream) {
        match part.type_name {
            "ParentStreamConfig" => {
                add(part.text("partition_field"), "")?;
                add(None, "parent_slice")?;
            }
            "ListPartitionRouter" => add(part.text("cursor_field"), "")?,
            "UnionPartitionRouter" => add(part.text("partition_field"), "")?,
            "DatetimeBasedCursor" => {
                add(part.text("partition_field_start"), "start_time")?;
                add(part.text("partition_field_end"), "end_time")?;
            }
            "IncrementingCountCursor" | "QueryProperties" => return None,
            _ if part.is_custom() => return None,
            _ => {}
        }
    }
    Some(keys)
}

/// The components of a stream that are not those of another stream inside of it.
fn own_parts<'l, 'm>(
    lint: &'l Lint<'m>,
    stream: &'l Component<'m>,
) -> impl Iterator<Item = &'l Component<'m>> {
    let is_own = move |part: &&Component<'m>| {
        let mut around = lint.around(part).take_while(move |it| !std::ptr::eq(*it, stream));
        part.type_name != "DeclarativeStream"
            && around.all(|it| it.type_name != "DeclarativeStream")
    };
    lint.below(stream).iter().filter(is_own)
}

/// The templates of a stream that are evaluated for its slices.
fn own_texts<'l, 'm>(
    lint: &'l Lint<'m>,
    stream: &'l Component<'m>,
) -> impl Iterator<Item = &'l TextAt<'m>> {
    lint.texts_of(stream).filter(move |text| {
        let component = lint.component_of(text);
        let around = std::iter::once(component).chain(lint.around(component));
        let mut between = around.take_while(|it| !std::ptr::eq(*it, stream));
        between.all(|it| it.type_name != "DeclarativeStream" && !APART.contains(&it.type_name))
    })
}
