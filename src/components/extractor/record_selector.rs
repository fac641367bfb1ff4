//! `RecordSelector`: from elements to finished records.
//!
//! Records are extracted, filtered, transformed, and normalised to the schema,
//! one after the other. A stream that filters by its cursor on our side does
//! so with the filter, and transforms before that unless told otherwise.

use std::sync::{Arc, OnceLock};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::normalization::{Normalizer, is_schema};
use crate::components::shape::{choice, either, shape};
use crate::components::{
    BuildContext, BuildError, Component, Cursor, ElementExtractor, Extraction, PageRecords,
    ReadError, RecordExtractor, RecordFilter, RecordSelector as Selector, SchemaLoader,
    SchemaNormalization, Slot, Transformation,
};
use crate::manifest::Node;
use crate::value::{Json, StreamSlice, python_str};

/// Normalisation by a Python class.
type CustomNormalization = Slot<dyn SchemaNormalization>;

/// The YAML shape.
pub mod yaml {
    use super::{
        CustomNormalization, ElementExtractor, RecordExtractor, RecordFilter, Slot, choice, either,
        shape,
    };

    shape! {
        /// Turns a response into records.
        pub struct RecordSelector {
            /// Finds the records.
            extractor: Slot<dyn RecordExtractor, ElementExtractor>,
            /// Says which records are kept.
            record_filter: Option<Slot<dyn RecordFilter>>,
            /// Whether values become those of the types that the stream's schema declares.
            schema_normalization: Normalization = Normalization::Named(SchemaNormalization::None),
            /// Whether records are transformed before they are filtered.
            transform_before_filtering: Option<bool>,
        }
    }

    either! {
        /// What values of other types than the declared ones become.
        pub enum Normalization { Custom(CustomNormalization) if |node| node.as_map().is_some(), Named(SchemaNormalization) }
    }

    choice! {
        /// What values of other types than the declared ones become.
        pub enum SchemaNormalization {
            /// They are converted.
            Default = "Default",
            /// They stay.
            None = "None",
        }
    }
}

impl Component for yaml::RecordSelector {
    type Family = dyn Selector;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Selector>, BuildError> {
        let stream = &cx.stream;
        let cursor = stream.cursor.clone();
        // A data feed is filtered by its retriever, which also stops there.
        let cursor = cursor.filter(|_| stream.filters_client_side && !stream.is_data_feed);
        // Beside a cursor an empty condition is none; alone it keeps no record.
        let is_empty = |filter: &Slot<dyn RecordFilter>| {
            !filter.node().get("condition").is_some_and(Node::is_truthy)
        };
        let filter = self.record_filter.filter(|filter| cursor.is_none() || !is_empty(filter));
        Ok(Arc::new(RecordSelector {
            extractor: self.extractor.build(cx)?,
            filter: filter.map(|filter| filter.build(cx)).transpose()?,
            cursor,
            transformations: stream.transformations.clone(),
            transforms_first: self.transform_before_filtering.unwrap_or(stream.filters_client_side),
            schema: match &self.schema_normalization {
                yaml::Normalization::Named(yaml::SchemaNormalization::None) => None,
                _ => stream.schema.clone(),
            },
            custom: match &self.schema_normalization {
                yaml::Normalization::Named(_) => None,
                yaml::Normalization::Custom(slot) => Some(slot.build(cx)?),
            },
            normalizer: OnceLock::new(),
        }))
    }
}

/// See the module documentation.
struct RecordSelector {
    extractor: Arc<dyn RecordExtractor>,
    filter: Option<Arc<dyn RecordFilter>>,
    /// Set when it filters records too.
    cursor: Option<Arc<dyn Cursor>>,
    transformations: Vec<Arc<dyn Transformation>>,
    transforms_first: bool,
    /// Set when records are normalised.
    schema: Option<Arc<dyn SchemaLoader>>,
    /// What normalises in place of the default.
    custom: Option<Arc<dyn SchemaNormalization>>,
    /// Set by then; `None` when the schema is empty.
    normalizer: OnceLock<Option<Normalizing>>,
}

/// What makes records fit the schema.
enum Normalizing {
    Default(Normalizer),
    Custom(Arc<dyn SchemaNormalization>, Arc<Json>),
}

impl Selector for RecordSelector {
    fn prepare(&self) -> BoxFuture<'_, Result<(), ReadError>> {
        async {
            if let Some(schema) = &self.schema
                && self.normalizer.get().is_none()
            {
                let schema = schema.load().await?;
                self.normalizer.get_or_init(|| {
                    is_schema(&schema).then(|| match self.custom.clone() {
                        Some(custom) => Normalizing::Custom(custom, schema),
                        None => Normalizing::Default(Normalizer::new(&schema)),
                    })
                });
            }
            Ok(())
        }
        .boxed()
    }

    fn select<'a>(
        &'a self,
        elements: &'a mut [Json],
        mode: Extraction,
        slice: &'a StreamSlice,
        next_page_token: Option<&'a Json>,
        page: &'a mut PageRecords,
    ) -> BoxFuture<'a, Result<(), ReadError>> {
        async move {
            let mut records = Vec::new();
            let extracted = self.extractor.extract(elements, mode, &mut records).await;
            self.refine(records, slice, next_page_token, page)?;
            page.n_extracted += extracted?;
            Ok(())
        }
        .boxed()
    }

    fn refine(
        &self,
        records: Vec<Json>,
        slice: &StreamSlice,
        next_page_token: Option<&Json>,
        page: &mut PageRecords,
    ) -> Result<(), ReadError> {
        page.records.reserve(records.len());
        for mut record in records {
            if self.transforms_first {
                self.transform(&mut record, slice)?;
            }
            if !self.keeps(&record, slice, next_page_token)? {
                continue;
            }
            if !self.transforms_first {
                self.transform(&mut record, slice)?;
            }
            if !record.is_object() {
                let message = format!("A record is not an object: {}", python_str(&record));
                return Err(ReadError::value(message));
            }
            match self.normalizer.get() {
                Some(Some(Normalizing::Default(normalizer))) => normalizer.normalize(&mut record),
                Some(Some(Normalizing::Custom(custom, schema))) => {
                    custom.normalize(&mut record, schema)?;
                }
                None | Some(None) => {}
            }
            page.records.push(record);
        }
        Ok(())
    }

    fn extractor(&self) -> &dyn RecordExtractor {
        &*self.extractor
    }

    fn is_plain(&self) -> bool {
        self.filter.is_none()
            && self.cursor.is_none()
            && self.transformations.is_empty()
            && self.schema.is_none()
    }
}

impl RecordSelector {
    fn keeps(
        &self,
        record: &Json,
        slice: &StreamSlice,
        next_page_token: Option<&Json>,
    ) -> Result<bool, ReadError> {
        if let Some(cursor) = &self.cursor
            && !cursor.should_be_synced(slice, record)?
        {
            return Ok(false);
        }
        match &self.filter {
            Some(filter) => filter.keeps(record, slice, next_page_token),
            None => Ok(true),
        }
    }

    fn transform(&self, record: &mut Json, slice: &StreamSlice) -> Result<(), ReadError> {
        if self.transformations.is_empty() {
            return Ok(());
        }
        let Json::Object(fields) = record else {
            let message = format!(
                "A record that is not an object cannot be transformed: {}",
                python_str(record)
            );
            return Err(ReadError::unexpected("TypeError", message));
        };
        self.transformations.iter().try_for_each(|it| it.transform(fields, slice))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn world() -> World {
        let mut world = World::new(&json!({"least": 2}));
        let schema = json!({"type": "InlineSchemaLoader", "schema": {"properties": {"n": {"type": "string"}}}});
        world.stream.schema = Some(world.build::<dyn SchemaLoader>(&schema).unwrap());
        let add = json!({"type": "AddFields", "fields": [
            {"type": "AddedFieldDefinition", "path": ["n"], "value": "{{ record.n * 10 }}"}
        ]});
        world.stream.transformations = vec![world.build::<dyn Transformation>(&add).unwrap()];
        world
    }

    /// The records of `elements`, how many were extracted, and how it ended.
    async fn select(
        world: &World,
        further: &Json,
        mut elements: Vec<Json>,
    ) -> (Json, usize, String) {
        let mut written = json!({
            "type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}
        });
        written.as_object_mut().unwrap().extend(further.as_object().cloned().unwrap());
        let selector = world.build::<dyn Selector>(&written).unwrap();
        selector.prepare().await.unwrap();
        let (slice, mut page) = (StreamSlice::default(), PageRecords::default());
        let selected = selector.select(&mut elements, Extraction::Take, &slice, None, &mut page);
        let end = selected.await.err().map(|err| err.to_string()).unwrap_or_default();
        (Json::Array(page.records), page.n_extracted, end)
    }

    async fn check(further: Json, expect: Json) {
        let elements = vec![json!({"data": [{"n": 1}, {"n": 2}]}), json!({"data": [{"n": 3}]})];
        assert_eq!(select(&world(), &further, elements).await, (expect, 3, String::new()));
    }

    #[tokio::test]
    async fn records_are_filtered_then_transformed() {
        let filter = json!({"type": "RecordFilter", "condition": "{{ record.n >= config.least }}"});
        check(json!({}), json!([{"n": 10}, {"n": 20}, {"n": 30}])).await;
        check(json!({"record_filter": filter}), json!([{"n": 20}, {"n": 30}])).await;
        check(
            json!({"record_filter": filter, "transform_before_filtering": true}),
            json!([{"n": 10}, {"n": 20}, {"n": 30}]),
        )
        .await;
        check(json!({"record_filter": {"type": "RecordFilter"}}), json!([])).await;
    }

    #[tokio::test]
    async fn values_become_those_of_the_schema() {
        check(
            json!({"schema_normalization": "Default"}),
            json!([{"n": "10"}, {"n": "20"}, {"n": "30"}]),
        )
        .await;
    }

    #[tokio::test]
    async fn what_is_no_object_ends_it() {
        let elements = || vec![json!({"data": [{"n": 1}, "text"]})];
        let (records, _, end) = select(&world(), &json!({}), elements()).await;
        assert_eq!(records, json!([{"n": 10}]));
        assert_eq!(end, "A record that is not an object cannot be transformed: text");
        let (_, _, end) = select(&World::new(&json!({})), &json!({}), elements()).await;
        assert_eq!(end, "A record is not an object: text");
    }
}
