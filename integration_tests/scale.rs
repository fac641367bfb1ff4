//! Many partitions, one after the other: memory must not grow with them.
//!
//! `SCALE_PARTITIONS` is how many there are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::binary::command;
use crate::computed_api::{Asked, ComputedApi};

/// Partitions, unless `SCALE_PARTITIONS` says otherwise: more than have a state each.
const N_PARTITIONS: i64 = 12_000;
/// What a read may take, in MiB, whatever the number of partitions; `ARCHITECTURE.md` says why.
const MAX_MIB: u64 = 150;
const PAGE_SIZE: i64 = 500;

/// `n_parents` parents, page by page, and one child of each.
fn api(asked: &Asked, n_parents: i64) -> (u16, Value) {
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

fn manifest(url: &str) -> Value {
    let stream = |name: &str, path: &str| {
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
    };
    let mut parents = stream("parents", "/parents");
    parents["retriever"]["paginator"] = json!({
        "type": "DefaultPaginator",
        "pagination_strategy": {"type": "OffsetIncrement", "page_size": PAGE_SIZE},
        "page_token_option":
            {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "offset"},
    });
    let mut children = stream("children", "/children/{{ stream_partition.parent }}");
    children["retriever"]["partition_router"] = json!({
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [{"type": "ParentStreamConfig", "stream": parents,
            "parent_key": "id", "partition_field": "parent"}],
    });
    children["incremental_sync"] = json!({
        "type": "DatetimeBasedCursor",
        "cursor_field": "at",
        "datetime_format": "%s",
        "start_datetime": "1700000000",
        "end_datetime": "1700001000",
    });
    json!({
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["children"]},
        "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 1},
        "streams": [children],
        "spec": {"type": "Spec", "connection_specification": {"type": "object"}},
    })
}

fn start_read(folder: &Path, url: &str) -> Child {
    let put = |name: &str, content: &Value| {
        fs::write(folder.join(name), content.to_string()).unwrap();
    };
    put("manifest.yaml", &manifest(url));
    put("config.json", &json!({}));
    put(
        "catalog.json",
        &json!({"streams": [{
            "stream": {"name": "children", "json_schema": {}, "supported_sync_modes": ["incremental"]},
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
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

#[test]
fn memory_does_not_grow_with_partitions() {
    let n_partitions = std::env::var("SCALE_PARTITIONS");
    let n_partitions = n_partitions.map_or(N_PARTITIONS, |text| text.parse().unwrap());
    let server = ComputedApi::start(move |asked| api(asked, n_partitions));
    let folder = tempfile::tempdir().unwrap();
    let mut child = start_read(folder.path(), &server.url_of("api"));
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
