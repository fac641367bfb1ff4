//! Where in a manifest the cursor of an editor stands, also in a text that is no YAML yet.

use crate::builder::edit::Step;
use crate::manifest::{Findings, Node, Source, parse};

/// Stands where the cursor is, so that the text can be read.
const MARK: &str = "cursor_is_here";
/// Expressions over more lines are not looked for.
const LONGEST_EXPRESSION: usize = 4000;

/// What the cursor stands in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spot<'t> {
    /// An expression of a template, up to the cursor.
    Expression(&'t str),
    /// The name of a field, or an item of a list that has just begun.
    Key,
    /// The value of a field.
    Value(&'t str),
    /// A comment.
    Comment,
}

/// What the cursor stands in, and the beginning of the word that it is in.
pub(super) fn spot(text: &str, offset: usize) -> (Spot<'_>, usize) {
    let before = &text[..offset];
    let near = before.floor_char_boundary(before.len().saturating_sub(LONGEST_EXPRESSION));
    let last = |one: &str, other: &str| before[near..].rfind(one).max(before[near..].rfind(other));
    let opened = last("{{", "{%");
    if opened > last("}}", "%}")
        && let Some(opened) = opened
    {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word = before.trim_end_matches(is_word).len();
        return (Spot::Expression(&before[near + opened + 2..]), word);
    }
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = &before[line_start..];
    let mut start = line.len() - line.trim_start().len();
    while line[start..].starts_with("- ") {
        start += 2;
        start += line[start..].len() - line[start..].trim_start().len();
    }
    let rest = &line[start..];
    if rest.starts_with('#') || rest.contains(" #") {
        return (Spot::Comment, offset);
    }
    // In braces, what counts is the last field.
    let inner = rest.rfind(['{', ',']).filter(|_| rest.starts_with('{') || rest.contains(": {"));
    let inner = inner.map_or(0, |at| at + 1);
    let rest = rest[inner..].trim_start();
    let field = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")));
    if let Some((key, value)) = field {
        let value = value.trim_start().trim_start_matches(['\'', '"', '[']);
        return (Spot::Value(key.trim().trim_matches(['\'', '"'])), offset - value.len());
    }
    (Spot::Key, offset - rest.trim_start_matches(['\'', '"']).len())
}

/// A manifest that could be read with a mark where the cursor is.
#[derive(Debug)]
pub(super) struct Marked {
    pub(super) root: Node,
    /// The path to the mapping or list that the mark is in.
    pub(super) holder: Vec<Step>,
}

/// Reads the text with a mark in place of the word that begins at a byte.
pub(super) fn mark(text: &str, spot: &Spot<'_>, word: usize) -> Option<Marked> {
    let is_end = |c: char| c.is_whitespace() || ",]}'\":".contains(c);
    let len = text[word..].find(is_end).unwrap_or(text.len() - word);
    let (mut start, mut end) = (word, word + len);
    let quote = text[..start].chars().next_back().filter(|c| matches!(c, '\'' | '"'));
    if let Some(quote) = quote {
        start -= 1;
        let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
        end = text[end..line_end].find(quote).map_or(line_end, |at| end + at + 1);
    }
    let is_key = *spot == Spot::Key;
    let has_colon = text[end..].trim_start_matches(' ').starts_with(':');
    let mark = if is_key && !has_colon { format!("{MARK}:") } else { MARK.to_owned() };
    let whole = [&text[..start], &mark, &text[end..]].concat();
    let cut = [&text[..start], &mark].concat();
    [whole, cut].into_iter().find_map(|text| {
        let root = parse(&Source::new("manifest.yaml", text), &mut Findings::default())?;
        let mut holder = Vec::new();
        find(&root, is_key, &mut holder).then_some(Marked { root, holder })
    })
}

/// Finds the mapping that has the mark, or the field or item that is it.
fn find(node: &Node, is_key: bool, path: &mut Vec<Step>) -> bool {
    if is_key && node.get(MARK).is_some() || !is_key && node.as_str() == Some(MARK) {
        return true;
    }
    let fields = node.fields().map(|(key, value)| (Step::Key(key.name().into_owned()), value));
    let items = node.items().iter().enumerate().map(|(idx, item)| (Step::Index(idx), item));
    for (step, value) in fields.chain(items) {
        path.push(step);
        if find(value, is_key, path) {
            return true;
        }
        path.pop();
    }
    false
}

/// The path to the innermost value that is written at a byte, and whether the byte is in the key of
/// that value.
pub(super) fn at(root: &Node, offset: usize) -> (Vec<Step>, bool) {
    let (mut path, mut node) = (Vec::new(), root);
    let is_at = |node: &Node| {
        node.span().is_some_and(|span| (span.start as usize..=span.end as usize).contains(&offset))
    };
    loop {
        let key = node.fields().find(|(key, _)| is_at(key.node()));
        if let Some((key, _)) = key {
            path.push(Step::Key(key.name().into_owned()));
            return (path, true);
        }
        let fields = node.fields().map(|(key, value)| (Step::Key(key.name().into_owned()), value));
        let items = node.items().iter().enumerate().map(|(idx, item)| (Step::Index(idx), item));
        let Some((step, below)) = fields.chain(items).find(|(_, value)| is_at(value)) else {
            return (path, false);
        };
        path.push(step);
        node = below;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` is the cursor.
    #[track_caller]
    fn check(text: &str, expect: &Spot<'_>, expect_word: &str) {
        let offset = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        let (spot, word) = spot(&text, offset);
        assert_eq!((&spot, &text[word..offset]), (expect, expect_word));
    }

    #[test]
    fn spots_are_told_by_what_stands_before_them() {
        check("a:\n  ty|", &Spot::Key, "ty");
        check("a:\n  - ty|pe: x", &Spot::Key, "ty");
        check("a:\n  - - |", &Spot::Key, "");
        check("a:\n  type: Ht|", &Spot::Value("type"), "Ht");
        check("type: |", &Spot::Value("type"), "");
        check("- $ref: \"#/de|\"", &Spot::Value("$ref"), "#/de");
        check("a: {type: X, b: y|}", &Spot::Value("b"), "y");
        check("a: {type: X, b|}", &Spot::Key, "b");
        check("a: \"{{ config['x|'] }}\"", &Spot::Expression(" config['x"), "x");
        check("a: \"{{ x }} y|\"", &Spot::Value("a"), "{{ x }} y");
        check("a: 1 # b|", &Spot::Comment, "");
    }

    #[test]
    fn what_is_half_written_is_read() {
        let holder = |text: &str| {
            let offset = text.find('|').unwrap();
            let text = text.replacen('|', "", 1);
            let (spot, word) = spot(&text, offset);
            let marked = mark(&text, &spot, word)?;
            Some(crate::builder::edit::print_path(&marked.holder))
        };
        assert_eq!(holder("a:\n  b:\n    |\nc: 1").as_deref(), Some("a.b"));
        assert_eq!(holder("a:\n  - x: 1\n    y|\n").as_deref(), Some("a[0]"));
        assert_eq!(holder("a:\n  - |\n").as_deref(), Some("a[0]"));
        assert_eq!(holder("a:\n  type: |\n").as_deref(), Some("a.type"));
        assert_eq!(holder("a:\n  b: '#/d|'\n").as_deref(), Some("a.b"));
        assert_eq!(holder("a:\n  b: \"#/d|\nc: 'x'\n").as_deref(), Some("a.b"));
        assert_eq!(holder("a:\n  b|\nc: [").as_deref(), Some("a"));
    }
}
