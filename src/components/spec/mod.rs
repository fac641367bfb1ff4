//! `Spec`: how a source is configured, and what is done to its config.

pub mod auth_flow;

use std::sync::Arc;

use super::shape::{Definition, FieldValue, Reader, Shape, shape};
use super::slot::Slot;
use super::{BuildContext, BuildError, ConfigTransformation, ConfigValidator};
use crate::manifest::Node;
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
        pub struct ConfigNormalizationRules: untyped {
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
            transformations: Vec<Slot<dyn ConfigTransformation>> = Vec::new(),
        }
    }
}

/// A mapping that is checked as `S`, and printed as it is written.
#[derive(Clone, Debug)]
pub struct Written<S> {
    /// What it means.
    pub shape: S,
    /// What is written.
    pub json: Map,
}

impl<S: Shape + FieldValue> FieldValue for Written<S> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let shape = <S as FieldValue>::read(node, reader)?;
        Some(Self { shape, json: Map::read(node, reader)? })
    }

    fn schema() -> Json {
        S::schema()
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
