//! `format()`: the mini-language of format specifications.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

use super::number::{Notation, float_digits, grouped};
use crate::template::numeric;
use crate::template::ops;
use crate::template::{Cx, EvalError, Value};

/// `format(value, spec)`.
pub(crate) fn format_value(
    cx: &Cx<'_>,
    value: &Value<'_>,
    spec: &str,
) -> Result<String, EvalError> {
    if let (Value::DateTime(_) | Value::Date(_), false) = (value, spec.is_empty()) {
        return Ok(match value {
            Value::DateTime(when) => when.strftime(spec),
            Value::Date(date) => date.strftime(spec),
            _ => String::new(),
        });
    }
    if spec.is_empty() {
        return Ok(value.py_str()?.into_owned());
    }
    match value {
        Value::Str(_) | Value::Markup(_) => {
            format_text(cx, value.as_str().unwrap_or_default(), &Spec::parse(spec, "str")?)
        }
        Value::Bool(_) | Value::Int(_) | Value::BigInt(_) => {
            let spec = Spec::parse(spec, value.type_name())?;
            let int = ops::to_bigint(value).unwrap_or_default();
            match spec.kind {
                Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
                    let float = int.to_f64().filter(|float| float.is_finite());
                    let float = float.ok_or_else(|| {
                        EvalError::Overflow("int too large to convert to float".to_owned())
                    })?;
                    format_float(cx, float, &spec)
                }
                _ => format_int(cx, &int, &spec),
            }
        }
        Value::Float(float) => format_float(cx, *float, &Spec::parse(spec, "float")?),
        Value::Undefined(undefined) => Err(undefined.error()),
        _ => Err(EvalError::Type(format!(
            "unsupported format string passed to {}.__format__",
            value.type_name()
        ))),
    }
}

/// `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`
#[derive(Debug)]
struct Spec {
    type_name: &'static str,
    fill: char,
    /// `<`, `>`, `=` or `^`.
    align: Option<char>,
    /// `+`, `-` or a space.
    sign: Option<char>,
    /// `z`: no negative zero.
    is_unsigned_zero: bool,
    is_alternate: bool,
    width: usize,
    /// `,` or `_`.
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str, type_name: &'static str) -> Result<Self, EvalError> {
        let chars = text.chars().collect::<Vec<_>>();
        let mut pos = 0;
        let is_align = |char: Option<&char>| char.is_some_and(|char| "<>=^".contains(*char));
        let mut spec = Self {
            type_name,
            fill: ' ',
            align: None,
            sign: None,
            is_unsigned_zero: false,
            is_alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        };
        let mut has_fill = false;
        if is_align(chars.get(1)) {
            (spec.fill, spec.align, pos, has_fill) = (chars[0], Some(chars[1]), 2, true);
        } else if is_align(chars.first()) {
            (spec.align, pos) = (Some(chars[0]), 1);
        }
        let take = |pos: &mut usize, accepted: &str| {
            let found = chars.get(*pos).copied().filter(|char| accepted.contains(*char));
            *pos += usize::from(found.is_some());
            found
        };
        spec.sign = take(&mut pos, "+- ");
        spec.is_unsigned_zero = take(&mut pos, "z").is_some();
        spec.is_alternate = take(&mut pos, "#").is_some();
        if !has_fill && take(&mut pos, "0").is_some() {
            spec.fill = '0';
            if spec.align.is_none() && type_name != "str" {
                spec.align = Some('=');
            }
        }
        spec.width = digits(&chars, &mut pos)?.unwrap_or(0);
        spec.grouping = take(&mut pos, ",_");
        if spec.grouping.is_some() && take(&mut pos, ",_").is_some() {
            return Err(EvalError::value_error("Cannot specify both ',' and '_'."));
        }
        if take(&mut pos, ".").is_some() {
            let precision = digits(&chars, &mut pos)?;
            spec.precision = Some(
                precision
                    .ok_or_else(|| EvalError::value_error("Format specifier missing precision"))?,
            );
        }
        match chars[pos..] {
            [] => {}
            [kind] => spec.kind = Some(kind),
            _ => {
                return Err(EvalError::Value(format!(
                    "Invalid format specifier '{text}' for object of type '{type_name}'"
                )));
            }
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), EvalError> {
        let default_kind = (self.type_name == "str").then_some('s');
        let Some(kind) = self.kind.or(default_kind) else { return Ok(()) };
        let Some(grouping) = self.grouping else { return Ok(()) };
        let is_allowed = match kind {
            'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' => true,
            'b' | 'o' | 'x' | 'X' => grouping == '_',
            _ => false,
        };
        if is_allowed {
            return Ok(());
        }
        Err(EvalError::Value(format!("Cannot specify '{grouping}' with '{kind}'.")))
    }

    fn unknown_kind(&self) -> EvalError {
        let kind = self.kind.unwrap_or_default();
        let type_name = self.type_name;
        EvalError::Value(format!("Unknown format code '{kind}' for object of type '{type_name}'"))
    }

    /// Text filled up to the width; `lead` is a sign and prefix, which may
    /// stand before the filling.
    fn aligned(
        &self,
        cx: &Cx<'_>,
        lead: &str,
        text: &str,
        default_align: char,
    ) -> Result<String, EvalError> {
        let n_fill = self.width.saturating_sub(lead.len() + text.chars().count());
        cx.charge(n_fill)?;
        let fill = |count: usize| std::iter::repeat_n(self.fill, count).collect::<String>();
        Ok(match self.align.unwrap_or(default_align) {
            '<' => format!("{lead}{text}{}", fill(n_fill)),
            '=' => format!("{lead}{}{text}", fill(n_fill)),
            '^' => format!("{}{lead}{text}{}", fill(n_fill / 2), fill(n_fill - n_fill / 2)),
            _ => format!("{}{lead}{text}", fill(n_fill)),
        })
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match self.sign {
            _ if is_negative => "-",
            Some('+') => "+",
            Some(' ') => " ",
            _ => "",
        }
    }

    /// Whole digits in groups, within the width when zeros fill it.
    fn grouped(&self, digits: &str, group: usize, n_other: usize) -> String {
        let Some(separator) = self.grouping else { return digits.to_owned() };
        let is_filled = self.fill == '0' && self.align == Some('=');
        let width = if is_filled { self.width.saturating_sub(n_other) } else { 0 };
        grouped(digits, separator, group, width)
    }
}

/// A decimal number, if there is one.
fn digits(chars: &[char], pos: &mut usize) -> Result<Option<usize>, EvalError> {
    let len = chars[*pos..].iter().take_while(|char| char.is_ascii_digit()).count();
    if len == 0 {
        return Ok(None);
    }
    let text = chars[*pos..*pos + len].iter().collect::<String>();
    *pos += len;
    let too_many = |_| EvalError::value_error("Too many decimal digits in format string");
    text.parse().map(Some).map_err(too_many)
}

fn format_text(cx: &Cx<'_>, text: &str, spec: &Spec) -> Result<String, EvalError> {
    let refusal = match spec {
        Spec { kind: Some(kind), .. } if *kind != 's' => return Err(spec.unknown_kind()),
        Spec { sign: Some(' '), .. } => "Space not allowed in string format specifier",
        Spec { sign: Some(_), .. } => "Sign not allowed in string format specifier",
        Spec { is_unsigned_zero: true, .. } => {
            "Negative zero coercion (z) not allowed in string format specifier"
        }
        Spec { is_alternate: true, .. } => {
            "Alternate form (#) not allowed in string format specifier"
        }
        Spec { align: Some('='), .. } => "'=' alignment not allowed in string format specifier",
        Spec { precision: None, .. } => return spec.aligned(cx, "", text, '<'),
        Spec { precision: Some(precision), .. } => {
            let cut = text.char_indices().nth(*precision).map_or(text.len(), |(idx, _)| idx);
            return spec.aligned(cx, "", &text[..cut], '<');
        }
    };
    Err(EvalError::value_error(refusal))
}

fn format_int(cx: &Cx<'_>, int: &BigInt, spec: &Spec) -> Result<String, EvalError> {
    if spec.kind.is_some_and(|kind| !"bcdonxX".contains(kind)) {
        return Err(spec.unknown_kind());
    }
    if spec.precision.is_some() {
        return Err(EvalError::value_error("Precision not allowed in integer format specifier"));
    }
    if spec.is_unsigned_zero {
        let message = "Negative zero coercion (z) not allowed in integer format specifier";
        return Err(EvalError::value_error(message));
    }
    if spec.kind == Some('c') {
        if spec.sign.is_some() {
            let message = "Sign not allowed with integer format specifier 'c'";
            return Err(EvalError::value_error(message));
        }
        if spec.is_alternate {
            let message = "Alternate form (#) not allowed with integer format specifier 'c'";
            return Err(EvalError::value_error(message));
        }
        return spec.aligned(cx, "", &character(int)?.to_string(), '>');
    }
    let (radix, group, prefix) = match spec.kind {
        Some('b') => (2, 4, "0b"),
        Some('o') => (8, 4, "0o"),
        Some('x') => (16, 4, "0x"),
        Some('X') => (16, 4, "0X"),
        _ => (10, 3, ""),
    };
    let mut digits = numeric::digits(int, radix)?;
    if spec.kind == Some('X') {
        digits.make_ascii_uppercase();
    }
    let prefix = if spec.is_alternate { prefix } else { "" };
    let lead = format!("{}{prefix}", spec.sign(int.is_negative()));
    cx.charge(spec.width)?;
    spec.aligned(cx, &lead, &spec.grouped(&digits, group, lead.len()), '>')
}

fn format_float(cx: &Cx<'_>, float: f64, spec: &Spec) -> Result<String, EvalError> {
    let (notation, scale, suffix) = match spec.kind {
        None => (Notation::Repr, 1.0, ""),
        Some('e' | 'E') => (Notation::Exponent, 1.0, ""),
        Some('f' | 'F') => (Notation::Fixed, 1.0, ""),
        Some('g' | 'G' | 'n') => (Notation::General, 1.0, ""),
        Some('%') => (Notation::Fixed, 100.0, "%"),
        Some(_) => return Err(spec.unknown_kind()),
    };
    let precision = spec.precision.unwrap_or(0);
    if i32::try_from(precision).is_err() {
        return Err(EvalError::value_error("precision too big"));
    }
    cx.charge(precision.saturating_add(spec.width))?;
    let float = float * scale;
    let mut digits = float_digits(float.abs(), notation, spec.precision, spec.is_alternate);
    if matches!(spec.kind, Some('E' | 'F' | 'G')) {
        digits.make_ascii_uppercase();
    }
    let is_zero = digits
        .bytes()
        .take_while(|b| !b.eq_ignore_ascii_case(&b'e'))
        .all(|b| matches!(b, b'0' | b'.'));
    let is_negative =
        float.is_sign_negative() && !float.is_nan() && !(spec.is_unsigned_zero && is_zero);
    let lead = spec.sign(is_negative);
    let n_whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = digits.split_at(n_whole);
    let mut text = String::new();
    if !whole.is_empty() {
        text = spec.grouped(whole, 3, lead.len() + rest.len() + suffix.len());
    }
    text.push_str(rest);
    text.push_str(suffix);
    spec.aligned(cx, lead, &text, '>')
}

/// The character with a number.
pub(super) fn character(int: &BigInt) -> Result<char, EvalError> {
    int.to_u32()
        .and_then(char::from_u32)
        .ok_or_else(|| EvalError::Overflow("%c arg not in range(0x110000)".to_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::run::RunContext;

    fn format(value: &Value<'_>, spec: &str) -> Result<String, EvalError> {
        format_value(&Cx::new(&RunContext::fixed(Timestamp::UNIX_EPOCH)), value, spec)
    }

    #[track_caller]
    fn check(value: impl Into<Value<'static>>, spec: &str, expect: &str) {
        let got = format(&value.into(), spec).unwrap_or_else(|err| format!("error: {err}"));
        assert_eq!(got, expect, "{spec:?}");
    }

    #[test]
    fn texts() {
        check("ab", "", "ab");
        check("ab", "5", "ab   ");
        check("ab", ">5", "   ab");
        check("ab", "*^5.1s", "**a**");
        check("ab", "05", "ab000");
        check("ab", "d", "error: Unknown format code 'd' for object of type 'str'");
        check("ab", "=5", "error: '=' alignment not allowed in string format specifier");
        check("ab", "+", "error: Sign not allowed in string format specifier");
        check("ab", "xx", "error: Invalid format specifier 'xx' for object of type 'str'");
    }

    #[test]
    fn ints() {
        check(Value::Int(5), "", "5");
        check(Value::Int(5), "+d", "+5");
        check(Value::Int(-5), "05", "-0005");
        check(Value::Int(5), "é^6", "éé5ééé");
        check(Value::Int(255), "#X", "0XFF");
        check(Value::Int(5), "#08x", "0x000005");
        check(Value::Int(1234), "010,", "00,001,234");
        check(Value::Int(-1234), "08,", "-001,234");
        check(Value::Int(123_456), "_b", "1_1110_0010_0100_0000");
        check(Value::Int(65), "c", "A");
        check(Value::Int(5), "%", "500.000000%");
        check(Value::Int(5), ".2", "error: Precision not allowed in integer format specifier");
        check(Value::Int(5), "s", "error: Unknown format code 's' for object of type 'int'");
        check(Value::Int(5), ",x", "error: Cannot specify ',' with 'x'.");
        check(true, "", "True");
        check(true, "5", "    1");
    }

    #[test]
    fn floats() {
        check(1234.5, ",.2f", "1,234.50");
        check(1234.5, "010,.1f", "0,001,234.5");
        check(-1.5, "z.0f", "-2");
        check(-0.01, "z.1f", "0.0");
        check(12.0, ".2", "1.2e+01");
        check(0.5, "%", "50.000000%");
        check(1e10, "G", "1E+10");
        check(f64::NAN, "05", "00nan");
        check(f64::NEG_INFINITY, "010", "-000000inf");
        check(5.5, "x", "error: Unknown format code 'x' for object of type 'float'");
        check(1.5, ".2147483648f", "error: precision too big");
    }

    #[test]
    fn other_values() {
        check(Value::None, "", "None");
        check(Value::None, "5", "error: unsupported format string passed to NoneType.__format__");
        assert!(matches!(format(&Value::Int(1), "99999999999"), Err(EvalError::Limit)));
    }

    proptest! {
        #[test]
        fn no_spec_makes_it_panic(spec in r"[<>=^+ z#0-9,_.dxefgGn%sé-]{0,8}", float: f64) {
            for value in [Value::Float(float), Value::Int(-5), Value::from("é")] {
                let _ = format(&value, &spec);
            }
        }
    }
}
