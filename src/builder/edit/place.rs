//! Where in a text a value is written.

use std::ops::Range;

use super::error::EditError;
use super::print_path;
use crate::manifest::{Findings, Key, Layout, Node, NodeValue, Source, Span, parse};

/// A step from a value to one inside of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// To a field.
    Key(String),
    /// To an item.
    Index(usize),
}

impl Step {
    /// Where the step leads.
    pub fn of<'n>(&self, node: &'n Node) -> Option<&'n Node> {
        match self {
            Self::Key(name) => entry(node, name).map(|(_, value)| value),
            Self::Index(index) => node.as_seq()?.get(*index),
        }
    }
}

/// A field, also one whose name is no string.
fn entry<'n>(node: &'n Node, name: &str) -> Option<(&'n Key, &'n Node)> {
    let map = node.as_map()?;
    map.get_entry(name).or_else(|| map.iter().find(|(key, _)| key.name() == name))
}

/// What stands in a text for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Behind the `:`, `- `, or `,` that comes before; the beginning of the text for its root.
    pub after: usize,
    /// Its anchor and its tag.
    pub properties: Range<usize>,
    /// The value itself, or the alias; blank lines behind it are no part of it.
    pub range: Range<usize>,
    /// Whether it is an alias.
    pub is_alias: bool,
}

/// A value with what is around it.
#[derive(Clone, Debug)]
pub struct Located<'d> {
    /// The value.
    pub node: &'d Node,
    /// The list or mapping that has it.
    pub holder: Option<&'d Node>,
    /// The key of a field.
    pub key: Option<&'d Key>,
    /// The rank in the holder.
    pub rank: usize,
    /// What stands in the text for it.
    pub written: Written,
    /// Whether it stands in brackets or braces.
    pub is_in_flow: bool,
}

/// A text with what was read of it.
#[derive(Debug)]
pub struct Document<'t> {
    text: &'t str,
    root: Node,
}

impl<'t> Document<'t> {
    /// Reads a text.
    pub fn read(text: &'t str) -> Result<Self, EditError> {
        let mut findings = Findings::default();
        let root = parse(&Source::new("manifest.yaml", text), &mut findings);
        let Some(root) = root else {
            let message = findings.first_error().map(|it| it.message.clone());
            return Err(EditError::Unreadable(message.unwrap_or_default()));
        };
        Ok(Self { text, root })
    }

    /// What was read.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The whole value.
    pub fn root(&self) -> &Node {
        &self.root
    }

    /// The value at a path, wherever it is written.
    pub fn value_at(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| step.of(node))
    }

    /// Finds a value; refused if it, or what is around it, is written elsewhere.
    pub fn locate(&self, path: &[Step]) -> Result<Located<'_>, EditError> {
        let mut found = Located {
            node: &self.root,
            holder: None,
            key: None,
            rank: 0,
            written: self.root_written(),
            is_in_flow: false,
        };
        for (depth, step) in path.iter().enumerate() {
            let holder = found.node;
            let refused =
                |error: fn(String) -> EditError, n_steps| error(print_path(&path[..n_steps]));
            if found.written.is_alias {
                return Err(refused(EditError::Alias, depth));
            }
            let is_in_flow = found.is_in_flow || self.is_flow(holder);
            found = match (step, holder.value()) {
                (Step::Key(name), NodeValue::Map(_)) => {
                    let missing = || refused(EditError::NotFound, depth + 1);
                    let (key, node) = entry(holder, name).ok_or_else(missing)?;
                    let written = self.field_written(holder, key, node);
                    let written = written.ok_or_else(|| refused(EditError::Alias, depth + 1))?;
                    let rank = holder.fields().position(|(it, _)| it == key).unwrap_or(0);
                    Located {
                        node,
                        holder: Some(holder),
                        key: Some(key),
                        rank,
                        written,
                        is_in_flow,
                    }
                }
                (Step::Index(index), NodeValue::Seq(items)) => {
                    let missing = || refused(EditError::NotFound, depth + 1);
                    let node = items.get(*index).ok_or_else(missing)?;
                    let written = self
                        .items_written(holder)
                        .and_then(|mut it| (*index < it.len()).then(|| it.swap_remove(*index)));
                    let written = written.ok_or_else(|| refused(EditError::Alias, depth + 1))?;
                    Located {
                        node,
                        holder: Some(holder),
                        key: None,
                        rank: *index,
                        written,
                        is_in_flow,
                    }
                }
                (_, NodeValue::Str(text)) if text.starts_with("#/") => {
                    let path = print_path(&path[..depth]);
                    return Err(EditError::Reference { path, reference: text.to_string() });
                }
                (_, NodeValue::Null | NodeValue::Map(_) | NodeValue::Seq(_)) => {
                    return Err(refused(EditError::NotFound, depth + 1));
                }
                _ => {
                    let path = print_path(&path[..depth]);
                    return Err(EditError::Scalar { path, kind: holder.kind_name() });
                }
            };
        }
        Ok(found)
    }

    /// Whether a list or mapping is written in brackets or braces.
    pub fn is_flow(&self, node: &Node) -> bool {
        let is_collection = node.as_map().is_some() || node.as_seq().is_some();
        let start = node.span().map_or(0, |span| span.start as usize);
        is_collection && self.text[start..].starts_with(['[', '{'])
    }

    /// How the blocks of this text are laid out, by most of them.
    pub fn layout(&self) -> Layout {
        let mut votes = Votes::default();
        votes.ask(self, &self.root, None, &mut 0);
        votes.count()
    }

    fn root_written(&self) -> Written {
        let range = self.range_of(&self.root).unwrap_or(self.text.len()..self.text.len());
        Written { after: 0, properties: 0..0, range, is_alias: false }
    }

    /// The range of a value where it is written, without blank lines behind it.
    fn range_of(&self, node: &Node) -> Option<Range<usize>> {
        let Span { start, end, .. } = node.span()?;
        let (start, end) = (start as usize, end as usize);
        let text = self.text.get(start..end)?;
        let keeps_lines = text.starts_with(['|', '>'])
            && text.lines().next().is_some_and(|header| header.contains('+'));
        let len = match text.strip_suffix('\n') {
            Some(text) if keeps_lines => text.trim_end_matches('\r').len(),
            // Blanks at the end of the last line are a part of a block of text.
            _ => text.trim_end_matches(['\n', '\r']).len(),
        };
        Some(start..start + len)
    }

    /// What stands for the value of a field in its mapping; nothing if `<<` brings it.
    pub fn field_written(&self, holder: &Node, key: &Key, node: &Node) -> Option<Written> {
        let (holder, key) = (holder.span()?, key.span()?);
        if key.start < holder.start || key.end > holder.end {
            return None;
        }
        let rest = self.text.get(key.end as usize..)?;
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let colon = key.end as usize + blanks;
        if !self.text[colon..].starts_with(':') {
            return None;
        }
        self.scan(colon + 1, node)
    }

    /// What stands for the items of a list, in order.
    pub fn items_written(&self, list: &Node) -> Option<Vec<Written>> {
        let items = list.as_seq()?;
        let span = list.span()?;
        let (start, end) = (span.start as usize, span.end as usize);
        if self.is_flow(list) {
            let mut after = start + 1;
            return items
                .iter()
                .map(|item| {
                    let written = self.scan(after, item)?;
                    after = self.behind_comma(written.range.end).unwrap_or(end);
                    Some(written)
                })
                .collect();
        }
        let mut written: Vec<Written> = Vec::with_capacity(items.len());
        let mut line_start = start;
        for item in items {
            // The dash of this item begins the first line behind the item before.
            let dash = if written.is_empty() {
                start
            } else {
                let indent = span.column as usize - 1;
                loop {
                    let line = self.text.get(line_start..end)?.lines().next()?;
                    let is_dash = line.get(..indent).is_some_and(|it| it.trim().is_empty())
                        && line[indent..].starts_with('-');
                    if is_dash {
                        break line_start + indent;
                    }
                    line_start = self.next_line(line_start)?;
                }
            };
            let item = self.scan(dash + 1, item)?;
            line_start = self.next_line(item.range.end.max(dash)).unwrap_or(end);
            written.push(item);
        }
        Some(written)
    }

    /// Finds the value behind a `:`, `-`, or `,`.
    fn scan(&self, after: usize, node: &Node) -> Option<Written> {
        let own = self.range_of(node)?;
        if own.is_empty() && own.start <= after + 1 && node.is_null() {
            let range = after..after;
            return Some(Written { after, properties: range.clone(), range, is_alias: false });
        }
        let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}');
        let mut properties = after..after;
        let mut start = self.skip_blanks(after);
        loop {
            let rest = self.text.get(start..)?;
            let len = rest.find(is_end).unwrap_or(rest.len());
            match rest.chars().next() {
                Some('&' | '!') => {
                    let from = if properties.is_empty() { start } else { properties.start };
                    properties = from..start + len;
                    start = self.skip_blanks(start + len);
                }
                Some('*') => {
                    let range = start..start + len;
                    return Some(Written { after, properties, range, is_alias: true });
                }
                _ => break,
            }
        }
        let range = own;
        (range.start == start).then_some(Written { after, properties, range, is_alias: false })
    }

    /// Skips blanks, line breaks, and comments.
    fn skip_blanks(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at = self.line_end(at);
        }
    }

    fn behind_comma(&self, at: usize) -> Option<usize> {
        let at = self.skip_blanks(at);
        self.text[at..].starts_with(',').then_some(at + 1)
    }

    /// The end of the line that a byte is in, before its line break.
    pub fn line_end(&self, at: usize) -> usize {
        let end = self.text[at..].find('\n').map_or(self.text.len(), |len| at + len);
        if self.text[at..end].ends_with('\r') { end - 1 } else { end }
    }

    /// The beginning of the line that a byte is in.
    pub fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The beginning of the line below; nothing if there is none.
    pub fn next_line(&self, at: usize) -> Option<usize> {
        self.text[at..].find('\n').map(|len| at + len + 1)
    }

    /// By how many characters something is indented, counted from the beginning of its line.
    pub fn column(&self, at: usize) -> usize {
        self.text[self.line_start(at)..at].chars().count()
    }
}

/// How many blocks are laid out in which way.
#[derive(Default)]
struct Votes {
    steps: [usize; 9],
    lists: [usize; 2],
}

/// Enough blocks to know.
const ENOUGH: usize = 500;

impl Votes {
    fn ask(&mut self, document: &Document<'_>, node: &Node, key: Option<Span>, asked: &mut usize) {
        *asked += 1;
        if *asked > ENOUGH || document.is_flow(node) {
            return;
        }
        if let (Some(key), Some(span)) = (key, node.span())
            && span.line > key.line
            && span.column >= key.column
        {
            let step = (span.column - key.column) as usize;
            if node.as_seq().is_some() {
                self.lists[usize::from(step > 0)] += 1;
            } else if node.as_map().is_some()
                && let Some(votes) = self.steps.get_mut(step)
            {
                *votes += 1;
            }
        }
        node.items().iter().for_each(|item| self.ask(document, item, None, asked));
        node.fields().for_each(|(key, value)| self.ask(document, value, key.span(), asked));
    }

    fn count(&self) -> Layout {
        let default = Layout::default();
        let most = (1..self.steps.len()).max_by_key(|step| (self.steps[*step], *step == 2));
        let is_known = self.steps.iter().any(|votes| *votes > 0);
        let step = most.filter(|_| is_known).unwrap_or(default.step);
        let [flush, indented] = self.lists;
        // What most manifests do that have no list yet.
        let indents_lists = indented >= flush;
        Layout { step, indents_lists }
    }
}
