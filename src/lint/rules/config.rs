//! What the manifest reads of its config, against what its spec declares.

use std::collections::HashSet;

use crate::lint::{Component, Lint, Report, Rule, TextAt, rule};
use crate::manifest::{Key, Node};

pub(super) const RULES: &[Rule] = &[
    rule!(
        "undeclared-config",
        Warning,
        "a template reads a config field that the spec does not declare",
        undeclared
    ),
    rule!("unused-config", Warning, "the spec asks for a config field that nothing reads", unused),
    rule!(
        "secret-not-marked",
        Warning,
        "a config field is a secret, and not marked as one",
        secret_not_marked
    ),
];

/// Keywords that declare fields besides `properties`.
const CHOICES: [&str; 3] = ["oneOf", "anyOf", "allOf"];

/// Fields of authenticators that hold a secret.
const SECRETS: [(&str, &[&str]); 6] = [
    ("ApiKeyAuthenticator", &["api_token"]),
    ("BasicHttpAuthenticator", &["password"]),
    ("BearerAuthenticator", &["api_token"]),
    ("JwtAuthenticator", &["secret_key", "passphrase"]),
    ("LegacySessionTokenAuthenticator", &["password", "session_token"]),
    ("OAuthAuthenticator", &["client_secret", "refresh_token", "access_token_value"]),
];

/// The name of a field that connectors of the catalogue read where they want nothing.
const NOTHING: &str = "nothing";

fn specification<'m>(lint: &Lint<'m>) -> Option<&'m Node> {
    lint.root.get("spec")?.get("connection_specification")
}

/// The declarations of a field at the top of an object's schema, or in one of its variants.
pub(super) fn declarations<'m>(schema: &'m Node, field: &str) -> Vec<(&'m Key, &'m Node)> {
    let own = schema.get("properties").and_then(Node::as_map).and_then(|it| it.get_entry(field));
    let variants = CHOICES.iter().filter_map(|word| schema.get(word)?.as_seq()).flatten();
    own.into_iter().chain(variants.flat_map(|variant| declarations(variant, field))).collect()
}

/// The declarations of the field that a path leads to.
pub(super) fn declarations_at<'m>(schema: &'m Node, path: &[String]) -> Vec<(&'m Key, &'m Node)> {
    match path {
        [] => Vec::new(),
        [field] => declarations(schema, field),
        [field, rest @ ..] => {
            let found = declarations(schema, field).into_iter();
            found.flat_map(|(_, schema)| declarations_at(schema, rest)).collect()
        }
    }
}

fn undeclared(lint: &Lint<'_>, report: &mut Report<'_>) {
    let Some(schema) = specification(lint).filter(|it| it.get("properties").is_some()) else {
        return;
    };
    let made = made_by_rules(lint);
    let properties = schema.get("properties").into_iter().flat_map(Node::fields);
    let names: Vec<_> = properties.filter_map(|(key, _)| key.as_str()).collect();
    let is_open = schema.get("patternProperties").is_some() || schema.get("$ref").is_some();
    for text in lint.texts().iter().filter(|_| !is_open) {
        for key in text.keys("config").flatten() {
            let is_known = !declarations(schema, key).is_empty()
                || made.contains(key)
                || key.starts_with("__")
                || key == NOTHING;
            if is_known || is_guarded(text, key) {
                continue;
            }
            let message = format!("the spec does not declare `{key}`: no config has it");
            let finding = report.in_span(&text.path, lint.word_in(text.node, key), message);
            report.add(finding.suggest(key, names.iter().copied()));
        }
    }
}

/// Whether a template says itself what holds without the field.
fn is_guarded(text: &TextAt<'_>, key: &str) -> bool {
    let source = text.template.source();
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    quoted.iter().any(|key| {
        let asks =
            [format!(".get({key}"), format!("{key} in config"), format!("{key} not in config")];
        asks.iter().any(|ask| source.contains(ask))
    }) || ["is defined", "is not defined", "default("].iter().any(|word| source.contains(word))
}

/// Names of fields that the manifest itself, or the platform, puts into the config.
fn made_by_rules<'m>(lint: &Lint<'m>) -> HashSet<&'m str> {
    let mut made = HashSet::new();
    if let Some(spec) = lint.root.get("spec") {
        for field in ["advanced_auth", "config_normalization_rules"] {
            spec.get(field).into_iter().for_each(|node| note_texts(node, &mut made));
        }
    }
    for oauth in lint.of_type("OAuthAuthenticator") {
        if let Some(updater) = oauth.get("refresh_token_updater") {
            made.insert("credentials");
            note_texts(updater, &mut made);
        }
    }
    made
}

/// All texts of a value, keys included.
fn note_texts<'m>(node: &'m Node, texts: &mut HashSet<&'m str>) {
    texts.extend(node.as_str());
    node.items().iter().for_each(|item| note_texts(item, texts));
    for (key, value) in node.fields() {
        texts.extend(key.as_str());
        note_texts(value, texts);
    }
}

fn unused(lint: &Lint<'_>, report: &mut Report<'_>) {
    let (Some(schema), Some(source)) = (specification(lint), lint.source) else { return };
    let (Some(span), Some(properties)) =
        (schema.span(), schema.get("properties").and_then(Node::as_map))
    else {
        return;
    };
    // Python sees all of the config, and so does a template that takes it whole.
    let takes_all = lint.texts().iter().any(|text| text.keys("config").any(|key| key.is_none()));
    if takes_all || lint.components().iter().any(Component::is_custom) {
        return;
    }
    let text = &*source.text;
    let (before, after) = (&text[..span.start as usize], &text[span.end as usize..]);
    for (key, schema) in properties.iter() {
        let is_fixed = ["airbyte_hidden", "const"].iter().any(|word| schema.get(word).is_some());
        if is_fixed {
            continue;
        }
        let Some(name) =
            key.as_str().filter(|name| !has_word(before, name) && !has_word(after, name))
        else {
            continue;
        };
        let path = format!("spec.connection_specification.properties.{name}");
        let message = format!("users are asked for `{name}`, and nothing reads it");
        report.add(report.in_span(&path, key.span(), message));
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(is_part) && !text[start + word.len()..].starts_with(is_part)
    })
}

fn secret_not_marked(lint: &Lint<'_>, report: &mut Report<'_>) {
    let Some(schema) = specification(lint) else { return };
    for text in lint.texts().iter().filter(|text| is_secret(lint, text)) {
        let reads: Vec<_> = text.template.reads("config").filter(|path| !path.is_empty()).collect();
        // Of several fields some are no secrets, and nobody knows which.
        let [path] = reads.as_slice() else { continue };
        let declared = declarations_at(schema, path);
        let is_marked = declared.iter().any(|(_, it)| it.has("airbyte_secret"));
        let is_fixed = declared.iter().any(|(_, it)| it.get("const").is_some());
        let Some((key, _)) = declared.first().filter(|_| !is_marked && !is_fixed) else { continue };
        let name = key.name();
        let owner = lint.component_of(text).type_name;
        let message = format!(
            "`{name}` is the `{}` of a `{owner}`, and shown in the open: nothing marks it as a \
             secret",
            text.field.name
        );
        let at = format!("spec.connection_specification.properties.{}", path.join(".properties."));
        let finding = report.in_span(&at, key.span(), message);
        report
            .add(finding.help("add `airbyte_secret: true`").relate(text.node.span(), "used here"));
    }
}

/// Whether a template makes a secret.
pub(super) fn is_secret(lint: &Lint<'_>, text: &TextAt<'_>) -> bool {
    let component = lint.component_of(text);
    SECRETS
        .iter()
        .any(|(name, fields)| *name == component.type_name && fields.contains(&text.field.name))
}
