//! From records to lines of output.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::components::{LineFrame, LineSink, Observed, ReadError, RecordSink};
use crate::value::{Json, Lines, StreamSlice};

use super::stream_run::StreamRun;

/// Lines are handed to the writer in pieces of about this many bytes: large
/// enough that queueing costs nothing, small enough to share the pipe fairly.
const CHUNK_SIZE: usize = 64 << 10;

/// Prints the records of one slice.
pub(super) struct SliceSink<'a> {
    run: &'a Arc<StreamRun>,
    slice: &'a StreamSlice,
}

impl<'a> SliceSink<'a> {
    /// A sink for the records of `slice`.
    pub(super) fn new(run: &'a Arc<StreamRun>, slice: &'a StreamSlice) -> Self {
        Self { run, slice }
    }

    async fn print(&mut self, records: Vec<Json>) -> Result<(), ReadError> {
        if records.is_empty() {
            return Ok(());
        }
        let emitted_at = self.run.output.run.now().as_millisecond();
        let mut lines = self.run.output.writer.buffer();
        let (mut n_lines, mut broken) = (0, None);
        let (mut n_observed, mut n_taken) = (0, 0);
        for (idx, record) in records.iter().enumerate() {
            let file = match &self.run.stream.files {
                Some(files) => files.upload(record).await.map(Some),
                None => Ok(None),
            };
            let appended = file.and_then(|file| {
                self.run.append_line(&mut lines, record, file.as_ref(), emitted_at)
            });
            match appended {
                Ok(has_line) => n_lines += u64::from(has_line),
                Err(err) => {
                    broken = Some(err);
                    break;
                }
            }
            n_taken = idx + 1;
            if lines.len() >= CHUNK_SIZE {
                let next = self.run.output.writer.buffer();
                let chunk = std::mem::replace(&mut lines, next);
                self.run.print(chunk, n_lines).await?;
                self.run.stream.cursor.observe(self.slice, &records[n_observed..n_taken])?;
                (n_lines, n_observed) = (0, n_taken);
            }
        }
        if n_taken > n_observed {
            self.run.print(lines, n_lines).await?;
            self.run.stream.cursor.observe(self.slice, &records[n_observed..n_taken])?;
        }
        broken.map_or(Ok(()), Err)
    }
}

impl LineSink for SliceSink<'_> {
    fn frame(&self) -> LineFrame {
        let mut frame = self.run.line_frame(self.run.output.run.now().as_millisecond());
        if let Observed::Field(field) = self.run.stream.cursor.observed() {
            frame.field = Some(field.to_owned());
        }
        frame
    }

    fn buffer(&self) -> Vec<u8> {
        self.run.output.writer.buffer()
    }

    fn lines(&mut self, lines: Lines) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        async move {
            self.run.print(lines.text, lines.n_lines).await?;
            if !lines.fields.is_empty() {
                self.run.stream.cursor.observe(self.slice, &lines.fields)?;
            }
            Ok(ControlFlow::Continue(()))
        }
        .boxed()
    }
}

impl RecordSink for SliceSink<'_> {
    fn as_lines(&mut self) -> Option<&mut dyn LineSink> {
        let stream = &self.run.stream;
        let is_looked_at = stream.files.is_some() || stream.cursor.observed() == Observed::Records;
        (!is_looked_at).then_some(self)
    }

    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        async move {
            self.print(records).await?;
            Ok(ControlFlow::Continue(()))
        }
        .boxed()
    }
}
