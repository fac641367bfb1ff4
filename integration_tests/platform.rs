//! What the platform does to a source, and what it makes of its output.

use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::binary::{Answer, answer, command};
use crate::computed_api::{Asked, ComputedApi};

/// What a pipe holds while nobody reads it.
const PIPE_SIZE: usize = 64 << 10;
/// How long nothing must happen to count as never.
const QUIET: Duration = Duration::from_millis(500);
/// How long something may take that has to happen.
const LIMIT: Duration = Duration::from_mins(1);

/// A source of `streams`, each of which asks for `api/NAME?page=1` and so on.
fn manifest(api: &ComputedApi, streams: &[&str]) -> Value {
    let streams = streams.iter().map(|name| {
        json!({
            "type": "DeclarativeStream",
            "name": name,
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object"}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester":
                    {"type": "HttpRequester", "url_base": api.url_of("api"), "path": name},
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []},
                },
                "paginator": {
                    "type": "DefaultPaginator",
                    "pagination_strategy":
                        {"type": "PageIncrement", "page_size": PAGE_SIZE, "start_from_page": 1},
                    "page_token_option": {"type": "RequestOption",
                        "inject_into": "request_parameter", "field_name": "page"},
                },
            },
        })
    });
    json!({
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [streams.clone().next().unwrap()["name"]]},
        "streams": streams.collect::<Value>(),
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "additionalProperties": false,
                "properties": {"key": {"type": "string"}},
            },
        },
    })
}

const PAGE_SIZE: i64 = 100;

/// A page of records that are about a kilobyte each.
fn page(number: i64, n_pages: i64) -> Value {
    let ids = if number <= n_pages { (number - 1) * PAGE_SIZE..number * PAGE_SIZE } else { 0..0 };
    ids.map(|id| json!({"id": id, "text": "x".repeat(1000)})).collect()
}

/// The first page is not asked for by its number.
fn page_of(asked: &Asked) -> i64 {
    asked.number("page").unwrap_or(1)
}

/// A command with the platform's files, which may be anywhere.
fn source(folder: &Path, operation: &str, manifest: &Value, config: &Value) -> Command {
    let put = |name: &str, content: &Value| {
        let path = folder.join(name);
        fs::write(&path, content.to_string()).unwrap();
        path
    };
    let mut command = command();
    command.current_dir("/").args([operation, "--manifest-path"]);
    command.arg(put("manifest.yaml", manifest));
    command.arg("--config").arg(put("config.json", config));
    command
}

/// Starts a read whose output nobody reads but who calls this.
fn start(command: &mut Command) -> (Child, PipeReader) {
    let (reader, writer) = io::pipe().unwrap();
    let child = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    // The end that the command holds is the only one, so that its output can come to an end.
    command.stdout(Stdio::null());
    (child, reader)
}

#[expect(clippy::disallowed_methods, reason = "the platform has its own clock")]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

fn wait_until(is_met: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_met() {
        assert!(start.elapsed() < LIMIT, "this takes too long");
        pause(Duration::from_millis(5));
    }
}

/// Exit code and stderr.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn messages(answer: &Answer) -> Vec<Value> {
    answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn error_of(messages: &[Value]) -> &Value {
    let error = messages.iter().find(|message| message["trace"]["type"] == "ERROR");
    &error.unwrap()["trace"]["error"]
}

#[test]
fn what_the_platform_puts_into_a_config_is_none_of_the_users_keys() {
    let api = ComputedApi::start(|asked| (200, page(page_of(asked), 1)));
    let folder = tempfile::tempdir().unwrap();
    let manifest = manifest(&api, &["items"]);
    let config = json!({
        "key": "k",
        "__injected_declarative_manifest": manifest,
        "__injected_components_py": "class Mine: pass\n",
        "__injected_components_py_checksums": {"md5": "00"},
    });
    let mut command = source(folder.path(), "check", &manifest, &config);
    let answer = answer(command.env("AIRBYTE_ENABLE_UNSAFE_CODE", "true"), b"");
    assert!(answer.stdout.contains(r#"{"status":"SUCCEEDED"}"#), "{}", answer.stdout);
}

#[test]
fn records_are_not_sent_where_nobody_waits_for_them() {
    let api = ComputedApi::start(|asked| (200, page(page_of(asked), 1)));
    let folder = tempfile::tempdir().unwrap();
    let read = || source(folder.path(), "read", &manifest(&api, &["items"]), &json!({}));
    let refused = answer(read().env("DATA_CHANNEL_MEDIUM", "SOCKET"), b"");
    let messages = messages(&refused);
    let error = error_of(&messages);
    assert_eq!((refused.code, &error["failure_type"]), (1, &json!("config_error")));
    assert!(error["message"].as_str().unwrap().contains("DATA_CHANNEL_MEDIUM=SOCKET"), "{error}");
    assert_eq!(answer(read().env("DATA_CHANNEL_MEDIUM", "STDIO"), b"").code, 0);
}

#[test]
fn a_run_in_the_cloud_sends_nothing_in_the_clear() {
    let n_asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_asked);
    let api = ComputedApi::start(move |asked| {
        count.fetch_add(1, Ordering::Relaxed);
        (200, page(page_of(asked), 1))
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = source(folder.path(), "read", &manifest(&api, &["items"]), &json!({}));
    let answer = answer(command.env("DEPLOYMENT_MODE", "CLOUD"), b"");
    let messages = messages(&answer);
    let error = error_of(&messages);
    assert_eq!((answer.code, &error["failure_type"]), (1, &json!("config_error")), "{error}");
    assert!(error["message"].as_str().unwrap().contains("invalid or insecure"), "{error}");
    assert_eq!(n_asked.load(Ordering::Relaxed), 0);
}

#[test]
fn a_cancelled_read_ends_without_a_word() {
    let api = ComputedApi::start(|asked| (200, page(page_of(asked), i64::MAX)));
    let folder = tempfile::tempdir().unwrap();
    let mut command = source(folder.path(), "read", &manifest(&api, &["items"]), &json!({}));
    let (child, stdout) = start(&mut command);
    let mut lines = BufReader::new(stdout).lines();
    for _ in 0..1000 {
        lines.next().unwrap().unwrap();
    }
    drop(lines);
    assert_eq!(end(child), (Some(1), String::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_in_the_memory_of_a_run_is_never_dumped() {
    let api = ComputedApi::start(|asked| (200, page(page_of(asked), i64::MAX)));
    let folder = tempfile::tempdir().unwrap();
    let mut command = source(folder.path(), "read", &manifest(&api, &["items"]), &json!({}));
    let (mut child, stdout) = start(&mut command);
    BufReader::new(&stdout).lines().next().unwrap().unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    let limit: Vec<_> = limit.unwrap().split_whitespace().collect();
    // Nobody can raise what was none already.
    assert!(matches!(limit[..], ["1", "1", _] | ["0", "0", _]), "{limit:?}");
    // The worst end that a program can have.
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-ABRT", &id]).status().unwrap().success());
    assert!(!child.wait().unwrap().core_dumped());
}

#[test]
fn a_reader_that_looks_away_holds_the_requests_back_and_loses_nothing() {
    const N_PAGES: i64 = 200;
    let n_asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&n_asked);
    let api = ComputedApi::start(move |asked| {
        count.fetch_add(1, Ordering::Relaxed);
        (200, page(page_of(asked), N_PAGES))
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = source(folder.path(), "read", &manifest(&api, &["items"]), &json!({}));
    let (child, stdout) = start(&mut command);
    let n_before = || n_asked.load(Ordering::Relaxed);
    wait_until(|| {
        let before = n_before();
        pause(QUIET);
        before > 0 && n_before() == before
    });
    // The pipe and the queue before it hold what twenty pages are; the rest is not asked for.
    assert!(n_before() < 40, "{} pages", n_before());
    let is_record = |line: &String| line.starts_with(r#"{"type":"RECORD""#);
    let n_records = BufReader::new(stdout).lines().map(Result::unwrap).filter(is_record).count();
    assert_eq!(n_records, usize::try_from(N_PAGES * PAGE_SIZE).unwrap());
    assert_eq!(end(child).0, Some(0));
}

#[test]
fn a_new_token_is_used_when_the_platform_has_it() {
    let n_asked = Arc::new(AtomicUsize::new(0));
    let n_renewed = Arc::new(AtomicUsize::new(0));
    let (asked_count, renewed_count) = (Arc::clone(&n_asked), Arc::clone(&n_renewed));
    let api = ComputedApi::start(move |asked| {
        if asked.path == ["api", "token"] {
            renewed_count.fetch_add(1, Ordering::Relaxed);
            return (200, json!({"access_token": "a", "refresh_token": "r", "expires_in": 3600}));
        }
        asked_count.fetch_add(1, Ordering::Relaxed);
        (200, page(page_of(asked), 1))
    });
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = manifest(&api, &["items"]);
    manifest["streams"][0]["retriever"]["requester"]["authenticator"] = json!({
        "type": "OAuthAuthenticator",
        "token_refresh_endpoint": api.url_of("api/token"),
        "client_id": "i",
        "client_secret": "s",
        "refresh_token": "{{ config['credentials']['refresh_token'] }}",
        "refresh_token_updater": {},
    });
    manifest["spec"]["connection_specification"] = json!({"type": "object"});
    let config = json!({"credentials": {"refresh_token": "old"}});
    let mut command = source(folder.path(), "read", &manifest, &config);
    // The platform is so busy that it takes nothing.
    let (mut stdout, mut writer) = io::pipe().unwrap();
    writer.write_all(&vec![b'\n'; PIPE_SIZE]).unwrap();
    let child = command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    drop(command);
    wait_until(|| n_renewed.load(Ordering::Relaxed) == 1);
    pause(QUIET);
    assert_eq!(n_asked.load(Ordering::Relaxed), 0, "the token was used before it was safe");
    let mut output = String::new();
    stdout.read_to_string(&mut output).unwrap();
    assert!(output.contains(r#""refresh_token":"r""#), "{}", output.trim_start());
    assert_eq!((end(child).0, n_asked.load(Ordering::Relaxed)), (Some(0), 2));
}

#[test]
fn the_output_is_what_the_platform_counts_on() {
    let api = ComputedApi::start(|asked| match (asked.path[1].as_str(), page_of(asked)) {
        ("odd", 1) => {
            let odd = json!([{"a": "line\r\nline\r"}, {}, {"a": null}, {"a": 1, "b": null}]);
            let rest = (4..PAGE_SIZE).map(|id| json!({"a": id}));
            (200, odd.as_array().unwrap().iter().cloned().chain(rest).collect())
        }
        ("odd", _) => (200, json!([])),
        ("broken", 1) => (200, page(1, 2)),
        _ => (400, json!({"error": "no"})),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut manifest = manifest(&api, &["odd", "broken"]);
    for transformed in [false, true] {
        if transformed {
            manifest["streams"][0]["transformations"] =
                json!([{"type": "RemoveFields", "field_pointers": [["no such field"]]}]);
        }
        let mut command = source(folder.path(), "read", &manifest, &json!({}));
        let answer = answer(&mut command, b"");
        assert_eq!(answer.code, 1, "a stream failed: {}", answer.stdout);
        check_output(&answer);
    }
}

/// What must be true of every read, and what of this one.
#[track_caller]
fn check_output(answer: &Answer) {
    assert!(!answer.stdout.contains('\r'), "{:?}", answer.stdout);
    let (mut n_since_state, mut n_states, mut moments) = (0, 0, Vec::new());
    let mut statuses = Vec::new();
    for message in messages(answer) {
        match message["type"].as_str().unwrap() {
            "RECORD" => {
                let record = message["record"].as_object().unwrap();
                assert!(!record["data"].as_object().unwrap().is_empty(), "{message}");
                assert!(!record.contains_key("namespace"), "{message}");
                n_since_state += u32::from(record["stream"] == "odd");
            }
            "STATE" => {
                let state = message["state"].as_object().unwrap();
                assert!(!state.contains_key("id"), "{message}");
                let descriptor = &state["stream"]["stream_descriptor"];
                assert_eq!(descriptor.as_object().unwrap().len(), 1, "{message}");
                if descriptor["name"] == "odd" {
                    assert!(statuses.iter().all(|(_, status)| status != "COMPLETE"));
                    assert_eq!(
                        state["sourceStats"]["recordCount"],
                        json!(f64::from(n_since_state))
                    );
                    (n_since_state, n_states) = (0, n_states + 1);
                }
            }
            "TRACE" => {
                let trace = &message["trace"];
                // Errors have whole milliseconds only.
                moments.push(trace["emitted_at"].as_f64().unwrap().floor());
                let status = &trace["stream_status"];
                let name = status["stream_descriptor"]["name"].as_str();
                if let (Some(name), Some(status)) = (name, status["status"].as_str()) {
                    statuses.push((name.to_owned(), status.to_owned()));
                }
            }
            _ => {}
        }
    }
    assert_eq!((n_since_state, n_states), (0, 1));
    assert!(moments.is_sorted(), "{moments:?}");
    let has = |name: &str, status: &str| statuses.contains(&(name.to_owned(), status.to_owned()));
    assert!(has("odd", "COMPLETE") && has("broken", "INCOMPLETE"), "{statuses:?}");
}
