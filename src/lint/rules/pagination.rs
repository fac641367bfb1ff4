//! Pages that are never asked for, or for ever.

use crate::lint::{Component, Lint, Report, Rule, rule};
use crate::manifest::Node;
use crate::template::Template;

pub(super) const RULES: &[Rule] = &[
    rule!("endless-pagination", Warning, "pages are read until the API fails", endless),
    rule!("page-token-not-sent", Warning, "the token of a page is sent nowhere", token_not_sent),
    rule!(
        "page-size-not-sent",
        Note,
        "pages are not asked to have the size they are expected to have",
        size_not_sent
    ),
    rule!("whole-body", Note, "a paginator looks at the records in the body", whole_body),
];

/// Words in the names of parameters that say how large a page is.
const SIZE_WORDS: [&str; 14] = [
    "limit", "size", "per_page", "perpage", "per-page", "count", "take", "top", "first", "rows",
    "max", "length", "results", "items",
];

fn endless(lint: &Lint<'_>, report: &mut Report<'_>) {
    for strategy in lint.of_type("CursorPagination") {
        let (Some(value), Some(text)) =
            (strategy.get("cursor_value"), strategy.text("cursor_value"))
        else {
            continue;
        };
        let stop = strategy.text("stop_condition").map(str::trim).filter(|text| !text.is_empty());
        let never_stops = stop.is_none_or(|text| {
            let inner = text.trim_start_matches('{').trim_end_matches('}').trim();
            ["false", "False", "0", "none", "None"].contains(&inner)
        });
        let stream = lint.enclosing(strategy, "DeclarativeStream");
        let cursor = stream.and_then(|stream| stream.get("incremental_sync"));
        let is_feed =
            cursor.and_then(|cursor| cursor.get("is_data_feed")).is_some_and(Node::is_truthy);
        if never_stops && !is_feed && !Template::parse(text).may_be_false() {
            let message = "this token is never empty, and nothing else ends the stream: pages are \
                           read until the API fails";
            let finding = report.at(&strategy.path_of("cursor_value"), value, message);
            report.add(finding.help(
                "add a `stop_condition`, or let the token come out empty after the last page",
            ));
        }
    }
}

fn token_not_sent(lint: &Lint<'_>, report: &mut Report<'_>) {
    for paginator in lint.of_type("DefaultPaginator") {
        let is_sent = paginator.node.has("page_token_option");
        let Some(requester) = requester_of(lint, paginator).filter(|_| !is_sent) else { continue };
        if is_opaque(lint, paginator) || is_opaque(lint, requester) {
            continue;
        }
        if !lint.texts_of(requester).any(|text| text.reads("next_page_token")) {
            let span = paginator.key_span("pagination_strategy").or(paginator.node.span());
            let message =
                "no request says which page it wants: the same page is read again and again";
            let finding = report.in_span(&paginator.path, span, message);
            let help = "add a `page_token_option`, or read `next_page_token['next_page_token']`";
            report.add(finding.help(help));
        }
    }
}

fn size_not_sent(lint: &Lint<'_>, report: &mut Report<'_>) {
    for strategy in lint.components().iter().filter(|it| it.field == "pagination_strategy") {
        let Some(size) = strategy.get("page_size").filter(|size| size.is_truthy()) else {
            continue;
        };
        let Some(paginator) = lint.enclosing(strategy, "DefaultPaginator") else { continue };
        let Some(requester) = requester_of(lint, paginator) else { continue };
        let is_sent = paginator.node.has("page_size_option");
        if is_sent || is_opaque(lint, paginator) || is_opaque(lint, requester) {
            continue;
        }
        let written = size.as_str().map_or_else(|| size.to_json().to_string(), str::to_owned);
        let is_used = mentions(requester, &written)
            || lint.texts_of(strategy).any(|text| text.reads("page_size"));
        if !is_used {
            let message = match strategy.type_name {
                "CursorPagination" => {
                    "`page_size` does nothing here: no request asks for pages of this size"
                        .to_owned()
                }
                _ => format!(
                    "no request asks for pages of {written}: should the API give fewer, only the \
                     first is read"
                ),
            };
            let path = strategy.path_of("page_size");
            report.add(
                report
                    .at(&path, size, message)
                    .help("add a `page_size_option`, or a request parameter"),
            );
        }
    }
}

/// Whether a requester says the size, or has a parameter that looks as if it did.
fn mentions(requester: &Component<'_>, size: &str) -> bool {
    let names = [
        "request_parameters",
        "request_body",
        "request_body_json",
        "request_body_data",
        "request_headers",
    ];
    let parts = names.iter().filter_map(|name| requester.get(name));
    let parts: String = parts.map(|part| part.to_json().to_string().to_lowercase()).collect();
    let address: String =
        ["url", "url_base", "path"].iter().filter_map(|name| requester.text(name)).collect();
    let size = size.to_lowercase();
    SIZE_WORDS.iter().any(|word| parts.contains(word))
        || parts.contains(&size)
        || address.split_once('?').is_some_and(|(_, query)| query.contains(&size))
}

/// The requester whose pages the paginator turns.
fn requester_of<'l, 'm>(
    lint: &'l Lint<'m>,
    paginator: &Component<'_>,
) -> Option<&'l Component<'m>> {
    let retriever = lint.around(paginator).next().filter(|it| it.type_name == "SimpleRetriever")?;
    let requester = lint.child(retriever, "requester")?;
    (requester.type_name == "HttpRequester").then_some(requester)
}

/// Whether Python may do what cannot be seen.
fn is_opaque(lint: &Lint<'_>, component: &Component<'_>) -> bool {
    component.is_custom() || lint.below(component).iter().any(Component::is_custom)
}

fn whole_body(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts() {
        let strategy = lint.component_of(text);
        let Some(retriever) = lint.enclosing(strategy, "SimpleRetriever") else { continue };
        if strategy.type_name != "CursorPagination" {
            continue;
        }
        let Some(records) = records_path(lint, retriever) else { continue };
        let touches = |keys: &[String]| {
            keys.len() == records.len() && keys.iter().zip(&records).all(|(key, step)| key == step)
        };
        if !records.is_empty() && text.template.reads("response").any(touches) {
            let message =
                "the records are looked at through `response`, so every page stays whole in memory";
            let finding = report.at(&text.path, text.node, message);
            report.add(
                finding.help("`last_record` is the last of them, `last_page_size` their number"),
            );
        }
    }
}

/// The keys under which the records of a page are, if they are known.
fn records_path<'m>(lint: &Lint<'m>, retriever: &Component<'_>) -> Option<Vec<&'m str>> {
    let selector = lint.child(retriever, "record_selector")?;
    let extractor =
        lint.child(selector, "extractor").filter(|it| it.type_name == "DpathExtractor")?;
    let keys = extractor.items("field_path").iter();
    keys.map(|key| key.as_str().filter(|key| !key.contains(['{', '*']))).collect()
}
