//! `RecordExpander`: the items of a list inside a record take its place.
//!
//! An item can carry what its parent knows: all of it merged underneath, some
//! fields of it, or the whole as `original_record`, in this order. When the
//! record says that its list was cut off, the full one can be fetched.

use super::parent_field_path::{self, ParentFieldPath};
use super::truncation::Truncation;
use crate::components::shape::{Text, choice, shape};
use crate::components::{
    BuildContext, BuildError, PagewiseRetriever, PathTemplate, ReadError, Retriever, Slot,
};
use crate::value::{Glob, Json, Map, Path};

/// The YAML shape.
pub mod yaml {
    use super::{PagewiseRetriever, Retriever, Slot, Text, choice, parent_field_path, shape};

    shape! {
        /// Makes a record of each item of a list inside a record.
        pub struct RecordExpander {
            /// The keys that lead to the list; `*` stands for any.
            expand_records_from_field: Vec<Text>,
            /// Whether each item gets the whole record as `original_record`.
            remain_original_record: bool = false,
            /// Fields of the record that each item gets.
            parent_fields: Option<Vec<parent_field_path::yaml::ParentFieldPath>>,
            /// Whether each item gets all other fields of the record, unless it has them itself.
            merge_parent: bool = false,
            /// What becomes of a record without such a list, or with an empty one.
            on_no_records: OnNoRecords = OnNoRecords::Skip,
            /// The keys that lead to a flag which says that the list was cut off.
            truncation_indicator_path: Option<Vec<Text>>,
            /// Fetches the whole list then; sees the record as `stream_slice['parent_record']`.
            truncated_list_retriever: Option<Slot<dyn Retriever, PagewiseRetriever>>,
        }
    }

    choice! {
        /// What becomes of a record that has no items.
        pub enum OnNoRecords {
            /// It is left out.
            Skip = "skip",
            /// It stays as it is.
            EmitParent = "emit_parent",
        }
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct RecordExpander {
    path: PathTemplate,
    context: ParentContext,
    emits_parent: bool,
    truncation: Option<Truncation>,
}

/// What each item is given of its parent.
#[derive(Debug)]
struct ParentContext {
    merges_parent: bool,
    fields: Vec<ParentFieldPath>,
    keeps_original: bool,
}

impl yaml::RecordExpander {
    pub(super) fn build(self, cx: &BuildContext<'_>) -> Result<RecordExpander, BuildError> {
        let path =
            PathTemplate::new(&self.expand_records_from_field, &self.parameters, cx.surroundings());
        let indicator = self.truncation_indicator_path.filter(|path| !path.is_empty());
        let truncation = match (indicator, self.truncated_list_retriever) {
            (Some(indicator), retriever) => {
                let indicator = PathTemplate::new(&indicator, &self.parameters, cx.surroundings());
                reject_globs(&indicator.segments()?, "truncation_indicator_path")?;
                if retriever.is_some() {
                    reject_globs(&path.segments()?, "expand_records_from_field")?;
                }
                Some(Truncation::build(indicator, retriever, cx)?)
            }
            (None, None) => None,
            (None, Some(_)) => {
                let message = "`truncation_indicator_path` is required when `truncated_list_retriever` is configured.";
                return Err(BuildError::in_span(self.span, message));
            }
        };
        let fields = self.parent_fields.unwrap_or_default();
        Ok(RecordExpander {
            path,
            context: ParentContext {
                merges_parent: self.merge_parent,
                fields: fields.iter().map(|field| field.build(cx)).collect::<Result<_, _>>()?,
                keeps_original: self.remain_original_record,
            },
            emits_parent: self.on_no_records == yaml::OnNoRecords::EmitParent,
            truncation,
        })
    }
}

/// Refuses patterns in a path that has to lead to one place.
pub(super) fn reject_globs(segments: &[Json], field: &str) -> Result<(), BuildError> {
    if segments.iter().filter_map(Json::as_str).any(Glob::is_glob) {
        let message = format!(
            "Glob characters ('*', '?', '[') are not supported in `{field}`: the path must identify a single field."
        );
        return Err(BuildError::new(message));
    }
    Ok(())
}

impl RecordExpander {
    /// Appends the items of `record`, or what takes their place.
    pub(super) async fn expand(
        &self,
        record: Json,
        records: &mut Vec<Json>,
    ) -> Result<(), ReadError> {
        let path = self.path.path()?;
        let parent = match record {
            Json::Object(parent) if !path.is_empty() => parent,
            record => {
                records.push(record);
                return Ok(());
            }
        };
        let lists = path.values_in(&parent).into_iter().filter_map(Json::as_array);
        let n_embedded = lists.map(Vec::len).sum();
        if let Some(truncation) = &self.truncation
            && truncation.is_truncated(&parent)?
        {
            let items = truncation.fetch(path, &parent, n_embedded).await?;
            if !items.is_empty() {
                let base = self.context.base(&parent, path);
                return self.context.give(&parent, base.as_ref(), items, records);
            }
        }
        self.expand_embedded(parent, path, n_embedded, records)
    }

    fn expand_embedded(
        &self,
        mut parent: Map,
        path: &Path,
        n_embedded: usize,
        records: &mut Vec<Json>,
    ) -> Result<(), ReadError> {
        if n_embedded == 0 {
            records.extend(self.emits_parent.then_some(Json::Object(parent)));
            return Ok(());
        }
        if self.context.is_empty() {
            let lists = path.take_values_in(&mut parent);
            records.extend(lists.into_iter().filter_map(into_list).flatten());
            return Ok(());
        }
        let lists = path.values_in(&parent).into_iter().filter_map(Json::as_array);
        let items = lists.flatten().cloned().collect();
        let base = self.context.base(&parent, path);
        self.context.give(&parent, base.as_ref(), items, records)
    }
}

fn into_list(value: Json) -> Option<Vec<Json>> {
    match value {
        Json::Array(items) => Some(items),
        _ => None,
    }
}

impl ParentContext {
    fn is_empty(&self) -> bool {
        !self.merges_parent && !self.keeps_original && self.fields.is_empty()
    }

    /// What lies under each item: the parent without the lists at `path`.
    fn base(&self, parent: &Map, path: &Path) -> Option<Map> {
        self.merges_parent.then(|| {
            let mut base = parent.clone();
            path.remove_lists(&mut base);
            base
        })
    }

    /// Appends the items, each with what it is given.
    fn give(
        &self,
        parent: &Map,
        base: Option<&Map>,
        items: Vec<Json>,
        records: &mut Vec<Json>,
    ) -> Result<(), ReadError> {
        for item in items {
            let item = match item {
                Json::Object(item) => item,
                item if self.is_empty() => {
                    records.push(item);
                    continue;
                }
                item => Map::from_iter([("value".to_owned(), item)]),
            };
            let mut record = match base {
                Some(base) => {
                    let mut record = base.clone();
                    record.extend(item);
                    record
                }
                None => item,
            };
            for field in &self.fields {
                field.copy(parent, &mut record)?;
            }
            if self.keeps_original {
                record.insert("original_record".to_owned(), Json::Object(parent.clone()));
            }
            records.push(Json::Object(record));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    async fn expand(written: Json, record: Json) -> Result<Json, String> {
        let world = World::with_api(&json!({}), |url| {
            assert_eq!(url, "https://api.test/lists/7");
            (200, json!([{"i": 1}, {"i": 2}]))
        });
        let mut shape =
            json!({"type": "RecordExpander", "expand_records_from_field": ["list", "data"]});
        shape.as_object_mut().unwrap().extend(written.as_object().cloned().unwrap());
        let shape: yaml::RecordExpander = world.read(&shape);
        let expander = shape.build(&world.cx()).map_err(|err| err.message)?;
        let mut records = Vec::new();
        expander.expand(record, &mut records).await.map_err(|err| err.to_string())?;
        Ok(Json::Array(records))
    }

    async fn check(written: Json, expect: Json) {
        let record = json!({"id": 7, "list": {"data": [{"i": 1, "id": 0}, 2], "n": 2}});
        assert_eq!(expand(written, record).await, Ok(expect));
    }

    #[tokio::test]
    async fn items_take_the_place_of_the_record() {
        check(json!({}), json!([{"i": 1, "id": 0}, 2])).await;
        check(
            json!({"expand_records_from_field": []}),
            json!([{"id": 7, "list": {"data": [{"i": 1, "id": 0}, 2], "n": 2}}]),
        )
        .await;
        let lists = json!({"a": {"data": [1]}, "b": {"data": [2, 3]}, "c": {"data": 4}});
        let written = json!({"expand_records_from_field": ["*", "data"]});
        assert_eq!(expand(written, lists).await, Ok(json!([1, 2, 3])));
        assert_eq!(expand(json!({}), json!("text")).await, Ok(json!(["text"])));
    }

    #[tokio::test]
    async fn items_carry_what_their_parent_knows() {
        check(
            json!({"merge_parent": true}),
            json!([{"id": 0, "list": {"n": 2}, "i": 1}, {"id": 7, "list": {"n": 2}, "value": 2}]),
        )
        .await;
        let field = json!({"type": "ParentFieldPath", "parent_path": ["id"], "record_path": ["parent", "id"]});
        check(
            json!({"parent_fields": [field]}),
            json!([{"i": 1, "id": 0, "parent": {"id": 7}}, {"value": 2, "parent": {"id": 7}}]),
        )
        .await;
        let record = json!({"list": {"data": [1]}});
        let expect = json!([{"value": 1, "original_record": record}]);
        assert_eq!(expand(json!({"remain_original_record": true}), record).await, Ok(expect));
    }

    #[tokio::test]
    async fn a_record_without_items_may_stay() {
        for record in
            [json!({"id": 1}), json!({"list": {"data": []}}), json!({"list": {"data": 1}})]
        {
            assert_eq!(expand(json!({}), record.clone()).await, Ok(json!([])));
            let written = json!({"on_no_records": "emit_parent"});
            assert_eq!(expand(written, record.clone()).await, Ok(json!([record])));
        }
    }

    fn with_retriever() -> Json {
        json!({
            "truncation_indicator_path": ["list", "more"],
            "parent_fields": [{"type": "ParentFieldPath", "parent_path": ["id"], "record_path": ["id"]}],
            "truncated_list_retriever": {
                "type": "SimpleRetriever",
                "requester": {
                    "type": "HttpRequester",
                    "url_base": "https://api.test",
                    "path": "/lists/{{ stream_slice.parent_record.id }}"
                },
                "record_selector": {
                    "type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []}
                }
            }
        })
    }

    #[tokio::test]
    async fn a_list_that_was_cut_off_is_fetched() {
        let record = json!({"id": 7, "list": {"more": true, "data": [{"i": 1}], "total_count": 2}});
        let expect = json!([{"i": 1, "id": 7}, {"i": 2, "id": 7}]);
        assert_eq!(expand(with_retriever(), record).await, Ok(expect));
        let record = json!({"id": 7, "list": {"more": false, "data": [{"i": 1}]}});
        assert_eq!(expand(with_retriever(), record).await, Ok(json!([{"i": 1, "id": 7}])));
        let record = json!({"list": {"more": true, "data": [1], "total_count": 2}});
        let written = json!({"truncation_indicator_path": ["list", "more"]});
        assert_eq!(expand(written, record).await, Ok(json!([1])));
    }

    #[tokio::test]
    async fn paths_to_one_place_are_no_patterns() {
        let mut written = with_retriever();
        written["expand_records_from_field"] = json!(["*"]);
        let message = "Glob characters ('*', '?', '[') are not supported in `expand_records_from_field`: the path \
                       must identify a single field.";
        assert_eq!(expand(written, json!({})).await, Err(message.to_owned()));
        let mut written = with_retriever();
        written["truncation_indicator_path"] = json!([]);
        let error = expand(written, json!({})).await.unwrap_err();
        assert!(error.starts_with("`truncation_indicator_path` is required"), "{error}");
    }
}
