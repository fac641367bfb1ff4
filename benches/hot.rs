//! The hot parts of a read, each by itself: `cargo bench`, or `cargo bench -- transcribe`.
//!
//! Figures are per page of 1,000 records; what counts is the change, on one quiet machine.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::BytesCount;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use source_declarative_manifest::protocol::Message;
use source_declarative_manifest::run::RunContext;
use source_declarative_manifest::template::{InterpolatedString, Scope};
use source_declarative_manifest::value::body::{CsvRows, Gunzip, GunzipError};
use source_declarative_manifest::value::{
    Json, Lines, Map, Transcription, parse, write_record_data,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N_RECORDS: usize = 1000;

fn main() {
    divan::main();
}

/// Records as APIs send them, each on a line.
fn lines_of_json() -> String {
    let mut text = String::new();
    for id in 0..N_RECORDS {
        let record = json!({
            "id": id, "uuid": format!("3f2b8c1e-{id:04}-4222-8333-444455556666"),
            "displayName": "Some Person", "score": 65.25, "isActive": id % 3 == 0,
            "deletedAt": null, "createdAt": "2024-01-01T00:00:00Z", "tags": ["alpha", "beta"],
            "address": {"city": "Zürich", "zipCode": "8001", "country": null},
            "note": "first line\nsecond line",
        });
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{record}");
    }
    text
}

fn page() -> String {
    let records = lines_of_json();
    format!("{{\"data\":[{}],\"next\":2}}", records.trim_end().replace('\n', ","))
}

fn transcription(path: &[String]) -> Transcription<'_> {
    Transcription {
        path,
        open: br#"{"type":"RECORD","record":{"stream":"items","data":"#,
        close: b",\"emitted_at\":1700000000000}}\n",
        field: None,
    }
}

/// From the text of a page to lines of output.
#[divan::bench]
fn transcribe_page(bencher: Bencher<'_, '_>) {
    let (page, path) = (page(), ["data".to_owned()]);
    let mut lines = Lines::default();
    bencher.counter(BytesCount::of_str(&page)).bench_local(|| {
        lines.text.clear();
        transcription(&path).body(page.as_bytes(), &mut lines).map(|it| it.last)
    });
}

/// The same from lines of JSON.
#[divan::bench]
fn transcribe_lines(bencher: Bencher<'_, '_>) {
    let text = lines_of_json();
    let mut lines = Lines::default();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        lines.text.clear();
        text.lines().try_for_each(|line| transcription(&[]).record(line.as_bytes(), &mut lines))
    });
}

/// The slow road: values in between.
#[divan::bench]
fn transcribe_by_values(bencher: Bencher<'_, '_>) {
    let text = lines_of_json();
    let mut out = Vec::new();
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        out.clear();
        for line in text.lines() {
            if let Ok(Json::Object(record)) = parse(line.as_bytes()) {
                write_record_data(&record, &mut out);
            }
        }
        out.len()
    });
}

#[divan::bench]
fn gunzip(bencher: Bencher<'_, '_>) {
    let text = lines_of_json();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    let Ok(packed) = written else { return };
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut n_bytes = 0;
        let mut on_bytes = |bytes: &[u8]| {
            n_bytes += black_box(bytes).len();
            Ok::<_, GunzipError>(())
        };
        let mut gunzip = Gunzip::default();
        let fed = gunzip.feed(&packed, &mut on_bytes);
        fed.and_then(|()| gunzip.finish(&mut on_bytes)).map(|()| n_bytes)
    });
}

#[divan::bench]
fn csv_rows(bencher: Bencher<'_, '_>) {
    let row = "1,3f2b8c1e,\"Person, Some\",2024-01-01T00:00:00Z,65.25,true,,\"a \"\"b\"\"\"\n";
    let text = row.repeat(N_RECORDS);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let mut n_cells = 0;
        let mut rows = CsvRows::new(',');
        rows.feed(&text, &mut |row| n_cells += row.len());
        n_cells
    });
}

/// A field that is added to each record.
#[divan::bench(args = [
    "{{ record['displayName'] }}",
    "{{ record.address.city | upper }}",
    "{{ record['score'] * 2 if record['isActive'] else config.get('score', 0) }}",
    "{{ format_datetime(record['createdAt'], '%Y-%m-%d') }}",
])]
fn evaluate_template(bencher: Bencher<'_, '_>, source: &str) {
    let (run, config) = (RunContext::system(), Map::new());
    let records: Vec<_> =
        lines_of_json().lines().filter_map(|line| parse(line.as_bytes()).ok()).collect();
    let template = InterpolatedString::new(source, Arc::default());
    bencher.bench_local(|| {
        for record in &records {
            let scope = Scope::new(&run).with("config", &config).with("record", record);
            let _ = black_box(template.eval_json(&scope));
        }
    });
}

/// The state of a stream with so many partitions.
#[divan::bench(args = [1, 1000])]
fn print_state(bencher: Bencher<'_, '_>, n_partitions: usize) {
    let states: Vec<_> = (0..n_partitions)
        .map(|id| json!({"partition": {"id": id}, "cursor": {"at": "2024-01-01T00:00:00Z"}}))
        .collect();
    let state: Map = [("states".to_owned(), Json::Array(states))].into_iter().collect();
    let message = Message::state("items", state, 1000);
    bencher.bench_local(|| serde_json::to_vec(&message).map(|line| line.len()));
}
