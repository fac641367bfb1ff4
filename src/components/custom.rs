//! `Custom…`: components that are written in Python.
//!
//! They are checked like all others, with a warning that names the class, and
//! cannot be built yet.

use super::shape::{FieldValue, Reader, Text};
use super::slot::Member;
use super::{
    Authenticator, BackoffStrategy, BuildContext, BuildError, Component, ConfigTransformation,
    Decoder, ErrorHandler, Family, PaginationStrategy, PartitionRouter, RecordExtractor,
    RecordFilter, Requester, Retriever, SchemaLoader, SchemaNormalization, StateMigration,
    Transformation, ValidationStrategy,
};
use crate::manifest::{Finding, Node};
use crate::protocol::FailureType;
use crate::value::Json;

/// The code of the findings that name a class.
pub const FINDING: &str = "component/custom";

/// The name of a Python class: `source_declarative_manifest.components.Name`.
#[derive(Clone, Debug)]
pub struct PythonClass(pub Text);

impl FieldValue for PythonClass {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let name = Text::read(node, reader)?;
        let message = format!("`{}` is a Python class, which cannot run here", &*name);
        reader.note(Finding::warning(FINDING, message), node);
        Some(Self(name))
    }

    fn schema() -> Json {
        Text::schema()
    }
}

impl PythonClass {
    /// Why the component cannot be built; begins as the reference does where custom code is forbidden.
    fn refuse(&self, type_name: &str) -> BuildError {
        let message = format!(
            "Custom connector code is not permitted in this environment. This {type_name} is the \
             Python class `{}`, and no Python runs here.",
            &*self.0
        );
        BuildError::in_span(self.0.span, message)
            .class("AirbyteCustomCodeNotPermittedError")
            .failing(FailureType::ConfigError)
    }
}

macro_rules! custom {
    ($($(#[doc = $doc:literal])* $name:ident: $family:ty;)*) => {
        /// The YAML shapes.
        pub mod yaml {
            use super::PythonClass;
            use crate::components::shape::shape;

            $(shape! {
                $(#[doc = $doc])*
                pub struct $name: open {
                    /// The full name of the class.
                    class_name: PythonClass,
                }
            })*
        }

        $(impl Component for yaml::$name {
            type Family = $family;

            fn build(
                self,
                _: &BuildContext<'_>,
            ) -> Result<<Self::Family as Family>::Built, BuildError> {
                Err(self.class_name.refuse(stringify!($name)))
            }
        })*

        /// The families, each with its member written in Python.
        pub(super) const MEMBERS: &[(&str, &[Member])] =
            &[$((<$family as Family>::NAME, &[Member::of::<yaml::$name>()])),*];
    };
}

custom! {
    /// Proof of identity by a Python class.
    CustomAuthenticator: dyn Authenticator;
    /// Waits by a Python class.
    CustomBackoffStrategy: dyn BackoffStrategy;
    /// A change of the config by a Python class.
    CustomConfigTransformation: dyn ConfigTransformation;
    /// Decoding by a Python class.
    CustomDecoder: dyn Decoder;
    /// What responses mean, by a Python class.
    CustomErrorHandler: dyn ErrorHandler;
    /// Page tokens by a Python class.
    CustomPaginationStrategy: dyn PaginationStrategy;
    /// Partitions by a Python class.
    CustomPartitionRouter: dyn PartitionRouter;
    /// Records found by a Python class.
    CustomRecordExtractor: dyn RecordExtractor;
    /// Records filtered by a Python class.
    CustomRecordFilter: dyn RecordFilter;
    /// Requests by a Python class.
    CustomRequester: dyn Requester;
    /// Records read by a Python class.
    CustomRetriever: dyn Retriever;
    /// A schema by a Python class.
    CustomSchemaLoader: dyn SchemaLoader;
    /// Values made to fit the schema by a Python class.
    CustomSchemaNormalization: dyn SchemaNormalization;
    /// A change of older states by a Python class.
    CustomStateMigration: dyn StateMigration;
    /// A change of records by a Python class.
    CustomTransformation: dyn Transformation;
    /// Validation by a Python class.
    CustomValidationStrategy: dyn ValidationStrategy;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;
    use crate::manifest::{Findings, Severity};

    #[test]
    fn a_custom_component_is_warned_of_and_refused() {
        let written = json!({"type": "CustomAuthenticator", "class_name": "components.My", "x": 1});
        let node = Node::from_json(&written, None);
        let world = World::new(&json!({}));
        let mut findings = Findings::default();
        let mut reader = Reader::new(world.cx().registry, &mut findings);
        assert!(yaml::CustomAuthenticator::read(&node, &mut reader).is_some());
        let found: Vec<_> = findings.iter().map(|it| (it.severity, it.message.as_str())).collect();
        let message = "`components.My` is a Python class, which cannot run here";
        assert_eq!(found, [(Severity::Warning, message)]);

        let error = world.build::<dyn Authenticator>(&written).err().unwrap();
        let start = "Custom connector code is not permitted in this environment. ";
        assert!(error.message.starts_with(start) && error.message.contains("`components.My`"));
        assert_eq!(error.failure_type, Some(FailureType::ConfigError));
    }
}
