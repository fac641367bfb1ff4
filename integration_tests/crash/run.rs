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
use super::world::STREAMS;
use crate::binary::command;

/// No read has this much to do.
const LIMIT: Duration = Duration::from_mins(1);

/// When a read is killed, unless it has come to its end before.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So long after it was started.
    Elapsed(Duration),
    /// When so many bytes were taken from its output.
    Bytes(usize),
    /// When so many states were seen.
    States(usize),
}

/// How a read is run.
pub(super) struct Reader {
    pub(super) url: String,
    /// How many slices are read at a time.
    pub(super) n_workers: u32,
    /// How long whoever reads the output lets it wait after each piece of it.
    pub(super) pause: Duration,
    /// Whether the read may come to its end without success.
    pub(super) may_fail: bool,
}

/// How a read ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It read all.
    Whole,
    /// It could not read all.
    Failed,
    /// It was killed.
    Killed,
}

/// What came out of a read.
pub(super) struct Read {
    pub(super) end: End,
    pub(super) duration: Duration,
    pub(super) n_bytes: usize,
    pub(super) n_states: usize,
    /// The keys of the records of each stream, in their order.
    pub(super) records: BTreeMap<String, Vec<String>>,
    /// The last state of each stream.
    pub(super) states: States,
    /// How many records of each stream came before its last state.
    n_promised: BTreeMap<String, usize>,
}

impl Reader {
    /// Reads all streams from `states` up to `end`; kills the read at `moment`.
    pub(super) fn read(&self, end: i64, states: &States, moment: Option<Moment>) -> Read {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, content: &Value| {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        };
        put(
            "config.json",
            &json!({"url": self.url, "end": end.to_string(), "n_workers": self.n_workers}),
        );
        put("catalog.json", &catalog());
        put("state.json", &states.iter().map(state_message).collect());
        fs::write(folder.path().join("manifest.yaml"), include_str!("manifest.yaml")).unwrap();
        let started = Instant::now();
        let mut child = command()
            .current_dir(folder.path())
            .args(["read", "--config", "config.json", "--catalog", "catalog.json"])
            .args(["--manifest-path", "manifest.yaml", "--state", "state.json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let output = take_output(&mut child, self.pause, moment, started);
        let status = child.wait().unwrap();
        let stderr = fs::read_to_string(folder.path().join("stderr")).unwrap();
        let text = String::from_utf8_lossy(&output);
        assert!(
            status.success()
                || (moment.is_some() && status.code().is_none())
                || (self.may_fail && status.code() == Some(1)),
            "{status}: {stderr}{}",
            text.lines().filter(|line| line.contains("TRACE")).collect::<Vec<_>>().join("\n")
        );
        let end = match status.code() {
            Some(0) => End::Whole,
            Some(_) => End::Failed,
            None => End::Killed,
        };
        Read::of_output(&text, end, started.elapsed())
    }
}

fn catalog() -> Value {
    let streams = STREAMS.map(|name| {
        json!({
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh", "incremental"]},
            "sync_mode": "incremental",
            "destination_sync_mode": "append",
        })
    });
    json!({"streams": streams})
}

fn state_message((stream, state): (&String, &Value)) -> Value {
    let stream = json!({"stream_descriptor": {"name": stream}, "stream_state": state});
    json!({"type": "STREAM", "stream": stream})
}

/// All that `child` prints until it ends, or is killed at `moment`. What is in the pipe by then
/// comes through, as it does to a platform.
fn take_output(
    child: &mut Child,
    pause: Duration,
    moment: Option<Moment>,
    started: Instant,
) -> Vec<u8> {
    let pieces = pieces(child.stdout.take().unwrap());
    let deadline = match moment {
        Some(Moment::Elapsed(duration)) => started + duration,
        _ => started + LIMIT,
    };
    let mut output = Vec::new();
    let mut n_states = 0;
    loop {
        match pieces.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(piece) => {
                n_states += piece.windows(STATE.len()).filter(|part| *part == STATE).count();
                output.extend(piece);
            }
            Err(RecvTimeoutError::Disconnected) => return output,
            Err(RecvTimeoutError::Timeout) => {
                assert!(matches!(moment, Some(Moment::Elapsed(_))), "the read hangs");
            }
        }
        let is_time = moment.is_some_and(|moment| match moment {
            Moment::Elapsed(_) => Instant::now() >= deadline,
            Moment::Bytes(n_bytes) => output.len() > n_bytes,
            Moment::States(n) => n_states > n,
        });
        if is_time {
            child.kill().unwrap();
            output.extend(pieces.iter().flatten());
            return output;
        }
        wait(pause);
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
    fn of_output(text: &str, end: End, duration: Duration) -> Self {
        let mut read = Self {
            end,
            duration,
            n_bytes: text.len(),
            n_states: 0,
            records: BTreeMap::new(),
            states: States::new(),
            n_promised: BTreeMap::new(),
        };
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            let message: Value = serde_json::from_str(line).unwrap();
            match message["type"].as_str() {
                Some("RECORD") => {
                    let stream = message["record"]["stream"].as_str().unwrap().to_owned();
                    let key = message["record"]["data"]["key"].as_str().unwrap().to_owned();
                    read.records.entry(stream).or_default().push(key);
                }
                Some("STATE") => {
                    let state = &message["state"]["stream"];
                    let stream = state["stream_descriptor"]["name"].as_str().unwrap().to_owned();
                    let n_records = read.records.get(&stream).map_or(0, Vec::len);
                    read.n_states += 1;
                    read.n_promised.insert(stream.clone(), n_records);
                    read.states.insert(stream, state["stream_state"].clone());
                }
                _ => {}
            }
        }
        read
    }

    /// The records of a stream that came before its last state.
    pub(super) fn promised(&self, stream: &str) -> &[String] {
        let n_promised = self.n_promised.get(stream).copied().unwrap_or(0);
        self.records.get(stream).map_or(&[], |records| &records[..n_promised])
    }
}
