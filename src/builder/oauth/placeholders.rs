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

/// Placeholders, brackets, and conditions within one another; each takes a frame of the stack.
const DEEPEST: usize = 50;
/// Bytes of a text, and of what it becomes: it is an address, a header, or a parameter.
const LONGEST: usize = 64 << 10;

/// What placeholders can name.
pub(super) type Values = BTreeMap<String, String>;

/// The text with its placeholders filled; a name that is not known is empty.
pub(super) fn render(text: &str, values: &Values) -> Result<String, OAuthError> {
    render_at(text, values, 0)
}

fn render_at(text: &str, values: &Values, depth: usize) -> Result<String, OAuthError> {
    is_shallow(depth)?;
    fits(text.len())?;
    let mut reader = Reader { rest: text, values, depth };
    let mut filled = String::new();
    match reader.block(&mut filled, true)? {
        Some(tag) => Err(wrong(&format!("there is no `if` before `{{% {tag} %}}`"))),
        None => Ok(filled),
    }
}

/// Refuses what could exhaust the stack.
fn is_shallow(depth: usize) -> Result<(), OAuthError> {
    if depth <= DEEPEST {
        return Ok(());
    }
    Err(wrong(&format!("more than {DEEPEST} stand within one another")))
}

/// Refuses what is longer than any request has use for.
fn fits(n_bytes: usize) -> Result<(), OAuthError> {
    if n_bytes <= LONGEST {
        return Ok(());
    }
    Err(wrong(&format!("the text has more than {LONGEST} bytes")))
}

fn add(filled: &mut String, more: &str) -> Result<(), OAuthError> {
    filled.push_str(more);
    fits(filled.len())
}

fn wrong(problem: &str) -> OAuthError {
    OAuthError::Placeholder(problem.to_owned())
}

struct Reader<'t> {
    rest: &'t str,
    values: &'t Values,
    /// How many placeholders and conditions this one is in.
    depth: usize,
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
                    add(filled, self.rest)?;
                }
                self.rest = "";
                return Ok(None);
            };
            let (before, from) = self.rest.split_at(start);
            let is_tag = from.starts_with("{%");
            let is_value = from.starts_with("{{");
            let n_plain = usize::from(!is_tag && !is_value);
            if is_shown {
                add(filled, before)?;
                add(filled, &from[..n_plain])?;
            }
            self.rest = &from[n_plain..];
            if is_value {
                let inner = self.inner()?;
                if is_shown {
                    add(filled, &evaluate(inner, self.values, self.depth + 1)?)?;
                }
            } else if is_tag {
                let (tag, rest) =
                    self.rest[2..].split_once("%}").ok_or_else(|| wrong("a `{%` has no `%}`"))?;
                let tag = tag.trim_matches('-').trim();
                self.rest = rest;
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
        self.depth += 1;
        is_shallow(self.depth)?;
        let mut holds = holds(first, self.values, self.depth)?;
        let mut was_met = holds;
        loop {
            let tag = self.block(filled, is_shown && holds)?;
            match tag.map(|tag| (tag, tag.strip_prefix("elif "))) {
                Some((_, Some(other))) => {
                    holds = !was_met && self::holds(other, self.values, self.depth)?;
                }
                Some(("else", None)) => holds = !was_met,
                Some(("endif", None)) => {
                    self.depth -= 1;
                    return Ok(());
                }
                Some((tag, None)) => return Err(wrong(&format!("`{{% {tag} %}}` is not known"))),
                None => return Err(wrong("an `if` has no `endif`")),
            }
            was_met |= holds;
        }
    }
}

/// Whether a condition holds: `a == 'b'`, `a != 'b'`, `a`, or `not a`.
fn holds(condition: &str, values: &Values, depth: usize) -> Result<bool, OAuthError> {
    let evaluate = |expression| evaluate(expression, values, depth + 1);
    for (sign, is_equal) in [("==", true), ("!=", false)] {
        if let Some((left, right)) = condition.split_once(sign) {
            return Ok((evaluate(left)? == evaluate(right)?) == is_equal);
        }
    }
    match condition.trim().strip_prefix("not ") {
        Some(other) => Ok(evaluate(other)?.is_empty()),
        None => Ok(!evaluate(condition)?.is_empty()),
    }
}

/// `value | filter | filter`.
fn evaluate(expression: &str, values: &Values, depth: usize) -> Result<String, OAuthError> {
    is_shallow(depth)?;
    let mut parts = split(expression, &['|']).into_iter();
    let value = parts.next().unwrap_or_default();
    let value = if value.contains("{{") {
        render_at(value.trim(), values, depth + 1)?
    } else {
        let mut joined = String::new();
        for term in split(value, &['~', '+']) {
            add(&mut joined, &operand(term.trim(), values, depth)?)?;
        }
        joined
    };
    parts.try_fold(value, |value, filter| apply(filter.trim(), value))
}

/// A text in quotes, or the value of a name.
fn operand(term: &str, values: &Values, depth: usize) -> Result<String, OAuthError> {
    for quote in ['\'', '"'] {
        if let Some(text) = term.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Ok(text.to_owned());
        }
    }
    if let Some(inner) = term.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return evaluate(inner, values, depth + 1);
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
    fits(value.len())?;
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
            let texts = texts.map(|text| operand(text.trim(), &Values::new(), DEEPEST));
            match texts.collect::<Result<Vec<_>, _>>()?.as_slice() {
                [from, to] => {
                    fits(value.len() + value.matches(from).count() * to.len())?;
                    value.replace(from, to)
                }
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
            ("{%}", "a `{%` has no `%}`"),
            ("{%%}", "there is no `if` before `{%  %}`"),
        ] {
            check_wrong(text, &format!("{start}{expect}"));
        }
    }

    #[test]
    fn hostile_texts_are_refused() {
        let start = "a placeholder cannot be filled: ";
        let deep = format!("{start}more than 50 stand within one another");
        let times = 10_000;
        for (open, inside, close) in [("(", "id", ")"), ("{{", "id", "}}")] {
            let text = [&open.repeat(times), inside, &close.repeat(times)].concat();
            check_wrong(&format!("{{{{ {text} }}}}"), &deep);
        }
        check_wrong(&"{% if id %}".repeat(5_000), &deep);
        let long = format!("{start}the text has more than 65536 bytes");
        let bomb = "| replace('a', 'aaaaaaaaaa') ".repeat(15);
        check_wrong(&format!("{{{{ 'a' {bomb} }}}}"), &long);
        check_wrong(&"a".repeat(LONGEST + 1), &long);
        let terms = vec!["'aaaaaaaaaaaaaaaa'"; 3_000].join("~");
        check_wrong(&format!("{{{{ {terms} | replace('', 'aa') }}}}"), &long);
    }
}
