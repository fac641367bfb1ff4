//! Formatting with `%`, as C's `printf` inspired it.

use std::fmt::Write;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed};

use super::number::{Notation, float_digits};
use super::spec::character;
use crate::template::numeric;
use crate::template::ops;
use crate::template::{Cx, EvalError, Value};

/// `template % values`.
pub(crate) fn percent(
    cx: &Cx<'_>,
    template: &str,
    values: &Value<'_>,
) -> Result<String, EvalError> {
    let mut values = Values::new(values);
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start]);
        let position = template.len() - rest.len() + start;
        if let Some(after) = rest[start..].strip_prefix("%%") {
            out.push('%');
            rest = after;
            continue;
        }
        let mut reader = Reader { template, pos: position + 1 };
        let directive = reader.directive(&mut values)?;
        out.push_str(&directive.format(cx, &mut values, template, reader.pos)?);
        rest = &template[reader.pos..];
    }
    out.push_str(rest);
    values.finish()?;
    Ok(out)
}

/// What the directives take their values from.
struct Values<'v, 'a> {
    /// One value, or the items of a tuple.
    items: &'v [Value<'a>],
    n_taken: usize,
    /// The value by whose keys directives may ask.
    mapping: Option<&'v Value<'a>>,
    /// What the current directive has asked for by its key.
    keyed: Option<Value<'a>>,
}

impl<'v, 'a> Values<'v, 'a> {
    fn new(values: &'v Value<'a>) -> Self {
        let items = match values {
            Value::Tuple(items) => items,
            other => std::slice::from_ref(other),
        };
        // Whatever has items by key counts, even a list.
        let is_mapping = matches!(
            values,
            Value::List(_) | Value::JsonList(_) | Value::Bytes(_) | Value::Undefined(_)
        ) || ops::is_mapping(values);
        Self { items, n_taken: 0, mapping: is_mapping.then_some(values), keyed: None }
    }

    fn next(&mut self) -> Result<Value<'a>, EvalError> {
        if let Some(value) = self.keyed.take() {
            return Ok(value);
        }
        let value = self.items.get(self.n_taken).cloned();
        self.n_taken += 1;
        value.ok_or_else(|| EvalError::type_error("not enough arguments for format string"))
    }

    fn by_key(&mut self, key: &str) -> Result<(), EvalError> {
        let mapping =
            self.mapping.ok_or_else(|| EvalError::type_error("format requires a mapping"))?;
        let key = Value::str(key);
        let found = ops::lookup(mapping, &key)?;
        self.keyed = Some(found.ok_or_else(|| EvalError::Key(format!("{key:?}")))?);
        // What a mapping gives by key is not missed by position.
        self.n_taken = self.items.len();
        Ok(())
    }

    fn finish(&self) -> Result<(), EvalError> {
        if self.n_taken < self.items.len() && self.mapping.is_none() {
            let message = "not all arguments converted during string formatting";
            return Err(EvalError::type_error(message));
        }
        Ok(())
    }
}

struct Reader<'t> {
    template: &'t str,
    pos: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<char, EvalError> {
        let char = self.template[self.pos..].chars().next();
        let char = char.ok_or_else(|| EvalError::value_error("incomplete format"))?;
        self.pos += char.len_utf8();
        Ok(char)
    }

    fn peek(&self) -> Option<u8> {
        self.template.as_bytes().get(self.pos).copied()
    }

    fn directive(&mut self, values: &mut Values<'_, '_>) -> Result<Directive, EvalError> {
        if self.peek() == Some(b'(') {
            let key = self.key()?;
            values.by_key(key)?;
        }
        let mut directive = Directive::default();
        while let Some(flag) = self.peek() {
            match flag {
                b'-' => directive.is_left = true,
                b'+' => directive.sign = "+",
                b' ' if directive.sign.is_empty() => directive.sign = " ",
                b' ' => {}
                b'#' => directive.is_alternate = true,
                b'0' => directive.is_zero_filled = true,
                _ => break,
            }
            self.pos += 1;
        }
        let width = self.count(values)?.unwrap_or(0);
        directive.is_left |= width < 0;
        directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        if self.peek() == Some(b'.') {
            self.pos += 1;
            let precision = self.count(values)?.unwrap_or(0).max(0);
            directive.precision = Some(usize::try_from(precision).unwrap_or(usize::MAX));
        }
        if matches!(self.peek(), Some(b'h' | b'l' | b'L')) {
            self.pos += 1;
        }
        directive.kind = self.next()?;
        Ok(directive)
    }

    /// The key in parentheses, which may hold others.
    fn key(&mut self) -> Result<&str, EvalError> {
        let start = self.pos + 1;
        let mut depth = 0;
        for (idx, byte) in self.template.bytes().enumerate().skip(self.pos) {
            depth += match byte {
                b'(' => 1,
                b')' => -1,
                _ => 0,
            };
            if depth == 0 {
                self.pos = idx + 1;
                return Ok(&self.template[start..idx]);
            }
        }
        Err(EvalError::value_error("incomplete format key"))
    }

    /// A number, or one of the values in place of `*`.
    fn count(&mut self, values: &mut Values<'_, '_>) -> Result<Option<i64>, EvalError> {
        if self.peek() == Some(b'*') {
            self.pos += 1;
            let value = values.next()?;
            return match value {
                Value::Bool(_) | Value::Int(_) => Ok(value.as_i64()),
                _ => Err(EvalError::type_error("* wants int")),
            };
        }
        let start = self.pos;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.pos += 1;
        }
        match &self.template[start..self.pos] {
            "" => Ok(None),
            digits => digits.parse().map(Some).map_err(|_| EvalError::value_error("width too big")),
        }
    }
}

#[derive(Default)]
struct Directive {
    is_left: bool,
    /// What stands before a number that is not negative.
    sign: &'static str,
    is_alternate: bool,
    is_zero_filled: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl Directive {
    fn format(
        &self,
        cx: &Cx<'_>,
        values: &mut Values<'_, '_>,
        template: &str,
        end: usize,
    ) -> Result<String, EvalError> {
        let value = values.next()?;
        cx.charge(self.width.saturating_add(self.precision.unwrap_or(0)))?;
        match self.kind {
            's' => Ok(self.text(&value.py_str()?)),
            'r' => Ok(self.text(&value.py_repr()?)),
            'a' => Ok(self.text(&ascii(&value.py_repr()?))),
            'c' => Ok(self.text(&to_char(&value)?.to_string())),
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => self.int(&self.to_int(&value)?),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.float(to_float(&value)?),
            kind => Err(EvalError::Value(format!(
                "unsupported format character '{}' ({:#x}) at index {}",
                if kind.is_ascii_graphic() { kind } else { '?' },
                u32::from(kind),
                template[..end].chars().count() - 1
            ))),
        }
    }

    fn text(&self, text: &str) -> String {
        let cut = self.precision.and_then(|precision| text.char_indices().nth(precision));
        let text = &text[..cut.map_or(text.len(), |(idx, _)| idx)];
        let fill = " ".repeat(self.width.saturating_sub(text.chars().count()));
        if self.is_left { format!("{text}{fill}") } else { format!("{fill}{text}") }
    }

    fn number(&self, is_negative: bool, prefix: &str, digits: &str) -> String {
        let sign = if is_negative { "-" } else { self.sign };
        let length = sign.len() + prefix.len() + digits.len();
        let n_fill = self.width.saturating_sub(length);
        if self.is_left {
            format!("{sign}{prefix}{digits}{}", " ".repeat(n_fill))
        } else if self.is_zero_filled {
            format!("{sign}{prefix}{}{digits}", "0".repeat(n_fill))
        } else {
            format!("{}{sign}{prefix}{digits}", " ".repeat(n_fill))
        }
    }

    fn int(&self, int: &BigInt) -> Result<String, EvalError> {
        let (radix, prefix) = match self.kind {
            'o' => (8, "0o"),
            'x' => (16, "0x"),
            'X' => (16, "0X"),
            _ => (10, ""),
        };
        let mut digits = numeric::digits(int, radix)?;
        if self.kind == 'X' {
            digits.make_ascii_uppercase();
        }
        let n_zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        let digits = "0".repeat(n_zeros) + &digits;
        let prefix = if self.is_alternate { prefix } else { "" };
        Ok(self.number(int.is_negative(), prefix, &digits))
    }

    fn float(&self, float: f64) -> Result<String, EvalError> {
        let notation = match self.kind.to_ascii_lowercase() {
            'e' => Notation::Exponent,
            'f' => Notation::Fixed,
            _ => Notation::General,
        };
        if self.precision.is_some_and(|precision| i32::try_from(precision).is_err()) {
            return Err(EvalError::value_error("precision too big"));
        }
        let mut digits = float_digits(float.abs(), notation, self.precision, self.is_alternate);
        if self.kind.is_ascii_uppercase() {
            digits.make_ascii_uppercase();
        }
        Ok(self.number(float.is_sign_negative() && !float.is_nan(), "", &digits))
    }

    fn to_int(&self, value: &Value<'_>) -> Result<BigInt, EvalError> {
        let is_decimal = matches!(self.kind, 'd' | 'i' | 'u');
        if let Some(int) = ops::to_bigint(value) {
            return Ok(int);
        }
        match value {
            Value::Undefined(undefined) => Err(undefined.error()),
            Value::Float(float) if is_decimal && float.is_nan() => {
                Err(EvalError::value_error("cannot convert float NaN to integer"))
            }
            Value::Float(float) if is_decimal => BigInt::from_f64(*float).ok_or_else(|| {
                EvalError::Overflow("cannot convert float infinity to integer".to_owned())
            }),
            _ => {
                let wanted = if is_decimal { "a real number" } else { "an integer" };
                Err(EvalError::Type(format!(
                    "%{} format: {wanted} is required, not {}",
                    self.kind,
                    value.type_name()
                )))
            }
        }
    }
}

fn to_char(value: &Value<'_>) -> Result<char, EvalError> {
    let refused = || EvalError::type_error("%c requires int or char");
    match value.as_str() {
        None => character(&ops::to_bigint(value).ok_or_else(refused)?),
        Some(text) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => Ok(char),
                _ => Err(refused()),
            }
        }
    }
}

fn to_float(value: &Value<'_>) -> Result<f64, EvalError> {
    match (value, value.as_f64()) {
        (Value::Undefined(undefined), _) => Err(undefined.error()),
        (Value::BigInt(_), Some(float)) if float.is_infinite() => {
            Err(EvalError::Overflow("int too large to convert to float".to_owned()))
        }
        (_, Some(float)) => Ok(float),
        _ => Err(EvalError::Type(format!("must be real number, not {}", value.type_name()))),
    }
}

/// `ascii()` of what `repr()` has made.
pub(super) fn ascii(repr: &str) -> String {
    let mut out = String::with_capacity(repr.len());
    for char in repr.chars() {
        match u32::from(char) {
            // Writing to a String cannot fail.
            0..=0x7f => out.push(char),
            code @ 0x80..=0xff => _ = write!(out, "\\x{code:02x}"),
            code @ 0x100..=0xffff => _ = write!(out, "\\u{code:04x}"),
            code => _ = write!(out, "\\U{code:08x}"),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::value::Json;

    fn format(template: &str, values: &Value<'_>) -> Result<String, EvalError> {
        percent(&Cx::new(&RunContext::fixed(Timestamp::UNIX_EPOCH)), template, values)
    }

    /// `values` are the members of a tuple, or an object that is the mapping.
    #[track_caller]
    fn check(template: &str, values: &Json, expect: &str) {
        let value = match values {
            Json::Array(items) => {
                Value::tuple(items.iter().map(Value::from_json).collect::<Vec<_>>())
            }
            other => Value::from_json(other),
        };
        let got = format(template, &value).unwrap_or_else(|err| format!("error: {err}"));
        assert_eq!(got, expect, "{template:?}");
    }

    #[test]
    fn texts() {
        check("%s-%r", &json!(["a", "b"]), "a-'b'");
        check("%5s|%-5s|%.2s", &json!(["a", "b", "éàü"]), "    a|b    |éà");
        check("%s %s", &json!([null, [1]]), "None [1]");
        check("%a", &json!(["é😀"]), r"'\xe9\U0001f600'");
        check("100%%", &json!([]), "100%");
        check("%c%c", &json!([65, "b"]), "Ab");
    }

    #[test]
    fn numbers() {
        check("%d %i", &json!([3.7, true]), "3 1");
        check("%05d %+d % d %-4d|", &json!([-3, 3, 3, 3]), "-0003 +3  3 3   |");
        check("%#x %#o %X", &json!([255, 8, -255]), "0xff 0o10 -FF");
        check("%5.3d|%05.3d|%.3d", &json!([5, 5, -5]), "  005|00005|-005");
        check(
            "%.2f %e %g %G",
            &json!([1.234, 12345.678, 0.0001, 1e-10]),
            "1.23 1.234568e+04 0.0001 1E-10",
        );
        check("%*d|%-*d|%.*f", &json!([4, 1, 4, 1, 1, 2.25]), "   1|1   |2.2");
        check("%010f", &json!([-1.5]), "-01.500000");
    }

    #[test]
    fn by_key() {
        check("%(a)s-%(b)05d", &json!({"a": 1, "b": 2}), "1-00002");
        check("%((a))s", &json!({"(a)": 1}), "1");
        check("%s %(a)s", &json!({"a": 1}), "{'a': 1} 1");
        check("x", &json!({"a": 1}), "x");
        check("%(c)s", &json!({"a": 1}), "error: 'c'");
        check("%(a)s", &json!(5), "error: format requires a mapping");
        check("%(a)s %s", &json!({"a": 1}), "error: not enough arguments for format string");
    }

    #[test]
    fn refusals() {
        check("%s", &json!([]), "error: not enough arguments for format string");
        check("x", &json!(1), "error: not all arguments converted during string formatting");
        check("%s", &json!([1, 2]), "error: not all arguments converted during string formatting");
        check("%d", &json!(["a"]), "error: %d format: a real number is required, not str");
        check("%x", &json!([1.5]), "error: %x format: an integer is required, not float");
        check("%f", &json!([null]), "error: must be real number, not NoneType");
        check("%c", &json!(["ab"]), "error: %c requires int or char");
        check("é%5y", &json!([1]), "error: unsupported format character 'y' (0x79) at index 3");
        check("%", &json!([1]), "error: incomplete format");
        check("%(a", &json!({}), "error: incomplete format key");
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic(template in r"[%()a*.0-9+# sdxfgcé-]{0,12}", float: f64) {
            let values = Value::tuple([Value::Float(float), Value::Int(-5), Value::from("é")]);
            let _ = format(&template, &values);
        }
    }
}
