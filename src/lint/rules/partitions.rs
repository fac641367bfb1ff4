//! Partitions, and what templates know of them.

use std::collections::BTreeSet;

use crate::lint::fields::SLICE;
use crate::lint::{Component, Lint, Report, Rule, TextAt, rule};

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

fn partition_not_sent(lint: &Lint<'_>, report: &mut Report<'_>) {
    for stream in lint.of_type("DeclarativeStream") {
        let Some(retriever) =
            lint.child(stream, "retriever").filter(|it| it.type_name == "SimpleRetriever")
        else {
            continue;
        };
        if lint.own_parts(stream).any(Component::is_custom) {
            continue;
        }
        for component in lint.own_parts(retriever) {
            let field = match component.type_name {
                "ParentStreamConfig" => "partition_field",
                "ListPartitionRouter" => "cursor_field",
                _ => continue,
            };
            let is_sent = component.node.has("request_option");
            let Some(value) = component.get(field).filter(|_| !is_sent) else { continue };
            let Some(name) = value.as_str().filter(|name| !name.contains('{')) else { continue };
            let is_read = |text: &TextAt<'_>| {
                SLICE.iter().any(|slice| {
                    text.keys(slice)
                        .any(|key| key.is_none_or(|key| key == name || PARTS.contains(&key)))
                })
            };
            if !lint.own_texts(stream).any(is_read) {
                let message = format!(
                    "no request says which `{name}` it wants: those of all partitions are the same"
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
        for text in lint.own_texts(stream) {
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
    for part in lint.own_parts(stream) {
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
