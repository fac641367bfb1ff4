//! `read --prefetch`: the next page is on its way while a page is being read.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::binary::{answer, command};
use crate::computed_api::{Asked, ComputedApi};

const N_PAGES: i64 = 5;

/// The numbers of the pages that have been asked for.
#[derive(Default)]
struct Pages {
    asked: Mutex<BTreeSet<i64>>,
    was_asked: Condvar,
}

impl Pages {
    /// Gives out a page, but from the second one on only when the one after it is asked for too.
    fn answer(&self, asked: &Asked) -> (u16, Value) {
        let page = asked.number("page").unwrap_or(0);
        let mut pages = self.asked.lock().unwrap();
        pages.insert(page);
        self.was_asked.notify_all();
        if page > 0 && page < N_PAGES - 1 {
            let is_lonely = |pages: &mut BTreeSet<i64>| !pages.contains(&(page + 1));
            let waited =
                self.was_asked.wait_timeout_while(pages, Duration::from_mins(1), is_lonely);
            if waited.unwrap().1.timed_out() {
                return (400, json!({"message": "nothing is asked for ahead"}));
            }
        }
        let n_records = if page < N_PAGES { 2 - page / (N_PAGES - 1) } else { 0 };
        (200, (0..n_records).map(|idx| json!({"id": page * 2 + idx})).collect())
    }
}

#[test]
fn a_page_is_asked_for_while_the_one_before_it_is_awaited() {
    let pages = Arc::new(Pages::default());
    let known = pages.clone();
    let api = ComputedApi::start(move |asked| known.answer(asked));
    let folder = tempfile::tempdir().unwrap();
    let manifest = json!({
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["items"]},
        "streams": [{
            "type": "DeclarativeStream",
            "name": "items",
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url": api.url_of("items")},
                "record_selector": {"type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []}},
                "paginator": {
                    "type": "DefaultPaginator",
                    "pagination_strategy": {"type": "PageIncrement", "page_size": 2},
                    "page_token_option":
                        {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"},
                },
            },
        }],
        "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
    });
    std::fs::write(folder.path().join("manifest.yaml"), manifest.to_string()).unwrap();
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    let mut program = command();
    program.current_dir(folder.path()).args(["read", "--prefetch", "1"]);
    program.args(["--config", "config.json", "--manifest-path", "manifest.yaml"]);
    let read = answer(&mut program, b"");
    assert_eq!(read.code, 0, "{}", read.stdout);
    let messages = read.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let records = messages.filter(|message| message["type"] == "RECORD");
    let ids: Vec<_> =
        records.map(|message| message["record"]["data"]["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, (0..N_PAGES * 2 - 1).collect::<Vec<_>>());
    assert!(pages.asked.lock().unwrap().iter().all(|page| *page <= N_PAGES));
}
