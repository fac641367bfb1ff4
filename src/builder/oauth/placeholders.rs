//! The placeholders of a consent: `{{ name | filter }}` and `{% if name == 'text' %}`.
//!
//! The platform fills them with an engine of its own, whose filters are other ones than those of
//! manifests' templates, so they have a reader of their own. The older form is read too, with
//! placeholders inside of one: `{{ {{client_id_value}}:{{client_secret_value}} | base64Encoder }}`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::OAuthError;
use crate::http::{quote_plus, unquote};

/// What placeholders can name.
pub(super) type Values = BTreeMap<String, String>;

/// The text with its placeholders filled; a name that is not known is empty.
pub(super) fn render(text: &str, values: &Values) -> Result<String, OAuthError> {
    let mut reader = Reader { rest: text, values };
    let mut filled = String::new();
    match reader.block(&mut filled, true)? {
        Some(tag) => Err(wrong(&format!("there is no `if` before `{{% {tag} %}}`"))),
        None => Ok(filled),
    }
}

fn wrong(problem: &str) -> OAuthError {
    OAuthError::Placeholder(problem.to_owned())
}

struct Reader<'t> {
    rest: &'t str,
    values: &'t Values,
}

impl<'t> Reader<'t> {
    /// Reads up to a tag that ends or divides a condition, and gives that tag.
    fn block(
        &mut self,
        filled: &mut String,
        is_shown: bool,
    ) -> Result<Option<&'t str>, OAuthError> {
        loop {
            let Some(start) = self.rest.find('{') else {
                if is_shown {
                    filled.push_str(self.rest);
                }
                self.rest = "";
                return Ok(None);
            };
            let (before, from) = self.rest.split_at(start);
            let is_tag = from.starts_with("{%");
            let is_value = from.starts_with("{{");
            let n_plain = usize::from(!is_tag && !is_value);
            if is_shown {
                filled.push_str(before);
                filled.push_str(&from[..n_plain]);
            }
            self.rest = &from[n_plain..];
            if is_value {
                let inner = self.inner()?;
                if is_shown {
                    filled.push_str(&evaluate(inner, self.values)?);
                }
            } else if is_tag {
                let end = self.rest.find("%}").ok_or_else(|| wrong("a `{%` has no `%}`"))?;
                let tag = self.rest[2..end].trim_matches('-').trim();
                self.rest = &self.rest[end + 2..];
                match tag.strip_prefix("if ") {
                    Some(condition) => self.condition(condition, filled, is_shown)?,
                    None => return Ok(Some(tag)),
                }
            }
        }
    }

    /// What stands between `{{` and its `}}`.
    fn inner(&mut self) -> Result<&'t str, OAuthError> {
        let text = self.rest;
        let (mut depth, mut idx) = (0, 0);
        while let Some(pair) = text.as_bytes().get(idx..idx + 2) {
            match pair {
                b"{{" => depth += 1,
                b"}}" => depth -= 1,
                _ => {
                    idx += 1;
                    continue;
                }
            }
            idx += 2;
            if depth == 0 {
                self.rest = &text[idx..];
                return Ok(&text[2..idx - 2]);
            }
        }
        Err(wrong("a `{{` has no `}}`"))
    }

    fn condition(
        &mut self,
        first: &'t str,
        filled: &mut String,
        is_shown: bool,
    ) -> Result<(), OAuthError> {
        let mut holds = holds(first, self.values)?;
        let mut was_met = holds;
        loop {
            let tag = self.block(filled, is_shown && holds)?;
            match tag.map(|tag| (tag, tag.strip_prefix("elif "))) {
                Some((_, Some(other))) => holds = !was_met && self::holds(other, self.values)?,
                Some(("else", None)) => holds = !was_met,
                Some(("endif", None)) => return Ok(()),
                Some((tag, None)) => return Err(wrong(&format!("`{{% {tag} %}}` is not known"))),
                None => return Err(wrong("an `if` has no `endif`")),
            }
            was_met |= holds;
        }
    }
}

/// Whether a condition holds: `a == 'b'`, `a != 'b'`, `a`, or `not a`.
fn holds(condition: &str, values: &Values) -> Result<bool, OAuthError> {
    for (sign, is_equal) in [("==", true), ("!=", false)] {
        if let Some((left, right)) = condition.split_once(sign) {
            return Ok((evaluate(left, values)? == evaluate(right, values)?) == is_equal);
        }
    }
    match condition.trim().strip_prefix("not ") {
        Some(other) => Ok(evaluate(other, values)?.is_empty()),
        None => Ok(!evaluate(condition, values)?.is_empty()),
    }
}

/// `value | filter | filter`.
fn evaluate(expression: &str, values: &Values) -> Result<String, OAuthError> {
    let mut parts = split(expression, &['|']).into_iter();
    let value = parts.next().unwrap_or_default();
    let value = if value.contains("{{") {
        render(value.trim(), values)?
    } else {
        let terms = split(value, &['~', '+']).into_iter();
        terms.map(|term| operand(term.trim(), values)).collect::<Result<String, _>>()?
    };
    parts.try_fold(value, |value, filter| apply(filter.trim(), value))
}

/// A text in quotes, or the value of a name.
fn operand(term: &str, values: &Values) -> Result<String, OAuthError> {
    for quote in ['\'', '"'] {
        if let Some(text) = term.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Ok(text.to_owned());
        }
    }
    if let Some(inner) = term.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return evaluate(inner, values);
    }
    let is_name =
        !term.is_empty() && term.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if is_name {
        Ok(values.get(term).cloned().unwrap_or_default())
    } else {
        Err(wrong(&format!("`{term}` is no name")))
    }
}

fn apply(filter: &str, value: String) -> Result<String, OAuthError> {
    let (name, arguments) = match filter.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')').unwrap_or(rest)),
        None => (filter, ""),
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "urlencode" | "urlencoder" => quote_plus(&value),
        "urldecode" | "urldecoder" => unquote(&value.replace('+', " ")).into_owned(),
        "b64encode" | "base64encode" | "base64encoder" => BASE64_STANDARD.encode(value),
        "b64decode" | "base64decode" | "base64decoder" => {
            let bytes = BASE64_STANDARD.decode(value.trim()).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| wrong(&format!("what `{name}` is given is not base64 of a text")))?
        }
        "codechallenges256" => BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(value)),
        "replace" => {
            let texts = split(arguments, &[',']).into_iter();
            let texts = texts.map(|text| operand(text.trim(), &Values::new()));
            match texts.collect::<Result<Vec<_>, _>>()?.as_slice() {
                [from, to] => value.replace(from, to),
                _ => return Err(wrong("`replace` takes two texts")),
            }
        }
        _ => return Err(wrong(&format!("there is no filter `{name}`"))),
    })
}

/// The parts between these signs, those in quotes, brackets, and inner placeholders aside.
fn split<'t>(text: &'t str, signs: &[char]) -> Vec<&'t str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0, None);
    for (idx, char) in text.char_indices() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(char),
            (None, '(' | '{') => depth += 1,
            (None, ')' | '}') => depth -= 1,
            (None, _) if depth == 0 && signs.contains(&char) => {
                parts.push(&text[start..idx]);
                start = idx + char.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        let pairs = [
            ("id", "me & you"),
            ("secret", "s3/cret"),
            ("region", "EU"),
            ("state_value", "id_123:secret_456"),
            ("braces", "{{ 7*7 }}"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(render(text, &values()).unwrap(), expect);
    }

    #[track_caller]
    fn check_wrong(text: &str, expect: &str) {
        assert_eq!(render(text, &values()).unwrap_err().to_string(), expect);
    }

    #[test]
    fn names_are_filled_and_unknown_ones_are_empty() {
        check("", "");
        check("a={{ id }}&b={{id}}&c={{ none }}.", "a=me & you&b=me & you&c=.");
        check("{ {{ region ~ '-' ~ region }} }", "{ EU-EU }");
        // What a value holds is not read again.
        check("{{ braces }}", "{{ 7*7 }}");
    }

    #[test]
    fn filters_of_both_generations_are_known() {
        check("{{ id | urlencode }}", "me+%26+you");
        check("{{ {{id}} | urlEncoder }}", "me+%26+you");
        check("{{ (region ~ ':' ~ secret) | b64encode }}", "RVU6czMvY3JldA==");
        check("{{ {{region}}:{{secret}} | base64Encoder }}", "RVU6czMvY3JldA==");
        check("{{ 'RVU=' | base64Decoder }}{{ 'a%20b+c' | urlDecoder }}", "EUa b c");
        // The example of the platform's own documentation.
        let challenge = "kdlBQTTftIOzHnzQoqp3dQ5jBsSehFTjg1meg1gL3OY";
        check("{{ {{ state_value }} | codeChallengeS256 }}", challenge);
        check("{{ state_value | codechallengeS256 }}", challenge);
        check("{{ id | replace(' & ', ', ') }}", "me, you");
    }

    #[test]
    fn conditions_choose() {
        let text =
            "{% if region == 'US' %}us{% elif region == 'EU' %}eu{% else %}other{% endif %}!";
        check(text, "eu!");
        check("{% if none %}a{% if id %}b{% endif %}c{% else %}d{% endif %}", "d");
        check("{% if not none %}{{ region }}{% endif %}", "EU");
        check("{% if region != 'EU' %}x{% endif %}", "");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let start = "a placeholder cannot be filled: ";
        for (text, expect) in [
            ("{{ id", "a `{{` has no `}}`"),
            ("{{ id | upper }}", "there is no filter `upper`"),
            ("{{ id.length }}", "`id.length` is no name"),
            ("{% if id %}", "an `if` has no `endif`"),
            ("{% endif %}", "there is no `if` before `{% endif %}`"),
            ("{% if id %}{% for %}", "`{% for %}` is not known"),
        ] {
            check_wrong(text, &format!("{start}{expect}"));
        }
    }
}
