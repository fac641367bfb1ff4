//! What changed between two texts, line by line.

use serde::Serialize;

/// How many lines may differ before a shortest list of changes is no longer looked for.
const MOST_CHANGES: usize = 4000;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// It is in both texts.
    Same,
    /// It is only in the new one.
    Added,
    /// It is only in the old one.
    Removed,
}

/// One line of either text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiffLine<'t> {
    /// What became of it.
    pub kind: DiffKind,
    /// The line without its end.
    pub text: &'t str,
    /// Its number in the old text, from 1.
    pub from_line: Option<usize>,
    /// Its number in the new text, from 1.
    pub to_line: Option<usize>,
}

/// The lines of both texts: a shortest list of changes, unless the texts have little in common.
pub fn diff<'t>(from: &'t str, to: &'t str) -> Vec<DiffLine<'t>> {
    let (from, to): (Vec<_>, Vec<_>) = (from.lines().collect(), to.lines().collect());
    let n_before = from.iter().zip(&to).take_while(|(from, to)| from == to).count();
    let (from_rest, to_rest) = (&from[n_before..], &to[n_before..]);
    let ends = from_rest.iter().rev().zip(to_rest.iter().rev());
    let n_behind = ends.take_while(|(from, to)| from == to).count();
    let from_rest = &from_rest[..from_rest.len() - n_behind];
    let to_rest = &to_rest[..to_rest.len() - n_behind];

    let mut kinds = vec![DiffKind::Same; n_before];
    kinds.extend(shortest(from_rest, to_rest).unwrap_or_else(|| all_new(from_rest, to_rest)));
    kinds.extend(vec![DiffKind::Same; n_behind]);

    let (mut from_idx, mut to_idx) = (0, 0);
    let line = |kind| {
        let (text, from_line, to_line) = match kind {
            DiffKind::Added => (to[to_idx], None, Some(to_idx + 1)),
            DiffKind::Removed => (from[from_idx], Some(from_idx + 1), None),
            DiffKind::Same => (from[from_idx], Some(from_idx + 1), Some(to_idx + 1)),
        };
        from_idx += usize::from(kind != DiffKind::Added);
        to_idx += usize::from(kind != DiffKind::Removed);
        DiffLine { kind, text, from_line, to_line }
    };
    kinds.into_iter().map(line).collect()
}

fn all_new(from: &[&str], to: &[&str]) -> Vec<DiffKind> {
    let removed = std::iter::repeat_n(DiffKind::Removed, from.len());
    removed.chain(std::iter::repeat_n(DiffKind::Added, to.len())).collect()
}

/// The greedy algorithm of Myers: for each number of changes, how far one comes on each diagonal.
fn shortest(from: &[&str], to: &[&str]) -> Option<Vec<DiffKind>> {
    let most = (from.len() + to.len()).min(MOST_CHANGES);
    // The farthest place in `from` by diagonal, from -(most + 1) to most + 1.
    let mut reach = vec![0_usize; 2 * most + 3];
    let at = |diagonal: isize| (diagonal + most.cast_signed() + 1).cast_unsigned();
    let mut trace = Vec::new();
    for n_changes in 0..=most.cast_signed() {
        trace.push(reach[at(-n_changes)..=at(n_changes)].to_vec());
        for diagonal in (-n_changes..=n_changes).step_by(2) {
            let is_down = is_down(diagonal, n_changes, |it| reach[at(it)]);
            let mut x = if is_down { reach[at(diagonal + 1)] } else { reach[at(diagonal - 1)] + 1 };
            let mut y = (x.cast_signed() - diagonal).cast_unsigned();
            while x < from.len() && y < to.len() && from[x] == to[y] {
                (x, y) = (x + 1, y + 1);
            }
            reach[at(diagonal)] = x;
            if x >= from.len() && y >= to.len() {
                return Some(walk_back(&trace, from.len(), to.len()));
            }
        }
    }
    None
}

/// Whether the best way to a diagonal is from the one above, by a line that is added.
fn is_down(diagonal: isize, n_changes: isize, reach: impl Fn(isize) -> usize) -> bool {
    diagonal == -n_changes || diagonal != n_changes && reach(diagonal - 1) < reach(diagonal + 1)
}

fn walk_back(trace: &[Vec<usize>], mut x: usize, mut y: usize) -> Vec<DiffKind> {
    let mut kinds = Vec::new();
    for (n_changes, reach) in trace.iter().enumerate().rev() {
        let n_changes = n_changes.cast_signed();
        let reach = |diagonal: isize| {
            let idx = diagonal + n_changes;
            usize::try_from(idx).ok().and_then(|idx| reach.get(idx)).copied().unwrap_or(0)
        };
        let diagonal = x.cast_signed() - y.cast_signed();
        if n_changes == 0 {
            kinds.extend(std::iter::repeat_n(DiffKind::Same, x));
            break;
        }
        let is_down = is_down(diagonal, n_changes, reach);
        let previous = if is_down { diagonal + 1 } else { diagonal - 1 };
        let before_x = reach(previous);
        let before_y = (before_x.cast_signed() - previous).cast_unsigned();
        let kind = if is_down { DiffKind::Added } else { DiffKind::Removed };
        let start_x = if is_down { before_x } else { before_x + 1 };
        kinds.extend(std::iter::repeat_n(DiffKind::Same, x - start_x));
        kinds.push(kind);
        (x, y) = (before_x, before_y);
    }
    kinds.reverse();
    kinds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, expect: &str) {
        let lines = diff(from, to).into_iter().map(|line| {
            let sign = match line.kind {
                DiffKind::Same => ' ',
                DiffKind::Added => '+',
                DiffKind::Removed => '-',
            };
            format!("{sign}{}", line.text)
        });
        assert_eq!(lines.collect::<Vec<_>>().join("\n"), expect);
    }

    #[test]
    fn changes_are_few() {
        check("", "", "");
        check("a\nb", "a\nb", " a\n b");
        check("a\nb\nc", "a\nx\nc", " a\n-b\n+x\n c");
        check("a\nb\nc\n", "b\nc\nd\n", "-a\n b\n c\n+d");
        check("", "a\n", "+a");
        check("a\nb\nc\na\nb\nb\na", "c\nb\na\nb\na\nc", "-a\n-b\n c\n+b\n a\n b\n-b\n a\n+c");
    }

    proptest! {
        #[test]
        fn both_texts_are_in_it(from in "[abc\n]{0,40}", to in "[abc\n]{0,40}") {
            let lines = diff(&from, &to);
            let side = |other| {
                let lines = lines.iter().filter(move |line| line.kind != other);
                lines.map(|line| line.text).collect::<Vec<_>>()
            };
            prop_assert_eq!(side(DiffKind::Added), from.lines().collect::<Vec<_>>());
            prop_assert_eq!(side(DiffKind::Removed), to.lines().collect::<Vec<_>>());
            for line in &lines {
                if let Some(number) = line.from_line {
                    prop_assert_eq!(from.lines().nth(number - 1), Some(line.text));
                }
                if let Some(number) = line.to_line {
                    prop_assert_eq!(to.lines().nth(number - 1), Some(line.text));
                }
            }
        }
    }
}
