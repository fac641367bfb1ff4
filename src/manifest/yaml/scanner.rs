//! Text into tokens, as libyaml cuts them.
//!
//! A key is recognised only by the `:` behind it, so tokens wait in a queue:
//! when the `:` comes, the key token is put in front of what was its value so far.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::super::finding::Finding;
use super::super::node::Span;

/// The longest key that may stand without a `? `, in characters.
const MAX_SIMPLE_KEY: usize = 1024;

pub(super) type Result<T> = std::result::Result<T, Box<Finding>>;

/// A place in the text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// In bytes.
    pub(super) offset: u32,
    /// From 1.
    pub(super) line: u32,
    /// Where this line begins, in bytes.
    line_start: u32,
}

impl Mark {
    /// In bytes, from 0: only spaces stand before what it matters for.
    pub(super) fn column(self) -> i64 {
        i64::from(self.offset - self.line_start)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

#[derive(Debug)]
pub(super) enum TokenKind<'a> {
    StreamEnd,
    /// `%TAG handle prefix`.
    TagDirective(&'a str, Cow<'a, str>),
    /// `%YAML major.minor`, of which only the major number counts.
    VersionDirective(u32),
    OtherDirective,
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Handle and suffix; without a handle the suffix is the whole tag.
    Tag(&'a str, Cow<'a, str>),
    Scalar(Cow<'a, str>, Style),
}

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) start: Mark,
    pub(super) end: Mark,
}

/// Something that is a key if a `:` follows.
#[derive(Clone, Copy, Debug)]
struct SimpleKey {
    /// It stands where only a key can.
    is_required: bool,
    /// Which token it is, counted from the first of the text.
    token_number: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) mark: Mark,
    tokens: VecDeque<Token<'a>>,
    n_taken: usize,
    /// Whether the first token of the queue is certain to be the next.
    is_filled: bool,
    /// Whether columns in bytes are columns in characters.
    is_ascii: bool,
    /// The column of the innermost block collection; -1 outside of all.
    pub(super) indent: i64,
    outer_indents: Vec<i64>,
    /// One for each level of `[` and `{`, and one for the block around them.
    simple_keys: Vec<Option<SimpleKey>>,
    pub(super) is_simple_key_allowed: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            mark: Mark { offset: 0, line: 1, line_start: 0 },
            tokens: VecDeque::new(),
            n_taken: 0,
            is_filled: false,
            is_ascii: text.is_ascii(),
            indent: -1,
            outer_indents: Vec::new(),
            simple_keys: vec![None],
            is_simple_key_allowed: true,
        }
    }

    /// The next token, which stays. The end of the stream is the last of all.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>> {
        self.fill()?;
        Ok(&self.tokens[0])
    }

    /// Takes the next token. The end of the stream is not to be taken.
    pub(super) fn take(&mut self) -> Result<Token<'a>> {
        self.fill()?;
        self.is_filled = false;
        self.n_taken += 1;
        // `fill` has left a token, so this is no default that anybody sees.
        let end = Token { kind: TokenKind::StreamEnd, start: self.mark, end: self.mark };
        Ok(self.tokens.pop_front().unwrap_or(end))
    }

    /// Scans until it is certain which token is the next.
    fn fill(&mut self) -> Result<()> {
        while !self.is_filled {
            if !self.tokens.is_empty() {
                self.drop_stale_keys()?;
                let next = self.n_taken;
                let is_next = |key: &SimpleKey| key.token_number == next;
                self.is_filled = !self.simple_keys.iter().flatten().any(is_next);
            }
            if !self.is_filled {
                self.scan_token()?;
            }
        }
        Ok(())
    }

    fn scan_token(&mut self) -> Result<()> {
        self.skip_to_token();
        self.drop_stale_keys()?;
        self.close_blocks(self.mark.column());
        if self.is_end(0) {
            self.begin_document_part()?;
            // An unclosed bracket may still wait for a `:` behind it.
            self.simple_keys.fill(None);
            self.push_indicator(TokenKind::StreamEnd, 0);
            return Ok(());
        }
        let first = self.byte(0);
        if self.mark.column() == 0 {
            if first == b'%' {
                self.begin_document_part()?;
                return self.scan_directive();
            }
            if self.is_document_indicator() {
                self.begin_document_part()?;
                let kind = match first {
                    b'-' => TokenKind::DocumentStart,
                    _ => TokenKind::DocumentEnd,
                };
                self.push_indicator(kind, 3);
                return Ok(());
            }
        }
        let is_before_blank = self.is_blank_or_end(1);
        let is_flow = self.is_flow();
        match first {
            b'[' => self.open_flow(TokenKind::FlowSequenceStart),
            b'{' => self.open_flow(TokenKind::FlowMappingStart),
            b']' => self.close_flow(TokenKind::FlowSequenceEnd),
            b'}' => self.close_flow(TokenKind::FlowMappingEnd),
            b',' => {
                self.forget_key()?;
                self.is_simple_key_allowed = true;
                self.push_indicator(TokenKind::FlowEntry, 1);
                Ok(())
            }
            b'-' if is_before_blank => self.scan_block_entry(),
            b'?' if is_flow || is_before_blank => self.scan_key(),
            b':' if is_flow || is_before_blank => self.scan_value(),
            b'*' | b'&' => {
                self.note_possible_key()?;
                self.is_simple_key_allowed = false;
                self.scan_anchor()
            }
            b'!' => {
                self.note_possible_key()?;
                self.is_simple_key_allowed = false;
                self.scan_tag()
            }
            b'|' | b'>' if !is_flow => {
                self.forget_key()?;
                self.is_simple_key_allowed = true;
                self.scan_block_scalar()
            }
            b'\'' | b'"' => {
                self.note_possible_key()?;
                self.is_simple_key_allowed = false;
                self.scan_quoted_scalar()
            }
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.unexpected_character(first))
            }
            _ => self.scan_plain(),
        }
    }

    fn unexpected_character(&self, first: u8) -> Box<Finding> {
        let (what, help) = match first {
            b'\t' => ("a tab", "indent with spaces: YAML allows no tabs there".to_owned()),
            b'%' | b'@' | b'`' => (
                "this character",
                format!("a value that begins with `{}` needs quotes around it", char::from(first)),
            ),
            _ => ("this character", "put quotes around the value".to_owned()),
        };
        let fault = self.fault(self.mark, format!("no value can begin with {what}"));
        Box::new(fault.help(help))
    }

    fn scan_plain(&mut self) -> Result<()> {
        self.note_possible_key()?;
        self.is_simple_key_allowed = false;
        self.scan_plain_scalar()
    }

    /// Skips blanks, comments, and line breaks.
    fn skip_to_token(&mut self) {
        loop {
            if self.mark.column() == 0 && self.rest().starts_with('\u{feff}') {
                self.advance('\u{feff}'.len_utf8());
            }
            // A tab may stand between tokens, but not where indentation is counted.
            let is_tab_allowed = self.is_flow() || !self.is_simple_key_allowed;
            while self.byte(0) == b' ' || is_tab_allowed && self.byte(0) == b'\t' {
                self.advance(1);
            }
            if self.byte(0) == b'#' {
                self.skip_to_break();
            }
            if !self.skip_break() {
                break;
            }
            if !self.is_flow() {
                self.is_simple_key_allowed = true;
            }
        }
    }

    /// What stands between documents ends all blocks.
    fn begin_document_part(&mut self) -> Result<()> {
        self.close_blocks(-1);
        self.forget_key()?;
        self.is_simple_key_allowed = false;
        Ok(())
    }

    fn open_flow(&mut self, kind: TokenKind<'a>) -> Result<()> {
        self.note_possible_key()?;
        self.simple_keys.push(None);
        self.is_simple_key_allowed = true;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn close_flow(&mut self, kind: TokenKind<'a>) -> Result<()> {
        self.forget_key()?;
        if self.is_flow() {
            self.simple_keys.pop();
        }
        self.is_simple_key_allowed = false;
        self.push_indicator(kind, 1);
        Ok(())
    }

    fn scan_block_entry(&mut self) -> Result<()> {
        if !self.is_flow() {
            self.check_block_allowed("a list cannot begin here")?;
            self.open_block(self.mark, None, TokenKind::BlockSequenceStart);
        }
        self.forget_key()?;
        self.is_simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, 1);
        Ok(())
    }

    fn scan_key(&mut self) -> Result<()> {
        if !self.is_flow() {
            self.check_block_allowed("a mapping cannot begin here")?;
            self.open_block(self.mark, None, TokenKind::BlockMappingStart);
        }
        self.forget_key()?;
        self.is_simple_key_allowed = !self.is_flow();
        self.push_indicator(TokenKind::Key, 1);
        Ok(())
    }

    fn scan_value(&mut self) -> Result<()> {
        if let Some(key) = self.simple_keys.last_mut().and_then(Option::take) {
            let position = key.token_number - self.n_taken;
            let token = Token { kind: TokenKind::Key, start: key.mark, end: key.mark };
            self.tokens.insert(position, token);
            self.open_block(key.mark, Some(position), TokenKind::BlockMappingStart);
            self.is_simple_key_allowed = false;
        } else {
            if !self.is_flow() {
                self.check_block_allowed("a second `: ` cannot stand in one value")?;
                self.open_block(self.mark, None, TokenKind::BlockMappingStart);
            }
            self.is_simple_key_allowed = !self.is_flow();
        }
        self.push_indicator(TokenKind::Value, 1);
        Ok(())
    }

    /// A block collection begins only at the beginning of a line, or behind `- `, `? `, `: `.
    fn check_block_allowed(&self, message: &'static str) -> Result<()> {
        if self.is_simple_key_allowed {
            return Ok(());
        }
        let help = "put quotes around the value, or begin a new line";
        Err(Box::new(self.fault(self.mark, message).help(help)))
    }

    /// Remembers that the token scanned next may be a key.
    fn note_possible_key(&mut self) -> Result<()> {
        if self.is_simple_key_allowed {
            self.forget_key()?;
            let key = SimpleKey {
                is_required: !self.is_flow() && self.indent == self.mark.column(),
                token_number: self.n_taken + self.tokens.len(),
                mark: self.mark,
            };
            if let Some(last) = self.simple_keys.last_mut() {
                *last = Some(key);
            }
        }
        Ok(())
    }

    /// What was a possible key at this level is none.
    fn forget_key(&mut self) -> Result<()> {
        match self.simple_keys.last_mut().and_then(Option::take) {
            Some(key) if key.is_required => Err(self.missing_colon(key)),
            _ => Ok(()),
        }
    }

    /// A key without `? ` stands on one line, and is short.
    fn drop_stale_keys(&mut self) -> Result<()> {
        for idx in 0..self.simple_keys.len() {
            let Some(key) = self.simple_keys[idx] else { continue };
            let range = key.mark.offset as usize..self.mark.offset as usize;
            let is_stale = key.mark.line < self.mark.line
                || range.len() > MAX_SIMPLE_KEY
                    && self.text[range].chars().count() > MAX_SIMPLE_KEY;
            if is_stale {
                if key.is_required {
                    return Err(self.missing_colon(key));
                }
                self.simple_keys[idx] = None;
            }
        }
        Ok(())
    }

    fn missing_colon(&self, key: SimpleKey) -> Box<Finding> {
        let fault = self.fault(key.mark, "this key has no `:` behind it");
        Box::new(
            fault.help("write `key: value`, or indent the text if it continues the line above"),
        )
    }

    /// Opens a block collection if `mark` is further right than the one it is in.
    fn open_block(&mut self, mark: Mark, position: Option<usize>, kind: TokenKind<'a>) {
        if self.is_flow() || self.indent >= mark.column() {
            return;
        }
        self.outer_indents.push(self.indent);
        self.indent = mark.column();
        let token = Token { kind, start: mark, end: mark };
        self.tokens.insert(position.unwrap_or(self.tokens.len()), token);
    }

    /// Closes all block collections that are further right than `column`.
    fn close_blocks(&mut self, column: i64) {
        if self.is_flow() {
            return;
        }
        while self.indent > column {
            self.push_indicator(TokenKind::BlockEnd, 0);
            self.indent = self.outer_indents.pop().unwrap_or(-1);
        }
    }

    /// A token of so many bytes that ends up in the queue.
    fn push_indicator(&mut self, kind: TokenKind<'a>, len: usize) {
        let start = self.mark;
        self.advance(len);
        self.push(kind, start, self.mark);
    }

    pub(super) fn push(&mut self, kind: TokenKind<'a>, start: Mark, end: Mark) {
        self.tokens.push_back(Token { kind, start, end });
    }

    /// Whether this is inside of `[` or `{`.
    pub(super) fn is_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    /// `---` or `...` at the beginning of a line.
    pub(super) fn is_document_indicator(&self) -> bool {
        let rest = self.rest();
        self.mark.column() == 0
            && (rest.starts_with("---") || rest.starts_with("..."))
            && self.is_blank_or_end(3)
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.mark.offset as usize..]
    }

    /// The byte so far ahead; 0, which no text contains, behind the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.text.as_bytes().get(self.mark.offset as usize + ahead).copied().unwrap_or(0)
    }

    pub(super) fn is_end(&self, ahead: usize) -> bool {
        self.mark.offset as usize + ahead >= self.text.len()
    }

    /// Length of the line break so far ahead; 0 if there is none.
    pub(super) fn break_len(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            // The other line breaks of YAML 1.1: next line, line and paragraph separator.
            0xC2 if self.byte(ahead + 1) == 0x85 => 2,
            0xE2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xA8 | 0xA9) => {
                3
            }
            _ => 0,
        }
    }

    /// A space, a tab, a line break, or the end.
    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b' ' | b'\t' | b'\n' | b'\r' | 0 => true,
            0xC2 | 0xE2 => self.break_len(ahead) > 0,
            _ => false,
        }
    }

    /// Moves on in the line, to a boundary of characters.
    pub(super) fn advance(&mut self, n_bytes: usize) {
        // The text is shorter than 4 GiB: `parse` checks it.
        #[expect(clippy::cast_possible_truncation)]
        let n_bytes = n_bytes as u32;
        self.mark.offset += n_bytes;
    }

    /// Moves to the end of the line.
    pub(super) fn skip_to_break(&mut self) {
        while self.break_len(0) == 0 && !self.is_end(0) {
            self.advance(1);
        }
    }

    /// Moves over a line break, if there is one.
    pub(super) fn skip_break(&mut self) -> bool {
        let len = self.break_len(0);
        if len > 0 {
            self.advance(len);
            self.mark.line += 1;
            self.mark.line_start = self.mark.offset;
        }
        len > 0
    }

    /// The part of the text between two places.
    pub(super) fn span(&self, start: Mark, end: Mark) -> Span {
        let before = start.line_start as usize..start.offset as usize;
        let n_before = if self.is_ascii { before.len() } else { self.text[before].chars().count() };
        #[expect(clippy::cast_possible_truncation, reason = "the text is shorter than 4 GiB")]
        let column = n_before as u32 + 1;
        Span { start: start.offset, end: end.offset.max(start.offset), line: start.line, column }
    }

    /// What is wrong at a place.
    pub(super) fn fault(&self, mark: Mark, message: impl Into<String>) -> Finding {
        let next_len = self.text[mark.offset as usize..].chars().next().map_or(0, char::len_utf8);
        #[expect(clippy::cast_possible_truncation, reason = "a character has up to 4 bytes")]
        let end = Mark { offset: mark.offset + next_len as u32, ..mark };
        Finding::error("yaml/syntax", message).at_span(Some(self.span(mark, end)))
    }
}
