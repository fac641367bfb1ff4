//! One read of the binary, which may be killed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::States;
use crate::binary::command;
#[cfg(target_os = "linux")]
use crate::process;

/// Every way of keeping state.
pub(crate) const MANIFEST: &str = include_str!("manifest.yaml");

/// No read has this much to do.
const LIMIT: Duration = Duration::from_mins(3);

/// When a read is killed, unless it has come to its end before.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// So long after it was started.
    Elapsed(Duration),
    /// When so many bytes were taken from its output.
    Bytes(usize),
    /// When so many states were seen.
    States(usize),
    /// Its output is closed when so many bytes were taken from it, and it has to end by itself.
    Closed(usize),
}

/// How fast whoever reads the output takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// After so many pieces…
    pub(crate) n_pieces: usize,
    /// …the read has to wait so long.
    pub(crate) pause: Duration,
}

/// How a read is run.
pub(crate) struct Reader<'a> {
    pub(crate) manifest: &'a str,
    pub(crate) streams: &'a [&'static str],
    pub(crate) options: &'a [&'a str],
    pub(crate) url: String,
    /// How many slices are read at a time.
    pub(crate) n_workers: u32,
    pub(crate) pace: Pace,
    /// Whether the read may come to its end without success.
    pub(crate) may_fail: bool,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It read all.
    Whole,
    /// It could not read all.
    Failed,
    /// It was killed, or its output was closed.
    Killed,
}

/// What came out of a read.
pub(crate) struct Read {
    pub(crate) end: End,
    pub(crate) extent: Extent,
    /// The keys of the records of each stream, in their order.
    pub(crate) records: BTreeMap<String, Vec<String>>,
    /// The last state of each stream.
    pub(crate) states: States,
    /// The last status of each stream.
    pub(crate) statuses: BTreeMap<String, String>,
    /// What went wrong, as people are told it.
    pub(crate) errors: Vec<String>,
    /// The most memory that it took, in KiB, as far as that was seen.
    pub(crate) peak_kib: u64,
    /// How many records of each stream came before its last state.
    n_promised: BTreeMap<String, usize>,
}

/// How much a read is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) duration: Duration,
    pub(crate) n_bytes: usize,
    pub(crate) n_states: usize,
}

impl Reader<'_> {
    /// Reads its streams from `states` up to `end`; kills the read at `moment`.
    pub(crate) fn read(&self, end: i64, states: &States, moment: Option<Moment>) -> Read {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, content: &Value| {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        };
        put(
            "config.json",
            &json!({"url": self.url, "end": end.to_string(), "n_workers": self.n_workers}),
        );
        put("catalog.json", &catalog(self.streams));
        put("state.json", &states.iter().map(state_message).collect());
        fs::write(folder.path().join("manifest.yaml"), self.manifest).unwrap();
        let started = Instant::now();
        let mut child = command()
            .current_dir(folder.path())
            .args(["read", "--config", "config.json", "--catalog", "catalog.json"])
            .args(["--manifest-path", "manifest.yaml", "--state", "state.json"])
            .args(self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let output = take_output(&mut child, self.pace, moment, started);
        let status = child.wait().unwrap();
        let stderr = fs::read_to_string(folder.path().join("stderr")).unwrap();
        let text = String::from_utf8_lossy(&output.bytes);
        let end = match status.code() {
            // What it printed after that nobody has seen.
            Some(0 | 1) if output.is_closed => End::Killed,
            Some(0) => End::Whole,
            Some(_) => End::Failed,
            None => End::Killed,
        };
        let may_end_so = match end {
            End::Whole => true,
            End::Failed => self.may_fail && status.code() == Some(1),
            End::Killed => moment.is_some(),
        };
        assert!(
            may_end_so && !stderr.contains("panicked"),
            "{status}: {stderr}{}",
            text.lines().filter(|line| line.contains("TRACE")).collect::<Vec<_>>().join("\n")
        );
        Read::of_output(&text, end, started.elapsed(), output.peak_kib)
    }
}

fn catalog(streams: &[&str]) -> Value {
    let configured = streams.iter().map(|name| {
        json!({
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        })
    });
    json!({"streams": configured.collect::<Vec<_>>()})
}

fn state_message((stream, state): (&String, &Value)) -> Value {
    let stream = json!({"stream_descriptor": {"name": stream}, "stream_state": state});
    json!({"type": "STREAM", "stream": stream})
}

/// What came out of a process.
struct Output {
    bytes: Vec<u8>,
    is_closed: bool,
    peak_kib: u64,
}

/// All that `child` prints until it ends, or is killed at `moment`. What is in the pipe by then
/// comes through, as it does to a platform.
fn take_output(child: &mut Child, pace: Pace, moment: Option<Moment>, started: Instant) -> Output {
    let pieces = pieces(child.stdout.take().unwrap());
    let deadline = match moment {
        Some(Moment::Elapsed(duration)) => started + duration,
        _ => started + LIMIT,
    };
    let mut output = Output { bytes: Vec::new(), is_closed: false, peak_kib: 0 };
    let mut n_states = 0;
    for n_pieces in 1.. {
        match pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => {
                n_states += piece.windows(STATE.len()).filter(|part| *part == STATE).count();
                output.bytes.extend(piece);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                assert!(matches!(moment, Some(Moment::Elapsed(_))), "the read hangs");
            }
        }
        output.peak_kib = peak_kib(child).unwrap_or(output.peak_kib);
        let n_bytes = output.bytes.len();
        match moment {
            Some(Moment::Closed(limit)) if n_bytes > limit => {
                drop(pieces);
                end_within_limit(child);
                output.is_closed = true;
                break;
            }
            Some(Moment::Elapsed(_)) if Instant::now() < deadline => {}
            Some(Moment::Bytes(limit)) if n_bytes <= limit => {}
            Some(Moment::States(limit)) if n_states <= limit => {}
            None | Some(Moment::Closed(_)) => {}
            Some(_) => {
                child.kill().unwrap();
                output.bytes.extend(pieces.iter().flatten());
                break;
            }
        }
        if n_pieces % pace.n_pieces == 0 {
            wait(pace.pause);
        }
    }
    output
}

#[cfg(target_os = "linux")]
use process::peak_kib;

#[cfg(not(target_os = "linux"))]
fn peak_kib(_: &Child) -> Option<u64> {
    None
}

/// Waits until a process has ended by itself.
fn end_within_limit(child: &mut Child) {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("the read goes on though nobody reads its output");
        }
        wait(Duration::from_millis(5));
    }
}

/// How the line of a state begins.
const STATE: &[u8] = br#"{"type":"STATE""#;

#[expect(clippy::disallowed_methods, reason = "a slow reader of the output is what is tested")]
fn wait(pause: Duration) {
    thread::sleep(pause);
}

/// The pieces that a pipe gives, none before it is asked for but one.
fn pieces(mut pipe: ChildStdout) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(0);
    thread::spawn(move || {
        loop {
            let mut piece = vec![0; 16 << 10];
            let n_read = pipe.read(&mut piece).unwrap();
            piece.truncate(n_read);
            if n_read == 0 || sender.send(piece).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Read {
    /// What whole lines of output say; half a line at the end says nothing.
    fn of_output(text: &str, end: End, duration: Duration, peak_kib: u64) -> Self {
        let mut read = Self {
            end,
            extent: Extent { duration, n_bytes: text.len(), n_states: 0 },
            records: BTreeMap::new(),
            states: States::new(),
            statuses: BTreeMap::new(),
            errors: Vec::new(),
            peak_kib,
            n_promised: BTreeMap::new(),
        };
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let message: Value = serde_json::from_str(line).unwrap();
            match message["type"].as_str() {
                Some("RECORD") => {
                    let stream = message["record"]["stream"].as_str().unwrap().to_owned();
                    let key = message["record"]["data"]["key"].as_str();
                    let key = key.unwrap_or_else(|| panic!("this has no key: {line}")).to_owned();
                    read.records.entry(stream).or_default().push(key);
                }
                Some("STATE") => {
                    let state = &message["state"]["stream"];
                    let stream = state["stream_descriptor"]["name"].as_str().unwrap().to_owned();
                    let n_records = read.records.get(&stream).map_or(0, Vec::len);
                    read.extent.n_states += 1;
                    read.n_promised.insert(stream.clone(), n_records);
                    read.states.insert(stream, state["stream_state"].clone());
                }
                // With a reason it tells of a wait, as of a parent that is read on for its children.
                _ if message["trace"]["stream_status"]["status"].is_string()
                    && message["trace"]["stream_status"]["reasons"].is_null() =>
                {
                    let status = &message["trace"]["stream_status"];
                    let stream = status["stream_descriptor"]["name"].as_str().unwrap();
                    let status = status["status"].as_str().unwrap();
                    read.statuses.insert(stream.to_owned(), status.to_owned());
                }
                _ if message["trace"]["type"] == "ERROR" => {
                    let error = &message["trace"]["error"];
                    read.errors.push(format!("{} {}", error["message"], error["internal_message"]));
                }
                _ => {}
            }
        }
        read
    }

    /// The records of a stream that came before its last state.
    pub(crate) fn promised(&self, stream: &str) -> &[String] {
        let n_promised = self.n_promised.get(stream).copied().unwrap_or(0);
        self.records.get(stream).map_or(&[], |records| &records[..n_promised])
    }
}
