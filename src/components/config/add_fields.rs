//! `ConfigAddFields`: values that templates give, at paths in the config.

use std::sync::Arc;

use crate::components::added_field::AddedField;
use crate::components::shape::{Text, shape};
use crate::components::{BuildContext, BuildError, Component, ConfigTransformation, Parameters};
use crate::run::RunContext;
use crate::template::{InterpolatedBoolean, Scope};
use crate::value::{Json, Map, insert};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};
    use crate::components::added_field::yaml::AddedFieldDefinition;

    shape! {
        /// Adds fields to the config.
        pub struct ConfigAddFields {
            /// The fields, in order.
            fields: Vec<AddedFieldDefinition>,
            /// Whether a field is added; sees its `value` and `path` as well. Always when unset.
            condition: Text = Text::new(""),
        }
    }
}

impl Component for yaml::ConfigAddFields {
    type Family = dyn ConfigTransformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn ConfigTransformation>, BuildError> {
        Ok(Arc::new(ConfigAddFields {
            fields: self.fields.iter().map(AddedField::build).collect::<Result<_, _>>()?,
            condition: (!self.condition.is_empty())
                .then(|| InterpolatedBoolean::new(&self.condition, Parameters::default())),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ConfigAddFields {
    fields: Vec<AddedField>,
    condition: Option<InterpolatedBoolean>,
}

impl ConfigTransformation for ConfigAddFields {
    fn transform(&self, config: &mut Map, run: &RunContext) -> Result<(), BuildError> {
        for field in &self.fields {
            let scope = Scope::new(run).with("config", &*config);
            let value = field.eval(&scope)?;
            if let Some(condition) = &self.condition {
                let path = Json::Array(field.path.clone());
                if !condition.eval(&scope.with("value", &value).with("path", &path))? {
                    continue;
                }
            }
            insert(config, &field.path, value)?;
        }
        Ok(())
    }
}
