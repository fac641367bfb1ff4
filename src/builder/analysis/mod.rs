//! What can be said of a manifest's text while it is written: findings, its outline, places, and
//! what may come next.

mod complete;
mod cursor;
mod findings;
mod hover;
mod inputs;
mod lines;
mod outline;
mod shapes;
mod shared;
mod vocabulary;

use serde::Serialize;

use super::edit::{Document, EditError, Step};
use crate::manifest::{Key, Manifest, Node, Source};
use crate::value::Json;

pub use complete::{Completion, complete};
pub use findings::{Report, ReportedFinding, findings_of, fix, has_at_least};
pub use hover::{Hover, hover};
pub use inputs::{MASK, secret_paths};
pub use lines::{Lines, Place};
pub use outline::Outline;

/// All that a form needs to know of a manifest.
#[derive(Debug, Serialize)]
pub struct Analysis {
    /// What is wrong with it.
    pub findings: Vec<ReportedFinding>,
    /// What is written, with nothing resolved; null if it is no YAML.
    pub document: Option<Json>,
    /// What it has, with references resolved.
    pub outline: Outline,
    /// The paths of the values that are written elsewhere: by `$ref`, by an alias, by `<<`.
    pub shared: Vec<Vec<Step>>,
}

/// Analyses the text of a manifest.
pub fn analyze(text: &str) -> Analysis {
    let (manifest, written) = Manifest::with_written(Source::new("manifest.yaml", text));
    let findings = findings_of(&manifest, written.as_ref());
    let report = Report { text, lines: &Lines::new(text), written: written.as_ref() };
    Analysis {
        findings: findings.sorted().into_iter().map(|it| report.finding(it)).collect(),
        outline: Outline::of(&manifest.root),
        shared: written.as_ref().map(shared::shared).unwrap_or_default(),
        document: written.as_ref().map(Node::to_json),
    }
}

/// Where a value and its key are written.
#[derive(Debug, Serialize)]
pub struct Location {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    /// Where its key is, if it is a field.
    key: Option<Place>,
}

/// Finds a value; one that is written elsewhere is where it is written.
pub fn locate(text: &str, path: &[Step]) -> Result<Option<Location>, EditError> {
    let document = Document::read(text)?;
    let Some(span) = document.value_at(path).and_then(Node::span) else { return Ok(None) };
    let lines = Lines::new(text);
    let key = path.split_last().and_then(|(last, holder)| {
        let Step::Key(name) = last else { return None };
        let (key, _) = document.value_at(holder)?.as_map()?.get_entry(name)?;
        Key::span(key)
    });
    let place = |span: crate::manifest::Span| lines.place(span.start as usize, span.end as usize);
    let Place { line, column, end_line, end_column } = place(span);
    Ok(Some(Location { line, column, end_line, end_column, key: key.map(place) }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "\
streams:
  - $ref: '#/definitions/é'
  - {type: StateDelegatingStream, name: both}
definitions:
  é: &e
    type: DeclarativeStream
    name: 'é𝄞'
    retriever: {requester: {type: HttpRequester, url: https://x.com}, record_selector: '#/definitions/s'}
  s: {extractor: {field_path: []}}
  t: *e
  u: {<<: *e, name: u}
spec:
  connection_specification:
    properties:
      key: {type: string, airbyte_secret: true, title: Key, order: 1}
      start: {type: ['null', string]}
    required: [key]
";

    #[test]
    fn a_manifest_is_outlined() {
        let analysis = serde_json::to_value(analyze(TEXT)).unwrap();
        let expect = json!({
            "streams": [
                {"name": "é𝄞", "index": 0, "kind": "declarative", "path": ["streams", 0], "retriever": "SimpleRetriever"},
                {"name": "both", "index": 1, "kind": "state_delegating", "path": ["streams", 1], "retriever": null},
            ],
            "dynamic_streams": [],
            "inputs": [
                {"name": "key", "path": ["spec", "connection_specification", "properties", "key"],
                 "type": "string", "secret": true, "required": true, "title": "Key", "order": 1},
                {"name": "start", "path": ["spec", "connection_specification", "properties", "start"],
                 "type": "string", "secret": false, "required": false, "title": null, "order": null},
            ],
            "base_url": "https://x.com",
        });
        assert_eq!(analysis["outline"], expect);
        let expect = json!([
            ["streams", 0],
            ["definitions", "é", "retriever", "record_selector"],
            ["definitions", "t"],
            ["definitions", "u", "type"],
            ["definitions", "u", "retriever"],
        ]);
        assert_eq!(analysis["shared"], expect);
        assert_eq!(analysis["document"]["streams"][0], json!({"$ref": "#/definitions/é"}));
        let codes: Vec<_> = analysis["findings"].as_array().unwrap().iter().collect();
        assert!(
            codes.iter().any(|it| it["level"] == "error" && it["path"] == json!(["streams", 1]))
        );
    }

    #[test]
    fn what_is_no_yaml_is_a_finding_with_a_place() {
        let analysis = serde_json::to_value(analyze("a: '𝄞' b\n")).unwrap();
        assert_eq!(analysis["document"], Json::Null);
        let finding = &analysis["findings"][0];
        assert_eq!((&finding["line"], &finding["column"]), (&json!(1), &json!(9)));
        assert_eq!(finding["level"], "error");
    }

    #[test]
    fn values_are_located() {
        let at = |path: Vec<Step>| serde_json::to_value(locate(TEXT, &path).unwrap()).unwrap();
        let key = |name: &str| Step::Key(name.to_owned());
        let found = at(vec![key("definitions"), key("é"), key("name")]);
        let expect = json!({
            "line": 7, "column": 11, "end_line": 7, "end_column": 16,
            "key": {"line": 7, "column": 5, "end_line": 7, "end_column": 9},
        });
        assert_eq!(found, expect);
        assert_eq!(at(vec![key("streams"), Step::Index(1)])["key"], Json::Null);
        assert_eq!(at(vec![key("nope")]), Json::Null);
    }
}
