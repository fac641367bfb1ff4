//! What must never be seen: a value that cannot be printed, and the set that masks texts.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
    texts: Arc<RwLock<Arc<[Box<str>]>>>,
}

impl Secrets {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Masks `secret` from now on, also where it stands percent-encoded in a
    /// URL or escaped in a JSON text. An empty text is no secret.
    pub fn add(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        // A panic while the lock is held cannot leave the list half made.
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        let mut longer = texts.to_vec();
        for form in written_forms(secret) {
            if !longer.iter().any(|text| **text == *form) {
                longer.push(form.into());
            }
        }
        longer.sort_by_key(|text| Reverse(text.len()));
        *texts = longer.into();
    }

    /// How many texts are masked; secrets only ever are added.
    pub fn n_texts(&self) -> usize {
        self.texts.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// `text` with every secret replaced by `****`; of two secrets that begin
    /// at one place the longer is taken.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let secrets = Arc::clone(&self.texts.read().unwrap_or_else(PoisonError::into_inner));
        let mut upcoming: Vec<Option<usize>> = secrets.iter().map(|s| text.find(&**s)).collect();
        if upcoming.iter().all(Option::is_none) {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut position = 0;
        loop {
            // Each secret is searched for once over the whole text, whatever the others do.
            for (next, secret) in upcoming.iter_mut().zip(secrets.iter()) {
                if next.is_some_and(|start| start < position) {
                    *next = find_from(text, position, secret);
                }
            }
            let found = upcoming
                .iter()
                .zip(secrets.iter())
                .filter_map(|(next, secret)| next.map(|start| (start, Reverse(secret.len()))));
            let Some((start, Reverse(len))) = found.min() else { break };
            masked.push_str(&text[position..start]);
            masked.push_str(MASK);
            position = start + len;
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

fn find_from(text: &str, position: usize, needle: &str) -> Option<usize> {
    text[position..].find(needle).map(|offset| position + offset)
}

/// The secret as it is, in a path or query, in a form, and inside a JSON string.
fn written_forms(secret: &str) -> [String; 4] {
    /// What neither `quote` of Python nor a form encoder escapes.
    const ESCAPED: &percent_encoding::AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let encoded = utf8_percent_encode(secret, ESCAPED).to_string();
    let json = serde_json::Value::from(secret).to_string();
    [secret.to_owned(), encoded.replace("%20", "+"), encoded, json[1..json.len() - 1].to_owned()]
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
