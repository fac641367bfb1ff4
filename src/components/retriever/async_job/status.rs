//! `AsyncJobStatusMap`: what an API's words for the states of a job mean.

use std::collections::HashMap;

use crate::components::BuildError;
use crate::components::shape::shape;

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// What an API's words for the states of a job mean.
        pub struct AsyncJobStatusMap: loosely_typed {
            /// The job is being worked on.
            running: Vec<String>,
            /// Its records can be downloaded.
            completed: Vec<String>,
            /// It failed; it is started anew.
            failed: Vec<String>,
            /// It took too long; it is started anew.
            timeout: Vec<String>,
            /// There are no records.
            skipped: Option<Vec<String>>,
        }
    }
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    Completed,
    Failed,
    TimedOut,
    Skipped,
}

impl yaml::AsyncJobStatusMap {
    /// The states by the API's words, each of which has one meaning.
    pub(super) fn statuses(&self) -> Result<HashMap<String, Status>, BuildError> {
        let skipped = self.skipped.as_deref().unwrap_or_default();
        let words = [
            (self.running.as_slice(), "running", Status::Running),
            (&self.completed, "completed", Status::Completed),
            (&self.failed, "failed", Status::Failed),
            (&self.timeout, "timeout", Status::TimedOut),
            (skipped, "skipped", Status::Skipped),
        ];
        let mut statuses = HashMap::new();
        for (words, name, status) in words {
            for word in words {
                if statuses.insert(word.clone(), status).is_some() {
                    let message = format!(
                        "API status {word} is already set for CDK status {name}. Please ensure API statuses are only \
                         provided once"
                    );
                    return Err(BuildError::in_span(self.span, message));
                }
            }
        }
        Ok(statuses)
    }
}
