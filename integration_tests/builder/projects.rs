//! The API of the Builder's own pages, from outside.

use serde_json::{Value, json};

use super::golden;
use super::server::{Reply, Server};
use crate::binary::{answer, command};
use crate::scripted_api::ScriptedApi;

const PROJECTS: &str = "/api/workspaces/default/projects";
const SECRET: &str = "hunter2-hunter2-hunter2";

pub(super) const MANIFEST: &str = "\
# A comment that stays.
version: 6.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [items]}
streams:
  - type: DeclarativeStream
    name: items  # of the API
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url: https://api.example.com/items
        authenticator:
          type: BearerAuthenticator
          api_token: \"{{ config['api_key'] }}\"
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [api_key]
    properties:
      api_key: {type: string, title: Key, airbyte_secret: true}
";

#[track_caller]
pub(super) fn ok(reply: &Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{}", String::from_utf8_lossy(&reply.body));
    if reply.body.is_empty() { Value::Null } else { reply.json() }
}

#[track_caller]
pub(super) fn check_refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status, &reply.json()["error"]["code"]), (status, &json!(code)));
}

/// Makes a project, and gives the path to it.
pub(super) fn project(server: &Server, text: &str) -> String {
    let made = ok(&server.post(PROJECTS, &json!({"name": "Items", "text": text})));
    format!("{PROJECTS}/{}", made["id"].as_str().unwrap())
}

fn put(server: &Server, path: &str, body: &Value) -> Reply {
    server.send("PUT", path, &[], body.to_string().as_bytes())
}

#[test]
fn a_project_is_edited_published_and_run() {
    let server = Server::start(&[]);
    let path = project(&server, MANIFEST);
    let set = json!({"op": "set", "path": ["streams", 0, "name"], "value": "things"});
    let edited = ok(&server.post("/api/edit", &json!({"text": MANIFEST, "edits": [set]})));
    let expect = MANIFEST.replace("name: items  #", "name: things  #");
    assert_eq!(edited["text"], json!(expect));
    assert_eq!(edited["changed"], json!([{"line": 7, "removed": 1, "inserted": 1}]));

    let draft = json!({"text": expect, "revision": 1, "label": "name"});
    assert_eq!(ok(&put(&server, &format!("{path}/draft"), &draft))["revision"], 2);
    let outdated = put(&server, &format!("{path}/draft"), &draft);
    check_refused(&outdated, 409, "outdated");
    assert_eq!(outdated.json()["draft"]["text"], json!(expect));

    // No stream is called as the check says any more.
    let version = json!({"description": "first", "activate": true, "ignore_warnings": true});
    let undone = ok(&server.post(&format!("{path}/undo"), &json!({})));
    assert_eq!((&undone["text"], &undone["label"]), (&json!(MANIFEST), &json!("name")));
    assert_eq!(ok(&server.post(&format!("{path}/versions"), &version))["version"], 1);
    ok(&server.post(&format!("{path}/redo"), &json!({})));
    let diff = ok(&server.get(&format!("{path}/diff?from=1")));
    let changed = diff["lines"].as_array().unwrap().iter().filter(|line| line["kind"] != "same");
    assert_eq!(changed.count(), 2);
    let reverted = ok(&server.post(&format!("{path}/revert"), &json!({"version": 1})));
    assert_eq!(reverted["text"], json!(MANIFEST));
    check_refused(&server.send("DELETE", &path, &[], b""), 409, "published");

    let export = server.get(&format!("{path}/export?version=1"));
    assert_eq!(export.header("content-disposition"), Some("attachment; filename=\"Items.yaml\""));
    assert_eq!(export.body, MANIFEST.as_bytes());

    let spec = |name: &str| {
        let mut command = command();
        command.args(["spec", "--connector", name, "--data"]).arg(server.data());
        answer(&mut command, b"")
    };
    assert!(spec("Items@1").stdout.contains("airbyte_secret"));
    assert_eq!(spec("Items").code, 0);
    assert!(spec("Nothing").stdout.contains("there is no published connector `Nothing`"));
}

#[test]
fn drafts_with_errors_are_not_published() {
    let server = Server::start(&[]);
    let path = project(&server, "version: 6.0.0\ntype: DeclarativeSource\nstreams: 5\n");
    let version = json!({"description": "", "activate": true, "ignore_warnings": true});
    let refused = server.post(&format!("{path}/versions"), &version);
    check_refused(&refused, 422, "findings");
    assert_eq!(refused.json()["findings"][0]["level"], "error");
}

#[test]
fn secrets_are_in_no_answer() {
    let server = Server::start(&[]);
    let path = project(&server, MANIFEST);
    let values = format!("{path}/testing_values");
    let saved = put(&server, &values, &json!({"values": {"api_key": SECRET}}));
    assert_eq!(ok(&saved)["values"], json!({"api_key": "********"}));
    put(&server, &values, &json!({"values": {"api_key": "********", "other": 1}}));
    let draft = json!({"text": "spec: {}", "revision": 1});
    ok(&put(&server, &format!("{path}/draft"), &draft));
    for path in [PROJECTS, &path, &values, &format!("{path}/export"), "/api/session"] {
        let reply = server.get(path);
        assert!(!String::from_utf8_lossy(&reply.body).contains(SECRET), "{path}");
    }
    for file in std::fs::read_dir(server.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|it| it == SECRET.as_bytes()));
    }
}

#[test]
fn pages_of_other_sites_are_refused() {
    let server = Server::start(&[]);
    let body = json!({"text": "a: 1"}).to_string();
    for header in [
        ("Origin", "http://evil.example.com"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Host", "evil.example.com"),
    ] {
        let reply = server.send("POST", "/api/analyze", &[header], body.as_bytes());
        check_refused(&reply, 403, "foreign");
    }
    let reply = server.send("GET", "/v1/manifest/resolve", &[("Host", "evil.example.com")], b"");
    assert_eq!(reply.status, 403);
    let reply = server.send("POST", "/api/analyze", &[("Content-Type", "text/plain")], b"{}");
    check_refused(&reply, 415, "invalid");
    for path in ["/assets/../Cargo.toml", "/assets/..%2f..%2fCargo.toml", "/api/nothing"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
    check_refused(&server.get("/api/workspaces/..%2f..%2fetc/projects"), 400, "invalid");
}

#[test]
fn a_test_read_is_told_of_while_it_goes_on() {
    let (folder, _, config) = golden("offset_increment");
    let text = std::fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    let api = ScriptedApi::start(&folder);
    let server = Server::start(&[("HTTP_PROXY", &api.proxy())]);
    let path = project(&server, &text);
    let analysis = ok(&server.post("/api/analyze", &json!({"text": text})));
    let stream = &analysis["outline"]["streams"][0]["name"];
    let asked = json!({"text": text, "stream_name": stream, "values": config});
    let reply = server.post(&format!("{path}/tests"), &asked);
    let events = reply.events();
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"started"), Some(&"result")), "{events:?}");
    for name in ["request", "response", "records", "slice"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

#[test]
fn what_comes_next_is_proposed_and_explained() {
    let server = Server::start(&[]);
    let text = MANIFEST.replace("        url:", "        \n        url:");
    let at = json!({"text": text, "line": 12, "column": 9});
    let proposed = ok(&server.post("/api/complete", &at));
    let items = proposed["items"].as_array().unwrap();
    assert!(items.iter().any(|item| item["label"] == "request_parameters"), "{items:?}");
    let at = json!({"text": MANIFEST, "line": 9, "column": 15});
    let explained = ok(&server.post("/api/hover", &at));
    assert!(explained["documentation"].as_str().unwrap().contains("SimpleRetriever"));
    let nothing = json!({"text": MANIFEST, "line": 1, "column": 3});
    assert_eq!(server.post("/api/hover", &nothing).status, 204);
}

/// A form that saves what it was given changes nothing; a changed field changes its line.
#[test]
fn forms_leave_the_examples_as_they_are() {
    let server = Server::start(&[]);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests");
    for folder in std::fs::read_dir(folder).unwrap() {
        let file = folder.unwrap().path().join("manifest.yaml");
        let text = std::fs::read_to_string(&file).unwrap();
        let document = ok(&server.post("/api/analyze", &json!({"text": text})))["document"].clone();
        let edit = |path: Value, value: &Value| {
            let edits = json!([{"op": "set", "path": path, "value": value}]);
            ok(&server.post("/api/edit", &json!({"text": text, "edits": edits})))
        };
        assert_eq!(edit(json!([]), &document)["text"], json!(text), "{}", file.display());
        let changed = edit(json!(["version"]), &json!("9.9.9"))["changed"].clone();
        assert_eq!((&changed[0]["removed"], changed.as_array().unwrap().len()), (&json!(1), 1));
    }
}
