//! Python's `fnmatch` patterns: `*`, `?`, `[a-z]` and `[!a-z]`.

/// A pattern that a whole text must match, in characters and with their case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    AnyText,
    AnyCharacter,
    Character(char),
    /// One character that is inside one of the ranges, or inside none when negated.
    Set {
        is_negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Glob {
    /// Reads `pattern`; every text is a pattern.
    pub fn new(pattern: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            parts.push(match character {
                '*' => Part::AnyText,
                '?' => Part::AnyCharacter,
                '[' => match set_len(rest) {
                    Some(set_len) => {
                        let set = &rest[..set_len];
                        rest = &rest[set_len + 1..];
                        Part::set(set)
                    }
                    None => Part::Character('['),
                },
                _ => Part::Character(character),
            });
        }
        // Two stars match what one does.
        parts.dedup_by(|a, b| *a == Part::AnyText && *b == Part::AnyText);
        Self { parts }
    }

    /// Whether `text` has a character that a pattern gives a meaning to.
    pub fn is_glob(text: &str) -> bool {
        text.contains(['*', '?', '['])
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let mut part_idx = 0;
        let mut rest = text;
        // Where to go on when a match fails: behind the last star, one character later.
        let mut retry: Option<(usize, &str)> = None;
        loop {
            let part = self.parts.get(part_idx);
            if part == Some(&Part::AnyText) {
                part_idx += 1;
                retry = Some((part_idx, rest));
                continue;
            }
            let Some(character) = rest.chars().next() else { return part.is_none() };
            if part.is_some_and(|part| part.matches(character)) {
                part_idx += 1;
                rest = &rest[character.len_utf8()..];
                continue;
            }
            let Some((star_idx, from)) = &mut retry else { return false };
            let mut behind = from.chars();
            behind.next();
            *from = behind.as_str();
            (part_idx, rest) = (*star_idx, from);
        }
    }
}

impl Part {
    /// The inside of brackets, as `a-z_`, `!a-z` or `]a`.
    fn set(text: &str) -> Self {
        let (is_negated, members) = match text.strip_prefix('!') {
            Some(members) => (true, members),
            None => (false, text),
        };
        let mut ranges = Vec::new();
        let mut characters = members.chars();
        while let Some(first) = characters.next() {
            let mut ahead = characters.clone();
            match (ahead.next(), ahead.next()) {
                (Some('-'), Some(last)) => {
                    characters = ahead;
                    // A range that runs backwards has no members.
                    ranges.extend((first <= last).then_some((first, last)));
                }
                _ => ranges.push((first, first)),
            }
        }
        Self::Set { is_negated, ranges }
    }

    fn matches(&self, character: char) -> bool {
        match self {
            Self::AnyText | Self::AnyCharacter => true,
            Self::Character(own) => *own == character,
            Self::Set { is_negated, ranges } => {
                let is_member =
                    ranges.iter().any(|(first, last)| (first..=last).contains(&&character));
                is_member != *is_negated
            }
        }
    }
}

/// The length of the set at the start of `rest`, up to its closing bracket;
/// a bracket that comes first is a member.
fn set_len(rest: &str) -> Option<usize> {
    let negation_len = usize::from(rest.starts_with('!'));
    let member_len = usize::from(rest[negation_len..].starts_with(']'));
    let skipped = negation_len + member_len;
    rest[skipped..].find(']').map(|offset| skipped + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let glob = Glob::new(pattern);
        for text in matching {
            assert!(glob.matches(text), "{pattern} should match {text}");
        }
        for text in others {
            assert!(!glob.matches(text), "{pattern} should not match {text}");
        }
    }

    #[test]
    fn stars_and_question_marks() {
        check("it*", &["it", "items"], &["i", "bit"]);
        check("*a*b", &["ab", "xaxbxb", "aab"], &["ba", "abx", ""]);
        check("**", &["", "x"], &[]);
        check("?", &["x", "é", "😀"], &["", "xy"]);
        check("a?c*", &["abc", "abcd"], &["ac", "Abc"]);
        check("", &[""], &["x"]);
    }

    #[test]
    fn sets() {
        check("[ab]", &["a", "b"], &["c", "ab", ""]);
        check("[a-cx]", &["b", "x"], &["d", "-"]);
        check("[!a-c]", &["d", "é"], &["a", ""]);
        check("[]a]", &["]", "a"], &["b"]);
        check("[!]a]", &["b"], &["]", "a"]);
        check("[a-]", &["a", "-"], &["b"]);
        check("[c-a]", &[], &["a", "b", "c"]);
        check("[!c-a]", &["a", "z"], &[""]);
        check("a[*]", &["a*"], &["ab"]);
    }

    #[test]
    fn a_set_without_an_end_is_text() {
        check("[", &["["], &["x"]);
        check("[!]", &["[!]"], &["x"]);
        check("[a", &["[a"], &["a"]);
        check("]", &["]"], &[]);
    }
}
