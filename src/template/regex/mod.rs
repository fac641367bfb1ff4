//! Python's `re` over a regex engine of ours.

mod replacement;
mod translate;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock};

use fancy_regex::{Captures, CompileError, Regex, RegexBuilder, RuntimeError};

use super::cx::Cx;
use super::error::EvalError;
use replacement::Replacement;
use translate::{Translated, translate};

/// Steps back that one match may take; far more than any sensible pattern needs.
const BACKTRACK_LIMIT: usize = 1_000_000;

/// Bytes that one compiled part of a pattern may take: `(a{1000}){1000}` is a short text for a large machine.
const COMPILED_LIMIT: usize = 10 << 20;

/// Compiled patterns kept; templates write theirs out, so there are few.
const CACHE_SIZE: usize = 512;

/// A compiled regular expression, with Python's syntax and rules.
#[derive(Debug)]
pub struct Pattern {
    regex: Regex,
    translated: Translated,
    /// Like `regex`, but without empty matches, if it has others; rarely needed.
    not_empty: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Compiles `pattern`.
    pub fn new(pattern: &str) -> Result<Self, EvalError> {
        let translated = translate(pattern)?;
        let regex = compile(&translated.source, false)?;
        Ok(Self { regex, translated, not_empty: OnceLock::new() })
    }

    /// The compiled form of `pattern`, made at its first use.
    pub fn cached(pattern: &str) -> Result<Arc<Self>, EvalError> {
        static CACHE: LazyLock<RwLock<HashMap<String, Arc<Pattern>>>> =
            LazyLock::new(RwLock::default);
        // A panic while the lock is held cannot leave the cache in a bad state.
        if let Some(found) = CACHE.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(Self::new(pattern)?);
        let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_SIZE {
            cache.clear();
        }
        cache.insert(pattern.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    /// `bool(re.search(pattern, text))`.
    pub fn is_found(&self, text: &str) -> Result<bool, EvalError> {
        self.regex.is_match(text).map_err(runtime_error)
    }

    /// `bool(re.match(pattern, text))`: whether it matches from the start.
    pub fn matches_start(&self, text: &str) -> Result<bool, EvalError> {
        let found = self.regex.find(text).map_err(runtime_error)?;
        Ok(found.is_some_and(|found| found.start() == 0))
    }

    /// `re.match(pattern, text).group()`: what it matches from the start.
    pub fn match_at_start<'t>(&self, text: &'t str) -> Result<Option<&'t str>, EvalError> {
        let found = self.regex.find(text).map_err(runtime_error)?;
        Ok(found.filter(|found| found.start() == 0).map(|found| found.as_str()))
    }

    /// The filter `regex_search`: the first group of the first match; an empty
    /// text without a match or a group, `None` when the group took no part.
    pub fn first_group<'t>(&self, text: &'t str) -> Result<Option<&'t str>, EvalError> {
        if self.translated.n_groups == 0 {
            return Ok(Some(""));
        }
        Ok(match self.regex.captures(text).map_err(runtime_error)? {
            Some(found) => found.get(1).map(|group| group.as_str()),
            None => Some(""),
        })
    }

    /// `re.sub(pattern, replacement, text)`.
    pub fn replace_all(
        &self,
        cx: &Cx<'_>,
        text: &str,
        replacement: &str,
    ) -> Result<String, EvalError> {
        let replacement = Replacement::parse(replacement, &self.translated)?;
        let mut out = String::with_capacity(text.len());
        let (mut copied, mut next) = (0, self.captures(text, 0)?);
        while let Some(found) = next {
            let (start, end) = found.get(0).map_or((0, 0), |whole| (whole.start(), whole.end()));
            // Each match may go over all that follows it.
            cx.look_at_clock()?;
            out.push_str(&text[copied..start]);
            let length = out.len();
            replacement.expand(&found, &mut out);
            cx.charge(out.len() - length)?;
            copied = end;
            next = if start == end {
                self.captures_after_empty(text, end)?
            } else {
                self.captures(text, end)?
            };
        }
        out.push_str(&text[copied..]);
        Ok(out)
    }

    fn captures<'t>(
        &self,
        text: &'t str,
        pos: usize,
    ) -> Result<Option<Captures<'t, str>>, EvalError> {
        self.regex.captures_from_pos(text, pos).map_err(runtime_error)
    }

    /// The match after an empty one at `pos`: at the same place only one that
    /// is not empty.
    fn captures_after_empty<'t>(
        &self,
        text: &'t str,
        pos: usize,
    ) -> Result<Option<Captures<'t, str>>, EvalError> {
        let Some(char) = text[pos..].chars().next() else { return Ok(None) };
        let not_empty = self.not_empty.get_or_init(|| compile(&self.translated.source, true).ok());
        if let Some(not_empty) = not_empty {
            let found = not_empty.captures_from_pos(text, pos).map_err(runtime_error)?;
            let starts_here =
                |found: &Captures<'_, str>| found.get(0).is_some_and(|whole| whole.start() == pos);
            if found.as_ref().is_some_and(starts_here) {
                return Ok(found);
            }
        }
        self.captures(text, pos + char.len_utf8())
    }
}

fn compile(source: &str, is_never_empty: bool) -> Result<Regex, EvalError> {
    RegexBuilder::new(source)
        .backtrack_limit(BACKTRACK_LIMIT)
        .delegate_size_limit(COMPILED_LIMIT)
        .find_not_empty(is_never_empty)
        .build()
        .map_err(|err| compile_error(&err))
}

fn compile_error(err: &fancy_regex::Error) -> EvalError {
    // The error itself does not tell of the size.
    if let fancy_regex::Error::CompileError(cause) = err
        && let CompileError::InnerError(inner) = &**cause
        && inner.size_limit().is_some()
    {
        return EvalError::Regex("the pattern takes more than 10 MiB when compiled".to_owned());
    }
    EvalError::Regex(err.to_string())
}

fn runtime_error(err: fancy_regex::Error) -> EvalError {
    match err {
        fancy_regex::Error::RuntimeError(
            RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow,
        ) => EvalError::Limit,
        err => EvalError::Regex(err.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunContext;

    #[track_caller]
    fn check_group(pattern: &str, text: &str, expect: Option<&str>) {
        assert_eq!(Pattern::new(pattern).unwrap().first_group(text).unwrap(), expect, "{pattern}");
    }

    #[track_caller]
    fn check_sub(pattern: &str, replacement: &str, text: &str, expect: &str) {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        let pattern_read = Pattern::new(pattern).unwrap();
        let got = pattern_read.replace_all(&Cx::new(&run), text, replacement).unwrap();
        assert_eq!(got, expect, "{pattern}");
    }

    #[test]
    fn the_first_group() {
        check_group(r"(\d+)-(\d+)", "ab 12-34", Some("12"));
        check_group("(a)|b", "b", None);
        check_group("(a)", "b", Some(""));
        check_group("a", "a", Some(""));
        check_group(r"(?<=page=)(\w+)", "x?page=ab&y", Some("ab"));
        check_group(r"(?P<q>['x])(.)(?P=q)", "a'b'", Some("'"));
        check_group(r"(a++)b", "aaab", Some("aaa"));
        check_group(r"(?i)(B)", "abc", Some("b"));
        check_group(r"(?:(a)|b)(?(1)c|d)", "bd", None);
    }

    #[test]
    fn ends_and_lines() {
        check_group("(a)$", "a\n", Some("a"));
        check_group("(a)$", "a\n\n", Some(""));
        check_group(r"(a)\Z", "a\n", Some(""));
        check_group("(?m)(a)$", "a\nb", Some("a"));
        check_group("(?s)(a.b)", "a\nb", Some("a\nb"));
        check_group("(?x) ( a # comment\n b )", "ab", Some("ab"));
    }

    #[test]
    fn sets() {
        check_group("([[a]+)", "x[a", Some("[a"));
        check_group(r"([]\-&~a-c^]+)", r"x]-&&~~bc^", Some("]-&&~~bc^"));
        check_group(r"([^\W\d]+)", "12ab_", Some("ab_"));
        check_group(r"([\x41\u0042\103\b]+)", "zABC", Some("ABC"));
    }

    #[test]
    fn braces_that_count_nothing_are_text() {
        check_group("(a{)", "a{", Some("a{"));
        check_group("({x})", "{x}", Some("{x}"));
        check_group("(a{,2})$", "aaa", Some("aa"));
        check_group("(a{2})", "aaa", Some("aa"));
    }

    #[test]
    fn empty_matches_are_replaced_as_python_does() {
        check_sub("x*", "-", "abxd", "-a-b--d-");
        check_sub("a*?", "-", "aa", "-----");
        check_sub("a|", "-", "ba", "-b--");
        check_sub("$", "-", "a\n", "a-\n-");
        check_sub("", "-", "é", "-é-");
    }

    #[test]
    fn a_pattern_that_explodes_ends() {
        let pattern = Pattern::new(r"(x)?(?:(a)|(aa))+(?(1)c|d)").unwrap();
        let text = "a".repeat(60);
        assert_eq!(pattern.first_group(&text), Err(EvalError::Limit));
    }

    #[test]
    fn a_pattern_that_compiles_to_too_much_is_refused() {
        for pattern in ["((a{100}){100}){100}", r"(?:\w{1000}){100}", "(?=x)((b{1000}){1000})"] {
            let err = Pattern::new(pattern).unwrap_err();
            assert!(err.to_string().contains("10 MiB"), "{pattern}: {err}");
        }
    }

    #[test]
    fn compiled_patterns_are_kept() {
        assert!(Arc::ptr_eq(&Pattern::cached("a+").unwrap(), &Pattern::cached("a+").unwrap()));
    }
}
