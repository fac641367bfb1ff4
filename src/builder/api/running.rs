//! The test reads that go on, and the long bodies of those that went on last.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::builder::test_read::Watcher;
use crate::run::RunContext;

/// Of how many test reads long bodies are kept.
const KEPT_TESTS: usize = 4;

/// A test read that goes on.
#[derive(Debug)]
pub(super) struct Running {
    watcher: Watcher,
    /// The wait that began last.
    pub(super) wait: AtomicU64,
    stop: Notify,
}

impl Running {
    pub(super) fn new(watcher: Watcher) -> Self {
        Self { watcher, wait: AtomicU64::new(0), stop: Notify::new() }
    }

    /// Cuts the wait short that goes on; tells whether there was one.
    pub(super) fn skip(&self) -> bool {
        self.watcher.skip(self.wait.load(Ordering::Relaxed))
    }

    pub(super) fn stop(&self) {
        self.stop.notify_one();
    }

    /// Completes when the test read is to end.
    pub(super) async fn stopped(&self) {
        self.stop.notified().await;
    }
}

/// All test reads.
#[derive(Debug, Default)]
pub(super) struct Tests {
    running: Mutex<HashMap<String, Arc<Running>>>,
    kept: Mutex<VecDeque<(String, Arc<[String]>)>>,
}

/// Forgets a test read once it does not go on any more.
pub(super) struct Guard<'t> {
    tests: &'t Tests,
    id: String,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        lock(&self.tests.running).remove(&self.id);
    }
}

impl Tests {
    /// Adds a test read, and tells its id.
    pub(super) fn add(&self, running: Arc<Running>) -> String {
        let id = RunContext::system().uuid().to_string();
        lock(&self.running).insert(id.clone(), running);
        id
    }

    pub(super) fn guard(&self, id: &str) -> Guard<'_> {
        Guard { tests: self, id: id.to_owned() }
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<Running>> {
        lock(&self.running).get(id).cloned()
    }

    /// Keeps the bodies of a test read that were cut in its result.
    pub(super) fn keep(&self, id: &str, bodies: Vec<String>) {
        let mut kept = lock(&self.kept);
        kept.push_back((id.to_owned(), bodies.into()));
        let n_old = kept.len().saturating_sub(KEPT_TESTS);
        kept.drain(..n_old);
    }

    /// A body that was cut.
    pub(super) fn body(&self, id: &str, body: usize) -> Option<String> {
        let kept = lock(&self.kept);
        let (_, bodies) = kept.iter().find(|(test, _)| test == id)?;
        bodies.get(body).cloned()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that can panic runs under these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_the_last_tests_are_kept() {
        let tests = Tests::default();
        for id in 0..=KEPT_TESTS {
            tests.keep(&id.to_string(), vec!["x".to_owned()]);
        }
        assert_eq!(tests.body("0", 0), None);
        assert_eq!(tests.body("1", 0).as_deref(), Some("x"));
        assert_eq!(tests.body("1", 1), None);
    }
}
