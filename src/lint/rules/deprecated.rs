//! Fields that newer ones have replaced, and how the text changes to those.

use std::ops::Range;

use crate::lint::{Component, Lint, Report, Rule, rule};
use crate::manifest::{Edit, Finding, Node, NodeValue, Span};

pub(super) const RULES: &[Rule] = &[
    rule!("deprecated-field", Note, "a field that a newer one has replaced", deprecated_field),
    rule!(
        "deprecated-component",
        Note,
        "a component that a newer one has replaced",
        deprecated_component
    ),
];

/// Components that others have replaced, and what stands for them.
const COMPONENTS: [(&str, &str); 2] = [
    ("JsonFileSchemaLoader", "an `InlineSchemaLoader` has the schema in the manifest"),
    ("LegacySessionTokenAuthenticator", "`SessionTokenAuthenticator` does the same"),
];

fn deprecated_component(lint: &Lint<'_>, report: &mut Report<'_>) {
    for (name, help) in COMPONENTS {
        for component in lint.of_type(name) {
            let place = component.get("type").unwrap_or(component.node);
            let place = if place.span().is_some() { place } else { component.node };
            let finding = report.at(&component.path, place, format!("`{name}` is deprecated"));
            report.add(finding.help(help));
        }
    }
}

fn deprecated_field(lint: &Lint<'_>, report: &mut Report<'_>) {
    for requester in lint.of_type("HttpRequester") {
        url_base(lint, requester, report);
        body(lint, requester, "request_body_json", report);
        body(lint, requester, "request_body_data", report);
        if requester.get("fetch_properties_from_endpoint").is_some() {
            let finding = found(requester, "fetch_properties_from_endpoint", report);
            report.add(finding.help("`query_properties` does the same, and more"));
        }
    }
    for authenticator in lint.of_type("ApiKeyAuthenticator") {
        let Some(header) = authenticator.get("header").filter(|it| it.is_truthy()) else {
            continue;
        };
        let finding =
            found(authenticator, "header", report).help("`inject_into` says where the key goes");
        let fix = Written::new(lint, authenticator, "header").and_then(|text| text.option(header));
        report.add(finding.fix(fix.unwrap_or_default()));
    }
}

fn found(component: &Component<'_>, field: &str, report: &Report<'_>) -> Finding {
    let message = format!("`{}.{field}` is deprecated", component.type_name);
    report.in_span(&component.path_of(field), component.key_span(field), message)
}

/// `url_base` becomes `url`; a `path` beside it becomes its end.
fn url_base(lint: &Lint<'_>, requester: &Component<'_>, report: &mut Report<'_>) {
    let Some(base) = requester.get("url_base") else { return };
    let finding = found(requester, "url_base", report)
        .help("`url` is its newer name, and can hold the path too");
    let text = Written::new(lint, requester, "url_base").filter(|_| requester.get("url").is_none());
    let joined = requester.get("path").zip(text.as_ref()).and_then(|(path, text)| {
        let end =
            Written::new(lint, requester, "path").filter(|end| end.mapping == text.mapping)?;
        let mut users =
            lint.of_type("HttpRequester").filter(|it| it.key_span("url_base") == Some(text.key));
        let is_certain =
            users.all(|it| it.key_span("path") == Some(end.key) && !brings_path(lint, it));
        is_certain.then(|| text.join(base, path, &end)).flatten()
    });
    let renamed = text.map(|text| vec![text.rename("url")]);
    report.add(finding.fix(joined.or(renamed).unwrap_or_default()));
}

/// Whether pages bring their own paths, which are joined to what stands in `url`.
fn brings_path(lint: &Lint<'_>, requester: &Component<'_>) -> bool {
    let retriever = lint.around(requester).next();
    retriever.is_some_and(|it| lint.below(it).iter().any(|part| part.type_name == "RequestPath"))
}

/// The old forms of bodies become components.
fn body(lint: &Lint<'_>, requester: &Component<'_>, field: &str, report: &mut Report<'_>) {
    // A text has no newer form that does the same.
    let Some(value) = requester.get(field).filter(|it| it.as_map().is_some()) else { return };
    let is_form = field == "request_body_data";
    let is_query = value.get("query").is_some_and(|query| query.as_str().is_some());
    let type_name = match (is_form, is_query) {
        (true, _) => "RequestBodyUrlEncodedForm",
        (false, true) => "RequestBodyGraphQL",
        (false, false) => "RequestBodyJsonObject",
    };
    let finding = found(requester, field, report)
        .help(format!("`request_body` with a `{type_name}` is its newer form"));
    let is_plain = value.fields().all(|(_, it)| it.as_str().is_some());
    let text = Written::new(lint, requester, field).filter(|_| !is_form || is_plain);
    report.add(finding.fix(text.and_then(|text| text.wrap(value, type_name)).unwrap_or_default()));
}

/// A field as it is written, where it can be changed without changing anything else.
struct Written<'t> {
    text: &'t str,
    /// The name of the field.
    key: Span,
    /// Where the mapping begins that it is written in.
    mapping: u32,
}

impl<'t> Written<'t> {
    /// Nothing for what came from parameters, or was never text.
    fn new(lint: &Lint<'t>, component: &Component<'_>, field: &str) -> Option<Self> {
        let text: &'t str = &lint.source?.text;
        let key = component.key_span(field)?;
        let parameters = component.get("$parameters").and_then(Node::as_map);
        let is_inherited = parameters
            .and_then(|it| it.get_entry(field))
            .is_some_and(|(it, _)| it.span() == Some(key));
        let written = text.get(key.start as usize..key.end as usize)?;
        let mapping = lint.mapping_of(key)?;
        (!is_inherited && written == field).then_some(Self { text, key, mapping })
    }

    fn key(&self) -> Range<usize> {
        self.key.start as usize..self.key.end as usize
    }

    fn rename(&self, name: &str) -> Edit {
        Edit { range: self.key(), text: name.to_owned() }
    }

    /// The line of the key, if nothing else stands in front of it: its start and its indentation.
    fn line(&self) -> (usize, &'t str) {
        let start = self.text[..self.key().start].rfind('\n').map_or(0, |newline| newline + 1);
        let before = &self.text[start..self.key().start];
        (start, before)
    }

    /// The value as it is written on the key's line.
    fn scalar(&self, value: &Node) -> Option<(Range<usize>, &'t str)> {
        let span = value.span()?;
        let range = span.start as usize..span.end as usize;
        let written = self.text.get(range.clone())?;
        let is_one_line = !written.contains('\n') && span.line == self.key.line;
        (is_one_line && value.as_str().is_some() && !written.starts_with(['|', '>', '&', '!', '*']))
            .then_some((range, written))
    }

    /// `url_base` and `path` as one `url`, if both are written on a line of their own.
    fn join(&self, base: &Node, path: &Node, end: &Self) -> Option<Vec<Edit>> {
        let (base_range, _) = self.scalar(base)?;
        let (path_range, _) = end.scalar(path)?;
        let (base, path) = (base.as_str()?, path.as_str()?);
        // What a template makes may be empty, or a whole URL.
        let is_plain = !base.is_empty()
            && !base.trim_end().ends_with('}')
            && !path.is_empty()
            && !path.starts_with("{{")
            && !path.contains("..")
            && !path.split('/').any(|step| step.contains(':'))
            && !base.contains('?');
        let (line_start, before) = end.line();
        if !is_plain || !before.trim().is_empty() {
            return None;
        }
        let url = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
        let after = &self.text[path_range.end..];
        let line_end = path_range.end + after.find('\n').map_or(after.len(), |newline| newline + 1);
        // A comment behind the path would be lost with its line.
        if !after[..line_end - path_range.end].trim().is_empty() {
            return None;
        }
        Some(vec![
            self.rename("url"),
            Edit { range: base_range, text: quoted(&url)? },
            Edit { range: line_start..line_end, text: String::new() },
        ])
    }

    /// `header: X` as an `inject_into`.
    fn option(&self, header: &Node) -> Option<Vec<Edit>> {
        let (range, _) = self.scalar(header)?;
        let name = quoted(header.as_str()?)?;
        let option = format!("{{type: RequestOption, inject_into: header, field_name: {name}}}");
        Some(vec![self.rename("inject_into"), Edit { range, text: option }])
    }

    /// A mapping as the `value` of a component.
    fn wrap(&self, value: &Node, type_name: &str) -> Option<Vec<Edit>> {
        let span = value.span()?;
        let (start, end) = (span.start as usize, span.end as usize);
        let written = self.text.get(start..end)?;
        if matches!(value.value(), NodeValue::Map(_)) && written.starts_with('{') {
            let option = format!("{{type: {type_name}, value: {written}}}");
            return Some(vec![
                self.rename("request_body"),
                Edit { range: start..end, text: option },
            ]);
        }
        // In block style the lines of the value move to the right, below two lines more.
        let (_, before) = self.line();
        let is_block = span.line > self.key.line && before.chars().all(|c| c == ' ' || c == '-');
        if !is_block || written.contains(['\t', '&', '|', '>']) {
            return None;
        }
        let own = " ".repeat(before.len() + 2);
        let value_start = self.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let mut edits = vec![
            self.rename("request_body"),
            Edit {
                range: value_start..value_start,
                text: format!("{own}type: {type_name}\n{own}value:\n"),
            },
        ];
        let mut at = value_start;
        for line in self.text[value_start..end].split_inclusive('\n') {
            if !line.trim().is_empty() {
                edits.push(Edit { range: at..at, text: "  ".to_owned() });
            }
            at += line.len();
        }
        Some(edits)
    }
}

/// A text as YAML writes it on one line, plain if it can be.
fn quoted(text: &str) -> Option<String> {
    let is_plain = !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || "/:.-_?=&+".contains(c))
        && text.starts_with(char::is_alphabetic)
        && !text.ends_with(':');
    if is_plain {
        return Some(text.to_owned());
    }
    if !text.contains(['"', '\\']) && !text.chars().any(char::is_control) {
        return Some(format!("\"{text}\""));
    }
    (!text.contains('\'') && !text.chars().any(char::is_control)).then(|| format!("'{text}'"))
}
