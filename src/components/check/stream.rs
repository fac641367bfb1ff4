//! `CheckStream`: a connection works when the named streams can be read.

use crate::components::shape::{AtLeast, shape};
use crate::components::{
    BuildContext, BuildError, Check, CheckedGeneration, CheckedStreams, Component,
};
use crate::value::Map;

/// The YAML shape.
pub mod yaml {
    use super::{AtLeast, Map, shape};

    shape! {
        /// Reads the first record of the named streams.
        pub struct CheckStream {
            /// Names of streams; those made of templates are named by template.
            stream_names: Option<Vec<String>>,
            /// Which of the streams made of templates are read.
            dynamic_streams_check_configs: Option<Vec<DynamicStreamCheckConfig>>,
            /// Values laid over the config while the connection is checked; taken as they are.
            config_overrides: Map = Map::new(),
        }
    }

    shape! {
        /// Which streams of a template are read.
        pub struct DynamicStreamCheckConfig {
            /// The name of the template.
            dynamic_stream_name: String,
            /// How many of its streams are read; all when unset.
            stream_count: Option<AtLeast<1>>,
        }
    }
}

impl Component for yaml::CheckStream {
    type Family = Check;

    fn build(self, _: &BuildContext<'_>) -> Result<Check, BuildError> {
        if self.stream_names.is_none() && self.dynamic_streams_check_configs.is_none() {
            let message = "Expected either stream_names or dynamic_streams_check_configs to be set for CheckStream";
            return Err(BuildError::in_span(self.span, message));
        }
        let generated = self.dynamic_streams_check_configs.unwrap_or_default();
        let generated = generated.into_iter().map(|it| CheckedGeneration {
            template: it.dynamic_stream_name,
            count: it.stream_count.map(|count| count.0),
        });
        Ok(Check {
            streams: CheckedStreams::Named {
                names: self.stream_names.unwrap_or_default(),
                generated: generated.collect(),
            },
            config_overrides: self.config_overrides,
        })
    }
}
