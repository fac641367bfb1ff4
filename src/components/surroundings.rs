//! What a component needs to evaluate its templates while it runs.

use std::sync::Arc;

use crate::run::RunContext;
use crate::template::Scope;
use crate::value::Map;

use super::build::Environment;
use super::config_handle::Config;

/// The config as it is then, and what the run shares; clones share both.
#[derive(Clone, Debug)]
pub struct Surroundings {
    config: Config,
    environment: Arc<Environment>,
}

impl Surroundings {
    /// Evaluates with `config`, in a run that shares `environment`.
    pub fn new(config: Config, environment: Arc<Environment>) -> Self {
        Self { config, environment }
    }

    /// Calls `eval` with a scope that has `config`.
    pub fn eval<R>(&self, eval: impl FnOnce(Scope<'_>) -> R) -> R {
        let config = self.config.snapshot();
        eval(Scope::new(&self.environment.run).with("config", &*config))
    }

    /// A scope that has `config`, a snapshot, for evaluations that see more than that.
    pub fn scope<'a>(&'a self, config: &'a Map) -> Scope<'a> {
        Scope::new(&self.environment.run).with("config", config)
    }

    /// The config.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Time, waiting, and chance.
    pub fn run(&self) -> &RunContext {
        &self.environment.run
    }

    /// What the run shares.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }
}
