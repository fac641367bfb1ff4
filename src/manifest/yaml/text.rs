//! Scalars, anchors, tags, and directives out of the text.

use std::borrow::Cow;

use super::scanner::{Mark, Result, Scanner, Style, TokenKind};

/// What a line break becomes: all of them `\n`, except for the two Unicode separators.
fn push_break(text: &mut String, line_break: &str) {
    match line_break {
        "\u{2028}" | "\u{2029}" => text.push_str(line_break),
        _ => text.push('\n'),
    }
}

/// Line breaks between two pieces of a folded scalar: the first one becomes a
/// space, unless there are more, or it is one of the Unicode separators.
#[derive(Default)]
struct Fold {
    first: String,
    more: String,
    is_broken: bool,
}

impl Fold {
    fn push(&mut self, line_break: &str) {
        push_break(if self.is_broken { &mut self.more } else { &mut self.first }, line_break);
        self.is_broken = true;
    }

    fn flush_into(&mut self, text: &mut String) {
        if self.first == "\n" {
            text.push_str(if self.more.is_empty() { " " } else { &self.more });
        } else {
            text.push_str(&self.first);
            text.push_str(&self.more);
        }
        self.first.clear();
        self.more.clear();
        self.is_broken = false;
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

impl<'a> Scanner<'a> {
    fn since(&self, start: Mark) -> &'a str {
        &self.text[start.offset as usize..self.mark.offset as usize]
    }

    fn take_while(&mut self, is_wanted: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.bytes().position(|byte| !is_wanted(byte)).unwrap_or(rest.len());
        self.advance(len);
        &rest[..len]
    }

    fn skip_blanks(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// Takes a line break, if there is one.
    fn take_break(&mut self) -> Option<&'a str> {
        let start = self.mark;
        self.skip_break().then(|| self.since(start))
    }

    pub(super) fn scan_directive(&mut self) -> Result<()> {
        let start = self.mark;
        self.advance(1);
        let name = self.take_while(is_word);
        let fault = |scanner: &Self| {
            Box::new(
                scanner
                    .fault(start, "this is no directive that YAML knows")
                    .help("a line that begins with `%` is a directive; put quotes around a value"),
            )
        };
        if name.is_empty() || !self.is_blank_or_end(0) {
            return Err(fault(self));
        }
        self.skip_blanks();
        let kind = match name {
            "YAML" => {
                let major = self.take_while(|byte| byte.is_ascii_digit()).parse();
                if self.byte(0) != b'.' {
                    return Err(fault(self));
                }
                self.advance(1);
                let minor = self.take_while(|byte| byte.is_ascii_digit());
                match major {
                    Ok(major) if !minor.is_empty() => TokenKind::VersionDirective(major),
                    _ => return Err(fault(self)),
                }
            }
            "TAG" => {
                let handle = self.take_tag_handle();
                if !handle.starts_with('!')
                    || handle.len() > 1 && !handle.ends_with('!')
                    || !matches!(self.byte(0), b' ' | b'\t')
                {
                    return Err(fault(self));
                }
                self.skip_blanks();
                let prefix = self.take_tag_uri(true)?;
                if prefix.is_empty() || !self.is_blank_or_end(0) {
                    return Err(fault(self));
                }
                TokenKind::TagDirective(handle, prefix)
            }
            _ => {
                self.skip_to_break();
                TokenKind::OtherDirective
            }
        };
        let end = self.mark;
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_to_break();
        }
        if !self.skip_break() && !self.is_end(0) {
            return Err(fault(self));
        }
        self.push(kind, start, end);
        Ok(())
    }

    /// `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self) -> Result<()> {
        let start = self.mark;
        let is_anchor = self.byte(0) == b'&';
        self.advance(1);
        let name = self.take_while(is_word);
        if name.is_empty()
            || !(self.is_blank_or_end(0)
                || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'))
        {
            let (sign, what) = if is_anchor { ('&', "an anchor") } else { ('*', "an alias") };
            let message =
                format!("`{sign}` begins {what}, whose name has letters, digits, `-`, and `_`");
            let help = "put quotes around the value if no anchor is meant";
            return Err(Box::new(self.fault(start, message).help(help)));
        }
        let kind = if is_anchor { TokenKind::Anchor(name) } else { TokenKind::Alias(name) };
        self.push(kind, start, self.mark);
        Ok(())
    }

    /// `!name`, `!!name`, `!handle!name`, or `!<whole:tag>`.
    pub(super) fn scan_tag(&mut self) -> Result<()> {
        let start = self.mark;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.advance(2);
            let tag = self.take_tag_uri(true)?;
            if tag.is_empty() || self.byte(0) != b'>' {
                return Err(Box::new(self.fault(start, "this tag has no `>` at its end")));
            }
            self.advance(1);
            ("", tag)
        } else {
            let handle = self.take_tag_handle();
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.take_tag_uri(false)?;
                if suffix.is_empty() {
                    return Err(Box::new(self.fault(start, "this tag has no name")));
                }
                (handle, suffix)
            } else {
                // What looked like the handle is the beginning of the name.
                let name = &handle[1..];
                let rest = self.take_tag_uri(false)?;
                match [name, &rest].concat() {
                    suffix if suffix.is_empty() => ("", Cow::Borrowed("!")),
                    suffix => ("!", Cow::Owned(suffix)),
                }
            }
        };
        let is_end = self.is_blank_or_end(0) || self.is_flow() && self.byte(0) == b',';
        if !is_end {
            let help = "put quotes around the value if no tag is meant";
            let fault = self.fault(start, "`!` begins a tag, which ends at a space").help(help);
            return Err(Box::new(fault));
        }
        self.push(TokenKind::Tag(handle, suffix), start, self.mark);
        Ok(())
    }

    fn take_tag_handle(&mut self) -> &'a str {
        let start = self.mark;
        if self.byte(0) == b'!' {
            self.advance(1);
            self.take_while(is_word);
            if self.byte(0) == b'!' {
                self.advance(1);
            }
        }
        self.since(start)
    }

    /// The name in a tag, with its `%20` escapes undone; `is_whole` allows `,[]` too.
    fn take_tag_uri(&mut self, is_whole: bool) -> Result<Cow<'a, str>> {
        let start = self.mark;
        let uri = self.take_while(|byte| {
            is_word(byte)
                || b";/?:@&=+$.%!~*'()".contains(&byte)
                || is_whole && b",[]".contains(&byte)
        });
        let decoded = percent_encoding::percent_decode_str(uri).decode_utf8();
        decoded.map_err(|_| Box::new(self.fault(start, "the escapes in this tag are not UTF-8")))
    }

    /// `|` or `>`, and the lines below that are indented.
    pub(super) fn scan_block_scalar(&mut self) -> Result<()> {
        let start = self.mark;
        let is_literal = self.byte(0) == b'|';
        self.advance(1);
        let header = self.take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9'));
        let (mut chomping, mut increment) = (None, None);
        for byte in header.bytes() {
            match byte {
                b'+' | b'-' if chomping.is_none() => chomping = Some(byte),
                b'1'..=b'9' if increment.is_none() => increment = Some(i64::from(byte - b'0')),
                _ => {
                    let message = "a block of text begins with `|` or `>`, then at most `+` or `-` and one digit";
                    return Err(Box::new(self.fault(start, message)));
                }
            }
        }
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_to_break();
        }
        if !self.skip_break() && !self.is_end(0) {
            let fault = self.fault(self.mark, "the text begins on the line below `|` or `>`");
            return Err(Box::new(fault.help("put quotes around the value if no block is meant")));
        }

        let mut indent = increment.map(|increment| self.indent.max(0) + increment);
        let mut text = String::new();
        let mut end = self.mark;
        let (mut line_break, mut blank_lines) = ("", String::new());
        self.skip_blank_lines(&mut indent, &mut blank_lines, &mut end)?;
        let indent = indent.unwrap_or(0);
        let mut was_indented = false;
        while self.mark.column() == indent && !self.is_end(0) {
            let is_indented = matches!(self.byte(0), b' ' | b'\t');
            let is_separator =
                line_break.starts_with('\u{2028}') || line_break.starts_with('\u{2029}');
            if is_literal || line_break.is_empty() || is_separator || was_indented || is_indented {
                if !line_break.is_empty() {
                    push_break(&mut text, line_break);
                }
            } else if blank_lines.is_empty() {
                text.push(' ');
            }
            text.push_str(&blank_lines);
            blank_lines.clear();
            was_indented = is_indented;
            let line = self.mark;
            self.skip_to_break();
            text.push_str(self.since(line));
            end = self.mark;
            line_break = self.take_break().unwrap_or("");
            self.skip_blank_lines(&mut Some(indent), &mut blank_lines, &mut end)?;
        }
        if chomping != Some(b'-') && !line_break.is_empty() {
            push_break(&mut text, line_break);
        }
        if chomping == Some(b'+') {
            text.push_str(&blank_lines);
        }
        self.push(TokenKind::Scalar(text.into(), Style::Block), start, end);
        Ok(())
    }

    /// Skips the indentation and blank lines before a line of a block scalar;
    /// the first line that is not blank tells the indentation, unless it is given.
    fn skip_blank_lines(
        &mut self,
        indent: &mut Option<i64>,
        breaks: &mut String,
        end: &mut Mark,
    ) -> Result<()> {
        let mut deepest = 0;
        loop {
            let is_before =
                |scanner: &Self| indent.is_none_or(|indent| scanner.mark.column() < indent);
            while self.byte(0) == b' ' && is_before(self) {
                self.advance(1);
            }
            deepest = deepest.max(self.mark.column());
            if self.byte(0) == b'\t' && is_before(self) {
                let fault = self.fault(self.mark, "a tab stands where the text is indented");
                return Err(Box::new(fault.help("indent with spaces")));
            }
            let Some(line_break) = self.take_break() else { break };
            push_break(breaks, line_break);
            *end = self.mark;
        }
        indent.get_or_insert(deepest.max(self.indent + 1).max(1));
        Ok(())
    }

    pub(super) fn scan_quoted_scalar(&mut self) -> Result<()> {
        let start = self.mark;
        let quote = self.byte(0);
        let is_single = quote == b'\'';
        self.advance(1);
        let content = self.mark;
        // Most have neither escapes nor line breaks, and are a piece of the text.
        let is_simple =
            |byte| byte != quote && (is_single || byte != b'\\') && matches!(byte, b' '..0x7f);
        let simple = self.take_while(is_simple);
        if self.byte(0) == quote && !(is_single && self.byte(1) == quote) {
            self.advance(1);
            self.push(TokenKind::Scalar(simple.into(), Style::Quoted), start, self.mark);
            return Ok(());
        }
        self.mark = content;

        let mut text = String::with_capacity(2 * simple.len());
        let mut fold = Fold::default();
        loop {
            if self.is_document_indicator() || self.is_end(0) {
                let fault = self.fault(start, "this quote is never closed");
                return Err(Box::new(fault));
            }
            let mut is_folding = false;
            while !self.is_blank_or_end(0) {
                match self.byte(0) {
                    b'\'' if is_single && self.byte(1) == b'\'' => {
                        text.push('\'');
                        self.advance(2);
                    }
                    byte if byte == quote => break,
                    b'\\' if !is_single && self.break_len(1) > 0 => {
                        self.advance(1);
                        self.skip_break();
                        is_folding = true;
                        break;
                    }
                    b'\\' if !is_single => {
                        let c = self.take_escape(start)?;
                        text.push(c);
                    }
                    _ => {
                        let piece = self.mark;
                        self.advance(1);
                        while !self.is_blank_or_end(0)
                            && self.byte(0) != quote
                            && (is_single || self.byte(0) != b'\\')
                        {
                            self.advance(1);
                        }
                        text.push_str(self.since(piece));
                    }
                }
            }
            if self.byte(0) == quote {
                break;
            }
            let blanks = self.mark;
            self.skip_blanks();
            let blanks = self.since(blanks);
            if !is_folding && self.break_len(0) == 0 {
                text.push_str(blanks);
                continue;
            }
            // An escaped line break is dropped; it counts as the first of a fold.
            fold.is_broken = is_folding;
            while let Some(line_break) = self.take_break() {
                fold.push(line_break);
                self.skip_blanks();
            }
            fold.flush_into(&mut text);
        }
        self.advance(1);
        self.push(TokenKind::Scalar(text.into(), Style::Quoted), start, self.mark);
        Ok(())
    }

    fn take_escape(&mut self, start: Mark) -> Result<char> {
        let escape = self.mark;
        let code = self.byte(1);
        self.advance(1);
        let n_digits = match code {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        if n_digits > 0 {
            let Some(c) = self.take_code_point(n_digits) else {
                let message = format!(
                    "`\\{}` needs {n_digits} hexadecimal digits of a character",
                    char::from(code)
                );
                return Err(Box::new(self.fault(escape, message)));
            };
            return Ok(c);
        }
        let c = match code {
            b'0' => '\0',
            b'a' => '\x07',
            b'b' => '\x08',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\x0b',
            b'f' => '\x0c',
            b'r' => '\r',
            b'e' => '\x1b',
            b' ' | b'"' | b'/' | b'\\' => char::from(code),
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            _ => {
                let fault = self.fault(escape, "there is no such escape in a double-quoted text");
                let help =
                    "write `\\\\` for a backslash, or use single quotes, which know no escapes";
                let quote = Some(self.span(start, escape));
                return Err(Box::new(fault.help(help).relate(quote, "the text begins here")));
            }
        };
        self.advance(1);
        Ok(c)
    }

    /// The character of so many hexadecimal digits behind `\x`, `\u`, or `\U`.
    fn take_code_point(&mut self, n_digits: usize) -> Option<char> {
        let unit = |text: &str, n_digits: usize| {
            let digits = text.get(..n_digits)?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)
        };
        let rest = &self.rest()[1..];
        let first = unit(rest, n_digits)?;
        // JSON writes what is beyond 16 bits as two halves, and people paste JSON.
        let second = rest.get(n_digits..).and_then(|rest| unit(rest.strip_prefix("\\u")?, 4));
        if let (0xD800..0xDC00, Some(second @ 0xDC00..0xE000)) = (first, second) {
            self.advance(1 + 2 * n_digits + 2);
            return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
        self.advance(1 + n_digits);
        char::from_u32(first)
    }

    pub(super) fn scan_plain_scalar(&mut self) -> Result<()> {
        let start = self.mark;
        let mut end = start;
        let indent = self.indent + 1;
        // Without line breaks it is a piece of the text, and `folded` stays empty.
        let mut folded = String::new();
        let mut piece = start;
        let mut fold = Fold::default();
        let is_flow = self.is_flow();
        loop {
            if self.is_document_indicator() || self.byte(0) == b'#' {
                break;
            }
            let word = self.mark;
            while !self.is_blank_or_end(0) {
                let byte = self.byte(0);
                let is_ending = match byte {
                    b':' => {
                        self.is_blank_or_end(1)
                            || is_flow && matches!(self.byte(1), b',' | b'[' | b']' | b'{' | b'}')
                    }
                    b',' | b'[' | b']' | b'{' | b'}' => is_flow,
                    _ => false,
                };
                if is_ending {
                    break;
                }
                self.advance(1);
            }
            if self.mark.offset > word.offset {
                if fold.is_broken {
                    folded.push_str(&self.text[piece.offset as usize..end.offset as usize]);
                    fold.flush_into(&mut folded);
                    piece = word;
                }
                end = self.mark;
            }
            if !self.is_blank_or_end(0) || self.is_end(0) {
                break;
            }
            loop {
                if fold.is_broken && self.byte(0) == b'\t' && self.mark.column() < indent {
                    let fault = self.fault(self.mark, "a tab stands where the text is indented");
                    return Err(Box::new(fault.help("indent with spaces")));
                }
                if matches!(self.byte(0), b' ' | b'\t') {
                    self.advance(1);
                } else if let Some(line_break) = self.take_break() {
                    fold.push(line_break);
                } else {
                    break;
                }
            }
            if !is_flow && self.mark.column() < indent {
                break;
            }
        }
        if fold.is_broken {
            self.is_simple_key_allowed = true;
        }
        let last = &self.text[piece.offset as usize..end.offset as usize];
        let text = if folded.is_empty() { last.into() } else { (folded + last).into() };
        self.push(TokenKind::Scalar(text, Style::Plain), start, end);
        Ok(())
    }
}
