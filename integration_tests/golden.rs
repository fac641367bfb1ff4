//! Every component of the language, on the binary: each case is a folder of plain files in
//! `golden/`, described in `golden/README.md`.
//!
//! `UPDATE_EXPECTED=1` writes what is expected anew, and `GOLDEN_CASE=NAME` runs only cases whose
//! names contain that.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::binary::{answer, command};
use crate::scripted_api::ScriptedApi;

/// When every run begins; the same as in `tools/against_reference.py`.
const START: &str = "2026-01-15T12:00:00Z";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests/golden")
}

/// The folders of all cases, in order.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn name_of(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// Runs a case; gives its requests and its messages.
fn run(case: &Path) -> (String, String) {
    let api = ScriptedApi::start(case);
    let scratch = tempfile::tempdir().unwrap();
    copy(case, scratch.path());
    let words = fs::read_to_string(case.join("command")).unwrap_or_else(|_| "read".to_owned());
    let mut program = command();
    program.current_dir(scratch.path()).args(words.split_whitespace());
    program.args(["--manifest-path", "manifest.yaml"]);
    if words.trim() != "spec" {
        if !case.join("config.json").exists() {
            fs::write(scratch.path().join("config.json"), "{}").unwrap();
        }
        program.args(["--config", "config.json", "--clock", START]);
    }
    for option in ["catalog", "state"] {
        let file = format!("{option}.json");
        if case.join(&file).exists() {
            program.args([format!("--{option}"), file]);
        }
    }
    program.env("HTTP_PROXY", api.proxy()).env("AIRBYTE_STAGING_DIRECTORY", "staging");
    let answer = answer(&mut program, b"");
    let mut messages: String = answer
        .stdout
        .split_inclusive('\n')
        .filter(|line| !line.starts_with(r#"{"type":"LOG""#))
        .collect();
    if answer.code != 0 {
        writeln!(messages, r#"{{"exit":{}}}"#, answer.code).unwrap();
    }
    (api.requests(), messages)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What is wrong with a case.
fn faults(case: &Path) -> Vec<String> {
    let (requests, messages) = run(case);
    let mut faults = Vec::new();
    for (file, text) in [("requests.txt", requests), ("messages.jsonl", messages)] {
        let path = case.join(file);
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if text != expected {
            let difference = difference(&text, &expected);
            faults.push(format!("{}/{file}: {difference}", name_of(case)));
        }
    }
    faults
}

/// The first line that differs.
fn difference(text: &str, expected: &str) -> String {
    let (mut here, mut there) = (text.lines(), expected.lines());
    for number in 1.. {
        let (line, wanted) = (here.next(), there.next());
        if line != wanted {
            let [line, wanted] = [line, wanted].map(|it| it.unwrap_or("(nothing more)"));
            return format!("line {number}\n  is:       {line}\n  expected: {wanted}");
        }
    }
    unreachable!("the texts differ")
}

#[test]
fn every_case_does_what_is_expected() {
    let wanted = std::env::var("GOLDEN_CASE").unwrap_or_default();
    let cases = cases();
    let cases: Vec<_> = cases.iter().filter(|case| name_of(case).contains(&wanted)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(faults(case));
        }
        found
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let faults: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Every component that is built of the manifest alone, with its fields, `type` among them.
fn language() -> BTreeMap<String, Vec<String>> {
    let schema = answer(command().args(["manifest", "schema"]), b"").stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let definitions = schema["definitions"].as_object().unwrap().values();
    definitions
        .filter_map(|definition| {
            let name = definition["properties"]["type"]["enum"][0].as_str()?;
            let fields = definition["properties"].as_object().unwrap().keys();
            let fields = fields.filter(|&field| field != "$parameters");
            (!name.starts_with("Custom")).then(|| (name.to_owned(), fields.cloned().collect()))
        })
        .collect()
}

/// Takes out of `missing` what is written in `node`.
fn strike(missing: &mut BTreeMap<String, Vec<String>>, node: &serde_yaml::Value) {
    match node {
        serde_yaml::Value::Mapping(fields) => {
            let written = node.get("type").and_then(|name| missing.get_mut(name.as_str()?));
            if let Some(fields_left) = written {
                fields_left.retain(|field| !fields.contains_key(field));
            }
            fields.values().for_each(|value| strike(missing, value));
        }
        serde_yaml::Value::Sequence(items) => items.iter().for_each(|item| strike(missing, item)),
        _ => {}
    }
}

#[test]
fn every_field_of_every_component_has_a_case() {
    let mut missing = language();
    assert!(missing.len() > 90, "the language has {} components", missing.len());
    for case in cases() {
        let manifest = fs::read_to_string(case.join("manifest.yaml")).unwrap();
        strike(&mut missing, &serde_yaml::from_str(&manifest).unwrap());
    }
    missing.retain(|_, fields| !fields.is_empty());
    assert!(missing.is_empty(), "no case has {missing:?}");
}
