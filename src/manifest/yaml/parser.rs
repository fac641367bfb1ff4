//! Tokens into nodes: the grammar of YAML 1.1, anchors, and merge keys.

use std::collections::HashMap;

use super::super::finding::{Finding, Findings};
use super::super::node::{Key, Node, NodeMap, NodeValue};
use super::super::{MAX_DEPTH, MAX_NODES};
use super::scalar;
use super::scanner::{Mark, Result, Scanner, Style, Token, TokenKind};

/// What the standard tags begin with.
const CORE: &str = "tag:yaml.org,2002:";

pub(super) struct Parser<'a, 'f> {
    scanner: Scanner<'a>,
    findings: &'f mut Findings,
    /// Handles declared by `%TAG`, with what they stand for.
    tag_handles: HashMap<&'a str, String>,
    anchors: HashMap<&'a str, Anchor>,
    depth: usize,
    /// How many nodes there would be if aliases were copies.
    n_nodes: usize,
    /// Where the last token ended that has any text.
    end: Mark,
}

/// What a name stands for, once the end of it was seen.
struct Anchor {
    start: Mark,
    node: Option<(Node, usize)>,
}

#[derive(Default)]
struct Properties<'a> {
    anchor: Option<(&'a str, Mark)>,
    tag: Option<(String, Mark)>,
}

impl Properties<'_> {
    /// The tag, unless it only says that the value is what it looks like.
    fn tag(&self) -> Option<(&str, Mark)> {
        self.tag.as_ref().map(|(tag, mark)| (tag.as_str(), *mark))
    }
}

impl<'a, 'f> Parser<'a, 'f> {
    pub(super) fn new(text: &'a str, findings: &'f mut Findings) -> Self {
        Self {
            scanner: Scanner::new(text),
            findings,
            tag_handles: HashMap::new(),
            anchors: HashMap::new(),
            depth: 0,
            n_nodes: 0,
            end: Mark::default(),
        }
    }

    /// The one document of the text; null if there is none.
    pub(super) fn parse_stream(&mut self) -> Result<Node> {
        use TokenKind as T;
        self.parse_directives()?;
        let token = self.scanner.peek()?;
        let root = match token.kind {
            T::StreamEnd => return Ok(NodeValue::Null.into()),
            T::DocumentStart => {
                let start = self.take()?;
                match self.scanner.peek()?.kind {
                    T::DocumentStart | T::DocumentEnd | T::StreamEnd => self.empty(start.end),
                    _ => self.parse_node(true, false)?,
                }
            }
            _ => self.parse_node(true, false)?,
        };
        while matches!(self.scanner.peek()?.kind, T::DocumentEnd) {
            self.take()?;
        }
        let (start, message) = match self.scanner.peek()? {
            Token { kind: T::StreamEnd, .. } => return Ok(root),
            Token { kind: T::DocumentStart, start, .. } => (*start, "a manifest is one document"),
            Token { start, .. } => (*start, "this does not belong to what stands above"),
        };
        let fault = self.scanner.fault(start, message);
        Err(Box::new(fault.help("look at the indentation of this line and of those above")))
    }

    fn parse_directives(&mut self) -> Result<()> {
        let mut is_versioned = false;
        let mut is_any = false;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &token.kind {
                TokenKind::VersionDirective(major) => {
                    if *major != 1 || is_versioned {
                        let message = "only one `%YAML` can be, and only of version 1";
                        return Err(Box::new(self.scanner.fault(start, message)));
                    }
                    is_versioned = true;
                }
                TokenKind::TagDirective(handle, prefix) => {
                    let (handle, prefix) = (*handle, prefix.to_string());
                    if self.tag_handles.insert(handle, prefix).is_some() {
                        let message = format!("`%TAG {handle}` is declared twice");
                        return Err(Box::new(self.scanner.fault(start, message)));
                    }
                }
                TokenKind::OtherDirective => {}
                TokenKind::DocumentStart => return Ok(()),
                _ if is_any => {
                    let fault = self.scanner.fault(start, "directives end with a line `---`");
                    return Err(Box::new(fault));
                }
                _ => return Ok(()),
            }
            is_any = true;
            self.take()?;
        }
    }

    /// Parses a value. `is_block` tells whether it may go on by indentation, and
    /// `is_indentless` whether it may be a list no further right than its key.
    fn parse_node(&mut self, is_block: bool, is_indentless: bool) -> Result<Node> {
        let token = self.scanner.peek()?;
        let start = token.start;
        if let TokenKind::Alias(name) = token.kind {
            return self.parse_alias(name);
        }
        self.depth += 1;
        self.n_nodes += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("values are nested deeper than {MAX_DEPTH} levels");
            return Err(self.fault(start, "yaml/too-deep", message));
        }
        let properties = self.parse_properties()?;
        let n_nodes_before = self.n_nodes;
        if let Some((name, start)) = properties.anchor
            && let Some(first) = self.anchors.insert(name, Anchor { start, node: None })
        {
            let first = self.scanner.span(first.start, first.start);
            let message = format!("the anchor `&{name}` is set twice");
            let fault = self.fault(start, "yaml/anchor", message);
            return Err(Box::new(fault.relate(Some(first), "set here first")));
        }
        let node = self.parse_content(&properties, is_block, is_indentless)?;
        if let Some((name, start)) = properties.anchor {
            let weight = 1 + self.n_nodes - n_nodes_before;
            let node = Some((node.clone(), weight));
            self.anchors.insert(name, Anchor { start, node });
        }
        self.depth -= 1;
        Ok(node)
    }

    fn parse_alias(&mut self, name: &'a str) -> Result<Node> {
        let token = self.take()?;
        match self.anchors.get(name) {
            Some(Anchor { node: Some((node, weight)), .. }) => {
                self.n_nodes = self.n_nodes.saturating_add(*weight);
                if self.n_nodes > MAX_NODES {
                    let message = format!("the aliases stand for more than {MAX_NODES} values");
                    return Err(self.fault(token.start, "yaml/too-large", message));
                }
                Ok(node.clone())
            }
            Some(Anchor { start, .. }) => {
                let span = self.scanner.span(*start, *start);
                let message = format!("`*{name}` stands inside of `&{name}`");
                let fault = self.fault(token.start, "yaml/alias", message);
                Err(Box::new(fault.relate(Some(span), "which begins here")))
            }
            None => {
                let fault =
                    self.fault(token.start, "yaml/alias", format!("there is no `&{name}` above"));
                Err(Box::new(fault.suggest(name, self.anchors.keys().copied())))
            }
        }
    }

    /// An anchor and a tag, in either order.
    fn parse_properties(&mut self) -> Result<Properties<'a>> {
        let mut properties = Properties::default();
        loop {
            match &self.scanner.peek()?.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    let name = *name;
                    properties.anchor = Some((name, self.take()?.start));
                }
                TokenKind::Tag(handle, suffix) if properties.tag.is_none() => {
                    let (handle, suffix) = (*handle, suffix.clone());
                    let start = self.take()?.start;
                    let prefix = match (self.tag_handles.get(handle), handle) {
                        (Some(prefix), _) => prefix,
                        (None, "" | "!") => handle,
                        (None, "!!") => CORE,
                        (None, _) => {
                            let message = format!("`%TAG` declares no `{handle}`");
                            return Err(self.fault(start, "yaml/tag", message));
                        }
                    };
                    properties.tag = Some((format!("{prefix}{suffix}"), start));
                }
                _ => return Ok(properties),
            }
        }
    }

    fn parse_content(
        &mut self,
        properties: &Properties<'a>,
        is_block: bool,
        is_indentless: bool,
    ) -> Result<Node> {
        use TokenKind as T;
        let token = self.scanner.peek()?;
        let start = token.start;
        match token.kind {
            T::Scalar(..) => {
                let token = self.take()?;
                match token.kind {
                    T::Scalar(text, style) => {
                        // The tag `!` makes plain text of quoted text, in libyaml.
                        let is_forced = properties.tag().is_some_and(|(tag, _)| tag == "!");
                        let is_plain = is_forced || style == Style::Plain;
                        self.scalar(&text, is_plain, start, token.end, properties)
                    }
                    _ => unreachable!("it is the token that was peeked at"),
                }
            }
            T::BlockEntry if is_indentless => {
                self.check_tag(properties, "seq")?;
                self.parse_block_sequence(start, true)
            }
            T::BlockSequenceStart if is_block => {
                self.check_tag(properties, "seq")?;
                self.take()?;
                self.parse_block_sequence(start, false)
            }
            T::BlockMappingStart if is_block => {
                self.check_tag(properties, "map")?;
                self.take()?;
                self.parse_block_mapping(start)
            }
            T::FlowSequenceStart => {
                self.check_tag(properties, "seq")?;
                self.take()?;
                self.parse_flow_sequence(start)
            }
            T::FlowMappingStart => {
                self.check_tag(properties, "map")?;
                self.take()?;
                self.parse_flow_mapping(start)
            }
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.scalar("", properties.tag.is_none(), start, start, properties)
            }
            _ => Err(Box::new(self.unexpected("a value")?)),
        }
    }

    /// Lists and mappings have no other tag than their own.
    fn check_tag(&self, properties: &Properties<'a>, expect: &str) -> Result<()> {
        match properties.tag() {
            Some((tag, start)) if tag != "!" && tag.strip_prefix(CORE) != Some(expect) => {
                Err(self.bad_tag(tag, start, "a manifest knows no such tag here"))
            }
            _ => Ok(()),
        }
    }

    fn bad_tag(&self, tag: &str, start: Mark, why: &str) -> Box<Finding> {
        let fault = self.fault(start, "yaml/tag", format!("{why}: `{tag}`"));
        Box::new(fault.help("put quotes around the value if no tag is meant"))
    }

    fn scalar(
        &self,
        text: &str,
        is_plain: bool,
        start: Mark,
        end: Mark,
        properties: &Properties<'a>,
    ) -> Result<Node> {
        let span = self.scanner.span(start, end);
        let value = match properties.tag() {
            Some((tag, start)) if tag != "!" => {
                let core = tag.strip_prefix(CORE).ok_or("a manifest knows no such tag");
                core.and_then(|core| scalar::resolve_tagged(core, text))
                    .map_err(|why| self.bad_tag(tag, start, why))?
            }
            _ if is_plain => scalar::resolve(text).map_err(|why| {
                let fault = Finding::error("yaml/scalar", why).at_span(Some(span));
                Box::new(fault.help("put quotes around the value if a text is meant"))
            })?,
            _ => NodeValue::Str(text.into()),
        };
        Ok(Node::new(value, Some(span)))
    }

    fn empty(&mut self, mark: Mark) -> Node {
        self.n_nodes += 1;
        Node::new(NodeValue::Null, Some(self.scanner.span(mark, mark)))
    }

    fn parse_block_sequence(&mut self, start: Mark, is_indentless: bool) -> Result<Node> {
        use TokenKind as T;
        let mut items = Vec::new();
        while matches!(self.scanner.peek()?.kind, T::BlockEntry) {
            let entry = self.take()?;
            items.push(match self.scanner.peek()?.kind {
                T::BlockEntry | T::BlockEnd => self.empty(entry.end),
                T::Key | T::Value if is_indentless => self.empty(entry.end),
                _ => self.parse_node(true, false)?,
            });
        }
        if !is_indentless {
            self.expect_block_end("a `- `, or the end of the list")?;
        }
        Ok(self.sequence(items, start))
    }

    fn expect_block_end(&mut self, what: &str) -> Result<()> {
        if !matches!(self.scanner.peek()?.kind, TokenKind::BlockEnd) {
            return Err(Box::new(self.unexpected(what)?));
        }
        self.take()?;
        Ok(())
    }

    fn parse_block_mapping(&mut self, start: Mark) -> Result<Node> {
        use TokenKind as T;
        let mut fields = Fields::default();
        while matches!(self.scanner.peek()?.kind, T::Key) {
            let mark = self.take()?.end;
            let is_next_empty = |kind: &T| matches!(kind, T::Key | T::Value | T::BlockEnd);
            let key = match &self.scanner.peek()?.kind {
                kind if is_next_empty(kind) => FieldKey::Node(self.empty(mark)),
                _ => self.parse_key(true)?,
            };
            let value = match self.scanner.peek()? {
                Token { kind: T::Value, end, .. } => {
                    let end = *end;
                    self.take()?;
                    match &self.scanner.peek()?.kind {
                        kind if is_next_empty(kind) => self.empty(end),
                        _ => self.parse_node(true, true)?,
                    }
                }
                Token { start, .. } => {
                    let start = *start;
                    self.empty(start)
                }
            };
            self.add_field(&mut fields, key, value)?;
        }
        self.expect_block_end("a key, or the end of the mapping")?;
        Ok(self.mapping(fields, start))
    }

    fn parse_flow_sequence(&mut self, start: Mark) -> Result<Node> {
        use TokenKind as T;
        let mut items = Vec::new();
        loop {
            if !items.is_empty() && !matches!(self.scanner.peek()?.kind, T::FlowSequenceEnd) {
                self.expect_comma(start, "`,` or `]`")?;
            }
            match self.scanner.peek()? {
                Token { kind: T::FlowSequenceEnd, .. } => break,
                // `[key: value]` is a list of one mapping.
                Token { kind: T::Key, start, .. } => {
                    let start = *start;
                    let mut fields = Fields::default();
                    self.parse_flow_field(&mut fields)?;
                    items.push(self.mapping(fields, start));
                }
                _ => items.push(self.parse_node(false, false)?),
            }
        }
        self.take()?;
        Ok(self.sequence(items, start))
    }

    fn parse_flow_mapping(&mut self, start: Mark) -> Result<Node> {
        use TokenKind as T;
        let mut fields = Fields::default();
        let mut is_first = true;
        loop {
            if !is_first && !matches!(self.scanner.peek()?.kind, T::FlowMappingEnd) {
                self.expect_comma(start, "`,` or `}`")?;
            }
            is_first = false;
            match self.scanner.peek()?.kind {
                T::FlowMappingEnd => break,
                T::Key => self.parse_flow_field(&mut fields)?,
                _ => {
                    let key = self.parse_key(false)?;
                    let end = self.scanner.peek()?.start;
                    let value = self.empty(end);
                    self.add_field(&mut fields, key, value)?;
                }
            }
        }
        self.take()?;
        Ok(self.mapping(fields, start))
    }

    /// `key: value` in `{}` or `[]`, of which both may be absent.
    fn parse_flow_field(&mut self, fields: &mut Fields) -> Result<()> {
        use TokenKind as T;
        let mark = self.take()?.end;
        let is_end =
            |kind: &T| matches!(kind, T::FlowEntry | T::FlowMappingEnd | T::FlowSequenceEnd);
        let key = match &self.scanner.peek()?.kind {
            kind if is_end(kind) || matches!(kind, T::Value) => FieldKey::Node(self.empty(mark)),
            _ => self.parse_key(false)?,
        };
        let token = self.scanner.peek()?;
        let mut mark = token.start;
        let has_value = matches!(token.kind, T::Value);
        if has_value {
            mark = self.take()?.end;
        }
        let value = match &self.scanner.peek()?.kind {
            kind if !has_value || is_end(kind) => self.empty(mark),
            _ => self.parse_node(false, false)?,
        };
        self.add_field(fields, key, value)
    }

    fn expect_comma(&mut self, opened: Mark, what: &str) -> Result<()> {
        if !matches!(self.scanner.peek()?.kind, TokenKind::FlowEntry) {
            let opened = self.scanner.span(opened, opened);
            let fault = self.unexpected(what)?;
            return Err(Box::new(fault.relate(Some(opened), "opened here")));
        }
        self.take()?;
        Ok(())
    }

    fn parse_key(&mut self, is_block: bool) -> Result<FieldKey> {
        let token = self.scanner.peek()?;
        let (text, start) = match &token.kind {
            TokenKind::Scalar(text, Style::Plain) if text == "<<" || text == "=" => {
                (text.clone(), token.start)
            }
            _ => return Ok(FieldKey::Node(self.parse_node(is_block, is_block)?)),
        };
        let end = self.take()?.end;
        let span = self.scanner.span(start, end);
        Ok(if text == "<<" {
            FieldKey::Merge
        } else {
            FieldKey::Node(Node::from(&*text).at(Some(span)))
        })
    }

    fn add_field(&mut self, fields: &mut Fields, key: FieldKey, value: Node) -> Result<()> {
        let node = match key {
            FieldKey::Merge => return Self::merge(fields, &value),
            FieldKey::Node(node) => node,
        };
        let (span, kind) = (node.span(), node.kind_name());
        let Some(key) = Key::from_node(node) else {
            let message = format!("{kind} cannot be a key");
            let finding = Finding::error("yaml/key", message).at_span(span);
            return Err(Box::new(finding.help("put quotes around a template: `\"{{ ... }}\"`")));
        };
        if let Some((first, _)) = fields.own.get_key_entry(&key) {
            let message = format!("`{key}` is set twice, and the last one counts");
            let warning = Finding::warning("yaml/duplicate-key", message).at_span(span);
            self.findings.push(warning.relate(first.span(), "set here first"));
        }
        fields.own.insert(key, value);
        Ok(())
    }

    /// `<<: mapping`, or a list of mappings of which the first counts most.
    fn merge(fields: &mut Fields, value: &Node) -> Result<()> {
        let sources = match value.value() {
            NodeValue::Seq(sources) => sources,
            _ => std::slice::from_ref(value),
        };
        for source in sources.iter().rev() {
            let Some(map) = source.as_map() else {
                let message = format!("`<<` merges mappings, and this is {}", source.kind_name());
                return Err(Box::new(Finding::error("yaml/merge", message).at_span(source.span())));
            };
            fields.merged.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(())
    }

    fn sequence(&self, items: Vec<Node>, start: Mark) -> Node {
        Node::new(NodeValue::Seq(items.into()), Some(self.scanner.span(start, self.end)))
    }

    fn mapping(&self, fields: Fields, start: Mark) -> Node {
        let map = fields.finish();
        Node::new(NodeValue::Map(map), Some(self.scanner.span(start, self.end)))
    }

    fn take(&mut self) -> Result<Token<'a>> {
        let token = self.scanner.take()?;
        if token.start.offset < token.end.offset {
            self.end = token.end;
        }
        Ok(token)
    }

    fn fault(&self, mark: Mark, code: &'static str, message: String) -> Box<Finding> {
        Box::new(Finding { code, ..self.scanner.fault(mark, message) })
    }

    /// What is wrong with the next token, which is none of those expected.
    fn unexpected(&mut self, expected: &str) -> Result<Finding> {
        use TokenKind as T;
        let token = self.scanner.peek()?;
        let start = token.start;
        let found = match &token.kind {
            T::StreamEnd => "the end of the text",
            T::DocumentStart | T::DocumentEnd => "the end of the document",
            T::VersionDirective(_) | T::TagDirective(..) | T::OtherDirective => "a directive",
            T::BlockSequenceStart => "the beginning of a list",
            T::BlockMappingStart => "the beginning of a mapping",
            T::BlockEnd => "text that is less indented",
            T::FlowSequenceStart => "`[`",
            T::FlowSequenceEnd => "`]`",
            T::FlowMappingStart => "`{`",
            T::FlowMappingEnd => "`}`",
            T::BlockEntry => "`- `",
            T::FlowEntry => "`,`",
            T::Key => "a key",
            T::Value => "`:`",
            T::Alias(_) => "an alias",
            T::Anchor(_) => "an anchor",
            T::Tag(..) => "a tag",
            T::Scalar(..) => "more text",
        };
        Ok(self.scanner.fault(start, format!("expected {expected}, found {found}")))
    }
}

enum FieldKey {
    /// `<<`.
    Merge,
    Node(Node),
}

/// The fields of a mapping while it is read.
#[derive(Default)]
struct Fields {
    own: NodeMap,
    /// What `<<` brought: it comes first, and own fields count more.
    merged: Vec<(Key, Node)>,
}

impl Fields {
    fn finish(self) -> NodeMap {
        if self.merged.is_empty() {
            return self.own;
        }
        let own = self.own.iter().map(|(key, value)| (key.clone(), value.clone()));
        self.merged.into_iter().chain(own).collect()
    }
}
