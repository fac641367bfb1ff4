//! `ConfigRemoveFields`: what paths lead to, taken out of the config.

use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{BuildContext, BuildError, Component, ConfigTransformation, Parameters};
use crate::run::RunContext;
use crate::template::{InterpolatedBoolean, Scope};
use crate::value::{Json, Map, Path};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Removes fields from the config.
        pub struct ConfigRemoveFields {
            /// The paths of the fields; segments may be patterns.
            field_pointers: Vec<Vec<String>>,
            /// Whether they are removed. Always when unset.
            condition: Text = Text::new(""),
        }
    }
}

impl Component for yaml::ConfigRemoveFields {
    type Family = dyn ConfigTransformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn ConfigTransformation>, BuildError> {
        let path = |keys: Vec<String>| Path::new(keys.into_iter().map(Json::String));
        Ok(Arc::new(ConfigRemoveFields {
            paths: self.field_pointers.into_iter().map(path).collect::<Result<_, _>>()?,
            condition: (!self.condition.is_empty())
                .then(|| InterpolatedBoolean::new(&self.condition, Parameters::default())),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ConfigRemoveFields {
    paths: Vec<Path>,
    condition: Option<InterpolatedBoolean>,
}

impl ConfigTransformation for ConfigRemoveFields {
    fn transform(&self, config: &mut Map, run: &RunContext) -> Result<(), BuildError> {
        if let Some(condition) = &self.condition
            && !condition.eval(&Scope::new(run).with("config", &*config))?
        {
            return Ok(());
        }
        self.paths.iter().for_each(|path| path.remove(config));
        Ok(())
    }
}
