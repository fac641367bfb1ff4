//! `PropertyChunking`: more properties than one request can ask for are split over several.

use indexmap::IndexSet;

use crate::components::RecordMerging;
use crate::components::shape::{Nullable, choice, shape};

use super::group_by_key::{self, GroupByKey};
use super::query_properties::is_selected;

choice! {
    /// What the size of a request is measured in.
    pub enum PropertyLimitType {
        /// Characters, with those that stand between two names.
        Characters = "characters",
        /// Names.
        PropertyCount = "property_count",
    }
}

/// The YAML shape.
pub mod yaml {
    use super::group_by_key::yaml::GroupByKeyMergeStrategy;
    use super::{Nullable, PropertyLimitType, shape};

    shape! {
        /// Splits properties over several requests.
        pub struct PropertyChunking {
            /// What the limit is measured in.
            property_limit_type: PropertyLimitType,
            /// The size of a request; without it there is one.
            property_limit: Option<i64>,
            /// How the parts of a record find together; by `id` when nothing else is said.
            record_merge_strategy: Nullable<GroupByKeyMergeStrategy>,
        }
    }
}

/// Characters that a separator takes in a URL.
const SEPARATOR: usize = 3;

/// See the module documentation.
#[derive(Debug)]
pub(super) struct PropertyChunking {
    limit_type: PropertyLimitType,
    limit: Option<usize>,
    merging: GroupByKey,
}

impl PropertyChunking {
    pub(super) fn build(shape: &yaml::PropertyChunking) -> Self {
        let limit = shape.property_limit.filter(|limit| *limit != 0);
        Self {
            limit_type: shape.property_limit_type,
            // Nothing fits into less than nothing.
            limit: limit.map(|limit| usize::try_from(limit).unwrap_or(0)),
            merging: GroupByKey::build(shape.record_merge_strategy.0.as_ref()),
        }
    }

    pub(super) fn merging(&self) -> &dyn RecordMerging {
        &self.merging
    }

    /// The properties of each request.
    ///
    /// As in the reference, those that are always asked for are not counted,
    /// and without a limit nothing is left out.
    pub(super) fn chunks(
        &self,
        names: &[String],
        always: &[String],
        selected: Option<&IndexSet<String>>,
    ) -> Vec<Vec<String>> {
        let Some(limit) = self.limit else {
            return vec![names.iter().chain(always).cloned().collect()];
        };
        let mut chunks = Vec::new();
        let (mut chunk, mut size) = (always.to_vec(), 0);
        for name in names.iter().filter(|name| is_selected(name, selected)) {
            let added = match self.limit_type {
                PropertyLimitType::Characters => name.chars().count() + SEPARATOR,
                PropertyLimitType::PropertyCount => 1,
            };
            if size + added > limit {
                chunks.push(std::mem::replace(&mut chunk, always.to_vec()));
                size = 0;
            }
            chunk.push(name.clone());
            size += added;
        }
        chunks.push(chunk);
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(limit_type: PropertyLimitType, limit: Option<usize>, names: &str, expect: &[&str]) {
        let merging = GroupByKey::build(None);
        let chunking = PropertyChunking { limit_type, limit, merging };
        let names: Vec<_> = names.split(' ').map(str::to_owned).collect();
        let selected = IndexSet::from(["a", "bb", "ccc", "d"].map(str::to_owned));
        let chunks = chunking.chunks(&names, &["id".to_owned()], Some(&selected));
        assert_eq!(chunks.iter().map(|chunk| chunk.join(" ")).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn names_are_counted() {
        use PropertyLimitType::PropertyCount;
        check(PropertyCount, Some(2), "a bb x ccc d", &["id a bb", "id ccc d"]);
        check(PropertyCount, Some(3), "a bb ccc d", &["id a bb ccc", "id d"]);
        check(PropertyCount, Some(9), "x", &["id"]);
    }

    #[test]
    fn or_characters_with_separators() {
        use PropertyLimitType::Characters;
        check(Characters, Some(9), "a bb ccc d", &["id a bb", "id ccc", "id d"]);
        check(Characters, Some(2), "a bb", &["id", "id a", "id bb"]);
    }

    #[test]
    fn without_a_limit_all_are_asked_for_at_once() {
        check(PropertyLimitType::Characters, None, "a x", &["a x id"]);
    }
}
