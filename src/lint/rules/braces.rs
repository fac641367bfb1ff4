//! Templates that are none, and texts that should be one.

use std::sync::LazyLock;

use regex::Regex;

use crate::lint::{Component, Lint, Report, Rule, TextAt, rule};
use crate::manifest::Node;

pub(super) const RULES: &[Rule] = &[
    rule!(
        "missing-braces",
        Warning,
        "a text looks like an expression, and is not in double braces",
        missing_braces
    ),
    rule!("unread-template", Warning, "a template in a field that is taken as it stands", unread),
];

/// Fields that are taken as they stand, by component.
const PLAIN: [(&str, &[&str]); 9] = [
    ("AddedFieldDefinition", &["path"]),
    ("DatetimeBasedCursor", &["datetime_format", "cursor_datetime_formats", "cursor_granularity"]),
    ("DeclarativeStream", &["name", "primary_key"]),
    ("HttpResponseFilter", &["error_message_contains"]),
    ("MinMaxDatetime", &["datetime_format"]),
    ("OAuthAuthenticator", &["scopes"]),
    ("RemoveFields", &["field_pointers"]),
    ("SelectiveAuthenticator", &["authenticator_selection_path"]),
    ("SessionTokenAuthenticator", &["session_token_path"]),
];

/// Conditions that mean what they say without braces.
const PLAIN_CONDITIONS: [&str; 6] = ["true", "True", "false", "False", "1", "0"];

fn missing_braces(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts().iter().filter(|it| !lint.is_template(lint.component_of(it))) {
        let source = text.template.source().trim();
        let message = if let Some(braces) = single_braces(source) {
            format!("`{braces}` is plain text: one pair of braces makes no template")
        } else if !text.template.is_literal() || source.is_empty() {
            continue;
        } else if text.field.is_condition && !PLAIN_CONDITIONS.contains(&source) {
            "this condition is plain text, and so always true".to_owned()
        } else if looks_up(text, source) {
            "this is plain text, and not the value it names".to_owned()
        } else {
            continue;
        };
        let help = format!("a template stands in double braces: `{{{{ {} }}}}`", bare(source));
        report.add(report.at(&text.path, text.node, message).help(help));
    }
}

fn bare(source: &str) -> &str {
    source.trim_matches(['{', '}', ' '])
}

/// `{ config['x'] }` where `{{ config['x'] }}` was meant.
fn single_braces(source: &str) -> Option<&str> {
    static BRACES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names = "config|parameters|record|response|stream_(?:slice|interval|partition)";
        let lookup = format!(r"\{{\s*(?:{names})\s*\[\s*'[^'{{}}]*'\s*\]\s*\}}");
        Regex::new(&format!("(?:^|[^{{])({lookup})(?:[^}}]|$)")).ok()
    });
    let found = BRACES.as_ref()?.captures(source)?;
    (!source.contains("{{") && !source.contains("{%"))
        .then(|| found.get(1))
        .flatten()
        .map(|it| it.as_str())
}

/// Whether a text without braces is a way into one of the field's variables.
fn looks_up(text: &TextAt<'_>, source: &str) -> bool {
    static PATH: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r#"^([a-z_]+)((?:\.[A-Za-z_]+|\[(?:'[^']*'|"[^"]*"|-?\d+)\])+)$"#).ok()
    });
    let Some(found) = PATH.as_ref().and_then(|path| path.captures(source)) else { return false };
    let variables = ["config", "parameters"].iter().chain(text.field.variables);
    let is_variable = variables.into_iter().any(|name| *name == &found[1]);
    // `response.next` may be the name of a header, but no cursor.
    is_variable && (found[2].contains('[') || text.field.name == "cursor_value")
}

fn unread(lint: &Lint<'_>, report: &mut Report<'_>) {
    for (type_name, fields) in PLAIN {
        for component in lint.of_type(type_name).filter(|it| !lint.is_template(it)) {
            for field in fields {
                if let Some(value) = component.get(field) {
                    note_templates(component, field, value, report);
                }
            }
        }
    }
}

fn note_templates(component: &Component<'_>, field: &str, value: &Node, report: &mut Report<'_>) {
    if value.as_str().is_some_and(|text| text.contains("{{") && text.contains("}}")) {
        let message = format!(
            "`{}.{field}` is taken as it stands: no template is evaluated here",
            component.type_name
        );
        report.add(report.at(&component.path_of(field), value, message));
    }
    for item in value.items() {
        note_templates(component, field, item, report);
    }
}
