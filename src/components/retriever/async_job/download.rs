//! Downloaded records on their way to who wants them.

use std::ops::ControlFlow;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::components::{PageRecords, ReadError, RecordSelector, RecordSink};
use crate::value::{Json, StreamSlice};

/// Filters and transforms records before it gives them to another sink.
pub(super) struct Refining<'a> {
    selector: &'a dyn RecordSelector,
    slice: &'a StreamSlice,
    sink: &'a mut dyn RecordSink,
    is_stopped: bool,
}

impl<'a> Refining<'a> {
    /// Refines the records of `slice` as `selector` does.
    pub(super) fn new(
        selector: &'a dyn RecordSelector,
        slice: &'a StreamSlice,
        sink: &'a mut dyn RecordSink,
    ) -> Self {
        Self { selector, slice, sink, is_stopped: false }
    }

    /// Whether nobody wants more records.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }
}

impl RecordSink for Refining<'_> {
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        async move {
            let mut page = PageRecords::default();
            let refined = self.selector.refine(records, self.slice, None, &mut page);
            if !page.records.is_empty() && self.sink.records(page.records).await?.is_break() {
                self.is_stopped = true;
                return Ok(ControlFlow::Break(()));
            }
            refined?;
            Ok(ControlFlow::Continue(()))
        }
        .boxed()
    }
}
