//! `PaginationReset`: a slice is read again from its first page, less of it if possible.
//!
//! It begins when the error handler says so, or after so many records as the
//! API gives at most. With a cursor, only the rest of the window is read again.

use std::sync::Arc;

use tracing::info;

use crate::components::shape::{choice, shape};
use crate::components::{Cursor, ReadError, SliceProgress};
use crate::protocol::TracedError;
use crate::value::{Json, StreamSlice};

choice! {
    /// Where a slice is read again from.
    pub enum ResetAction {
        /// From the last cursor value that was seen.
        SplitUsingCursor = "SPLIT_USING_CURSOR",
        /// From its beginning.
        Reset = "RESET",
    }
}

/// The YAML shapes.
pub mod yaml {
    use super::{ResetAction, shape};

    shape! {
        /// Reads a slice again from its first page.
        pub struct PaginationReset {
            /// Where it is read again from.
            action: ResetAction,
            /// When it is read again without the API asking for it.
            limits: Option<PaginationResetLimits>,
        }
    }

    shape! {
        /// When a slice is read again without the API asking for it.
        pub struct PaginationResetLimits {
            /// After so many records.
            number_of_records: Option<i64>,
        }
    }
}

/// Follows the reading of one slice.
pub(super) struct Tracker {
    progress: Option<Box<dyn SliceProgress>>,
    max_records: Option<i64>,
    n_records: i64,
    n_attempts: u32,
}

impl Tracker {
    /// A tracker for one slice of a stream with `cursor`; without a shape it only counts resets.
    pub(super) fn new(
        shape: Option<&yaml::PaginationReset>,
        cursor: Option<&Arc<dyn Cursor>>,
    ) -> Self {
        let splits = shape.is_some_and(|it| it.action == ResetAction::SplitUsingCursor);
        Self {
            progress: cursor.filter(|_| splits).and_then(|cursor| cursor.progress()),
            max_records: shape.and_then(|it| it.limits.as_ref()?.number_of_records),
            n_records: 0,
            n_attempts: 0,
        }
    }

    /// Takes note of the records of a page.
    pub(super) fn observe(
        &mut self,
        slice: &StreamSlice,
        records: &[Json],
    ) -> Result<(), ReadError> {
        self.n_records = self.n_records.saturating_add_unsigned(records.len() as u64);
        match &mut self.progress {
            Some(progress) => records.iter().try_for_each(|it| progress.observe(slice, it)),
            None => Ok(()),
        }
    }

    /// Whether the API gives no more than was read since the last beginning.
    pub(super) fn has_reached_limit(&self) -> bool {
        self.max_records.is_some_and(|max| self.n_records >= max)
    }

    /// The slice to read after a reset; an error when that was tried already.
    pub(super) fn restart(
        &mut self,
        previous: &StreamSlice,
        original: &StreamSlice,
    ) -> Result<StreamSlice, ReadError> {
        // With a cursor the same slice would only give the same; without one it may be worth a try.
        let (next, max_attempts) = match &self.progress {
            Some(progress) => (progress.rest_of(original)?, 1),
            None => (previous.clone(), 2),
        };
        self.n_attempts = if next == *previous { self.n_attempts + 1 } else { 0 };
        if self.n_attempts >= max_attempts {
            let internal = format!(
                "There were {} attempts with the same slice already while the max allowed is {max_attempts}",
                self.n_attempts
            );
            let error = TracedError { internal_message: Some(internal), ..TracedError::default() };
            return Err(ReadError::traced(error));
        }
        self.n_records = 0;
        info!("Hitting PaginationReset event: reading a slice again from its first page.");
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn slice(start: i64) -> StreamSlice {
        let window = json!({"start": start}).as_object().unwrap().clone();
        StreamSlice { cursor_slice: window, ..StreamSlice::default() }
    }

    /// Has read up to the last record observed.
    struct UpTo(i64);

    impl SliceProgress for UpTo {
        fn observe(&mut self, _: &StreamSlice, record: &Json) -> Result<(), ReadError> {
            self.0 = record.as_i64().unwrap();
            Ok(())
        }

        fn rest_of(&self, _: &StreamSlice) -> Result<StreamSlice, ReadError> {
            Ok(slice(self.0))
        }
    }

    fn tracker(progress: Option<UpTo>, max_records: Option<i64>) -> Tracker {
        let progress = progress.map(|it| Box::new(it) as Box<dyn SliceProgress>);
        Tracker { progress, max_records, n_records: 0, n_attempts: 0 }
    }

    #[test]
    fn without_a_cursor_the_same_slice_is_tried_once_more() {
        let mut tracker = tracker(None, None);
        assert_eq!(tracker.restart(&slice(0), &slice(0)).unwrap(), slice(0));
        let ReadError::Traced(error) = tracker.restart(&slice(0), &slice(0)).unwrap_err() else {
            panic!("expected a traced error");
        };
        let expect = "There were 2 attempts with the same slice already while the max allowed is 2";
        assert_eq!(error.internal_message.as_deref(), Some(expect));
    }

    #[test]
    fn with_a_cursor_only_progress_counts() {
        let mut tracker = tracker(Some(UpTo(0)), None);
        tracker.observe(&slice(0), &[json!(5)]).unwrap();
        assert_eq!(tracker.restart(&slice(0), &slice(0)).unwrap(), slice(5));
        assert!(tracker.restart(&slice(5), &slice(0)).is_err());
    }

    #[test]
    fn records_count_from_the_last_beginning() {
        let mut tracker = tracker(Some(UpTo(0)), Some(3));
        tracker.observe(&slice(0), &[json!(1), json!(2)]).unwrap();
        assert!(!tracker.has_reached_limit());
        tracker.observe(&slice(0), &[json!(3)]).unwrap();
        assert!(tracker.has_reached_limit());
        tracker.restart(&slice(0), &slice(0)).unwrap();
        assert!(!tracker.has_reached_limit());
    }
}
