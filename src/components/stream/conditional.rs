//! `ConditionalStreams`: streams that are there only when the config says so.

use crate::components::shape::{Text, shape};
use crate::components::{BuildContext, BuildError, OrdinaryStream, Parameters, Slot, Stream};
use crate::template::InterpolatedBoolean;

/// The YAML shape.
pub mod yaml {
    use super::{OrdinaryStream, Slot, Stream, Text, shape};

    shape! {
        /// Streams that are there only when the config says so.
        pub struct ConditionalStreams {
            /// Whether they are there; it sees the config only.
            condition: Text,
            /// The streams.
            streams: Vec<Slot<Stream, OrdinaryStream>>,
        }
    }
}

impl yaml::ConditionalStreams {
    /// Whether the streams are there.
    pub fn holds(&self, cx: &BuildContext<'_>) -> Result<bool, BuildError> {
        // The reference does not pass the parameters on.
        let condition = InterpolatedBoolean::new(&self.condition, Parameters::default());
        Ok(condition.eval(&cx.scope(&cx.config.snapshot()))?)
    }
}
