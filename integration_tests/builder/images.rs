//! Images of connectors that the Builder makes.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};

use serde_json::{Value, json};

use super::projects::{MANIFEST, check_refused, ok, project};
use super::server::{Reply, Server};
use crate::image::registry::Registry;
use crate::image::{Layout, Workshop, unpack};

/// A server that makes images of the programs in a workshop.
fn start(workshop: &Workshop, args: &[&str]) -> Server {
    let path = |name: &str| workshop.path(name).display().to_string();
    let (program, shell) = (path("program-amd64"), path("busybox-amd64"));
    let args = [&["--binary", &program, "--busybox", &shell], args].concat();
    let (caches, logins) = (path("cache"), path(""));
    Server::start_with(&args, &[("XDG_CACHE_HOME", &caches), ("DOCKER_CONFIG", &logins)])
}

fn build(server: &Server, path: &str, body: &Value) -> Reply {
    server.post(&format!("{path}/image"), body)
}

/// What the last event tells, which has this name.
#[track_caller]
fn last(reply: &Reply, name: &str) -> Value {
    let events = reply.events();
    assert_eq!(events[0].0, "progress", "{events:?}");
    let (found, data) = events.last().unwrap();
    assert_eq!(found, name, "{events:?}");
    data.clone()
}

#[test]
fn an_image_is_made_of_a_version_and_of_the_draft() {
    let workshop = Workshop::new();
    let server = start(&workshop, &[]);
    let path = project(&server, MANIFEST);
    let version = json!({"description": "", "activate": true, "ignore_warnings": true});
    ok(&server.post(&format!("{path}/versions"), &version));
    let draft = MANIFEST.replace("# A comment that stays.", "# Another one.");
    let body = json!({"text": draft, "revision": 1});
    ok(&server.send("PUT", &format!("{path}/draft"), &[], body.to_string().as_bytes()));

    for (version, text) in [(json!(1), MANIFEST), (json!("draft"), draft.as_str())] {
        let order = json!({"version": version, "tag": "airbyte/source-items:0.1.0"});
        let done = last(&build(&server, &path, &order), "done");
        assert_eq!(done["tag"], "airbyte/source-items:0.1.0");
        assert_eq!((&done["architectures"], &done["pushed_to"]), (&json!(["amd64"]), &json!(null)));
        assert_eq!(done["commands"][0], "docker load -i source-items-0.1.0.tar");

        let reply = server.get(done["download"].as_str().unwrap());
        let disposition = "attachment; filename=\"source-items-0.1.0.tar\"";
        assert_eq!(reply.header("content-disposition"), Some(disposition));
        assert_eq!(reply.body.len() as u64, done["size"].as_u64().unwrap());
        let archive = Layout(unpack(&reply.body));
        let image = &archive.json("index.json")["manifests"][0];
        assert_eq!(image["digest"], done["digest"]);
        let (_, layers) = archive.image(&archive.document(image));
        let file = "airbyte/integration_code/source_declarative_manifest/manifest.yaml";
        assert_eq!(String::from_utf8_lossy(&layers[2][file]), text);
    }
}

#[test]
fn what_cannot_be_an_image_is_refused_before_anything_is_made() {
    let server = start(&Workshop::new(), &[]);
    let path = project(&server, MANIFEST);
    let order = |version: &Value, tag| json!({"version": version, "tag": tag});
    let draft = json!("draft");
    for tag in ["airbyte/source-items", "Airbyte/source-items:1", "", "a/b:1@sha256:0"] {
        check_refused(&build(&server, &path, &order(&draft, tag)), 400, "tag");
    }
    check_refused(&build(&server, &path, &order(&json!(7), "a/b:1")), 404, "not_found");
    check_refused(&build(&server, &path, &order(&json!("x"), "a/b:1")), 400, "invalid");
    let path = project(&server, "version: 6.0.0\ntype: DeclarativeSource\nstreams: 5\n");
    let refused = build(&server, &path, &order(&draft, "a/b:1"));
    check_refused(&refused, 422, "findings");
    assert_eq!(refused.json()["findings"][0]["level"], "error");
}

#[test]
fn an_image_that_cannot_be_made_says_why() {
    let workshop = Workshop::new();
    std::fs::write(workshop.path("program-amd64"), "#!/bin/sh\n").unwrap();
    let server = start(&workshop, &[]);
    let order = json!({"version": "draft", "tag": "a/b:1"});
    let failed = last(&build(&server, &project(&server, MANIFEST), &order), "failed");
    let message = failed["message"].as_str().unwrap();
    assert!(message.ends_with("it is no Linux program for a 64-bit machine"), "{message}");
}

#[test]
fn an_image_is_pushed_with_the_logins_of_docker_for_those_who_are_trusted() {
    let workshop = Workshop::new();
    let registry = Registry::start(Some("me:pass"), true);
    workshop.log_in(&registry.host(), "me:pass");
    let tag = format!("{}/airbyte/source-items:2.0.0", registry.host());
    let order = json!({"version": "draft", "tag": tag, "push": true});
    let server = start(&workshop, &["--untrusted"]);
    let path = project(&server, MANIFEST);
    check_refused(&build(&server, &path, &order), 403, "untrusted");
    assert_eq!(registry.get("airbyte/source-items/manifests/2.0.0"), None);

    let server = start(&workshop, &[]);
    let path = project(&server, MANIFEST);
    let done = last(&build(&server, &path, &order), "done");
    assert_eq!((&done["pushed_to"], &done["warnings"]), (&json!(registry.host()), &json!([])));
    assert!(registry.get("airbyte/source-items/manifests/2.0.0").is_some());

    workshop.log_in(&registry.host(), "me:wrong");
    let failed = last(&build(&server, &path, &order), "failed");
    let message = failed["message"].as_str().unwrap();
    assert!(message.contains("refuses the name or the password of `me`"), "{message}");
}

#[test]
fn a_build_ends_when_nobody_listens_any_more() {
    let workshop = Workshop::new();
    let server = start(&workshop, &[]);
    let path = project(&server, MANIFEST);
    // Takes requests, and never answers.
    let registry = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tag = format!("{}/a/b:1", registry.local_addr().unwrap());
    let order = json!({"version": "draft", "tag": tag, "push": true}).to_string();
    let answer = server.ask("POST", &format!("{path}/image"), &[], order.as_bytes());
    let mut lines = BufReader::new(&answer).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("Pushing to 127.0.0.1")));
    let (connection, _) = registry.accept().unwrap();
    drop(answer);
    // The way of the push is closed, and the next one has its turn.
    (&connection).read_to_end(&mut Vec::new()).unwrap();
    let order = json!({"version": "draft", "tag": "a/b:1"});
    last(&build(&server, &path, &order), "done");
}

#[test]
fn nothing_but_archives_is_a_download() {
    let workshop = Workshop::new();
    let server = start(&workshop, &[]);
    let order = json!({"version": "draft", "tag": "a/b:1"});
    let done = last(&build(&server, &project(&server, MANIFEST), &order), "done");
    let download = done["download"].as_str().unwrap();
    for other in [
        "/api/downloads/1",
        "/api/downloads/..%2fworkspace.db",
        "/api/downloads/..%2f..%2f..%2fetc%2fpasswd",
        "/api/downloads/%2fetc%2fpasswd",
        "/api/downloads/.",
        "/api/downloads/%00",
    ] {
        check_refused(&server.get(other), 404, "not_found");
    }
    let files = std::fs::read_dir(server.data()).unwrap().map(|it| it.unwrap().file_name());
    let files: Vec<_> =
        files.filter(|it| !it.to_string_lossy().starts_with("workspace.")).collect();
    assert!(files.is_empty(), "{files:?} can be opened by others");
    let foreign = server.send("GET", download, &[("Origin", "http://evil.example.com")], b"");
    check_refused(&foreign, 403, "foreign");
    assert_eq!(server.get(download).status, 200);
}
