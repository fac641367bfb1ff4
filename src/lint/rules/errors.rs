//! What is done about responses, and what never is.

use std::collections::HashSet;

use crate::lint::{Lint, Report, Rule, rule};
use crate::manifest::Node;
use crate::template::regex::Pattern;
use crate::template::{Template, UseKind};

pub(super) const RULES: &[Rule] = &[
    rule!(
        "unreachable-filter",
        Warning,
        "a response filter comes after others that take all of its responses",
        unreachable
    ),
    rule!(
        "filter-without-condition",
        Warning,
        "a response filter that no response fits",
        no_condition
    ),
    rule!(
        "hopeless-retry",
        Warning,
        "a request is repeated that the API called wrong",
        hopeless_retry
    ),
    rule!("bad-regex", Error, "a regular expression cannot be read", bad_regex),
];

/// What makes a response filter fit.
const CONDITIONS: [&str; 3] = ["http_codes", "predicate", "error_message_contains"];

/// Statuses that say that the request itself is wrong, so that repeating it changes nothing.
const HOPELESS: [i64; 5] = [400, 404, 405, 410, 422];

/// Fields that hold a regular expression, by component.
const PATTERNS: [(&str, &str); 3] = [
    ("WaitTimeFromHeader", "regex"),
    ("WaitUntilTimeFromHeader", "regex"),
    ("HttpRequestRegexMatcher", "url_path_pattern"),
];

fn statuses(filter: &Node) -> impl Iterator<Item = i64> {
    let items = filter.get("http_codes").and_then(Node::as_seq).unwrap_or_default();
    items.iter().filter_map(Node::as_i64)
}

fn unreachable(lint: &Lint<'_>, report: &mut Report<'_>) {
    for handler in lint.of_type("DefaultErrorHandler") {
        let mut taken = HashSet::new();
        for (idx, filter) in handler.items("response_filters").iter().enumerate() {
            let is_only_statuses = filter.has("http_codes")
                && !filter.has("predicate")
                && !filter.has("error_message_contains");
            if is_only_statuses && statuses(filter).all(|status| taken.contains(&status)) {
                let path = format!("{}[{idx}].http_codes", handler.path_of("response_filters"));
                let message = "the filters before this one take all of these statuses";
                let finding = report.at(&path, filter.get("http_codes").unwrap_or(filter), message);
                report.add(finding.help("filters are asked in turn: the first that fits decides"));
            }
            if filter.has("action") {
                taken.extend(statuses(filter));
            }
        }
    }
}

fn no_condition(lint: &Lint<'_>, report: &mut Report<'_>) {
    for filter in lint.of_type("HttpResponseFilter").filter(|it| !lint.is_template(it)) {
        if !CONDITIONS.iter().any(|field| filter.node.has(field)) {
            let message = "no response fits this filter: it has no condition";
            let finding =
                report.at(&filter.path, filter.get("action").unwrap_or(filter.node), message);
            let help = "add `http_codes`, a `predicate`, or `error_message_contains`";
            report.add(finding.help(help));
        }
    }
}

fn hopeless_retry(lint: &Lint<'_>, report: &mut Report<'_>) {
    for filter in lint.of_type("HttpResponseFilter") {
        if !matches!(filter.text("action"), Some("RETRY" | "RATE_LIMITED")) {
            continue;
        }
        for status in filter.items("http_codes") {
            if let Some(code) = status.as_i64().filter(|code| HOPELESS.contains(code)) {
                let message = format!(
                    "{code} mostly says that the request is wrong: repeating it delays the \
                     failure, and mends nothing"
                );
                let finding = report.at(&filter.path_of("http_codes"), status, message);
                let help = "if some of these responses do pass, tell them apart by a `predicate`";
                report.add(finding.help(help));
            }
        }
    }
}

fn bad_regex(lint: &Lint<'_>, report: &mut Report<'_>) {
    for (type_name, field) in PATTERNS {
        for component in lint.of_type(type_name) {
            let Some(value) = component.get(field) else { continue };
            let text = value.as_str().filter(|text| Template::parse(text).is_literal());
            if let Some(Err(err)) = text.map(Pattern::new) {
                report.add(report.at(&component.path_of(field), value, no_regex(&err.to_string())));
            }
        }
    }
    for text in lint.texts() {
        let uses = text.template.uses().into_iter();
        let is_search = |name: &str| ["regex_search", "regex_replace"].contains(&name);
        for filter in uses.filter(|it| it.kind == UseKind::Filter && is_search(&it.name)) {
            let pattern = filter.texts.first().and_then(Option::as_ref);
            if let Some(Err(err)) = pattern.map(|pattern| Pattern::new(pattern)) {
                let span = lint.word_in(text.node, &filter.name);
                report.add(report.in_span(&text.path, span, no_regex(&err.to_string())));
            }
        }
    }
}

fn no_regex(reason: &str) -> String {
    format!("this regular expression cannot be read: {reason}")
}
