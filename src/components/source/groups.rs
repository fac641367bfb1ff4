//! `StreamGroup`: streams that are never read at once.

use indexmap::IndexMap;

use crate::components::shape::shape;
use crate::components::{BuildError, OrdinaryStream, Slot, Stream};
use crate::manifest::Node;

/// The YAML shapes.
pub mod yaml {
    use super::{OrdinaryStream, Slot, Stream, shape};

    shape! {
        /// Streams that are never read at once.
        pub struct StreamGroup: untyped {
            /// The streams; mostly references to those of the source.
            streams: Vec<Slot<Stream, OrdinaryStream>>,
            /// What keeps them apart.
            action: BlockSimultaneousSyncsAction,
        }
    }

    shape! {
        /// One stream waits until the other is done.
        pub struct BlockSimultaneousSyncsAction {}
    }
}

/// Puts the streams into their groups.
pub(super) fn assign(
    groups: &IndexMap<String, yaml::StreamGroup>,
    streams: &mut [Stream],
) -> Result<(), BuildError> {
    let mut group_of = IndexMap::new();
    for (group, shape) in groups {
        for slot in &shape.streams {
            if let Some(name) = slot.node().get("name").and_then(Node::as_str) {
                group_of.insert(name, group);
            }
        }
    }
    for stream in streams {
        let Some(group) = group_of.get(stream.name.as_str()) else { continue };
        let rival = stream.parents.iter().find(|it| group_of.get(it.as_str()) == Some(group));
        if let Some(parent) = rival {
            return Err(BuildError::new(format!(
                "Stream '{}' and its parent stream '{parent}' are both in group '{group}'. A child stream must \
                 not share a group with its parent to avoid deadlock.",
                stream.name
            )));
        }
        stream.group = Some((*group).clone());
    }
    Ok(())
}
