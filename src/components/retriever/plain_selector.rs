//! A selector that only extracts.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::components::{Extraction, PageRecords, ReadError, RecordExtractor, RecordSelector};
use crate::value::{Json, StreamSlice};

/// Gives what its extractor finds.
pub(super) struct PlainSelector(pub(super) Arc<dyn RecordExtractor>);

impl RecordSelector for PlainSelector {
    fn prepare(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        async { Ok(()) }.boxed()
    }

    fn select<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        _: &'a StreamSlice,
        _: Option<&'a Json>,
        page: &'a mut PageRecords,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            page.n_extracted += self.0.extract(elements, mode, &mut page.records).await?;
            Ok(())
        }
        .boxed()
    }

    fn refine(
        &self,
        mut records: Vec<Json>,
        _: &StreamSlice,
        _: Option<&Json>,
        page: &mut PageRecords,
    ) -> Result<(), ReadError> {
        page.records.append(&mut records);
        Ok(())
    }

    fn extractor(&self) -> &dyn RecordExtractor {
        &*self.0
    }
}
