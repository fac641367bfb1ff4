//! Processes that live as long as the soaking: what they hold must not grow.

use std::io::Read as _;
use std::process::Child;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::api::{Api, OPTIONS};
use super::cases::Case;
use super::{Until, wait};
use crate::builder::server::Server;
use crate::computed_api::ComputedApi;
use crate::crash::world::ENDS;
use crate::fault_server::{Door, FaultServer};
use crate::{process, scale};

/// So many samples are needed to say that something grows.
const N_SAMPLES: usize = 40;
/// What a process may take in any case, in KiB.
const MAX_KIB: u64 = 300 << 10;
/// Between two samples of a read.
const N_PIECES: usize = 200;

/// What a process held at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) kib: u64,
    pub(super) n_threads: u64,
    pub(super) n_open: u64,
}

impl Sample {
    fn of(child: &Child) -> Option<Self> {
        Some(Self {
            kib: process::status(child, "VmRSS:")?,
            n_threads: process::status(child, "Threads:")?,
            n_open: process::n_open(child)?.try_into().unwrap(),
        })
    }
}

/// What a process held, and what it had done by then.
#[derive(Debug, Default)]
pub(super) struct Life {
    pub(super) samples: Vec<Sample>,
    /// Records, or answers.
    pub(super) n_done: usize,
}

impl Life {
    /// What grows, if something does: the median of the last quarter is held against that of the
    /// second one, as the first is for warming up.
    pub(super) fn growth(&self) -> Option<String> {
        let most = self.samples.iter().map(|sample| sample.kib).max().unwrap_or(0);
        if most > MAX_KIB {
            return Some(format!("{most} KiB"));
        }
        let quarter = self.samples.len() / 4;
        if self.samples.len() < N_SAMPLES {
            return None;
        }
        let median = |samples: &[Sample], of: fn(&Sample) -> u64| {
            let mut values: Vec<_> = samples.iter().map(of).collect();
            values.sort_unstable();
            values[values.len() / 2]
        };
        let early = &self.samples[quarter..2 * quarter];
        let late = &self.samples[self.samples.len() - quarter..];
        let grows = |what: &str, of, slack: fn(u64) -> u64| {
            let (before, after) = (median(early, of), median(late, of));
            (after > before + slack(before)).then(|| format!("{what}: {before}, then {after}"))
        };
        grows("KiB of memory", |it| it.kib, |before| before / 10 + (4 << 10))
            .or_else(|| grows("threads", |it| it.n_threads, |_| 1))
            .or_else(|| grows("files and sockets", |it| it.n_open, |_| 2))
    }
}

/// One read whose partitions never end.
pub(super) fn endless_read(until: &Until) -> Life {
    let server = ComputedApi::start(|asked| scale::api(asked, i64::MAX));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url_of("api");
    let children = scale::substream(&url, "children", &scale::parents(&url), false);
    let mut child = scale::start_read(folder.path(), &children);
    let mut stdout = child.stdout.take().unwrap();
    let mut life = Life::default();
    let mut piece = vec![0; 16 << 10];
    for n_pieces in 1.. {
        let n_read = stdout.read(&mut piece).unwrap();
        assert!(n_read > 0, "the endless read has come to its end: {:?}", child.wait());
        let is_start = |part: &&[u8]| *part == br#""type":"RECORD""#;
        life.n_done += piece[..n_read].windows(15).filter(is_start).count();
        if n_pieces % N_PIECES == 0 {
            life.samples.extend(Sample::of(&child));
        }
        if until.is_over() {
            break;
        }
        wait(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    life
}

/// One server of the Connector Builder, which is asked for test reads of random manifests, and for
/// what else it can do with them.
pub(super) fn busy_builder(until: &Until) -> Life {
    let [_, first_byte, _, silence] = OPTIONS;
    let timeouts = [("SDM_TIMEOUT_FIRST_BYTE", first_byte), ("SDM_TIMEOUT_SILENCE", silence)];
    let server = Server::start(&timeouts);
    let mut life = Life::default();
    while !until.is_over() {
        // Few enough that each comes often.
        let seed = (life.n_done / 4 % 50) as u64;
        let case = Case::new(seed);
        let api = Arc::new(Api::new(seed, &case));
        let serve = Arc::clone(&api);
        let faults = FaultServer::start(Door::Plain, seed, move |it| serve.serve(it));
        let manifest: serde_json::Value = serde_json::from_str(&case.manifest).unwrap();
        let url = format!("http://{}/{}", faults.authority(), case.n_chars);
        let body = json!({
            "manifest": manifest,
            "config": {"url": url, "end": ENDS[1].to_string(), "n_workers": 4},
            "stream_name": case.streams[life.n_done / 200 % case.streams.len()],
            "page_limit": 3, "slice_limit": 3, "record_limit": 100,
        });
        for what in ["test_read", "resolve", "check", "discover"] {
            let reply = server.post(&format!("/v1/manifest/{what}"), &body);
            assert!(reply.status == 200 || reply.status == 400, "{what}: {}", reply.status);
            life.n_done += 1;
        }
        life.samples.extend(Sample::of(server.process()));
        wait(Duration::from_millis(50));
    }
    life
}
