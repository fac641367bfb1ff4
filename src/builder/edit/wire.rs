//! Changes and paths as they come over the wire.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

use super::place::Step;

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(name) => serializer.serialize_str(name),
            Self::Index(index) => serializer.serialize_u64(*index as u64),
        }
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StepVisitor;

        impl Visitor<'_> for StepVisitor {
            type Value = Step;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field, or the index of an item")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Step, E> {
                Ok(Step::Key(name.to_owned()))
            }

            fn visit_u64<E: Error>(self, index: u64) -> Result<Step, E> {
                usize::try_from(index).map(Step::Index).map_err(E::custom)
            }

            fn visit_i64<E: Error>(self, index: i64) -> Result<Step, E> {
                usize::try_from(index).map(Step::Index).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(StepVisitor)
    }
}
