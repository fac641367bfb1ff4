//! Secrets stand in every place of a config, and come from a server; the server is broken in every
//! way there is, and repeats all it hears in its errors. No output of any command may show them, in
//! whatever way they are written.
//!
//! Every fault meets one way to read, and some of the other commands; `CANARY_ALL=1` runs all
//! commands with all faults.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use regex::bytes::RegexSet;
use serde_json::{Value, json};

use crate::binary::{answer, command};
use crate::fault_server::{CERTIFICATE, Door, Exchange, FaultServer};
use crate::faults::{FAULTS, Fault};

/// The environment variable that asks for all commands with all faults.
const ALL_VARIABLE: &str = "CANARY_ALL";

/// Where secrets stand in the config.
const PLACES: [&str; 15] = [
    "plain",
    "nested",
    "chosen",
    "either",
    "listed",
    "paired",
    "keyed",
    "other",
    "headed",
    "password",
    "token",
    "client_id",
    "client_secret",
    "refresh_token",
    "unused",
];
/// Those of them that each request sends in its query.
const IN_QUERIES: [&str; 8] =
    ["plain", "nested", "chosen", "either", "listed", "paired", "keyed", "other"];
/// How all secrets begin.
const MARK: &str = "c4nary";
/// A secret that is a number.
const NUMBER: u64 = 730_519_284_611;
/// Tokens that servers give.
const TOKENS: [&str; 3] = ["c4nary-token-of-the-server", "t0ken-1", "t0ken-2"];

/// A secret with letters that are written in many ways.
fn secret(place: &str) -> String {
    format!("{MARK}-{place}/+ \"é'\\&{place}")
}

/// The ways in which a secret may be written that hide its mark.
fn forms(secret: &str) -> [String; 3] {
    [
        BASE64_STANDARD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        BASE64_STANDARD.encode(format!("user:{secret}")),
    ]
}

fn config(url: &str) -> Value {
    json!({
        "url": url,
        "plain": secret("plain"),
        "group": {"nested": secret("nested")},
        "choice": {"kind": "b", "chosen": secret("chosen")},
        "either": secret("either"),
        "list": [{"listed": secret("listed")}],
        "pair": ["first", secret("paired")],
        "map": {"key_1": secret("keyed"), "key_2": secret("unused")},
        "others": {"any": secret("other")},
        "login": {"password": secret("password")},
        "number": NUMBER,
        "headed": secret("headed"),
        "token": secret("token"),
        "client_id": secret("client_id"),
        "client_secret": secret("client_secret"),
        "refresh_token": secret("refresh_token"),
    })
}

/// The manifest of the faults, with secrets in each request, and a stream for each way to get a
/// token.
fn manifest() -> Value {
    let mut manifest: Value = serde_yaml::from_str(include_str!("faults/manifest.yaml")).unwrap();
    let canary: Value = serde_yaml::from_str(include_str!("faults/canary.yaml")).unwrap();
    let mut requester = manifest["definitions"]["requester"].take();
    for (name, value) in canary["requester"].as_object().unwrap() {
        requester[name] = value.clone();
    }
    for (name, authenticator) in canary["authenticators"].as_object().unwrap() {
        let mut requester = requester.clone();
        requester["authenticator"] = authenticator.clone();
        let mut stream = manifest["definitions"]["items"].clone();
        stream["name"] = name.as_str().into();
        stream["retriever"]["requester"] = requester;
        manifest["streams"].as_array_mut().unwrap().push(stream);
    }
    manifest["definitions"]["requester"] = requester;
    manifest["spec"]["connection_specification"] = canary["specification"].clone();
    manifest
}

/// A way to be broken, and how it is read.
struct Row {
    name: &'static str,
    /// The one stream that is read; else all.
    stream: Option<&'static str>,
    fault: Fault,
}

/// Faults that answer by repeating what they hear; `token` is given even so.
const REPEATING: [(&str, Fault); 8] = {
    fn token_or(
        it: &mut Exchange<'_>,
        serve: fn(&mut Exchange<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if it.target.contains("/token") {
            let token = json!({"access_token": TOKENS[0], "expires_in": 900}).to_string();
            return it.answer("200 OK", "", token);
        }
        serve(it)
    }
    fn heard(it: &Exchange<'_>) -> String {
        format!("{} {}", it.target, it.authorization.clone().unwrap_or_default())
    }
    [
        (
            "answers",
            Fault::new(|it| {
                token_or(it, |it| it.answer("200 OK", "", r#"{"items": [{"id": 1}]}"#))
            }),
        ),
        ("refuses", Fault::new(|it| token_or(it, |it| it.answer("400 Bad Request", "", "")))),
        ("refuses_all", Fault::new(|it| it.answer("401 Unauthorized", "", ""))),
        ("limits", Fault::new(|it| token_or(it, |it| it.answer("429 Too Many Requests", "", "")))),
        (
            "fails",
            Fault::new(|it| token_or(it, |it| it.answer("500 Internal Server Error", "", ""))),
        ),
        (
            "answers_html",
            Fault::new(|it| {
                token_or(it, |it| {
                    let html = format!("<p>{}</p>", heard(it));
                    it.answer("200 OK", "Content-Type: text/html\r\n", html)
                })
            }),
        ),
        (
            "breaks_off",
            Fault::new(|it| {
                token_or(it, |it| {
                    let body = heard(it);
                    it.answer("200 OK", "Content-Length: 9999\r\n", body)
                })
            }),
        ),
        (
            "redirects",
            Fault::new(|it| {
                token_or(it, |it| {
                    let query = it.target.split_once('?').map_or("", |(_, query)| query).to_owned();
                    it.answer(
                        "302 Found",
                        &format!("Location: http://127.0.0.1:1/items?{query}\r\n"),
                        "",
                    )
                })
            }),
        ),
    ]
};

fn rows() -> Vec<Row> {
    let repeating = REPEATING.into_iter().map(|(name, fault)| Row { name, stream: None, fault });
    let faults =
        FAULTS.iter().map(|&(name, _, fault)| Row { name, stream: Some(fault.stream), fault });
    repeating.chain(faults).collect()
}

/// The commands, in groups that build on one another. What `*` stands for is put in later.
fn commands() -> Vec<Vec<&'static str>> {
    let commands = [
        "read --debug --summary --har out.har *file *stream *clock",
        "read *injected *stream *clock",
        "read --record out.jsonl --har out.har *file *stream *clock; \
         read --debug --replay out.jsonl *file *stream *options",
        "check --debug --har out.har *file *clock",
        "discover --debug --har out.har *file *clock",
        "read --prefetch 2 --summary *file *stream *clock",
        "check *injected *clock; discover *injected *clock",
        "spec --manifest-path manifest.yaml; state explain state.json *file; \
         state merge state.json; manifest validate manifest.yaml; manifest lint manifest.yaml; \
         manifest resolve manifest.yaml; manifest normalize manifest.yaml; \
         manifest migrate manifest.yaml; manifest lint --format json manifest.yaml; \
         template --context context.json --expr {{config['url']}}; \
         template --context context.json --expr {{config['plain']+1}}; \
         image build . -t canary/source-canary:1.0.0 -o out.tar",
    ];
    commands.iter().map(|group| group.split("; ").collect()).collect()
}

/// The words of a command for a row.
fn words(command: &'static str, row: &Row) -> Vec<&'static str> {
    let mut words = Vec::new();
    for word in command.split_whitespace() {
        match word {
            "*file" => {
                words.extend(["--config", "config.json", "--manifest-path", "manifest.yaml"]);
            }
            "*injected" => words.extend(["--config", "injected.json"]),
            "*clock" => {
                words.extend(["--clock", "2026-01-15T12:00:00Z"]);
                words.extend(row.fault.options);
            }
            "*options" => words.extend(row.fault.options),
            "*stream" => words.extend(row.stream.iter().flat_map(|stream| ["--stream", stream])),
            word => words.push(word),
        }
    }
    words
}

/// What is searched for, and what was found.
struct Search {
    forms: RegexSet,
    n_runs: AtomicUsize,
    n_outputs: AtomicUsize,
    n_bytes: AtomicUsize,
    /// Outputs in which something is masked.
    n_masked: AtomicUsize,
    leaks: Mutex<Vec<String>>,
}

impl Search {
    fn new() -> Self {
        let secrets = PLACES.map(secret).into_iter().chain(TOKENS.map(str::to_owned));
        let forms = secrets.chain([NUMBER.to_string()]).flat_map(|secret| forms(&secret));
        let forms = forms.map(|form| regex::escape(&form));
        // The beginning of any secret, and any token that is signed.
        let plain = [MARK, TOKENS[1], TOKENS[2], r"eyJ[\w-]+\.eyJ[\w-]+"].map(str::to_owned);
        let forms = forms.chain(plain).chain([NUMBER.to_string()]);
        Self {
            forms: RegexSet::new(forms).unwrap(),
            n_runs: AtomicUsize::new(0),
            n_outputs: AtomicUsize::new(0),
            n_bytes: AtomicUsize::new(0),
            n_masked: AtomicUsize::new(0),
            leaks: Mutex::default(),
        }
    }

    fn look(&self, what: &str, output: &[u8]) {
        self.n_outputs.fetch_add(1, Relaxed);
        self.n_bytes.fetch_add(output.len(), Relaxed);
        self.n_masked.fetch_add(usize::from(output.windows(4).any(|it| it == b"****")), Relaxed);
        if self.forms.is_match(output) {
            let mut lines = output.split(|byte| *byte == b'\n');
            let line = lines.find(|line| self.forms.is_match(line)).unwrap_or_default();
            let line = String::from_utf8_lossy(line);
            self.leaks.lock().unwrap().push(format!("{what}: {line}"));
        }
    }

    /// Runs commands against a server with a fault, and looks through all that comes of it.
    fn run(&self, row: &Row, manifest: &Value, groups: &[Vec<&'static str>]) {
        let serve = row.fault.serve;
        let server = FaultServer::start(row.fault.door, 1, move |it| {
            it.repeats = true;
            serve(it)
        });
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let mut manifest = manifest.clone();
        if let Some(stream) = row.stream {
            manifest["check"]["stream_names"] = json!([stream]);
        }
        put("manifest.yaml", &serde_yaml::to_string(&manifest).unwrap());
        put("certificate.pem", CERTIFICATE);
        put("state.json", "[]");
        let mut config = config(&row.fault.url_of(&server));
        put("config.json", &config.to_string());
        put("context.json", &json!({"config": config}).to_string());
        config["__injected_declarative_manifest"] = manifest;
        put("injected.json", &config.to_string());
        for command in groups.iter().flatten() {
            self.run_one(row, folder.path(), command);
        }
        if row.stream.is_none() {
            let heard = server.asked().join("\n").replace('+', " ");
            let heard = percent_decode_str(&heard).decode_utf8_lossy();
            for place in IN_QUERIES {
                assert!(heard.contains(&secret(place)), "{}: nobody sends {place}", row.name);
            }
        }
    }

    fn run_one(&self, row: &Row, folder: &Path, text: &'static str) {
        let mut program = command();
        program.current_dir(folder).args(words(text, row)).env("LOG_LEVEL", "debug");
        // What is recorded has to be held.
        program.env("SDM_MAX_HELD_BODY", "4MiB");
        if row.fault.is_trusted {
            program.env("REQUESTS_CA_BUNDLE", "certificate.pem");
        }
        let answer = answer(&mut program, b"");
        assert_ne!(answer.code, 2, "{text}: {}", answer.stderr);
        let is_started = !answer.stdout.contains("Error starting the sync");
        assert!(is_started, "{text}: {}", answer.stdout);
        self.n_runs.fetch_add(1, Relaxed);
        let what = |output: &str| format!("{}, {text}, {output}", row.name);
        self.look(&what("stdout"), answer.stdout.as_bytes());
        self.look(&what("stderr"), answer.stderr.as_bytes());
        for name in ["out.jsonl", "out.har", "out.tar"] {
            if let Ok(bytes) = fs::read(folder.join(name)) {
                self.look(&what(name), &bytes);
            }
        }
    }
}

#[test]
fn no_output_shows_a_secret() {
    let (search, manifest, rows, groups) = (Search::new(), manifest(), rows(), commands());
    let is_all = std::env::var_os(ALL_VARIABLE).is_some();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 * std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((row_idx, row)) = {
                    let row_idx = next.fetch_add(1, Relaxed);
                    rows.get(row_idx).map(|row| (row_idx, row))
                } {
                    if is_all {
                        search.run(row, &manifest, &groups);
                    } else {
                        let other = groups[1 + row_idx % (groups.len() - 1)].clone();
                        search.run(row, &manifest, &[groups[0].clone(), other]);
                    }
                }
            });
        }
    });
    let leaks = search.leaks.into_inner().unwrap();
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
    println!(
        "{} commands, {} outputs of {} bytes, {} of them masked, {} forms of secrets, no leak",
        search.n_runs.into_inner(),
        search.n_outputs.into_inner(),
        search.n_bytes.into_inner(),
        search.n_masked.into_inner(),
        search.forms.len(),
    );
}

/// A test that cannot find what it looks for proves nothing.
#[test]
fn secrets_are_found() {
    let search = Search::new();
    let [secret, token] = [secret("nested"), "eyJhbGciOi.eyJpYXQi.x".to_owned()];
    let texts = forms(&secret).into_iter().chain([secret, token, NUMBER.to_string()]);
    let n_texts = texts.map(|text| search.look("text", format!("a {text} b").as_bytes())).count();
    search.look("text", b"nothing");
    assert_eq!(search.leaks.into_inner().unwrap().len(), n_texts);
}

/// The faults have a door, which is opened; those of the table are all there.
#[test]
fn every_fault_is_met() {
    assert_eq!(rows().len(), REPEATING.len() + FAULTS.len());
    assert!(rows().iter().any(|row| row.fault.door == Door::Tls));
}
