//! The config of a run, which a refreshed token may change while the run goes on.

use std::sync::{Arc, PoisonError, RwLock};

use crate::value::Map;

/// A handle on the config; clones share it.
#[derive(Clone, Default)]
pub struct Config(Arc<RwLock<Arc<Map>>>);

impl Config {
    /// A handle on `config`.
    pub fn new(config: Map) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config))))
    }

    /// The config as it is now; cheap.
    pub fn snapshot(&self) -> Arc<Map> {
        // The lock only ever guards the swap of a pointer.
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the config, and gives what it is then.
    pub fn update(&self, change: impl FnOnce(&mut Map)) -> Arc<Map> {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut config = Map::clone(&guard);
        change(&mut config);
        *guard = Arc::new(config);
        guard.clone()
    }
}

/// A config holds secrets: its values are never printed.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.snapshot().keys()).finish()
    }
}
