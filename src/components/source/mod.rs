//! `DeclarativeSource`: the root of a manifest.
//!
//! - [`concurrency`]: `ConcurrencyLevel`, how much is read at once;
//! - [`groups`]: `StreamGroup`, streams that are never read at once;
//! - [`streams`]: which streams there are with a config, and how they are built.

pub mod concurrency;
pub mod groups;
pub mod streams;

use indexmap::IndexMap;
use serde_json::json;

use super::definitions::{Definitions, reference};
use super::resolver::yaml::DynamicDeclarativeStream;
use super::shape::{FieldValue, IntOrTemplate, Reader, Shape, either, shape};
use super::spec::yaml::Spec;
use super::stream::conditional::yaml::ConditionalStreams;
use super::{Check, Slot, Stream};
use crate::http::Permit;
use crate::manifest::{Finding, Node};
use crate::value::{Json, Map};

either! {
    /// A stream, or streams that a config may lack.
    pub enum StreamEntry {
        Conditional(ConditionalStreams) if |node| node.type_name() == Some("ConditionalStreams"),
        Stream(Slot<Stream>)
    }
}

/// JSON schemas by name, for references.
#[derive(Clone, Debug)]
pub struct Schemas(pub Map);

impl FieldValue for Schemas {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Map::read(node, reader).map(Self)
    }

    fn schema() -> Json {
        reference("Schemas")
    }

    fn gather(definitions: &mut Definitions) {
        definitions.add(
            "Schemas",
            || json!({"description": "JSON schemas by name, for references.", "type": "object"}),
        );
    }
}

/// The YAML shape.
pub mod yaml {
    use super::concurrency::yaml::ConcurrencyLevel;
    use super::groups::yaml::StreamGroup;
    use super::{
        Check, DynamicDeclarativeStream, IndexMap, IntOrTemplate, Map, Permit, Schemas, Slot, Spec,
        StreamEntry, shape,
    };

    shape! {
        /// A source.
        pub struct DeclarativeSource: closed {
            /// How a connection is checked.
            check: Slot<Check>,
            /// Its streams.
            streams: Option<Vec<StreamEntry>>,
            /// Streams made of templates.
            dynamic_streams: Option<Vec<DynamicDeclarativeStream>>,
            /// The version of the language that it is written for.
            version: String,
            /// JSON schemas, for references.
            schemas: Option<Schemas>,
            /// Anything, for references.
            definitions: Option<Map>,
            /// How it is configured.
            spec: Option<Spec>,
            /// How much is read at once.
            concurrency_level: Option<ConcurrencyLevel>,
            /// How many requests the API allows.
            api_budget: Option<Slot<dyn Permit>>,
            /// Streams that are never read at once, by the name of their group.
            stream_groups: IndexMap<String, StreamGroup> = IndexMap::new(),
            /// How many jobs the API may work on at once.
            max_concurrent_async_job_count: Option<IntOrTemplate>,
            /// Anything, for tools.
            metadata: Option<Map>,
            /// What it is, for people.
            description: Option<String>,
        }
    }
}

impl yaml::DeclarativeSource {
    /// Reads the root of a manifest; what is wrong anywhere below becomes a finding, all of it.
    pub fn read_root(root: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let read = <Self as Shape>::read(root, reader);
        if root.get("streams").is_none() && root.get("dynamic_streams").is_none() {
            let finding =
                Finding::error("schema/required", "a source needs `streams` or `dynamic_streams`");
            reader.note(finding, root);
        }
        read.filter(|_| !reader.has_errors())
    }
}
