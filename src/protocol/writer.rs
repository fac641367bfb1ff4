//! The only writer of stdout: many producers, one thread that writes.
//!
//! Chunks of whole lines wait in one queue. Asynchronous producers wait for
//! room in it, so a reader of stdout that stalls stalls the run, and memory
//! stays bounded. Log lines come from anywhere, also from threads that must not
//! wait, so they may exceed the bound; they die out with the work that logs.
//!
//! **Invariant:** no lock is held while bytes are written, so a stalled stdout
//! blocks neither timers nor the refreshing of tokens.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::message::Message;

/// How many bytes of records may wait: enough to bridge a pause of the
/// platform's reader, little beside what a run needs anyway.
const QUEUE_LIMIT: usize = 256 << 10;
/// With so many bytes waiting it pays to write; a pipe holds as much.
const WRITE_SIZE: usize = 64 << 10;
/// How long bytes wait for company; the reference holds them as long.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);
/// How many empty buffers are kept for the next chunks, and how large one may be: while the buffer
/// of one page is written, the other is filled.
const SPARE_BUFFERS: usize = 1;
const SPARE_CAPACITY: usize = 1 << 20;

/// A handle on the output; clones write to the same.
#[derive(Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

/// The thread behind a [`Writer`]; ended by [`Self::finish`].
#[derive(Debug)]
#[must_use = "what is still queued is lost unless the thread is finished"]
pub struct WriterThread {
    writer: Writer,
    thread: JoinHandle<io::Result<()>>,
}

/// Nobody reads the output any more: the run must end, quietly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the output was closed by its reader")]
pub struct Closed;

/// Room in the queue for one chunk; given back when the chunk is written, or this is dropped.
#[must_use = "room that nothing is written into holds others up"]
pub struct Room {
    shared: Arc<Shared>,
    n_permits: u32,
}

impl Room {
    /// Queues whole lines that hold `n_records` records; does not wait.
    pub fn write(self, lines: Vec<u8>, n_records: u64) {
        self.shared.n_records.fetch_add(n_records, Ordering::Relaxed);
        self.push(lines, false);
    }

    fn push(mut self, bytes: Vec<u8>, is_urgent: bool) {
        let n_permits = std::mem::take(&mut self.n_permits);
        self.shared.push(Chunk { bytes, n_permits }, is_urgent);
    }
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room").field("n_bytes", &self.n_permits).finish_non_exhaustive()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.room.add_permits(self.n_permits as usize);
    }
}

struct Shared {
    queue: Mutex<Queue>,
    /// Tells the thread that the queue is worth a look.
    is_due: Condvar,
    /// The bytes that asynchronous producers may still queue.
    room: Semaphore,
    progress: watch::Sender<Progress>,
    n_records: AtomicU64,
}

#[derive(Default)]
struct Queue {
    chunks: Vec<Chunk>,
    n_bytes: usize,
    /// How many chunks ever were queued.
    n_queued: u64,
    /// Something waits that must not wait for company.
    is_urgent: bool,
    is_finished: bool,
    is_closed: bool,
    spare: Vec<Vec<u8>>,
}

struct Chunk {
    bytes: Vec<u8>,
    /// The room that comes back when it is written.
    n_permits: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// How many chunks ever were written and flushed.
    n_written: u64,
    is_closed: bool,
}

/// Prints the answer of a command that does not speak the protocol.
pub fn print(answer: &[u8]) -> io::Result<()> {
    let mut stdout = stdout();
    stdout.write_all(answer)?;
    stdout.flush()
}

/// Whether somebody watches what is printed.
pub fn is_terminal() -> bool {
    stdout().is_terminal()
}

#[expect(clippy::disallowed_methods, reason = "the one place that prints")]
fn stdout() -> io::Stdout {
    io::stdout()
}

impl Writer {
    /// The writer of this process's stdout.
    pub fn stdout() -> io::Result<(Self, WriterThread)> {
        Self::spawn(stdout())
    }

    /// A writer that nobody reads: what is written to it is dropped.
    pub fn to_nobody() -> Self {
        let shared = Arc::new(Shared::default());
        shared.close();
        Self { shared }
    }

    /// A writer to any `sink`.
    pub fn spawn<W: Write + Send + 'static>(sink: W) -> io::Result<(Self, WriterThread)> {
        let shared = Arc::new(Shared::default());
        let writer = Self { shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || shared.write_all(sink))?;
        Ok((writer.clone(), WriterThread { writer, thread }))
    }

    /// An empty buffer for the next chunk; buffers come back when they are written.
    pub fn buffer(&self) -> Vec<u8> {
        self.shared.queue().spare.pop().unwrap_or_default()
    }

    /// Queues whole lines that hold `n_records` records, when there is room for them.
    ///
    /// Chunks and messages that one task writes are printed in its order.
    pub async fn write_chunk(&self, lines: Vec<u8>, n_records: u64) -> Result<(), Closed> {
        self.room(lines.len()).await?.write(lines, n_records);
        Ok(())
    }

    /// Waits for room for `n_bytes`; what is written into it then is queued at once.
    pub async fn room(&self, n_bytes: usize) -> Result<Room, Closed> {
        // A chunk larger than the whole queue waits until the queue is empty.
        let n_permits = u32::try_from(n_bytes.min(QUEUE_LIMIT)).unwrap_or(u32::MAX);
        let room = self.shared.room.acquire_many(n_permits).await.map_err(|_| Closed)?;
        room.forget();
        Ok(Room { shared: Arc::clone(&self.shared), n_permits })
    }

    /// Queues a message when there is room for it.
    pub async fn write_message(&self, message: &Message) -> Result<(), Closed> {
        let line = self.line(message);
        self.room(line.len()).await?.push(line, message.is_urgent());
        Ok(())
    }

    /// Queues a message at once, whether there is room or not; for what must
    /// not wait, as log lines. Does nothing when nobody reads.
    pub fn write_message_now(&self, message: &Message) {
        self.shared.push(Chunk { bytes: self.line(message), n_permits: 0 }, message.is_urgent());
    }

    /// Waits until all that was queued before is in the hands of the system.
    pub async fn flush(&self) -> Result<(), Closed> {
        let n_queued = {
            let mut queue = self.shared.queue();
            queue.is_urgent = true;
            queue.n_queued
        };
        self.shared.is_due.notify_one();
        let progress = self.wait_for(|progress| progress.n_written >= n_queued).await;
        if progress.n_written >= n_queued { Ok(()) } else { Err(Closed) }
    }

    /// Waits until nobody reads the output any more.
    pub async fn closed(&self) {
        self.wait_for(|_| false).await;
    }

    /// Whether nobody reads the output any more.
    pub fn is_closed(&self) -> bool {
        self.shared.progress.borrow().is_closed
    }

    /// How many records were queued so far.
    pub fn n_records(&self) -> u64 {
        self.shared.n_records.load(Ordering::Relaxed)
    }

    async fn wait_for(&self, mut is_met: impl FnMut(&Progress) -> bool) -> Progress {
        let mut progress = self.shared.progress.subscribe();
        let met = progress.wait_for(|now| now.is_closed || is_met(now)).await.map(|now| *now);
        // The sender lives in `self`, so the channel cannot end before this does.
        met.unwrap_or(Progress { n_written: 0, is_closed: true })
    }

    fn line(&self, message: &Message) -> Vec<u8> {
        let mut line = self.buffer();
        // Messages hold nothing that JSON cannot express, and a vector takes all bytes.
        let written = serde_json::to_writer(&mut line, message);
        debug_assert!(written.is_ok(), "{written:?}");
        line.push(b'\n');
        line
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("n_records", &self.n_records()).finish_non_exhaustive()
    }
}

impl WriterThread {
    /// Waits until everything queued is written; the error is that of the first
    /// write that failed, which may have been long ago.
    pub fn finish(self) -> io::Result<()> {
        self.writer.shared.queue().is_finished = true;
        self.writer.shared.is_due.notify_one();
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the output thread panicked")))
    }
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            is_due: Condvar::new(),
            room: Semaphore::new(QUEUE_LIMIT),
            progress: watch::Sender::default(),
            n_records: AtomicU64::new(0),
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that can panic runs under the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, chunk: Chunk, is_urgent: bool) {
        let mut queue = self.queue();
        if queue.is_closed {
            return;
        }
        let was_idle = queue.chunks.is_empty();
        queue.n_bytes += chunk.bytes.len();
        queue.n_queued += 1;
        queue.chunks.push(chunk);
        queue.is_urgent |= is_urgent;
        if was_idle || queue.must_be_written() {
            self.is_due.notify_one();
        }
    }

    /// The life of the thread.
    fn write_all<W: Write>(&self, sink: W) -> io::Result<()> {
        let mut sink = BufWriter::with_capacity(WRITE_SIZE, sink);
        let outcome = loop {
            let Some(chunks) = self.next_chunks() else { break Ok(()) };
            if let Err(err) = self.write_chunks(chunks, &mut sink) {
                break Err(err);
            }
        };
        // Dropping the buffer would try to write again what just has failed.
        let _ = sink.into_parts();
        self.close();
        outcome
    }

    /// Waits for chunks that are worth writing; none when all is done.
    fn next_chunks(&self) -> Option<Vec<Chunk>> {
        let recovered = PoisonError::into_inner;
        let mut queue = self
            .is_due
            .wait_while(self.queue(), |queue| queue.chunks.is_empty() && !queue.is_finished)
            .unwrap_or_else(recovered);
        if !queue.must_be_written() {
            let waited = self
                .is_due
                .wait_timeout_while(queue, FLUSH_INTERVAL, |queue| !queue.must_be_written());
            queue = waited.map_or_else(|err| err.into_inner().0, |(queue, _)| queue);
        }
        queue.n_bytes = 0;
        queue.is_urgent = false;
        let chunks = std::mem::take(&mut queue.chunks);
        (!chunks.is_empty()).then_some(chunks)
    }

    fn write_chunks<W: Write>(&self, chunks: Vec<Chunk>, sink: &mut W) -> io::Result<()> {
        let n_chunks = chunks.len() as u64;
        for mut chunk in chunks {
            sink.write_all(&chunk.bytes)?;
            self.room.add_permits(chunk.n_permits as usize);
            if chunk.bytes.capacity() <= SPARE_CAPACITY {
                let mut queue = self.queue();
                if queue.spare.len() < SPARE_BUFFERS {
                    chunk.bytes.clear();
                    queue.spare.push(chunk.bytes);
                }
            }
        }
        sink.flush()?;
        self.progress.send_modify(|progress| progress.n_written += n_chunks);
        Ok(())
    }

    fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        queue.chunks = Vec::new();
        drop(queue);
        self.room.close();
        self.progress.send_modify(|progress| progress.is_closed = true);
    }
}

impl Queue {
    fn must_be_written(&self) -> bool {
        self.is_urgent || self.is_finished || self.n_bytes >= WRITE_SIZE
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;
    use jiff::Timestamp;

    use super::*;
    use crate::protocol::message::{Level, StreamStatus};

    /// Writes only as often as it is allowed to, and breaks when nobody can allow it any more.
    struct SlowSink {
        permits: mpsc::Receiver<()>,
        written: mpsc::Sender<Vec<u8>>,
    }

    impl Write for SlowSink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.permits.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            // A test that has seen enough drops its end.
            let _ = self.written.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Output {
        writer: Writer,
        thread: WriterThread,
        permits: mpsc::Sender<()>,
        written: mpsc::Receiver<Vec<u8>>,
    }

    fn output() -> Output {
        let (permits, permits_rx) = mpsc::channel();
        let (written_tx, written) = mpsc::channel();
        let sink = SlowSink { permits: permits_rx, written: written_tx };
        let (writer, thread) = Writer::spawn(sink).unwrap();
        Output { writer, thread, permits, written }
    }

    fn allow(permits: &mpsc::Sender<()>, n_writes: usize) {
        for _ in 0..n_writes {
            permits.send(()).unwrap();
        }
    }

    fn urgent() -> Message {
        Message::stream_status("s", StreamStatus::Started, None, Timestamp::UNIX_EPOCH)
    }

    #[tokio::test]
    async fn prints_in_the_order_of_the_writes() {
        let output = output();
        allow(&output.permits, 100);
        output.writer.write_chunk(b"1\n".to_vec(), 1).await.unwrap();
        output.writer.write_message_now(&Message::log(Level::Info, "two"));
        output.writer.write_chunk(vec![b'3'; 2 * WRITE_SIZE], 2).await.unwrap();
        output.writer.write_message(&urgent()).await.unwrap();
        assert_eq!(output.writer.n_records(), 3);
        output.thread.finish().unwrap();
        let text = String::from_utf8(output.written.iter().flatten().collect()).unwrap();
        let log = r#"{"type":"LOG","log":{"level":"INFO","message":"two"}}"#;
        assert!(text.starts_with(&format!("1\n{log}\n333")), "{:?}", &text[..100]);
        assert!(text.ends_with("\"status\":\"STARTED\"}}}\n"), "{:?}", &text[text.len() - 100..]);
    }

    #[tokio::test]
    async fn holds_producers_back_but_never_the_log() {
        let output = output();
        // The first is taken by the thread, which hangs in the sink with it.
        for _ in 0..2 {
            output.writer.write_chunk(vec![b'x'; QUEUE_LIMIT / 2], 1).await.unwrap();
        }
        let waiting = output.writer.write_chunk(vec![b'y'; QUEUE_LIMIT], 1);
        let mut waiting = std::pin::pin!(waiting);
        assert_eq!(waiting.as_mut().now_or_never(), None);
        for _ in 0..1000 {
            output.writer.write_message_now(&Message::log(Level::Info, "still here"));
        }
        assert_eq!(waiting.as_mut().now_or_never(), None);
        allow(&output.permits, 100);
        assert_eq!(waiting.await, Ok(()));
        output.thread.finish().unwrap();
        let n_bytes: usize = output.written.iter().map(|bytes| bytes.len()).sum();
        assert!(n_bytes > 2 * QUEUE_LIMIT, "{n_bytes}");
    }

    #[tokio::test]
    async fn ends_everything_when_nobody_reads() {
        let output = output();
        output.writer.write_chunk(vec![b'x'; QUEUE_LIMIT], 1).await.unwrap();
        drop(output.permits);
        output.writer.closed().await;
        assert!(output.writer.is_closed());
        assert_eq!(output.writer.write_chunk(b"x\n".to_vec(), 1).await, Err(Closed));
        assert_eq!(output.writer.flush().await, Err(Closed));
        output.writer.write_message_now(&urgent());
        assert_eq!(output.thread.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn prints_lone_records_without_being_asked() {
        let output = output();
        allow(&output.permits, 1);
        output.writer.write_chunk(b"1\n".to_vec(), 1).await.unwrap();
        assert_eq!(output.written.recv().unwrap(), b"1\n");
    }

    #[tokio::test]
    async fn a_flush_waits_for_what_was_queued_before() {
        let output = output();
        output.writer.write_message_now(&urgent());
        let flush = output.writer.flush();
        let mut flush = std::pin::pin!(flush);
        assert_eq!(flush.as_mut().now_or_never(), None);
        allow(&output.permits, 1);
        assert_eq!(flush.await, Ok(()));
        assert_eq!(output.writer.flush().await, Ok(()), "nothing waits");
        output.thread.finish().unwrap();
        assert_eq!(output.written.iter().count(), 1);
    }

    #[tokio::test]
    async fn gives_buffers_back() {
        let output = output();
        allow(&output.permits, 1);
        let mut lines = output.writer.buffer();
        lines.reserve_exact(12_345);
        lines.push(b'\n');
        output.writer.write_chunk(lines, 0).await.unwrap();
        output.writer.flush().await.unwrap();
        let buffer = output.writer.buffer();
        assert_eq!((buffer.len(), buffer.capacity()), (0, 12_345));
    }
}
