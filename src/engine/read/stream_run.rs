//! One stream while it is read: its status, its counts, its states.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{debug, error, info};

use crate::components::{LineFrame, ReadError, Stream};
use crate::protocol::message::StreamStatus;
use crate::protocol::{FileReference, Message, RecordFrame, TracedError};
use crate::run::ledger::{self, Account, Spent};
use crate::value::{Json, Map, StreamSlice, write_python_text_repr, write_record_data};

use super::super::Output;

/// A stream that is being read.
pub(super) struct StreamRun {
    pub(super) stream: Arc<Stream>,
    pub(super) output: Output,
    /// What is spent on the stream.
    pub(super) account: Arc<Account>,
    frame: RecordFrame,
    /// Guards the order of what is printed of the stream; never held while waiting.
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// Slices made, and not read to their end yet.
    n_open_slices: usize,
    /// Whether there will be no further slices.
    is_made: bool,
    is_running: bool,
    is_ended: bool,
    n_records: u64,
    /// Records printed since the last state.
    n_since_state: u64,
    failures: Vec<String>,
}

impl StreamRun {
    pub(super) fn new(stream: Arc<Stream>, output: Output) -> Self {
        let frame = RecordFrame::new(&stream.name);
        let account = output.run.ledger().open(&stream.name);
        Self { stream, output, account, frame, progress: Mutex::default() }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // Nothing that can panic runs under the lock.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the stream was read to its end, and its last status printed.
    pub(super) fn is_ended(&self) -> bool {
        self.progress().is_ended
    }

    /// What went wrong, each as Python would print the exception.
    pub(super) fn failures(&self) -> Vec<String> {
        self.progress().failures.clone()
    }

    pub(super) async fn start(&self) {
        let name = &self.stream.name;
        info!("Marking stream {name} as STARTED");
        info!("Syncing stream: {name}");
        self.print_status(StreamStatus::Started).await;
    }

    /// A slice was made.
    pub(super) fn open_slice(&self) {
        self.progress().n_open_slices += 1;
    }

    pub(super) fn log_slice(slice: &StreamSlice) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            let slice: Map =
                slice.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
            debug!("slice:{}", Json::Object(slice));
        }
    }

    /// Appends the line of one record, with the file that it stands for; none for a record
    /// without fields, which the platform would drop, but count on. Tells whether there is one.
    pub(super) fn append_line(
        &self,
        lines: &mut Vec<u8>,
        record: &Json,
        file: Option<&FileReference>,
        emitted_at: i64,
    ) -> Result<bool, ReadError> {
        let Json::Object(data) = record else {
            let message = format!("a record is an object, and this is none: {record}");
            return Err(ReadError::value(message));
        };
        if data.values().all(Json::is_null) {
            return Ok(false);
        }
        self.frame.open(lines);
        write_record_data(data, lines);
        match file {
            Some(file) => RecordFrame::close_with_file(lines, emitted_at, file),
            None => RecordFrame::close(lines, emitted_at),
        }
        Ok(true)
    }

    /// What stands around a record on its line.
    pub(super) fn line_frame(&self, emitted_at: i64) -> LineFrame {
        let mut frame = LineFrame::default();
        self.frame.open(&mut frame.open);
        RecordFrame::close(&mut frame.close, emitted_at);
        frame
    }

    /// Prints whole lines of records, when there is room for them.
    pub(super) async fn print(&self, lines: Vec<u8>, n_records: u64) -> Result<(), ReadError> {
        let room = ledger::spend(Spent::Output, self.output.writer.room(lines.len())).await;
        let room = room.map_err(|_| ReadError::Cancelled)?;
        self.account.count_records(n_records);
        // Counted and queued in one step: a state that comes between would count wrong.
        let mut progress = self.progress();
        if !std::mem::replace(&mut progress.is_running, true) {
            info!("Marking stream {} as RUNNING", self.stream.name);
            self.output.writer.write_message_now(&self.status(StreamStatus::Running));
        }
        progress.n_records += n_records;
        progress.n_since_state += n_records;
        room.write(lines, n_records);
        Ok(())
    }

    /// Takes note of how the reading of a slice ended.
    pub(super) async fn close_slice(&self, slice: &StreamSlice, read: Result<(), ReadError>) {
        match read {
            Ok(()) => {
                let closed = {
                    // The state is made and queued in one step: an older one must not overtake it.
                    let mut progress = self.progress();
                    let closed = self.stream.cursor.close_slice(slice);
                    closed.map(|state| self.queue_state(&mut progress, state))
                };
                if let Err(err) = closed {
                    self.fail(err).await;
                }
            }
            Err(err) => self.fail(err).await,
        }
        let is_last = {
            let mut progress = self.progress();
            progress.n_open_slices -= 1;
            progress.is_made && progress.n_open_slices == 0
        };
        if is_last {
            self.end().await;
        }
    }

    /// There will be no further slices.
    pub(super) async fn end_making(&self) {
        let is_last = {
            let mut progress = self.progress();
            progress.is_made = true;
            progress.n_open_slices == 0
        };
        if is_last {
            self.end().await;
        }
    }

    /// Reports an error; the stream goes on with its other slices.
    pub(super) async fn fail(&self, err: ReadError) {
        let name = &self.stream.name;
        let Some((traced, exception)) = traced(err, name) else { return };
        error!("Exception while syncing stream {name}\n{exception}");
        self.progress().failures.push(exception);
        let message = traced.to_message(&self.output.secrets, self.output.run.now());
        // When nobody reads any more, nobody needs to hear of it.
        let _ = self.output.writer.write_message(&message).await;
    }

    async fn end(&self) {
        let name = &self.stream.name;
        let finished = {
            let mut progress = self.progress();
            self.stream.cursor.finish().map(|state| self.queue_state(&mut progress, state))
        };
        if let Err(err) = finished {
            self.fail(err).await;
        }
        let (n_records, has_failed) = {
            let progress = self.progress();
            (progress.n_records, !progress.failures.is_empty())
        };
        info!("Read {n_records} records from {name} stream");
        info!("Marking stream {name} as STOPPED");
        info!("Finished syncing {name}");
        let status = if has_failed { StreamStatus::Incomplete } else { StreamStatus::Complete };
        self.print_status(status).await;
        self.progress().is_ended = true;
    }

    fn queue_state(&self, progress: &mut Progress, state: Option<Map>) {
        if let Some(state) = state {
            let n_records = std::mem::take(&mut progress.n_since_state);
            let message = Message::state(self.stream.name.as_str(), state, n_records);
            self.output.writer.write_message_now(&message);
        }
    }

    async fn print_status(&self, status: StreamStatus) {
        // When nobody reads any more, the run ends; nothing is to be done here.
        let _ = self.output.writer.write_message(&self.status(status)).await;
    }

    fn status(&self, status: StreamStatus) -> Message {
        Message::stream_status(self.stream.name.as_str(), status, None, self.output.run.now())
    }
}

/// What is told of an error in `stream`, and the exception that it is in the reference; nothing of
/// the end of a run.
pub(in crate::engine) fn traced(err: ReadError, stream: &str) -> Option<(TracedError, String)> {
    let (traced, exception) = match err {
        ReadError::Cancelled => return None,
        ReadError::Traced(traced) => {
            let text = traced.internal_message.as_ref().or(traced.message.as_ref());
            let exception = python_exception("AirbyteTracedException", text);
            (*traced, exception)
        }
        ReadError::Unexpected { class, message } => {
            let text = format!("An unexpected error occurred in stream {stream}: {class}");
            let exception = python_exception(class, Some(&message));
            (TracedError::system(text).with_internal(message), exception)
        }
    };
    Some((traced.in_stream(stream), exception))
}

/// An exception as Python's `repr` shows it.
fn python_exception(class: &str, text: Option<&String>) -> String {
    let mut exception = format!("{class}(");
    match text {
        Some(text) => write_python_text_repr(text, &mut exception),
        None => exception.push_str("None"),
    }
    exception.push(')');
    exception
}
