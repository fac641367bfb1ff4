//! What a manifest that runs may still do wrong, for its author.
//!
//! `tree` walks the resolved manifest once, `fields` says which fields are
//! templates and which variables each of them has, and `rules` judge what was
//! found: one file per family. Places point into the text as it was written.

mod allow;
mod export;
mod fields;
mod fix;
mod report;
pub mod rules;
mod tree;

use std::collections::HashSet;

use crate::manifest::{Finding, Findings, Manifest, Node, Severity};

pub use export::{Checked, to_json, to_sarif};
pub use fields::{Field, of as template_fields};
pub use fix::apply_fixes;
pub use report::Report;
pub use tree::{Component, Lint, TextAt};

/// What all codes of this room begin with.
pub const PREFIX: &str = "lint/";

/// One thing that is looked for.
#[derive(Debug)]
pub struct Rule {
    /// The stable name, without [`PREFIX`]; its page is `docs/lint/NAME.md`.
    pub name: &'static str,
    /// The code of its findings.
    pub code: &'static str,
    /// How much its findings matter.
    pub severity: Severity,
    /// What it looks for, in a sentence without a full stop.
    pub summary: &'static str,
    /// What there is to say about it: its page in Markdown.
    pub page: &'static str,
    check: fn(&Lint<'_>, &mut Report<'_>),
}

/// Declares a [`Rule`]: `rule!("plain-http", Warning, "a URL …", check)`.
macro_rules! rule {
    ($name:literal, $severity:ident, $summary:literal, $check:expr) => {
        $crate::lint::Rule {
            name: $name,
            code: concat!("lint/", $name),
            severity: $crate::manifest::Severity::$severity,
            summary: $summary,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lint/", $name, ".md")),
            check: $check,
        }
    };
}

pub(crate) use rule;

/// Which findings an author wants.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Rules that are not asked.
    pub allowed: HashSet<String>,
    /// Rules whose findings are errors.
    pub denied: HashSet<String>,
    /// Whether those of all rules are.
    pub denies_all: bool,
}

/// All that the rules find, from the top of the text to its bottom.
///
/// A finding is made once for each place, whichever way the manifest came there, and not at all
/// where a comment allows it. The manifest must have no errors: rules look at what runs, and at
/// what was `written` for it.
pub fn lint(manifest: &Manifest, written: Option<&Node>, choice: &Choice) -> Findings {
    let lint = Lint::new(manifest, written);
    let mut found = Findings::default();
    for rule in rules::all().filter(|rule| !choice.allowed.contains(rule.name)) {
        let mut report = Report::new(rule);
        (rule.check)(&lint, &mut report);
        found.extend(report.into_findings());
    }
    let allowed = manifest.source.as_ref().map(|source| allow::Allowed::new(&source.text));
    let is_wanted = |it: &Finding| !allowed.as_ref().is_some_and(|allowed| allowed.covers(it));
    let mut findings: Vec<_> =
        found.sorted().into_iter().filter(|it| is_wanted(it)).cloned().collect();
    for finding in &mut findings {
        if choice.denies_all || choice.denied.contains(name_of(finding)) {
            finding.severity = Severity::Error;
        }
    }
    findings.into_iter().collect()
}

/// The name of the rule that made a finding.
pub fn name_of(finding: &Finding) -> &'static str {
    finding.code.strip_prefix(PREFIX).unwrap_or(finding.code)
}
