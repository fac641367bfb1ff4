//! One part of a stream: a partition and a window of its cursor.

use super::{Json, Map, PythonJson};

/// What a partition is known by: its JSON text, with sorted keys.
pub fn partition_key(partition: &Map) -> String {
    let mut key = String::new();
    PythonJson::SORTED_COMPACT.write_object(partition, &mut key);
    key
}

/// What a stream is read by, one after the other or side by side.
///
/// To templates it is one mapping of partition and cursor keys; the parts
/// stay apart because only the partition identifies its state.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamSlice {
    /// What the partition router chose: the identity, and the key of its state.
    pub partition: Map,
    /// The window of the incremental cursor.
    pub cursor_slice: Map,
    /// Values that travel along for templates, and identify nothing.
    pub extra_fields: Map,
}

impl StreamSlice {
    /// A slice without a cursor window and extra fields.
    pub fn of_partition(partition: Map) -> Self {
        Self { partition, ..Self::default() }
    }

    /// The value of a key of the partition or of the cursor window.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.partition.get(key).or_else(|| self.cursor_slice.get(key))
    }

    /// All keys with their values, those of the partition first.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.partition.iter().chain(&self.cursor_slice)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.partition.len() + self.cursor_slice.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
