//! `PageSizeReduction`: a page that is too heavy for the API is asked for again with fewer records.

use std::time::Duration;

use tracing::info;

use crate::components::ReadError;
use crate::components::shape::{AtLeast, NumberFrom, choice, shape};
use crate::protocol::TracedError;
use crate::run::{RunContext, Wait};

choice! {
    /// When the configured size is used again.
    pub enum ResetPolicy {
        /// Not in this slice.
        Never = "NEVER",
        /// With the next page.
        AfterSuccessfulPage = "AFTER_SUCCESSFUL_PAGE",
    }
}

/// The YAML shape.
pub mod yaml {
    use super::{AtLeast, NumberFrom, ResetPolicy, shape};

    shape! {
        /// Asks for a page again with fewer records.
        pub struct PageSizeReduction {
            /// What the size is divided by.
            reduction_factor: NumberFrom<1, true> = NumberFrom(2.0),
            /// The smallest size.
            minimum_page_size: AtLeast<1> = AtLeast(1),
            /// How often the size is reduced without a page coming through.
            max_attempts: AtLeast<1> = AtLeast(5),
            /// Seconds to wait, times the attempts made in a row.
            backoff_seconds: NumberFrom<0, false> = NumberFrom(0.5),
            /// How often a page of the smallest size is asked for again.
            retries_at_minimum_page_size: AtLeast<0> = AtLeast(0),
            /// Added to the message when nothing helps.
            failure_message: Option<String>,
            /// When the configured size is used again.
            reset_policy: ResetPolicy = ResetPolicy::Never,
        }
    }
}

/// The page size while one slice is read.
pub(super) struct Reducer<'a> {
    shape: &'a yaml::PageSizeReduction,
    stream: &'a str,
    configured: Option<i64>,
    current: Option<i64>,
    n_attempts: i64,
    n_reductions: i64,
    n_retries: i64,
}

impl<'a> Reducer<'a> {
    /// Begins a slice with the configured size.
    pub(super) fn new(
        shape: &'a yaml::PageSizeReduction,
        stream: &'a str,
        configured: Option<i64>,
    ) -> Self {
        let (current, n_attempts, n_reductions, n_retries) = (None, 0, 0, 0);
        Self { shape, stream, configured, current, n_attempts, n_reductions, n_retries }
    }

    /// The size to ask for, when it is not the configured one.
    pub(super) fn page_size(&self) -> Option<i64> {
        self.current
    }

    /// Takes note that a page came through.
    pub(super) fn page_succeeded(&mut self) {
        (self.n_attempts, self.n_retries) = (0, 0);
        if self.shape.reset_policy == ResetPolicy::AfterSuccessfulPage {
            self.current = None;
        }
    }

    /// Reduces the size, or fails when that has been tried enough; then waits.
    pub(super) async fn reduce(&mut self, reason: &str, run: &RunContext) -> Result<(), ReadError> {
        let n_attempts = self.next_attempt(reason)?;
        #[expect(clippy::cast_precision_loss, reason = "attempts are few")]
        let wait = self.shape.backoff_seconds.0 * n_attempts as f64;
        info!(
            "Asking for a page of stream {} again in {wait} seconds, with {} records.",
            self.stream,
            self.current.or(self.configured).unwrap_or_default(),
        );
        run.wait(Wait::BackOff, Duration::from_secs_f64(wait)).await;
        Ok(())
    }

    /// Chooses the next size; gives the attempts made in a row.
    fn next_attempt(&mut self, reason: &str) -> Result<i64, ReadError> {
        let Some(size) = self.current.or(self.configured) else {
            return Err(self.unsized_page());
        };
        let reduced = self.reduced(size);
        if reduced >= size {
            if self.n_retries < self.shape.retries_at_minimum_page_size.0 {
                self.n_retries += 1;
                return Ok(self.n_retries);
            }
            return Err(self.smallest_refused(size, reason));
        }
        self.n_attempts += 1;
        self.n_reductions += 1;
        if self.n_attempts > self.shape.max_attempts.0 {
            return Err(self.all_refused(size, reason));
        }
        self.current = Some(reduced);
        Ok(self.n_attempts)
    }

    fn reduced(&self, size: i64) -> i64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "page sizes are far from 2^53"
        )]
        let reduced = (size as f64 / self.shape.reduction_factor.0).floor() as i64;
        reduced.max(self.shape.minimum_page_size.0)
    }

    fn unsized_page(&self) -> ReadError {
        let stream = self.stream;
        let message = format!(
            "Stream {stream} is set up to reduce its page size on error but does not define one. Set `page_size` \
             on the pagination strategy and `page_size_option` on the paginator."
        );
        let internal = format!(
            "Stream {stream} received a REDUCE_PAGE_SIZE response action but its paginator does not inject a page size"
        );
        ReadError::traced(TracedError::config(message).with_internal(internal))
    }

    fn smallest_refused(&self, size: i64, reason: &str) -> ReadError {
        let (stream, min) = (self.stream, self.shape.minimum_page_size.0);
        let rejection = rejection(reason);
        if self.current.is_none() && min > 1 {
            let message = format!(
                "The page size of stream {stream} ({size}) is already at or below the configured minimum of {min}, \
                 so the connector cannot reduce it. Raise the page size of the stream, or lower `minimum_page_size`."
            );
            let retries = match self.n_retries {
                0 => String::new(),
                n => format!(" ({n} retries at that size were spent first)"),
            };
            let internal = format!(
                "Stream {stream} has a configured page size of {size} which is not greater than the configured \
                 minimum page size of {min}, so it can never be reduced{retries}{rejection}"
            );
            return ReadError::traced(TracedError::config(message).with_internal(internal));
        }
        let message = format!(
            "The source keeps rejecting pages of stream {stream} at the smallest page size the connector is \
             allowed to request ({size} records per page)."
        );
        let retries = match self.n_retries {
            0 => String::new(),
            n => format!(", after {n} retries at that size"),
        };
        let internal = format!(
            "Stream {stream} still fails with a page size of {size}, which is the smallest page size allowed by the \
             configured minimum of {min}{retries}{rejection}"
        );
        ReadError::traced(TracedError::transient(self.with_advice(message)).with_internal(internal))
    }

    fn all_refused(&self, size: i64, reason: &str) -> ReadError {
        let stream = self.stream;
        let message = format!(
            "The source keeps rejecting pages of stream {stream} at every page size the connector requested, down to \
             {size} records per page."
        );
        let internal = format!(
            "Stream {stream} reduced its page size {} times in a row without a single page succeeding, which is the \
             configured maximum of {} ({} reductions so far while reading this partition){}",
            self.n_attempts - 1,
            self.shape.max_attempts.0,
            self.n_reductions - 1,
            rejection(reason),
        );
        ReadError::traced(TracedError::transient(self.with_advice(message)).with_internal(internal))
    }

    fn with_advice(&self, message: String) -> String {
        super::with_advice(message, self.shape.failure_message.as_deref())
    }
}

fn rejection(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!("; the API rejected the page: {reason}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::registry::REGISTRY;
    use crate::components::shape::{Reader, Shape};
    use crate::manifest::{Findings, Node};
    use crate::value::{Json, Map};
    use serde_json::json;

    fn shape(fields: &Json) -> yaml::PageSizeReduction {
        let mut written = Map::from_iter([("type".to_owned(), json!("PageSizeReduction"))]);
        written.extend(fields.as_object().unwrap().clone());
        let node = Node::from_json(&Json::Object(written), None);
        <yaml::PageSizeReduction as Shape>::read(
            &node,
            &mut Reader::new(&REGISTRY, &mut Findings::default()),
        )
        .unwrap()
    }

    /// Each refusal is answered with a size, until the last one ends it with the message that begins so.
    #[track_caller]
    fn check(fields: &Json, configured: Option<i64>, sizes: &[i64], message: &str) {
        let shape = shape(fields);
        let mut reducer = Reducer::new(&shape, "s", configured);
        for size in sizes {
            reducer.next_attempt("").unwrap();
            assert_eq!(reducer.page_size().or(configured), Some(*size));
        }
        let ReadError::Traced(error) = reducer.next_attempt("too much").unwrap_err() else {
            panic!("expected a traced error");
        };
        assert!(error.message.unwrap().starts_with(message));
    }

    #[test]
    fn the_size_is_divided_down_to_the_smallest() {
        let message = "The source keeps rejecting pages of stream s at the smallest page size";
        check(&json!({}), Some(10), &[5, 2, 1], message);
        check(
            &json!({"minimum_page_size": 4, "reduction_factor": 1.5}),
            Some(10),
            &[6, 4],
            message,
        );
    }

    #[test]
    fn attempts_are_limited() {
        let message = "The source keeps rejecting pages of stream s at every page size";
        check(&json!({"max_attempts": 2}), Some(100), &[50, 25], message);
    }

    #[test]
    fn the_smallest_page_may_be_tried_again() {
        let message = "The source keeps rejecting pages of stream s at the smallest page size";
        check(&json!({"retries_at_minimum_page_size": 2}), Some(2), &[1, 1, 1], message);
    }

    #[test]
    fn a_size_that_cannot_be_reduced_is_a_fault_of_the_manifest() {
        check(
            &json!({"minimum_page_size": 5}),
            Some(5),
            &[],
            "The page size of stream s (5) is already",
        );
        check(&json!({}), None, &[], "Stream s is set up to reduce its page size");
    }

    #[test]
    fn a_page_that_comes_through_restarts_the_count() {
        let never = shape(&json!({"max_attempts": 1}));
        let mut reducer = Reducer::new(&never, "s", Some(8));
        reducer.next_attempt("").unwrap();
        reducer.page_succeeded();
        assert_eq!(reducer.page_size(), Some(4));
        reducer.next_attempt("").unwrap();

        let always = shape(&json!({"reset_policy": "AFTER_SUCCESSFUL_PAGE"}));
        let mut reducer = Reducer::new(&always, "s", Some(8));
        reducer.next_attempt("").unwrap();
        reducer.page_succeeded();
        assert_eq!(reducer.page_size(), None);
    }
}
