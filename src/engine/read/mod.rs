//! `read`: all selected streams, side by side.
//!
//! Making slices and reading them are different tasks with a bounded queue
//! between them: readers never wait for a maker, so no order of events can
//! deadlock, whatever the concurrency. A run that is recorded or replayed reads
//! one slice after the other instead.

mod schedule;
mod sink;
mod stream_run;
mod summary;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures::FutureExt;
use tracing::info;

use crate::components::Stream;
use crate::protocol::message::StreamStatus;
use crate::protocol::writer::Closed;
use crate::protocol::{ConfiguredCatalog, Message};

use super::Output;
use schedule::Schedule;
use stream_run::StreamRun;
pub(super) use stream_run::traced;
pub use summary::Failed;

/// How a read ended.
#[derive(Debug)]
pub enum ReadOutcome {
    /// Every stream was read whole.
    Complete,
    /// Some streams were not; each has been reported.
    Failed(Failed),
    /// Nobody reads the output any more.
    OutputClosed,
}

/// Reads the streams that `catalog` selects, with `n_workers` slices at a time.
pub(super) async fn read(
    streams: Vec<Arc<Stream>>,
    catalog: &ConfiguredCatalog,
    n_workers: usize,
    output: &Output,
) -> ReadOutcome {
    let find = |name: &str| streams.iter().find(|stream| stream.name == name);
    let selected: Vec<_> = catalog.streams.iter().map(|it| (&it.name, find(&it.name))).collect();
    if selected.iter().all(|(_, stream)| stream.is_none()) {
        // The reference prints nothing at all when there is nothing to read.
        return ReadOutcome::Complete;
    }
    info!("Starting syncing");
    let mut runs = Vec::with_capacity(selected.len());
    for (name, stream) in selected {
        if let Some(stream) = stream {
            runs.push(Arc::new(StreamRun::new(stream.clone(), output.clone())));
        } else {
            tracing::warn!(
                "The catalog selects the stream {name}, which the manifest does not have"
            );
            let now = output.run.now();
            let message =
                Message::stream_status(name.as_str(), StreamStatus::Incomplete, None, now);
            if output.writer.write_message(&message).await.is_err() {
                return ReadOutcome::OutputClosed;
            }
        }
    }
    let schedule = Schedule::new(runs.clone(), n_workers);
    let reading = if output.run.is_repeatable() {
        schedule.run_in_order().left_future()
    } else {
        schedule.run().right_future()
    };
    let closed = tokio::select! {
        () = reading => None,
        () = output.writer.closed() => Some(Closed),
    };
    if closed.is_some() || output.writer.is_closed() {
        return ReadOutcome::OutputClosed;
    }
    if let Some(failed) = Failed::of(&runs) {
        ReadOutcome::Failed(failed)
    } else {
        info!("Finished syncing");
        ReadOutcome::Complete
    }
}
