//! Names in templates that mean nothing where they stand.

use crate::lint::{Lint, Report, Rule, TextAt, rule};
use crate::template::{Use, UseKind};

pub(super) const RULES: &[Rule] = &[
    rule!("unset-variable", Error, "a template reads a variable that its field never has", unset),
    rule!("stream-state", Error, "a template reads `stream_state`, which is refused", stream_state),
    rule!(
        "unknown-function",
        Error,
        "a template names a filter, test, or function that does not exist",
        unknown_function
    ),
    rule!(
        "config-in-predicate",
        Warning,
        "a predicate reads the config, which is nothing there",
        config_in_predicate
    ),
    rule!(
        "page-token-key",
        Warning,
        "a template looks for a page token under a key it is never under",
        page_token_key
    ),
];

/// Functions of Python that authors expect, and what stands for them in templates.
const PYTHON: [(&str, &str); 11] = [
    ("len", "`value | length`"),
    ("str", "`value | string`"),
    ("int", "`value | int`"),
    ("float", "`value | float`"),
    ("abs", "`value | abs`"),
    ("round", "`value | round`"),
    ("sum", "`value | sum`"),
    ("sorted", "`value | sort`"),
    ("list", "`value | list`"),
    ("any", "`value | select | first`"),
    ("range", "a literal list"),
];

fn unset(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts() {
        let calls: Vec<_> = text.template.uses().into_iter().filter(is_function).collect();
        for name in text.template.variables() {
            let is_called = calls.iter().any(|call| call.name == *name);
            if name == "stream_state" || is_called || is_set(lint, text, name) {
                continue;
            }
            let component = lint.component_of(text);
            let owner = format!("{}.{}", component.type_name, text.field.name);
            let message = format!("`{name}` is never set in `{owner}`: evaluating it fails");
            let known = known(lint, text);
            let finding = report.in_span(&text.path, lint.word_in(text.node, name), message);
            let list: Vec<_> = known.iter().map(|it| format!("`{it}`")).collect();
            let help = format!("this field has {}", list.join(", "));
            report.add(finding.help(help).suggest(name, known));
        }
    }
}

fn is_function(used: &Use) -> bool {
    used.kind == UseKind::Function
}

fn known(lint: &Lint<'_>, text: &TextAt<'_>) -> Vec<&'static str> {
    let of_config = lint.enclosing(lint.component_of(text), "ConfigAddFields").is_some();
    let variables = if of_config { &[] } else { text.field.variables };
    ["config", "parameters"].into_iter().chain(variables.iter().copied()).collect()
}

fn is_set(lint: &Lint<'_>, text: &TextAt<'_>, name: &str) -> bool {
    let component = lint.component_of(text);
    if known(lint, text).contains(&name) {
        return true;
    }
    if lint.is_template(component)
        && ["components_values", "stream_template_config"].contains(&name)
    {
        return true;
    }
    // What is carried along from a parent's record is a variable of every request.
    let stream = lint.enclosing(component, "DeclarativeStream");
    let parents = stream.into_iter().flat_map(|stream| lint.below(stream));
    let mut extra = parents.flat_map(|parent| parent.items("extra_fields"));
    text.field.variables.contains(&"next_page_token")
        && extra.any(|path| {
            path.as_seq().is_some_and(|path| path.iter().any(|it| it.as_str() == Some(name)))
        })
}

fn stream_state(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts().iter().filter(|text| text.template.source().contains("stream_state")) {
        let message = "`stream_state` is refused: the stream fails where this is evaluated";
        let span = lint.word_in(text.node, "stream_state");
        let finding = report.in_span(&text.path, span, message);
        report.add(finding.help("`stream_interval['start_time']` says from where on to read"));
    }
}

fn unknown_function(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts() {
        let variables = text.template.variables();
        for used in text.template.uses().into_iter().filter(|used| !used.is_known) {
            let is_variable = !variables.contains(&used.name) || is_set(lint, text, &used.name);
            if is_function(&used) && is_variable {
                continue;
            }
            let message =
                format!("there is no {} `{}`: evaluating it fails", used.kind.word(), used.name);
            let span = lint.word_in(text.node, &used.name);
            let finding = report.in_span(&text.path, span, message);
            let python = PYTHON.iter().find(|(name, _)| *name == used.name);
            report.add(match python.filter(|_| is_function(&used)) {
                Some((_, instead)) => finding.help(format!("templates have {instead}")),
                None => finding,
            });
        }
    }
}

fn config_in_predicate(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts().iter().filter(|text| text.field.name == "predicate") {
        if text.reads("config") {
            let message = "a predicate has no config: what it reads of it is undefined";
            let finding = report.in_span(&text.path, lint.word_in(text.node, "config"), message);
            report.add(finding.help("a predicate sees `response`, `headers`, and `request_url`"));
        }
    }
}

fn page_token_key(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts() {
        let keys = text.keys("next_page_token").flatten();
        for key in keys.filter(|key| *key != "next_page_token") {
            let message = format!("`next_page_token` has no `{key}`: this is always undefined");
            let finding = report.in_span(&text.path, lint.word_in(text.node, key), message);
            report.add(finding.help("the token is `next_page_token['next_page_token']`"));
        }
    }
}
