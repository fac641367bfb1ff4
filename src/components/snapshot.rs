//! The states of parents, as they were when a partition was made.
//!
//! Each partition goes with the states that its parents had then, and hardly
//! any of them is ever printed. So they are kept as snapshots: cheap to take,
//! sharing with the cursor and with one another whatever did not change in
//! between, and made into JSON only where they are printed.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::value::{Json, Map};

/// The state of a stream as it was at a moment.
pub trait Snapshot: Any + Send + Sync {
    /// The state, as it is printed.
    fn to_json(&self) -> Json;

    /// Whether both are known to say the same.
    fn is_same(&self, other: &dyn Snapshot) -> bool;
}

impl Snapshot for Json {
    fn to_json(&self) -> Json {
        self.clone()
    }

    fn is_same(&self, other: &dyn Snapshot) -> bool {
        (other as &dyn Any).downcast_ref() == Some(self)
    }
}

/// The states of parents by their names, as they were at a moment; of equal names the last counts.
#[derive(Clone, Default)]
pub struct ParentStates(Arc<[(String, Arc<dyn Snapshot>)]>);

impl ParentStates {
    /// Whether there is no parent whose state is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a parent is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|(name, _)| other.0.iter().any(|(others, _)| name == others))
    }

    /// Those of both, where `other` counts for parents that are in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.0.iter().chain(&*other.0).cloned().collect()
    }

    /// The states, as they are printed.
    pub fn to_map(&self) -> Map {
        self.0.iter().map(|(name, state)| (name.clone(), state.to_json())).collect()
    }
}

impl FromIterator<(String, Arc<dyn Snapshot>)> for ParentStates {
    fn from_iter<I: IntoIterator<Item = (String, Arc<dyn Snapshot>)>>(states: I) -> Self {
        Self(states.into_iter().collect())
    }
}

impl From<Map> for ParentStates {
    fn from(states: Map) -> Self {
        states.into_iter().map(|(name, state)| (name, Arc::new(state) as Arc<_>)).collect()
    }
}

impl PartialEq for ParentStates {
    fn eq(&self, other: &Self) -> bool {
        let mut pairs = self.0.iter().zip(&*other.0);
        Arc::ptr_eq(&self.0, &other.0)
            || self.0.len() == other.0.len()
                && pairs.all(|(one, other)| one.0 == other.0 && one.1.is_same(&*other.1))
    }
}

impl fmt::Debug for ParentStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, state)| (name, state.to_json()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn states(states: &Json) -> ParentStates {
        states.as_object().unwrap().clone().into()
    }

    #[test]
    fn of_equal_names_the_last_counts() {
        let (one, other) = (states(&json!({"a": 1, "b": 2})), states(&json!({"a": 3, "c": 4})));
        assert!(one.overlaps(&other));
        assert!(!one.overlaps(&states(&json!({"c": 1}))));
        assert_eq!(Json::Object(one.and(&other).to_map()), json!({"a": 3, "b": 2, "c": 4}));
    }

    #[test]
    fn states_that_say_the_same_are_equal() {
        assert_eq!(states(&json!({"a": {"c": 1}})), states(&json!({"a": {"c": 1}})));
        assert_ne!(states(&json!({"a": {"c": 1}})), states(&json!({"a": {"c": 2}})));
        assert_ne!(states(&json!({"a": 1})), states(&json!({"b": 1})));
        assert_ne!(states(&json!({"a": 1})), ParentStates::default());
    }
}
