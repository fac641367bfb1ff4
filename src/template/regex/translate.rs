//! Python's pattern syntax, written as our engine reads it.

use std::iter::Peekable;
use std::str::Chars;

use crate::template::error::EvalError;

/// A pattern in our engine's syntax.
#[derive(Debug)]
pub(super) struct Translated {
    /// The pattern.
    pub(super) source: String,
    /// How many groups it has, without the whole match.
    pub(super) n_groups: usize,
    names: Vec<(String, usize)>,
}

impl Translated {
    /// The number of the group with a name.
    pub(super) fn group(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, idx)| *idx)
    }
}

/// Translates a pattern of Python's `re`; refuses what `re` refuses to read.
pub(super) fn translate(pattern: &str) -> Result<Translated, EvalError> {
    let mut translator = Translator {
        chars: pattern.chars().peekable(),
        out: Translated { source: String::new(), n_groups: 0, names: Vec::new() },
        flags: Flags::default(),
        open: Vec::new(),
        n_flag_bytes: 0,
    };
    translator.run()?;
    Ok(translator.out)
}

/// The error for an escape without a meaning.
pub(super) fn bad_escape(char: char) -> EvalError {
    error(format!("bad escape \\{char}"))
}

fn error(message: impl Into<String>) -> EvalError {
    EvalError::Regex(message.into())
}

/// Flags that change how what follows is translated.
#[derive(Clone, Copy, Default)]
struct Flags {
    is_ascii: bool,
    is_multi_line: bool,
    is_verbose: bool,
}

struct Translator<'p> {
    chars: Peekable<Chars<'p>>,
    out: Translated,
    flags: Flags,
    /// For each open parenthesis the flags around it, and the group it is, if it is one.
    open: Vec<(Flags, Option<usize>)>,
    /// The length of the flags for the whole pattern, which nothing stands before.
    n_flag_bytes: usize,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), EvalError> {
        while let Some(char) = self.chars.next() {
            match char {
                _ if self.flags.is_verbose && char.is_ascii_whitespace() => {}
                '#' if self.flags.is_verbose => {
                    while self.chars.next_if(|c| *c != '\n').is_some() {}
                }
                '\\' => self.escape()?,
                '[' => self.set()?,
                '(' => self.open()?,
                ')' => {
                    let (flags, _) =
                        self.open.pop().ok_or_else(|| error("unbalanced parenthesis"))?;
                    self.flags = flags;
                    self.push(")");
                }
                // The end, or before a newline that ends the text.
                '$' => self.push(if self.flags.is_multi_line { "$" } else { r"(?=\n?\z)" }),
                '{' => self.count(),
                '*' | '+' | '?' | '|' | '^' | '.' => self.out.source.push(char),
                _ => self.literal(char),
            }
        }
        if !self.open.is_empty() {
            return Err(error("missing ), unterminated subpattern"));
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        self.out.source.push_str(text);
    }

    /// A character that stands for itself.
    fn literal(&mut self, char: char) {
        if char.is_ascii() && !char.is_ascii_alphanumeric() {
            self.push(&format!(r"\x{{{:x}}}", u32::from(char)));
        } else {
            self.out.source.push(char);
        }
    }

    /// `{2}`, `{2,}`, `{,2}`; anything else is only a brace.
    fn count(&mut self) {
        let mut ahead = self.chars.clone();
        let mut digits = || {
            let mut digits = String::new();
            while let Some(digit) = ahead.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            (digits, ahead.next())
        };
        let count = match digits() {
            (least, Some('}')) if !least.is_empty() => format!("{{{least}}}"),
            (least, Some(',')) => match digits() {
                (most, Some('}')) if least.is_empty() => format!("{{0,{most}}}"),
                (most, Some('}')) => format!("{{{least},{most}}}"),
                _ => return self.literal('{'),
            },
            _ => return self.literal('{'),
        };
        self.push(&count);
        self.chars = ahead;
    }

    /// An escape outside a set.
    fn escape(&mut self) -> Result<(), EvalError> {
        let Some(char) = self.chars.next() else {
            return Err(error("bad escape (end of pattern)"));
        };
        match char {
            'A' => self.push(r"\A"),
            'Z' => self.push(r"\z"),
            'b' if self.flags.is_ascii => self.push(r"(?-u:\b)"),
            'B' if self.flags.is_ascii => self.push(r"(?-u:\B)"),
            'b' => self.push(r"\b"),
            'B' => self.push(r"\B"),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => self.category(char),
            '1'..='9' => self.reference_or_octal(char)?,
            _ => {
                let char = self.escaped_char(char)?;
                self.literal(char);
            }
        }
        Ok(())
    }

    fn category(&mut self, char: char) {
        if !self.flags.is_ascii {
            self.out.source.extend(['\\', char]);
            return;
        }
        let negation = if char.is_ascii_uppercase() { "^" } else { "" };
        let members = match char.to_ascii_lowercase() {
            'd' => "0-9",
            's' => r"\x{9}-\x{d}\x{20}",
            _ => "a-zA-Z0-9_",
        };
        self.push(&format!("[{negation}{members}]"));
    }

    /// `\1`, `\12`, or three octal digits.
    fn reference_or_octal(&mut self, first: char) -> Result<(), EvalError> {
        let mut number = first.to_string();
        if let Some(second) = self.chars.next_if(char::is_ascii_digit) {
            number.push(second);
            let is_octal = number.chars().all(|char| char.is_digit(8));
            if let Some(third) = self.chars.next_if(|char| is_octal && char.is_digit(8)) {
                number.push(third);
                let char = octal(&number)?;
                self.literal(char);
                return Ok(());
            }
        }
        let idx = number.parse().unwrap_or(usize::MAX);
        self.reference(idx)
    }

    fn reference(&mut self, idx: usize) -> Result<(), EvalError> {
        self.check_group(idx)?;
        if self.open.iter().any(|(_, open)| *open == Some(idx)) {
            return Err(error("cannot refer to an open group"));
        }
        self.push(&format!(r"(?:\{idx})"));
        Ok(())
    }

    fn check_group(&self, idx: usize) -> Result<(), EvalError> {
        if idx == 0 || idx > self.out.n_groups {
            return Err(error(format!("invalid group reference {idx}")));
        }
        Ok(())
    }

    /// The character that an escape stands for, within a set or outside.
    fn escaped_char(&mut self, char: char) -> Result<char, EvalError> {
        Ok(match char {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'x' => self.hexadecimal(char, 2)?,
            'u' => self.hexadecimal(char, 4)?,
            'U' => self.hexadecimal(char, 8)?,
            '0'..='7' => {
                let mut digits = char.to_string();
                while let Some(digit) =
                    self.chars.next_if(|char| digits.len() < 3 && char.is_digit(8))
                {
                    digits.push(digit);
                }
                octal(&digits)?
            }
            _ if char.is_ascii_alphanumeric() => return Err(bad_escape(char)),
            _ => char,
        })
    }

    fn hexadecimal(&mut self, kind: char, len: usize) -> Result<char, EvalError> {
        let mut digits = String::new();
        while let Some(digit) =
            self.chars.next_if(|char| digits.len() < len && char.is_ascii_hexdigit())
        {
            digits.push(digit);
        }
        if digits.len() < len {
            return Err(error(format!("incomplete escape \\{kind}{digits}")));
        }
        let code = u32::from_str_radix(&digits, 16).ok();
        code.and_then(char::from_u32).ok_or_else(|| error(format!("bad escape \\{kind}{digits}")))
    }

    /// `[...]`
    fn set(&mut self) -> Result<(), EvalError> {
        self.push("[");
        if self.chars.next_if_eq(&'^').is_some() {
            self.push("^");
        }
        let unterminated = || error("unterminated character set");
        let mut is_first = true;
        loop {
            let char = self.chars.next().ok_or_else(unterminated)?;
            if char == ']' && !is_first {
                self.push("]");
                return Ok(());
            }
            is_first = false;
            let start = self.set_member(char)?;
            let mut ahead = self.chars.clone();
            if ahead.next() != Some('-') || ahead.peek() == Some(&']') {
                match start {
                    Member::Char(char) => self.literal(char),
                    Member::Category(char) => self.category(char),
                }
                continue;
            }
            self.chars.next();
            let char = self.chars.next().ok_or_else(unterminated)?;
            match (start, self.set_member(char)?) {
                (Member::Char(start), Member::Char(end)) if start <= end => {
                    self.literal(start);
                    self.push("-");
                    self.literal(end);
                }
                (start, end) => return Err(error(format!("bad character range {start}-{end}"))),
            }
        }
    }

    fn set_member(&mut self, char: char) -> Result<Member, EvalError> {
        if char != '\\' {
            return Ok(Member::Char(char));
        }
        match self.chars.next() {
            None => Err(error("bad escape (end of pattern)")),
            Some('b') => Ok(Member::Char('\x08')),
            Some(char @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => Ok(Member::Category(char)),
            Some(char) => self.escaped_char(char).map(Member::Char),
        }
    }

    /// What follows an opening parenthesis.
    fn open(&mut self) -> Result<(), EvalError> {
        if self.chars.next_if_eq(&'?').is_none() {
            return self.open_group(None);
        }
        let start = match self.chars.next() {
            None => return Err(error("unexpected end of pattern")),
            Some('P') => return self.open_named(),
            Some('#') => {
                let is_closed = self.chars.by_ref().any(|char| char == ')');
                return is_closed
                    .then_some(())
                    .ok_or_else(|| error("missing ), unterminated comment"));
            }
            Some('(') => return self.open_condition(),
            Some('<') => match self.chars.next() {
                Some('=') => "(?<=",
                Some('!') => "(?<!",
                Some(char) => return Err(error(format!("unknown extension ?<{char}"))),
                None => return Err(error("unexpected end of pattern")),
            },
            Some(':') => "(?:",
            Some('=') => "(?=",
            Some('!') => "(?!",
            Some('>') => "(?>",
            Some(char) => return self.open_flags(char),
        };
        self.push(start);
        self.open.push((self.flags, None));
        Ok(())
    }

    fn open_group(&mut self, name: Option<String>) -> Result<(), EvalError> {
        self.out.n_groups += 1;
        let idx = self.out.n_groups;
        if let Some(name) = name {
            if let Some(earlier) = self.out.group(&name) {
                return Err(error(format!(
                    "redefinition of group name '{name}' as group {idx}; was group {earlier}"
                )));
            }
            self.out.names.push((name, idx));
        }
        self.open.push((self.flags, Some(idx)));
        self.push("(");
        Ok(())
    }

    /// `(?P<name>...)` and `(?P=name)`; groups are known by their number from here on.
    fn open_named(&mut self) -> Result<(), EvalError> {
        match self.chars.next() {
            Some('<') => {
                let name = self.name('>')?;
                self.open_group(Some(name))
            }
            Some('=') => {
                let name = self.name(')')?;
                let idx = self.out.group(&name);
                self.reference(idx.ok_or_else(|| error(format!("unknown group name '{name}'")))?)
            }
            Some(char) => Err(error(format!("unknown extension ?P{char}"))),
            None => Err(error("unexpected end of pattern")),
        }
    }

    /// `(?(1)yes|no)`.
    fn open_condition(&mut self) -> Result<(), EvalError> {
        let name = self.until(')')?;
        let idx = name.parse().ok().or_else(|| self.out.group(&name));
        let idx = idx.ok_or_else(|| error(format!("unknown group name '{name}'")))?;
        self.check_group(idx)?;
        self.push(&format!("(?({idx})"));
        self.open.push((self.flags, None));
        Ok(())
    }

    fn name(&mut self, end: char) -> Result<String, EvalError> {
        let name = self.until(end)?;
        let is_name = |(idx, char): (usize, char)| {
            char == '_' || char.is_alphabetic() || (idx > 0 && char.is_alphanumeric())
        };
        if name.is_empty() {
            return Err(error("missing group name"));
        }
        if !name.char_indices().all(is_name) {
            return Err(error(format!("bad character in group name '{name}'")));
        }
        Ok(name)
    }

    fn until(&mut self, end: char) -> Result<String, EvalError> {
        let mut name = String::new();
        loop {
            match self.chars.next() {
                Some(char) if char == end => return Ok(name),
                Some(char) => name.push(char),
                None => return Err(error(format!("missing {end}, unterminated name"))),
            }
        }
    }

    /// `(?i)`, `(?i:...)`, `(?i-s:...)`.
    fn open_flags(&mut self, first: char) -> Result<(), EvalError> {
        if !"aiLmsux-".contains(first) {
            return Err(error(format!("unknown extension ?{first}")));
        }
        let mut flags = self.flags;
        let (mut native, mut is_on, mut next) = (String::new(), true, Some(first));
        loop {
            match next {
                Some('-') if is_on => {
                    is_on = false;
                    native.push('-');
                }
                Some('a') => flags.is_ascii = is_on,
                Some('u') => flags.is_ascii = !is_on,
                Some('x') => flags.is_verbose = is_on,
                Some(char @ ('i' | 'm' | 's')) => {
                    native.push(char);
                    if char == 'm' {
                        flags.is_multi_line = is_on;
                    }
                }
                Some('L') => {
                    let message = "bad inline flags: cannot use 'L' flag with a str pattern";
                    return Err(error(message));
                }
                Some(end @ (':' | ')')) => return self.flagged(end, flags, &native),
                Some(_) => return Err(error("unknown flag")),
                None => return Err(error("missing -, : or )")),
            }
            next = self.chars.next();
        }
    }

    fn flagged(&mut self, end: char, flags: Flags, native: &str) -> Result<(), EvalError> {
        let native = native.trim_end_matches('-');
        if end == ':' {
            self.push(&format!("(?{native}:"));
            self.open.push((self.flags, None));
        } else {
            if native.contains('-') {
                return Err(error("missing :"));
            }
            if self.out.source.len() > self.n_flag_bytes {
                return Err(error("global flags not at the start of the expression"));
            }
            if !native.is_empty() {
                self.push(&format!("(?{native})"));
                self.n_flag_bytes = self.out.source.len();
            }
        }
        self.flags = flags;
        Ok(())
    }
}

/// A member of a set: a character, or a category such as `\d`.
enum Member {
    Char(char),
    Category(char),
}

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Char(char) => write!(f, "{char}"),
            Self::Category(char) => write!(f, "\\{char}"),
        }
    }
}

fn octal(digits: &str) -> Result<char, EvalError> {
    let code = u32::from_str_radix(digits, 8).ok().filter(|code| *code <= 0o377);
    code.and_then(char::from_u32)
        .ok_or_else(|| error(format!("octal escape value \\{digits} outside of range 0-0o377")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Pattern;

    #[track_caller]
    fn check(pattern: &str, expect: &str) {
        let err = Pattern::new(pattern).map(|_| ()).unwrap_err();
        assert_eq!(err.to_string(), expect, "{pattern}");
    }

    #[test]
    fn what_python_refuses_is_refused() {
        check("(a", "missing ), unterminated subpattern");
        check("a)", "unbalanced parenthesis");
        check("[a", "unterminated character set");
        check(r"\q", r"bad escape \q");
        check(r"\p{L}", r"bad escape \p");
        check(r"[\B]", r"bad escape \B");
        check(r"\", "bad escape (end of pattern)");
        check(r"\x4", r"incomplete escape \x4");
        check(r"[\w-a]", r"bad character range \w-a");
        check("[b-a]", "bad character range b-a");
        check("(?P<a>x)(?P<a>y)", "redefinition of group name 'a' as group 2; was group 1");
        check("(?P=a)", "unknown group name 'a'");
        check("(?<n>a)", "unknown extension ?<n");
        check("(?P<1>a)", "bad character in group name '1'");
        check(r"(\1)", "cannot refer to an open group");
        check(r"(a)\2", "invalid group reference 2");
        check("a(?i)", "global flags not at the start of the expression");
        check("(?-i)a", "missing :");
        check("(?(1)a)", "invalid group reference 1");
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(
            pattern in r"[\[\](){}?*+|^$.\\,:=!<>Piwd0-9a-c&~#-]{0,16}",
            text in "[a-c0-9\n]{0,12}",
        ) {
            let run = crate::run::RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
            if let Ok(pattern) = Pattern::new(&pattern) {
                let _ = pattern.first_group(&text);
                let _ = pattern.replace_all(&crate::template::Cx::new(&run), &text, r"<\g<0>>");
            }
        }
    }
}
