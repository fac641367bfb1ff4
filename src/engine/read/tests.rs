//! Reads of made-up streams: nothing may hang, be lost, or be counted wrong.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{self, BoxFuture};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::{ReadOutcome, read};
use crate::components::{
    Cursor, ReadError, RecordSink, RequestParts, Retriever, SchemaLoader, Stream,
};
use crate::engine::Output;
use crate::protocol::{ConfiguredCatalog, Writer};
use crate::run::{Clock, FixedClock, RunContext};
use crate::value::{Json, Map, Secrets, StreamSlice};

/// What one made-up stream does.
#[derive(Clone, Debug)]
struct Plan {
    /// For each slice its records, or none when it fails.
    slices: Vec<Option<usize>>,
    /// Whether making slices fails after the last one.
    breaks: bool,
    group: Option<String>,
    /// Milliseconds that making a slice and reading a batch take.
    making: u64,
    reading: u64,
}

/// The slices of a plan; its state counts the slices that were read whole.
struct PlannedCursor {
    plan: Plan,
    n_closed: Mutex<usize>,
}

impl Cursor for PlannedCursor {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        let making = Duration::from_millis(self.plan.making);
        let slices = (0..self.plan.slices.len()).map(|idx| {
            let partition = [("idx".to_owned(), json!(idx))].into_iter().collect();
            Ok(StreamSlice::of_partition(partition))
        });
        let end = self.plan.breaks.then(|| Err(ReadError::value("no further slices")));
        stream::iter(slices.chain(end))
            .then(move |slice| async move {
                PausedClock.sleep(making).await;
                slice
            })
            .boxed()
    }

    fn request_parts(&self, _: &StreamSlice) -> Result<RequestParts, ReadError> {
        Ok(RequestParts::default())
    }

    fn observe(&self, _: &StreamSlice, _: &[Json]) -> Result<(), ReadError> {
        Ok(())
    }

    fn close_slice(&self, _: &StreamSlice) -> Result<Option<Map>, ReadError> {
        *self.n_closed.lock().unwrap() += 1;
        Ok(Some(self.state()))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        Ok(Some(self.state()))
    }

    fn state(&self) -> Map {
        [("closed".to_owned(), json!(*self.n_closed.lock().unwrap()))].into_iter().collect()
    }
}

struct PlannedRetriever(Plan);

impl Retriever for PlannedRetriever {
    fn read<'a>(
        &'a self,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            let idx = slice.get("idx").and_then(Json::as_u64).unwrap();
            let planned = self.0.slices[usize::try_from(idx).unwrap()];
            for record_idx in 0..planned.unwrap_or(1) {
                PausedClock.sleep(Duration::from_millis(self.0.reading)).await;
                let record = json!({"slice": idx, "record": record_idx});
                let _ = sink.records(vec![record]).await?;
            }
            planned.map(|_| ()).ok_or_else(|| ReadError::value("this slice fails"))
        }
        .boxed()
    }
}

struct NoSchema;

impl SchemaLoader for NoSchema {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        future::ready(Ok(Arc::new(json!({})))).boxed()
    }
}

/// Stands still as a wall clock, and waits by tokio's own, which tests pause.
struct PausedClock;

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    #[expect(clippy::disallowed_methods, reason = "the paused clock of tokio is no wall clock")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        tokio::time::sleep(duration).boxed()
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs the plans, and gives the messages that were printed.
fn run(plans: &[Plan], n_workers: usize) -> (ReadOutcome, Vec<Json>) {
    run_by(Arc::new(PausedClock), plans, n_workers)
}

fn run_by(clock: Arc<dyn Clock>, plans: &[Plan], n_workers: usize) -> (ReadOutcome, Vec<Json>) {
    let streams: Vec<_> = plans
        .iter()
        .enumerate()
        .map(|(idx, plan)| {
            Arc::new(Stream {
                name: format!("s{idx}"),
                primary_key: Vec::new(),
                schema: Arc::new(NoSchema),
                retriever: Arc::new(PlannedRetriever(plan.clone())),
                cursor: Arc::new(PlannedCursor { plan: plan.clone(), n_closed: Mutex::default() }),
                files: None,
                state: None,
                group: plan.group.clone(),
                parents: Vec::new(),
            })
        })
        .collect();
    let catalog = json!({"streams": streams.iter().map(|stream| json!({
        "stream": {"name": stream.name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    })).collect::<Vec<_>>()});
    let catalog = ConfiguredCatalog::read(&catalog).unwrap();
    let sink = Sink::default();
    let (writer, thread) = Writer::spawn(sink.clone()).unwrap();
    let run = RunContext::new(clock, rand::SeedableRng::seed_from_u64(0));
    let output = Output { writer, run, secrets: Secrets::new() };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let outcome = runtime.block_on(read(streams, &catalog, n_workers, &output));
    thread.finish().unwrap();
    let printed = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    (outcome, printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// What the messages say of one stream.
#[derive(Debug, Default)]
struct Told {
    statuses: Vec<String>,
    n_records: usize,
    /// Records since the last state, and the sum of what states counted.
    n_open: usize,
    n_counted: usize,
    n_errors: usize,
    last_state: Json,
}

#[track_caller]
fn told(messages: &[Json]) -> HashMap<String, Told> {
    let mut streams: HashMap<String, Told> = HashMap::new();
    let name = |place: &Json| place["name"].as_str().unwrap_or_default().to_owned();
    for message in messages {
        match message["type"].as_str() {
            Some("RECORD") => {
                let stream = message["record"]["stream"].as_str().unwrap().to_owned();
                let told = streams.entry(stream).or_default();
                assert_eq!(told.statuses.last().map(String::as_str), Some("RUNNING"));
                told.n_records += 1;
                told.n_open += 1;
            }
            Some("STATE") => {
                let state = &message["state"];
                let told = streams.entry(name(&state["stream"]["stream_descriptor"])).or_default();
                let counted = state["sourceStats"]["recordCount"].as_f64().unwrap();
                assert_eq!(counted.to_string(), told.n_open.to_string());
                told.n_counted += std::mem::take(&mut told.n_open);
                told.last_state = state["stream"]["stream_state"].clone();
            }
            Some("TRACE") if message["trace"]["type"] == "STREAM_STATUS" => {
                let status = &message["trace"]["stream_status"];
                let told = streams.entry(name(&status["stream_descriptor"])).or_default();
                told.statuses.push(status["status"].as_str().unwrap().to_owned());
            }
            Some("TRACE") => {
                let descriptor = &message["trace"]["error"]["stream_descriptor"];
                streams.entry(name(descriptor)).or_default().n_errors += 1;
            }
            _ => {}
        }
    }
    streams
}

#[track_caller]
fn check(plans: &[Plan], n_workers: usize) {
    let (outcome, messages) = run(plans, n_workers);
    let streams = told(&messages);
    let mut any_failed = false;
    for (idx, plan) in plans.iter().enumerate() {
        let told = &streams[&format!("s{idx}")];
        let n_records: usize = plan.slices.iter().map(|records| records.unwrap_or(1)).sum();
        let n_failed = plan.slices.iter().filter(|records| records.is_none()).count();
        let n_errors = n_failed + usize::from(plan.breaks);
        let last = if n_errors == 0 { "COMPLETE" } else { "INCOMPLETE" };
        let running: &[&str] = if n_records > 0 { &["RUNNING"] } else { &[] };
        let statuses = [&["STARTED"], running, &[last]].concat();
        assert_eq!(told.statuses, statuses, "s{idx}");
        assert_eq!(told.n_records, n_records, "s{idx}");
        assert_eq!(told.n_counted, n_records, "s{idx}: what states counted");
        assert_eq!(told.n_errors, n_errors, "s{idx}");
        assert_eq!(told.last_state["closed"], json!(plan.slices.len() - n_failed), "s{idx}");
        any_failed |= n_errors > 0;
    }
    match outcome {
        ReadOutcome::Complete => assert!(!any_failed),
        ReadOutcome::Failed(_) => assert!(any_failed),
        ReadOutcome::OutputClosed => panic!("nobody closed the output"),
    }
}

fn plan(slices: &[Option<usize>]) -> Plan {
    Plan { slices: slices.to_vec(), breaks: false, group: None, making: 0, reading: 1 }
}

#[test]
fn a_stream_without_slices_completes() {
    check(&[plan(&[])], 1);
}

#[test]
fn a_failing_slice_does_not_stop_the_others() {
    check(&[plan(&[Some(2), None, Some(3)]), plan(&[Some(1)])], 2);
}

#[test]
fn slices_that_cannot_be_made_leave_those_that_were() {
    check(&[Plan { breaks: true, ..plan(&[Some(2)]) }], 2);
}

#[test]
fn streams_of_a_group_follow_one_another() {
    let group = |slices: &[Option<usize>]| Plan { group: Some("g".to_owned()), ..plan(slices) };
    let plans = [group(&[Some(3); 5]), group(&[Some(2); 3]), plan(&[Some(1)])];
    check(&plans, 8);
    let (_, messages) = run(&plans, 8);
    let statuses: Vec<_> = messages
        .iter()
        .map(|message| &message["trace"]["stream_status"])
        .filter(|status| {
            ["s0", "s1"].map(Json::from).contains(&status["stream_descriptor"]["name"])
        })
        .map(|status| format!("{} {}", status["stream_descriptor"]["name"], status["status"]))
        .collect();
    let expect = [
        r#""s0" "STARTED""#,
        r#""s0" "RUNNING""#,
        r#""s0" "COMPLETE""#,
        r#""s1" "STARTED""#,
        r#""s1" "RUNNING""#,
        r#""s1" "COMPLETE""#,
    ];
    assert_eq!(statuses, expect);
}

#[test]
fn many_partitions_pass_through_one_worker() {
    check(&[plan(&vec![Some(0); 20_000]), plan(&[Some(1)])], 1);
}

#[test]
fn streams_start_in_the_order_of_the_catalog() {
    let (_, messages) = run(&vec![plan(&[Some(1), Some(1)]); 5], 2);
    let started: Vec<_> = messages
        .iter()
        .map(|message| &message["trace"]["stream_status"])
        .filter(|status| status["status"] == "STARTED")
        .map(|status| status["stream_descriptor"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(started, ["s0", "s1", "s2", "s3", "s4"]);
}

#[test]
fn what_can_be_repeated_is_read_slice_after_slice() {
    let slow = Plan { making: 3, ..plan(&[Some(2), None, Some(1)]) };
    let quick = plan(&[Some(1), Some(1)]);
    let clock = Arc::new(FixedClock(Timestamp::UNIX_EPOCH));
    let (_, messages) = run_by(clock, &[slow, quick], 8);
    let read: Vec<_> = messages
        .iter()
        .map(|message| &message["record"])
        .filter(|record| record.is_object())
        .map(|record| format!("{} {}", record["stream"], record["data"]["slice"]))
        .collect();
    assert_eq!(
        read,
        [r#""s0" 0"#, r#""s0" 0"#, r#""s0" 1"#, r#""s0" 2"#, r#""s1" 0"#, r#""s1" 1"#]
    );
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let slices = prop::collection::vec(prop::option::weighted(0.85, 0..4_usize), 0..12);
    let group = prop::option::weighted(0.4, prop::sample::select(vec!["g", "h"]));
    let plan = (slices, prop::bool::weighted(0.1), group, 0..4_u64, 0..4_u64).prop_map(
        |(slices, breaks, group, making, reading)| Plan {
            slices,
            breaks,
            group: group.map(str::to_owned),
            making,
            reading,
        },
    );
    prop::collection::vec(plan, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_hangs_or_gets_lost(plans in plans(), n_workers in 1..64_usize) {
        check(&plans, n_workers);
    }
}
