//! Bytes to JSON, as leniently as the reference reads it.
//!
//! The reference tries a strict parser and then Python's own, so a text is
//! accepted when either takes it. Where their result has no place in [`Json`],
//! the value is kept as near as it goes:
//!
//! * an integer beyond 64 bits is a float, as in the reference for whole
//!   bodies (for lines it would keep the digits);
//! * `NaN`, `Infinity` and numbers beyond the range of a double are null,
//!   which is how the reference prints them;
//! * a surrogate without its other half is U+FFFD.
//!
//! Of equal keys the last value stands at the first place.

use super::error::{ParseError, ParseProblem};
use super::scan::plain_prefix_len;
use super::{Json, Map};

/// Containers within containers that are read; the reference stops here too.
pub(super) const MAX_DEPTH: usize = 1024;

/// Reads the one value that `bytes` hold.
pub fn parse(bytes: &[u8]) -> Result<Json, ParseError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => parse_text(text),
        Err(err) => {
            let (valid, _) = bytes.split_at(err.valid_up_to());
            Err(ParseError::behind(&String::from_utf8_lossy(valid), ParseProblem::NotUtf8))
        }
    }
}

/// Reads the one value that `text` holds.
pub fn parse_text(text: &str) -> Result<Json, ParseError> {
    let mut parser = Parser::new(text);
    parser
        .document()
        .map_err(|problem| ParseError::behind(text.get(..parser.position).unwrap_or(text), problem))
}

/// Reads a text from its start to its end.
pub(super) struct Parser<'t> {
    text: &'t str,
    pub(super) bytes: &'t [u8],
    /// The next byte to read; where the problem is, once one was found.
    pub(super) position: usize,
    /// Containers that are open.
    pub(super) depth: usize,
}

pub(super) type Parsed<T> = Result<T, ParseProblem>;

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, bytes: text.as_bytes(), position: 0, depth: 0 }
    }

    fn document(&mut self) -> Parsed<Json> {
        self.skip_whitespace();
        let value = self.value()?;
        self.skip_whitespace();
        if self.position < self.bytes.len() {
            return Err(ParseProblem::ExtraData);
        }
        Ok(value)
    }

    pub(super) fn value(&mut self) -> Parsed<Json> {
        match self.peek() {
            Some(b'"') => {
                self.position += 1;
                self.string().map(Json::String)
            }
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            Some(b'n') => self.literal("null", Json::Null),
            Some(b'N') => self.literal("NaN", Json::Null),
            Some(b'I') => self.literal("Infinity", Json::Null),
            _ => Err(ParseProblem::NoValue),
        }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    pub(super) fn skip_whitespace(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.position += 1;
        }
    }

    /// Goes past `byte` and the white space around it, if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        self.skip_whitespace();
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.position += 1;
            self.skip_whitespace();
        }
        is_next
    }

    fn literal(&mut self, word: &str, value: Json) -> Parsed<Json> {
        if !self.bytes[self.position..].starts_with(word.as_bytes()) {
            return Err(ParseProblem::NoValue);
        }
        self.position += word.len();
        Ok(value)
    }

    fn nested(&mut self, container: fn(&mut Self) -> Parsed<Json>) -> Parsed<Json> {
        if self.depth == MAX_DEPTH {
            return Err(ParseProblem::TooDeep);
        }
        self.depth += 1;
        self.position += 1;
        self.skip_whitespace();
        let value = container(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Parsed<Json> {
        let mut items = Vec::new();
        if self.skip(b']') {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.skip(b',') {
                continue;
            }
            return if self.skip(b']') {
                Ok(Json::Array(items))
            } else {
                Err(ParseProblem::NoComma)
            };
        }
    }

    fn object(&mut self) -> Parsed<Json> {
        let mut entries = Map::new();
        if self.skip(b'}') {
            return Ok(Json::Object(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(ParseProblem::NoKey);
            }
            self.position += 1;
            let key = self.string()?;
            if !self.skip(b':') {
                return Err(ParseProblem::NoColon);
            }
            let value = self.value()?;
            entries.insert(key, value);
            if self.skip(b',') {
                continue;
            }
            return if self.skip(b'}') {
                Ok(Json::Object(entries))
            } else {
                Err(ParseProblem::NoComma)
            };
        }
    }

    /// Reads the rest of a string whose opening quote has been read.
    fn string(&mut self) -> Parsed<String> {
        let opening = self.position - 1;
        let first = self.plain_text();
        if self.peek() == Some(b'"') {
            self.position += 1;
            return Ok(first.to_owned());
        }
        let mut text = first.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(ParseProblem::ControlCharacter),
                None => {
                    self.position = opening;
                    return Err(ParseProblem::UnterminatedString);
                }
            }
            text.push_str(self.plain_text());
        }
    }

    /// What comes before the next quote, backslash or control character.
    fn plain_text(&mut self) -> &'t str {
        let start = self.position;
        self.position += plain_prefix_len(&self.bytes[start..]);
        &self.text[start..self.position]
    }

    pub(super) fn escape(&mut self) -> Parsed<char> {
        let character = match self.bytes.get(self.position + 1) {
            Some(b'u') => return self.unicode_escape(),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(&byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(_) => return Err(ParseProblem::InvalidEscape),
            None => return Err(ParseProblem::UnterminatedString),
        };
        self.position += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Parsed<char> {
        let Some(unit) = self.utf16_unit(self.position) else {
            self.position += 1;
            return Err(ParseProblem::InvalidUnicodeEscape);
        };
        self.position += 6;
        let is_high_surrogate = (0xD800..0xDC00).contains(&unit);
        let low = self.utf16_unit(self.position).filter(|_| is_high_surrogate);
        if let Some(Ok(pair)) = low.and_then(|low| char::decode_utf16([unit, low]).next()) {
            self.position += 6;
            return Ok(pair);
        }
        Ok(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// The unit that is written as `\uXXXX` at `position`.
    fn utf16_unit(&self, position: usize) -> Option<u16> {
        let digits = self.bytes.get(position..position + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, &digit| {
            let value = char::from(digit).to_digit(16)?;
            Some(unit << 4 | u16::try_from(value).ok()?)
        })
    }

    fn number(&mut self) -> Parsed<Json> {
        let start = self.position;
        let is_negative = self.peek() == Some(b'-');
        self.position += usize::from(is_negative);
        if is_negative && self.peek() == Some(b'I') {
            return self.literal("Infinity", Json::Null);
        }
        // `None` once it does not fit 64 bits.
        let mut magnitude = Some(0_u64);
        let digits_start = self.position;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            magnitude = magnitude
                .and_then(|m| m.checked_mul(10))
                .and_then(|m| m.checked_add(u64::from(digit - b'0')));
            self.position += 1;
            if self.position - digits_start == 1 && digit == b'0' {
                break;
            }
        }
        if self.position == digits_start {
            self.position = start;
            return Err(ParseProblem::NoValue);
        }
        let is_float = self.fraction() | self.exponent();
        if !is_float && let Some(magnitude) = magnitude {
            if !is_negative {
                return Ok(Json::from(magnitude));
            }
            if let Some(number) = 0_i64.checked_sub_unsigned(magnitude) {
                return Ok(Json::from(number));
            }
        }
        // The text is a number to Rust too; one that is too large becomes infinite, and so null.
        Ok(self.text[start..self.position].parse::<f64>().map_or(Json::Null, Json::from))
    }

    fn fraction(&mut self) -> bool {
        let n_digits = match self.peek() {
            Some(b'.') => self.n_digits(self.position + 1),
            _ => 0,
        };
        self.position += if n_digits > 0 { 1 + n_digits } else { 0 };
        n_digits > 0
    }

    fn exponent(&mut self) -> bool {
        let Some(b'e' | b'E') = self.peek() else { return false };
        let sign_len = match self.bytes.get(self.position + 1) {
            Some(b'+' | b'-') => 1,
            _ => 0,
        };
        let n_digits = self.n_digits(self.position + 1 + sign_len);
        self.position += if n_digits > 0 { 1 + sign_len + n_digits } else { 0 };
        n_digits > 0
    }

    fn n_digits(&self, position: usize) -> usize {
        self.bytes.iter().skip(position).take_while(|byte| byte.is_ascii_digit()).count()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &Json) {
        let value = parse_text(text).unwrap();
        assert_eq!(&value, expect, "{text}");
        // 1 and 1.0 are equal in neither language's JSON text.
        assert_eq!(value.to_string(), expect.to_string(), "{text}");
    }

    #[track_caller]
    fn check_error(bytes: impl AsRef<[u8]>, expect: &str) {
        assert_eq!(parse(bytes.as_ref()).unwrap_err().to_string(), expect);
    }

    #[test]
    fn numbers_keep_their_kind() {
        check("0", &json!(0));
        check("-0", &json!(0));
        check("-0.0", &json!(-0.0));
        check("-12", &json!(-12));
        check("1.10", &json!(1.1));
        check("1E5", &json!(100_000.0));
        check("1e-400", &json!(0.0));
        check("18446744073709551615", &json!(u64::MAX));
        check("-9223372036854775808", &json!(i64::MIN));
        check("0.1234567890123456789", &json!(0.123_456_789_012_345_68));
    }

    #[test]
    fn integers_beyond_64_bits_are_floats() {
        check("18446744073709551616", &json!(1.844_674_407_370_955_2e19));
        check("-9223372036854775809", &json!(-9.223_372_036_854_776e18));
        check("123456789012345678901234567890", &json!(1.234_567_890_123_456_8e29));
    }

    #[test]
    fn numbers_that_json_cannot_print_are_null() {
        check("[NaN,Infinity,-Infinity,1e400,-1e400]", &json!([null, null, null, null, null]));
    }

    #[test]
    fn strings_are_unescaped() {
        check(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#, &json!("a\"\\/\u{8}\u{c}\n\r\té😀"));
        check("\"é\u{7f}\u{2028}\"", &json!("é\u{7f}\u{2028}"));
    }

    #[test]
    fn half_surrogates_are_replaced() {
        check(r#""\ud800""#, &json!("\u{fffd}"));
        check(r#""\ud800\u0041\udc00""#, &json!("\u{fffd}A\u{fffd}"));
        check(r#""\ud800\ud83d\ude00""#, &json!("\u{fffd}😀"));
    }

    #[test]
    fn the_last_of_equal_keys_stands_first() {
        check(r#" { "a" : 1 , "b" : [ ] , "a" : 3 } "#, &json!({"a": 3, "b": []}));
    }

    #[test]
    fn errors_say_what_python_says() {
        check_error("", "Expecting value: line 1 column 1 (char 0)");
        check_error("\u{feff}{}", "Expecting value: line 1 column 1 (char 0)");
        check_error("tru", "Expecting value: line 1 column 1 (char 0)");
        check_error("{\n\"é\":x}", "Expecting value: line 2 column 5 (char 6)");
        check_error("01", "Extra data: line 1 column 2 (char 1)");
        check_error("1.", "Extra data: line 1 column 2 (char 1)");
        check_error("1e+", "Extra data: line 1 column 2 (char 1)");
        check_error("-", "Expecting value: line 1 column 1 (char 0)");
        check_error("-NaN", "Expecting value: line 1 column 1 (char 0)");
        check_error("[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)");
        check_error("[1,]", "Expecting value: line 1 column 4 (char 3)");
        check_error(
            "{1:2}",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        );
        check_error("{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)");
        check_error("\"a\tb\"", "Invalid control character at: line 1 column 3 (char 2)");
        check_error("\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)");
        check_error("\"\\u12g4\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)");
        check_error(" \"abc", "Unterminated string starting at: line 1 column 2 (char 1)");
        check_error(b"\"\xff\"", "Not UTF-8: line 1 column 2 (char 1)");
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        parse_text(&nested(MAX_DEPTH)).unwrap();
        check_error(nested(MAX_DEPTH + 1), "Nested too deep: line 1 column 1025 (char 1024)");
        check_error("[".repeat(1_000_000), "Nested too deep: line 1 column 1025 (char 1024)");
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_by_serde_or_refused(text in r#"[\[\]{},:"\\u0-9a-f.eE+ -]{0,20}"#) {
            if let Ok(expect) = serde_json::from_str::<Json>(&text) {
                let negative_zero = text.contains("-0");
                prop_assert!(negative_zero || parse_text(&text) == Ok(expect));
            } else {
                // Lenient only in what is named above.
                let is_lenient = text.contains("\\ud") || text.contains(['e', 'E']);
                prop_assert!(is_lenient || parse_text(&text).is_err());
            }
        }
    }
}
