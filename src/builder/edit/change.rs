//! Which piece of a text becomes what, for each kind of change.

use std::ops::Range;

use super::error::EditError;
use super::place::{Document, Located, Step, Written};
use super::print_path;
use crate::manifest::{
    Key, Layout, Node, NodeValue, double_quoted, quote, to_flow_yaml, to_yaml_at,
};

/// A piece of a text with what takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Change {
    fn insert(at: usize, text: String) -> Self {
        Self { range: at..at, text }
    }

    /// The text with the change, with the line breaks that it has elsewhere.
    pub(super) fn apply(&self, text: &str) -> String {
        let first_break = text.find('\n').unwrap_or(0);
        let mut new = self.text.clone();
        // What a block of text ends with is not the same at the end of a text without a break.
        if self.range.end == text.len() && new.contains('\n') && !new.ends_with('\n') {
            new.push('\n');
        }
        if text[..first_break].ends_with('\r') {
            new = new.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        [&text[..self.range.start], &new, &text[self.range.end..]].concat()
    }
}

/// Makes a value what is given, also one that is not there yet.
pub(super) fn set(
    document: &Document<'_>,
    path: &[Step],
    value: &Node,
) -> Result<Change, EditError> {
    match document.locate(path) {
        Ok(located) => replace(document, path, &located, value),
        Err(EditError::NotFound(_)) => add(document, path, value),
        Err(error) => Err(error),
    }
}

/// Adds a value that is not there, with what is missing above it.
fn add(document: &Document<'_>, path: &[Step], value: &Node) -> Result<Change, EditError> {
    let is_there = |n_steps: &usize| document.value_at(&path[..*n_steps]).is_some();
    let n_steps = (0..path.len()).rev().find(is_there).unwrap_or(0);
    let (holder_path, missing) = path.split_at(n_steps);
    let Some((step, below)) = missing.split_first() else { return Err(EditError::NotInPlace) };
    let mut value = value.clone();
    for step in below.iter().rev() {
        value = match step {
            Step::Key(name) => mapping(name, value),
            Step::Index(0) => list(value),
            Step::Index(_) => {
                return Err(EditError::Index { path: print_path(path), last: 0 });
            }
        };
    }
    let holder = document.locate(holder_path)?;
    if holder.written.is_alias {
        return Err(EditError::Alias(print_path(holder_path)));
    }
    match (step, holder.node.value()) {
        (Step::Key(name), NodeValue::Map(map)) if !map.is_empty() => {
            if !below.is_empty()
                && let Some(reference) = map.get("$ref").and_then(Node::as_str)
            {
                // All that the reference leads to would be covered by the little that is new.
                let path = print_path(&path[..=n_steps]);
                return Err(EditError::Reference { path, reference: reference.to_owned() });
            }
            insert_field(document, &holder, name, value)
        }
        (Step::Key(name), NodeValue::Map(_) | NodeValue::Null) => {
            replace(document, holder_path, &holder, &mapping(name, value))
        }
        (Step::Index(index), NodeValue::Seq(_) | NodeValue::Null) => {
            insert(document, holder_path, *index, &value)
        }
        (_, NodeValue::Seq(_)) => Err(EditError::NotFound(print_path(&path[..=n_steps]))),
        (_, NodeValue::Str(text)) if text.starts_with("#/") => {
            let path = print_path(holder_path);
            Err(EditError::Reference { path, reference: text.to_string() })
        }
        _ => {
            let path = print_path(holder_path);
            Err(EditError::Scalar { path, kind: holder.node.kind_name() })
        }
    }
}

fn mapping(name: &str, value: Node) -> Node {
    Node::new(NodeValue::Map([(Key::new(name, None), value)].into_iter().collect()), None)
}

fn list(item: Node) -> Node {
    Node::new(NodeValue::Seq([item].into()), None)
}

fn is_block(document: &Document<'_>, node: &Node) -> bool {
    let is_collection = node.as_map().is_some() || node.as_seq().is_some();
    is_collection && !document.is_flow(node)
}

/// How far what belongs to a value is indented.
pub(super) struct Indents {
    /// The key or the dash before the value.
    pub(super) base: usize,
    /// The lines of a text.
    pub(super) inner: usize,
    /// A mapping in lines of its own.
    mapping: usize,
    /// A list in lines of its own.
    list: usize,
}

impl Indents {
    pub(super) fn of(document: &Document<'_>, located: &Located<'_>, layout: Layout) -> Self {
        if let Some(key) = located.key.and_then(Key::span) {
            let base = document.column(key.start as usize);
            let inner = base + layout.step;
            let list = if layout.indents_lists { inner } else { base };
            return Self { base, inner, mapping: inner, list };
        }
        let base = document.column(located.written.after - 1);
        let inner = base + 2;
        Self { base, inner, mapping: inner, list: inner }
    }

    pub(super) fn block(&self, node: &Node) -> usize {
        if node.as_seq().is_some() { self.list } else { self.mapping }
    }
}

/// What stands between a `:` and its value, and behind the value, besides blanks.
pub(super) struct Around<'t> {
    /// The anchor and the tag.
    pub(super) properties: &'t str,
    /// The comment on the line of the key.
    pub(super) comment: &'t str,
    /// Whether the value begins on the line of its key or dash.
    pub(super) is_inline: bool,
    /// The end of the value, or of the comment behind it.
    pub(super) end: usize,
}

impl<'t> Around<'t> {
    pub(super) fn of(document: &Document<'t>, written: &Written) -> Self {
        let text = document.text();
        let Written { after, properties, range, .. } = written;
        let is_inline = !text[*after..range.start].contains('\n');
        let old = &text[range.clone()];
        let mut end = range.end;
        let line = if !is_inline {
            &text[properties.end..document.line_end(properties.end)]
        } else if old.starts_with(['|', '>']) {
            &old[..old.find('\n').unwrap_or(old.len())]
        } else {
            end = document.line_end(range.end);
            &text[range.end..end]
        };
        let comment = line.find('#').map_or("", |start| line[start..].trim_end());
        Self { properties: &text[properties.clone()], comment, is_inline, end }
    }

    /// Puts together what stands behind the `:` or `-`: a value that begins on the same line, or on
    /// the next one at an indentation.
    pub(super) fn assemble(&self, body: &str, begins_at: Option<usize>) -> String {
        let mut out = String::new();
        for part in [self.properties, if begins_at.is_none() { "" } else { self.comment }] {
            if !part.is_empty() {
                out.push(' ');
                out.push_str(part);
            }
        }
        if let Some(indent) = begins_at {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            return out + body;
        }
        let (first, rest) = body.split_at(body.find('\n').unwrap_or(body.len()));
        out.push(' ');
        out.push_str(first);
        if !self.comment.is_empty() {
            out.push(' ');
            out.push_str(self.comment);
        }
        out + rest
    }
}

/// Puts another value in the place of one that is there.
fn replace(
    document: &Document<'_>,
    path: &[Step],
    located: &Located<'_>,
    value: &Node,
) -> Result<Change, EditError> {
    let text = document.text();
    let Written { after, properties, range, is_alias } = &located.written;
    if *is_alias {
        return Err(EditError::Alias(print_path(path)));
    }
    let old = &text[range.clone()];
    if located.is_in_flow {
        let blank = if range.is_empty() { " " } else { "" };
        let new = quoted_like(old, value).unwrap_or_else(|| to_flow_yaml(value));
        return Ok(Change { range: range.clone(), text: format!("{blank}{new}") });
    }
    let layout = document.layout();
    if located.holder.is_none() {
        let is_after_comment = range.is_empty() && !text.is_empty() && !text.ends_with('\n');
        let gap = if is_after_comment { "\n" } else { "" };
        // A comment behind the value would become a part of what ends with a block of text.
        let has_comment = text[range.end..document.line_end(range.end)].contains('#');
        let body = to_yaml_at(value, 0, layout);
        let is_cut_off = range.is_empty() || has_comment && body.contains('\n');
        let end = if is_cut_off { "\n" } else { "" };
        return Ok(Change { range: range.clone(), text: format!("{gap}{body}{end}") });
    }
    let indents = Indents::of(document, located, layout);
    let around = Around::of(document, &located.written);
    let was_block = is_block(document, located.node);
    let is_collection = match value.value() {
        NodeValue::Map(map) => !map.is_empty(),
        NodeValue::Seq(items) => !items.is_empty(),
        _ => false,
    };
    if is_collection {
        let is_same_kind = located.node.as_seq().is_some() == value.as_seq().is_some();
        let is_item_inline =
            located.key.is_none() && around.is_inline && properties.is_empty() && !range.is_empty();
        if was_block && is_same_kind || is_item_inline && (was_block || around.comment.is_empty()) {
            let body = to_yaml_at(value, document.column(range.start), layout);
            return Ok(Change { range: range.clone(), text: body });
        }
        let indent = indents.block(value);
        let body = to_yaml_at(value, indent, layout);
        let begins_at =
            (located.key.is_some() || !properties.is_empty() || !around.comment.is_empty())
                .then_some(indent);
        return Ok(Change { range: *after..around.end, text: around.assemble(&body, begins_at) });
    }
    let was_text_block = old.starts_with(['|', '>']);
    let indent =
        if was_text_block { text_indent(old).unwrap_or(indents.inner) } else { indents.inner };
    let body = quoted_like(old, value).unwrap_or_else(|| to_yaml_at(value, indent, layout));
    let is_simple =
        around.is_inline && !was_text_block && !range.is_empty() && !body.contains('\n');
    if is_simple {
        return Ok(Change { range: range.clone(), text: body });
    }
    Ok(Change { range: *after..around.end, text: around.assemble(&body, None) })
}

/// By how much the lines of a block of text are indented.
fn text_indent(block: &str) -> Option<usize> {
    let line = block.lines().skip(1).find(|line| !line.trim().is_empty())?;
    Some(line.len() - line.trim_start_matches(' ').len())
}

/// A text in the quotes that another one had.
fn quoted_like(old: &str, value: &Node) -> Option<String> {
    let text = value.as_str().filter(|text| !text.contains(char::is_control))?;
    match (old.chars().next()?, text.contains('\''), text.contains(['"', '\\'])) {
        ('"', _, false) | ('"', true, _) => Some(double_quoted(text)),
        ('\'', false, _) | ('"', false, true) => Some(format!("'{text}'")),
        _ => None,
    }
}

/// Adds a field to a mapping that has some.
fn insert_field(
    document: &Document<'_>,
    holder: &Located<'_>,
    name: &str,
    value: Node,
) -> Result<Change, EditError> {
    let map = holder.node;
    let start = map.span().map_or(0, |span| span.start as usize);
    let ends = map.fields().filter_map(|(key, value)| document.field_written(map, key, value));
    let end = ends.map(|written| written.range.end).max().ok_or(EditError::NotInPlace)?;
    if document.is_flow(map) || holder.is_in_flow {
        let field = to_flow_yaml(&mapping(name, value));
        let field = field.strip_prefix('{').and_then(|field| field.strip_suffix('}'));
        let field = field.ok_or(EditError::NotInPlace)?;
        return Ok(Change::insert(end, format!(", {field}")));
    }
    let indent = document.column(start);
    let is_type = name == "type" && value.as_str().is_some();
    let field = to_yaml_at(&mapping(name, value), indent, document.layout());
    let blanks = " ".repeat(indent);
    if is_type {
        return Ok(Change::insert(start, format!("{field}\n{blanks}")));
    }
    let at = behind(document, end, indent);
    Ok(Change::insert(at, format!("\n{blanks}{field}")))
}

/// The end of what belongs to a value that ends at a place: the rest of its line, and comments below
/// that are indented more than `indent`.
pub(super) fn behind(document: &Document<'_>, end: usize, indent: usize) -> usize {
    let mut at = document.line_end(end);
    let mut line = at;
    while let Some(next) = document.next_line(line) {
        line = document.line_end(next);
        let content = document.text()[next..line].trim_start();
        if content.starts_with('#') && line - next - content.len() > indent {
            at = line;
        } else if !content.is_empty() {
            break;
        }
    }
    at
}

/// The beginning of the comments right above a line that begins at a place, which are written at the
/// same column.
fn with_comments(document: &Document<'_>, mut at: usize) -> usize {
    let text = document.text();
    let column = document.column(at);
    let is_alone = |at: usize| text[document.line_start(at)..at].trim().is_empty();
    while is_alone(at)
        && let Some(above) = document.line_start(at).checked_sub(1)
    {
        let start = document.line_start(above);
        let line = &text[start..above];
        let content = line.trim_start();
        if !content.starts_with('#') || line.len() - content.len() != column {
            break;
        }
        at = start + column;
    }
    at
}

/// Takes a field or an item out.
pub(super) fn remove(document: &Document<'_>, path: &[Step]) -> Result<Change, EditError> {
    let located = document.locate(path)?;
    let (Some(holder), Some((_, holder_path))) = (located.holder, path.split_last()) else {
        return Err(EditError::NotInPlace);
    };
    let entries = entries(document, holder).ok_or(EditError::NotInPlace)?;
    if entries.len() == 1 {
        let empty = match holder.as_seq() {
            Some(_) => NodeValue::Seq([].into()),
            None => NodeValue::Map(std::iter::empty().collect()),
        };
        let holder = document.locate(holder_path)?;
        return replace(document, holder_path, &holder, &empty.into());
    }
    let text = document.text();
    let Range { start, end } = entries[located.rank].clone();
    let next = entries.get(located.rank + 1).map(|next| next.start);
    if located.is_in_flow {
        let range = match next {
            Some(next) => start..next,
            None => entries[located.rank - 1].end..end,
        };
        return Ok(Change { range, text: String::new() });
    }
    let line_start = document.line_start(start);
    if !text[line_start..start].trim().is_empty() {
        // It stands behind the dash of an item: what comes next takes its place.
        let next = next.ok_or(EditError::NotInPlace)?;
        let line_end = document.line_end(end);
        // A lone carriage return ends a line of YAML, but no line of ours.
        let between = text.get(line_end..next).ok_or(EditError::NotInPlace)?;
        let has_comment = between.contains('#');
        let range = if has_comment {
            line_start + text[line_start..start].trim_end().len()..line_end
        } else {
            start..next
        };
        return Ok(Change { range, text: String::new() });
    }
    let last = behind(document, end, document.column(start));
    let range = match document.next_line(last) {
        Some(next) => line_start..next,
        None => line_start.saturating_sub(1)..text.len(),
    };
    Ok(Change { range, text: String::new() })
}

/// Where the fields or items of a list or mapping are written: from the key or dash on.
fn entries(document: &Document<'_>, holder: &Node) -> Option<Vec<Range<usize>>> {
    if holder.as_seq().is_some() {
        let is_flow = document.is_flow(holder);
        let start = |it: &Written| match (is_flow, it.properties.is_empty()) {
            (false, _) => it.after - 1,
            (true, true) => it.range.start,
            (true, false) => it.properties.start,
        };
        let written = document.items_written(holder)?;
        return Some(written.iter().map(|it| start(it)..it.range.end).collect());
    }
    let entry = |(key, value): (&Key, &Node)| {
        let written = document.field_written(holder, key, value)?;
        Some(key.span()?.start as usize..written.range.end)
    };
    holder.fields().map(entry).collect()
}

/// Puts an item into a list.
pub(super) fn insert(
    document: &Document<'_>,
    path: &[Step],
    index: usize,
    value: &Node,
) -> Result<Change, EditError> {
    let located = document.locate(path)?;
    let n_items = located.node.items().len();
    if index > n_items {
        return Err(EditError::Index { path: print_path(path), last: n_items });
    }
    if located.written.is_alias {
        return Err(EditError::Alias(print_path(path)));
    }
    if n_items == 0 {
        return replace(document, path, &located, &list(value.clone()));
    }
    let entries = entries(document, located.node).ok_or(EditError::NotInPlace)?;
    if document.is_flow(located.node) {
        let item = to_flow_yaml(value);
        return Ok(match entries.get(index) {
            Some(next) => Change::insert(next.start, format!("{item}, ")),
            None => Change::insert(entries[n_items - 1].end, format!(", {item}")),
        });
    }
    let indent = document.column(entries[0].start);
    let blanks = " ".repeat(indent);
    let item = format!("- {}", to_yaml_at(value, indent + 2, document.layout()));
    Ok(match index.checked_sub(1) {
        None => {
            let at = with_comments(document, entries[0].start);
            Change::insert(at, format!("{item}\n{blanks}"))
        }
        Some(previous) => {
            let at = behind(document, entries[previous].end, indent);
            Change::insert(at, format!("\n{blanks}{item}"))
        }
    })
}

/// Puts an item elsewhere in its list, with its comments; what stands between items stays.
pub(super) fn move_item(
    document: &Document<'_>,
    path: &[Step],
    from: usize,
    to: usize,
) -> Result<Change, EditError> {
    let located = document.locate(path)?;
    let last = located.node.items().len().saturating_sub(1);
    if located.node.items().is_empty() || from > last || to > last {
        return Err(EditError::Index { path: print_path(path), last });
    }
    if located.written.is_alias {
        return Err(EditError::Alias(print_path(path)));
    }
    let mut pieces = entries(document, located.node).ok_or(EditError::NotInPlace)?;
    if !document.is_flow(located.node) {
        let indent = document.column(pieces[0].start);
        for piece in &mut pieces {
            *piece = with_comments(document, piece.start)..behind(document, piece.end, indent);
        }
    }
    let text = document.text();
    let mut order: Vec<_> = (0..pieces.len()).collect();
    let item = order.remove(from);
    order.insert(to, item);
    let mut moved = String::new();
    for (rank, idx) in order.into_iter().enumerate() {
        moved.push_str(&text[pieces[idx].clone()]);
        if let Some(next) = pieces.get(rank + 1) {
            moved.push_str(&text[pieces[rank].end..next.start]);
        }
    }
    Ok(Change { range: pieces[0].start..pieces[last].end, text: moved })
}

/// Gives a field another name.
pub(super) fn rename(
    document: &Document<'_>,
    path: &[Step],
    from: &str,
    to: &str,
) -> Result<Change, EditError> {
    let field = [path, &[Step::Key(from.to_owned())]].concat();
    let located = document.locate(&field)?;
    let span = located.key.and_then(Key::span).ok_or(EditError::NotInPlace)?;
    let renamed = Step::Key(to.to_owned());
    if from != to && located.holder.is_some_and(|holder| renamed.of(holder).is_some()) {
        return Err(EditError::Exists(print_path(&[path, &[renamed]].concat())));
    }
    let name = if located.is_in_flow { to_flow_yaml(&Node::from(to)) } else { quote(to) };
    Ok(Change { range: span.start as usize..span.end as usize, text: name })
}
