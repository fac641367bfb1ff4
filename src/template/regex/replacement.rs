//! The replacement texts of `re.sub`.

use fancy_regex::Captures;

use super::translate::{Translated, bad_escape};
use crate::template::error::EvalError;

/// A replacement with its references to groups.
pub(super) struct Replacement {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads `\1`, `\g<1>`, `\g<name>` and the escapes of characters.
    pub(super) fn parse(text: &str, pattern: &Translated) -> Result<Self, EvalError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find('\\') {
            let escape = &rest[start..];
            parts.push(Part::Text(rest[..start].to_owned()));
            let (part, len) = parse_escape(escape, pattern)?;
            parts.push(part);
            rest = &escape[len..];
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self { parts })
    }

    /// Appends what replaces a match.
    pub(super) fn expand(&self, found: &Captures<'_, str>, out: &mut String) {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Group(idx) => {
                    out.push_str(found.get(*idx).map_or("", |group| group.as_str()));
                }
            }
        }
    }
}

/// The part that an escape stands for, and the escape's length.
fn parse_escape(escape: &str, pattern: &Translated) -> Result<(Part, usize), EvalError> {
    let Some(char) = escape[1..].chars().next() else {
        return Err(EvalError::Regex("bad escape (end of pattern)".to_owned()));
    };
    let text = |text: &str| (Part::Text(text.to_owned()), 2);
    Ok(match char {
        'g' => {
            let Some((name, _)) =
                escape[2..].strip_prefix('<').and_then(|rest| rest.split_once('>'))
            else {
                let missing =
                    if escape[2..].starts_with('<') { ">, unterminated name" } else { "<" };
                return Err(EvalError::Regex(format!("missing {missing}")));
            };
            (Part::Group(named_group(name, pattern)?), name.len() + 4)
        }
        '0'..='9' => return parse_number(escape, pattern),
        'a' => text("\x07"),
        'b' => text("\x08"),
        'f' => text("\x0c"),
        'n' => text("\n"),
        'r' => text("\r"),
        't' => text("\t"),
        'v' => text("\x0b"),
        '\\' => text("\\"),
        _ if char.is_ascii_alphabetic() => return Err(bad_escape(char)),
        // Any other character keeps its backslash.
        _ => {
            let len = 1 + char.len_utf8();
            (Part::Text(escape[..len].to_owned()), len)
        }
    })
}

fn named_group(name: &str, pattern: &Translated) -> Result<usize, EvalError> {
    if name.is_empty() {
        return Err(EvalError::Regex("missing group name".to_owned()));
    }
    if let Ok(idx) = name.parse::<usize>() {
        return existing_group(idx, pattern);
    }
    let is_name = |(idx, char): (usize, char)| {
        char == '_' || char.is_alphabetic() || (idx > 0 && char.is_alphanumeric())
    };
    if !name.char_indices().all(is_name) {
        return Err(EvalError::Regex(format!("bad character in group name '{name}'")));
    }
    pattern.group(name).ok_or_else(|| EvalError::Index(format!("unknown group name '{name}'")))
}

/// `\1`, `\12`, or with a leading zero or three octal digits a character.
fn parse_number(escape: &str, pattern: &Translated) -> Result<(Part, usize), EvalError> {
    let digits = &escape[1..];
    let is_octal = |len: usize| {
        digits.get(..len).is_some_and(|text| text.bytes().all(|b| matches!(b, b'0'..=b'7')))
    };
    let least = if digits.starts_with('0') { 1 } else { 3 };
    let octal_len = (least..=3).rev().find(|len| is_octal(*len));
    if let Some(len) = octal_len {
        let code = u32::from_str_radix(&digits[..len], 8).unwrap_or_default();
        let Some(char) = char::from_u32(code).filter(|_| code <= 0o377) else {
            return Err(EvalError::Regex(format!(
                "octal escape value \\{} outside of range 0-0o377",
                &digits[..len]
            )));
        };
        return Ok((Part::Text(char.to_string()), 1 + len));
    }
    let len = digits.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let idx = digits[..len].parse().unwrap_or_default();
    Ok((Part::Group(existing_group(idx, pattern)?), 1 + len))
}

fn existing_group(idx: usize, pattern: &Translated) -> Result<usize, EvalError> {
    if idx > pattern.n_groups {
        return Err(EvalError::Regex(format!("invalid group reference {idx}")));
    }
    Ok(idx)
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use crate::run::RunContext;
    use crate::template::Cx;

    #[track_caller]
    fn check(replacement: &str, expect: &str) {
        let pattern = Pattern::new("(?P<n>a)(b)?").unwrap();
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let got = pattern.replace_all(&Cx::new(&run), "xax", replacement);
        assert_eq!(got.unwrap_or_else(|err| format!("error: {err}")), expect, "{replacement}");
    }

    #[test]
    fn references() {
        check(r"[\1\2]", "x[a]x");
        check(r"\g<1>\g<n>\g<0>", "xaaax");
        check(r"\3", "error: invalid group reference 3");
        check(r"\12", "error: invalid group reference 12");
        check(r"\g<m>", "error: unknown group name 'm'");
        check(r"\g<n m>", "error: bad character in group name 'n m'");
        check(r"\g<", "error: missing >, unterminated name");
        check(r"\g", "error: missing <");
    }

    #[test]
    fn escapes() {
        check(r"\n\t\\", "x\n\t\\x");
        check(r"\0\01\101", "x\0\x01Ax");
        check(r"\&\.\é", r"x\&\.\éx");
        check(r"\400", r"error: octal escape value \400 outside of range 0-0o377");
        check(r"\q", r"error: bad escape \q");
        check("\\", "error: bad escape (end of pattern)");
    }
}
