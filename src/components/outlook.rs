//! What of a stream the next read will ask for, for people who wonder why.

use serde::Serialize;
use serde_json::Number;

use crate::value::{Json, Map};

/// What of a stream the next read will ask for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Outlook {
    /// What is asked for.
    pub next: Next,
    /// What of the state makes no difference, and why, in sentences.
    pub ignored: Vec<String>,
}

/// How much is left to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Next {
    /// All of it, as each time: there is no cursor.
    #[default]
    Everything,
    /// What has this number or a greater one.
    Numbers {
        /// The field of the number.
        cursor_field: String,
        /// The number.
        from: Number,
    },
    /// Windows of time.
    Windows(TimeWindows),
    /// Windows of time of each partition.
    Partitions(Box<PartitionWindows>),
}

/// The windows of a stream with one partition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeWindows {
    /// How time is cut.
    pub terms: Terms,
    /// The windows.
    pub slices: Slices,
}

/// The windows of a stream with a cursor for each partition.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartitionWindows {
    /// How time is cut.
    pub terms: Terms,
    /// Whether one cursor is kept for all partitions.
    pub is_global: bool,
    /// The cursor that partitions have in common.
    pub global: Option<String>,
    /// Seconds before it that partitions without a state start at.
    pub lookback_seconds: i64,
    /// The windows of each partition without a state.
    pub slices_of_others: Slices,
    /// Partitions that have a state, and can be read by it.
    pub n_with_state: usize,
    /// Partitions that have none; nothing when only the parents can tell which there are.
    pub n_without_state: Option<usize>,
    /// Partitions that have a state and are none any more; nothing as above.
    pub n_gone: Option<usize>,
    /// Windows of all partitions with a state.
    pub n_slices: usize,
    /// The partitions that are read from the earliest moments on, a few of them.
    pub furthest_behind: Vec<PartitionStart>,
    /// The states of the parents that are read by them.
    pub parents: Map,
}

/// Where the reading of a partition starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartitionStart {
    /// The partition.
    pub partition: Json,
    /// The start of its first window.
    pub from: String,
}

/// How time is cut, in the cursor's format, and lengths in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Terms {
    /// The field of a record that says how new it is.
    pub cursor_field: String,
    /// Nothing before it is read.
    pub start: String,
    /// Nothing after it is read.
    pub end: String,
    /// The length of a window.
    pub step: Option<String>,
    /// The smallest difference of two moments.
    pub granularity: Option<String>,
    /// How much before the state is read again.
    pub lookback: Option<String>,
}

/// The windows of one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Slices {
    /// How many there are, up to [`Slices::MAX`].
    pub count: usize,
    /// The first ones, start and end.
    pub first: Vec<(String, String)>,
    /// The last one that was counted.
    pub last: Option<(String, String)>,
}

impl Slices {
    /// More windows are not counted.
    pub const MAX: usize = 100_000;
    /// So many of the first ones are listed.
    pub const N_FIRST: usize = 3;

    /// The start of the first window.
    pub fn from(&self) -> Option<&str> {
        self.first.first().map(|(start, _)| start.as_str())
    }
}

/// What of a state that has one cursor value makes no difference.
pub fn unread_keys(state: &Map, field: &str) -> Vec<String> {
    let others: Vec<_> = state.keys().filter(|key| *key != field).map(|key| quoted(key)).collect();
    let mut ignored = Vec::new();
    if !others.is_empty() {
        let has = if others.len() == 1 { "is" } else { "are" };
        ignored.push(format!("{} {has} kept, and not read", others.join(", ")));
    }
    if !state.is_empty() && !state.contains_key(field) {
        ignored.push(format!(
            "there is no {}, which is the cursor field: the state says nothing, and all is read",
            quoted(field)
        ));
    }
    ignored
}

/// A name as it stands in a sentence.
pub fn quoted(name: &str) -> String {
    format!("`{name}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(state: &Json, expect: &[&str]) {
        assert_eq!(unread_keys(state.as_object().unwrap(), "updated_at"), expect);
    }

    #[test]
    fn only_the_cursor_field_is_read() {
        check(&json!({}), &[]);
        check(&json!({"updated_at": 1}), &[]);
        check(&json!({"updated_at": 1, "x": 2}), &["`x` is kept, and not read"]);
        check(
            &json!({"updated": 1, "x": 2}),
            &[
                "`updated`, `x` are kept, and not read",
                "there is no `updated_at`, which is the cursor field: the state says nothing, and all is read",
            ],
        );
    }
}
