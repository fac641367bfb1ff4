//! Reads of made-up streams: nothing may hang, be lost, or be counted wrong.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::schedule::QUEUED_SLICES;
use super::{ReadOutcome, read};
use crate::components::testing::World;
use crate::components::{
    Cursor, ReadError, RecordSink, RequestParts, Retriever, SchemaLoader, Stream,
};
use crate::engine::Output;
use crate::protocol::{ConfiguredCatalog, TracedError, Writer};
use crate::run::{Clock, FixedClock, RunContext};
use crate::value::{Json, Map, Secrets, StreamSlice};

/// Longer than any read takes, by the machine's clock.
const LIMIT: Duration = Duration::from_mins(1);
/// Longer than anything takes, by a clock that does not really wait.
const VERY_LONG: Duration = Duration::from_hours(24 * 365);

/// How something fails.
#[derive(Clone, Copy, Debug)]
enum Failure {
    Unexpected,
    Traced,
    /// As a bug of ours would.
    Panic,
}

impl Failure {
    fn fail(self) -> ReadError {
        match self {
            Self::Unexpected => ReadError::value("as planned"),
            Self::Traced => ReadError::traced(TracedError::transient("as planned")),
            // Without a word on stderr.
            Self::Panic => std::panic::resume_unwind(Box::new("as planned")),
        }
    }
}

/// Where slices fail that do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spot {
    /// Within the retriever, after a record.
    Reading,
    /// When the cursor sees a record.
    Observing,
    /// When the cursor closes a slice of one record.
    Closing,
}

/// What one made-up stream does.
#[derive(Clone, Debug)]
struct Plan {
    /// For each slice its records, or none when it fails.
    slices: Vec<Option<usize>>,
    /// Where, and how it fails; the cursor has no bugs.
    spot: Spot,
    failure: Failure,
    /// Whether making slices fails after the last one.
    breaks: bool,
    /// Whether there is no schema, so that no slices are made.
    has_no_schema: bool,
    /// Whether there is no last state.
    has_no_end: bool,
    group: Option<String>,
    /// The most milliseconds that making a slice and reading a record take.
    making: u64,
    reading: u64,
    /// Characters in each record.
    n_chars: usize,
}

impl Plan {
    /// What a step of the plan takes, up to `limit` milliseconds: always the same, as if by chance.
    fn delay(&self, limit: u64, step: usize) -> Duration {
        let mixed =
            (step as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ self.slices.len() as u64);
        Duration::from_millis((mixed >> 32) % (limit + 1))
    }
}

/// What is made and not read yet, of all streams.
#[derive(Default)]
struct InFlight {
    n_slices: AtomicUsize,
    /// The most slices there ever were.
    most_slices: AtomicUsize,
    /// Slices whose reading began.
    n_begun: AtomicUsize,
    /// The bytes of records that were handed over to be printed.
    n_bytes: AtomicUsize,
}

impl InFlight {
    fn make_slice(&self) {
        let n_slices = self.n_slices.fetch_add(1, Relaxed) + 1;
        self.most_slices.fetch_max(n_slices, Relaxed);
    }
}

/// The slices of a plan; its state counts the slices that were read whole.
struct PlannedCursor {
    plan: Plan,
    closed: Mutex<Vec<u64>>,
    in_flight: Arc<InFlight>,
}

impl Cursor for PlannedCursor {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        let slices = (0..self.plan.slices.len()).map(|idx| {
            let partition = [("idx".to_owned(), json!(idx))].into_iter().collect();
            Ok(StreamSlice::of_partition(partition))
        });
        let slices = slices.map(Ok).chain(self.plan.breaks.then_some(Err(self.plan.failure)));
        stream::iter(slices.enumerate())
            .then(move |(idx, slice)| async move {
                let slice = slice.unwrap_or_else(|failure| Err(failure.fail()));
                PausedClock.sleep(self.plan.delay(self.plan.making, idx)).await;
                if slice.is_ok() {
                    self.in_flight.make_slice();
                }
                slice
            })
            .boxed()
    }

    fn request_parts(&self, _: &StreamSlice) -> Result<RequestParts, ReadError> {
        Ok(RequestParts::default())
    }

    fn observe(&self, slice: &StreamSlice, _: &[Json]) -> Result<(), ReadError> {
        self.fail_at(Spot::Observing, slice)
    }

    fn close_slice(&self, slice: &StreamSlice) -> Result<Option<Map>, ReadError> {
        self.fail_at(Spot::Closing, slice)?;
        self.closed.lock().unwrap().push(slice.get("idx").and_then(Json::as_u64).unwrap());
        Ok(Some(self.state()))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        if self.plan.has_no_end { Err(ReadError::value("no end")) } else { Ok(Some(self.state())) }
    }

    fn state(&self) -> Map {
        let closed = self.closed.lock().unwrap();
        // Of many slices only the number is told.
        let slices = if self.plan.slices.len() < 100 { json!(*closed) } else { json!([]) };
        let pairs = [("closed".to_owned(), json!(closed.len())), ("slices".to_owned(), slices)];
        pairs.into_iter().collect()
    }
}

impl PlannedCursor {
    fn fail_at(&self, spot: Spot, slice: &StreamSlice) -> Result<(), ReadError> {
        let idx = usize::try_from(slice.get("idx").and_then(Json::as_u64).unwrap()).unwrap();
        let fails = self.plan.spot == spot && self.plan.slices[idx].is_none();
        if fails { Err(ReadError::value("this slice fails")) } else { Ok(()) }
    }
}

struct PlannedRetriever {
    plan: Plan,
    in_flight: Arc<InFlight>,
}

impl Retriever for PlannedRetriever {
    fn read<'a>(
        &'a self,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            let idx = usize::try_from(slice.get("idx").and_then(Json::as_u64).unwrap()).unwrap();
            let Self { plan, in_flight } = self;
            in_flight.n_begun.fetch_add(1, Relaxed);
            let _open = OpenSlice(in_flight);
            let planned = plan.slices[idx];
            for record_idx in 0..planned.unwrap_or(1) {
                PausedClock.sleep(plan.delay(plan.reading, idx + record_idx)).await;
                in_flight.n_bytes.fetch_add(plan.n_chars, Relaxed);
                let text = "x".repeat(plan.n_chars);
                let record = json!({"slice": idx, "record": record_idx, "text": text});
                let _ = sink.records(vec![record]).await?;
            }
            match planned {
                None if plan.spot == Spot::Reading => Err(plan.failure.fail()),
                _ => Ok(()),
            }
        }
        .boxed()
    }
}

/// A slice whose reading has begun; it is over when this is dropped.
struct OpenSlice<'a>(&'a InFlight);

impl Drop for OpenSlice<'_> {
    fn drop(&mut self) {
        self.0.n_slices.fetch_sub(1, Relaxed);
    }
}

/// No schema, or a failure in its place.
struct NoSchema(Option<Failure>);

impl SchemaLoader for NoSchema {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        let failure = self.0;
        async move { failure.map_or_else(|| Ok(Arc::new(json!({}))), |it| Err(it.fail())) }.boxed()
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

/// Takes what is printed a piece at a time, each once it is allowed to.
struct StalledSink {
    is_allowed: mpsc::Receiver<()>,
    /// How large the pieces are.
    piece_len: usize,
    sink: Sink,
}

impl Write for StalledSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An end that is gone allows everything.
        let _ = self.is_allowed.recv();
        self.sink.write(&bytes[..bytes.len().min(self.piece_len)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes so many bytes, and is gone then.
struct ClosingSink {
    n_left: usize,
    sink: Sink,
}

impl Write for ClosingSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.n_left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let n_written = self.sink.write(&bytes[..bytes.len().min(self.n_left)])?;
        self.n_left -= n_written;
        Ok(n_written)
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
    let in_flight = Arc::default();
    let ran = run_streams(clock, streams(plans, &in_flight), n_workers);
    let n_makers = (n_workers / 2).max(1);
    // Each maker may hold one more that there is no room for.
    let bound = QUEUED_SLICES + n_workers + n_makers;
    assert!(in_flight.most_slices.load(Relaxed) <= bound, "too many slices in flight");
    ran
}

fn streams(plans: &[Plan], in_flight: &Arc<InFlight>) -> Vec<Arc<Stream>> {
    let stream = |(idx, plan): (usize, &Plan)| {
        let (plan, in_flight) = (plan.clone(), Arc::clone(in_flight));
        Arc::new(Stream {
            name: format!("s{idx}"),
            primary_key: Vec::new(),
            schema: Arc::new(NoSchema(plan.has_no_schema.then_some(plan.failure))),
            group: plan.group.clone(),
            max_slices: usize::MAX,
            cursor: Arc::new(PlannedCursor {
                plan: plan.clone(),
                closed: Mutex::default(),
                in_flight: Arc::clone(&in_flight),
            }),
            retriever: Arc::new(PlannedRetriever { plan, in_flight }),
            files: None,
            state: None,
            parents: Vec::new(),
        })
    };
    plans.iter().enumerate().map(stream).collect()
}

fn catalog(streams: &[Arc<Stream>]) -> ConfiguredCatalog {
    let catalog = json!({"streams": streams.iter().map(|stream| json!({
        "stream": {"name": stream.name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
        "sync_mode": "full_refresh",
        "destination_sync_mode": "append",
    })).collect::<Vec<_>>()});
    ConfiguredCatalog::read(&catalog).unwrap()
}

fn paused_runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap()
}

/// Reads to the end, and does something whenever all has come to rest. Nothing is at rest for long
/// but what has come to a deadlock.
fn run_to_end(
    reading: impl Future<Output = ReadOutcome>,
    mut at_rest: impl FnMut(),
) -> ReadOutcome {
    let begun = Instant::now();
    let watching = async {
        while begun.elapsed() < LIMIT {
            // The paused clock goes on only when all others wait for what no clock brings.
            PausedClock.sleep(Duration::from_hours(1)).await;
            at_rest();
            // The writer has a thread of its own.
            std::thread::yield_now();
        }
    };
    paused_runtime().block_on(async {
        tokio::select! {
            outcome = reading => outcome,
            () = watching => panic!("a deadlock"),
        }
    })
}

/// Reads the streams.
fn run_streams(
    clock: Arc<dyn Clock>,
    streams: Vec<Arc<Stream>>,
    n_workers: usize,
) -> (ReadOutcome, Vec<Json>) {
    let catalog = catalog(&streams);
    let sink = Sink::default();
    let (writer, thread) = Writer::spawn(sink.clone()).unwrap();
    let run = RunContext::new(clock, rand::SeedableRng::seed_from_u64(0));
    let output = Output { writer, run, secrets: Secrets::new() };
    let outcome = run_to_end(read(streams, &catalog, n_workers, &output), || {});
    thread.finish().unwrap();
    (outcome, messages(&sink))
}

/// The whole lines of what was printed.
fn messages(sink: &Sink) -> Vec<Json> {
    let printed = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    let lines = printed.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs the plans while whoever takes the output goes on only when all else has come to rest, and
/// takes a piece then.
fn run_haltingly(plans: &[Plan], n_workers: usize, piece_len: usize) -> (ReadOutcome, Vec<Json>) {
    let streams = streams(plans, &Arc::default());
    let (catalog, sink) = (catalog(&streams), Sink::default());
    let (allow, is_allowed) = mpsc::channel();
    let stalled = StalledSink { is_allowed, piece_len, sink: sink.clone() };
    let (writer, thread) = Writer::spawn(stalled).unwrap();
    let run = RunContext::new(Arc::new(PausedClock), rand::SeedableRng::seed_from_u64(0));
    let output = Output { writer, run, secrets: Secrets::new() };
    let reading = read(streams, &catalog, n_workers, &output);
    let outcome = run_to_end(reading, || {
        let _ = allow.send(());
    });
    drop((output, allow));
    thread.finish().unwrap();
    (outcome, messages(&sink))
}

/// Runs the plans until the output is gone after so many bytes; tells whether that was noticed.
fn run_until_closed(plans: &[Plan], n_workers: usize, n_bytes: usize) -> (bool, Vec<Json>) {
    let streams = streams(plans, &Arc::default());
    let (catalog, sink) = (catalog(&streams), Sink::default());
    let closing = ClosingSink { n_left: n_bytes, sink: sink.clone() };
    let (writer, thread) = Writer::spawn(closing).unwrap();
    let run = RunContext::new(Arc::new(PausedClock), rand::SeedableRng::seed_from_u64(0));
    let output = Output { writer, run, secrets: Secrets::new() };
    let outcome = run_to_end(read(streams, &catalog, n_workers, &output), || {});
    drop(output);
    // It may be noticed by the last bytes only.
    let is_noticed = thread.finish().is_err() || matches!(outcome, ReadOutcome::OutputClosed);
    (is_noticed, messages(&sink))
}

/// Runs the plans while nobody takes the output, until nothing goes on any more; gives how many
/// slices were begun and how many bytes of records handed over by then. Then the output is taken.
fn run_stalled(plans: &[Plan], n_workers: usize) -> (usize, usize) {
    let in_flight = Arc::default();
    let streams = streams(plans, &in_flight);
    let catalog = catalog(&streams);
    let (allow, is_allowed) = mpsc::channel();
    let sink = StalledSink { is_allowed, piece_len: usize::MAX, sink: Sink::default() };
    let (writer, thread) = Writer::spawn(sink).unwrap();
    let run = RunContext::new(Arc::new(PausedClock), rand::SeedableRng::seed_from_u64(0));
    let output = Output { writer, run, secrets: Secrets::new() };
    let stalled = async {
        // The paused clock goes on only when all others wait for what no clock brings.
        PausedClock.sleep(VERY_LONG).await;
        drop(allow);
        (in_flight.n_begun.load(Relaxed), in_flight.n_bytes.load(Relaxed))
    };
    let reading = read(streams, &catalog, n_workers, &output);
    let (_, stalled) = paused_runtime().block_on(async { tokio::join!(reading, stalled) });
    thread.finish().unwrap();
    assert_eq!(in_flight.n_slices.load(Relaxed), 0, "all is read in the end");
    stalled
}

/// What the messages say of one stream.
#[derive(Debug, Default)]
struct Told {
    statuses: Vec<String>,
    n_records: usize,
    /// Slice and number of each record.
    records: Vec<(usize, usize)>,
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
                let number = |name: &str| message["record"]["data"][name].as_u64().unwrap_or(0);
                let numbers = [number("slice"), number("record")];
                let [slice, record] = numbers.map(|number| usize::try_from(number).unwrap());
                told.records.push((slice, record));
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

/// Each state comes after all records of the slices that it says are done.
#[track_caller]
fn check_promises(plans: &[Plan], messages: &[Json]) {
    let mut n_records: HashMap<(String, u64), usize> = HashMap::new();
    for message in messages {
        if let Some(stream) = message["record"]["stream"].as_str() {
            let slice = message["record"]["data"]["slice"].as_u64().unwrap();
            *n_records.entry((stream.to_owned(), slice)).or_default() += 1;
        }
        let state = &message["state"]["stream"];
        let Some(stream) = state["stream_descriptor"]["name"].as_str() else { continue };
        let plan = &plans[stream[1..].parse::<usize>().unwrap()];
        for slice in state["stream_state"]["slices"].as_array().unwrap() {
            let slice = slice.as_u64().unwrap();
            let printed = n_records.get(&(stream.to_owned(), slice)).copied().unwrap_or(0);
            let planned = plan.slices[usize::try_from(slice).unwrap()];
            assert_eq!(Some(printed), planned, "{stream}: slice {slice} is not done");
        }
    }
}

#[track_caller]
fn check(plans: &[Plan], n_workers: usize) {
    check_run(plans, run(plans, n_workers));
}

#[track_caller]
fn check_run(plans: &[Plan], (outcome, messages): (ReadOutcome, Vec<Json>)) {
    check_promises(plans, &messages);
    let mut streams = told(&messages);
    let mut any_failed = false;
    for (idx, plan) in plans.iter().enumerate() {
        let told = streams.get_mut(&format!("s{idx}")).unwrap();
        // Without a schema nothing is made.
        let none = Plan { slices: Vec::new(), ..plan.clone() };
        let plan = if plan.has_no_schema { &none } else { plan };
        let records = plan.slices.iter().enumerate().flat_map(|(slice, records)| {
            (0..records.unwrap_or(1)).map(move |record| (slice, record))
        });
        told.records.sort_unstable();
        assert_eq!(told.records, records.collect::<Vec<_>>(), "s{idx}");
        let n_records: usize = plan.slices.iter().map(|records| records.unwrap_or(1)).sum();
        let n_failed = plan.slices.iter().filter(|records| records.is_none()).count();
        let stops_making = plan.breaks || plan.has_no_schema;
        let n_errors = n_failed + usize::from(stops_making) + usize::from(plan.has_no_end);
        let last = if n_errors == 0 { "COMPLETE" } else { "INCOMPLETE" };
        let running: &[&str] = if n_records > 0 { &["RUNNING"] } else { &[] };
        let statuses = [&["STARTED"], running, &[last]].concat();
        assert_eq!(told.statuses, statuses, "s{idx}");
        assert_eq!(told.n_records, n_records, "s{idx}");
        assert_eq!(told.n_errors, n_errors, "s{idx}");
        let n_closed = plan.slices.len() - n_failed;
        if !plan.has_no_end {
            assert_eq!(told.n_counted, n_records, "s{idx}: what states counted");
        }
        if !plan.has_no_end || n_closed > 0 {
            assert_eq!(told.last_state["closed"], json!(n_closed), "s{idx}");
        }
        any_failed |= n_errors > 0;
    }
    match outcome {
        ReadOutcome::Complete => assert!(!any_failed),
        ReadOutcome::Failed(_) => assert!(any_failed),
        ReadOutcome::OutputClosed => panic!("nobody closed the output"),
    }
}

fn plan(slices: &[Option<usize>]) -> Plan {
    Plan {
        slices: slices.to_vec(),
        spot: Spot::Reading,
        failure: Failure::Unexpected,
        breaks: false,
        has_no_schema: false,
        has_no_end: false,
        group: None,
        making: 0,
        reading: 1,
        n_chars: 0,
    }
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
fn a_stalled_output_stalls_the_reading() {
    const N_CHARS: usize = 100_000;
    for n_workers in [1, 4, 64] {
        let large = Plan { n_chars: N_CHARS, ..plan(&[Some(3); 100]) };
        let (_, n_bytes) = run_stalled(&[large.clone(), large], n_workers);
        // What waits for the output and is on its way there, and what each reader holds.
        let bound = (256 << 10) + (n_workers + 2) * N_CHARS;
        assert!(n_bytes > 250_000 && n_bytes <= bound, "{n_workers}: {n_bytes} bytes");
    }
}

#[test]
fn failures_do_not_pile_up_before_a_stalled_output() {
    let (n_begun, _) = run_stalled(&[plan(&vec![None; 40_000])], 4);
    assert!(n_begun < 20_000, "{n_begun} slices were read with nobody to tell");
}

#[test]
fn makers_wait_for_readers() {
    let slow = Plan { reading: 1000, ..plan(&vec![Some(1); 3000]) };
    check(&vec![slow; 4], 8);
}

/// A family tree: so many children does each of the eldest, and each of these, have.
fn tree_api(n_children: Vec<Vec<usize>>) -> impl Fn(&str) -> (u16, Json) + Send + Sync + 'static {
    move |url| {
        let ids = |n: usize| (200, (0..n).map(|id| json!({"id": id})).collect());
        let path: Vec<usize> = url.split('/').skip(4).map(|part| part.parse().unwrap()).collect();
        match path[..] {
            [] => ids(n_children.len()),
            [eldest] => ids(n_children[eldest].len()),
            [eldest, middle] => ids(n_children[eldest][middle]),
            _ => panic!("nobody asks for {url}"),
        }
    }
}

fn generation(name: &str, path: &str, parent: Option<&Json>) -> Json {
    let mut stream = json!({
        "type": "DeclarativeStream",
        "name": name,
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url": format!("http://h/t{path}")},
            "record_selector": {"type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []}},
        },
    });
    if let Some(parent) = parent {
        stream["retriever"]["partition_router"] = json!({
            "type": "SubstreamPartitionRouter",
            "parent_stream_configs": [{"type": "ParentStreamConfig",
                "stream": parent, "parent_key": "id", "partition_field": "id"}],
        });
    }
    stream
}

/// Reads three generations side by side, each of which reads those before it for itself.
#[track_caller]
fn check_generations(n_children: Vec<Vec<usize>>, n_workers: usize) {
    let n_middle: usize = n_children.iter().map(Vec::len).sum();
    let n_youngest: usize = n_children.iter().flatten().sum();
    let expect = [n_youngest, n_middle, n_children.len()];
    let world = World::with_api(&json!({}), tree_api(n_children));
    let eldest = generation("eldest", "", None);
    let middle = generation("middle", "/{{ stream_partition.id }}", Some(&eldest));
    let path = "/{{ stream_partition.parent_slice.id }}/{{ stream_partition.id }}";
    let youngest = generation("youngest", path, Some(&middle));
    let streams =
        [youngest, middle, eldest].map(|it| Arc::new(world.build::<Stream>(&it).unwrap()));
    let (_, messages) = run_streams(Arc::new(PausedClock), streams.to_vec(), n_workers);
    let told = told(&messages);
    let names = ["youngest", "middle", "eldest"];
    assert_eq!(names.map(|name| told[name].n_records), expect);
    assert!(names.iter().all(|name| told[*name].statuses.last().unwrap() == "COMPLETE"));
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
    let spot = prop::sample::select(vec![Spot::Reading, Spot::Observing, Spot::Closing]);
    let kinds = vec![Failure::Unexpected, Failure::Traced, Failure::Panic];
    let rarely = || prop::bool::weighted(0.1);
    let failures = (spot, prop::sample::select(kinds), rarely(), rarely(), rarely());
    let pace = (0..4_u64, 0..40_u64, prop::sample::select(vec![0, 0, 10_000]));
    let plan = (slices, failures, group, pace).prop_map(|(slices, failures, group, pace)| {
        let (spot, failure, breaks, has_no_schema, has_no_end) = failures;
        let (making, reading, n_chars) = pace;
        let group = group.map(str::to_owned);
        let plan = plan(&slices);
        let plan = Plan { spot, failure, breaks, has_no_schema, has_no_end, ..plan };
        Plan { group, making, reading, n_chars, ..plan }
    });
    prop::collection::vec(plan, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn parents_of_parents_hold_nobody_up(
        n_children in prop::collection::vec(prop::collection::vec(0..4_usize, 0..4), 0..5),
        n_workers in 1..64_usize,
    ) {
        check_generations(n_children, n_workers);
    }

    #[test]
    fn nothing_hangs_or_gets_lost(plans in plans(), n_workers in 1..64_usize) {
        check(&plans, n_workers);
    }

    #[test]
    fn nothing_hangs_or_gets_lost_before_a_halting_output(
        plans in plans(),
        n_workers in 1..64_usize,
        piece_len in 1000..200_000_usize,
    ) {
        check_run(&plans, run_haltingly(&plans, n_workers, piece_len));
    }

    #[test]
    fn a_read_ends_with_its_output(
        plans in plans(),
        n_workers in 1..64_usize,
        n_bytes in 0..20_000_usize,
    ) {
        let (is_noticed, messages) = run_until_closed(&plans, n_workers, n_bytes);
        check_promises(&plans, &messages);
        let told = told(&messages);
        let is_whole = told.len() == plans.len() && told.values().all(|it| {
            it.statuses.last().is_some_and(|it| it == "COMPLETE" || it == "INCOMPLETE")
        });
        prop_assert!(is_whole || is_noticed);
    }
}
