//! `str.format`: fields in braces.

use super::percent::ascii;
use super::spec::format_value;
use crate::template::ops;
use crate::template::value::Text;
use crate::template::{Args, Cx, EvalError, Value};

/// What fields take their values from.
#[derive(Debug)]
pub(crate) enum Arguments<'a> {
    /// The arguments of `format`.
    Call(Args<'a>),
    /// The mapping of `format_map`.
    Mapping(Value<'a>),
}

/// `template.format(…)`; `finish` has the last word on what a field becomes.
pub(crate) fn str_format(
    cx: &Cx<'_>,
    template: &str,
    arguments: &Arguments<'_>,
    finish: fn(String) -> String,
) -> Result<String, EvalError> {
    let mut formatter = Formatter { cx, arguments, numbering: Numbering::Automatic(0), finish };
    formatter.expand(template, 2)
}

#[derive(Clone, Copy)]
enum Numbering {
    Automatic(usize),
    Manual,
}

struct Formatter<'f, 'a> {
    cx: &'f Cx<'f>,
    arguments: &'f Arguments<'a>,
    numbering: Numbering,
    finish: fn(String) -> String,
}

impl<'a> Formatter<'_, 'a> {
    fn expand(&mut self, template: &str, depth: u8) -> Result<String, EvalError> {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find(['{', '}']) {
            out.push_str(&rest[..start]);
            let brace = &rest[start..=start];
            rest = &rest[start + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                out.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" || rest.is_empty() {
                let message = format!("Single '{brace}' encountered in format string");
                return Err(EvalError::Value(message));
            }
            let field = Field::parse(&mut rest)?;
            let value = self.value(field.name)?;
            let value = convert(value, field.conversion)?;
            let Some(inner) = depth.checked_sub(1) else {
                return Err(EvalError::value_error("Max string recursion exceeded"));
            };
            let spec = self.expand_spec(field.spec, inner)?;
            let text = match (value, spec.is_empty()) {
                (Value::Markup(text), true) => text.to_string(),
                (value, _) => (self.finish)(format_value(self.cx, &value, &spec)?),
            };
            self.cx.charge(text.len())?;
            out.push_str(&text);
        }
        out.push_str(rest);
        Ok(out)
    }

    fn expand_spec(&mut self, spec: &str, depth: u8) -> Result<String, EvalError> {
        if depth == 0 && spec.contains(['{', '}']) {
            return Err(EvalError::value_error("Max string recursion exceeded"));
        }
        if spec.is_empty() { Ok(String::new()) } else { self.expand(spec, depth) }
    }

    /// The value that `0`, `name`, `name.attribute[key]` or nothing names.
    fn value(&mut self, name: &str) -> Result<Value<'a>, EvalError> {
        let switched = || {
            EvalError::value_error(
                "cannot switch from manual field specification to automatic field numbering",
            )
        };
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        match (name, self.numbering) {
            ("", Numbering::Manual) => return Err(switched()),
            ("", Numbering::Automatic(idx)) => {
                self.numbering = Numbering::Automatic(idx + 1);
                return self.positional(idx);
            }
            (_, Numbering::Automatic(1..)) if is_number => return Err(switched()),
            _ if is_number => self.numbering = Numbering::Manual,
            _ => {}
        }
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let mut value = match index(first)? {
            Some(idx) => self.positional(idx)?,
            None => self.named(first)?,
        };
        while !rest.is_empty() {
            let empty = || EvalError::value_error("Empty attribute in format string");
            if let Some(attribute) = rest.strip_prefix('.') {
                let end = attribute.find(['.', '[']).unwrap_or(attribute.len());
                let (attribute, after) = attribute.split_at(end);
                if attribute.is_empty() {
                    return Err(empty());
                }
                value = ops::get_attribute(&value, Text::from(attribute.to_owned()))?;
                rest = after;
            } else if let Some(key) = rest.strip_prefix('[') {
                let (key, after) = key
                    .split_once(']')
                    .ok_or_else(|| EvalError::value_error("Missing ']' in format string"))?;
                if key.is_empty() {
                    return Err(empty());
                }
                let key = match index(key)? {
                    Some(idx) => ops::int(idx),
                    None => Value::str(key),
                };
                value = ops::get_item(&value, &key)?;
                rest = after;
            } else {
                return Err(EvalError::value_error(
                    "Only '.' or '[' may follow ']' in format field specifier",
                ));
            }
        }
        Ok(value)
    }

    fn positional(&self, idx: usize) -> Result<Value<'a>, EvalError> {
        let found = match self.arguments {
            Arguments::Call(args) => args.positional.get(idx).cloned(),
            Arguments::Mapping(_) => None,
        };
        found.ok_or_else(|| EvalError::Index("tuple index out of range".to_owned()))
    }

    fn named(&self, name: &str) -> Result<Value<'a>, EvalError> {
        let key = Value::str(name);
        let found = match self.arguments {
            Arguments::Call(args) => args
                .named
                .iter()
                .find(|(known, _)| &**known == name)
                .map(|(_, value)| value.clone()),
            Arguments::Mapping(mapping) => ops::lookup(mapping, &key)?,
        };
        found.ok_or_else(|| EvalError::Key(format!("{key:?}")))
    }
}

/// What stands between braces.
struct Field<'t> {
    name: &'t str,
    conversion: Option<char>,
    spec: &'t str,
}

impl<'t> Field<'t> {
    /// Takes a field and its closing brace off the front of `rest`.
    fn parse(rest: &mut &'t str) -> Result<Self, EvalError> {
        let text = *rest;
        let error = |message: &str| EvalError::value_error(message);
        let mut is_bracketed = false;
        let end = text.char_indices().find(|(_, char)| match char {
            '[' => {
                is_bracketed = true;
                false
            }
            ']' => {
                is_bracketed = false;
                false
            }
            _ => !is_bracketed && matches!(char, '{' | '}' | ':' | '!'),
        });
        let (end, stop) = end.ok_or_else(|| error("expected '}' before end of string"))?;
        let (name, mut after) = (&text[..end], &text[end + 1..]);
        let mut field = Self { name, conversion: None, spec: "" };
        match stop {
            '}' => {
                *rest = after;
                return Ok(field);
            }
            '{' => return Err(error("unexpected '{' in field name")),
            '!' => {
                let mut chars = after.chars();
                let conversion = chars
                    .next()
                    .ok_or_else(|| error("end of string while looking for conversion specifier"))?;
                field.conversion = Some(conversion);
                after = chars.as_str();
                match chars.next() {
                    Some('}') => {
                        *rest = chars.as_str();
                        return Ok(field);
                    }
                    Some(':') => after = chars.as_str(),
                    Some(_) => return Err(error("expected ':' after conversion specifier")),
                    None => {}
                }
            }
            _ => {}
        }
        // The specification may hold fields of its own.
        let mut depth = 1_usize;
        let end = after.bytes().position(|byte| {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.ok_or_else(|| error("unmatched '{' in format spec"))?;
        field.spec = &after[..end];
        *rest = &after[end + 1..];
        Ok(field)
    }
}

/// A whole number, when the text is one.
fn index(text: &str) -> Result<Option<usize>, EvalError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let too_many = |_| EvalError::value_error("Too many decimal digits in format string");
    text.parse().map(Some).map_err(too_many)
}

fn convert(value: Value<'_>, conversion: Option<char>) -> Result<Value<'_>, EvalError> {
    Ok(match conversion {
        None => value,
        Some('s') => Value::from(value.py_str()?.into_owned()),
        Some('r') => Value::from(value.py_repr()?),
        Some('a') => Value::from(ascii(&value.py_repr()?)),
        Some(other) => {
            return Err(EvalError::Value(format!("Unknown conversion specifier {other}")));
        }
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::value::Json;

    fn format(template: &str, values: &[Json]) -> Result<String, EvalError> {
        let named = json!({"name": "n", "d": {"k": [7]}});
        let args = Args {
            positional: values.iter().map(Value::from_json).collect(),
            named: named
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (Text::from(name.clone()), Value::from_json(value)))
                .collect(),
        };
        let run = RunContext::fixed(Timestamp::UNIX_EPOCH);
        str_format(&Cx::new(&run), template, &Arguments::Call(args), |text| text)
    }

    #[track_caller]
    fn check(template: &str, expect: &str) {
        let got = format(template, &[json!("a"), json!(5)]);
        assert_eq!(got.unwrap_or_else(|err| format!("error: {err}")), expect, "{template:?}");
    }

    #[test]
    fn fields() {
        check("{}-{}", "a-5");
        check("{1}{0}{{}}", "5a{}");
        check("{name}{d[k][0]}{d.k}", "n7[7]");
        check("{0!r:>5}|{1:03d}", "  'a'|005");
        check("{:>{}}", "    a");
        check("{0[0]}", "a");
    }

    #[test]
    fn refusals() {
        check("{", "error: Single '{' encountered in format string");
        check("}", "error: Single '}' encountered in format string");
        check("{5}", "error: tuple index out of range");
        check("{nope}", "error: 'nope'");
        check(
            "{}{0}",
            "error: cannot switch from manual field specification to automatic field numbering",
        );
        check("{0", "error: expected '}' before end of string");
        check("{0:", "error: unmatched '{' in format spec");
        check("{0!}", "error: unmatched '{' in format spec");
        check("{0!x}", "error: Unknown conversion specifier x");
        check("{0!rx}", "error: expected ':' after conversion specifier");
        check("{0.}", "error: Empty attribute in format string");
        check("{d[k}", "error: expected '}' before end of string");
        check("{0:{1:{1}}}", "error: Max string recursion exceeded");
        check("{0{1}}", "error: unexpected '{' in field name");
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic(template in r"[{}\[\].!:rsané0-9<>^d]{0,14}") {
            let _ = format(&template, &[json!("a"), json!(5)]);
        }
    }
}
