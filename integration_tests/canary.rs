//! Secrets stand in every place of a config, and come from a server; the server repeats all it
//! hears in its errors. No output of any command may show them, in whatever way they are written.

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::binary::{answer, command};
use crate::fault_server::{Door, Exchange, FaultServer};

/// Where secrets stand; each has letters that are written in many ways.
const PLACES: [&str; 7] = ["plain", "nested", "chosen", "listed", "keyed", "password", "client"];

fn secret(place: &str) -> String {
    format!("c4nary-{place}/+ \"é&{place}")
}

/// The token that the server gives.
const TOKEN: &str = "c4nary-token-of-the-server";

/// The ways in which a secret may be written.
fn forms(secret: &str) -> Vec<String> {
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let json = Value::from(secret).to_string();
    vec![
        secret.to_owned(),
        encoded.replace("%20", "+"),
        encoded,
        json[1..json.len() - 1].to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        BASE64_STANDARD.encode(format!("user:{secret}")),
    ]
}

/// What the server does besides repeating what it hears.
const FAULTS: [&str; 8] = ["200", "400", "401", "429", "500", "html", "half", "redirect"];

fn serve(fault: &str, it: &mut Exchange<'_>) -> io::Result<()> {
    if it.target.contains("/token") && fault != "401" {
        let token = json!({"access_token": TOKEN, "expires_in": 900}).to_string();
        return it.answer("200 OK", "", token);
    }
    let heard = format!("{} {}", it.target, it.authorization.clone().unwrap_or_default());
    let body = json!({"error": {"message": heard}, "errors": [heard]}).to_string();
    match fault {
        "200" => it.answer("200 OK", "", r#"{"items": [{"id": 1}]}"#),
        "400" => it.answer("400 Bad Request", "", body),
        "401" => it.answer("401 Unauthorized", "", body),
        "429" => it.answer("429 Too Many Requests", "", body),
        "html" => it.answer("418 Teapot", "Content-Type: text/html\r\n", format!("<p>{heard}</p>")),
        "half" => it.answer("200 OK", "Content-Length: 9999\r\n", body),
        "redirect" => {
            let query = it.target.split_once('?').map_or("", |(_, query)| query).to_owned();
            it.answer("302 Found", &format!("Location: http://127.0.0.1:1/items?{query}\r\n"), "")
        }
        _ => it.answer("500 Internal Server Error", "", body),
    }
}

fn config(url: &str) -> Value {
    json!({
        "url": url,
        "plain": secret("plain"),
        "group": {"nested": secret("nested")},
        "choice": {"kind": "b", "chosen": secret("chosen")},
        "list": [{"listed": secret("listed")}],
        "map": {"key_1": secret("keyed")},
        "login": {"password": secret("password")},
        "client": secret("client"),
    })
}

/// The commands; each finds its files in the folder, and may leave `cassette.jsonl`.
fn commands() -> Vec<Vec<&'static str>> {
    let source = ["--config", "config.json", "--manifest-path", "manifest.yaml"];
    let injected = ["--config", "injected.json"];
    let clock = ["--clock", "2026-01-15T12:00:00Z"];
    vec![
        [&["read", "--debug"], &source[..], &clock].concat(),
        [&["check", "--debug"], &source[..], &clock].concat(),
        [&["discover", "--debug"], &source[..], &clock].concat(),
        [&["read"], &injected[..], &clock].concat(),
        [&["spec"], &source[2..]].concat(),
        [&["state", "explain", "state.json"], &source[..]].concat(),
    ]
}

/// The output of all files and streams of one command.
fn outputs(folder: &Path, args: &[&str]) -> Vec<String> {
    let mut program = command();
    program.current_dir(folder).args(args);
    let answer = answer(&mut program, b"");
    let cassette = fs::read_to_string(folder.join("cassette.jsonl"));
    [answer.stdout, answer.stderr].into_iter().chain(cassette.ok()).collect()
}

#[test]
fn no_output_shows_a_secret() {
    let manifest = include_str!("faults/canary.yaml");
    let mut secrets: Vec<_> = PLACES.iter().map(|place| secret(place)).collect();
    secrets.push(TOKEN.to_owned());
    let forms: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let (mut n_outputs, mut leaks) = (0, Vec::new());
    for fault in FAULTS {
        let server = FaultServer::start(Door::Plain, 0, move |it| serve(fault, it));
        let config = config(&format!("http://{}", server.authority()));
        let mut injected = config.clone();
        injected["__injected_declarative_manifest"] = serde_yaml::from_str(manifest).unwrap();
        let mut commands = commands();
        // What is recorded waits for real.
        if ["200", "400"].contains(&fault) {
            let source = ["--config", "config.json", "--manifest-path", "manifest.yaml"];
            commands.push([&["read", "--record", "cassette.jsonl"], &source[..]].concat());
        }
        for args in commands {
            let folder = tempfile::tempdir().unwrap();
            let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
            put("manifest.yaml", manifest);
            put("config.json", &config.to_string());
            put("injected.json", &injected.to_string());
            put("state.json", "[]");
            for output in outputs(folder.path(), &args) {
                n_outputs += 1;
                let seen = forms.iter().filter(|form| output.contains(form.as_str()));
                leaks.extend(seen.map(|form| {
                    let line = output.lines().find(|line| line.contains(form.as_str()));
                    format!("{fault}, {}: {form}: {}", args[0], line.unwrap_or_default())
                }));
            }
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    println!("{n_outputs} outputs, {} forms of secrets, no leak", forms.len());
}
