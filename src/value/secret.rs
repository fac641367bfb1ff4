//! What must never be seen: a value that cannot be printed, and the set that masks texts.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use regex::Regex;

/// What stands in place of a secret.
const MASK: &str = "****";

/// A value that cannot be printed by accident: its `Debug` shows only the mask.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that must send it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// The secrets of one run; clones share one set, which can grow while the run goes on.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Longest first; replaced as a whole, so that masking holds no lock.
    needles: Arc<RwLock<Arc<[Needle]>>>,
}

impl Secrets {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Masks `secret` from now on, also where it stands percent-encoded in a
    /// URL or escaped in a text, however often. An empty text is no secret.
    pub fn add(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let is_known = |needle: &Needle| *needle.secret == *secret;
        let needles = Arc::clone(&self.needles.read().unwrap_or_else(PoisonError::into_inner));
        if !needles.iter().any(is_known) {
            self.add_needle(Needle::new(secret));
        }
    }

    fn add_needle(&self, needle: Needle) {
        // A panic while the lock is held cannot leave the list half made.
        let mut needles = self.needles.write().unwrap_or_else(PoisonError::into_inner);
        if needles.iter().any(|other| other.secret == needle.secret) {
            return;
        }
        let mut longer = needles.to_vec();
        longer.push(needle);
        longer.sort_by_key(|needle| Reverse(needle.secret.len()));
        *needles = longer.into();
    }

    /// Masks all signed tokens (JWT) from now on: one may be made for each request.
    pub fn add_signed_tokens(&self) {
        let pattern = r"\beyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+";
        self.add_needle(Needle { secret: pattern.into(), pattern: Regex::new(pattern).ok() });
    }

    /// How many texts are masked; secrets only ever are added.
    pub fn n_texts(&self) -> usize {
        self.needles.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// `text` with every secret replaced by `****`; of two secrets that begin
    /// at one place the longer is taken.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let needles = Arc::clone(&self.needles.read().unwrap_or_else(PoisonError::into_inner));
        let mut upcoming: Vec<_> = needles.iter().map(|needle| needle.find(text, 0)).collect();
        if upcoming.iter().all(Option::is_none) {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut position = 0;
        loop {
            // Each secret is searched for once over the whole text, whatever the others do.
            for (next, needle) in upcoming.iter_mut().zip(needles.iter()) {
                if next.as_ref().is_some_and(|found| found.start < position) {
                    *next = needle.find(text, position);
                }
            }
            let found = upcoming.iter().flatten();
            let Some(found) = found.min_by_key(|found| (found.start, Reverse(found.end))) else {
                break;
            };
            masked.push_str(&text[position..found.start]);
            masked.push_str(MASK);
            position = found.end;
        }
        masked.push_str(&text[position..]);
        Cow::Owned(masked)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("n_texts", &self.n_texts()).finish_non_exhaustive()
    }
}

/// A secret, and how it is found.
#[derive(Clone)]
struct Needle {
    secret: Box<str>,
    /// All the ways to write it; none where there is only one.
    pattern: Option<Regex>,
}

impl Needle {
    fn new(secret: &str) -> Self {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~".contains(letter);
        let mut pattern = String::new();
        if !secret.chars().all(is_plain) {
            secret.chars().for_each(|letter| write_forms(letter, &mut pattern));
        }
        // A secret that is too long for a pattern is found as it is.
        let pattern = Some(pattern).filter(|pattern| !pattern.is_empty());
        let pattern = pattern.and_then(|pattern| Regex::new(&pattern).ok());
        Self { secret: secret.into(), pattern }
    }

    /// Where it stands next.
    fn find(&self, text: &str, position: usize) -> Option<Range<usize>> {
        if let Some(pattern) = &self.pattern {
            return pattern.find_at(text, position).map(|found| found.range());
        }
        let start = position + text[position..].find(&*self.secret)?;
        Some(start..start + self.secret.len())
    }
}

/// The pattern of a letter as it is, in URLs, in texts that quote (texts that quote) it, and as a
/// server repeats it that takes one character set for another.
fn write_forms(letter: char, pattern: &mut String) {
    let mut encoded = [0; 4];
    let text = letter.encode_utf8(&mut encoded);
    if letter.is_ascii_alphanumeric() {
        pattern.push(letter);
        return;
    }
    let mut forms = vec![regex::escape(text)];
    let bytes = |prefix: &str| {
        text.bytes().fold(String::new(), |bytes, byte| format!("{bytes}{prefix}{byte:02x}"))
    };
    forms.push(bytes("%(?:25)*"));
    forms.push(bytes(r"\\+x"));
    let mut units = [0; 2];
    let units = letter.encode_utf16(&mut units).iter();
    forms.push(units.fold(String::new(), |units, unit| format!(r"{units}\\+u{unit:04x}")));
    match letter {
        ' ' => forms.push(r"\+".to_owned()),
        '\\' => forms.push(r"\\+".to_owned()),
        '\'' | '"' | '/' => forms.push(format!(r"\\+{letter}")),
        '\n' => forms.push(r"\\+n".to_owned()),
        '\r' => forms.push(r"\\+r".to_owned()),
        '\t' => forms.push(r"\\+t".to_owned()),
        '&' => forms.push("&amp;".to_owned()),
        '<' => forms.push("&lt;".to_owned()),
        '>' => forms.push("&gt;".to_owned()),
        letter if letter.is_ascii() => {}
        letter => {
            forms.push(regex::escape(&text.bytes().map(char::from).collect::<String>()));
            forms.push("\u{fffd}+".to_owned());
            forms.push(format!(r"\\+U{:08x}", u32::from(letter)));
            if let Ok(byte) = u8::try_from(u32::from(letter)) {
                forms.push(format!(r"\\+x{byte:02x}"));
            }
        }
    }
    pattern.push_str("(?i:");
    pattern.push_str(&forms.join("|"));
    pattern.push(')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(secrets: &[&str], text: &str, expect: &str) {
        let set = Secrets::new();
        for secret in secrets {
            set.add(secret);
        }
        assert_eq!(set.mask(text), expect);
    }

    #[test]
    fn masks_every_occurrence() {
        check(&["k3y", "other"], "k3y and k3yk3y, not k4y", "**** and ********, not k4y");
    }

    #[test]
    fn takes_the_longer_of_two_secrets() {
        check(&["x", "xk"], "xk x kx", "**** **** k****");
    }

    #[test]
    fn never_masks_its_own_mask() {
        check(&["key", "*"], "key*", "********");
    }

    #[test]
    fn an_empty_secret_masks_nothing() {
        check(&[""], "text", "text");
    }

    #[test]
    fn masks_what_is_encoded_in_urls_and_json() {
        check(&["p w/ö\"\n"], "?a=p%20w%2F%C3%B6%22%0A&b=p+w%2F%C3%B6%22%0A", "?a=****&b=****");
        check(&["a\n\"b"], r#"{"x": "a\n\"b"}"#, r#"{"x": "****"}"#);
    }

    #[test]
    fn masks_signed_tokens_when_it_is_told_to() {
        let set = Secrets::new();
        let text = "Bearer eyJhbGci.eyJpYXQ.F_W-4, eyJ, eyJ.eyJ";
        assert_eq!(set.mask(text), text);
        set.add_signed_tokens();
        set.add_signed_tokens();
        assert_eq!((&*set.mask(text), set.n_texts()), ("Bearer ****, eyJ, eyJ.eyJ", 1));
    }

    #[test]
    fn masks_what_is_quoted_again_and_again() {
        let secret = "a'b\\c\"\nd/e 🙂";
        let mut text = secret.to_owned();
        for _ in 0..4 {
            text = serde_json::Value::from(format!("<{text}>")).to_string();
            check(
                &[secret],
                &text,
                &text.replace(&text[text.find('a').unwrap()..=text.rfind('🙂').unwrap() + 3], MASK),
            );
        }
        check(&["a/b+c="], r"a\/b+c= a%2fb%252Bc%3d a\u002fb+c= a b+c=", "**** **** **** a b+c=");
    }

    #[test]
    fn masks_what_is_read_in_another_character_set() {
        check(
            &["pä\"ß"],
            "pÃ¤\"Ã\u{9f}, p\u{fffd}\"\u{fffd}, p\\u00e4\\\"\\u00df",
            "****, ****, ****",
        );
    }

    #[test]
    fn borrows_a_text_without_secrets() {
        let set = Secrets::new();
        set.add("key");
        assert!(matches!(set.mask("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn clones_share_one_set() {
        let set = Secrets::new();
        let clone = set.clone();
        set.add("late");
        assert_eq!(clone.mask("late"), MASK);
    }

    #[test]
    fn nothing_is_printed() {
        let set = Secrets::new();
        set.add("key");
        assert_eq!(
            format!("{:?} {:?}", Secret::new("key"), set),
            "**** Secrets { n_texts: 1, .. }"
        );
    }
}
