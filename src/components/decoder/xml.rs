//! `XmlDecoder`: one XML document, as the library `xmltodict` of the reference turns it into a value.
//!
//! An element is its text; with attributes (`@name`) or children it is an
//! object, which has the text as `#text`. Equal tags side by side make a list.
//! White space around text is dropped, and an element without anything is null.

use std::sync::{Arc, LazyLock};

use quick_xml::XmlVersion;
use quick_xml::events::attributes::AttrError;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;
use regex::Regex;
use tracing::warn;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, Decode, Decoder, ReadError};
use crate::http::{Headers, decode_text};
use crate::value::{Json, Map};

/// Elements within elements that are read.
const MAX_DEPTH: usize = 1024;

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Reads a body that is an XML document. Attributes become fields with an `@` before their
        /// name; the text beside attributes or other elements becomes `#text`.
        pub struct XmlDecoder {}
    }
}

impl Component for yaml::XmlDecoder {
    type Family = dyn Decoder;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Decoder>, BuildError> {
        Ok(Arc::new(XmlDecoder))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct XmlDecoder;

impl Decoder for XmlDecoder {
    fn begin(&self, headers: &Headers) -> Box<dyn Decode> {
        let content_type = headers.get("content-type").map(str::to_owned);
        Box::new(XmlBody { bytes: Vec::new(), content_type })
    }

    fn supports_pagination(&self) -> bool {
        true
    }
}

struct XmlBody {
    bytes: Vec<u8>,
    content_type: Option<String>,
}

impl Decode for XmlBody {
    fn feed(&mut self, bytes: &[u8], _: &mut Vec<Json>) -> Result<(), ReadError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(&mut self, elements: &mut Vec<Json>) -> Result<(), ReadError> {
        let text = decode_text(&std::mem::take(&mut self.bytes), self.content_type.as_deref());
        let document = parse_xml(&text).unwrap_or_else(|err| {
            warn!("Response cannot be parsed from XML: {err}");
            Map::new()
        });
        elements.push(Json::Object(document));
        Ok(())
    }
}

/// An element of which the end has not come.
#[derive(Default)]
struct Open {
    name: String,
    /// Attributes and children.
    fields: Map,
    text: String,
}

impl Open {
    /// Adds a child; the second of its name makes a list.
    fn push(&mut self, name: String, value: Json) {
        match self.fields.get_mut(&name) {
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
            None => {
                self.fields.insert(name, value);
            }
        }
    }

    fn close(mut self) -> (String, Json) {
        let text = self.text.trim();
        let text = if text.is_empty() { Json::Null } else { Json::from(text) };
        if self.fields.is_empty() {
            return (self.name, text);
        }
        if !text.is_null() {
            self.push("#text".to_owned(), text);
        }
        (self.name, Json::Object(self.fields))
    }
}

/// Why a text is no XML document.
#[derive(Debug, thiserror::Error)]
enum XmlError {
    #[error(transparent)]
    Syntax(#[from] quick_xml::Error),
    #[error(transparent)]
    Attribute(#[from] AttrError),
    #[error("not well-formed ({0})")]
    NotWellFormed(&'static str),
}

/// The document as an object of its one element.
fn parse_xml(text: &str) -> Result<Map, XmlError> {
    let mut reader = Reader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut document = Document::default();
    loop {
        let is_first = reader.buffer_position() == 0;
        match reader.read_event()? {
            Event::Start(tag) => document.open(&tag)?,
            Event::Empty(tag) => {
                document.open(&tag)?;
                document.close();
            }
            // The reader has checked that this is the end of the innermost element.
            Event::End(_) => document.close(),
            Event::Text(text) => document.add_text(&text.xml10_content(), false)?,
            Event::CData(text) => document.add_text(&text.xml10_content(), true)?,
            Event::GeneralRef(reference) => document.add_reference(&reference)?,
            Event::DocType(_) => document.has_doctype = true,
            Event::Decl(declaration) if is_first && is_declaration(&declaration) => {}
            Event::Decl(_) => return Err(XmlError::NotWellFormed("invalid XML declaration")),
            Event::PI(instruction) if is_name(instruction.target()) => {}
            Event::PI(_) => return Err(XmlError::NotWellFormed("invalid processing instruction")),
            Event::Comment(_) => {}
            Event::Eof => return document.finish(),
        }
    }
}

#[derive(Default)]
struct Document {
    /// What stands outside of all elements: the one element, once it is complete.
    root: Open,
    /// The elements that are open, the innermost last.
    open: Vec<Open>,
    has_doctype: bool,
}

impl Document {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.open.len() == MAX_DEPTH {
            return Err(XmlError::NotWellFormed("nested too deep"));
        }
        if self.open.is_empty() && !self.root.fields.is_empty() {
            return Err(XmlError::NotWellFormed("junk after document element"));
        }
        let name = tag.name().0.to_owned();
        let mut fields = Map::new();
        for attribute in tag.attributes() {
            let attribute = attribute?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
            if !is_name(attribute.key.0) || !is_text(&value) || attribute.value.contains('<') {
                return Err(XmlError::NotWellFormed("invalid attribute"));
            }
            fields.insert(format!("@{}", attribute.key.0), Json::String(value.into_owned()));
        }
        if !is_name(&name) {
            return Err(XmlError::NotWellFormed("invalid name"));
        }
        self.open.push(Open { name, fields, text: String::new() });
        Ok(())
    }

    fn close(&mut self) {
        if let Some((name, value)) = self.open.pop().map(Open::close) {
            self.open.last_mut().unwrap_or(&mut self.root).push(name, value);
        }
    }

    fn add_text(&mut self, text: &str, is_literal: bool) -> Result<(), XmlError> {
        if !is_text(text) || (!is_literal && text.contains("]]>")) {
            return Err(XmlError::NotWellFormed("invalid character"));
        }
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if is_literal || !text.bytes().all(|byte| byte.is_ascii_whitespace()) => {
                return Err(XmlError::NotWellFormed("text outside of elements"));
            }
            None => {}
        }
        Ok(())
    }

    fn add_reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let character = match &*reference.xml10_content() {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref()?,
        };
        let Some(element) = self.open.last_mut() else {
            return Err(XmlError::NotWellFormed("text outside of elements"));
        };
        match character {
            Some(character) => element.text.push(character),
            // Entities that a document declares are not expanded.
            None if self.has_doctype => {}
            None => return Err(XmlError::NotWellFormed("undefined entity")),
        }
        Ok(())
    }

    fn finish(self) -> Result<Map, XmlError> {
        if !self.open.is_empty() || self.root.fields.is_empty() {
            return Err(XmlError::NotWellFormed("no element found"));
        }
        Ok(self.root.fields)
    }
}

/// Whether this can stand in `<?…?>` at the start of a document.
fn is_declaration(text: &str) -> bool {
    #[expect(clippy::unwrap_used, reason = "the pattern is a constant, and tested")]
    static DECLARATION: LazyLock<Regex> = LazyLock::new(|| {
        let quoted = |inner: &str| format!(r#"\s*=\s*(?:"(?:{inner})"|'(?:{inner})')"#);
        let (version, encoding) = (quoted(r"1\.[0-9]+"), quoted(r"[A-Za-z][\w.-]*"));
        let standalone = quoted("yes|no");
        Regex::new(&format!(
            r"^xml\s+version{version}(?:\s+encoding{encoding})?(?:\s+standalone{standalone})?\s*$"
        ))
        .unwrap()
    });
    DECLARATION.is_match(text)
}

/// Whether XML allows all the characters.
fn is_text(text: &str) -> bool {
    let is_control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    !text.contains(|c: char| is_control(c) || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn is_name(name: &str) -> bool {
    let is_start = |c: char| c.is_alphabetic() || c == '_' || c == ':';
    let is_part = |c: char| is_start(c) || c.is_numeric() || matches!(c, '-' | '.' | '·');
    name.starts_with(is_start) && name.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{check, check_with};
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expect: Json) {
        check(&XmlDecoder, text.as_bytes(), Json::Array(vec![expect]));
    }

    #[test]
    fn elements_become_fields() {
        check_text(
            "<?xml version=\"1.0\"?>\n<a><b>1</b><c/><d> </d></a>\n",
            json!({"a": {"b": "1", "c": null, "d": null}}),
        );
        check_text(
            "<a><b>1</b><b/><b c='x'>2</b></a>",
            json!({"a": {"b": ["1", null, {"@c": "x", "#text": "2"}]}}),
        );
        check_text(
            "<?xml version='1.1' encoding = 'x-y' standalone=\"no\" ?><a/>",
            json!({"a": null}),
        );
        check_text("\u{feff}<!-- x --><a/><?y?>", json!({"a": null}));
        check_text(
            "<n:a xmlns:n=\"u\" n:b=\"1\"><n:é/></n:a>",
            json!({"n:a": {"@xmlns:n": "u", "@n:b": "1", "n:é": null}}),
        );
    }

    #[test]
    fn text_is_trimmed_and_joined() {
        check_text("<a>\r\nx\r\ny\u{a0}</a>", json!({"a": "x\ny"}));
        check_text("<a> x<b/>y </a>", json!({"a": {"b": null, "#text": "xy"}}));
        check_text("<a>x<![CDATA[<y> ]]>z<!-- c --></a>", json!({"a": "x<y> z"}));
        check_text("<a>&lt;&amp;&#65;&#x42;&quot;</a>", json!({"a": "<&AB\""}));
        check_text("<a b=\"x&#10;y\n\tz &lt;\"/>", json!({"a": {"@b": "x\ny  z <"}}));
    }

    #[test]
    fn declared_entities_vanish() {
        check_text("<!DOCTYPE a [<!ENTITY e \"v\">]><a>x&e;y</a>", json!({"a": "xy"}));
    }

    #[test]
    fn what_is_not_well_formed_is_an_empty_object() {
        let broken = [
            "",
            "x<a/>",
            "<a",
            "<a/>x",
            "<a/><b/>",
            "<a><b></a>",
            "<A></a>",
            "<a>",
            "<a b=1/>",
            "<a b/>",
            "<a b='<'/>",
            "<a b='1' b='2'/>",
            "<a>&foo;</a>",
            "<a>&#0;</a>",
            "<a>\u{1}</a>",
            "<a>x & y</a>",
            "<a>]]></a>",
            "<1a/>",
            "<a @='1'/>",
            "&amp;<a/>",
            "<![CDATA[x]]><a/>",
        ];
        let broken_heads = [
            " <?xml version=\"1.0\"?><a/>",
            "<?xml version='1.0\"?><a/>",
            "<?xml?><a/>",
            "<?xml encoding='x'?><a/>",
            "<a/><?xml version='1.0'?>",
            "<?x<l version='1.0'?><a/>",
            "<?xml\"version='1.0'?><a/>",
        ];
        for text in broken.iter().chain(&broken_heads) {
            check_text(text, json!({}));
        }
        check_text(&"<a>".repeat(100_000), json!({}));
    }

    #[test]
    fn the_character_set_is_that_of_the_headers() {
        let latin = [("Content-Type", "application/xml; charset=iso-8859-1")];
        check_with(&XmlDecoder, &latin, b"<a>\xe9</a>", json!([{"a": "é"}]));
    }
}
