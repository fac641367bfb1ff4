//! Secrets where others can see them.

use super::config::{declarations_at, is_secret};
use crate::lint::{Lint, Report, Rule, rule};
use crate::manifest::Node;
use crate::template::Template;

pub(super) const RULES: &[Rule] = &[
    rule!("plain-http", Warning, "a URL without encryption", plain_http),
    rule!("literal-secret", Warning, "a secret is written into the manifest", literal_secret),
    rule!("secret-in-url", Note, "a secret of the config is a part of the URL", secret_in_url),
];

/// Fields that hold the beginning of a URL.
const URLS: [&str; 3] = ["url", "url_base", "token_refresh_endpoint"];

/// Parts of the names of headers, parameters, and config fields that hold a secret.
const SECRET_NAMES: [&str; 7] =
    ["authorization", "api-key", "api_key", "apikey", "token", "secret", "password"];

/// Whether something is named as a secret.
fn is_named_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_NAMES.iter().any(|word| name.contains(word)) && !name.ends_with("id")
}

fn plain_http(lint: &Lint<'_>, report: &mut Report<'_>) {
    for text in lint.texts().iter().filter(|text| URLS.contains(&text.field.name)) {
        let Some(rest) = text.template.source().trim_start().strip_prefix("http://") else {
            continue;
        };
        let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
        // Names without a dot are names of a private network.
        if host.contains('.') && !host.starts_with("127.") {
            let message = "this URL has no encryption: others can read what is sent, keys included";
            report.add(report.at(&text.path, text.node, message).help("write `https://`"));
        }
    }
}

fn literal_secret(lint: &Lint<'_>, report: &mut Report<'_>) {
    let mut add = |path: &str, node: &Node| {
        let message = "a secret stands in the manifest, where everyone can read it";
        let finding = report.at(path, node, message);
        report
            .add(finding.help("declare a config field with `airbyte_secret: true`, and read that"));
    };
    for text in lint.texts().iter().filter(|text| is_secret(lint, text)) {
        if looks_secret(text.template.source()) {
            add(&text.path, text.node);
        }
    }
    for requester in lint.of_type("HttpRequester") {
        for field in ["request_headers", "request_parameters"] {
            let Some(map) = requester.get(field).and_then(Node::as_map) else { continue };
            for (key, value) in map.iter() {
                let name = key.name();
                if is_named_secret(&name) && value.as_str().is_some_and(looks_secret) {
                    add(&format!("{}.{name}", requester.path_of(field)), value);
                }
            }
        }
    }
}

/// Whether a text looks like a key: long, without blanks but for a scheme, of letters and digits.
fn looks_secret(text: &str) -> bool {
    let key = text.rsplit(' ').next().unwrap_or_default();
    let has = |kind: fn(&char) -> bool| key.chars().filter(kind).count();
    let (letters, digits) = (has(char::is_ascii_alphabetic), has(char::is_ascii_digit));
    !text.contains(['{', '<', '*']) && key.len() >= 16 && letters >= 4 && digits >= 3
}

fn secret_in_url(lint: &Lint<'_>, report: &mut Report<'_>) {
    let Some(schema) = lint.root.get("spec").and_then(|it| it.get("connection_specification"))
    else {
        return;
    };
    for text in
        lint.texts().iter().filter(|text| ["url", "url_base", "path"].contains(&text.field.name))
    {
        // What is only asked about does not become a part of it.
        let printed =
            text.template.source().split("{{").skip(1).filter_map(|part| part.split_once("}}"));
        let printed: Vec<_> =
            printed.map(|(expr, _)| Template::parse(&format!("{{{{{expr}}}}}"))).collect();
        let paths = printed.iter().filter(|it| it.is_path()).flat_map(|it| it.reads("config"));
        let secret = paths
            .filter(|path| path.last().is_some_and(|name| is_named_secret(name)))
            .find(|path| {
                let declared = declarations_at(schema, path);
                declared.iter().any(|(_, it)| it.has("airbyte_secret"))
            });
        if let Some(name) = secret.and_then(<[String]>::last) {
            let message = format!(
                "the secret `{name}` becomes a part of the URL, which servers and proxies log"
            );
            let finding = report.in_span(&text.path, lint.word_in(text.node, name), message);
            report.add(finding.help("use a header, if the API takes one"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: bool) {
        assert_eq!(looks_secret(text), expect, "{text}");
    }

    #[test]
    fn keys_are_told_from_other_texts() {
        check("Bearer 8f14e45fceea167a5a36dedd4bea2543", true);
        check("not_a_real_key_51H8xYz012345", true);
        check("Bearer {{ config['api_key_12345'] }}", false);
        check("application/json", false);
        check("api_token", false);
        check("2021-07-28", false);
    }
}
