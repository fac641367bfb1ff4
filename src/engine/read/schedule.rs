//! Which stream's slices are made when, and which slices are read when.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, Notify, Semaphore, mpsc};
use tokio::task::JoinSet;
use tracing::info;

use crate::components::ReadError;
use crate::value::StreamSlice;

use super::sink::SliceSink;
use super::stream_run::StreamRun;

/// How many slices may wait for a reader.
///
/// Enough that a stream whose slices come fast makes room for the next one,
/// little beside what a run needs anyway: a slice is a few hundred bytes.
pub(super) const QUEUED_SLICES: usize = 1024;
/// How much room a maker waits for when there is none.
const WANTED_ROOM: usize = 128;

/// The streams of one read.
pub(super) struct Schedule {
    pending: VecDeque<Arc<StreamRun>>,
    /// Slices read at a time.
    n_workers: usize,
    /// Streams whose slices are made at a time.
    n_generators: usize,
}

struct Job {
    run: Arc<StreamRun>,
    slice: StreamSlice,
}

/// Who reads the slices that are made.
enum Readers {
    /// Tasks that take them from this queue.
    Queue(mpsc::Sender<Job>),
    /// Who made a slice reads it, before the next one is made.
    Maker,
}

impl Readers {
    async fn take(&self, job: Job) -> Result<(), ReadError> {
        match self {
            Self::Queue(jobs) => queue(jobs, job).await,
            Self::Maker => {
                let Job { run, slice } = job;
                run.close_slice(&slice, read_slice(&run, &slice).await).await;
                Ok(())
            }
        }
    }
}

/// Queues a job. Where there is no room, it waits for more than it takes, so that a maker runs
/// seldom, and then makes many slices.
async fn queue(jobs: &mpsc::Sender<Job>, job: Job) -> Result<(), ReadError> {
    match jobs.try_send(job) {
        Ok(()) => Ok(()),
        Err(TrySendError::Closed(_)) => Err(ReadError::Cancelled),
        Err(TrySendError::Full(job)) => {
            let mut room =
                jobs.reserve_many(WANTED_ROOM).await.map_err(|_| ReadError::Cancelled)?;
            room.next().ok_or(ReadError::Cancelled)?.send(job);
            Ok(())
        }
    }
}

impl Schedule {
    /// A schedule that starts `runs` in their order.
    pub(super) fn new(runs: Vec<Arc<StreamRun>>, n_workers: usize) -> Self {
        let n_workers = n_workers.max(1);
        Self { pending: runs.into(), n_workers, n_generators: (n_workers / 2).max(1) }
    }

    /// Reads all, one slice after the other; what fails is noted in the runs.
    ///
    /// For a run that is recorded or replayed: side by side, chance would decide which of two
    /// equal requests gets which recorded answer, whose wait moves the clock first, and whose
    /// records are printed first. One at a time, a cassette always gives the same bytes.
    pub(super) async fn run_in_order(self) {
        for run in &self.pending {
            make_slices(run, &Readers::Maker).await;
        }
    }

    /// Reads all, side by side; what fails is noted in the runs.
    pub(super) async fn run(self) {
        let (jobs, queue) = mpsc::channel(QUEUED_SLICES);
        let stream_ended = Arc::new(Notify::new());
        let n_workers = self.n_workers;
        let readers = read_all(queue, n_workers, stream_ended.clone());
        let makers = self.make_all(jobs, stream_ended);
        tokio::join!(makers, readers);
    }

    /// Starts the streams in order, a few at a time, and no two of a group together.
    async fn make_all(mut self, jobs: mpsc::Sender<Job>, stream_ended: Arc<Notify>) {
        let generators = Arc::new(Semaphore::new(self.n_generators));
        let mut active: Vec<Arc<StreamRun>> = Vec::new();
        let mut tasks = JoinSet::new();
        while !self.pending.is_empty() {
            // Closed only when dropped, which is after this loop.
            let Ok(permit) = generators.clone().acquire_owned().await else { return };
            let ended = stream_ended.notified();
            active.retain(|run| !run.is_ended());
            let Some(run) = self.next_startable(&active) else {
                drop(permit);
                ended.await;
                continue;
            };
            active.push(run.clone());
            let (readers, stream_ended) = (Readers::Queue(jobs.clone()), stream_ended.clone());
            tasks.spawn(async move {
                make_slices(&run, &readers).await;
                if run.is_ended() {
                    stream_ended.notify_waiters();
                }
                drop(permit);
            });
        }
        drop(jobs);
        while tasks.join_next().await.is_some() {}
    }

    /// Takes the first stream whose group has no active stream.
    fn next_startable(&mut self, active: &[Arc<StreamRun>]) -> Option<Arc<StreamRun>> {
        let is_blocked = |run: &StreamRun| {
            let group = run.stream.group.as_ref();
            group.is_some() && active.iter().any(|other| other.stream.group.as_ref() == group)
        };
        for _ in 0..self.pending.len() {
            let run = self.pending.pop_front()?;
            if !is_blocked(&run) {
                return Some(run);
            }
            info!("Deferring stream {}: another one of its group is being read", run.stream.name);
            self.pending.push_back(run);
        }
        None
    }
}

/// Makes the slices of one stream, as fast as the readers take them.
async fn make_slices(run: &Arc<StreamRun>, readers: &Readers) {
    run.start().await;
    let making = async {
        // The reference describes a stream before it reads it, and some APIs are asked for that.
        run.account.around(run.stream.schema.load()).await?;
        let mut slices = run.stream.slices();
        while let Some(slice) = run.account.around(slices.next()).await {
            let slice = slice?;
            run.open_slice();
            readers.take(Job { run: run.clone(), slice }).await?;
        }
        Ok(())
    };
    let made = AssertUnwindSafe(making).catch_unwind().await.unwrap_or_else(|_| Err(panicked()));
    if let Err(err) = made {
        run.fail(err).await;
    }
    run.end_making().await;
}

/// Reads the queued slices in their order, `n_workers` at a time.
async fn read_all(queue: mpsc::Receiver<Job>, n_workers: usize, stream_ended: Arc<Notify>) {
    let queue = Arc::new(Mutex::new(queue));
    let mut workers = JoinSet::new();
    // No more of them than there are slices.
    for _ in 0..n_workers {
        let Some(job) = next_job(&queue).await else { break };
        workers.spawn(work(job, queue.clone(), stream_ended.clone()));
    }
    drop(queue);
    while workers.join_next().await.is_some() {}
}

async fn next_job(queue: &Mutex<mpsc::Receiver<Job>>) -> Option<Job> {
    queue.lock().await.recv().await
}

/// Reads `job`, and then what is queued.
async fn work(job: Job, queue: Arc<Mutex<mpsc::Receiver<Job>>>, stream_ended: Arc<Notify>) {
    let mut next = Some(job);
    while let Some(job) = next {
        read_job(job, &stream_ended).await;
        next = next_job(&queue).await;
    }
}

async fn read_job(Job { run, slice }: Job, stream_ended: &Notify) {
    let read = read_slice(&run, &slice).await;
    // What the end of a slice has to print counts as work too: failures that nobody takes off the
    // output must not pile up.
    run.close_slice(&slice, read).await;
    if run.is_ended() {
        stream_ended.notify_waiters();
    }
}

async fn read_slice(run: &Arc<StreamRun>, slice: &StreamSlice) -> Result<(), ReadError> {
    let reading = async {
        StreamRun::log_slice(slice);
        let mut sink = SliceSink::new(run, slice);
        run.stream.retriever.read(slice, &mut sink).await
    };
    AssertUnwindSafe(run.account.around(reading))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(panicked()))
}

/// A bug of ours must not take other streams down, nor go unnoticed.
fn panicked() -> ReadError {
    ReadError::unexpected("RuntimeError", "the program has a bug here; its message is on stderr")
}
