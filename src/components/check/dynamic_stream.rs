//! `CheckDynamicStream`: a connection works when the first streams can be read.

use crate::components::shape::shape;
use crate::components::{BuildContext, BuildError, Check, CheckedStreams, Component};
use crate::value::Map;

/// The YAML shape.
pub mod yaml {
    use super::{Map, shape};

    shape! {
        /// Reads the first record of the first streams.
        pub struct CheckDynamicStream {
            /// How many streams.
            stream_count: i64,
            /// Whether they are read at all; else it is enough that they can be made.
            use_check_availability: bool = true,
            /// Values laid over the config while the connection is checked; taken as they are.
            config_overrides: Map = Map::new(),
        }
    }
}

impl Component for yaml::CheckDynamicStream {
    type Family = Check;

    fn build(self, _: &BuildContext<'_>) -> Result<Check, BuildError> {
        Ok(Check {
            streams: CheckedStreams::First {
                count: self.stream_count,
                reads: self.use_check_availability,
            },
            config_overrides: self.config_overrides,
        })
    }
}
