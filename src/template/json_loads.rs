//! JSON text as Python's `json.loads` reads it: integers keep all of their
//! digits, and `NaN` and `Infinity` are numbers.

use num_bigint::BigInt;

use super::dict::{Dict, Key};
use super::error::EvalError;
use super::value::Value;

/// Nesting beyond which Python gives up as well.
const MAX_DEPTH: usize = 300;

/// The value of a JSON text.
pub(super) fn loads<'a>(text: &str) -> Result<Value<'a>, EvalError> {
    let mut reader = Reader { text, position: 0, depth: 0 };
    reader.skip_whitespace();
    let value = reader.value()?;
    reader.skip_whitespace();
    if reader.position < text.len() {
        return reader.fail("Extra data");
    }
    Ok(value)
}

struct Reader<'t> {
    text: &'t str,
    position: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.position..]
    }

    fn fail<T>(&self, problem: &str) -> Result<T, EvalError> {
        let before = &self.text[..self.position];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Err(EvalError::JsonDecode(format!(
            "{problem}: line {} column {} (char {})",
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
            before.chars().count()
        )))
    }

    fn skip_whitespace(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t', '\n', '\r']);
        self.position = self.text.len() - rest.len();
    }

    fn skip(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        if is_there {
            self.position += token.len();
        }
        is_there
    }

    fn value<'a>(&mut self) -> Result<Value<'a>, EvalError> {
        const CONSTANTS: [(&str, Value<'static>); 6] = [
            ("null", Value::None),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        match self.rest().bytes().next() {
            Some(b'"') => {
                self.position += 1;
                self.string().map(Value::from)
            }
            Some(b'[' | b'{') if self.depth >= MAX_DEPTH => Err(EvalError::Recursion),
            Some(b'[') => self.nested(Self::array),
            Some(b'{') => self.nested(Self::object),
            _ => match CONSTANTS.iter().find(|(name, _)| self.skip(name)) {
                Some((_, Value::Bool(flag))) => Ok(Value::Bool(*flag)),
                Some((_, Value::Float(float))) => Ok(Value::Float(*float)),
                Some(_) => Ok(Value::None),
                None => self.number(),
            },
        }
    }

    fn nested<T>(&mut self, read: fn(&mut Self) -> Result<T, EvalError>) -> Result<T, EvalError> {
        self.depth += 1;
        self.position += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn array<'a>(&mut self) -> Result<Value<'a>, EvalError> {
        let mut items = Vec::new();
        self.skip_whitespace();
        if self.skip("]") {
            return Ok(Value::list(items));
        }
        loop {
            self.skip_whitespace();
            items.push(self.value()?);
            self.skip_whitespace();
            if self.skip("]") {
                return Ok(Value::list(items));
            }
            if !self.skip(",") {
                return self.fail("Expecting ',' delimiter");
            }
        }
    }

    fn object<'a>(&mut self) -> Result<Value<'a>, EvalError> {
        let mut dict = Dict::new();
        self.skip_whitespace();
        if self.skip("}") {
            return Ok(Value::dict(dict));
        }
        loop {
            self.skip_whitespace();
            if !self.skip("\"") {
                return self.fail("Expecting property name enclosed in double quotes");
            }
            let key = self.string()?;
            self.skip_whitespace();
            if !self.skip(":") {
                return self.fail("Expecting ':' delimiter");
            }
            self.skip_whitespace();
            let value = self.value()?;
            dict.insert(Key::str(key), value);
            self.skip_whitespace();
            if self.skip("}") {
                return Ok(Value::dict(dict));
            }
            if !self.skip(",") {
                return self.fail("Expecting ',' delimiter");
            }
        }
    }

    fn number<'a>(&mut self) -> Result<Value<'a>, EvalError> {
        let bytes = self.rest().as_bytes();
        let digits =
            |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(bytes.first() == Some(&b'-'));
        let n_digits = digits(sign);
        if n_digits == 0 {
            return self.fail("Expecting value");
        }
        // A leading zero stands alone.
        let int = sign + if bytes[sign] == b'0' { 1 } else { n_digits };
        let mut end = int;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if digits(signed) > 0 {
                end = signed + digits(signed);
            }
        }
        let text = &self.rest()[..end];
        self.position += end;
        if end > int {
            return Ok(Value::Float(text.parse().unwrap_or(f64::NAN)));
        }
        Ok(match text.parse() {
            Ok(small) => Value::Int(small),
            Err(_) => Value::from_bigint(text.parse::<BigInt>().unwrap_or_default()),
        })
    }

    /// A text up to its closing quote; the opening one has been read.
    fn string(&mut self) -> Result<String, EvalError> {
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|char| matches!(char, '"' | '\\' | '\0'..='\x1f'));
            let Some(plain) = plain else {
                return self.fail("Unterminated string starting at");
            };
            out.push_str(&rest[..plain]);
            self.position += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Ok(out),
                b'\\' => self.escape(&mut out)?,
                _ => return self.fail("Invalid control character at"),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), EvalError> {
        let Some(char) = self.rest().chars().next() else {
            return self.fail("Unterminated string starting at");
        };
        self.position += char.len_utf8();
        out.push(match char {
            '"' | '\\' | '/' => char,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex4()?;
                let position = self.position;
                let mut code = u32::from(first);
                if (0xd800..0xdc00).contains(&first) && self.skip("\\u") {
                    let second = self.hex4()?;
                    match char::decode_utf16([first, second]).next() {
                        Some(Ok(pair)) => code = u32::from(pair),
                        _ => self.position = position,
                    }
                }
                // Half a surrogate pair cannot be held.
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return self.fail("Invalid \\escape"),
        });
        Ok(())
    }

    fn hex4(&mut self) -> Result<u16, EvalError> {
        let digits = self
            .rest()
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u16::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.position += 4;
                Ok(code)
            }
            None => self.fail("Invalid \\uXXXX escape"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let shown = match loads(text) {
            Ok(value) => value.py_repr().unwrap(),
            Err(err) => err.to_string(),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn reads_as_python_does() {
        check(r#" {"a": [1, -2.5e3, null, true]} "#, "{'a': [1, -2500.0, None, True]}");
        check("12345678901234567890123", "12345678901234567890123");
        check("[NaN, -Infinity]", "[nan, -inf]");
        check(r#""\u00e9\ud83d\ude00\n""#, r"'é😀\n'");
    }

    #[test]
    fn tells_what_is_wrong() {
        check("01", "Extra data: line 1 column 2 (char 1)");
        check("[1,]", "Expecting value: line 1 column 4 (char 3)");
        check(
            "{'a': 1}",
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        );
    }

    proptest! {
        #[test]
        fn never_panics(text in r#"([\[\]{},:"\\u0-9a-fEe+.\-]|null|\PC)*"#) {
            let _ = loads(&text);
        }
    }
}
