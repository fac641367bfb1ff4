//! One value of a manifest as a YAML text of its own, to be edited, and put back.

use std::ops::Range;

use super::change::{Around, Change, Indents, behind};
use super::error::EditError;
use super::place::{Document, Located, Step};
use crate::manifest::{Findings, Key, Node, NodeValue, Source, parse};

/// The text of a value as it is written, with its comments, without the indentation around it.
pub fn component(text: &str, path: &[Step]) -> Result<String, EditError> {
    let document = Document::read(text)?;
    let located = document.locate(path)?;
    if located.holder.is_none() {
        return Ok(text.to_owned());
    }
    let Extent { range, indent, .. } = Extent::of(&document, &located);
    let mut yaml = String::new();
    for (idx, line) in text[range].lines().enumerate() {
        let own = line.len() - line.trim_start_matches(' ').len();
        yaml.push_str(if idx == 0 { line.trim_start() } else { &line[own.min(indent)..] });
        yaml.push('\n');
    }
    Ok(yaml)
}

/// What belongs to a value.
struct Extent {
    range: Range<usize>,
    /// How far its lines are indented.
    indent: usize,
    /// Whether it begins on a line of its own.
    has_lines: bool,
}

impl Extent {
    fn of(document: &Document<'_>, located: &Located<'_>) -> Self {
        let text = document.text();
        let written = &located.written;
        let node = located.node;
        let lead = &text[written.after..written.range.start];
        let base = located
            .key
            .and_then(Key::span)
            .map_or(written.after.saturating_sub(1), |key| key.start as usize);
        let base = document.column(base);
        let is_block =
            (node.as_map().is_some() || node.as_seq().is_some()) && !document.is_flow(node);
        if located.is_in_flow || !is_block || written.is_alias {
            let start = if written.properties.is_empty() {
                written.range.start
            } else {
                written.properties.start
            };
            return Self { range: start..written.range.end, indent: base, has_lines: false };
        }
        let indent = document.column(written.range.start);
        let end = behind(document, written.range.end, indent.saturating_sub(1).max(base));
        let has_lines = lead.contains('\n');
        let start = if has_lines {
            let line = written.properties.end.max(written.after);
            document.next_line(line).unwrap_or(written.range.start)
        } else {
            written.range.start
        };
        Self { range: start..end, indent, has_lines }
    }
}

/// What becomes of a text when a YAML text takes the place of a value, and the new value.
pub(super) fn replace(
    document: &Document<'_>,
    path: &[Step],
    yaml: &str,
) -> Result<(Change, Node), EditError> {
    let value = read(yaml)?;
    let located = document.locate(path)?;
    if located.holder.is_none() {
        let text = yaml.to_owned();
        return Ok((Change { range: 0..document.text().len(), text }, value));
    }
    let content = yaml.trim_end();
    let indents = Indents::of(document, &located, document.layout());
    let extent = Extent::of(document, &located);
    let around = Around::of(document, &located.written);
    let is_block = match value.value() {
        NodeValue::Map(_) | NodeValue::Seq(_) => {
            let start = value.span().map_or(0, |span| span.start as usize);
            !yaml[start..].starts_with(['{', '['])
        }
        _ => false,
    };
    if !is_block || located.is_in_flow {
        let body = indented(content.trim_start(), indents.base);
        let change = if extent.has_lines || located.written.range.is_empty() {
            Change {
                range: located.written.after..extent.range.end,
                text: around.assemble(&body, None),
            }
        } else {
            Change { range: extent.range, text: body }
        };
        return Ok((change, value));
    }
    let is_same_kind = located.node.as_seq().is_some() == value.as_seq().is_some();
    let begins_with_comment = content.trim_start().starts_with('#');
    let is_in_item = located.key.is_none() && !extent.has_lines && !begins_with_comment;
    let was_block = extent.has_lines || located.key.is_none();
    let indent = if was_block && is_same_kind { extent.indent } else { indents.block(&value) };
    let body = indented(content, indent);
    let change = if extent.has_lines {
        let blanks = if body.starts_with('\n') { 0 } else { indent };
        let text = format!("{}{body}", " ".repeat(blanks));
        Change { range: extent.range, text }
    } else if is_in_item && around.properties.is_empty() {
        Change { range: extent.range, text: body }
    } else {
        let range = located.written.after..around.end.max(extent.range.end);
        Change { range, text: around.assemble(&body, Some(indent)) }
    };
    Ok((change, value))
}

fn read(yaml: &str) -> Result<Node, EditError> {
    let mut findings = Findings::default();
    parse(&Source::new("component.yaml", yaml), &mut findings).ok_or_else(|| {
        let finding = findings.first_error();
        let span = finding.and_then(|it| it.span).unwrap_or_default();
        let message = finding.map(|it| it.message.clone()).unwrap_or_default();
        EditError::Yaml { message, line: span.line, column: span.column }
    })
}

/// The lines of a text, all but the first indented more.
fn indented(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for (idx, line) in text.lines().enumerate() {
        if idx > 0 {
            out.push('\n');
            if !line.is_empty() {
                out.extend(std::iter::repeat_n(' ', indent));
            }
        }
        out.push_str(line);
    }
    out
}
