//! What kind of characters a text is made of.

use std::sync::LazyLock;

use regex::Regex;

use super::case::is_cased;
use crate::template::lexer::is_whitespace;

/// The methods that ask all characters the same, with the texts they accept.
static CLASSES: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    [
        ("isalnum", r"^[\p{L}\p{N}]+$"),
        ("isalpha", r"^\p{L}+$"),
        ("isdecimal", r"^\p{Nd}+$"),
        ("isdigit", r"^[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐]+$"),
        ("isidentifier", r"^[\p{XID_Start}_]\p{XID_Continue}*$"),
        ("isnumeric", r"^[\p{N}〇一二三四五六七八九十百千万億兆]+$"),
        ("isprintable", r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$"),
    ]
    .into_iter()
    .filter_map(|(name, pattern)| Some((name, Regex::new(pattern).ok()?)))
    .collect()
});

/// What the method `name` says of `text`.
pub(super) fn is(text: &str, name: &str) -> bool {
    match name {
        "isascii" => text.is_ascii(),
        "isspace" => !text.is_empty() && text.chars().all(is_whitespace),
        "islower" => text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase),
        "isupper" => text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase),
        "istitle" => is_title(text),
        _ => CLASSES.iter().any(|(known, class)| *known == name && class.is_match(text)),
    }
}

/// Whether every word starts large and goes on small.
fn is_title(text: &str) -> bool {
    let (mut is_inside_word, mut has_words) = (false, false);
    for char in text.chars() {
        if is_cased(char) {
            if char.is_uppercase() == is_inside_word {
                return false;
            }
            has_words = true;
        }
        is_inside_word = is_cased(char);
    }
    has_words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_compiles() {
        assert_eq!(CLASSES.len(), 7);
    }
}
