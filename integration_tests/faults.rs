//! What becomes of a read when the server, or the way to it, is broken: each fault is a test, and a
//! row of the table in `docs/reliability.md`.
//!
//! `UPDATE_EXPECTED=1` writes the table anew.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::binary::{Answer, answer, command};
use crate::fault_server::{CERTIFICATE, Door, Exchange, FaultServer};

/// When every read begins; waiting takes no time.
const START: &str = "2026-01-15T12:00:00Z";
/// What `START` is in milliseconds.
const START_MILLIS: f64 = 1_768_478_400_000.0;
/// Where chance begins; what is expected is the same for all.
const SEEDS: [u64; 3] = [1, 2, 3];

const PAGE: &str = r#"{"items": [{"id": 1}, {"id": 2}, {"id": 3}]}"#;
const LINES: &str = "{\"id\": 1}\n{\"id\": 2}\n{\"id\": 3}\n";

pub(crate) type Serve = fn(&mut Exchange<'_>) -> io::Result<()>;

/// A way to be broken.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    /// The stream of `faults/manifest.yaml` that is read.
    pub(crate) stream: &'static str,
    pub(crate) door: Door,
    /// What the config says in place of the server's own URL.
    url: &'static str,
    /// Whether the server's certificate is trusted.
    pub(crate) is_trusted: bool,
    pub(crate) options: &'static [&'static str],
    pub(crate) serve: Serve,
}

impl Fault {
    pub(crate) const fn new(serve: Serve) -> Self {
        Self {
            stream: "items",
            door: Door::Plain,
            url: "http://HOST",
            is_trusted: false,
            options: &[],
            serve,
        }
    }

    const fn stream(self, stream: &'static str) -> Self {
        Self { stream, ..self }
    }

    const fn door(self, door: Door, url: &'static str) -> Self {
        Self { door, url, ..self }
    }

    const fn trusted(self) -> Self {
        Self { is_trusted: true, ..self }
    }

    const fn options(self, options: &'static [&'static str]) -> Self {
        Self { options, ..self }
    }

    /// What the config has as the URL of `server`.
    pub(crate) fn url_of(&self, server: &FaultServer) -> String {
        let url = self.url.replace("HOST", &server.authority().to_string());
        url.replace("PORT", &server.authority().port().to_string())
    }

    /// Reads the stream from a server with this fault.
    fn read(&self, seed: u64) -> Run {
        let server = FaultServer::start(self.door, seed, self.serve);
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        put("manifest.yaml", include_str!("faults/manifest.yaml"));
        put("certificate.pem", CERTIFICATE);
        let config = json!({
            "url": self.url_of(&server), "token": "t0ken", "client_id": "cl1ent", "client_secret": "cl1ent-s3cret",
            "refresh_token": "r3fresh",
        });
        put("config.json", &config.to_string());
        let mut program = command();
        program.current_dir(folder.path()).args(["read", "--config", "config.json"]);
        program.args(["--manifest-path", "manifest.yaml", "--stream", self.stream]);
        program.args(["--clock", START]).args(self.options);
        if self.is_trusted {
            program.env("REQUESTS_CA_BUNDLE", "certificate.pem");
        }
        let answer = answer(&mut program, b"");
        let mut asked = server.asked();
        asked.retain(|target| target.contains("/items"));
        Run { stream: self.stream, n_asked: asked.len(), answer }
    }
}

/// A read that was made.
struct Run {
    stream: &'static str,
    n_asked: usize,
    answer: Answer,
}

impl Run {
    fn messages(&self) -> Vec<Value> {
        self.answer.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The cells of the table: what happens, the failure type, and what a user sees.
    fn cells(&self) -> String {
        let messages = self.messages();
        let n_records = messages.iter().filter(|it| it["type"] == "RECORD").count();
        let mut statuses = messages.iter().map(|it| &it["trace"]);
        let status = statuses.rfind(|it| it["type"] == "STREAM_STATUS");
        let status = status.unwrap_or_else(|| panic!("no status: {:?}", self.answer));
        let ended = status["emitted_at"].as_f64().unwrap();
        let status = status["stream_status"]["status"].as_str().unwrap();
        let end = if status == "COMPLETE" { "complete" } else { "incomplete" };
        assert_eq!(self.answer.code, i32::from(end == "incomplete"), "{}", self.answer.stdout);
        let mut cells = count(self.n_asked, "request");
        if ended > START_MILLIS {
            write!(cells, ", {:.1} s of waits", (ended - START_MILLIS) / 1000.0).unwrap();
        }
        write!(cells, ", {}, {end}", count(n_records, "record")).unwrap();
        let mut errors = messages.iter().map(|it| &it["trace"]["error"]);
        let error = errors.find(|it| it["stream_descriptor"]["name"] == self.stream);
        let (failure_type, mut seen) = match error {
            Some(error) => {
                self.check_places(&messages);
                let text = |name| error[name].as_str().unwrap_or_default();
                let mut seen = text("message").to_owned();
                if seen.starts_with("An unexpected error") {
                    write!(seen, " – {}", text("internal_message")).unwrap();
                }
                (format!("`{}`", text("failure_type")), seen)
            }
            None => ("–".to_owned(), first_complaint(&messages).unwrap_or("–").to_owned()),
        };
        for (pattern, plain) in [
            (r"127\.0\.0\.1:\d+", "HOST"),
            (r"\[::1\]:\d+", "HOST"),
            (r"localhost:\d+", "localhost:PORT"),
            (r"port=\d+", "port=PORT"),
            (r"\d+ bytes read, \d+ more", "N bytes read, M more"),
            (r"\[Errno -\d\] [^)]*", "[Errno -2] …"),
        ] {
            seen = regex::Regex::new(pattern).unwrap().replace_all(&seen, plain).into_owned();
        }
        let seen = seen.replace('\n', " ").replace('|', "\\|").replace('<', "&lt;");
        format!("{cells} | {failure_type} | {}", seen.trim())
    }

    /// Who looks for the reason finds stream and request in one line.
    fn check_places(&self, messages: &[Value]) {
        let errors = messages.iter().filter(|it| it["log"]["level"] == "ERROR");
        let mut texts = errors.map(|it| it["log"]["message"].as_str().unwrap());
        let names = |text: &str| text.contains(self.stream) && text.contains("/items");
        assert!(texts.any(names), "no line names stream and request: {}", self.answer.stdout);
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// What the log of a read that goes well says about the fault.
fn first_complaint(messages: &[Value]) -> Option<&str> {
    let mut logs = messages.iter().map(|it| &it["log"]).filter(|it| it.is_object());
    logs.find_map(|log| {
        let text = log["message"].as_str().unwrap();
        let is_retry =
            ["Caught retryable", "UserDefinedBackoff"].iter().any(|it| text.starts_with(it));
        (is_retry || matches!(log["level"].as_str(), Some("ERROR" | "WARN"))).then_some(text)
    })
}

fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reliability.md")
}

/// The rows of the table, by name and all of them.
fn rows() -> Vec<(String, String)> {
    let text = fs::read_to_string(table_path()).unwrap();
    let (_, table) = text.split_once("\n## Faults\n").unwrap();
    let rows = table.lines().filter_map(|line| {
        let (name, _) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((name.to_owned(), line.to_owned()))
    });
    rows.collect()
}

fn row(name: &str, what: &str, fault: &Fault) -> String {
    let [first, others @ ..] = SEEDS.map(|seed| fault.read(seed).cells());
    for other in others {
        assert_eq!(other, first, "chance decides");
    }
    format!("| `{name}` | {} | {first} |", what.trim())
}

#[track_caller]
fn check(name: &str, what: &str, fault: &Fault) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        return;
    }
    let row = row(name, what, fault);
    let rows = rows();
    let expected = rows.iter().find(|(it, _)| it == name).map(|(_, row)| row.as_str());
    assert_eq!(row, expected.unwrap_or("(the table has no such row)"));
}

/// A test for each fault, and the list of all.
macro_rules! faults {
    ($(#[doc = $what:literal] $name:ident: $fault:expr;)*) => {
        /// Name, what the server does, and how.
        pub(crate) const FAULTS: &[(&str, &str, Fault)] = &[$((stringify!($name), $what, $fault)),*];

        $(
            #[test]
            fn $name() {
                check(stringify!($name), $what, &$fault);
            }
        )*
    };
}

#[test]
fn the_table_has_a_row_for_each_test() {
    let names: Vec<_> = FAULTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let table: Vec<_> = FAULTS.iter().map(|(name, what, it)| row(name, what, it)).collect();
        let text = fs::read_to_string(table_path()).unwrap();
        let is_row = |line: &&str| line.starts_with("| `") && line.matches(" | ").count() >= 4;
        let start = text.find("| --- | --- | --- | --- | --- |\n").unwrap();
        let start = start + text[start..].find('\n').unwrap() + 1;
        let n_old: usize =
            text[start..].split_inclusive('\n').take_while(is_row).map(str::len).sum();
        let text = format!("{}{}\n{}", &text[..start], table.join("\n"), &text[start + n_old..]);
        fs::write(table_path(), text).unwrap();
    }
    let rows: Vec<_> = rows().into_iter().map(|(name, _)| name).collect();
    assert_eq!(rows, names);
}

pub(crate) fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn page(it: &mut Exchange<'_>) -> io::Result<()> {
    it.answer("200 OK", "Content-Type: application/json\r\n", PAGE)
}

/// The fault for the first two requests, then the page.
fn twice(it: &mut Exchange<'_>, fault: Serve) -> io::Result<()> {
    if it.number <= 2 { fault(it) } else { page(it) }
}

/// A first page of three, which names a second one.
fn first_of_two(it: &mut Exchange<'_>) -> io::Result<()> {
    it.answer("200 OK", "", PAGE.replace("]}", r#"], "next": "2"}"#))
}

/// Zeros (as text, so that it is JSON) without end, in a compressed body.
fn bomb(it: &mut Exchange<'_>, start: &str) -> io::Result<()> {
    it.take_all()?;
    it.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n")?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(start.as_bytes())?;
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..10_240 {
        encoder.write_all(&zeros)?;
        it.send(std::mem::take(encoder.get_mut()))?;
    }
    it.send(encoder.finish()?)
}

fn endless(it: &mut Exchange<'_>, start: &str, piece: &str) -> io::Result<()> {
    it.take_all()?;
    it.send(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{start}"))?;
    let pieces = piece.repeat((64 << 10) / piece.len());
    loop {
        it.send(&pieces)?;
    }
}

const OVERLOADED: &str = r#"{"error": "overloaded"}"#;

faults! {
    /// Resets the connection before it answers, twice.
    reset_before_the_answer: Fault::new(|it| twice(it, |_| Ok(())));
    /// Resets the connection before it answers, always.
    reset_always: Fault::new(|_| Ok(()));
    /// Closes the connection without an answer, twice.
    closed_without_an_answer: Fault::new(|it| twice(it, |it| { it.take_all()?; Ok(()) }));
    /// Breaks off within the headers, twice.
    half_headers: Fault::new(|it| twice(it, |it| {
        it.take_all()?;
        let part = it.part(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n").to_vec();
        it.send(part)
    }));
    /// Breaks off within a body of a known length, twice.
    half_a_body: Fault::new(|it| twice(it, |it| {
        let part = it.part(PAGE.as_bytes()).to_vec();
        it.answer("200 OK", &format!("Content-Length: {}\r\n", PAGE.len()), part)
    }));
    /// Breaks off within a body of a known length, always.
    half_a_body_always: Fault::new(|it| {
        let part = it.part(PAGE.as_bytes()).to_vec();
        it.answer("200 OK", &format!("Content-Length: {}\r\n", PAGE.len()), part)
    });
    /// Breaks off within a chunked body, always.
    half_a_chunk: Fault::new(|it| {
        it.take_all()?;
        it.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2c\r\n{\"items\":")
    });
    /// Breaks off within a body that is read while it comes: records of it are printed.
    half_of_lines: Fault::new(|it| {
        let length = format!("Content-Length: {}\r\n", LINES.len());
        it.answer("200 OK", &length, &LINES[..LINES.len() - 4])
    }).stream("lines");
    /// Names a length that is less than it sends.
    length_too_small: Fault::new(|it| it.answer("200 OK", "Content-Length: 20\r\n", PAGE));
    /// Names a length that is more than it sends.
    length_too_large: Fault::new(|it| it.answer("200 OK", "Content-Length: 100\r\n", PAGE));
    /// Names a length that is no number.
    length_that_is_none: Fault::new(|it| it.answer("200 OK", "Content-Length: many\r\n", PAGE));
    /// Answers what is no HTTP.
    nonsense: Fault::new(|it| { it.take_all()?; it.send("+OK POP3 server ready\r\n") });
    /// Sends a body byte by byte.
    slow_body: Fault::new(|it| {
        it.take_all()?;
        it.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PAGE.len()))?;
        PAGE.bytes().try_for_each(|byte| it.send([byte]))
    }).options(&["--timeout-silence", "5"]);
    /// Says nothing at all, always.
    silent_before_the_answer: Fault::new(|it| { it.take_all()?; it.hang() })
        .options(&["--timeout-first-byte", "0.05"]);
    /// Takes connections, and never begins with TLS.
    silent_before_tls: Fault::new(|_| Ok(())).door(Door::Mute, "https://HOST")
        .options(&["--timeout-connect", "0.05"]);
    /// Falls silent within the headers, always.
    silent_within_headers: Fault::new(|it| {
        it.take_all()?;
        it.send("HTTP/1.1 200 OK\r\nContent-")?;
        it.hang()
    }).options(&["--timeout-first-byte", "0.05"]);
    /// Falls silent within the body, always.
    silent_within_the_body: Fault::new(|it| {
        it.take_all()?;
        it.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"items\"")?;
        it.hang()
    }).options(&["--timeout-silence", "0.05"]);
    /// Falls silent within a body that is read while it comes.
    silent_within_lines: Fault::new(|it| {
        it.take_all()?;
        it.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{LINES}"))?;
        it.hang()
    }).stream("lines").options(&["--timeout-silence", "0.3"]);
    /// Breaks off within a compressed body, whose length is right.
    truncated_gzip: Fault::new(|it| {
        let body = gzip(PAGE.repeat(100));
        it.answer("200 OK", "Content-Encoding: gzip\r\n", &body[..body.len() / 2])
    });
    /// Breaks off within a compressed file, whose length is right.
    truncated_gzip_file: Fault::new(|it| {
        let body = gzip(LINES.repeat(100));
        it.answer("200 OK", "", &body[..body.len() / 2])
    }).stream("packed");
    /// Says that the body is compressed, and it is not.
    gzip_that_is_none: Fault::new(|it| it.answer("200 OK", "Content-Encoding: gzip\r\n", PAGE));
    /// Redirects to itself, always.
    redirect_loop: Fault::new(|it| it.answer("302 Found", "Location: /items\r\n", ""));
    /// Redirects to another host, which must not see the token.
    redirect_to_another_host: Fault::new(|it| match &it.authorization {
        Some(_) => {
            let location = format!("Location: http://localhost:{}/items\r\n", it.authority.port());
            it.answer("302 Found", &location, "")
        }
        None => page(it),
    });
    /// Redirects from https to plain http at another port, where nobody answers.
    redirect_to_plain_http: Fault::new(|it| {
        it.answer("302 Found", "Location: http://127.0.0.1:1/items\r\n", "")
    }).door(Door::Tls, "https://HOST").trusted();
    /// Redirects to another scheme.
    redirect_to_a_file: Fault::new(|it| it.answer("302 Found", "Location: file:///etc/items\r\n", ""));
    /// 429 without a header, twice.
    rate_limit_without_a_header: Fault::new(|it| twice(it, |it| it.answer("429 Too Many", "", "")));
    /// 429 with `Retry-After` in seconds, twice.
    rate_limit_in_seconds: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: 30\r\n", "")
    })).stream("patient");
    /// 429 with `Retry-After` in parts of a second, twice.
    rate_limit_in_parts_of_seconds: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: 0.5\r\n", "")
    })).stream("patient");
    /// 429 with `Retry-After: 0`, twice.
    rate_limit_of_no_seconds: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: 0\r\n", "")
    })).stream("patient");
    /// 429 with a negative `Retry-After`, twice.
    rate_limit_of_negative_seconds: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: -30\r\n", "")
    })).stream("patient");
    /// 429 with `Retry-After` as a date of HTTP, twice.
    rate_limit_at_a_date: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: Thu, 15 Jan 2026 12:02:00 GMT\r\n", "")
    })).stream("patient");
    /// 429 with `Retry-After` in words, twice.
    rate_limit_in_words: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "Retry-After: soon\r\n", "")
    })).stream("patient");
    /// 429 with `X-RateLimit-Reset` in seconds of Unix, two minutes ahead, twice.
    rate_limit_until_a_moment: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "X-RateLimit-Reset: 1768478520\r\n", "")
    })).stream("punctual");
    /// 429 with `X-RateLimit-Reset` in the past, twice.
    rate_limit_until_the_past: Fault::new(|it| twice(it, |it| {
        it.answer("429 Too Many", "X-RateLimit-Reset: 1768470000\r\n", "")
    })).stream("punctual");
    /// 429, always.
    rate_limit_always: Fault::new(|it| it.answer("429 Too Many", "Retry-After: 30\r\n", ""))
        .stream("patient");
    /// 503, twice.
    burst_of_503: Fault::new(|it| twice(it, |it| {
        it.answer("503 Service Unavailable", "", OVERLOADED)
    }));
    /// 500, 502, 503, 504, then a reset.
    burst_of_all: Fault::new(|it| match it.number {
        1 => it.answer("500 Internal Server Error", "", OVERLOADED),
        2 => it.answer("502 Bad Gateway", "", OVERLOADED),
        3 => it.answer("503 Service Unavailable", "", OVERLOADED),
        4 => it.answer("504 Gateway Timeout", "", OVERLOADED),
        5 => Ok(()),
        _ => page(it),
    });
    /// 500, always.
    always_500: Fault::new(|it| it.answer("500 Internal Server Error", "", OVERLOADED));
    /// 500 for the second page, always: records of the first are printed.
    second_page_500: Fault::new(|it| if it.target.contains("page=2") {
        it.answer("500 Internal Server Error", "", OVERLOADED)
    } else {
        first_of_two(it)
    });
    /// 401 from the second page on: a fixed token that has expired.
    token_expired: Fault::new(|it| if it.target.contains("page=2") {
        it.answer("401 Unauthorized", "", r#"{"error": "expired"}"#)
    } else {
        first_of_two(it)
    });
    /// 401 for the second page once: there is a new token for it.
    token_expired_and_refreshed: Fault::new(|it| {
        let is_second_token = it.authorization.as_deref() == Some("Bearer t0ken-2");
        match (it.target.contains("/token"), it.target.contains("page=2"), it.number) {
            (true, _, 1) => it.answer("200 OK", "", r#"{"access_token": "t0ken-1", "expires_in": 900}"#),
            (true, ..) => it.answer("200 OK", "", r#"{"access_token": "t0ken-2", "expires_in": 900}"#),
            (_, false, _) => first_of_two(it),
            (_, true, _) if is_second_token => page(it),
            _ => it.answer("401 Unauthorized", "", r#"{"error": "expired"}"#),
        }
    }).stream("refreshed");
    /// 401 for the second page, also with a new token.
    token_refused_again: Fault::new(|it| {
        match (it.target.contains("/token"), it.target.contains("page=2")) {
            (true, _) => it.answer("200 OK", "", r#"{"access_token": "t0ken-1", "expires_in": 900}"#),
            (_, false) => first_of_two(it),
            _ => it.answer("401 Unauthorized", "", r#"{"error": "expired"}"#),
        }
    }).stream("refreshed");
    /// Speaks plain HTTP where TLS is expected.
    plain_text_on_a_tls_port: Fault::new(page).door(Door::Plain, "https://HOST");
    /// Has signed its certificate itself, and nobody trusts it.
    certificate_not_trusted: Fault::new(page).door(Door::Tls, "https://HOST");
    /// Has signed its certificate itself, and `REQUESTS_CA_BUNDLE` names it.
    certificate_trusted: Fault::new(page).door(Door::Tls, "https://HOST").trusted();
    /// Speaks TLS where plain HTTP is expected.
    tls_on_a_plain_port: Fault::new(page).door(Door::Tls, "http://HOST");
    /// Sends JSON that is no UTF-8.
    invalid_utf8: Fault::new(|it| {
        it.answer("200 OK", "Content-Type: application/json\r\n", b"{\"items\": [{\"id\": \"\xff\"}]}")
    });
    /// Sends lines that are no UTF-8.
    invalid_utf8_in_lines: Fault::new(|it| it.answer("200 OK", "", b"{\"id\": 1}\n{\"id\": \"\xff\"}\n"))
        .stream("lines");
    /// Sends JSON, and says that it is HTML.
    wrong_content_type: Fault::new(|it| it.answer("200 OK", "Content-Type: text/html\r\n", PAGE));
    /// Sends a page of HTML with status 200.
    html_with_200: Fault::new(|it| {
        it.answer("200 OK", "Content-Type: text/html\r\n", "<html><body>Maintenance</body></html>")
    });
    /// Sends a page of HTML with status 503, twice.
    html_with_503: Fault::new(|it| twice(it, |it| {
        it.answer("503 Service Unavailable", "Content-Type: text/html\r\n", "<html>Down</html>")
    }));
    /// Sends a page of HTML with status 403.
    html_with_403: Fault::new(|it| {
        it.answer("403 Forbidden", "Content-Type: text/html\r\n", "<html>Who are you?</html>")
    });
    /// Gives the same page, which names itself as the next, six times.
    page_repeats_itself: Fault::new(|it| if it.number <= 6 { first_of_two(it) } else { page(it) });
    /// Gives the same page, which names itself as the next, always; with `--stop-on-repeat`.
    page_repeats_itself_and_stops: Fault::new(first_of_two).options(&["--stop-on-repeat"]);
    /// Sends JSON without end that has to be held.
    endless_page: Fault::new(|it| endless(it, "{\"items\": [{}", ", {\"id\": 4}"))
        .options(&["--max-held-body", "1MiB"]);
    /// Sends JSON without end that is read while it comes.
    endless_stream: Fault::new(|it| endless(it, "{\"other\": [{}", ", {\"id\": 4}"))
        .stream("streamed").options(&["--max-body", "20MiB"]);
    /// Sends one record without end in JSON that is read while it comes.
    endless_record: Fault::new(|it| endless(it, "{\"items\": [{\"id\": \"", "xxxxxxxx"))
        .stream("streamed").options(&["--max-record", "9MiB"]);
    /// Sends one line without end.
    endless_line: Fault::new(|it| endless(it, "{\"id\": 1}\n{\"id\": \"", "xxxxxxxx"))
        .stream("lines").options(&["--max-record", "1MiB"]);
    /// Sends 10 MB that become 10 GB, which has to be held.
    bomb_in_a_page: Fault::new(|it| bomb(it, "{\"items\": [{\"id\": 0."));
    /// Sends 10 MB that become 10 GB, which is read while it comes.
    bomb_in_lines: Fault::new(|it| bomb(it, "{\"id\": 1}\n{\"id\": 0.")).stream("lines");
    /// Sends a compressed file of 10 MB that becomes 10 GB.
    bomb_in_a_file: Fault::new(|it| bomb(it, "{\"id\": 1}\n{\"id\": 0.")).stream("packed");
    /// Nobody listens.
    nobody_listens: Fault::new(|_| Ok(())).door(Door::Closed, "http://HOST");
    /// There is no such name.
    no_such_name: Fault::new(|_| Ok(())).door(Door::Closed, "http://nobody.invalid:PORT");
    /// The server has only an address of IPv6.
    ipv6_only: Fault::new(page).door(Door::V6, "http://HOST");
}
