//! `ConfigComponentsResolver`: one stream for each item of a list in the config, or for each
//! combination of the items of several lists.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use crate::components::shape::{Text, either, shape};
use crate::components::{
    BuildContext, BuildError, Component, ComponentsResolver, ReadError, Surroundings,
};
use crate::manifest::Node;
use crate::template::InterpolatedString;
use crate::value::{Json, Map, Path};

use super::mapping::{Mapping, Reading, fill_all};

either! {
    /// One list, or several.
    pub enum StreamConfigs {
        Many(Vec<yaml::StreamConfig>) if |node| node.as_seq().is_some(),
        One(yaml::StreamConfig)
    }
}

/// The YAML shapes.
pub mod yaml {
    use super::super::mapping::yaml::ComponentMappingDefinition;
    use super::{Map, StreamConfigs, Text, shape};

    shape! {
        /// One stream for each item of a list in the config.
        pub struct ConfigComponentsResolver {
            /// The list, or lists of which all combinations are taken.
            stream_config: StreamConfigs,
            /// What of the template is filled.
            components_mapping: Vec<ComponentMappingDefinition>,
        }
    }

    shape! {
        /// A list in the config that streams are made of.
        pub struct StreamConfig {
            /// The path of the list in the config.
            configs_pointer: Vec<Text>,
            /// Further items.
            default_values: Vec<Map> = Vec::new(),
        }
    }
}

impl Component for yaml::ConfigComponentsResolver {
    type Family = dyn ComponentsResolver;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn ComponentsResolver>, BuildError> {
        let config = cx.config.snapshot();
        let lists = match self.stream_config {
            StreamConfigs::One(list) => vec![list],
            StreamConfigs::Many(lists) => lists,
        };
        let items =
            lists.iter().map(|list| list.items(&config, cx)).collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(ConfigComponentsResolver {
            values: combinations(&items),
            mappings: Mapping::build_all(&self.components_mapping, true, true)?,
            surroundings: cx.surroundings(),
        }))
    }
}

impl yaml::StreamConfig {
    fn items(&self, config: &Map, cx: &BuildContext<'_>) -> Result<Vec<Json>, BuildError> {
        let scope = cx.scope(config);
        let template = |text: &Text| InterpolatedString::new(text, self.parameters.clone());
        let segments =
            self.configs_pointer.iter().map(|text| Ok(template(text).eval_json(&scope)?));
        let path = Path::new(segments.collect::<Result<Vec<_>, BuildError>>()?)?;
        let mut items = match path.get_in(config)? {
            None => Vec::new(),
            Some(Json::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        items.extend(self.default_values.iter().cloned().map(Json::Object));
        Ok(items)
    }
}

/// All combinations of one item of each list, the last list varying fastest, each as one mapping.
///
/// Items that are mappings are merged; another item gets a name of its own, and its position.
fn combinations(lists: &[Vec<Json>]) -> Vec<Json> {
    let mut merged = vec![Map::new()];
    for (list_idx, items) in lists.iter().enumerate() {
        let with = |values: &Map, (item_idx, item): (usize, &Json)| {
            let mut values = values.clone();
            if let Json::Object(fields) = item {
                values.extend(fields.clone());
            } else {
                let name = format!("source_config_{list_idx}");
                values.entry(name).or_insert_with(|| json!([item_idx, item]));
            }
            values
        };
        let with_each = |values: &Map| {
            items.iter().enumerate().map(|item| with(values, item)).collect::<Vec<_>>()
        };
        merged = merged.iter().flat_map(with_each).collect();
    }
    merged.into_iter().map(Json::Object).collect()
}

/// See the module documentation.
#[derive(Debug)]
struct ConfigComponentsResolver {
    values: Vec<Json>,
    mappings: Vec<Mapping>,
    surroundings: Surroundings,
}

impl ComponentsResolver for ConfigComponentsResolver {
    fn resolve<'a>(&'a self, template: &'a Node) -> BoxFuture<'a, Result<Vec<Node>, ReadError>> {
        let fillings = self.values.iter().map(|values| (values, None));
        let reading = Reading::YamlUnlessText;
        let streams = fill_all(&self.mappings, template, fillings, reading, &self.surroundings);
        async { streams }.boxed()
    }

    fn follows_config(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::World;

    /// The names of the streams that are made.
    #[track_caller]
    fn check(config: &Json, resolver: &Json, expect: &Json) {
        let world = World::new(config);
        let mut written = json!({"type": "ConfigComponentsResolver", "components_mapping": [
            {"type": "ComponentMappingDefinition", "field_path": ["name"], "value": "{{ components_values.name }}"},
            {"type": "ComponentMappingDefinition", "field_path": ["a", "b"], "value": "{{ components_values.flag }}",
                "create_or_update": true, "condition": "{{ components_values.flag is defined }}"},
        ]});
        written["stream_config"] = resolver.clone();
        let resolver = world.build::<dyn ComponentsResolver>(&written).unwrap();
        let template = Node::from_json(&json!({"name": ""}), None);
        let streams = resolver.resolve(&template).now_or_never().unwrap().unwrap();
        let streams: Vec<_> = streams.iter().map(Node::to_json).collect();
        assert_eq!(Json::Array(streams), *expect);
    }

    #[test]
    fn one_stream_for_each_item() {
        let list = json!({"type": "StreamConfig", "configs_pointer": ["tables"],
            "default_values": [{"name": "c"}]});
        check(
            &json!({"tables": [{"name": "a"}, {"name": "b", "flag": "yes"}]}),
            &list,
            &json!([{"name": "a"}, {"name": "b", "a": {"b": true}}, {"name": "c"}]),
        );
        check(&json!({}), &list, &json!([{"name": "c"}]));
    }

    #[test]
    fn all_combinations_of_several_lists() {
        let lists = [vec![json!({"a": 1}), json!("x")], vec![json!({"b": 1}), json!({"a": 2})]];
        assert_eq!(
            combinations(&lists),
            [
                json!({"a": 1, "b": 1}),
                json!({"a": 2}),
                json!({"source_config_0": [1, "x"], "b": 1}),
                json!({"source_config_0": [1, "x"], "a": 2}),
            ]
        );
    }
}
