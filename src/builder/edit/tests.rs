//! Changes of texts, one after the other, and of all texts.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::manifest::{Findings, Source, parse};

fn path(steps: &Json) -> Vec<Step> {
    let step = |step: &Json| match step.as_u64() {
        Some(index) => Step::Index(usize::try_from(index).unwrap()),
        None => Step::Key(step.as_str().unwrap().to_owned()),
    };
    steps.as_array().unwrap().iter().map(step).collect()
}

fn set(at: &Json, value: Json) -> Edit {
    Edit::Set { path: path(at), value }
}

fn remove(at: &Json) -> Edit {
    Edit::Remove { path: path(at) }
}

fn insert(at: &Json, index: usize, value: Json) -> Edit {
    Edit::Insert { path: path(at), index, value }
}

#[track_caller]
fn check(text: &str, edit: Edit, expect: impl AsRef<str>) {
    let edited = apply(text, &[edit]);
    assert_eq!(edited.as_deref(), Ok(expect.as_ref()), "{}", edited.clone().unwrap_or_default());
}

#[track_caller]
fn check_refused(text: &str, edit: Edit, expect: &str) {
    assert_eq!(apply(text, &[edit]).unwrap_err().to_string(), expect);
}

const TEXT: &str = "\
# A manifest.
version: 1.0.0   # of the language
streams:
  # Users.
  - name: users  # all of them
    path: '/users'

    # How they are read.
    retriever:
      requester:
        url: \"{{ config['url'] }}\"
        headers: {a: b, c: [d, e]}
      text: |
        one
        two
  # Posts.
  - name: posts
    keys: []
    empty:
# The end.
";

#[test]
fn one_value_changes_and_nothing_else() {
    let replaced = |from: &str, to: &str| {
        assert!(TEXT.contains(from));
        TEXT.replacen(from, to, 1)
    };
    let name = json!(["streams", 0, "name"]);
    check(TEXT, set(&name, json!("people")), replaced("name: users ", "name: people "));
    check(TEXT, set(&name, json!("a: b")), replaced("name: users ", "name: 'a: b' "));
    check(TEXT, set(&name, json!("yes")), replaced("name: users ", "name: 'yes' "));
    check(TEXT, set(&name, json!(true)), replaced("name: users ", "name: true "));
    let url = json!(["streams", 0, "retriever", "requester", "url"]);
    check(TEXT, set(&url, json!("x")), replaced("\"{{ config['url'] }}\"", "\"x\""));
    let template = json!("{{ config['x'] }}");
    check(TEXT, set(&name, template.clone()), replaced(" users ", " \"{{ config['x'] }}\" "));
    let users = json!(["streams", 0, "path"]);
    check(TEXT, set(&users, template), replaced("'/users'", "\"{{ config['x'] }}\""));
    check(TEXT, set(&users, json!("/a")), replaced("'/users'", "'/a'"));
    let headers = json!(["streams", 0, "retriever", "requester", "headers"]);
    check(TEXT, set(&headers, json!({"a": "b", "c": ["d", "x, y"]})), {
        replaced("[d, e]", "[d, 'x, y']")
    });
    let deep = json!(["streams", 0, "retriever", "requester", "headers", "x"]);
    check(TEXT, set(&deep, json!({"y": {"z": "{a}"}})), {
        replaced("[d, e]}", "[d, e], x: {y: {z: '{a}'}}}")
    });
    let text = json!(["streams", 0, "retriever", "text"]);
    check(TEXT, set(&text, json!("one\nthree\n")), replaced("two", "three"));
    check(TEXT, set(&text, json!("one")), replaced("|\n        one\n        two", "one"));
    check(TEXT, set(&name, json!("a\nb")), {
        replaced("users  # all of them", "|- # all of them\n      a\n      b")
    });
    let empty = json!(["streams", 1, "empty"]);
    check(TEXT, set(&empty, json!(5)), replaced("empty:", "empty: 5"));
    check(TEXT, set(&empty, json!({"a": [1]})), {
        replaced("empty:", "empty:\n      a:\n        - 1")
    });
    check(TEXT, set(&json!(["streams", 1, "keys"]), json!(["a"])), {
        replaced("keys: []", "keys:\n      - a")
    });
    let retriever = json!(["streams", 0, "retriever"]);
    check(TEXT, set(&retriever, json!("x")), {
        let from = &TEXT[TEXT.find("    retriever").unwrap()..TEXT.find("  # Posts").unwrap()];
        replaced(from, "    retriever: x\n")
    });
}

#[test]
fn a_whole_value_changes_only_where_it_differs() {
    let mut stream = json!({
        "name": "users", "path": "/users",
        "retriever": {
            "requester": {"url": "{{ config['url'] }}", "headers": {"a": "b", "c": ["d", "e"]}},
            "text": "one\ntwo\n",
        },
    });
    let at = json!(["streams", 0]);
    check(TEXT, set(&at, stream.clone()), TEXT);
    stream["retriever"]["requester"]["headers"]["c"] = json!(["e"]);
    stream["path"] = json!("/x");
    stream["key"] = json!("id");
    let expect = TEXT.replace("'/users'", "'/x'").replace("[d, e]", "[e]");
    check(TEXT, set(&at, stream), expect.replace("two\n", "two\n    key: id\n"));
    let document = Document::read(TEXT).unwrap().root().to_json();
    check(TEXT, set(&json!([]), document), TEXT);
}

#[test]
fn what_is_missing_is_made() {
    let at = json!(["streams", 0, "retriever", "requester", "auth", "token"]);
    check(
        TEXT,
        set(&at, json!("x")),
        TEXT.replace("e]}\n", "e]}\n        auth:\n          token: x\n"),
    );
    let at = json!(["streams", 1, "type"]);
    check(TEXT, set(&at, json!("A")), TEXT.replace("- name: posts", "- type: A\n    name: posts"));
    check(TEXT, set(&json!(["x"]), json!(1)), TEXT.replace("# The end.", "x: 1\n# The end."));
    check("", set(&json!(["a", "b"]), json!(1)), "a:\n  b: 1\n");
    check("# c", set(&json!(["a"]), json!([1])), "# c\na:\n  - 1\n");
    check("a: {}", set(&json!(["a", "b"]), json!(1)), "a:\n  b: 1\n");
    check("a: {b: 1}", set(&json!(["a", "c"]), json!("{}")), "a: {b: 1, c: '{}'}");
    check("a:\n- 1", set(&json!(["a", 1]), json!({"b": [2]})), "a:\n- 1\n- b:\n  - 2\n");
    check("a: |+\n  b\n\n", set(&json!(["c"]), json!(1)), "a: |+\n  b\n\nc: 1\n");
}

#[test]
fn what_is_taken_out_leaves_no_trace() {
    check(
        TEXT,
        remove(&json!(["version"])),
        TEXT.replace("version: 1.0.0   # of the language\n", ""),
    );
    check(TEXT, remove(&json!(["streams", 0, "name"])), {
        TEXT.replace("- name: users  # all of them\n    path", "- path")
    });
    let from = &TEXT[TEXT.find("  - name: users").unwrap()..TEXT.find("  # Posts").unwrap()];
    check(TEXT, remove(&json!(["streams", 0])), TEXT.replace(from, ""));
    let headers = |rest: [&str; 2]| TEXT.replace("{a: b, c: [d, e]}", rest[1]);
    let at = json!(["streams", 0, "retriever", "requester", "headers", "c"]);
    check(TEXT, remove(&at), headers(["", "{a: b}"]));
    let at = json!(["streams", 0, "retriever", "requester", "headers", "c", 0]);
    check(TEXT, remove(&at), headers(["", "{a: b, c: [e]}"]));
    check("a:\n  b: 1 # c\nd: 2", remove(&json!(["a", "b"])), "a: {} # c\nd: 2");
    check("a: 1\nb: 2", remove(&json!(["b"])), "a: 1");
    check("- a: 1\n  # c\n  b: 2\n", remove(&json!([0, "a"])), "-\n  # c\n  b: 2\n");
    check("a:\n  b: 1\n  # deep\n\n# high\nc: 1\n", remove(&json!(["a"])), "\n# high\nc: 1\n");
    check("- - a\n  - b\n", remove(&json!([0, 0])), "- - b\n");
    check("a: &x 1\nb: *x\nc: 1\n", remove(&json!(["b"])), "a: &x 1\nc: 1\n");
}

#[test]
fn items_are_put_in_and_moved() {
    let streams = json!(["streams"]);
    check(TEXT, insert(&streams, 1, json!({"name": "x", "a": {"b": 1}})), {
        TEXT.replace("        two\n", "        two\n  - name: x\n    a:\n      b: 1\n")
    });
    check(TEXT, insert(&streams, 0, json!("x")), TEXT.replace("  # Users", "  - x\n  # Users"));
    check(TEXT, insert(&streams, 2, json!("x")), TEXT.replace("empty:\n", "empty:\n  - x\n"));
    check("a: [b]", insert(&json!(["a"]), 0, json!("c")), "a: [c, b]");
    check("a: [b,\n  d]", insert(&json!(["a"]), 2, json!("c")), "a: [b,\n  d, c]");
    check("a: &x 1\nb: [*x, 2]", insert(&json!(["b"]), 1, json!(3)), "a: &x 1\nb: [*x, 3, 2]");
    let (users, posts) = TEXT.split_at(TEXT.find("  # Posts").unwrap());
    let (head, users) = users.split_at(users.find("  # Users").unwrap());
    let (posts, tail) = posts.split_at(posts.find("# The end").unwrap());
    let swap = Edit::Move { path: path(&streams), from: 1, to: 0 };
    check(TEXT, swap, [head, posts, users, tail].concat());
    let text = "- a\n\n- b # b\n- c";
    check(text, Edit::Move { path: vec![], from: 0, to: 2 }, "- b # b\n\n- c\n- a\n");
    check("[a, b,  c]", Edit::Move { path: vec![], from: 2, to: 0 }, "[c, a,  b]");
}

#[test]
fn names_change_in_place() {
    let rename = |at: &Json, from: &str, to: &str| Edit::Rename {
        path: path(at),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    check(TEXT, rename(&json!(["streams", 0]), "path", "a b:"), TEXT.replace("path:", "'a b:':"));
    let at = json!(["streams", 0, "retriever", "requester", "headers"]);
    check(TEXT, rename(&at, "a", "x,y"), TEXT.replace("a: b", "'x,y': b"));
    check_refused(TEXT, rename(&json!([]), "version", "streams"), "there is a `streams` already");
    check_refused(TEXT, rename(&json!([]), "nope", "x"), "there is nothing at `nope`");
}

#[test]
fn what_is_written_elsewhere_is_refused() {
    let text = "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: '#/a'\nf: {$ref: '#/a'}\n";
    let alias = |path| {
        format!("`{path}` comes by an alias or `<<` from elsewhere in the text: change it there")
    };
    check_refused(text, set(&json!(["c", "b"]), json!(2)), &alias("c"));
    check_refused(text, set(&json!(["c"]), json!(2)), &alias("c"));
    check_refused(text, set(&json!(["d", "b"]), json!(2)), &alias("d.b"));
    let around = "this cannot be changed without changing what is around it: change it in the text";
    check_refused(text, set(&json!(["a", "b"]), json!(2)), around);
    check_refused(
        text,
        set(&json!(["d", "e", "b"]), json!(2)),
        "`d.e` stands at `#/a`: change it there",
    );
    check_refused(
        text,
        set(&json!(["f", "g", "h"]), json!(2)),
        "`f.g` stands at `#/a`: change it there",
    );
    check(text, set(&json!(["f", "b"]), json!(2)), text.replace("'#/a'}", "'#/a', b: 2}"));
    check_refused(
        text,
        set(&json!(["a", "b", "c"]), json!(2)),
        "`a.b` is an integer, which has nothing inside",
    );
    check_refused("a: [", set(&json!(["a"]), json!(2)), {
        "the text is no YAML, so that nothing can be changed in it by a form: expected a value, found the end of the text"
    });
    check_refused(
        "a: [1]",
        insert(&json!(["a"]), 3, json!(1)),
        "there is an item 1 at most in `a`",
    );
    check_refused("a: 1", remove(&json!(["b"])), "there is nothing at `b`");
}

#[test]
fn line_breaks_are_those_of_the_text() {
    check(
        "a:\r\n  b: 1\r\n",
        set(&json!(["a", "c"]), json!(["x"])),
        "a:\r\n  b: 1\r\n  c:\r\n    - x\r\n",
    );
}

#[track_caller]
fn check_component(text: &str, at: &Json, expect: &str) {
    let yaml = component(text, &path(at)).unwrap();
    assert_eq!(yaml, expect);
    check(text, Edit::ReplaceYaml { path: path(at), yaml }, text);
}

#[test]
fn components_are_texts_of_their_own() {
    check_component(TEXT, &json!([]), TEXT);
    check_component(TEXT, &json!(["version"]), "1.0.0\n");
    check_component(TEXT, &json!(["streams", 0, "retriever", "requester"]), {
        "url: \"{{ config['url'] }}\"\nheaders: {a: b, c: [d, e]}\n"
    });
    check_component(TEXT, &json!(["streams", 0, "retriever", "text"]), "|\n  one\n  two\n");
    check_component(TEXT, &json!(["streams", 1]), "name: posts\nkeys: []\nempty:\n");
    check_component("a: # b\n  # c\n  d: 1\n  # e\nf: 2\n", &json!(["a"]), "# c\nd: 1\n# e\n");
    check_component("a:\n- 1\n- - 2\n  - 3\n", &json!(["a"]), "- 1\n- - 2\n  - 3\n");
    check_component("a: &x\n  b: 1\nc: *x\n", &json!(["c"]), "*x\n");
    check_component("a: [b, {c: 1}]\n", &json!(["a", 1]), "{c: 1}\n");
    let replace =
        |at: &Json, yaml: &str| Edit::ReplaceYaml { path: path(at), yaml: yaml.to_owned() };
    check(TEXT, replace(&json!(["streams", 0, "retriever", "requester"]), "# New.\ntype: A\n"), {
        let from = "        url: \"{{ config['url'] }}\"\n        headers: {a: b, c: [d, e]}\n";
        TEXT.replace(from, "        # New.\n        type: A\n")
    });
    check("a: 1 # b\nc: 2\n", replace(&json!(["a"]), "d: 1\ne: |\n  f\n"), {
        "a: # b\n  d: 1\n  e: |\n    f\nc: 2\n"
    });
    check("a:\n  b: 1\n", replace(&json!(["a"]), "[1, 2]"), "a: [1, 2]\n");
    check("- a: 1\n  b: 2\n", replace(&json!([0]), "# x\nc: 3\n"), "-\n  # x\n  c: 3\n");
    check_refused("a: 1", replace(&json!(["a"]), "b: ["), {
        "this is no YAML of one value: expected a value, found the end of the text"
    });
}

fn json() -> impl Strategy<Value = Json> {
    let text = "[a-c{}'\"#:,|\n -]{0,6}";
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i16>().prop_map(Json::from),
        text.prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec(("[a-d ]{1,2}", inner), 0..4)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// The paths of all values.
fn paths(value: &Json, path: &[Step], paths: &mut Vec<Vec<Step>>) {
    paths.push(path.to_vec());
    let below = |step| [path, &[step]].concat();
    for (name, value) in value.as_object().into_iter().flatten() {
        self::paths(value, &below(Step::Key(name.clone())), paths);
    }
    for (idx, value) in value.as_array().into_iter().flatten().enumerate() {
        self::paths(value, &below(Step::Index(idx)), paths);
    }
}

/// A document with comments, and blank lines, and blocks laid out in one of several ways.
fn document(value: &Json, style: usize) -> String {
    let node = Node::from_json(value, None);
    let layout =
        crate::manifest::Layout { step: 2 + style % 3, indents_lists: style.is_multiple_of(2) };
    let yaml = crate::manifest::to_yaml_at(&node, 0, layout);
    let is_text_block = yaml.contains(": |") || yaml.contains("- |");
    let lines = yaml.lines().enumerate().map(|(idx, line)| match (idx + style) % 5 {
        // In a block of text it would be text.
        0 if !is_text_block && !line.contains(['\'', '"']) => format!("{line} # {idx}\n"),
        1 if !is_text_block => {
            let indent = line.len() - line.trim_start().len();
            format!("{}# {idx}\n{line}\n", " ".repeat(indent))
        }
        2 if !is_text_block => format!("\n{line}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

fn read(text: &str) -> Json {
    parse(&Source::new("test.yaml", text), &mut Findings::default()).unwrap().to_json()
}

fn comments(text: &str) -> usize {
    text.lines().filter(|line| line.trim_start().starts_with("# ")).count()
}

proptest! {
    #[test]
    fn any_value_can_be_set(before in json(), value in json(), style in 0_usize..30, idx in any::<prop::sample::Index>()) {
        let text = document(&before, style);
        let mut all = Vec::new();
        paths(&read(&text), &[], &mut all);
        let path = idx.get(&all).clone();
        let after = apply(&text, &[Edit::Set { path: path.clone(), value: value.clone() }]);
        let after = after.map_err(|error| TestCaseError::fail(format!("{error}\n{text}\n{path:?} {value}")))?;
        let document = Document::read(&after).unwrap();
        prop_assert_eq!(document.value_at(&path).unwrap().to_json(), value, "{}", after);
    }

    #[test]
    fn a_scalar_changes_one_line(before in json(), style in 0_usize..30, idx in any::<prop::sample::Index>()) {
        let text = document(&before, style);
        let mut all = Vec::new();
        paths(&read(&text), &[], &mut all);
        let path = idx.get(&all).clone();
        let document = Document::read(&text).unwrap();
        let node = document.value_at(&path).unwrap();
        let is_one_line = node.as_map().is_none() && node.as_seq().is_none()
            && node.as_str().is_none_or(|text| !text.contains('\n'));
        if !is_one_line {
            return Ok(());
        }
        let after = apply(&text, &[Edit::Set { path, value: json!("changed") }]).unwrap();
        prop_assert_eq!(text.lines().count(), after.lines().count());
        let n_changed = text.lines().zip(after.lines()).filter(|(one, other)| one != other).count();
        prop_assert!(n_changed <= 1, "{}\n{}", text, after);
    }

    #[test]
    fn anything_can_be_taken_out_and_put_back(before in json(), style in 0_usize..30, idx in any::<prop::sample::Index>()) {
        let text = document(&before, style);
        let mut all = Vec::new();
        paths(&read(&text), &[], &mut all);
        let path = idx.get(&all).clone();
        let yaml = component(&text, &path).unwrap();
        let same = apply(&text, &[Edit::ReplaceYaml { path: path.clone(), yaml: yaml.clone() }]);
        prop_assert_eq!(same.as_deref(), Ok(text.as_str()), "{:?}\n{}", path, yaml);
        if path.is_empty() {
            return Ok(());
        }
        let without = apply(&text, &[Edit::Remove { path: path.clone() }]);
        prop_assert!(without.is_ok(), "{:?} {:?}\n{}", without, path, text);
    }

    #[test]
    fn items_move_with_their_comments(items in prop::collection::vec(json(), 1..5), style in 0_usize..30, from in 0_usize..5, to in 0_usize..5) {
        let text = document(&json!({"list": items}), style);
        let path = vec![Step::Key("list".to_owned())];
        let (from, to) = (from % items.len(), to % items.len());
        let after = apply(&text, &[Edit::Move { path, from, to }]);
        let after = after.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(comments(&text), comments(&after), "{}\n{}", text, after);
    }
}
