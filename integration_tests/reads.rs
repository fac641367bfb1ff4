//! What a user can ask a read for, shown on the example connectors.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::binary::{Answer, answer, command};

/// Runs a command on an example's cassette, with further words.
#[track_caller]
fn run(name: &str, example: &str, words: &[&str]) -> (Answer, Vec<Value>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests").join(example);
    let mut command = command();
    command.current_dir(folder).args([name, "--manifest-path", "manifest.yaml"]);
    for (option, file) in [("--config", "config.json"), ("--replay", "cassette.jsonl")] {
        if !words.contains(&option) {
            command.args([option, file]);
        }
    }
    let answer = answer(command.args(words), b"");
    let messages = answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (answer, messages)
}

/// What stands at `pointer` in the messages that have it.
fn all<'m>(messages: &'m [Value], pointer: &str) -> Vec<&'m str> {
    messages.iter().filter_map(|message| message.pointer(pointer)?.as_str()).collect()
}

/// Writes `content` to a file of the test's own, and gives its path.
fn file(folder: &tempfile::TempDir, content: &str) -> String {
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn named_streams_are_read_alone() {
    let (answer, messages) = run("read", "github-issues", &["--stream", "issues"]);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
    assert_eq!(all(&messages, "/record/stream"), ["issues"; 4]);
}

#[test]
fn a_catalog_says_what_is_read_and_in_which_order() {
    let stream = |name: &str| {
        json!({
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "append",
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let catalog = json!({"streams": [stream("forecast"), stream("weather")]}).to_string();
    let (answer, messages) = run("read", "openweather", &["--catalog", &file(&folder, &catalog)]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let mut streams = all(&messages, "/record/stream");
    streams.dedup();
    assert_eq!(streams, ["forecast", "weather"]);
}

#[test]
fn a_read_goes_on_where_the_last_one_ended() {
    let (_, messages) = run("read", "exchange-rates", &[]);
    let dates = all(&messages, "/record/data/date");
    assert_eq!(dates, ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]);
    let third = messages.iter().filter(|message| message["type"] == "STATE").nth(2).unwrap();
    let state = json!([third["state"]]).to_string();
    let folder = tempfile::tempdir().unwrap();
    let (answer, messages) = run("read", "exchange-rates", &["--state", &file(&folder, &state)]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    // The last day is read again: more of it may have come since.
    assert_eq!(all(&messages, "/record/data/date"), dates[2..]);
}

#[test]
fn another_secret_leads_to_the_same_requests() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"api_key": "of somebody else", "start_date": "2026-11-15", "end_date": "2026-11-18"});
    let (_, messages) =
        run("read", "nasa-apod", &["--config", &file(&folder, &config.to_string())]);
    assert_eq!(all(&messages, "/record/stream").len(), 4);
}

#[test]
fn a_request_that_was_not_recorded_is_told_with_its_nearest() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"api_key": "example-key-not-a-real-one", "start_date": "2026-11-10", "end_date": "2026-11-18"});
    let words = ["--config", &file(&folder, &config.to_string())];
    let (answer, messages) = run("read", "nasa-apod", &words);
    assert_eq!(answer.code, 1);
    let url = "https://api.nasa.gov/planetary/apod?start_date=2026-11-1";
    let rest = "&end_date=2026-11-18&thumbs=true&api_key=****";
    assert_eq!(
        all(&messages, "/trace/error/message")[0],
        format!(
            "The cassette has no answer to GET {url}0{rest}; the nearest it has is GET {url}5{rest}."
        )
    );
    let (answer, messages) = run("check", "nasa-apod", &words);
    assert_eq!((answer.code, all(&messages, "/connectionStatus/status")), (0, vec!["FAILED"]));
}

#[test]
fn a_manifest_says_in_its_own_words_why_an_api_refuses() {
    let request = json!({"method": "GET", "url": "https://api.github.com/orgs/rust-lang/repos?per_page=2", "headers": []});
    let response = json!({"status": 401, "headers": [], "body": {"text": r#"{"message": "Bad credentials"}"#}});
    let header = json!({"cassette": 1, "clock": "2026-11-22T12:00:00Z", "seed": 1});
    let exchange =
        json!({"time": "2026-11-22T12:00:00Z", "request": request, "response": response});
    let folder = tempfile::tempdir().unwrap();
    let cassette = file(&folder, &format!("{header}\n{exchange}\n"));
    let reason = "The access token is wrong, or has expired.";
    let (answer, messages) = run("check", "github-issues", &["--replay", &cassette]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    assert_eq!(
        all(&messages, "/connectionStatus/message"),
        [format!("'Stream repositories is not available: {reason}'")]
    );
    let (answer, messages) = run("read", "github-issues", &["--replay", &cassette]);
    assert_eq!(answer.code, 1);
    assert_eq!(all(&messages, "/trace/error/message")[..2], [reason; 2]);
    assert_eq!(all(&messages, "/trace/error/failure_type"), ["config_error"; 3]);
}
