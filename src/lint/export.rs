//! Findings for programs: as JSON, and as SARIF 2.1.0 for code scanners.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Rule, rules};
use crate::manifest::{Finding, Findings, Source};
use crate::value::Json;

/// What URLs of files keep as it is.
const IN_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_').remove(b'~');

/// The findings of one file.
#[derive(Debug)]
pub struct Checked {
    /// What was looked at; its name is a path, best a relative one.
    pub source: Source,
    /// What was found.
    pub findings: Findings,
}

/// The findings as a list of objects.
pub fn to_json(files: &[Checked]) -> Json {
    let of_file = |file: &Checked| -> Vec<_> {
        let findings = file.findings.iter();
        findings
            .map(|finding| {
                json!({
                    "file": file.source.name,
                    "code": finding.code,
                    "severity": finding.severity.name(),
                    "message": finding.message,
                    "help": finding.help,
                    "path": finding.path,
                    "region": region_of(finding, &file.source.text),
                    "is_fixable": !finding.fix.is_empty(),
                })
            })
            .collect()
    };
    files.iter().flat_map(of_file).collect()
}

/// The findings as a SARIF log of one run, with what is known of every rule.
pub fn to_sarif(files: &[Checked]) -> Json {
    let rules: Vec<_> = rules::all().map(describe).collect();
    let results: Vec<_> = files
        .iter()
        .flat_map(|file| file.findings.iter().map(|finding| result(finding, &file.source)))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn describe(rule: &Rule) -> Json {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": rule.severity.name()},
    })
}

fn result(finding: &Finding, source: &Source) -> Json {
    let artifact = json!({"uri": uri(&source.name)});
    let text = match &finding.help {
        Some(help) => format!("{}. Help: {help}.", finding.message),
        None => format!("{}.", finding.message),
    };
    let location = |region: Json| {
        let mut place = json!({"artifactLocation": artifact});
        if !region.is_null() {
            place["region"] = region;
        }
        json!({"physicalLocation": place})
    };
    let mut first = location(region_of(finding, &source.text));
    if !finding.path.is_empty() {
        first["logicalLocations"] = json!([{"fullyQualifiedName": finding.path}]);
    }
    let mut result = json!({
        "ruleId": finding.code,
        "level": finding.severity.name(),
        "message": {"text": text},
        "locations": [first],
    });
    if let Some(index) = rules::all().position(|rule| rule.code == finding.code) {
        result["ruleIndex"] = index.into();
    }
    let related = finding.related.iter().map(|(span, label)| {
        let mut place = location(region(&source.text, span.start as usize..span.end as usize));
        place["message"] = json!({"text": label});
        place
    });
    if !finding.related.is_empty() {
        result["relatedLocations"] = related.collect();
    }
    if !finding.fix.is_empty() {
        let replacements: Vec<_> = finding
            .fix
            .iter()
            .map(|edit| {
                json!({
                    "deletedRegion": region(&source.text, edit.range.clone()),
                    "insertedContent": {"text": edit.text},
                })
            })
            .collect();
        result["fixes"] = json!([{
            "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
        }]);
    }
    result
}

fn region_of(finding: &Finding, text: &str) -> Json {
    finding.span.map_or(Json::Null, |span| region(text, span.start as usize..span.end as usize))
}

/// Lines and columns from 1, columns in characters; the end is behind the last character.
fn region(text: &str, range: Range<usize>) -> Json {
    let place = |offset: usize| {
        let before = &text[..text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    };
    let ((start_line, start_column), (end_line, end_column)) =
        (place(range.start), place(range.end));
    json!({
        "startLine": start_line,
        "startColumn": start_column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// A path as a URI reference; it stays relative if it is.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let encoded = utf8_percent_encode(path, IN_PATH).to_string();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_count_characters() {
        let expect = json!({"startLine": 2, "startColumn": 2, "endLine": 3, "endColumn": 1});
        assert_eq!(region("a\néb\nc", 4..6), expect);
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("./a b/m.yaml"), "a%20b/m.yaml");
        assert_eq!(uri("/x/m.yaml"), "file:///x/m.yaml");
    }
}
