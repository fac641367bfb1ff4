//! `ParametrizedComponentsResolver`: one stream for each item of a list in the manifest.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, ComponentsResolver, ReadError, Surroundings,
};
use crate::manifest::Node;
use crate::value::{Json, Map};

use super::mapping::{Mapping, Reading, fill_all};

/// The YAML shapes.
pub mod yaml {
    use super::super::mapping::yaml::ComponentMappingDefinition;
    use super::{Map, shape};

    shape! {
        /// One stream for each item of a list in the manifest.
        pub struct ParametrizedComponentsResolver {
            /// The list.
            stream_parameters: StreamParametersDefinition,
            /// What of the template is filled.
            components_mapping: Vec<ComponentMappingDefinition>,
        }
    }

    shape! {
        /// A list in the manifest that streams are made of.
        pub struct StreamParametersDefinition {
            /// The values of each stream.
            list_of_parameters_for_stream: Vec<Map>,
        }
    }
}

impl Component for yaml::ParametrizedComponentsResolver {
    type Family = dyn ComponentsResolver;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ComponentsResolver>, BuildError> {
        let values = self.stream_parameters.list_of_parameters_for_stream;
        Ok(Arc::new(ParametrizedComponentsResolver {
            values: values.into_iter().map(Json::Object).collect(),
            mappings: Mapping::build_all(&self.components_mapping, false, true)?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct ParametrizedComponentsResolver {
    values: Vec<Json>,
    mappings: Vec<Mapping>,
    surroundings: Surroundings,
}

impl ComponentsResolver for ParametrizedComponentsResolver {
    fn resolve<'a>(&'a self, template: &'a Node) -> BoxFuture<'a, Result<Vec<Node>, ReadError>> {
        let fillings = self.values.iter().map(|values| (values, None));
        let streams =
            fill_all(&self.mappings, template, fillings, Reading::Yaml, &self.surroundings);
        async { streams }.boxed()
    }
}
