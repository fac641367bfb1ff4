//! `DynamicSchemaLoader`: the API itself says which fields there are.
//!
//! The first record that a retriever reads describes them.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use serde_json::json;

use super::type_identifier::{self, SchemaTypeIdentifier};
use crate::components::full_refresh::FullRefresh;
use crate::components::shape::shape;
use crate::components::{
    BuildContext, BuildError, Component, Purpose, ReadError, RecordFilter, RecordSink, Retriever,
    SchemaLoader, Slot, StreamScope, Surroundings, Transformation,
};
use crate::manifest::{Key, Node, NodeValue};
use crate::value::{Json, Map, StreamSlice, is_truthy};

/// The name of the stream that the descriptions are read as.
const STREAM: &str = "dynamic_properties";

/// The YAML shape.
pub mod yaml {
    use super::{RecordFilter, Retriever, Slot, Transformation, shape, type_identifier};

    shape! {
        /// The JSON schema of the stream, made of what the API says about its fields.
        pub struct DynamicSchemaLoader {
            /// Reads the record that describes the fields.
            retriever: Slot<dyn Retriever>,
            /// Says which fields are taken; sees `record` with the one field and its schema.
            schema_filter: Option<Slot<dyn RecordFilter>>,
            /// What is done to the fields, in order.
            schema_transformations: Vec<Slot<dyn Transformation>> = Vec::new(),
            /// Where in the record the descriptions are, and what they mean.
            schema_type_identifier: type_identifier::yaml::SchemaTypeIdentifier,
        }
    }
}

impl Component for yaml::DynamicSchemaLoader {
    type Family = dyn SchemaLoader;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn SchemaLoader>, BuildError> {
        let node = self.retriever.node();
        if node.type_name() == Some("AsyncRetriever")
            && node.get("partition_router").is_some_and(Node::is_truthy)
        {
            let message = "DynamicSchemaLoader does not support an AsyncRetriever with a partition_router: only the \
                           first record is read, so jobs for other partitions would be orphaned. Remove the \
                           partition_router from the schema loader's AsyncRetriever.";
            return Err(BuildError::at(node, message));
        }
        let scope = StreamScope {
            name: STREAM.to_owned(),
            purpose: Purpose::Schema,
            is_parent: cx.stream.is_parent,
            ..StreamScope::default()
        };
        let retriever = Slot::<dyn Retriever>::new(with_cache(node));
        let transformations = self.schema_transformations.iter().map(|it| it.build(cx));
        Ok(Arc::new(DynamicSchemaLoader {
            retriever: retriever.build(&cx.for_stream(scope))?,
            filter: self.schema_filter.map(|filter| filter.build(cx)).transpose()?,
            transformations: transformations.collect::<Result<_, _>>()?,
            identifier: self.schema_type_identifier.build(cx)?,
            surroundings: cx.surroundings(),
        }))
    }
}

/// The same retriever, whose requester remembers responses: the description is asked for often.
fn with_cache(retriever: &Node) -> Node {
    let changed = |node: &Node, key: &str, value: Node| {
        let mut map = node.as_map()?.clone();
        map.insert(Key::new(key, None), value);
        Some(Node::new(NodeValue::Map(map), node.span()))
    };
    let cached = retriever.get("requester").and_then(|requester| {
        let requester = changed(requester, "use_cache", NodeValue::Bool(true).into())?;
        changed(retriever, "requester", requester)
    });
    cached.unwrap_or_else(|| retriever.clone())
}

/// See the module documentation.
struct DynamicSchemaLoader {
    retriever: Arc<dyn Retriever>,
    filter: Option<Arc<dyn RecordFilter>>,
    transformations: Vec<Arc<dyn Transformation>>,
    identifier: SchemaTypeIdentifier,
    surroundings: Surroundings,
}

impl SchemaLoader for DynamicSchemaLoader {
    fn load(&self) -> BoxFuture<'_, Result<Arc<Json>, ReadError>> {
        async {
            let slice = StreamSlice::default();
            let mut properties = match self.first_record().await?.filter(is_truthy) {
                Some(record) => self.identifier.properties(&record)?,
                None => Map::new(),
            };
            if let Some(filter) = &self.filter {
                let mut kept = Map::new();
                for (key, schema) in properties {
                    let property = json!({&*key: schema});
                    if filter.keeps(&property, &slice, None)? {
                        kept.insert(key, schema);
                    }
                }
                properties = kept;
            }
            for transformation in &self.transformations {
                transformation.transform(&mut properties, &slice)?;
            }
            Ok(Arc::new(json!({
                "$schema": "https://json-schema.org/draft-07/schema#",
                "type": "object",
                "additionalProperties": true,
                "properties": properties,
            })))
        }
        .boxed()
    }
}

impl DynamicSchemaLoader {
    async fn first_record(&self) -> Result<Option<Json>, ReadError> {
        let cursor = FullRefresh::new(None, self.surroundings.run().clone());
        let Some(slice) = self.retriever.slices(&cursor).next().await else { return Ok(None) };
        let mut first = First(None);
        self.retriever.read(&slice?, &mut first).await?;
        Ok(first.0)
    }
}

/// Takes one record.
struct First(Option<Json>);

impl RecordSink for First {
    fn records(&mut self, records: Vec<Json>) -> BoxFuture<'_, Result<ControlFlow<()>, ReadError>> {
        self.0 = self.0.take().or_else(|| records.into_iter().next());
        let flow =
            if self.0.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        async move { Ok(flow) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::testing::World;

    async fn check(further: &Json, response: Json, properties: &Json) {
        let world = World::with_api(&json!({"hidden": "b"}), move |_| (200, response.clone()));
        let mut written = json!({
            "type": "DynamicSchemaLoader",
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url_base": "https://api.test", "path": "/fields"},
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": ["result"]}
                }
            },
            "schema_type_identifier": {"schema_pointer": ["fields"], "key_pointer": ["name"]}
        });
        for (key, value) in further.as_object().unwrap() {
            written[key] = value.clone();
        }
        let loader = world.build::<dyn SchemaLoader>(&written).unwrap();
        let schema = loader.load().await.unwrap();
        let expect = json!({
            "$schema": "https://json-schema.org/draft-07/schema#",
            "type": "object",
            "additionalProperties": true,
            "properties": properties
        });
        assert_eq!(*schema, expect);
        assert_eq!(loader.known(), None);
    }

    #[tokio::test]
    async fn the_first_record_describes_the_fields() {
        let response =
            json!({"result": [{"fields": [{"name": "a"}]}, {"fields": [{"name": "b"}]}]});
        check(&json!({}), response, &json!({"a": {"type": ["null", "string"]}})).await;
        check(&json!({}), json!({"result": []}), &json!({})).await;
    }

    #[tokio::test]
    async fn fields_are_filtered_and_transformed() {
        let response = json!({"result": [{"fields": [{"name": "A"}, {"name": "b"}]}]});
        let further = json!({
            "schema_filter": {"type": "RecordFilter", "condition": "{{ config.hidden not in record }}"},
            "schema_transformations": [{"type": "KeysToLower"}]
        });
        check(&further, response, &json!({"a": {"type": ["null", "string"]}})).await;
    }
}
