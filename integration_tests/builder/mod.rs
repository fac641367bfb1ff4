//! The Builder's server from outside: what it answers as the platform's manifest server.
//!
//! A case in `answers/` names the golden case whose manifest and API it takes, what is asked, and
//! the answer; `UPDATE_EXPECTED=1` writes the answers anew. `tools/against_manifest_server.py` holds
//! all golden cases against the reference's own server.

mod images;
mod oauth;
mod projects;
pub(crate) mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use self::server::{Reply, Server};
use crate::binary::{answer, command};
use crate::scripted_api::ScriptedApi;

const TESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/integration_tests");

fn description() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/builder/manifest_server/openapi.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The manifest of a golden case, with its config if it has one.
fn golden(case: &str) -> (PathBuf, Value, Value) {
    let folder = Path::new(TESTS).join("golden").join(case);
    let text = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    let config = fs::read_to_string(folder.join("config.json")).ok();
    let config = config.map_or_else(|| json!({}), |text| serde_json::from_str(&text).unwrap());
    (folder, serde_yaml::from_str(&text).unwrap(), config)
}

/// Whether `answer` is what the description says of answers to `path` with that status.
#[track_caller]
fn check_described(path: &str, reply: &Reply) {
    let description = description();
    let status = reply.status.to_string();
    let operation = description["paths"][path].as_object().unwrap().values().next().unwrap();
    let pointer = "/content/application~1json/schema/$ref";
    let schema = operation["responses"][&status].pointer(pointer);
    let schema = schema.unwrap_or_else(|| panic!("{path} is not said to answer {status}"));
    let root = json!({"$ref": schema, "components": description["components"]});
    let validator = jsonschema::validator_for(&root).unwrap();
    let faults: Vec<_> = validator
        .iter_errors(&reply.json())
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{path} {status}: {faults:#?}");
}

#[test]
fn answers_are_the_expected_ones() {
    let mut faults = Vec::new();
    let mut files: Vec<_> = fs::read_dir(Path::new(TESTS).join("builder/answers"))
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let mut case: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let (folder, mut manifest, config) = golden(case["case"].as_str().unwrap());
        let api = ScriptedApi::start(&folder);
        let server = Server::start(&[("HTTP_PROXY", &api.proxy())]);
        let mut body = json!({"manifest": {}, "config": config});
        for (name, value) in case["body"].as_object().unwrap() {
            body[name] = value.clone();
        }
        for (name, value) in body["manifest"].as_object().unwrap() {
            manifest[name] = value.clone();
        }
        body["manifest"] = manifest;
        let path = format!("/v1/manifest/{}", case["ask"].as_str().unwrap());
        let reply = server.post(&path, &body);
        check_described(&path, &reply);
        let answer = json!({"status": reply.status, "json": reply.json()});
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            case["answer"] = answer.clone();
            fs::write(&file, serde_json::to_string_pretty(&case).unwrap() + "\n").unwrap();
        }
        if case["answer"] != answer {
            faults.push(format!("{}:\n{answer:#}", file.display()));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_described_path_is_answered_with_a_slash_and_without() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/openapi.json").json(), description());
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let asked: BTreeSet<_> = paths.keys().map(String::as_str).collect();
    let known = ["check", "discover", "full_resolve", "resolve", "test_read"];
    let known = known.map(|name| format!("/v1/manifest/{name}"));
    let known = known.iter().map(String::as_str).chain(["/health", "/capabilities"]);
    assert_eq!(asked, known.collect());
    for (path, operations) in paths {
        for path_written in [path.clone(), format!("{path}/")] {
            let (reply, status) = if operations.get("get").is_some() {
                (server.get(&path_written), 200)
            } else {
                (server.post(&path_written, &json!({})), 422)
            };
            assert_eq!(reply.status, status, "{path_written}");
            check_described(path, &reply);
        }
    }
    assert_eq!(server.get("/v1/manifest/resolve").status, 405);
}

#[test]
fn bodies_that_say_nothing_we_know_are_refused_with_their_faults() {
    let server = Server::start(&[]);
    let body = json!({"manifest": [], "config": {}, "stream_name": "s", "record_limit": 5001});
    let reply = server.post("/v1/manifest/test_read", &body);
    check_described("/v1/manifest/test_read", &reply);
    let faults = reply.json()["detail"].clone();
    let kinds = faults.as_array().unwrap().iter().map(|fault| (&fault["type"], &fault["loc"]));
    let kinds: Vec<_> = kinds.map(|(kind, place)| format!("{kind} {place}")).collect();
    let expect = [
        r#""model_attributes_type" ["body","manifest"]"#,
        r#""less_than_equal" ["body","record_limit"]"#,
    ];
    assert_eq!((reply.status, kinds), (422, expect.map(str::to_owned).to_vec()));
    let reply = server.send("POST", "/v1/manifest/resolve", &[], b"{");
    assert_eq!((reply.status, &reply.json()["detail"][0]["type"]), (422, &json!("json_invalid")));
}

fn token(claims: &Value, secret: &str) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "typ": "JWT"})), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn with_a_secret_a_token_is_needed_but_not_by_probes() {
    let server = Server::start(&[("AB_JWT_SIGNATURE_SECRET", "s3cret")]);
    let path = "/v1/manifest/resolve";
    let body = json!({"manifest": golden("no_pagination").1}).to_string();
    let ask = |headers: &[(&str, &str)]| server.send("POST", path, headers, body.as_bytes());
    let refused = ask(&[]);
    check_described(path, &refused);
    let detail = &refused.json()["detail"];
    assert_eq!((refused.status, detail), (401, &json!("Bearer token required")));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    // The server's clock stands at the beginning of 2026-01-15's afternoon.
    let exp = 1_768_478_400;
    let bearer = |exp: i64, secret| {
        let claims = json!({"typ": "io.airbyte.auth.internal_client", "exp": exp});
        format!("Bearer {}", token(&claims, secret))
    };
    assert_eq!(ask(&[("Authorization", &bearer(exp + 300, "other"))]).status, 401);
    assert_eq!(ask(&[("Authorization", &bearer(exp - 1, "s3cret"))]).status, 401);
    assert_eq!(ask(&[("Authorization", &bearer(exp + 300, "s3cret"))]).status, 200);
    assert_eq!((server.get("/health").status, server.get("/capabilities/").status), (200, 200));
}

#[test]
fn large_bodies_are_answered_side_by_side() {
    let (folder, manifest, _) = golden("substream_partition_router");
    let api = ScriptedApi::start(&folder);
    let server = Server::start(&[("HTTP_PROXY", &api.proxy())]);
    let mut large = manifest.clone();
    large["definitions"] = json!({"padding": "x".repeat(8 << 20)});
    let body = json!({"manifest": manifest, "config": {}, "stream_name": "items"});
    std::thread::scope(|scope| {
        let resolving =
            scope.spawn(|| server.post("/v1/manifest/resolve", &json!({"manifest": large})));
        let reading: Vec<_> =
            (0..8).map(|_| scope.spawn(|| server.post("/v1/manifest/test_read", &body))).collect();
        let answers: Vec<_> = reading.into_iter().map(|it| it.join().unwrap()).collect();
        assert!(answers.iter().all(|reply| reply.status == 200 && reply.body == answers[0].body));
        let resolved = resolving.join().unwrap();
        assert_eq!((resolved.status, resolved.body.len() > 8 << 20), (200, true));
    });
}

#[test]
fn code_of_others_is_refused_unless_it_is_permitted() {
    let body = json!({
        "manifest": golden("no_pagination").1, "config": {}, "stream_name": "items",
        "custom_components_code": "print('here')",
    });
    let reply = Server::start(&[]).post("/v1/manifest/test_read", &body);
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(reply.status, 400);
    assert!(detail.contains("`AIRBYTE_ENABLE_UNSAFE_CODE`"), "{detail}");
    let server = Server::start(&[("AIRBYTE_ENABLE_UNSAFE_CODE", "true")]);
    assert_eq!(server.get("/capabilities").json(), json!({"custom_code_execution": true}));
}

/// The last message of a `read` whose config has a command, and its exit code.
fn read_in_config(command_name: &str, manifest: &Value) -> (Value, i32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let config = json!({"__command": command_name, "__injected_declarative_manifest": manifest});
    fs::write(&file, config.to_string()).unwrap();
    let answer = answer(command().args(["read", "--config"]).arg(&file), b"");
    (serde_json::from_str(answer.stdout.lines().last().unwrap()).unwrap(), answer.code)
}

#[test]
fn commands_in_a_config_are_answered() {
    let (_, manifest, _) = golden("no_pagination");
    let (message, code) = read_in_config("resolve_manifest", &manifest);
    let resolved = &message["record"]["data"]["manifest"];
    assert_eq!((&message["record"]["stream"], code), (&json!("resolve_manifest"), 0));
    assert_eq!(resolved["streams"][0]["retriever"]["type"], json!("SimpleRetriever"));
    assert_eq!(resolved["concurrency_level"]["default_concurrency"], json!(1));
    // The reference does not fail either.
    let (message, code) = read_in_config("nothing", &manifest);
    let told = &message["trace"]["error"]["message"];
    let expect = "Error handling request: Unrecognized command nothing.";
    assert_eq!((told, code), (&json!(expect), 0));
}

#[test]
fn the_server_ends_when_it_is_asked_to() {
    let mut server = Server::start(&[]);
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.terminate(), Some(0));
}
