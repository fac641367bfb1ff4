//! `KeysToLower`: the names of a record's own fields in lower case.
//!
//! The reference goes through the names in no order at all. Here fields keep
//! their places; of two that become one, the value of that whose name changed
//! stays, as there.

use std::sync::Arc;

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Component, ReadError, Transformation};
use crate::value::{Map, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::shape;

    shape! {
        /// Turns the names of a record's fields into lower case; not those inside of objects.
        pub struct KeysToLower {}
    }
}

impl Component for yaml::KeysToLower {
    type Family = dyn Transformation;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn Transformation>, BuildError> {
        Ok(Arc::new(KeysToLower))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct KeysToLower;

impl Transformation for KeysToLower {
    fn transform(&self, record: &mut Map, _: &StreamSlice) -> Result<(), ReadError> {
        let is_lower = |key: &str| key.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
        if record.keys().all(|key| is_lower(key)) {
            return Ok(());
        }
        let mut renamed = Map::with_capacity(record.len());
        for (key, value) in std::mem::take(record) {
            let lower = key.to_lowercase();
            if lower != key || !renamed.contains_key(&lower) {
                renamed.insert(lower, value);
            }
        }
        *record = renamed;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Json;

    #[track_caller]
    fn check(record: &str, expect: &str) {
        let mut record: Json = serde_json::from_str(record).unwrap();
        KeysToLower.transform(record.as_object_mut().unwrap(), &StreamSlice::default()).unwrap();
        assert_eq!(record.to_string(), expect);
    }

    #[test]
    fn only_the_upper_level_changes() {
        check(r#"{"Id":1,"b":{"C":2},"ÉÀ":3}"#, r#"{"id":1,"b":{"C":2},"éà":3}"#);
        check(r#"{"id":1}"#, r#"{"id":1}"#);
    }

    #[test]
    fn the_name_that_changed_wins() {
        check(r#"{"A":1,"a":2}"#, r#"{"a":1}"#);
        check(r#"{"a":2,"b":0,"A":1}"#, r#"{"a":1,"b":0}"#);
    }
}
