//! Soaking: reads of random manifests, from a server that is often broken, by readers that are slow,
//! stop, or close the output, which are killed now and then; beside them one read without end and
//! one server of the Connector Builder. What must hold is what `crash.rs` says, and:
//!
//! 1. *Nothing hangs.* Each read ends in bounded time, also when nobody takes its output any more.
//! 2. *Ends fit.* The exit code, the statuses of streams, and their records say the same.
//! 3. *Nothing leaks.* The same read takes no more memory the hundredth time than the first; what
//!    processes that live long hold of memory, threads, files, and sockets comes to a rest.
//!
//! `SOAK_SECONDS` is how long it goes on (`tools/soak.sh` makes it an hour), `SOAK_SEED` where it
//! begins; alone, it is the one chain of reads to be repeated.

mod api;
mod cases;
mod long;

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::crash::run::{End, Extent, Pace, Reader};
use crate::crash::world::{ENDS, STREAMS, World};
use crate::crash::{Chain, States, Sum, check_read};
use crate::fault_server::{Door, FaultServer};
use api::Api;
use cases::Case;
use long::Life;

/// How long it goes on within the ordinary tests.
const SHORT: Duration = Duration::from_secs(6);
/// After so many chains comes the read that is always the same.
const N_CHAINS: u64 = 10;
/// Where all waits are told by the clock of the run.
const TIMELESS: [&str; 2] = ["--clock", "2026-01-15T12:00:00Z"];

/// When it is over.
struct Until {
    started: Instant,
    duration: Duration,
}

impl Until {
    fn is_over(&self) -> bool {
        self.started.elapsed() >= self.duration
    }
}

#[expect(clippy::disallowed_methods, reason = "real processes take real time")]
fn wait(pause: Duration) {
    thread::sleep(pause);
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Whatever random reads came to.
#[derive(Debug, Default)]
struct Toll {
    sum: Sum,
    n_requests: u64,
    n_faults: u64,
    failures: Vec<String>,
    /// What the read that is always the same took, in KiB.
    peaks: Vec<u64>,
}

impl Toll {
    fn add(&mut self, sum: Sum, api: &Api) {
        self.sum.n_whole += sum.n_whole;
        self.sum.n_killed += sum.n_killed;
        self.sum.n_failed += sum.n_failed;
        self.sum.n_records += sum.n_records;
        self.n_requests += api.n_requests.load(Ordering::Relaxed);
        self.n_faults += api.n_faults.load(Ordering::Relaxed);
    }
}

#[test]
fn nothing_is_lost_leaked_or_hangs() {
    let (seconds, first) = (number("SOAK_SECONDS"), number("SOAK_SEED"));
    if let (None, Some(seed)) = (seconds, first) {
        let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/soak.json");
        std::fs::write(path, Case::new(seed).manifest).unwrap();
        println!("The manifest is {path}");
        println!("{:?}", soak_chain(seed, &mut Toll::default()));
        return;
    }
    let duration = seconds.map_or(SHORT, Duration::from_secs);
    let until = Until { started: Instant::now(), duration };
    let mut toll = Toll::default();
    let (read, builder) = thread::scope(|scope| {
        let read = scope.spawn(|| long::endless_read(&until));
        let builder = scope.spawn(|| long::busy_builder(&until));
        let mut n_told = 1;
        for seed in first.unwrap_or(0).. {
            if until.is_over() {
                break;
            }
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| soak_chain(seed, &mut toll))) {
                let text = panic.downcast_ref::<String>().map_or("?", String::as_str);
                let failure =
                    format!("{text}\nSOAK_SEED={seed} cargo test --test integration soak");
                println!("{failure}");
                toll.failures.push(failure);
            }
            if seed % N_CHAINS == 0 {
                toll.peaks.push(same_read());
            }
            if until.started.elapsed() > until.duration / 12 * n_told {
                n_told += 1;
                println!("{}", line(&until, &toll));
            }
        }
        (read.join().unwrap(), builder.join().unwrap())
    });
    println!("{}", line(&until, &toll));
    println!("the endless read: {}", told(&read));
    println!("the builder: {}", told(&builder));
    let mut failures = std::mem::take(&mut toll.failures);
    failures.extend(read.growth().map(|growth| format!("the endless read grows: {growth}")));
    failures.extend(builder.growth().map(|growth| format!("the builder grows: {growth}")));
    let third = toll.peaks.len().div_ceil(3);
    let most = |peaks: &[u64]| peaks.iter().copied().max().unwrap_or(0);
    let early = most(&toll.peaks[..third]);
    let late = most(&toll.peaks[toll.peaks.len() - third..]);
    if late > early + early / 8 + (4 << 10) {
        failures.push(format!("the same read takes more and more: {:?}", toll.peaks));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn line(until: &Until, toll: &Toll) -> String {
    let Sum { n_whole, n_killed, n_failed, n_records } = toll.sum;
    format!(
        "{:4} s: {n_whole} reads whole, {n_killed} killed or closed, {n_failed} failed; \
         {} requests, {} faults, {n_records} records; the same read took {} KiB; {} faults of ours",
        until.started.elapsed().as_secs(),
        toll.n_requests,
        toll.n_faults,
        toll.peaks.last().unwrap_or(&0),
        toll.failures.len(),
    )
}

/// A few moments of a life.
fn told(life: &Life) -> String {
    let mut text = format!("{} done", life.n_done);
    for sample in life.samples.iter().step_by(1 + life.samples.len() / 12) {
        let &long::Sample { kib, n_threads, n_open } = sample;
        write!(text, "; {kib} KiB, {n_threads} threads, {n_open} open").unwrap();
    }
    text
}

/// A chain of reads of a random manifest.
fn soak_chain(seed: u64, toll: &mut Toll) -> Sum {
    let case = Case::new(seed);
    let api = Arc::new(Api::new(seed, &case));
    let serve = Arc::clone(&api);
    let server = FaultServer::start(Door::Plain, seed, move |it| serve.serve(it));
    let options = [&api::OPTIONS[..], if case.is_timeless { &TIMELESS } else { &[] }].concat();
    let nothing = States::new();
    let world = World { end: ENDS[1] };
    let n_left: usize = case
        .streams
        .iter()
        .map(|stream| world.left_by(&serde_json::Value::Null, stream).len())
        .sum();
    let extent = Extent {
        duration: Duration::from_secs(1),
        n_bytes: n_left * (case.n_chars + 200),
        n_states: 10 * case.streams.len(),
    };
    let reader = |random: &mut StdRng| Reader {
        manifest: &case.manifest,
        streams: &case.streams,
        options: &options,
        url: format!("http://{}/{}", server.authority(), case.n_chars),
        n_workers: random.random_range(1..=8),
        pace: Pace {
            n_pieces: *[1, 1, 5, 20].choose(random).unwrap(),
            pause: Duration::from_micros(*[0, 0, 300, 3_000, 30_000].choose(random).unwrap()),
        },
        may_fail: true,
    };
    let sum = Chain { seed, initial: &nothing, extent, reader }.check();
    toll.add(sum, &api);
    sum
}

/// The read that is always the same; what it took, in KiB.
fn same_read() -> u64 {
    let case = Case::new(0);
    let api = Api::new(0, &Case { n_per_fault: u64::MAX, ..Case::new(0) });
    let server = FaultServer::start(Door::Plain, 0, move |it| api.serve(it));
    let reader = Reader {
        manifest: &case.manifest,
        streams: &STREAMS,
        options: &TIMELESS,
        url: format!("http://{}/1000", server.authority()),
        n_workers: 4,
        pace: Pace { n_pieces: 1, pause: Duration::ZERO },
        may_fail: false,
    };
    let read = reader.read(ENDS[1], &States::new(), None);
    check_read(&read, &World { end: ENDS[1] }, &STREAMS, &States::new());
    assert_eq!(read.end, End::Whole);
    read.peak_kib
}
