//! When jobs are started, asked for, given up, and started anew.
//!
//! In each round the jobs that failed are started anew, then those of new
//! slices as long as there are slots, and all that run are asked for. Between
//! rounds there is a pause, unless nothing runs.

use std::collections::VecDeque;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::api::{JobApi, Polled, PreparedJob};
use super::status::Status;
use crate::components::job_slots::{JobSlot, JobSlots};
use crate::components::{BuildContext, ReadError, Surroundings};
use crate::protocol::{FailureType, TracedError};
use crate::run::Wait;
use crate::value::{Json, StreamSlice, python_repr};

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(5);

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// After which a job is given up.
    pub(super) timeout_minutes: i64,
    /// How often the job of a slice is started.
    pub(super) max_attempts: u32,
    /// Before a job that failed is started anew.
    pub(super) retry_wait_seconds: Option<i64>,
}

/// How the jobs of one stream are followed.
pub(super) struct Schedule {
    api: JobApi,
    limits: Limits,
    slots: JobSlots,
    surroundings: Surroundings,
}

impl Schedule {
    /// A schedule whose jobs share the slots of `cx`.
    pub(super) fn new(api: JobApi, limits: Limits, cx: &BuildContext<'_>) -> Self {
        Self { api, limits, slots: cx.job_slots.clone(), surroundings: cx.surroundings() }
    }

    /// The requests about jobs.
    pub(super) fn api(&self) -> &JobApi {
        &self.api
    }

    /// Has jobs prepare all of `slices`.
    pub(super) fn run<'a>(
        &'a self,
        slices: BoxStream<'a, Result<StreamSlice, ReadError>>,
    ) -> Jobs<'a> {
        Jobs {
            schedule: self,
            slices: Some(slices),
            running: VecDeque::new(),
            complete: VecDeque::new(),
            failures: Vec::new(),
            needs_pause: false,
        }
    }

    fn now(&self) -> Timestamp {
        self.surroundings.run().now()
    }
}

/// The jobs of one read.
pub(super) struct Jobs<'a> {
    schedule: &'a Schedule,
    /// None when there are no more.
    slices: Option<BoxStream<'a, Result<StreamSlice, ReadError>>>,
    running: VecDeque<Job>,
    complete: VecDeque<PreparedJob>,
    failures: Vec<String>,
    /// Whether the next round would find nothing new at once.
    needs_pause: bool,
}

/// The job of a slice: each attempt is one at the API.
struct Job {
    slice: StreamSlice,
    n_attempts: u32,
    attempt: Attempt,
    /// Freed when the job is dropped.
    _slot: JobSlot,
}

enum Attempt {
    /// It could not be started.
    NotStarted,
    Started {
        created: Json,
        since: Timestamp,
        status: Status,
        /// When it may be started anew, once that is decided.
        retry_at: Option<Timestamp>,
    },
}

impl Job {
    fn status(&self, now: Timestamp, limits: &Limits) -> Status {
        match &self.attempt {
            Attempt::NotStarted => Status::Failed,
            Attempt::Started { status: Status::Running, since, .. }
                if now.duration_since(*since)
                    > SignedDuration::from_mins(limits.timeout_minutes) =>
            {
                Status::TimedOut
            }
            Attempt::Started { status, .. } => *status,
        }
    }
}

impl Jobs<'_> {
    /// The next job whose records can be downloaded; an error when any slice has none in the end.
    pub(super) async fn next_complete(&mut self) -> Result<Option<PreparedJob>, ReadError> {
        let mut waiting = self.schedule.surroundings.run().waiting(Wait::Job);
        loop {
            if let Some(job) = self.complete.pop_front() {
                return Ok(Some(job));
            }
            if std::mem::take(&mut self.needs_pause) {
                waiting.wait(PAUSE).await;
            }
            match self.round().await {
                Ok(()) if self.complete.is_empty() && self.is_done() => break,
                Ok(()) => {}
                Err(err) if is_breaking(&err) => {
                    self.abort_all().await;
                    return Err(err);
                }
                Err(err) => self.note(&err),
            }
        }
        if self.failures.is_empty() {
            return Ok(None);
        }
        Err(summary(&std::mem::take(&mut self.failures)))
    }

    /// Keeps an error that does not end the read at once, but fails it in the end.
    fn note(&mut self, err: &ReadError) {
        warn!(target: "airbyte", "Caught exception that stops the processing of the jobs: {err}");
        let failure = repr(err);
        if !self.failures.contains(&failure) {
            self.failures.push(failure);
        }
        self.needs_pause = true;
    }

    fn is_done(&self) -> bool {
        self.slices.is_none() && self.running.is_empty()
    }

    async fn round(&mut self) -> Result<(), ReadError> {
        self.restart_failed().await?;
        self.start_new().await?;
        self.poll().await?;
        self.settle().await;
        self.needs_pause |= !self.running.is_empty();
        Ok(())
    }

    async fn restart_failed(&mut self) -> Result<(), ReadError> {
        let (schedule, now) = (self.schedule, self.schedule.now());
        for job in &mut self.running {
            let status = job.status(now, &schedule.limits);
            // One that was the last attempt is given up when the jobs are settled.
            if !matches!(status, Status::Failed | Status::TimedOut)
                || job.n_attempts >= schedule.limits.max_attempts
            {
                continue;
            }
            if let (Attempt::Started { retry_at, .. }, Some(seconds), Status::Failed) =
                (&mut job.attempt, schedule.limits.retry_wait_seconds, status)
            {
                let retry_at = *retry_at.get_or_insert(now + SignedDuration::from_secs(seconds));
                if now < retry_at {
                    continue;
                }
            }
            job.attempt = schedule.start(&job.slice).await?;
            job.n_attempts += 1;
        }
        Ok(())
    }

    async fn start_new(&mut self) -> Result<(), ReadError> {
        while let Some(slices) = &mut self.slices {
            let Some(slot) = self.schedule.slots.try_take() else {
                self.needs_pause = true;
                return Ok(());
            };
            match slices.next().await {
                None => self.slices = None,
                Some(Err(err)) => {
                    self.slices = None;
                    return Err(err);
                }
                Some(Ok(slice)) => {
                    let attempt = self.schedule.start(&slice).await?;
                    self.running.push_back(Job { slice, n_attempts: 1, attempt, _slot: slot });
                }
            }
        }
        Ok(())
    }

    /// Asks for all jobs that run; those that are complete leave.
    ///
    /// A job that cannot be asked for does not keep others waiting, and is asked for again until
    /// its time is up. The reference asks for it alone then, without a pause.
    async fn poll(&mut self) -> Result<(), ReadError> {
        let (schedule, now) = (self.schedule, self.schedule.now());
        for _ in 0..self.running.len() {
            let Some(job) = self.running.front_mut() else { break };
            let is_running = job.status(now, &schedule.limits) == Status::Running;
            if let Attempt::Started { created, status, .. } = &mut job.attempt
                && is_running
            {
                match schedule.api.poll(&job.slice, created).await {
                    Ok(polled) => {
                        *status = polled.status;
                        if polled.status == Status::Completed {
                            self.complete_front(polled);
                            continue;
                        }
                    }
                    Err(err) if is_breaking(&err) => return Err(err),
                    Err(err) => self.note(&err),
                }
            }
            self.running.rotate_left(1);
        }
        Ok(())
    }

    /// The first job is complete; its slot is free from now on.
    fn complete_front(&mut self, polled: Polled) {
        let Some(Job { slice, attempt: Attempt::Started { created, .. }, .. }) =
            self.running.pop_front()
        else {
            return;
        };
        let name = self.schedule.surroundings.run().uuid().to_string();
        info!(target: "airbyte", "The job of a slice of stream {} is complete.", self.schedule.api.stream);
        self.complete.push_back(PreparedJob::new(name, slice, created, polled));
    }

    /// Drops what is to be given up, and stops what is to be started anew.
    async fn settle(&mut self) {
        let (schedule, now) = (self.schedule, self.schedule.now());
        for job in std::mem::take(&mut self.running) {
            let status = job.status(now, &schedule.limits);
            match status {
                Status::Running => self.running.push_back(job),
                Status::Completed => {}
                Status::Skipped => {
                    let stream = &schedule.api.stream;
                    info!(target: "airbyte", "The job of a slice of stream {stream} has no records.");
                }
                Status::Failed | Status::TimedOut => {
                    if status == Status::TimedOut {
                        schedule.abort(&job).await;
                    }
                    if job.n_attempts >= schedule.limits.max_attempts {
                        self.failures.push(exhausted(&job.slice, status));
                    } else {
                        self.running.push_front(job);
                    }
                }
            }
        }
    }

    async fn abort_all(&mut self) {
        for job in std::mem::take(&mut self.running) {
            let status = job.status(self.schedule.now(), &self.schedule.limits);
            if matches!(status, Status::Running | Status::TimedOut) {
                self.schedule.abort(&job).await;
            }
        }
    }
}

impl Schedule {
    /// Starts a job; only a fault of the config is an error, all else counts as an attempt.
    async fn start(&self, slice: &StreamSlice) -> Result<Attempt, ReadError> {
        match self.api.start(slice).await {
            Ok(created) => Ok(Attempt::Started {
                created,
                since: self.now(),
                status: Status::Running,
                retry_at: None,
            }),
            Err(err) if is_breaking(&err) => Err(err),
            Err(err) => {
                warn!(target: "airbyte", "Could not start a job of stream {}: {err}", self.api.stream);
                self.surroundings.environment().observer.failed_for_now(&traced(err));
                Ok(Attempt::NotStarted)
            }
        }
    }

    async fn abort(&self, job: &Job) {
        if let Attempt::Started { created, .. } = &job.attempt
            && let Err(err) = self.api.abort(&job.slice, created).await
        {
            warn!(target: "airbyte", "Could not abort a job of stream {}: {err}", self.api.stream);
        }
    }
}

/// Whether it is of no use to go on with other jobs.
fn is_breaking(err: &ReadError) -> bool {
    match err {
        ReadError::Traced(error) => error.failure_type == FailureType::ConfigError,
        ReadError::Unexpected { .. } => false,
        ReadError::Cancelled => true,
    }
}

fn traced(err: ReadError) -> TracedError {
    match err {
        ReadError::Traced(error) => *error,
        other => {
            TracedError { internal_message: Some(other.to_string()), ..TracedError::default() }
        }
    }
}

/// As Python prints the exception.
fn repr(err: &ReadError) -> String {
    let (class, text) = match err {
        ReadError::Traced(error) => {
            ("AirbyteTracedException", error.internal_message.clone().unwrap_or_default())
        }
        ReadError::Unexpected { class, message } => (*class, message.clone()),
        ReadError::Cancelled => ("CancelledError", String::new()),
    };
    format!("{class}({})", python_repr(&Json::from(text)))
}

fn exhausted(slice: &StreamSlice, status: Status) -> String {
    let slice: crate::value::Map =
        slice.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let slice = python_repr(&Json::Object(slice));
    let text = format!(
        "At least one job could not be completed for slice {slice}. Job statuses were: {status:?}. See warning logs \
         for more information."
    );
    format!("AirbyteTracedException({})", python_repr(&Json::from(text)))
}

fn summary(failures: &[String]) -> ReadError {
    let message = "One or more async jobs failed after exhausting all retry attempts.";
    ReadError::traced(TracedError::system(message).with_internal(failures.join("\n")))
}
