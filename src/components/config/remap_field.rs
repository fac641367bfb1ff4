//! `ConfigRemapField`: a value of the config becomes another one.

use std::sync::Arc;

use crate::components::shape::{Text, TextOrTemplates, shape};
use crate::components::{BuildContext, BuildError, Component, ConfigTransformation, Parameters};
use crate::run::RunContext;
use crate::template::{InterpolatedMapping, InterpolatedString, Scope, ValidTypes, Value};
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::{Text, TextOrTemplates, shape};

    shape! {
        /// Replaces a value of the config.
        pub struct ConfigRemapField {
            /// What becomes what; values that are not listed stay.
            map: TextOrTemplates,
            /// The keys that lead to the value.
            field_path: Vec<Text>,
        }
    }
}

impl Component for yaml::ConfigRemapField {
    type Family = dyn ConfigTransformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn ConfigTransformation>, BuildError> {
        if self.field_path.is_empty() {
            let message = "field_path cannot be empty.";
            return Err(BuildError::in_span(self.span, message).class("Exception"));
        }
        let TextOrTemplates::Object(map) = &self.map else {
            let message = "'str' object has no attribute 'items'";
            return Err(BuildError::in_span(self.span, message).class("AttributeError"));
        };
        let template = |text: &Text| InterpolatedString::new(text, Parameters::default());
        Ok(Arc::new(ConfigRemapField {
            map: InterpolatedMapping::new(map, Parameters::default()),
            path: self.field_path.iter().map(template).collect(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ConfigRemapField {
    map: InterpolatedMapping,
    path: Vec<InterpolatedString>,
}

impl ConfigTransformation for ConfigRemapField {
    fn transform(&self, config: &mut Map, run: &RunContext) -> Result<(), BuildError> {
        let scope = Scope::new(run).with("config", &*config);
        let keys = self.path.iter().map(|key| Ok(key.eval_json(&scope)?));
        let keys = keys.collect::<Result<Vec<_>, BuildError>>()?;
        let map = Value::dict(self.map.eval(&scope, ValidTypes::ANY)?).to_json()?;
        if let (Some(place), Some(map)) = (find(config, &keys), map.as_object())
            && let Some(mapped) = place.as_str().and_then(|text| map.get(text))
        {
            *place = mapped.clone();
        }
        Ok(())
    }
}

/// The value under keys of objects, if it is there.
fn find<'a>(config: &'a mut Map, keys: &[Json]) -> Option<&'a mut Json> {
    let (first, rest) = keys.split_first()?;
    let value = config.get_mut(first.as_str()?)?;
    rest.iter().try_fold(value, |value, key| value.as_object_mut()?.get_mut(key.as_str()?))
}
