//! Reads that are killed at any moment, and go on from the last states that came through.
//!
//! The content of the API is known, and so is what a state stands for: [`World::left_by`] says
//! which records a read that starts from a state has to print. Of each stream this must hold:
//!
//! 1. *Nothing is lost.* The records that came before the states which further reads started
//!    from, and those of the read that came to its end, are all that the first read had to print.
//!    Records after the last state of a killed read do not count: no state promised them.
//! 2. *Nothing is repeated without need.* A read that comes to its end prints exactly what its
//!    state leaves, each record once. So what is printed again is what came after the last state,
//!    and of what came before it only the records at or after the moment in it: those of that very
//!    moment (there may be more than were seen), those of the lookback, and those of windows or
//!    partitions that were done before an earlier one. The state of a stream without a cursor
//!    says nothing, so all of it is read again.

pub(crate) mod run;
pub(crate) mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::computed_api::ComputedApi;
use run::{End, Extent, MANIFEST, Moment, Pace, Read, Reader};
use world::{Api, ENDS, STREAMS, Weather, World};

/// How many reads are killed, unless the environment says otherwise.
const N_KILLS: usize = 200;
/// The same where the server fails.
const N_KILLS_OF_FAILING: usize = 60;
/// So many reads are made of a chain, of which the last comes to its end.
const MAX_READS: usize = 30;
/// The environment variable that says otherwise.
const KILLS_VARIABLE: &str = "CRASH_KILLS";

/// States by stream.
pub(crate) type States = BTreeMap<String, Value>;

/// The records that came through and need not come again, by stream.
type Promised = BTreeMap<String, BTreeSet<String>>;

/// How long the texts in records are: mostly short, to be quick; but now and then so long that the
/// output is more than the pipe and the queue before it hold.
const N_CHARS: [usize; 4] = [100, 100, 100, 8_000];

#[test]
fn what_is_killed_goes_on_where_it_was() {
    let api = Api::default();
    let server = ComputedApi::start(move |asked| api.answer(asked));
    println!("{}", check_kills(&server, &server, n_kills().unwrap_or(N_KILLS)));
}

/// The server resets connections, closes them, fails, refuses, breaks off, and is slow: requests are
/// made again, and what they fail for good is read again.
#[test]
fn what_is_killed_goes_on_where_it_was_though_the_server_fails() {
    let [api, broken_api] = [Api::default(), Api::default()];
    let server = ComputedApi::start(move |asked| api.answer(asked));
    let weather = Weather::default();
    let broken =
        ComputedApi::start_beyond(move || weather.way(), move |asked| broken_api.answer(asked));
    println!("{}", check_kills(&server, &broken, n_kills().unwrap_or(N_KILLS_OF_FAILING)));
}

fn n_kills() -> Option<usize> {
    std::env::var(KILLS_VARIABLE).ok().map(|text| text.parse().unwrap())
}

/// Kills reads from `server`; what they should come to is what is read from `sound`. Tells how many
/// there were.
fn check_kills(sound: &ComputedApi, server: &ComputedApi, n_kills: usize) -> String {
    let may_fail = !std::ptr::eq(sound, server);
    let nothing = States::new();
    let read = |n_chars, end| {
        let pace = Pace { n_pieces: 1, pause: Duration::ZERO };
        let reader = Reader {
            manifest: MANIFEST,
            streams: &STREAMS,
            options: &[],
            url: sound.url_of(n_chars),
            n_workers: 4,
            pace,
            may_fail: false,
        };
        let read = reader.read(end, &nothing, None);
        check_read(&read, &World { end }, &STREAMS, &nothing);
        read
    };
    let yesterday = read(N_CHARS[0], ENDS[0]).states;
    let whole = N_CHARS.map(|n_chars| read(n_chars, ENDS[1]).extent);
    let [n_killed, n_failed, n_chains] = [const { AtomicUsize::new(0) }; 3];
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while n_killed.load(Ordering::Relaxed) < n_kills {
                    let seed = n_chains.fetch_add(1, Ordering::Relaxed);
                    let initial = if seed % 2 == 0 { &yesterday } else { &nothing };
                    let kind = seed / 2 % N_CHARS.len();
                    let reader = |random: &mut StdRng| Reader {
                        manifest: MANIFEST,
                        streams: &STREAMS,
                        options: &[],
                        url: server.url_of(N_CHARS[kind]),
                        n_workers: random.random_range(2..=8),
                        pace: Pace {
                            n_pieces: 1,
                            pause: Duration::from_micros(random.random_range(0..400)),
                        },
                        may_fail,
                    };
                    let chain = Chain { seed: seed as u64, initial, extent: whole[kind], reader };
                    let sum = chain.check();
                    n_killed.fetch_add(sum.n_killed, Ordering::Relaxed);
                    n_failed.fetch_add(sum.n_failed, Ordering::Relaxed);
                }
            });
        }
    });
    let [n_killed, n_failed, n_chains] =
        [n_killed, n_failed, n_chains].map(AtomicUsize::into_inner);
    format!("{n_killed} reads killed, {n_failed} failed, in {n_chains} chains")
}

/// Reads that follow one another, each from the states of the one before.
pub(crate) struct Chain<'a, R> {
    pub(crate) seed: u64,
    pub(crate) initial: &'a States,
    /// How much a whole read is, for the moments at which reads are killed.
    pub(crate) extent: Extent,
    /// Who makes the next read.
    pub(crate) reader: R,
}

/// What became of the reads of a chain.
#[expect(clippy::struct_field_names, reason = "all are counts")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sum {
    pub(crate) n_whole: usize,
    pub(crate) n_killed: usize,
    pub(crate) n_failed: usize,
    pub(crate) n_records: usize,
}

impl<'a, R: Fn(&mut StdRng) -> Reader<'a>> Chain<'_, R> {
    /// Reads, is killed, goes on, is perhaps killed again, and comes to the end.
    pub(crate) fn check(&self) -> Sum {
        let Self { seed, initial, extent, ref reader } = *self;
        let mut random = StdRng::seed_from_u64(seed);
        let world = World { end: ENDS[1] };
        let mut states = initial.clone();
        let mut promised = Promised::new();
        let n_kills = random.random_range(1..=3);
        let mut sum = Sum::default();
        let mut errors = Vec::new();
        while sum.n_killed + sum.n_failed < MAX_READS {
            let reader = reader(&mut random);
            let moment = (sum.n_killed < n_kills).then(|| choose_moment(&mut random, extent));
            let read = reader.read(world.end, &states, moment);
            let n_reads = sum.n_killed + sum.n_failed;
            let what = format!("seed {seed}, read {n_reads}, killed at {moment:?}");
            check_read(&read, &world, reader.streams, &states);
            for &stream in reader.streams {
                let promised = promised.entry(stream.to_owned()).or_default();
                promised.extend(read.promised(stream).iter().cloned());
            }
            sum.n_records += read.records.values().map(Vec::len).sum::<usize>();
            states.extend(read.states);
            errors = read.errors;
            match read.end {
                End::Whole => {
                    for (stream, promised) in &promised {
                        let state = initial.get(stream).unwrap_or(&Value::Null);
                        let wanted = world.left_by(state, stream);
                        let lost: Vec<_> = wanted.difference(promised).collect();
                        assert!(lost.is_empty(), "{what}: lost of {stream}: {lost:?}");
                    }
                    sum.n_whole += 1;
                    return sum;
                }
                End::Killed => sum.n_killed += 1,
                End::Failed => sum.n_failed += 1,
            }
        }
        panic!("seed {seed}: no read came to its end: {errors:?}");
    }
}

fn choose_moment(random: &mut StdRng, extent: Extent) -> Moment {
    match random.random_range(0..5) {
        0 => Moment::Elapsed(extent.duration.mul_f64(random.random_range(0.0..1.0))),
        1 => Moment::Bytes(random.random_range(0..extent.n_bytes)),
        2 => Moment::Closed(random.random_range(0..extent.n_bytes)),
        // Between one state and the next is where promises can be broken.
        _ => Moment::States(random.random_range(0..extent.n_states)),
    }
}

/// What a read printed is what its states left to be read; no more, and nothing twice. Its statuses
/// and its end fit that.
#[track_caller]
pub(crate) fn check_read(read: &Read, world: &World, streams: &[&str], states: &States) {
    for &stream in streams {
        let wanted = world.left_by(states.get(stream).unwrap_or(&Value::Null), stream);
        let records = read.records.get(stream).map(Vec::as_slice).unwrap_or_default();
        let printed: BTreeSet<_> = records.iter().cloned().collect();
        assert_eq!(printed.len(), records.len(), "{stream} repeats records");
        let superfluous: Vec<_> = printed.difference(&wanted).collect();
        assert!(superfluous.is_empty(), "{stream} repeats what was done: {superfluous:?}");
        let is_complete = read.statuses.get(stream).is_some_and(|status| status == "COMPLETE");
        assert!(is_complete || read.end != End::Whole, "{stream} is not complete");
        if is_complete {
            let lacking: Vec<_> = wanted.difference(&printed).collect();
            assert!(lacking.is_empty(), "{stream} lacks {lacking:?}");
        }
    }
    if read.end == End::Failed {
        let mut statuses = read.statuses.values();
        let is_told = statuses.any(|status| status == "INCOMPLETE");
        assert!(is_told, "it failed without saying where: {:?}", read.errors);
    }
}
