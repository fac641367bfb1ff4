//! Findings as an editor shows them.

use serde::Serialize;

use super::lines::{Lines, Place};
use crate::builder::edit::{Step, print_path};
use crate::engine::{check_manifest, inspect_manifest};
use crate::lint::{self, Choice, apply_fixes};
use crate::manifest::{Finding, Findings, Manifest, Node, Severity, Source, path_at};

/// All that is wrong with a manifest, and, if it runs nevertheless, what the rules find in what was
/// `written` for it.
pub fn findings_of(manifest: &Manifest, written: Option<&Node>) -> Findings {
    let mut findings = inspect_manifest(manifest);
    if !findings.has_errors() || check_manifest(manifest).0.is_some() {
        findings.extend(lint::lint(manifest, written, &Choice::default()));
    }
    findings
}

/// Whether there is a finding that matters that much.
pub fn has_at_least(findings: &Findings, severity: Severity) -> bool {
    findings.iter().any(|finding| finding.severity <= severity)
}

/// A finding as an editor shows it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedFinding {
    level: &'static str,
    code: &'static str,
    message: String,
    help: Option<String>,
    /// Where in the tree; as written if what is resolved has no such path in the text.
    path: Vec<Step>,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Fix>,
}

/// What can be done about a finding at once.
#[derive(Clone, Debug, Serialize)]
struct Fix {
    label: String,
}

/// What findings are told with.
#[derive(Debug)]
pub struct Report<'r> {
    /// The manifest.
    pub text: &'r str,
    /// Its lines.
    pub lines: &'r Lines<'r>,
    /// What was read of it.
    pub written: Option<&'r Node>,
}

impl Report<'_> {
    /// A finding as an editor shows it.
    pub fn finding(&self, finding: &Finding) -> ReportedFinding {
        let path = self.path(finding);
        let place = match (finding.span, self.written) {
            (Some(span), _) => self.lines.place(span.start as usize, span.end as usize),
            (None, Some(written)) => {
                let node = path.iter().try_fold(written, |node, step| step.of(node));
                let span = node.and_then(Node::span).unwrap_or_default();
                self.lines.place(span.start as usize, span.start as usize)
            }
            (None, None) => self.lines.place(0, 0),
        };
        let Place { line, column, end_line, end_column } = place;
        let label = || finding.help.clone().unwrap_or_else(|| "Mend this".to_owned());
        ReportedFinding {
            level: finding.severity.name(),
            code: finding.code,
            message: finding.message.clone(),
            help: finding.help.clone(),
            path,
            line,
            column,
            end_line,
            end_column,
            fix: (!finding.fix.is_empty()).then(|| Fix { label: label() }),
        }
    }

    /// The path of a finding, or else of what is written where it is.
    fn path(&self, finding: &Finding) -> Vec<Step> {
        let path = read_path(&finding.path);
        let (Some(written), Some(span)) = (self.written, finding.span) else { return path };
        let is_there = path.iter().try_fold(written, |node, step| step.of(node)).is_some();
        if is_there { path } else { read_path(&path_at(written, span.start)) }
    }
}

/// The text with one finding mended; nothing if there is no such finding, or no fix of it.
pub fn fix(text: &str, code: &str, path: &[Step]) -> Option<String> {
    let (manifest, written) = Manifest::with_written(Source::new("manifest.yaml", text));
    let report = Report { text, lines: &Lines::new(text), written: written.as_ref() };
    let findings = findings_of(&manifest, written.as_ref());
    let is_meant = |it: &&Finding| it.code == code && !it.fix.is_empty() && report.path(it) == path;
    let finding = findings.iter().find(is_meant)?.clone();
    Some(apply_fixes(text, &std::iter::once(finding).collect()).0)
}

/// Reads a path as findings print it.
fn read_path(printed: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = printed;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[\"") {
            // What stands in quotes is escaped as in Rust, which for nearly all names is as in JSON.
            let end = inner.find("\"]").unwrap_or(inner.len());
            let quoted = format!("\"{}\"", &inner[..end]);
            let name = serde_json::from_str(&quoted).unwrap_or_else(|_| inner[..end].to_owned());
            steps.push(Step::Key(name));
            rest = inner.get(end + 2..).unwrap_or_default();
        } else if let Some(inner) = rest.strip_prefix('[') {
            let (index, behind) = inner.split_once(']').unwrap_or((inner, ""));
            steps.push(index.parse().map_or_else(|_| Step::Key(index.to_owned()), Step::Index));
            rest = behind;
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Key(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    debug_assert!(print_path(&steps).len() >= printed.len() / 2);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_they_are_printed() {
        for printed in [
            "",
            "a",
            "streams[0].retriever",
            r#"a["b.c"][1].$ref"#,
            r#"["é x"]"#,
            r#"a["q\"[x]"].b"#,
        ] {
            assert_eq!(print_path(&read_path(printed)), printed);
        }
    }

    #[test]
    fn one_finding_is_mended() {
        let text = include_str!("../../../integration_tests/lint/old_urls/manifest.yaml");
        let analysis = super::super::analyze(text);
        let with_fix: Vec<_> = analysis.findings.iter().filter(|it| it.fix.is_some()).collect();
        assert!(with_fix.len() > 1);
        let first = with_fix[0];
        let mended = fix(text, first.code, &first.path).unwrap();
        let left = super::super::analyze(&mended);
        assert_eq!(left.findings.iter().filter(|it| it.fix.is_some()).count(), with_fix.len() - 1);
        assert_eq!(fix(text, "lint/nope", &first.path), None);
    }
}
