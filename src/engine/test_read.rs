//! A test read: a little of one stream, for someone who watches every step.
//!
//! One thing is done after the other, so that what is told can be put together again. As in the
//! reference, all slices are made before the first one is read.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::components::{Observer, ReadError, RecordSink, Stream, TestLimits};
use crate::protocol::TracedError;
use crate::value::{Json, Map, StreamSlice};

use super::read::traced;

/// Makes a session one of the Connector Builder: limited, without retries, and watched.
#[derive(Clone)]
pub struct TestSession {
    /// How much is read at most.
    pub limits: TestLimits,
    /// Who watches.
    pub witness: Arc<dyn Witness>,
}

impl std::fmt::Debug for TestSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestSession").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// Hears what a test read comes to, besides what its components tell.
pub trait Witness: Observer {
    /// A slice is about to be read, which the reference calls `descriptor`.
    fn slice(&self, _descriptor: Json) {}

    /// Records were read; `Break` asks for no more of the stream.
    fn records(&self, _records: Vec<Json>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The stream has come to a state.
    fn checkpoint(&self, _state: Map) {}

    /// Something failed for good; the read goes on with the next slice.
    fn failed(&self, _error: TracedError) {}
}

/// Witnesses nothing: for commands that only have to run as the Builder's do.
#[derive(Clone, Copy, Debug)]
pub struct NoWitness;

impl Observer for NoWitness {}
impl Witness for NoWitness {}

/// Reads the stream; all that happens goes to the witness.
pub(super) async fn read(stream: &Stream, witness: &dyn Witness) {
    let fail = |err: ReadError| {
        if let Some((error, _)) = traced(err, &stream.name) {
            witness.failed(error);
        }
    };
    if let Err(err) = stream.schema.load().await {
        return fail(err);
    }
    let mut slices = Vec::new();
    let mut making = stream.slices();
    while let Some(slice) = making.next().await {
        match slice {
            Ok(slice) => slices.push(slice),
            Err(err) => {
                fail(err);
                break;
            }
        }
    }
    drop(making);
    for slice in &slices {
        witness.slice(stream.retriever.descriptor(slice));
        let mut sink = WitnessSink { stream, slice, witness, has_enough: false };
        let read = stream.retriever.read(slice, &mut sink).await;
        let has_enough = sink.has_enough;
        match read.and_then(|()| stream.cursor.close_slice(slice)) {
            Ok(state) => state.map_or((), |state| witness.checkpoint(state)),
            Err(err) => fail(err),
        }
        if has_enough {
            break;
        }
    }
    match stream.cursor.finish() {
        Ok(state) => state.map_or((), |state| witness.checkpoint(state)),
        Err(err) => fail(err),
    }
}

/// Gives records to the witness.
struct WitnessSink<'a> {
    stream: &'a Stream,
    slice: &'a StreamSlice,
    witness: &'a dyn Witness,
    has_enough: bool,
}

impl WitnessSink<'_> {
    async fn take(&mut self, mut records: Vec<Json>) -> Result<ControlFlow<()>, ReadError> {
        if let Some(record) = records.iter().find(|record| !record.is_object()) {
            let message = format!("a record is an object, and this is none: {record}");
            return Err(ReadError::value(message));
        }
        let mut broken = None;
        if let Some(files) = &self.stream.files {
            for idx in 0..records.len() {
                let record = &mut records[idx];
                let file = match files.upload(record).await {
                    Ok(file) => file,
                    Err(err) => {
                        broken = Some(err);
                        records.truncate(idx);
                        break;
                    }
                };
                if let Json::Object(record) = record {
                    // The reference shows where the file would be in the record itself.
                    let path = file.source_file_relative_path;
                    record.insert("source_file_relative_path".into(), path.into());
                }
            }
        }
        let observed = self.stream.cursor.observe(self.slice, &records);
        let flow = self.witness.records(records);
        self.has_enough = flow.is_break();
        observed?;
        broken.map_or(Ok(flow), Err)
    }
}

impl RecordSink for WitnessSink<'_> {
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.take(records).boxed()
    }
}
