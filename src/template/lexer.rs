//! Splits a template into tokens, with Jinja's rules for delimiters, trimming,
//! and literals.

use std::fmt::Write as _;

use num_bigint::BigInt;
use num_traits::Num;

use super::syntax::SyntaxError;

/// One token, and where it starts in the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) offset: usize,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Text outside of tags.
    Data(String),
    VariableBegin,
    VariableEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Str(String),
    Int(BigInt),
    Float(f64),
    /// An operator or bracket, as it is written.
    Op(&'static str),
    Eof,
}

impl Kind {
    /// How messages name the token.
    pub(crate) fn describe(&self) -> &str {
        match self {
            Self::Data(_) => "template data / text",
            Self::VariableBegin => "begin of print statement",
            Self::VariableEnd => "end of print statement",
            Self::BlockBegin => "begin of statement block",
            Self::BlockEnd => "end of statement block",
            Self::Name(name) => name,
            Self::Str(_) => "string",
            Self::Int(_) => "integer",
            Self::Float(_) => "float",
            Self::Op(op) => op,
            Self::Eof => "end of template",
        }
    }
}

/// Operators, the longer ones first.
const OPERATORS: [&str; 26] = [
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";",
];

/// The source as the lexer sees it: with `\n` for every line break, and
/// without the line break at its end.
pub(crate) fn normalize(source: &str) -> String {
    let mut normalized = source.replace("\r\n", "\n").replace('\r', "\n");
    if normalized.ends_with('\n') {
        normalized.pop();
    }
    normalized
}

/// Reads all tokens of a [normalised](normalize) source. What is wrong shows
/// only when the parser gets there, after the tokens before it.
pub(crate) fn tokenize(source: &str) -> (Vec<Token>, Option<SyntaxError>) {
    let mut lexer = Lexer { source, position: 0, tokens: Vec::new() };
    let error = lexer.run().err();
    if error.is_none() {
        lexer.push(Kind::Eof, source.len());
    }
    (lexer.tokens, error)
}

struct Lexer<'s> {
    source: &'s str,
    position: usize,
    tokens: Vec<Token>,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.position..]
    }

    fn push(&mut self, kind: Kind, offset: usize) {
        self.tokens.push(Token { kind, offset });
    }

    fn data(&mut self, text: &str, offset: usize) {
        if !text.is_empty() {
            self.push(Kind::Data(text.to_owned()), offset);
        }
    }

    fn error<T>(&self, message: impl Into<String>, offset: usize) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(message, self.source, offset))
    }

    fn run(&mut self) -> Result<(), SyntaxError> {
        while self.position < self.source.len() {
            let start = self.position;
            let Some(tag) = find_tag(self.rest()) else {
                self.data(self.rest(), start);
                return Ok(());
            };
            let text = &self.rest()[..tag];
            self.position += tag + 2;
            let sign = self.rest().chars().next().filter(|char| matches!(char, '-' | '+'));
            self.position += usize::from(sign.is_some());
            self.data(if sign == Some('-') { trim_end(text) } else { text }, start);
            let opened = start + tag;
            match self.source.as_bytes()[opened + 1] {
                b'{' => {
                    self.push(Kind::VariableBegin, opened);
                    self.code("}}", Kind::VariableEnd)?;
                }
                b'#' => self.comment(opened)?,
                _ => {
                    if let Some(length) = self.raw_begin() {
                        self.position += length;
                        self.raw(opened)?;
                    } else {
                        self.push(Kind::BlockBegin, opened);
                        self.code("%}", Kind::BlockEnd)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The length of `raw %}` when that comes next.
    fn raw_begin(&self) -> Option<usize> {
        let name = skip_whitespace(self.rest()).strip_prefix("raw")?;
        let end = skip_whitespace(name);
        let after = match end.strip_prefix("-%}") {
            Some(after) => skip_whitespace(after),
            None => end.strip_prefix("%}")?,
        };
        Some(self.rest().len() - after.len())
    }

    fn raw(&mut self, opened: usize) -> Result<(), SyntaxError> {
        let start = self.position;
        let mut searched = 0;
        while let Some(found) = self.rest()[searched..].find("{%") {
            let tag = searched + found;
            searched = tag + 2;
            let inside = &self.rest()[searched..];
            let sign = inside.chars().next().filter(|char| matches!(char, '-' | '+'));
            let name = skip_whitespace(&inside[usize::from(sign.is_some())..]);
            let Some(end) = name.strip_prefix("endraw").map(skip_whitespace) else { continue };
            let after = match end.strip_prefix("-%}") {
                Some(after) => skip_whitespace(after),
                None => match end.strip_prefix("+%}").or_else(|| end.strip_prefix("%}")) {
                    Some(after) => after,
                    None => continue,
                },
            };
            let text = &self.rest()[..tag];
            self.position = self.source.len() - after.len();
            self.data(if sign == Some('-') { trim_end(text) } else { text }, start);
            return Ok(());
        }
        self.error("Missing end of raw directive", opened)
    }

    fn comment(&mut self, opened: usize) -> Result<(), SyntaxError> {
        let Some(end) = self.rest().find("#}") else {
            return self.error("Missing end of comment tag", opened);
        };
        let is_trimmed = self.rest()[..end].ends_with('-');
        self.position += end + 2;
        if is_trimmed {
            self.trim_start();
        }
        Ok(())
    }

    fn trim_start(&mut self) {
        self.position = self.source.len() - skip_whitespace(self.rest()).len();
    }

    /// The end of a tag, when it comes next and all brackets are closed.
    fn tag_end(&mut self, close: &str) -> bool {
        if let Some(after) = self.rest().strip_prefix(close) {
            self.position = self.source.len() - after.len();
            return true;
        }
        let is_block = close == "%}";
        let signed = match self.rest().chars().next() {
            Some(sign @ '-') => Some(sign),
            Some(sign @ '+') if is_block => Some(sign),
            _ => None,
        };
        let Some(sign) = signed else { return false };
        if !self.rest()[1..].starts_with(close) {
            return false;
        }
        self.position += 1 + close.len();
        if sign == '-' {
            self.trim_start();
        }
        true
    }

    /// The tokens inside of a tag, up to its end.
    fn code(&mut self, close: &str, end: Kind) -> Result<(), SyntaxError> {
        let mut open = Vec::new();
        loop {
            let start = self.position;
            if open.is_empty() && self.tag_end(close) {
                self.push(end, start);
                return Ok(());
            }
            let Some(char) = self.rest().chars().next() else {
                // The parser tells what it had expected instead of the end.
                return Ok(());
            };
            if is_whitespace(char) {
                self.trim_start();
            } else if let Some(length) = self.float_length() {
                let digits = self.take(length).replace('_', "");
                self.push(Kind::Float(digits.parse().unwrap_or(f64::NAN)), start);
            } else if let Some((length, radix)) = integer_length(self.rest()) {
                let digits = self.take(length).replace('_', "");
                let digits = if radix == 10 { &digits[..] } else { &digits[2..] };
                let int = BigInt::from_str_radix(digits, radix).unwrap_or_default();
                self.push(Kind::Int(int), start);
            } else if is_name(char) {
                let length = self.rest().find(|char| !is_name(char)).unwrap_or(self.rest().len());
                let name = self.take(length).to_owned();
                if name.starts_with(|first: char| first != '_' && !first.is_alphabetic()) {
                    return self.error("Invalid character in identifier", start);
                }
                self.push(Kind::Name(name), start);
            } else if let Some(length) = string_length(self.rest()) {
                let quoted = self.take(length);
                let text = unescape(&quoted[1..length - 1]);
                let text = text.or_else(|message| self.error(message, start))?;
                self.push(Kind::Str(text), start);
            } else if let Some(op) = OPERATORS.into_iter().find(|op| self.rest().starts_with(op)) {
                self.balance(op, &mut open)?;
                self.position += op.len();
                self.push(Kind::Op(op), start);
            } else {
                let position = self.source[..start].chars().count();
                return self.error(format!("unexpected char {char:?} at {position}"), start);
            }
        }
    }

    fn balance(&self, op: &str, open: &mut Vec<&str>) -> Result<(), SyntaxError> {
        match op {
            "{" => open.push("}"),
            "(" => open.push(")"),
            "[" => open.push("]"),
            "}" | ")" | "]" => match open.pop() {
                None => return self.error(format!("unexpected '{op}'"), self.position),
                Some(expected) if expected != op => {
                    let message = format!("unexpected '{op}', expected '{expected}'");
                    return self.error(message, self.position);
                }
                Some(_) => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> &'s str {
        let taken = &self.rest()[..length];
        self.position += length;
        taken
    }

    /// The length of a number with a fraction or an exponent.
    fn float_length(&self) -> Option<usize> {
        if self.source[..self.position].ends_with('.') {
            return None;
        }
        let text = self.rest();
        let mut length = digits_length(text)?;
        let mut is_float = false;
        if let Some(fraction) = text[length..].strip_prefix('.').and_then(digits_length) {
            length += 1 + fraction;
            is_float = true;
        }
        if let Some(exponent) = text[length..].strip_prefix(['e', 'E']) {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if let Some(digits) = digits_length(unsigned) {
                length += 1 + (exponent.len() - unsigned.len()) + digits;
                is_float = true;
            }
        }
        is_float.then_some(length)
    }
}

/// The position of the next `{{`, `{%`, or `{#`.
fn find_tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    bytes.windows(2).position(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// Whether the text has a tag at all.
pub(crate) fn has_tag(text: &str) -> bool {
    find_tag(text).is_some()
}

/// Python's `str.isspace()`, which knows four separators more than Unicode's `White_Space`.
pub(crate) fn is_whitespace(char: char) -> bool {
    char.is_whitespace() || ('\x1c'..='\x1f').contains(&char)
}

fn skip_whitespace(text: &str) -> &str {
    text.trim_start_matches(is_whitespace)
}

fn trim_end(text: &str) -> &str {
    text.trim_end_matches(is_whitespace)
}

fn is_name(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

/// The length of digits with single underscores between them.
fn digits_length(text: &str) -> Option<usize> {
    spaced_digits(text, |byte| byte.is_ascii_digit())
}

fn spaced_digits(text: &str, is_digit: impl Fn(u8) -> bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        if is_digit(byte) {
            length += 1;
        } else if byte == b'_'
            && length > 0
            && bytes.get(length + 1).is_some_and(|&next| is_digit(next))
        {
            length += 2;
        } else {
            break;
        }
    }
    (length > 0).then_some(length)
}

/// The length of an integer literal and its radix.
fn integer_length(text: &str) -> Option<(usize, u32)> {
    let bytes = text.as_bytes();
    if bytes.first() != Some(&b'0') {
        return digits_length(text).map(|length| (length, 10));
    }
    let radix = match bytes.get(1).map(u8::to_ascii_lowercase) {
        Some(b'b') => 2,
        Some(b'o') => 8,
        Some(b'x') => 16,
        _ => 10,
    };
    // An underscore may follow the prefix.
    let after_prefix = text.get(2..).unwrap_or_default();
    let underscore = usize::from(after_prefix.starts_with('_'));
    let is_digit = |byte: u8| char::from(byte).is_digit(radix);
    match spaced_digits(&after_prefix[underscore..], is_digit) {
        Some(length) if radix != 10 => Some((2 + underscore + length, radix)),
        _ => spaced_digits(text, |byte| byte == b'0').map(|length| (length, 10)),
    }
}

/// The length of a quoted text, with its quotes.
fn string_length(text: &str) -> Option<usize> {
    let quote = *text.as_bytes().first().filter(|byte| matches!(byte, b'\'' | b'"'))?;
    let mut position = 1;
    loop {
        match text.as_bytes().get(position)? {
            b'\\' => position += 2,
            &byte => {
                position += 1;
                if byte == quote {
                    return Some(position);
                }
            }
        }
    }
}

/// Resolves the escapes of a text literal, as Python's `unicode-escape` codec does.
fn unescape(text: &str) -> Result<String, &'static str> {
    let mut unescaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(backslash) = rest.find('\\') {
        unescaped.push_str(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        let Some(char) = rest.chars().next() else { return Err("\\ at end of string") };
        rest = &rest[char.len_utf8()..];
        match char {
            '\n' => {}
            '\\' | '\'' | '"' => unescaped.push(char),
            'a' => unescaped.push('\x07'),
            'b' => unescaped.push('\x08'),
            'f' => unescaped.push('\x0c'),
            'n' => unescaped.push('\n'),
            'r' => unescaped.push('\r'),
            't' => unescaped.push('\t'),
            'v' => unescaped.push('\x0b'),
            'x' => rest = hex_escape(&mut unescaped, rest, 2, "truncated \\xXX escape")?,
            'u' => rest = hex_escape(&mut unescaped, rest, 4, "truncated \\uXXXX escape")?,
            'U' => rest = hex_escape(&mut unescaped, rest, 8, "truncated \\UXXXXXXXX escape")?,
            'N' => return Err("unknown Unicode character name"),
            '0'..='7' => {
                let more = rest.bytes().take(2).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let mut code = u32::from(char) - u32::from('0');
                let mut n_more = 0;
                for byte in more {
                    code = code * 8 + u32::from(byte - b'0');
                    n_more += 1;
                }
                rest = &rest[n_more..];
                push_code(&mut unescaped, code);
            }
            // The codec sees other characters only as escapes, whose backslash this one takes.
            '\u{80}'.. => {
                unescaped.push('\\');
                // Writing to a string cannot fail.
                let _ = match u32::from(char) {
                    code @ 0..=0xff => write!(unescaped, "x{code:02x}"),
                    code @ 0x100..=0xffff => write!(unescaped, "u{code:04x}"),
                    code => write!(unescaped, "U{code:08x}"),
                };
            }
            _ => {
                unescaped.push('\\');
                unescaped.push(char);
            }
        }
    }
    unescaped.push_str(rest);
    Ok(unescaped)
}

fn hex_escape<'t>(
    out: &mut String,
    rest: &'t str,
    n_digits: usize,
    error: &'static str,
) -> Result<&'t str, &'static str> {
    let digits = rest.get(..n_digits).ok_or(error)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(error);
    }
    let code = u32::from_str_radix(digits, 16).map_err(|_| error)?;
    if code > 0x0010_ffff {
        return Err("illegal Unicode character");
    }
    push_code(out, code);
    Ok(&rest[n_digits..])
}

/// Half a surrogate pair, which Python can hold and UTF-8 cannot, becomes U+FFFD.
fn push_code(out: &mut String, code: u32) {
    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tokens are described, texts and names shown, all in one line.
    #[track_caller]
    fn check(source: &str, expect: &str) {
        let (tokens, error) = tokenize(&normalize(source));
        let mut described: Vec<String> = tokens
            .iter()
            .map(|token| match &token.kind {
                Kind::Data(text) => format!("data{text:?}"),
                Kind::Str(text) => format!("str{text:?}"),
                Kind::Int(int) => int.to_string(),
                Kind::Float(float) => format!("{float:?}"),
                Kind::VariableBegin => "{{".to_owned(),
                Kind::VariableEnd => "}}".to_owned(),
                Kind::BlockBegin => "{%".to_owned(),
                Kind::BlockEnd => "%}".to_owned(),
                Kind::Eof => ".".to_owned(),
                kind => kind.describe().to_owned(),
            })
            .collect();
        described.extend(error.map(|error| format!("error: {error}")));
        assert_eq!(described.join(" "), expect);
    }

    #[test]
    fn trims_around_tags() {
        check("a {{- b -}} c\n", r#"data"a" {{ b }} data"c" ."#);
        check("a {% b -%}\n c {#- d -#} e", r#"data"a " {% b %} data"c" data"e" ."#);
        check("a\r\n{%+ b +%} c\n\n", r#"data"a\n" {% b %} data" c\n" ."#);
    }

    #[test]
    fn keeps_raw_text() {
        check("{% raw %}{{ x }}{% endraw %}y", r#"data"{{ x }}" data"y" ."#);
        check("{%- raw -%} a {%- endraw -%} b", r#"data"a" data"b" ."#);
        check("{% raw %}", "error: Missing end of raw directive");
    }

    #[test]
    fn reads_numbers() {
        check(
            "{{ 1 1_000 0x1F 0b_1 0o17 00 1.5 1e3 1_0.5E-2 }}",
            "{{ 1 1000 31 1 15 0 1.5 1000.0 0.105 }} .",
        );
        check("{{ a.0.1 }}", "{{ a . 0 . 1 }} .");
        check("{{ 08 5a }}", "{{ 0 8 5 a }} .");
    }

    #[test]
    fn reads_texts() {
        check(r#"{{ 'a\'b' "\x41\u00e9\n\d" }}"#, r#"{{ str"a'b" str"Aé\n\\d" }} ."#);
        check(r"{{ '\101\é' }}", r#"{{ str"A\\xe9" }} ."#);
        check(r"{{ '\x1' }}", r"{{ error: truncated \xXX escape");
    }

    #[test]
    fn balances_brackets() {
        check("{{ {'a': {}} }}", "{{ { str\"a\" : { } } }} .");
        check("{{ (] }}", "{{ ( error: unexpected ']', expected ')'");
        check("{{ a ! }}", "{{ a error: unexpected char '!' at 5");
        check("{{ a", "{{ a .");
    }

    proptest! {
        #[test]
        fn never_panics(source in r"([{}%#'\\+-]|raw|endraw|[a-z0-9._ \n]|\PC)*") {
            let source = normalize(&source);
            let (tokens, _) = tokenize(&source);
            prop_assert!(tokens.iter().all(|token| source.is_char_boundary(token.offset)));
        }
    }
}
