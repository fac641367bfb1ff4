//! `Spec`: how a source is configured, and what is done to its config.

pub mod auth_flow;

use std::sync::Arc;

use super::shape::{Definition, Written, shape};
use super::slot::Slot;
use super::{BuildContext, BuildError, ConfigTransformation, ConfigValidator};
use crate::protocol::message;
use crate::value::{Json, Map};

/// The YAML shape.
pub mod yaml {
    use super::auth_flow::yaml::AuthFlow;
    use super::{ConfigTransformation, ConfigValidator, Map, Slot, Written, shape};

    shape! {
        /// How a source is configured.
        pub struct Spec {
            /// The JSON schema of the config.
            connection_specification: Map,
            /// Where the source is described.
            documentation_url: Option<String>,
            /// How a user gives access in a browser.
            advanced_auth: Option<Written<AuthFlow>>,
            /// What is done to a config before it is used.
            config_normalization_rules: Option<ConfigNormalizationRules>,
        }
    }

    shape! {
        /// What is done to a config before it is used.
        pub struct ConfigNormalizationRules: closed {
            /// Lasting changes: the changed config is kept for later runs.
            config_migrations: Vec<ConfigMigration> = Vec::new(),
            /// Changes for the present run only.
            transformations: Vec<Slot<dyn ConfigTransformation>> = Vec::new(),
            /// What a config has to fulfil.
            validations: Vec<Slot<dyn ConfigValidator>> = Vec::new(),
        }
    }

    shape! {
        /// A lasting change of the config.
        pub struct ConfigMigration {
            /// What it is for.
            description: Option<String>,
            /// Its steps, in order.
            transformations: Vec<Slot<dyn ConfigTransformation>>,
        }
    }
}

/// See the module documentation.
pub struct Spec {
    message: message::Spec,
    migrations: Vec<Arc<dyn ConfigTransformation>>,
    transformations: Vec<Arc<dyn ConfigTransformation>>,
    validations: Vec<Arc<dyn ConfigValidator>>,
}

impl Spec {
    /// Builds what `shape` says; its components see no config but the one they are given.
    pub fn build(shape: &yaml::Spec, cx: &BuildContext<'_>) -> Result<Self, BuildError> {
        let mut message = message::Spec::new(shape.connection_specification.clone());
        message.documentation_url = shape.documentation_url.clone().filter(|url| !url.is_empty());
        if let Some(flow) = &shape.advanced_auth {
            message.advanced_auth = Some(Json::Object(auth_flow::printed(&flow.json)?));
        }
        let mut spec = Self {
            message,
            migrations: Vec::new(),
            transformations: Vec::new(),
            validations: Vec::new(),
        };
        if let Some(rules) = &shape.config_normalization_rules {
            let steps = rules.config_migrations.iter().flat_map(|it| &it.transformations);
            spec.migrations = steps.map(|it| it.build(cx)).collect::<Result<_, _>>()?;
            let steps = rules.transformations.iter();
            spec.transformations = steps.map(|it| it.build(cx)).collect::<Result<_, _>>()?;
            let rules = rules.validations.iter();
            spec.validations = rules.map(|it| it.build(cx)).collect::<Result<_, _>>()?;
        }
        Ok(spec)
    }

    /// What the source tells about itself.
    pub fn message(&self) -> &message::Spec {
        &self.message
    }

    /// Changes the config in a way that lasts; whether anything changed is for the caller to see.
    pub fn migrate(&self, config: &mut Map, cx: &BuildContext<'_>) -> Result<(), BuildError> {
        self.migrations.iter().try_for_each(|it| it.transform(config, &cx.environment.run))
    }

    /// Changes the config for the present run.
    pub fn transform(&self, config: &mut Map, cx: &BuildContext<'_>) -> Result<(), BuildError> {
        self.transformations.iter().try_for_each(|it| it.transform(config, &cx.environment.run))
    }

    /// The first fault of the config, if it has one.
    pub fn validate(&self, config: &Map, cx: &BuildContext<'_>) -> Result<(), BuildError> {
        self.validations.iter().try_for_each(|it| it.validate(config, &cx.environment.run))
    }
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spec").field("message", &self.message).finish_non_exhaustive()
    }
}

/// The fields of `written` that `definition` knows and that are not null, in its order.
///
/// Free-form objects lose their own nulls, as everywhere in the protocol.
fn known_fields(written: &Map, definition: &Definition) -> Map {
    let field = |name: &str| match written.get(name)? {
        Json::Null => None,
        Json::Object(object) => Some(Json::Object(without_nulls(object))),
        value => Some(value.clone()),
    };
    let names = definition.fields.iter().map(|it| it.name);
    names.filter_map(|name| Some((name.to_owned(), field(name)?))).collect()
}

fn without_nulls(object: &Map) -> Map {
    let fields = object.iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn spec(rules: &Json) -> (World, Spec) {
        let world = World::new(&json!({}));
        let mut rules = rules.clone();
        rules["type"] = json!("ConfigNormalizationRules");
        let written = json!({
            "type": "Spec",
            "connection_specification": {"type": "object"},
            "config_normalization_rules": rules,
        });
        let spec = Spec::build(&world.read::<yaml::Spec>(&written), &world.cx()).unwrap();
        (world, spec)
    }

    #[track_caller]
    fn check_transformation(transformation: &Json, config: &Json, expect: &Json) {
        let (world, spec) = spec(&json!({"transformations": [transformation]}));
        let mut config = config.as_object().unwrap().clone();
        spec.transform(&mut config, &world.cx()).unwrap();
        assert_eq!(Json::Object(config), *expect);
    }

    #[test]
    fn fields_are_added_when_their_condition_holds() {
        let add = |condition: &str| {
            json!({"type": "ConfigAddFields", "condition": condition, "fields": [
                {"type": "AddedFieldDefinition", "path": ["a", "b"], "value": "{{ config.x + 1 }}"},
            ]})
        };
        check_transformation(&add(""), &json!({"x": 1}), &json!({"x": 1, "a": {"b": 2}}));
        check_transformation(&add("{{ value > 2 }}"), &json!({"x": 1}), &json!({"x": 1}));
    }

    #[test]
    fn fields_are_removed() {
        let remove = json!({"type": "ConfigRemoveFields", "field_pointers": [["a", "b*"], ["c"]]});
        check_transformation(&remove, &json!({"a": {"b1": 1, "d": 2}}), &json!({"a": {"d": 2}}));
    }

    #[test]
    fn listed_values_are_replaced() {
        let remap = json!({"type": "ConfigRemapField", "map": {"old": "{{ config.n }}", "x": 1},
            "field_path": ["a", "b"]});
        let config = |value: &Json| json!({"n": "new", "a": {"b": value}});
        check_transformation(&remap, &config(&json!("old")), &config(&json!("new")));
        check_transformation(&remap, &config(&json!("x")), &config(&json!(1)));
        check_transformation(&remap, &config(&json!("other")), &config(&json!("other")));
        check_transformation(&remap, &json!({"a": 5}), &json!({"a": 5}));
    }

    #[test]
    fn values_are_checked_where_they_are() {
        let (world, spec) = spec(&json!({"validations": [{
            "type": "DpathValidator",
            "field_path": ["accounts", "*", "id"],
            "validation_strategy": {"type": "ValidateAdheresToSchema", "base_schema": {"type": "integer"}},
        }]}));
        let validate = |config: &Json| {
            spec.validate(config.as_object().unwrap(), &world.cx()).map_err(|err| err.message)
        };
        assert_eq!(validate(&json!({})), Ok(()));
        assert_eq!(validate(&json!({"accounts": [{"id": 1}, {"id": "2"}]})), Ok(()));
        let message = "JSON schema validation error: 1.5 is not of type 'integer'";
        assert_eq!(validate(&json!({"accounts": [{"id": 1.5}]})), Err(message.to_owned()));
        let message = "Invalid JSON string: x";
        assert_eq!(validate(&json!({"accounts": [{"id": "x"}]})), Err(message.to_owned()));
    }
}
