//! Faults a user can make, each a folder of plain files in `cases/`.
//!
//! `args` holds the words of the command line, one command a line; `expected`
//! what the command answers: its exit code, its messages (but for times), and
//! what it says on stderr. `UPDATE_EXPECTED=1` writes `expected` anew.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binary::{self, Answer};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("integration_tests/cases")
}

#[track_caller]
fn check(name: &str) {
    let folder = folder().join(name);
    let commands = fs::read_to_string(folder.join("args")).unwrap();
    let mut transcript = String::new();
    for command in commands.lines() {
        let args: Vec<_> = command.split_whitespace().collect();
        let stdin = fs::read(folder.join("stdin")).unwrap_or_default();
        let answer = binary::run_in(&folder, &args, &stdin);
        writeln!(transcript, "$ {command}").unwrap();
        transcript.push_str(&describe(&answer));
    }
    let expected = folder.join("expected");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&expected, &transcript).unwrap();
    }
    let expected = fs::read_to_string(expected).unwrap_or_default();
    assert_eq!(transcript, expected, "\n{transcript}");
}

fn describe(answer: &Answer) -> String {
    let mut text = format!("exit {}\n", answer.code);
    for line in answer.stdout.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(message) => describe_message(&message, &mut text),
            Err(_) => writeln!(text, "| {line}").unwrap(),
        }
    }
    for line in answer.stderr.lines() {
        writeln!(text, "! {line}").unwrap();
    }
    text
}

/// A message as one line, or several; only that which does not differ from run to run.
fn describe_message(message: &Value, text: &mut String) {
    let indented = |value: &Value| value.as_str().unwrap_or_default().replace('\n', "\n    ");
    let kind = message["type"].as_str().unwrap_or_default();
    match kind {
        "LOG" => {
            let log = &message["log"];
            writeln!(text, "LOG {} {}", indented(&log["level"]), indented(&log["message"]))
                .unwrap();
        }
        "TRACE" if message["trace"]["type"] == "ERROR" => {
            let error = &message["trace"]["error"];
            let failure_type = error["failure_type"].as_str().unwrap_or("untyped");
            writeln!(text, "ERROR {failure_type}: {}", indented(&error["message"])).unwrap();
            if error["internal_message"].is_string() {
                writeln!(text, "    internal: {}", indented(&error["internal_message"])).unwrap();
            }
            if let Some(stream) = error["stream_descriptor"]["name"].as_str() {
                writeln!(text, "    stream: {stream}").unwrap();
            }
        }
        "TRACE" => {
            let status = &message["trace"]["stream_status"];
            let name = indented(&status["stream_descriptor"]["name"]);
            writeln!(text, "STATUS {name} {}", indented(&status["status"])).unwrap();
        }
        _ => {
            let mut message = message.clone();
            for part in ["record", "control"] {
                if let Some(part) = message.get_mut(part).and_then(Value::as_object_mut) {
                    part.remove("emitted_at");
                }
            }
            writeln!(text, "{message}").unwrap();
        }
    }
}

macro_rules! cases {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*
    };
}

cases! {
    cassette_missing
    cassette_not_json
    catalog_empty_file
    catalog_missing
    catalog_not_an_object
    catalog_not_json
    catalog_stream_without_name
    catalog_with_nothing_selected
    catalog_with_unknown_stream
    catalog_with_unknown_sync_mode
    catalog_without_streams
    components_without_permission
    config_binary
    config_empty
    config_is_a_folder
    config_lacks_a_property
    config_missing
    config_not_an_object
    config_not_json
    config_of_wrong_type
    config_with_empty_manifest
    config_with_manifest_that_is_none
    config_without_manifest
    discover_of_a_manifest
    discover_of_an_injected_manifest
    manifest_binary
    manifest_empty
    manifest_missing
    manifest_not_a_mapping
    manifest_not_utf8
    manifest_of_brackets
    manifest_of_comments
    manifest_of_laughs
    manifest_of_nonsense
    manifest_that_checks_an_unknown_stream
    manifest_that_contains_itself
    manifest_with_bad_reference
    manifest_with_bad_specification
    manifest_with_bad_template
    manifest_with_circular_reference
    manifest_with_component_out_of_place
    manifest_with_custom_code
    manifest_with_duplicate_key
    manifest_with_duplicate_stream
    manifest_with_field_of_wrong_type
    manifest_with_missing_field
    manifest_with_open_quote
    manifest_with_tabs
    manifest_with_unknown_anchor
    manifest_with_unknown_component
    manifest_with_unknown_filter
    manifest_with_unknown_variable
    manifest_with_wrong_indentation
    manifest_without_check
    manifest_without_spec
    manifest_without_streams
    migrate_of_a_manifest
    migrate_of_hosts_with_brackets
    normalize_of_a_manifest
    read_of_a_stream_and_a_catalog
    read_of_an_unknown_stream
    refused_extractors_over_a_streamed_body
    refused_offsets_of_several_lists
    refused_reduction_of_numbered_pages
    refused_reduction_of_pages_of_parents
    refused_reduction_with_a_fixed_limit
    refused_splitting_below_the_date_format
    resolve_of_a_bad_manifest
    resolve_of_a_manifest
    spec_of_a_manifest
    state_explained
    state_global_without_content
    state_missing
    state_not_a_list
    state_not_json
    state_of_parents_of_wrong_type
    state_of_partitions_of_wrong_type
    state_of_unknown_type
    state_that_is_shared
    state_that_says_nothing
    state_without_stream_name
    template_expression
    template_lines
    usage_missing_config
    usage_missing_config_path
    usage_unknown_command
    usage_unknown_option
    usage_with_equals_signs
    validate_of_a_bad_manifest
    validate_of_a_good_manifest
    validate_of_bad_templates
    validate_of_nothing
    validate_of_several_manifests
    validate_of_unknown_fields
}

#[test]
fn every_case_has_a_test() {
    let mut folders: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders, NAMES);
}
