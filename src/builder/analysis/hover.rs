//! What the thing under the pointer is.

use serde::Serialize;

use super::complete::inputs;
use super::cursor::{self, Spot};
use super::lines::{Lines, Place};
use super::shapes;
use super::vocabulary::{self, FILTERS, MACROS, VARIABLES};
use crate::builder::edit::{Step, component};
use crate::manifest::{Findings, Key, Node, Source, parse};

/// How many lines of a definition are shown.
const MOST_LINES: usize = 25;

/// What something is, and where it stands.
#[derive(Debug, Serialize)]
pub struct Hover {
    documentation: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// What stands at a line and a column; nothing if there is nothing to say of it.
pub fn hover(text: &str, line: usize, column: usize) -> Option<Hover> {
    let lines = Lines::new(text);
    let offset = lines.offset(line, column);
    let root = parse(&Source::new("manifest.yaml", text), &mut Findings::default())?;
    let (documentation, start, end) = match cursor::spot(text, offset).0 {
        Spot::Comment => return None,
        Spot::Expression(_) => in_expression(text, offset, &root)?,
        Spot::Key | Spot::Value(_) => in_document(text, offset, &root)?,
    };
    let Place { line, column, end_line, end_column } = lines.place(start, end);
    Some(Hover { documentation, line, column, end_line, end_column })
}

fn in_expression(text: &str, offset: usize, root: &Node) -> Option<(String, usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = text[..offset].trim_end_matches(is_word).len();
    let rest = &text[offset..];
    let end = offset + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let (name, before) = (&text[start..end], text[..start].trim_end());
    let described = |word: &vocabulary::Word| format!("`{}`\n\n{}", word.detail, word.about);
    if before.ends_with('|') {
        return Some((described(vocabulary::find(FILTERS, name)?), start, end));
    }
    let access = before.trim_end_matches(['\'', '"', '[', '.']);
    if access != before && access.ends_with("config") {
        let (_, schema) = inputs(root).into_iter().find(|(input, _)| input == name)?;
        let title = schema["title"].as_str().unwrap_or(name);
        let about = schema["description"].as_str().unwrap_or_default();
        let documentation = format!("**{title}** `{}`\n\n{about}", shapes::kind(&schema));
        return Some((documentation.trim_end().to_owned(), start, end));
    }
    let is_call = text[end..].trim_start().starts_with('(');
    let word =
        if is_call { vocabulary::find(MACROS, name) } else { vocabulary::find(VARIABLES, name) };
    Some((described(word?), start, end))
}

fn in_document(text: &str, offset: usize, root: &Node) -> Option<(String, usize, usize)> {
    let (path, is_key) = cursor::at(root, offset);
    let value = path.iter().try_fold(root, |node, step| step.of(node))?;
    let (holders, _) = shapes::way(root, &path);
    let place = |node: &Node| node.span().map(|span| (span.start as usize, span.end as usize));
    if !is_key && let Some(reference) = value.as_str().and_then(|it| it.strip_prefix("#/")) {
        let (start, end) = place(value)?;
        return Some((definition(text, root, reference)?, start, end));
    }
    let Some(Step::Key(name)) = path.last() else { return None };
    let holder = holders.last()?;
    let (start, end) = if is_key {
        let (key, _) = holder.node.as_map()?.get_entry(name)?;
        let span = Key::span(key)?;
        (span.start as usize, span.end as usize)
    } else {
        place(value)?
    };
    if name == "type" && !is_key {
        let shape = shapes::of_type(value.as_str()?)?;
        let about = shape["description"].as_str()?;
        return Some((format!("**{}**\n\n{about}", value.as_str()?), start, end));
    }
    let (shape, schema) =
        holder.shapes.iter().find_map(|shape| Some((shape, shape["properties"].get(name)?)))?;
    let is_required = shape["required"].as_array().is_some_and(|it| it.iter().any(|it| it == name));
    let required = if is_required { ", required" } else { "" };
    let about = shapes::documentation(schema);
    Some((format!("**{name}** `{}`{required}\n\n{about}", shapes::kind(schema)), start, end))
}

/// What a reference leads to.
fn definition(text: &str, root: &Node, reference: &str) -> Option<String> {
    let mut path = Vec::new();
    let mut node = root;
    for name in reference.split('/') {
        let step = match name.parse() {
            Ok(index) if node.as_seq().is_some() => Step::Index(index),
            _ => Step::Key(name.to_owned()),
        };
        node = step.of(node)?;
        path.push(step);
    }
    let yaml = component(text, &path).ok()?;
    let shown: Vec<_> = yaml.lines().take(MOST_LINES).collect();
    let more = if yaml.lines().count() > MOST_LINES { "\n…" } else { "" };
    Some(format!("`#/{reference}`\n\n```yaml\n{}{more}\n```", shown.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "\
definitions:
  auth: {type: BearerAuthenticator, api_token: x}
streams:
  - type: DeclarativeStream
    retriever:
      type: SimpleRetriever
      requester:
        url: \"{{ config['api_key'] | trim }} {{ now_utc() }}\"
        authenticator: \"#/definitions/auth\"
spec:
  connection_specification:
    properties: {api_key: {type: string, title: Key}}
";

    #[track_caller]
    fn check(at: &str, expect: Option<&str>) {
        let offset = MANIFEST.find(at).unwrap() + 1;
        let (line, column) = Lines::new(MANIFEST).position(offset);
        let hover = hover(MANIFEST, line, column);
        let documentation = hover.as_ref().map(|hover| hover.documentation.as_str());
        match expect {
            None => assert_eq!(documentation, None),
            Some(expect) => assert!(documentation.unwrap().contains(expect), "{documentation:?}"),
        }
    }

    #[test]
    fn everything_is_explained() {
        check("url:", Some("**url** `string`"));
        check("SimpleRetriever", Some("**SimpleRetriever**"));
        check("#/definitions/auth", Some("type: BearerAuthenticator"));
        check("config[", Some("the names of the inputs"));
        check("api_key'", Some("**Key** `string`"));
        check("trim", Some("without blanks"));
        check("now_utc", Some("`now_utc()`"));
        check("api_token", Some("**api_token**"));
        check("properties", None);
    }
}
