//! What is wrong with a manifest, where, and what to do about it.

use std::collections::HashSet;
use std::ops::Range;

use super::node::{Node, Span};
use super::path::{Path, path_at};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The manifest cannot run.
    Error,
    /// It runs, but probably not as was meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word that findings are printed with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A change of the manifest's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that are replaced.
    pub range: Range<usize>,
    /// What takes their place.
    pub text: String,
}

/// One fault of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of fault, as `room/fault`: `yaml/syntax`, `reference/undefined`.
    pub code: &'static str,
    pub severity: Severity,
    /// A sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where in the manifest's tree: `streams[0].retriever.requester`; empty for the whole.
    pub path: String,
    /// Where in the manifest's text; nothing for manifests that never were text.
    pub span: Option<Span>,
    /// Other places that take part, each with what it has to do with the fault.
    pub related: Vec<(Span, String)>,
    /// What changes of the text mend it, where that is certain.
    pub fix: Vec<Edit>,
}

impl Finding {
    /// Something that keeps the manifest from running.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message.into())
    }

    /// Something that probably was not meant.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message.into())
    }

    /// Something worth knowing.
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message.into())
    }

    fn new(code: &'static str, severity: Severity, message: String) -> Self {
        let (help, path, span) = (None, String::new(), None);
        Self { code, severity, message, help, path, span, related: Vec::new(), fix: Vec::new() }
    }

    /// Says where in the tree, and in the text, by the value found there.
    #[must_use]
    pub fn at(self, path: &Path<'_>, node: &Node) -> Self {
        self.at_path(path).at_span(node.span())
    }

    /// Says where in the tree.
    #[must_use]
    pub fn at_path(mut self, path: &Path<'_>) -> Self {
        self.path = path.to_string();
        self
    }

    /// Says where in the text.
    #[must_use]
    pub fn at_span(mut self, span: Option<Span>) -> Self {
        self.span = span;
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Proposes the candidate that looks like `word`, if one does.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match did_you_mean(word, candidates) {
            Some(candidate) => self.help(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }

    /// Says how the text mends it.
    #[must_use]
    pub fn fix(mut self, edits: Vec<Edit>) -> Self {
        self.fix = edits;
        self
    }

    /// Points to another place that takes part, if it has one.
    #[must_use]
    pub fn relate(mut self, span: Option<Span>, label: impl Into<String>) -> Self {
        self.related.extend(span.map(|span| (span, label.into())));
        self
    }
}

/// All findings so far, in the order in which they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a finding.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Whether something keeps the manifest from running.
    pub fn has_errors(&self) -> bool {
        self.first_error().is_some()
    }

    /// The error that the reference would stop at.
    pub fn first_error(&self) -> Option<&Finding> {
        self.0.iter().find(|finding| finding.severity == Severity::Error)
    }

    /// The findings in the order in which they were made.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Finding> {
        self.0.iter()
    }

    /// Completes those that know their place in the text, but not in the tree.
    pub(super) fn locate(&mut self, root: &Node) {
        for finding in &mut self.0 {
            if let (true, Some(span)) = (finding.path.is_empty(), finding.span) {
                finding.path = path_at(root, span.start);
            }
        }
    }

    /// Leaves of findings that say the same of one place the first: references lead to one value on
    /// many paths.
    pub fn drop_repeated(&mut self) {
        let mut seen = HashSet::new();
        self.0.retain(|finding| {
            finding.span.is_none()
                || seen.insert((finding.code, finding.span, finding.message.clone()))
        });
    }

    /// The number of findings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The findings from the top of the text to its bottom; those without a place come last.
    pub fn sorted(&self) -> Vec<&Finding> {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by_key(|finding| finding.span.map_or((u32::MAX, 0), |s| (s.start, s.end)));
        sorted
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.0.extend(findings);
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<T: IntoIterator<Item = Finding>>(findings: T) -> Self {
        Self(findings.into_iter().collect())
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The candidate that `word` was probably meant to be.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let (word, most) = (word.to_lowercase(), (word.chars().count() / 3).max(1));
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_sort_by_place() {
        let at = |start| Some(Span { start, end: start + 1, line: 1, column: start + 1 });
        let findings: Findings = [
            Finding::note("c", "no place"),
            Finding::warning("b", "second").at_span(at(7)),
            Finding::error("a", "first").at_span(at(2)),
        ]
        .into_iter()
        .collect();
        let codes: Vec<_> = findings.sorted().iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["a", "b", "c"]);
        assert_eq!(findings.first_error().map(|finding| finding.code), Some("a"));
    }

    #[test]
    fn close_words_are_proposed_and_others_are_not() {
        let types = ["HttpRequester", "CustomRequester", "DpathExtractor"];
        assert_eq!(did_you_mean("HttpRequestor", types), Some("HttpRequester"));
        assert_eq!(did_you_mean("dpathextractor", types), Some("DpathExtractor"));
        assert_eq!(did_you_mean("Paginator", types), None);
    }
}
