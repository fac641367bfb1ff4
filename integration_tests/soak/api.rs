//! The API of `crash/world.rs` in any format and any pages, on a way that is often broken.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::cases::{Case, Format, Pages, Way};
use crate::computed_api::Asked;
use crate::crash::world::{PAGE_SIZE, chance, wanted};
use crate::fault_server::Exchange;
use crate::faults::{FAULTS, gzip};

/// Faults that no attempt survives, and that the reference takes for nothing else: it reads half a
/// JSON text with the right length, say, as no records.
const BROKEN: [&str; 9] = [
    "reset_always",
    "half_a_chunk",
    "length_that_is_none",
    "nonsense",
    "silent_before_the_answer",
    "silent_within_headers",
    "silent_within_the_body",
    "rate_limit_always",
    "always_500",
];
/// How long silence lasts, for those of them that are silent.
pub(super) const OPTIONS: [&str; 4] = ["--timeout-first-byte", "0.5", "--timeout-silence", "0.5"];

/// Answers requests; the same for the same seed, whatever comes in between.
pub(super) struct Api {
    seed: u64,
    n_per_fault: u64,
    /// How often each target was asked for.
    asked: Mutex<BTreeMap<String, u64>>,
    pub(super) n_faults: AtomicU64,
    pub(super) n_requests: AtomicU64,
}

/// A body, and the headers that it comes with.
struct Body {
    headers: String,
    bytes: Vec<u8>,
}

impl Api {
    pub(super) fn new(seed: u64, case: &Case) -> Self {
        Self {
            seed,
            n_per_fault: case.n_per_fault,
            asked: Mutex::default(),
            n_faults: AtomicU64::new(0),
            n_requests: AtomicU64::new(0),
        }
    }

    pub(super) fn serve(&self, it: &mut Exchange<'_>) -> io::Result<()> {
        self.n_requests.fetch_add(1, Ordering::Relaxed);
        let n_before = {
            let mut asked = self.asked.lock().unwrap();
            let n_asked = asked.entry(it.target.clone()).or_default();
            *n_asked += 1;
            *n_asked - 1
        };
        let luck = chance(&format!("{} {} {n_before}", self.seed, it.target));
        let Some(body) = answer(it, luck, n_before) else {
            return it.answer("404 Not Found", "", "");
        };
        // Whole regions are down for a while, so that reads fail.
        let is_down = self.n_per_fault < 20 && (luck / 7).is_multiple_of(400) && n_before < 9;
        if !is_down && !luck.is_multiple_of(self.n_per_fault) {
            return it.answer("200 OK", &body.headers, body.bytes);
        }
        self.n_faults.fetch_add(1, Ordering::Relaxed);
        let kind = usize::try_from(luck >> 40).unwrap() % (BROKEN.len() + 6);
        let length = format!("{}Content-Length: {}\r\n", body.headers, body.bytes.len());
        match kind.checked_sub(BROKEN.len()) {
            // Silence takes real time.
            None if BROKEN[kind].starts_with("silent") && !(luck >> 20).is_multiple_of(4) => Ok(()),
            None => {
                let (.., fault) = FAULTS.iter().find(|(name, ..)| *name == BROKEN[kind]).unwrap();
                (fault.serve)(it)
            }
            Some(0) => it.answer("503 Service Unavailable", "Retry-After: 2\r\n", "<html>"),
            Some(1) => it.answer("429 Too Many", "Retry-After: 1\r\n", "{}"),
            Some(2) => it.take_all(),
            // Half of nothing is all of it.
            Some(3) if body.bytes.len() > 1 => {
                let part = it.part(&body.bytes).to_vec();
                it.answer("200 OK", &length, part)
            }
            Some(4) => {
                it.take_all()?;
                it.send(format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{length}\r\n"))?;
                let mut pieces = body.bytes.chunks(1 + body.bytes.len() / 9);
                pieces.try_for_each(|piece| {
                    linger();
                    it.send(piece)
                })
            }
            Some(_) => {
                let (_, target) = it.target.split_once(' ').unwrap();
                let location = format!("Location: {target}\r\n");
                it.answer("307 Temporary Redirect", &location, "")
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how slow the API is is its own affair")]
fn linger() {
    thread::sleep(Duration::from_millis(2));
}

/// The right answer; nothing to what nobody should ask.
fn answer(it: &Exchange<'_>, luck: u64, n_before: u64) -> Option<Body> {
    let asked = Asked::of_line(&it.target)?;
    let path: Vec<_> = asked.path.iter().map(String::as_str).collect();
    let [n_chars, way, list @ ..] = path.as_slice() else { return None };
    let (n_chars, way) = (n_chars.parse().ok()?, Way::parse(way)?);
    let plain = |value: Value| Body { headers: String::new(), bytes: value.to_string().into() };
    match list {
        ["jobs", list @ ..] => {
            let query = it.target.split_once('?').map_or("", |(_, query)| query);
            Some(plain(json!({"id": hex(&format!("/{}?{query}", list.join("/")))})))
        }
        ["polls", id] => {
            let status = match (luck % 16, n_before) {
                (0, _) => "bad",
                (1..8, 0) => "run",
                _ => "done",
            };
            let url = |part| format!("http://{}/{n_chars}/{way}/files/{id}/{part}", it.authority);
            Some(plain(json!({"status": status, "urls": [url(0), url(1)]})))
        }
        ["files", id, part] => {
            let asked = Asked::of_line(&format!("GET {}", text_of_hex(id)?))?;
            let list: Vec<_> = asked.path.iter().map(String::as_str).collect();
            let mut records = wanted(&asked, &list, n_chars);
            let second = records.split_off(records.len() / 2);
            Some(body(way, if *part == "0" { records } else { second }, "end"))
        }
        list => {
            let records = wanted(&asked, list, n_chars);
            let (page, next) = page(&asked, way, records);
            let next = next.map_or("end".to_owned(), |next| match way.pages {
                Pages::Url => format!("http://{}{}", it.authority, with_start(&it.target, next)),
                _ => next.to_string(),
            });
            Some(body(way, page, &next))
        }
    }
}

/// The path and query of a target, from another record on.
fn with_start(target: &str, start: usize) -> String {
    let (_, target) = target.split_once(' ').unwrap();
    let target = target.split_once("start=").map_or(target, |(target, _)| target);
    let target = target.trim_end_matches(['?', '&']);
    let link = if target.contains('?') { '&' } else { '?' };
    format!("{target}{link}start={start}")
}

/// The records of the page that is asked for, and the first after them.
fn page(asked: &Asked, way: Way, mut records: Vec<Value>) -> (Vec<Value>, Option<usize>) {
    let number = |name| asked.number(name).map_or(0, |it| usize::try_from(it).unwrap());
    let start = match way.pages {
        Pages::One => return (records, None),
        Pages::Number => number("number") * PAGE_SIZE,
        Pages::Offset => number("offset"),
        Pages::Token => number("token"),
        Pages::Header => number("header"),
        Pages::Url => number("start"),
        Pages::Last => asked.text("last").map_or(0, |last| {
            let mut keys = records.iter().map(|record| &record["key"]);
            keys.position(|key| key == last).map_or(records.len(), |idx| idx + 1)
        }),
    };
    let next = start + PAGE_SIZE;
    let next = (next < records.len()).then_some(next);
    let mut page = records.split_off(start.min(records.len()));
    page.truncate(PAGE_SIZE);
    (page, next)
}

fn body(way: Way, records: Vec<Value>, next: &str) -> Body {
    let bytes = match way.format {
        Format::Json => Value::from(records).to_string().into_bytes(),
        Format::Wrapped | Format::Streamed => {
            json!({"items": records, "next": next}).to_string().into_bytes()
        }
        Format::Lines => lines(&records),
        Format::Csv => csv(&records),
        Format::Xml => xml(&records),
        Format::GzipJson => gzip(Value::from(records).to_string()),
        Format::GzipLines => gzip(lines(&records)),
        Format::GzipCsv => gzip(csv(&records)),
        Format::ZipLines => {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            archive.start_file("records.jsonl", SimpleFileOptions::default()).unwrap();
            archive.write_all(&lines(&records)).unwrap();
            archive.finish().unwrap().into_inner()
        }
    };
    let mut headers = format!("X-Next: {next}\r\n");
    if !way.is_packed {
        return Body { headers, bytes };
    }
    headers.push_str("Content-Encoding: gzip\r\n");
    Body { headers, bytes: gzip(bytes) }
}

fn lines(records: &[Value]) -> Vec<u8> {
    records.iter().flat_map(|record| format!("{record}\n").into_bytes()).collect()
}

const FIELDS: [&str; 5] = ["key", "id", "at", "n", "text"];

/// What a field has, none of which is hard to write.
fn text(record: &Value, field: &str) -> String {
    let value = &record[field];
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn csv(records: &[Value]) -> Vec<u8> {
    let rows = records.iter().map(|record| FIELDS.map(|field| text(record, field)).join(","));
    let rows: Vec<_> = [FIELDS.join(",")].into_iter().chain(rows).collect();
    rows.join("\n").into_bytes()
}

fn xml(records: &[Value]) -> Vec<u8> {
    let item = |record| {
        let fields = FIELDS.map(|field| format!("<{field}>{}</{field}>", text(record, field)));
        format!("<item>{}</item>", fields.concat())
    };
    let items: String = records.iter().map(item).collect();
    format!("<r>{items}</r>").into_bytes()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn text_of_hex(hex: &str) -> Option<String> {
    let byte = |idx| u8::from_str_radix(hex.get(idx..idx + 2)?, 16).ok();
    let bytes: Option<_> = (0..hex.len()).step_by(2).map(byte).collect();
    String::from_utf8(bytes?).ok()
}
