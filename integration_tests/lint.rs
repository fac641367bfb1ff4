//! What `manifest lint` finds, and what it does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use source_declarative_manifest::lint::{self, Choice, rules};
use source_declarative_manifest::manifest::{Manifest, Source};

use crate::binary;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The lines that are marked with `# <-- rule`, with the rule.
fn marked(text: &str) -> BTreeSet<(usize, String)> {
    let numbered = (1..).zip(text.lines());
    numbered
        .filter_map(|(number, line)| Some((number, line.split_once("# <-- ")?.1)))
        .flat_map(|(number, names)| {
            names.split(", ").map(move |name| (number, name.trim().to_owned()))
        })
        .collect()
}

/// The example of a page, with the parts of a manifest that all examples leave out.
fn completed(example: &str) -> String {
    let name = example
        .split_once("- name: ")
        .map_or("", |(_, rest)| rest.split(['\n', ' ']).next().unwrap_or_default());
    let check = format!("check: {{type: CheckStream, stream_names: [{name}]}}\n");
    let parts = [
        ("version:", "version: 6.0.0\n"),
        ("type:", "type: DeclarativeSource\n"),
        ("check:", &check),
    ];
    let missing =
        parts.iter().filter(|(key, _)| !example.lines().any(|line| line.starts_with(key)));
    missing.fold(example.to_owned(), |text, (_, part)| text + part)
}

fn found(text: &str) -> BTreeSet<(usize, String)> {
    let (manifest, written) = Manifest::with_written(Source::new("example.yaml", text));
    let (_, faults) = source_declarative_manifest::engine::check_manifest(&manifest);
    assert!(!faults.has_errors(), "{text}\n{faults:?}");
    let findings = lint::lint(&manifest, written.as_ref(), &Choice::default());
    let place = |it: &source_declarative_manifest::manifest::Finding| {
        (it.span.map_or(0, |span| span.line as usize), lint::name_of(it).to_owned())
    };
    findings.iter().map(place).collect()
}

#[test]
fn every_page_shows_what_its_rule_finds_and_what_no_rule_does() {
    for rule in rules::all() {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.name)));
        assert!(rule.page.contains(&format!("Level: {}.", rule.severity.name())), "{}", rule.name);
        let mut examples = rule.page.split("```yaml\n").skip(1);
        let mut example = || completed(examples.next().unwrap().split("```").next().unwrap());
        let (bad, good) = (example(), example());
        let expect = marked(&bad);
        assert!(expect.iter().any(|(_, name)| name == rule.name), "{}", rule.name);
        assert_eq!(found(&bad), expect, "{}\n{bad}", rule.name);
        assert_eq!(found(&good), BTreeSet::new(), "{}\n{good}", rule.name);
    }
}

#[test]
fn every_page_has_a_rule_and_a_line_in_the_list() {
    let pages: BTreeSet<_> = rules::all().map(|rule| format!("{}.md", rule.name)).collect();
    let mut files = names_in("docs/lint");
    assert!(files.remove("README.md"));
    assert_eq!(files, pages);
    let list = fs::read_to_string(root().join("docs/lint/README.md")).unwrap();
    for rule in rules::all() {
        let (name, level) = (rule.name, rule.severity.name());
        let line = format!("| [`{name}`]({name}.md) | {level} | {}", rule.summary);
        assert!(list.contains(&line), "{line}");
    }
}

/// What the command answers: its exit code, and what it says.
fn answer(folder: &Path, args: &[&str]) -> String {
    let answer = binary::run_in(folder, args, b"");
    assert_eq!(answer.stdout, "");
    format!("exit {}\n{}", answer.code, answer.stderr)
}

#[test]
fn planted_faults_are_found_and_nothing_else() {
    let mut rules_left: BTreeSet<_> = rules::all().map(|rule| rule.name.to_owned()).collect();
    for name in names_in("integration_tests/lint") {
        let folder = root().join("integration_tests/lint").join(&name);
        let text = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
        let planted = marked(&text);
        assert!(!planted.is_empty(), "{name}");
        assert_eq!(found(&text), planted, "{name}");
        rules_left.retain(|rule| !planted.iter().any(|(_, found)| found == rule));
        let answer = answer(&folder, &["manifest", "lint", "manifest.yaml"]);
        let expected = folder.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &answer).unwrap();
        }
        assert_eq!(answer, fs::read_to_string(expected).unwrap_or_default(), "{name}\n{answer}");
        check_fix(&folder, &name);
    }
    assert_eq!(rules_left, BTreeSet::new(), "rules without a planted fault");
}

/// Where there is something to mend, the mended text is that of `fixed.yaml`.
fn check_fix(folder: &Path, name: &str) {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("manifest.yaml");
    let before = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    fs::write(&file, &before).unwrap();
    answer(scratch.path(), &["manifest", "lint", "--fix", "manifest.yaml"]);
    let after = fs::read_to_string(&file).unwrap();
    let expected = folder.join("fixed.yaml");
    if std::env::var_os("UPDATE_EXPECTED").is_some() && after != before {
        fs::write(&expected, &after).unwrap();
    }
    let expect = fs::read_to_string(expected).unwrap_or(before);
    assert_eq!(after, expect, "{name}");
    let again = answer(scratch.path(), &["manifest", "lint", "--fix", "manifest.yaml"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), after, "{name}\n{again}");
}

#[test]
fn nothing_is_found_in_the_examples() {
    for name in names_in("manifests") {
        let folder = root().join("manifests").join(&name);
        assert_eq!(answer(&folder, &["manifest", "lint", "manifest.yaml"]), "exit 0\n", "{name}");
    }
}

const PLAIN: &str = "\
streams:
  - name: orders
    retriever:
      requester:
        url_base: http://api.example.com/orders # é
      record_selector: {extractor: {field_path: []}}
";

#[track_caller]
fn check_choice(args: &[&str], comment: &str, code: i32, n_lines_with_code: usize) {
    let folder = tempfile::tempdir().unwrap();
    let text = completed(PLAIN).replace("# é", comment);
    fs::write(folder.path().join("m.yaml"), text).unwrap();
    let args: Vec<_> = ["manifest", "lint", "m.yaml"].iter().chain(args).copied().collect();
    let answer = answer(folder.path(), &args);
    let n_found = answer.matches("[lint/").count();
    assert_eq!(
        (answer.starts_with(&format!("exit {code}\n")), n_found),
        (true, n_lines_with_code),
        "{answer}"
    );
}

#[test]
fn authors_choose_what_they_are_told() {
    check_choice(&[], "", 0, 2);
    check_choice(&["--allow", "plain-http"], "", 0, 1);
    check_choice(&["--deny", "plain-http"], "", 1, 2);
    check_choice(&["--deny", "lint/plain-http"], "# lint: allow plain-http", 0, 1);
    check_choice(&["--deny", "all", "--allow", "deprecated-field"], "", 1, 1);
    check_choice(&["--deny", "all"], "# lint: allow plain-http, deprecated-field", 0, 0);
    check_choice(&["--deny", "plain-htp"], "", 1, 0);
}

#[test]
fn sarif_says_all_that_scanners_want() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a b")).unwrap();
    fs::write(folder.path().join("a b/m.yaml"), completed(PLAIN)).unwrap();
    let args = ["manifest", "lint", "--format", "sarif", "./a b/m.yaml"];
    let answer = binary::run_in(folder.path(), &args, b"");
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    let log: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("one run") };
    let described = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(described.len(), rules::all().count());
    for rule in described {
        assert!(
            rule["shortDescription"]["text"].is_string() && rule["help"]["markdown"].is_string()
        );
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["error", "warning", "note"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        let idx = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(described[idx]["id"], result["ruleId"]);
        assert!(result["message"]["text"].as_str().unwrap().ends_with('.'));
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b/m.yaml");
        assert_eq!(
            (&place["region"]["startLine"], &place["region"]["endLine"]),
            (&5.into(), &5.into())
        );
    }
    let fixed: Vec<_> = results.iter().filter_map(|result| result["fixes"].as_array()).collect();
    let change = &fixed[0][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(change["insertedContent"]["text"], "url");
    assert_eq!(
        (&change["deletedRegion"]["startColumn"], &change["deletedRegion"]["endColumn"]),
        (&9.into(), &17.into())
    );
}

#[test]
fn other_formats_and_questions_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("m.yaml"), completed(PLAIN)).unwrap();
    fs::write(folder.path().join("bad.yaml"), "a: [").unwrap();
    let run = |args: &[&str]| binary::run_in(folder.path(), args, b"");
    let json = run(&["manifest", "lint", "--format", "json", "m.yaml", "bad.yaml"]);
    let list: Vec<Value> = serde_json::from_str(&json.stdout).unwrap();
    let codes: Vec<_> = list.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["lint/deprecated-field", "lint/plain-http", "yaml/syntax"]);
    assert_eq!(
        (&list[0]["is_fixable"], &list[0]["region"]["startLine"]),
        (&true.into(), &5.into())
    );
    assert_eq!(json.code, 1);
    let page = run(&["manifest", "lint", "--explain", "plain-http"]);
    assert!(page.stdout.starts_with("# plain-http\n") && page.code == 0);
    assert_eq!(run(&["manifest", "lint"]).code, 2);
}
