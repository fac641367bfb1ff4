//! `# lint: allow NAME`: comments that say that something is meant to be so.

use std::collections::HashMap;

use super::name_of;
use crate::manifest::Finding;

const MARK: &str = "lint: allow ";

/// What comments allow, by line.
#[derive(Debug)]
pub(super) struct Allowed<'t> {
    lines: HashMap<u32, Vec<&'t str>>,
}

impl<'t> Allowed<'t> {
    /// Reads the comments of a text: a comment of its own is for the line below, and one behind
    /// a value is for its line.
    pub(super) fn new(text: &'t str) -> Self {
        let mut lines = HashMap::new();
        if !text.contains(MARK) {
            return Self { lines };
        }
        let mut above: Vec<&str> = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let names = names(line);
            if line.trim_start().starts_with('#') {
                above.extend(names);
                continue;
            }
            let here: Vec<_> = std::mem::take(&mut above).into_iter().chain(names).collect();
            if !here.is_empty() {
                lines.insert(number, here);
            }
        }
        Self { lines }
    }

    /// Whether a comment allows the finding.
    pub(super) fn covers(&self, finding: &Finding) -> bool {
        let allowed = finding.span.and_then(|span| self.lines.get(&span.line));
        allowed.is_some_and(|names| {
            names.iter().any(|name| *name == finding.code || *name == name_of(finding))
        })
    }
}

/// The names that a line's comment allows.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let comment = line.find('#').map_or("", |start| &line[start..]);
    let list = comment.find(MARK).map_or("", |start| &comment[start + MARK.len()..]);
    list.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Span;

    #[track_caller]
    fn check(text: &str, line: u32, expect: bool) {
        let span = Span { line, ..Span::default() };
        let finding = Finding::warning("lint/plain-http", "x").at_span(Some(span));
        assert_eq!(Allowed::new(text).covers(&finding), expect, "{text:?}");
    }

    #[test]
    fn comments_allow_on_their_line_and_below() {
        check("a: 1 # lint: allow plain-http", 1, true);
        check("a: 1 # lint: allow lint/plain-http", 1, true);
        check("a: 1 # lint: allow unset-variable, plain-http", 1, true);
        check("# lint: allow plain-http\n# because\na: 1", 3, true);
        check("# lint: allow plain-http\na: 1\nb: 2", 3, false);
        check("a: 1 # lint: allow plain-http\nb: 2", 2, false);
        check("a: 1 # lint: allow plain", 1, false);
        check("a: 1", 1, false);
    }
}
