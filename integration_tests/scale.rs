//! Many partitions, one after the other: memory must not grow with them.
//!
//! What a read of nested partitions takes is printed too (`-- --nocapture`): the time of each must
//! not grow with their number, which is for people to see, as no test may depend on a machine's speed.
//!
//! `SCALE_PARTITIONS` is how many there are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::binary::command;
use crate::computed_api::{Asked, ComputedApi};
use crate::process;

/// Partitions, unless `SCALE_PARTITIONS` says otherwise: more than have a state each.
const N_PARTITIONS: i64 = 12_000;
/// What a read may take, in MiB, whatever the number of partitions; `ARCHITECTURE.md` says why.
const MAX_MIB: u64 = 150;
const PAGE_SIZE: i64 = 500;

/// `n_parents` parents, page by page, and one child of each.
pub(crate) fn api(asked: &Asked, n_parents: i64) -> (u16, Value) {
    let record = |id: i64| json!({"id": id, "at": 1_700_000_000 + id % 1000});
    let records: Value = match asked.path.get(2) {
        None => {
            let offset = asked.number("offset").unwrap_or(0);
            (offset..n_parents.min(offset + PAGE_SIZE)).map(record).collect()
        }
        Some(id) => json!([record(id.parse().unwrap())]),
    };
    (200, records)
}

fn stream(url: &str, name: &str, path: &str) -> Value {
    json!({
        "type": "DeclarativeStream",
        "name": name,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": path},
            "record_selector": {"type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
    })
}

pub(crate) fn parents(url: &str) -> Value {
    let mut parents = stream(url, "parents", "/parents");
    parents["retriever"]["paginator"] = json!({
        "type": "DefaultPaginator",
        "pagination_strategy": {"type": "OffsetIncrement", "page_size": PAGE_SIZE},
        "page_token_option":
            {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "offset"},
    });
    parents
}

/// A stream with a partition for each record of `parent`, and a state for each of them.
pub(crate) fn substream(url: &str, name: &str, parent: &Value, keeps_state: bool) -> Value {
    let path = format!("/{name}/{{{{ stream_partition.parent }}}}");
    let mut stream = stream(url, name, &path);
    stream["retriever"]["partition_router"] = json!({
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [{"type": "ParentStreamConfig", "stream": parent,
            "parent_key": "id", "partition_field": "parent",
            "incremental_dependency": keeps_state}],
    });
    stream["incremental_sync"] = json!({
        "type": "DatetimeBasedCursor",
        "cursor_field": "at",
        "datetime_format": "%s",
        "start_datetime": "1700000000",
        "end_datetime": "1700001000",
    });
    stream
}

pub(crate) fn manifest(stream: &Value) -> Value {
    let name = &stream["name"];
    json!({
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [name]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1},
        "streams": [stream],
        "spec": {"type": "Spec", "connection_specification": {"type": "object"}},
    })
}

pub(crate) fn start_read(folder: &Path, stream: &Value) -> Child {
    let put = |name: &str, content: &Value| {
        fs::write(folder.join(name), content.to_string()).unwrap();
    };
    put("manifest.yaml", &manifest(stream));
    put("config.json", &json!({}));
    put(
        "catalog.json",
        &json!({"streams": [{
            "stream": {"name": stream["name"], "json_schema": {}, "supported_sync_modes": ["incremental"]},
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        }]}),
    );
    command()
        .current_dir(folder)
        .args(["read", "--config", "config.json", "--catalog", "catalog.json"])
        .args(["--manifest-path", "manifest.yaml"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The most memory that a running process has taken so far, in MiB.
fn peak_mib(child: &Child) -> Option<u64> {
    process::peak_kib(child).map(|kib| kib / 1024)
}

#[test]
fn memory_does_not_grow_with_partitions() {
    let n_partitions = std::env::var("SCALE_PARTITIONS");
    let n_partitions = n_partitions.map_or(N_PARTITIONS, |text| text.parse().unwrap());
    let server = ComputedApi::start(move |asked| api(asked, n_partitions));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url_of("api");
    let children = substream(&url, "children", &parents(&url), false);
    let mut child = start_read(folder.path(), &children);
    let (mut n_records, mut peak, mut last_state) = (0, 0, Value::Null);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        match message["type"].as_str() {
            Some("RECORD") => {
                n_records += 1;
                if n_records % 500 == 0 {
                    peak = peak_mib(&child).unwrap_or(peak);
                }
            }
            Some("STATE") => last_state = message["state"]["stream"]["stream_state"].clone(),
            _ => {}
        }
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(n_records, n_partitions);
    assert_eq!(last_state["state"], json!({"at": "1700000999"}));
    assert_eq!(last_state["use_global_cursor"], json!(n_partitions > 10_000));
    println!("{n_partitions} partitions took at most {peak} MiB");
    assert!(peak <= MAX_MIB, "{peak} MiB");
}

#[test]
fn states_of_nested_parents_are_kept_within_the_same_bound() {
    let n_parents = std::env::var("SCALE_PARTITIONS").map_or(2_000, |text| text.parse().unwrap());
    let server = ComputedApi::start(move |asked| api(asked, n_parents));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url_of("api");
    let children = substream(&url, "children", &parents(&url), false);
    let grandchildren = substream(&url, "grandchildren", &children, true);
    let mut child = start_read(folder.path(), &grandchildren);
    let (mut peak, mut seconds, mut last_state) = (0, 0.0, Value::Null);
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if message["type"] == "STATE" {
            last_state = message["state"]["stream"]["stream_state"].clone();
            peak = peak_mib(&child).unwrap_or(peak);
            seconds = processor_seconds(&child).unwrap_or(seconds);
        }
    }
    assert!(child.wait().unwrap().success());
    let of_parents = &last_state["parent_state"]["children"]["states"];
    assert_eq!(of_parents.as_array().unwrap().len(), usize::try_from(n_parents).unwrap());
    println!("{n_parents} nested partitions took at most {peak} MiB, and {seconds} s");
    assert!(peak <= MAX_MIB, "{peak} MiB");
}

/// The time in seconds that the processor has worked on a process, as far as the kernel counts it.
fn processor_seconds(child: &Child) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    // Behind the name, which may have spaces, and eleven more fields.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}
