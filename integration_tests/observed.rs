//! What a read tells of itself besides its messages: a log of requests, and where its time went.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::binary::{Answer, answer, command};
use crate::fault_server::{Door, Exchange, FaultServer};

const MANIFEST: &str = r##"
version: 7.0.0
type: DeclarativeSource
definitions:
  stream:
    type: DeclarativeStream
    name: users
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['url'] }}"
        path: /users
        request_parameters: {key: "{{ config['key'] }}"}
      record_selector:
        type: RecordSelector
        extractor: {type: DpathExtractor, field_path: [items]}
    schema_loader: {type: InlineSchemaLoader, schema: {}}
streams:
- $ref: "#/definitions/stream"
- $ref: "#/definitions/stream"
  name: orders
  retriever:
    $ref: "#/definitions/stream/retriever"
    requester:
      type: HttpRequester
      url_base: "{{ config['url'] }}"
      path: /orders
      http_method: POST
      request_body_json: {key: "{{ config['key'] }}", page: 1}
check: {type: CheckStream, stream_names: [users]}
spec:
  type: Spec
  connection_specification:
    type: object
    properties:
      url: {type: string}
      key: {type: string, airbyte_secret: true}
"##;

fn serve(it: &mut Exchange<'_>) -> io::Result<()> {
    match it.number {
        1 => it.answer("503 Service Unavailable", "", "not now"),
        2 => Ok(()),
        _ => {
            let headers = "Content-Type: application/json\r\nX-Key: s3cret-key\r\n";
            it.answer("200 OK", headers, r#"{"items": [{"id": 1}, {"id": 2}]}"#)
        }
    }
}

fn read(folder: &Path, options: &[&str]) -> Answer {
    let server = FaultServer::start(Door::Plain, 0, serve);
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("manifest.yaml", MANIFEST);
    let url = format!("http://{}", server.authority());
    put("config.json", &json!({"url": url, "key": "s3cret-key"}).to_string());
    let mut program = command();
    program.current_dir(folder).args(["read", "--config", "config.json"]);
    program.args(["--manifest-path", "manifest.yaml", "--clock", "2026-01-15T12:00:00Z"]);
    answer(program.args(options), b"")
}

#[test]
fn a_read_is_logged_as_har() {
    let folder = tempfile::tempdir().unwrap();
    let plain = read(folder.path(), &[]);
    let logged = read(folder.path(), &["--har", "read.har"]);
    assert_eq!((logged.code, logged.stdout), (0, plain.stdout));
    let text = fs::read_to_string(folder.path().join("read.har")).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    let log: Value = serde_json::from_str(&text).unwrap();
    let entries = check_har(&log);
    let statuses: Vec<_> = entries.iter().map(|it| &it["response"]["status"]).collect();
    assert_eq!(statuses, [503, 0, 200, 200]);
    assert!(entries[1]["response"]["_error"].as_str().unwrap().starts_with("ConnectionError: "));
    assert_eq!(entries[2]["request"]["queryString"], json!([{"name": "key", "value": "****"}]));
    let body = r#"{"key": "****", "page": 1}"#;
    assert_eq!(entries[3]["request"]["postData"]["text"], body);
    assert_eq!(entries[3]["comment"], "stream orders");
}

/// What HAR 1.2 demands; gives the entries.
#[track_caller]
fn check_har(log: &Value) -> &[Value] {
    let log = &log["log"];
    assert_eq!(log["version"], "1.2");
    check_fields(&log["creator"], &[("name", Value::is_string), ("version", Value::is_string)]);
    let entries = log["entries"].as_array().unwrap();
    entries.iter().for_each(check_entry);
    entries
}

type Is = fn(&Value) -> bool;

#[track_caller]
fn check_fields(value: &Value, fields: &[(&str, Is)]) {
    for (name, is) in fields {
        let field = value.get(name).unwrap_or_else(|| panic!("no `{name}` in {value}"));
        assert!(is(field), "`{name}` in {value}");
    }
}

/// A size, or −1 for one that is not known.
fn is_size(value: &Value) -> bool {
    value.as_i64().is_some_and(|size| size >= -1)
}

fn are_pairs(value: &Value) -> bool {
    let is_pair = |it: &Value| it["name"].is_string() && it["value"].is_string();
    value.as_array().is_some_and(|pairs| pairs.iter().all(is_pair))
}

#[track_caller]
fn check_entry(entry: &Value) {
    let is_moment: Is = |it| it.as_str().is_some_and(|it| it.parse::<jiff::Timestamp>().is_ok());
    check_fields(entry, &[("startedDateTime", is_moment), ("cache", Value::is_object)]);
    let message: [(&str, Is); 5] = [
        ("httpVersion", Value::is_string),
        ("cookies", Value::is_array),
        ("headers", are_pairs),
        ("headersSize", is_size),
        ("bodySize", is_size),
    ];
    let (request, response) = (&entry["request"], &entry["response"]);
    check_fields(request, &message);
    check_fields(
        request,
        &[("method", Value::is_string), ("url", Value::is_string), ("queryString", are_pairs)],
    );
    if let Some(posted) = request.get("postData") {
        check_fields(posted, &[("mimeType", Value::is_string), ("text", Value::is_string)]);
    }
    check_fields(response, &message);
    let own: [(&str, Is); 3] = [
        ("status", Value::is_u64),
        ("statusText", Value::is_string),
        ("redirectURL", Value::is_string),
    ];
    check_fields(response, &own);
    check_fields(&response["content"], &[("size", is_size), ("mimeType", Value::is_string)]);
    let time = |name: &str| entry["timings"][name].as_f64().unwrap();
    assert!(["send", "wait", "receive"].iter().all(|name| time(name) >= 0.0), "{entry}");
    assert!(["blocked", "dns", "connect", "ssl"].iter().all(|name| time(name) >= -1.0));
    // TLS is a part of connecting.
    let parts = ["blocked", "dns", "connect", "send", "wait", "receive"].map(time);
    let sum: f64 = parts.iter().filter(|part| **part >= 0.0).sum();
    assert!((sum - entry["time"].as_f64().unwrap()).abs() < 0.01, "{entry}");
}

#[test]
fn a_summary_says_where_the_time_went() {
    let folder = tempfile::tempdir().unwrap();
    let plain = read(folder.path(), &[]);
    let told = read(folder.path(), &["--summary"]);
    assert_eq!((told.code, told.stdout), (0, plain.stdout));
    let row = |stream: &str| {
        let mut lines = told.stderr.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.find(|cells| cells.first() == Some(&stream)).unwrap()
    };
    let [columns, users, orders, all] = ["stream", "users", "orders", "(all)"].map(row);
    // Sizes have a unit beside them.
    assert_eq!(columns[..5], ["stream", "records", "requests", "retries", "received"]);
    assert_eq!(users[..6], ["users", "2", "3", "2", "40", "B"]);
    assert_eq!(orders[..6], ["orders", "2", "1", "0", "33", "B"]);
    assert_eq!(all[..6], ["(all)", "4", "4", "2", "73", "B"]);
    let cell = |row: &[&str], name: &str| {
        let column = columns.iter().position(|it| *it == name).unwrap();
        row[column + 1].to_owned()
    };
    assert_eq!(cell(&users, "back-off"), "3.0");
    assert_eq!(cell(&orders, "back-off"), "0.0");
    assert_eq!(plain.stderr, "");
}
