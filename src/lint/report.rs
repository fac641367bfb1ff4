//! The findings of one rule.

use std::collections::HashSet;

use super::Rule;
use crate::manifest::{Finding, Node, Span};

/// Collects what one rule finds, one finding for each place.
#[derive(Debug)]
pub struct Report<'r> {
    rule: &'r Rule,
    findings: Vec<Finding>,
    places: HashSet<(Option<Span>, String)>,
}

impl<'r> Report<'r> {
    pub(super) fn new(rule: &'r Rule) -> Self {
        Self { rule, findings: Vec::new(), places: HashSet::new() }
    }

    /// A finding at a value; it counts once it is [added](Self::add).
    pub fn at(&self, path: &str, node: &Node, message: impl Into<String>) -> Finding {
        self.in_span(path, node.span(), message)
    }

    /// A finding in a part of the text.
    pub fn in_span(&self, path: &str, span: Option<Span>, message: impl Into<String>) -> Finding {
        let mut finding = Finding::warning(self.rule.code, message).at_span(span);
        finding.severity = self.rule.severity;
        path.clone_into(&mut finding.path);
        finding
    }

    /// Keeps a finding, unless there is one for its place already: references lead many ways to
    /// one place.
    pub fn add(&mut self, finding: Finding) {
        let path = if finding.span.is_none() { finding.path.clone() } else { String::new() };
        if self.places.insert((finding.span, path)) {
            self.findings.push(finding);
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
