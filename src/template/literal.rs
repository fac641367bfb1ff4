//! Rendered text read back as a Python literal, as `ast.literal_eval` does.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use num_bigint::BigInt;

use super::dict::{Dict, Key, Set};
use super::numeric::MAX_DIGITS;
use super::value::Value;

/// Brackets that may be open at a time.
const MAX_DEPTH: usize = 200;

/// The value that `text` is the Python literal of; `None` when it is none and
/// has to stay as it is.
///
/// Complex numbers count as none, for no template may yield one, and so do
/// texts with `\N{…}` escapes or with surrogates that pair with nothing.
pub(super) fn literal_eval<'a>(text: &str) -> Option<Value<'a>> {
    let text = text.trim_start_matches([' ', '\t']);
    if !may_be_literal(text.as_bytes()) {
        return None;
    }
    let mut source = Cow::Borrowed(text);
    if text.contains('\r') {
        source = Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"));
    }
    let mut reader = Reader { source: &source, pos: 0, depth: 0 };
    reader.skip_blank_lines()?;
    let value = reader.top_level()?;
    reader.end()?;
    Some(value)
}

/// Whether it is worth to look closer; most rendered texts are plain.
fn may_be_literal(text: &[u8]) -> bool {
    let starts = |word: &str| text.starts_with(word.as_bytes());
    match text.first() {
        None => false,
        Some(b'0'..=b'9' | b'\'' | b'"' | b'[' | b'{' | b'(' | b'-' | b'+' | b'.') => true,
        Some(b'#' | b'\n' | b'\r' | b'\x0c') => true,
        Some(b'T') => starts("True"),
        Some(b'F') => starts("False"),
        Some(b'N') => starts("None"),
        Some(b's') => starts("set"),
        Some(b'u' | b'U' | b'r' | b'R' | b'b' | b'B') => {
            text.iter().take(3).any(|byte| matches!(byte, b'\'' | b'"'))
        }
        Some(_) => false,
    }
}

/// A value, and whether it is an unsigned number, which can take a sign.
type Atom<'a> = (Value<'a>, bool);

struct Reader<'s> {
    source: &'s str,
    pos: usize,
    /// Brackets that are open; within them lines do not matter.
    depth: usize,
}

impl Reader<'_> {
    fn bytes(&self) -> &[u8] {
        &self.source.as_bytes()[self.pos..]
    }

    fn peek(&self) -> Option<u8> {
        self.bytes().first().copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    /// Skips lines with nothing on them; what follows must not be indented.
    fn skip_blank_lines(&mut self) -> Option<()> {
        loop {
            let indent = self.indent();
            match self.peek()? {
                b'\n' => self.pos += 1,
                b'#' => self.skip_comment(),
                _ => return (indent == 0).then_some(()),
            }
        }
    }

    /// The rest of the text must be blank.
    fn end(&mut self) -> Option<()> {
        self.skip_blanks()?;
        while self.take(b'\n') {
            let indent = self.indent();
            match self.peek() {
                Some(b'\n') => {}
                Some(b'#') => self.skip_comment(),
                // A last line of blanks only counts as indented.
                None => return (indent == 0).then_some(()),
                Some(_) => return None,
            }
        }
        self.bytes().is_empty().then_some(())
    }

    fn indent(&mut self) -> usize {
        let mut indent = 0;
        while let Some(byte @ (b' ' | b'\t' | b'\x0c')) = self.peek() {
            indent = if byte == b'\x0c' { 0 } else { indent + 1 };
            self.pos += 1;
        }
        indent
    }

    fn skip_comment(&mut self) {
        self.pos += self.bytes().iter().take_while(|byte| **byte != b'\n').count();
    }

    /// Skips blanks and comments, and the ends of lines within brackets.
    fn skip_blanks(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\x0c') => self.pos += 1,
                Some(b'\n') if self.depth > 0 => self.pos += 1,
                Some(b'#') => self.skip_comment(),
                Some(b'\\') => {
                    // A line goes on behind a backslash, if there is one more.
                    self.pos += 1;
                    if !self.take(b'\n') || self.bytes().is_empty() {
                        return None;
                    }
                }
                _ => return Some(()),
            }
        }
    }

    /// One value, or several without the brackets of a tuple.
    fn top_level<'a>(&mut self) -> Option<Value<'a>> {
        let (first, _) = self.value()?;
        self.skip_blanks()?;
        if self.peek() != Some(b',') {
            return Some(first);
        }
        let mut items = vec![first];
        while self.take(b',') {
            self.skip_blanks()?;
            if matches!(self.peek(), None | Some(b'\n')) {
                break;
            }
            items.push(self.value()?.0);
            self.skip_blanks()?;
        }
        Some(Value::tuple(items))
    }

    fn value<'a>(&mut self) -> Option<Atom<'a>> {
        self.skip_blanks()?;
        match self.peek()? {
            sign @ (b'+' | b'-') => {
                self.pos += 1;
                self.skip_blanks()?;
                let (number, true) = self.atom()? else { return None };
                let number = if sign == b'-' { negated(number) } else { number };
                Some((number, false))
            }
            _ => self.atom(),
        }
    }

    fn atom<'a>(&mut self) -> Option<Atom<'a>> {
        let plain = |value| Some((value, false));
        match self.peek()? {
            b'(' => self.group(),
            b'[' => plain(Value::list(self.items(b']')?)),
            b'{' => plain(self.braces()?),
            b'0'..=b'9' => Some((self.number()?, true)),
            b'.' if self.bytes().starts_with(b"...") => {
                self.pos += 3;
                plain(Value::Ellipsis)
            }
            b'.' => Some((self.number()?, true)),
            _ => match self.string_style() {
                Some(style) => plain(self.strings(style)?),
                None => plain(self.name()?),
            },
        }
    }

    fn open(&mut self) -> Option<()> {
        self.pos += 1;
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())?;
        self.skip_blanks()
    }

    fn close(&mut self, bracket: u8) -> bool {
        let found = self.take(bracket);
        self.depth -= usize::from(found);
        found
    }

    /// A comma or the closing bracket; says whether it was the bracket.
    fn comma_or(&mut self, bracket: u8) -> Option<bool> {
        self.skip_blanks()?;
        if self.close(bracket) {
            return Some(true);
        }
        self.take(b',').then_some(())?;
        self.skip_blanks()?;
        Some(self.close(bracket))
    }

    /// Values between brackets.
    fn items<'a>(&mut self, bracket: u8) -> Option<Vec<Value<'a>>> {
        self.open()?;
        let mut items = Vec::new();
        let mut is_closed = self.close(bracket);
        while !is_closed {
            items.push(self.value()?.0);
            is_closed = self.comma_or(bracket)?;
        }
        Some(items)
    }

    /// A tuple, or a value in parentheses.
    fn group<'a>(&mut self) -> Option<Atom<'a>> {
        self.open()?;
        if self.close(b')') {
            return Some((Value::tuple([]), false));
        }
        let first = self.value()?;
        self.skip_blanks()?;
        if self.close(b')') {
            return Some(first);
        }
        let mut items = vec![first.0];
        while !self.comma_or(b')')? {
            items.push(self.value()?.0);
        }
        Some((Value::tuple(items), false))
    }

    /// A dictionary or a set.
    fn braces<'a>(&mut self) -> Option<Value<'a>> {
        self.open()?;
        let mut dict = Dict::new();
        if self.close(b'}') {
            return Some(Value::dict(dict));
        }
        let mut key = self.value()?.0;
        self.skip_blanks()?;
        if self.peek() != Some(b':') {
            let mut set = Set::new();
            set.insert(Key::new(key).ok()?);
            while !self.comma_or(b'}')? {
                set.insert(Key::new(self.value()?.0).ok()?);
            }
            return Some(Value::Set(Rc::new(RefCell::new(set))));
        }
        loop {
            self.take(b':').then_some(())?;
            let value = self.value()?.0;
            dict.insert(Key::new(key).ok()?, value);
            if self.comma_or(b'}')? {
                return Some(Value::dict(dict));
            }
            key = self.value()?.0;
            self.skip_blanks()?;
        }
    }

    fn name<'a>(&mut self) -> Option<Value<'a>> {
        let len = self.bytes().iter().take_while(|byte| is_word(**byte)).count();
        let name = &self.source[self.pos..self.pos + len];
        let value = match name {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::None,
            "set" => {
                self.pos += len;
                self.skip_blanks()?;
                (self.peek() == Some(b'(')).then_some(())?;
                self.open()?;
                return self.close(b')').then(|| Value::Set(Rc::default()));
            }
            _ => return None,
        };
        self.pos += len;
        Some(value)
    }

    fn number<'a>(&mut self) -> Option<Value<'a>> {
        let start = self.pos;
        let radix = match self.bytes() {
            [b'0', b'x' | b'X', ..] => 16,
            [b'0', b'o' | b'O', ..] => 8,
            [b'0', b'b' | b'B', ..] => 2,
            _ => 10,
        };
        if radix != 10 {
            self.pos += 2;
            self.take(b'_');
            let digits = self.digits(radix)?;
            (!self.peek().is_some_and(is_word)).then_some(())?;
            return Some(Value::from_bigint(BigInt::parse_bytes(digits.as_bytes(), radix)?));
        }
        if self.peek() != Some(b'.') {
            self.digits(10)?;
        }
        let mut is_float = self.take(b'.');
        if is_float && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.digits(10)?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_float = true;
            self.pos += 1;
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits(10)?;
        }
        // Also an imaginary number ends here.
        (!self.peek().is_some_and(is_word)).then_some(())?;
        let text = self.source[start..self.pos].replace('_', "");
        if is_float {
            // A lone dot is not a number in Rust either.
            return text.parse().ok().map(Value::Float);
        }
        if text.starts_with('0') && text.bytes().any(|digit| digit != b'0') {
            return None;
        }
        match text.parse() {
            Ok(int) => Some(Value::Int(int)),
            Err(_) if text.len() > MAX_DIGITS => None,
            Err(_) => text.parse().ok().map(Value::from_bigint),
        }
    }

    /// Digits, with single underscores between them.
    fn digits(&mut self, radix: u32) -> Option<String> {
        let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
        let len = self.bytes().iter().take_while(|byte| is_digit(byte) || **byte == b'_').count();
        let text = &self.source[self.pos..self.pos + len];
        (!text.split('_').any(str::is_empty)).then_some(())?;
        let digits = text.replace('_', "");
        self.pos += len;
        Some(digits)
    }

    /// One or more adjacent strings, the first of which is open already.
    fn strings<'a>(&mut self, mut style: StringStyle) -> Option<Value<'a>> {
        let is_bytes = style.is_bytes;
        let mut joined = Vec::new();
        loop {
            self.string_body(style, &mut joined)?;
            let end = self.pos;
            self.skip_blanks()?;
            let Some(next) = self.string_style() else {
                self.pos = end;
                break;
            };
            (next.is_bytes == is_bytes).then_some(())?;
            style = next;
        }
        if is_bytes {
            return Some(Value::Bytes(joined.into()));
        }
        String::from_utf8(joined).ok().map(Value::from)
    }

    /// Takes the prefix and the quotes of a string.
    fn string_style(&mut self) -> Option<StringStyle> {
        let prefix_len = self.bytes().iter().take(3).position(|b| matches!(b, b'\'' | b'"'))?;
        let (is_bytes, is_raw) = match self.bytes()[..prefix_len].to_ascii_lowercase().as_slice() {
            b"" | b"u" => (false, false),
            b"r" => (false, true),
            b"b" => (true, false),
            b"br" | b"rb" => (true, true),
            _ => return None,
        };
        self.pos += prefix_len;
        let quote = self.peek()?;
        let is_triple = self.bytes().starts_with(&[quote; 3]);
        self.pos += if is_triple { 3 } else { 1 };
        Some(StringStyle { quote, is_triple, is_bytes, is_raw })
    }

    /// Appends what a string holds, up to and without its quotes.
    fn string_body(&mut self, style: StringStyle, out: &mut Vec<u8>) -> Option<()> {
        loop {
            let byte = self.peek()?;
            if byte == style.quote && !style.is_triple {
                self.pos += 1;
                return Some(());
            }
            if style.is_triple && self.bytes().starts_with(&[style.quote; 3]) {
                self.pos += 3;
                return Some(());
            }
            match byte {
                0 => return None,
                b'\n' if !style.is_triple => return None,
                b'\\' if style.is_raw => {
                    // The character behind it cannot end the string.
                    out.extend(self.bytes().get(..2)?);
                    (self.bytes()[1].is_ascii() || !style.is_bytes).then_some(())?;
                    self.pos += 2;
                }
                b'\\' => {
                    self.pos += 1;
                    self.escape(style.is_bytes, out)?;
                }
                _ if style.is_bytes && !byte.is_ascii() => return None,
                _ => {
                    out.push(byte);
                    self.pos += 1;
                }
            }
        }
    }

    /// Appends what the escape behind a backslash stands for.
    fn escape(&mut self, is_bytes: bool, out: &mut Vec<u8>) -> Option<()> {
        let byte = self.peek()?;
        self.pos += 1;
        let simple = match byte {
            b'\n' => return Some(()),
            b'\\' | b'\'' | b'"' => byte,
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                self.pos -= 1;
                let octal = self.bytes().iter().take(3);
                let len = octal.take_while(|digit| matches!(digit, b'0'..=b'7')).count();
                return self.code(len, 8, is_bytes, out);
            }
            b'x' => return self.code(2, 16, is_bytes, out),
            b'u' if !is_bytes => return self.code(4, 16, false, out),
            b'U' if !is_bytes => return self.code(8, 16, false, out),
            b'N' if !is_bytes => return None,
            _ => {
                // Not an escape after all.
                out.push(b'\\');
                self.pos -= 1;
                return Some(());
            }
        };
        out.push(simple);
        Some(())
    }

    /// Appends the character whose number has so many digits.
    fn code(&mut self, len: usize, radix: u32, is_bytes: bool, out: &mut Vec<u8>) -> Option<()> {
        let code = self.code_unit(len, radix)?;
        if is_bytes {
            out.push(u8::try_from(code & 0xff).ok()?);
            return Some(());
        }
        let char = match code {
            0xd800..=0xdbff => {
                // Text that other programs escaped has characters in halves.
                self.bytes().starts_with(b"\\u").then(|| self.pos += 2)?;
                let low = self.code_unit(4, 16).filter(|low| (0xdc00..=0xdfff).contains(low))?;
                char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))?
            }
            _ => char::from_u32(code)?,
        };
        out.extend(char.encode_utf8(&mut [0; 4]).bytes());
        Some(())
    }

    fn code_unit(&mut self, len: usize, radix: u32) -> Option<u32> {
        let digits = self.source.get(self.pos..self.pos + len)?;
        digits.bytes().all(|digit| char::from(digit).is_digit(radix)).then_some(())?;
        self.pos += len;
        u32::from_str_radix(digits, radix).ok()
    }
}

#[derive(Clone, Copy)]
struct StringStyle {
    quote: u8,
    is_triple: bool,
    is_bytes: bool,
    is_raw: bool,
}

/// Whether a byte is part of a name or number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

fn negated(number: Value<'_>) -> Value<'_> {
    match number {
        Value::Float(float) => Value::Float(-float),
        Value::Int(int) => Value::from_bigint(-BigInt::from(int)),
        Value::BigInt(int) => Value::from_bigint(-int.as_ref().clone()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `expect` is the `repr()` of the value; empty when the text stays as it is.
    #[track_caller]
    fn check(text: &str, expect: &str) {
        let repr = literal_eval(text).map(|value| value.py_repr().unwrap());
        assert_eq!(repr.unwrap_or_default(), expect, "{text:?}");
    }

    #[track_caller]
    fn check_plain(texts: &[&str]) {
        for text in texts {
            check(text, "");
        }
    }

    #[test]
    fn numbers() {
        check("5", "5");
        check(" \t5 ", "5");
        check("-0", "0");
        check("- 5", "-5");
        check("-(5)", "-5");
        check("+.5e-3", "0.0005");
        check("1_000", "1000");
        check("00", "0");
        check("0x_1F", "31");
        check("0777.5", "777.5");
        check("1e400", "inf");
        check("-9223372036854775808", "-9223372036854775808");
        check("123456789012345678901234567890", "123456789012345678901234567890");
        check_plain(&[
            "", "05", "1__0", "1_", "0x", "0o8", "1e", "5a", "--5", "-True", "1+1", "~5",
        ]);
        check_plain(&["1-1", "1/0", "2021-01-01", "1.2.3", "3j", "1+2j", ".", "1 2", "5;", "５"]);
        check_plain(&["nan", "inf", "12:30", &"9".repeat(4301)]);
    }

    #[test]
    fn names() {
        check("True", "True");
        check("None", "None");
        check("...", "Ellipsis");
        check("set( )", "set()");
        check_plain(&["true", "null", "Truex", "set", "set(1)", "abc", "not True", "Ellipsis"]);
    }

    #[test]
    fn strings() {
        check("'q'", "'q'");
        check(r#""a" u'b' r'\n'"#, r"'ab\\n'");
        check(r#"'''a'b"c\''''"#, r#"'a\'b"c\''"#);
        check(r#""""a"""#, "");
        check(r"'\x41\u00e9\101\q\t'", r"'AéA\\q\t'");
        check(r#""\ud83d\ude00""#, "'😀'");
        check(r"b'\xff\777\u0041'", r"b'\xff\xff\\u0041'");
        check("'a\\\r\nb'", "'ab'");
        check_plain(&["'a", "'a\nb'", r"r'\'", "b'é'", "b'a' 'b'", "f'x'", "ur'x'", "it's"]);
        check_plain(&[r"'\x4'", r"'\ud800'", r"'\ud800\u0041'", r"'\N{BULLET}'", "'a\0'", "'a'b'"]);
    }

    #[test]
    fn containers() {
        check("1,2", "(1, 2)");
        check("1,", "(1,)");
        check("(1, [2, {'a': ()}],)", "(1, [2, {'a': ()}])");
        check("{1: 2, 1.0: 3}", "{1: 3}");
        check("{1, 1.0, 2}", "{1, 2}");
        check("{}", "{}");
        check("[1, # comment\n 2\\\n]", "[1, 2]");
        check(r#"{"x": "s"}"#, "{'x': 's'}");
        check_plain(&[r#"{"x": null}"#, "[1,", "[,]", "(,)", "1,,", "{[]: 1}", "{1: 2, 3}", "[1)"]);
        check_plain(&["[1 2]", "[1][0]", "{**{}}", "[*()]", &"[".repeat(100_000)]);
        check(&("[".repeat(200) + &"]".repeat(200)), &("[".repeat(200) + &"]".repeat(200)));
        check_plain(&[&("[".repeat(201) + &"]".repeat(201))]);
    }

    #[test]
    fn lines_and_comments() {
        check("\n# c\n  \n5 # c\n\n  # c", "5");
        check("1 # 2", "1");
        check("'a' \\\n 'b'", "'ab'");
        check_plain(&[
            "\n 5", "5\n  ", "5\n6", "# c", "5\\\n", "5\\", "-\n5", "'a'\n'b'", "\u{a0}5",
        ]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\](){},:'"\\bru0-9x_.eé \n#-]{0,24}"#) {
            let _ = literal_eval(&text);
        }

        #[test]
        fn repr_is_read_back(text in ".*", int: i64, float in prop::num::f64::NORMAL) {
            let items = vec![Value::str(&*text), Value::Int(int), Value::Float(float)];
            let value = Value::tuple([Value::list(items), Value::Bytes(text.as_bytes().into())]);
            let repr = value.py_repr().unwrap();
            prop_assert_eq!(literal_eval(&repr).unwrap().py_repr().unwrap(), repr);
        }
    }
}
