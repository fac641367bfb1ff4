//! `DpathValidator`: what a path leads to in the config has to fulfil something, if it is there.

use std::sync::Arc;

use tracing::info;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ConfigValidator, Parameters, Slot, ValidationStrategy,
};
use crate::run::RunContext;
use crate::template::{InterpolatedString, Scope};
use crate::value::{Map, Path};

/// The YAML shape.
pub mod yaml {
    use super::{Slot, Text, ValidationStrategy, shape};

    shape! {
        /// What a path leads to has to fulfil something.
        pub struct DpathValidator {
            /// The path; with `*` it leads to several values, which all have to.
            field_path: Vec<Text>,
            /// What it has to fulfil.
            validation_strategy: Slot<dyn ValidationStrategy>,
        }
    }
}

impl Component for yaml::DpathValidator {
    type Family = dyn ConfigValidator;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ConfigValidator>, BuildError> {
        let template = |text: &Text| InterpolatedString::new(text, Parameters::default());
        Ok(Arc::new(DpathValidator {
            path: self.field_path.iter().map(template).collect(),
            strategy: self.validation_strategy.build(cx)?,
        }))
    }
}

/// See the module documentation.
struct DpathValidator {
    path: Vec<InterpolatedString>,
    strategy: Arc<dyn ValidationStrategy>,
}

impl ConfigValidator for DpathValidator {
    fn validate(&self, config: &Map, run: &RunContext) -> Result<(), BuildError> {
        // The path sees no config, as in the reference.
        let nothing = Map::new();
        let scope = Scope::new(run).with("config", &nothing);
        let segments = self.path.iter().map(|segment| Ok(segment.eval_json(&scope)?));
        let path = Path::new(segments.collect::<Result<Vec<_>, BuildError>>()?)?;
        if path.is_empty() {
            return Err(BuildError::new("Field path is empty"));
        }
        if path.has_star() {
            return path
                .values_in(config)
                .into_iter()
                .try_for_each(|it| self.strategy.validate(it));
        }
        if let Some(value) = path.get_in(config)? {
            return self.strategy.validate(value);
        }
        info!("Validation skipped. Key not found: {path}");
        Ok(())
    }
}
