//! Values as YAML text that reads back as the same values.

use std::fmt::Write;

use super::super::node::{Node, NodeMap, NodeValue};
use super::scalar;

/// How far blocks are indented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// By how much a mapping is indented more than its key.
    pub step: usize,
    /// Whether a list is indented more than its key too, which it need not be.
    pub indents_lists: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self { step: 2, indents_lists: false }
    }
}

/// The value as YAML, in blocks, with a line feed at its end.
pub fn to_yaml(node: &Node) -> String {
    let mut out = to_yaml_at(node, 0, Layout::default());
    out.push('\n');
    out
}

/// The value as YAML that stands somewhere in a text: its first line begins where it is put, and its
/// others are indented. There is no line feed at its end.
pub fn to_yaml_at(node: &Node, indent: usize, layout: Layout) -> String {
    let mut out = String::new();
    value(node, indent, layout, &mut out);
    out
}

/// The value as YAML on one line, as it can stand in brackets too.
pub fn to_flow_yaml(node: &Node) -> String {
    match node.value() {
        NodeValue::Seq(items) => {
            let items: Vec<_> = items.iter().map(to_flow_yaml).collect();
            format!("[{}]", items.join(", "))
        }
        NodeValue::Map(map) => {
            let fields = map.iter().map(|(key, value)| {
                format!("{}: {}", to_flow_yaml(key.node()), to_flow_yaml(value))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        NodeValue::Str(text) if text.contains([',', '[', ']', '{', '}']) && is_plain(text) => {
            in_quotes(text)
        }
        _ => to_yaml_at(node, 0, Layout::default()),
    }
}

/// Text as a scalar that stands on one line.
pub fn quote(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { in_quotes(text) }
}

/// Text in those quotes in which it is easiest to read.
fn in_quotes(text: &str) -> String {
    let is_clear = text.chars().all(is_printable);
    if !is_clear || text.contains('\'') && !text.contains(['"', '\\']) {
        return double_quoted(text);
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Writes a value whose first line begins here, and whose others are indented.
fn value(node: &Node, indent: usize, layout: Layout, out: &mut String) {
    match node.value() {
        NodeValue::Map(map) if !map.is_empty() => mapping(map, indent, layout, out),
        NodeValue::Seq(items) if !items.is_empty() => {
            for (idx, item) in items.iter().enumerate() {
                if idx > 0 {
                    line(indent, out);
                }
                out.push_str("- ");
                value(item, indent + 2, layout, out);
            }
        }
        _ => scalar_text(node, indent, out),
    }
}

fn mapping(map: &NodeMap, indent: usize, layout: Layout, out: &mut String) {
    let inner = indent + layout.step;
    for (idx, (key, field)) in map.iter().enumerate() {
        if idx > 0 {
            line(indent, out);
        }
        match key.as_str() {
            Some(name) => out.push_str(&quote(name)),
            None => scalar_text(key.node(), indent, out),
        }
        out.push(':');
        match field.value() {
            NodeValue::Map(map) if !map.is_empty() => {
                line(inner, out);
                mapping(map, inner, layout, out);
            }
            NodeValue::Seq(items) if !items.is_empty() => {
                let indent = if layout.indents_lists { inner } else { indent };
                line(indent, out);
                value(field, indent, layout, out);
            }
            _ => {
                out.push(' ');
                scalar_text(field, inner, out);
            }
        }
    }
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

/// Writes a scalar, or what is empty; the lines of a text are indented.
fn scalar_text(node: &Node, indent: usize, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = match node.value() {
        NodeValue::Null => out.write_str("null"),
        NodeValue::Bool(flag) => write!(out, "{flag}"),
        NodeValue::Int(int) => write!(out, "{int}"),
        NodeValue::BigInt(int) => write!(out, "{int}"),
        NodeValue::Float(float) => out.write_str(&float_text(*float)),
        NodeValue::Date(date) => write!(out, "{date}"),
        NodeValue::DateTime(timestamp) => write!(out, "{timestamp}"),
        NodeValue::Seq(_) => out.write_str("[]"),
        NodeValue::Map(_) => out.write_str("{}"),
        // Lines that are not indented could be anything.
        NodeValue::Str(text) if indent > 0 && is_block(text) => {
            block(text, indent, out);
            Ok(())
        }
        NodeValue::Str(text) => out.write_str(&quote(text)),
    };
}

/// A float of YAML 1.1 has a point, and its exponent a sign.
fn float_text(float: f64) -> String {
    if float.is_nan() {
        return ".nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{float:?}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

/// Whether a text is itself when it is written without quotes, also as a key.
fn is_plain(text: &str) -> bool {
    let is_text = matches!(scalar::resolve(text), Ok(NodeValue::Str(_)));
    let begins_well = !text.starts_with([
        '-', '?', ':', ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@',
        '`', '.',
    ]);
    is_text
        && begins_well
        && !text.ends_with(':')
        && text.trim() == text
        && text.chars().all(is_printable)
        && ![": ", " #", ":\t", "\t#"].iter().any(|mark| text.contains(mark))
}

fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text of several lines can be written line by line.
fn is_block(text: &str) -> bool {
    text.trim_end_matches('\n').contains('\n')
        && !text.starts_with([' ', '\n'])
        && !text.ends_with("\n\n")
        && text.chars().all(|c| c == '\n' || is_printable(c))
}

fn block(text: &str, indent: usize, out: &mut String) {
    let lines = text.strip_suffix('\n');
    out.push_str(if lines.is_some() { "|" } else { "|-" });
    for text in lines.unwrap_or(text).split('\n') {
        match text {
            "" => out.push('\n'),
            text => {
                line(indent, out);
                out.push_str(text);
            }
        }
    }
}

/// Text in double quotes.
pub fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a text cannot fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            '\n' => out.write_str("\\n"),
            '\t' => out.write_str("\\t"),
            c if is_printable(c) => write!(out, "{c}"),
            c if u32::from(c) < 0x100 => write!(out, "\\x{:02X}", u32::from(c)),
            c => write!(out, "\\u{:04X}", u32::from(c)),
        };
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::finding::Findings;
    use super::super::super::source::Source;
    use super::super::{parse, testing};
    use super::*;
    use crate::value::Json;

    fn read(text: &str) -> Option<Node> {
        parse(&Source::new("test.yaml", text), &mut Findings::default())
    }

    #[test]
    fn what_is_written_is_easy_to_read() {
        let text = "\
a: text
b:
- 1
- c: '#/x'
  d: []
- - 'yes'
  - 2024-01-31
'5': null
1.5: 1.0e+20
e: |-
  two

    lines
f: |
  {{ x }}
  y
g: \"a\\tb\"
h:
  i: \"it's: x\"
  j: 'it''s \"x\": y'
";
        assert_eq!(to_yaml(&read(text).unwrap()), text);
    }

    fn values() -> impl Strategy<Value = Json> {
        let text = r#"[a-z0-9é:#{}\[\],&*!|>%@'"\n\t .+=<~_-]{0,8}"#;
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            text.prop_map(Json::from),
            any::<String>().prop_map(Json::from),
        ];
        testing::tree(leaf, text)
    }

    proptest! {
        #[test]
        fn everything_reads_back(json in values()) {
            let node = Node::from_json(&json, None);
            let text = to_yaml(&node);
            prop_assert_eq!(self::read(&text), Some(node.clone()), "{}", text);
            let text = format!("a: [{}]", to_flow_yaml(&node));
            let read = self::read(&text);
            let item = read.as_ref().and_then(|root| root.get("a")?.items().first());
            prop_assert_eq!(item, Some(&node), "{}", text);
            let layout = Layout { step: 4, indents_lists: true };
            let text = format!("a:\n - {}\n", to_yaml_at(&node, 3, layout));
            let read = self::read(&text);
            let item = read.as_ref().and_then(|root| root.get("a")?.items().first());
            prop_assert_eq!(item, Some(&node), "{}", text);
        }
    }
}
