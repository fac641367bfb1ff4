//! YAML 1.1 as the reference reads it, with a place for every value.
//!
//! The reference loads manifests with libyaml, and what libyaml accepts is wider
//! than YAML 1.2: brackets may close at any column, quoted text may go on at any
//! column, a flow list may hold a lone `-`. Users have such manifests, so the
//! scanner follows libyaml, and a differential test compares the two.

mod emit;
mod parser;
mod scalar;
mod scanner;
mod text;

pub use emit::{Layout, double_quoted, quote, to_flow_yaml, to_yaml, to_yaml_at};

use super::finding::{Finding, Findings};
use super::node::Node;
use super::source::{MAX_SIZE, Source};
use parser::Parser;
use scanner::Scanner;

/// How many bytes are looked through at once.
const CHUNK: usize = 256;

/// Reads a text; null if there is nothing in it, and nothing if it cannot be read.
///
/// Duplicate keys are warnings: the last one counts, as in the reference.
pub fn parse(source: &Source, findings: &mut Findings) -> Option<Node> {
    if source.text.len() > MAX_SIZE {
        let message = format!("this text has more than {} MiB", MAX_SIZE >> 20);
        findings.push(Finding::error("yaml/too-large", message));
        return None;
    }
    let root = match find_control_character(&source.text) {
        Some(finding) => Err(Box::new(finding)),
        None => Parser::new(&source.text, findings).parse_stream(),
    };
    root.map_err(|finding| findings.push(*finding)).ok()
}

/// YAML has no control characters, not even in quotes.
fn find_control_character(text: &str) -> Option<Finding> {
    // 0xC2 begins U+0080 to U+00BF, and 0xEF begins U+F000 to U+FFFF. They are looked
    // for in chunks, without an early exit, which the compiler vectorises.
    let is_suspect = |byte: u8| {
        byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r') || matches!(byte, 0x7f | 0xC2 | 0xEF)
    };
    let has_suspect = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | is_suspect(*byte));
    let first = text.as_bytes().chunks(CHUNK).position(has_suspect)? * CHUNK;
    let start = text.floor_char_boundary(first);
    let is_forbidden = |c: char| {
        matches!(c, '\0'..' ' | '\x7f'..'\u{a0}' | '\u{fffe}' | '\u{ffff}')
            && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
    };
    let offset = start + text[start..].find(is_forbidden)?;
    let mut scanner = Scanner::new(text);
    while (scanner.mark.offset as usize) < offset {
        if !scanner.skip_break() {
            scanner.advance(1);
        }
    }
    let code = text[offset..].chars().next().map_or(0, u32::from);
    let message = format!("the control character U+{code:04X} cannot stand in YAML");
    let finding = scanner.fault(scanner.mark, message);
    Some(finding.help("in double quotes it can be written as an escape: `\"\\x07\"`"))
}

/// What the tests of this folder are given.
#[cfg(test)]
mod testing {
    use proptest::prelude::*;

    use crate::value::Json;

    /// Lists and mappings of `leaf`, with keys like the pattern `text`.
    pub(super) fn tree(
        leaf: impl Strategy<Value = Json> + 'static,
        text: &'static str,
    ) -> impl Strategy<Value = Json> {
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
                prop::collection::vec((text, inner), 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::value::Json;

    fn read(text: &str) -> (Option<Node>, Findings) {
        let mut findings = Findings::default();
        (parse(&Source::new("test.yaml", text), &mut findings), findings)
    }

    /// What PyYAML 6.0.3 makes of a document: the value, or an error.
    #[derive(serde::Deserialize)]
    struct Answer {
        yaml: String,
        value: Option<Json>,
        #[serde(default)]
        error: bool,
    }

    #[test]
    fn documents_are_read_as_by_pyyaml() {
        for line in include_str!("../testdata/documents.jsonl").lines() {
            let expect: Answer = serde_json::from_str(line).unwrap();
            let (root, findings) = read(&expect.yaml);
            assert_eq!(findings.has_errors(), expect.error, "{:?}: {findings:?}", expect.yaml);
            let value = root.map(|root| root.to_json());
            let expect_value = (!expect.error).then_some(expect.value.unwrap_or_default());
            // As text, because the order of keys counts too.
            let text = |value: Option<Json>| value.map(|value| value.to_string());
            assert_eq!(text(value), text(expect_value), "{:?}", expect.yaml);
        }
    }

    /// `expect` is the text that the value at `path` spans, and where it begins.
    #[track_caller]
    fn check_span(text: &str, path: &[&str], expect: &str, place: (u32, u32)) {
        let root = read(text).0.unwrap();
        let node = path.iter().fold(&root, |node, step| match node.as_seq() {
            Some(items) => &items[step.parse::<usize>().unwrap()],
            None => node.get(step).unwrap(),
        });
        let span = node.span().unwrap();
        assert_eq!(&text[span.start as usize..span.end as usize], expect);
        assert_eq!((span.line, span.column), place);
    }

    #[test]
    fn every_value_knows_its_place() {
        let text = "a:\n  b: 'x'\n  é: [1, {c: yes}]\nd:\n- e\n- |\n  f\n  g\n# end\n";
        check_span(text, &["a", "b"], "'x'", (2, 6));
        check_span(text, &["a", "é"], "[1, {c: yes}]", (3, 6));
        check_span(text, &["a", "é", "1"], "{c: yes}", (3, 10));
        check_span(text, &["a", "é", "1", "c"], "yes", (3, 14));
        check_span(text, &["a"], "b: 'x'\n  é: [1, {c: yes}]", (2, 3));
        check_span(text, &["d"], "- e\n- |\n  f\n  g", (5, 1));
        check_span(text, &["d", "1"], "|\n  f\n  g", (6, 3));
        check_span("a:\nb: 1", &["a"], "", (1, 3));
        check_span("a: &x {b: 1}\nc: *x", &["c"], "{b: 1}", (1, 7));
    }

    #[track_caller]
    fn check_error(text: &str, place: (u32, u32), code: &str, message: &str) {
        let (root, findings) = read(text);
        assert_eq!(root, None);
        let finding = findings.first_error().unwrap();
        let span = finding.span.unwrap();
        assert_eq!((finding.code, finding.message.as_str()), (code, message));
        assert_eq!((span.line, span.column), place);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_place() {
        let syntax = "yaml/syntax";
        check_error("a:\n\tb: 2", (2, 1), syntax, "no value can begin with a tab");
        check_error("a: 1\n\tb: 2", (2, 1), syntax, "a tab stands where the text is indented");
        check_error("a: b: c", (1, 5), syntax, "a second `: ` cannot stand in one value");
        check_error("a: 1\nb", (2, 1), syntax, "this key has no `:` behind it");
        check_error("a: @x", (1, 4), syntax, "no value can begin with this character");
        check_error("a: {{ x }}", (1, 5), "yaml/key", "a mapping cannot be a key");
        check_error(
            "a: \"é\\q\"",
            (1, 6),
            syntax,
            "there is no such escape in a double-quoted text",
        );
        check_error("a: \"b", (1, 4), syntax, "this quote is never closed");
        check_error("a: [1\nb: 2", (2, 2), syntax, "expected `,` or `]`, found `:`");
        check_error(
            "a: \u{7}",
            (1, 4),
            syntax,
            "the control character U+0007 cannot stand in YAML",
        );
        check_error("a: 1\n---\nb: 2", (2, 1), syntax, "a manifest is one document");
        check_error("a: &b 1\nc: *d", (2, 4), "yaml/alias", "there is no `&d` above");
        check_error("a: &b [*b]", (1, 8), "yaml/alias", "`*b` stands inside of `&b`");
        check_error("a: !b c", (1, 4), "yaml/tag", "a manifest knows no such tag: `!b`");
        check_error("a: 2021-02-30", (1, 4), "yaml/scalar", "there is no such date");
        check_error(
            "a: {<<: 1}",
            (1, 9),
            "yaml/merge",
            "`<<` merges mappings, and this is an integer",
        );
    }

    #[test]
    fn a_duplicate_key_is_a_warning_and_the_last_one_counts() {
        let (root, findings) = read("a: 1\nb: 2\na: 3\n");
        assert_eq!(root.unwrap().to_json(), serde_json::json!({"a": 3, "b": 2}));
        assert!(!findings.has_errors());
        let finding = findings.iter().next().unwrap();
        assert_eq!(finding.message, "`a` is set twice, and the last one counts");
        assert_eq!(finding.span.map(|span| span.line), Some(3));
        assert_eq!(finding.related[0].0.line, 1);
    }

    #[test]
    fn what_aliases_share_stays_shared() {
        let (root, _) = read("a: &x {b: 1}\nc: *x\nd: {<<: {e: *x}}");
        let root = root.unwrap();
        let a = root.get("a").unwrap();
        assert!(a.is_same(root.get("c").unwrap()));
        assert!(a.is_same(root.get("d").unwrap().get("e").unwrap()));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            writeln!(bomb, "a{level}: &a{level} [{aliases}]").unwrap();
        }
        let long = " ".repeat(MAX_SIZE + 1);
        let error = read(&long).1.first_error().unwrap().message.clone();
        assert_eq!(error, "this text has more than 64 MiB");
        assert_eq!(read(&bomb).1.first_error().unwrap().code, "yaml/too-large");
        for deep in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
            assert_eq!(read(&deep).1.first_error().unwrap().code, "yaml/too-deep");
        }
        // Keys that could still become keys are looked through for every token.
        assert!(read(&"[a, ".repeat(200)).1.has_errors());
    }

    fn json() -> impl Strategy<Value = Json> {
        let text = r#"[a-dg-m é:#{}\[\],&*!|>%@'"\n\t-]{0,12}"#;
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            // An exponent without a sign, as Rust writes it, makes a string in YAML 1.1.
            any::<i32>().prop_map(|int| Json::from(f64::from(int) / 8.0)),
            text.prop_map(Json::from),
        ];
        testing::tree(leaf, text)
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[-a-c0-9:?#{}\[\],&*!|>%@'"<~\\. \t\r\n\u{85}é]{0,60}"#) {
            let (root, findings) = read(&text);
            prop_assert_eq!(root.is_none(), findings.has_errors());
        }

        #[test]
        fn json_is_yaml(json in json()) {
            for text in [json.to_string(), serde_json::to_string_pretty(&json).unwrap()] {
                prop_assert_eq!(read(&text).0.map(|root| root.to_json()), Some(json.clone()));
            }
        }

        #[test]
        fn written_yaml_reads_back(json in json()) {
            let text = serde_yaml::to_string(&json).unwrap();
            prop_assert_eq!(read(&text).0.map(|root| root.to_json()), Some(json), "{}", text);
        }
    }
}
