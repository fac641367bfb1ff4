//! Filters for HTML, which manifests use for JSON.

use crate::template::args::Args;
use crate::template::cx::Cx;
use crate::template::error::EvalError;
use crate::template::iterate::pairs;
use crate::template::lexer::is_whitespace;
use crate::template::value::Value;
use crate::template::{json, markup, ops};

use super::{flag, text_argument};

type Evaluated<'a> = Result<Value<'a>, EvalError>;

pub(super) fn escape<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("escape")?;
    let escaped = markup::escape(input)?;
    cx.charge(escaped.len())?;
    Ok(Value::Markup(escaped.as_ref().into()))
}

pub(super) fn forceescape<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("forceescape")?;
    let escaped = markup::escape_text(&input.py_str()?);
    cx.charge(escaped.len())?;
    Ok(Value::Markup(escaped.into()))
}

pub(super) fn safe<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("safe")?;
    Ok(Value::Markup(input.py_str()?.as_ref().into()))
}

pub(super) fn tojson<'a>(cx: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [indent] = args.bind("tojson", ["indent"], 0)?;
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Str(indent)) => Some(indent.to_string()),
        Some(width) => {
            let width = usize::try_from(ops::to_index(&width)?).unwrap_or(0);
            cx.charge(width)?;
            Some(" ".repeat(width))
        }
    };
    let text = json::dumps(cx, input, true, indent.as_deref())?;
    cx.charge(text.len())?;
    let mut safe = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\'' => safe.push_str("\\u0027"),
            _ => safe.push(char),
        }
    }
    Ok(Value::Markup(safe.into()))
}

pub(super) fn xmlattr<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [autospace] = args.bind("xmlattr", ["autospace"], 0)?;
    if let Value::Undefined(undefined) = input {
        return Err(undefined.error());
    }
    if !ops::is_mapping(input) {
        let type_name = input.type_name();
        return Err(EvalError::Attribute(format!("'{type_name}' object has no attribute 'items'")));
    }
    let mut attributes = Vec::new();
    for (key, value) in pairs(input) {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let name = text_argument(&key, "attribute name")?;
        if name.contains(|char: char| " \t\n\r\x0b\x0c/>=".contains(char)) {
            let shown = key.py_repr()?;
            return Err(EvalError::Value(format!("Invalid character in attribute name: {shown}")));
        }
        attributes.push(format!("{}=\"{}\"", markup::escape(&key)?, markup::escape(&value)?));
    }
    let joined = attributes.join(" ");
    let is_spaced = flag(autospace, true) && !joined.is_empty();
    Ok(Value::from(if is_spaced { format!(" {joined}") } else { joined }))
}

pub(super) fn striptags<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    args.none("striptags")?;
    let text = input.py_str()?;
    let text = without(&without(&text, "<!--", "-->"), "<", ">");
    let words: Vec<&str> = text.split(is_whitespace).filter(|word| !word.is_empty()).collect();
    Ok(Value::from(unescape(&words.join(" "))))
}

/// The text without what stands between `open` and `close`.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let Some((_, after)) = after.split_once(close) else { break };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// `html.unescape(text)`, for the entities that are written in practice.
fn unescape(text: &str) -> String {
    const NAMED: [(&str, &str); 8] = [
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{a0}"),
        ("copy", "©"),
        ("euro", "€"),
    ];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let entity = after.split_once(';').and_then(|(entity, after)| {
            let code =
                entity.strip_prefix('#').and_then(|code| match code.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok(),
                    None => code.parse().ok(),
                });
            let char = code.and_then(char::from_u32).map(String::from);
            let named = NAMED.iter().find(|(name, _)| *name == entity);
            char.or_else(|| named.map(|(_, text)| (*text).to_owned())).map(|text| (text, after))
        });
        rest = after;
        if let Some((text, after)) = entity {
            plain.push_str(&text);
            rest = after;
        } else {
            plain.push('&');
        }
    }
    plain.push_str(rest);
    plain
}

/// Web addresses become links; the simple forms only.
pub(super) fn urlize<'a>(_: &Cx<'a>, input: &Value<'a>, args: Args<'a>) -> Evaluated<'a> {
    let [limit, nofollow, target, rel, _schemes] =
        args.bind("urlize", ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], 0)?;
    let limit =
        limit.and_then(|limit| limit.as_i64()).and_then(|limit| usize::try_from(limit).ok());
    let mut rels: Vec<String> = match &rel {
        Some(rel) if !rel.is_none() => rel.py_str()?.split(' ').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    rels.push("noopener".to_owned());
    rels.extend(flag(nofollow, false).then(|| "nofollow".to_owned()));
    rels.retain(|rel| !rel.is_empty());
    rels.sort();
    rels.dedup();
    let target = match target.filter(|target| !target.is_none()) {
        Some(target) => format!(" target=\"{}\"", markup::escape(&target)?),
        None => String::new(),
    };
    let attributes = format!(" rel=\"{}\"{target}", rels.join(" "));
    let text = markup::escape(input)?;
    let linked = text.split_inclusive(is_whitespace).map(|word| {
        let bare = word.trim_end_matches(is_whitespace);
        let middle = bare.trim_end_matches(['.', ',', '!', '?', ';', ':', ')']);
        let is_http = middle.starts_with("http://") || middle.starts_with("https://");
        let is_web = middle.starts_with("www.") && middle.len() > 4;
        if !is_http && !is_web {
            return word.to_owned();
        }
        let shown: String = match limit {
            Some(limit) if middle.chars().count() > limit => {
                middle.chars().take(limit).chain("...".chars()).collect()
            }
            _ => middle.to_owned(),
        };
        let scheme = if is_http { "" } else { "https://" };
        let tail = &word[middle.len()..];
        format!("<a href=\"{scheme}{middle}\"{attributes}>{shown}</a>{tail}")
    });
    Ok(Value::from(linked.collect::<String>()))
}
