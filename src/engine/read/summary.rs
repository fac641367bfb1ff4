//! What is said at the end of a read that did not go well.

use std::sync::Arc;

use crate::protocol::TracedError;

use super::stream_run::StreamRun;

/// The streams that were not read whole.
#[derive(Debug)]
pub struct Failed {
    /// One line an error, as the reference prints them.
    pub summary: String,
}

impl Failed {
    pub(super) fn of(runs: &[Arc<StreamRun>]) -> Option<Self> {
        let lines: Vec<_> = runs
            .iter()
            .flat_map(|run| {
                let name = run.stream.name.clone();
                run.failures().into_iter().map(move |failure| format!("{name}: {failure}"))
            })
            .collect();
        (!lines.is_empty()).then(|| Self {
            summary: format!(
                "During the sync, the following streams did not sync successfully: {}",
                lines.join("\n")
            ),
        })
    }

    /// The error that ends the run.
    pub fn to_traced(&self) -> TracedError {
        TracedError::config(&self.summary).with_internal("Concurrent read failure")
    }
}
