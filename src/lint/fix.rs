//! Puts the fixes of findings into the text.

use crate::manifest::{Edit, Findings};

/// The text with the fixes of all findings that have one, and how many there were.
///
/// Nothing else changes. Of two fixes that touch each other only the first is taken; another
/// run takes the other.
pub fn apply_fixes(text: &str, findings: &Findings) -> (String, usize) {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut n_fixed = 0;
    for finding in findings.sorted() {
        let is_free = |edit: &Edit| {
            edits
                .iter()
                .all(|it| it.range.end <= edit.range.start || edit.range.end <= it.range.start)
        };
        if !finding.fix.is_empty() && finding.fix.iter().all(is_free) {
            edits.extend(&finding.fix);
            n_fixed += 1;
        }
    }
    edits.sort_by_key(|edit| edit.range.start);
    let mut fixed = String::with_capacity(text.len());
    let mut end = 0;
    for edit in edits {
        fixed.push_str(&text[end..edit.range.start]);
        fixed.push_str(&edit.text);
        end = edit.range.end;
    }
    fixed.push_str(&text[end..]);
    (fixed, n_fixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Finding;

    fn fix(edits: &[(usize, usize)], text: &str) -> Finding {
        let edits = edits.iter().map(|&(start, end)| Edit { range: start..end, text: text.into() });
        Finding::warning("x", "x").fix(edits.collect())
    }

    #[test]
    fn fixes_change_nothing_else() {
        let findings: Findings =
            [fix(&[(5, 6)], "XX"), fix(&[(0, 1), (8, 8)], "Y"), fix(&[(5, 7)], "no"), fix(&[], "")]
                .into_iter()
                .collect();
        assert_eq!(apply_fixes("a é d  f\n", &findings), ("Y é XX  Yf\n".to_owned(), 2));
    }
}
