//! Percent-encoding, the way Python's `urllib.parse` and `requests` do it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::request::ParamValue;

/// What `quote` escapes when nothing is declared safe.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// What `requests` escapes in a whole URL that has no broken escapes.
const NOT_IN_URL: &AsciiSet = &NOT_IN_BROKEN_URL.remove(b'%');

/// What `requests` escapes in a whole URL with a broken escape.
const NOT_IN_BROKEN_URL: &AsciiSet = &RESERVED
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'/')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'?')
    .remove(b'@')
    .remove(b'[')
    .remove(b']');

/// Python's `quote_plus`: everything but letters, digits and `_.-~` is
/// escaped, and a space becomes `+`.
pub fn quote_plus(text: &str) -> String {
    const SPACE_KEPT: &AsciiSet = &RESERVED.remove(b' ');
    utf8_percent_encode(text, SPACE_KEPT).to_string().replace(' ', "+")
}

/// Python's `urlencode(doseq=True)`: `a=1&b=2&b=3`.
pub fn urlencode(pairs: &[(String, ParamValue)]) -> String {
    let mut encoded = String::new();
    for (key, values) in pairs {
        for value in values.texts() {
            if !encoded.is_empty() {
                encoded.push('&');
            }
            encoded.push_str(&quote_plus(key));
            encoded.push('=');
            encoded.push_str(&quote_plus(value));
        }
    }
    encoded
}

/// Python's `unquote`: what is not UTF-8 becomes the replacement character.
pub fn unquote(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Python's `parse_qsl`: the pairs of a query that have a value.
pub fn parse_query(query: &str) -> impl Iterator<Item = (String, String)> {
    let decode = |text: &str| unquote(&text.replace('+', " ")).into_owned();
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .map(move |(key, value)| (decode(key), decode(value)))
}

/// Escapes what may not stand in a URL, and nothing twice: `requests`' `requote_uri`.
pub fn requote_uri(url: &str) -> String {
    match unquote_unreserved(url) {
        Some(unquoted) => utf8_percent_encode(&unquoted, NOT_IN_URL).to_string(),
        None => utf8_percent_encode(url, NOT_IN_BROKEN_URL).to_string(),
    }
}

/// Undoes the escapes of characters that never need one; `None` when one is broken.
fn unquote_unreserved(url: &str) -> Option<Cow<'_, str>> {
    if !url.contains('%') {
        return Some(Cow::Borrowed(url));
    }
    let mut parts = url.split('%');
    let mut unquoted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut digits = part.chars();
        let looks_escaped = (0..2).all(|_| digits.next().is_some_and(char::is_alphanumeric));
        let escaped = if looks_escaped { Some(hex_byte(part)?) } else { None };
        let plain = escaped
            .map(char::from)
            .filter(|plain| plain.is_ascii_alphanumeric() || "-._~".contains(*plain));
        unquoted.push(plain.unwrap_or('%'));
        unquoted.push_str(if plain.is_some() { &part[2..] } else { part });
    }
    Some(Cow::Owned(unquoted))
}

/// The byte written by the two hexadecimal digits that `text` begins with.
pub(super) fn hex_byte(text: &str) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_all_but_the_unreserved() {
        assert_eq!(quote_plus("a b_.-~/,:[]é%"), "a+b_.-~%2F%2C%3A%5B%5D%C3%A9%25");
    }

    #[test]
    fn lists_repeat_their_key() {
        let pairs = [
            ("a".to_owned(), ParamValue::from("1 2")),
            ("b[]".to_owned(), ParamValue::List(vec!["x".into(), "y".into()])),
            ("c".to_owned(), ParamValue::List(vec![])),
            ("d".to_owned(), ParamValue::from("")),
        ];
        assert_eq!(urlencode(&pairs), "a=1+2&b%5B%5D=x&b%5B%5D=y&d=");
    }

    #[track_caller]
    fn check_requote(url: &str, expect: &str) {
        assert_eq!(requote_uri(url), expect);
    }

    #[test]
    fn requoting_undoes_needless_escapes_only() {
        check_requote(
            "http://h/%7Ea%2Fb c?x=é|'&y[]=%41",
            "http://h/~a%2Fb%20c?x=%C3%A9%7C'&y[]=A",
        );
        check_requote("http://h/100%?a=%e9", "http://h/100%?a=%e9");
    }

    #[test]
    fn a_broken_escape_makes_every_percent_sign_plain() {
        check_requote("http://h/%7Ea%zz", "http://h/%257Ea%25zz");
    }

    #[test]
    fn queries_are_parsed_without_blank_values() {
        let pairs: Vec<_> = parse_query("a=1&b=&c&d=x+y%2B&a=2&=e").collect();
        let expect = [("a", "1"), ("d", "x y+"), ("a", "2"), ("", "e")];
        assert_eq!(pairs, expect.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    proptest! {
        #[test]
        fn parsing_undoes_encoding(pairs in proptest::collection::vec((".*", ".+"), 0..5)) {
            let params: Vec<_> =
                pairs.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
            prop_assert_eq!(parse_query(&urlencode(&params)).collect::<Vec<_>>(), pairs);
        }

        #[test]
        fn requoting_twice_changes_nothing(path in "([a-z /é|\\[\\]]|%[0-9A-Fa-f]{2})*") {
            let once = requote_uri(&path);
            prop_assert_eq!(requote_uri(&once), once);
        }
    }
}
