//! `PredicateValidator`: a value of the manifest has to fulfil something.
//!
//! The value is literal, so this says the same for every config. (The
//! reference cannot run it at all: its call has one argument too many.)

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, ConfigValidator, Slot, ValidationStrategy,
};
use crate::run::RunContext;
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::{Json, Slot, ValidationStrategy, shape};

    shape! {
        /// A value of the manifest has to fulfil something.
        pub struct PredicateValidator {
            /// The value.
            value: Json,
            /// What it has to fulfil.
            validation_strategy: Slot<dyn ValidationStrategy>,
        }
    }
}

impl Component for yaml::PredicateValidator {
    type Family = dyn ConfigValidator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ConfigValidator>, BuildError> {
        let strategy = self.validation_strategy.build(cx)?;
        Ok(Arc::new(PredicateValidator { value: self.value, strategy }))
    }
}

/// See the module documentation.
struct PredicateValidator {
    value: Json,
    strategy: Arc<dyn ValidationStrategy>,
}

impl ConfigValidator for PredicateValidator {
    fn validate(&self, _: &Map, _: &RunContext) -> Result<(), BuildError> {
        self.strategy.validate(&self.value)
    }
}
