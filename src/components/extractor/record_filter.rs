//! `RecordFilter`: keeps the records that meet a condition.

use std::sync::Arc;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, ReadError, RecordFilter as Filter, Surroundings,
};
use crate::template::InterpolatedBoolean;
use crate::value::{Json, StreamSlice};

/// The YAML shape.
pub mod yaml {
    use super::{Text, shape};

    shape! {
        /// Keeps the records that meet a condition.
        pub struct RecordFilter {
            /// The condition; sees `record`, `stream_slice` and `next_page_token`. The empty text
            /// keeps no record at all.
            condition: Text = Text::new(""),
        }
    }
}

impl Component for yaml::RecordFilter {
    type Family = dyn Filter;

    fn build(self, cx: &BuildContext<'_>) -> Result<Arc<dyn Filter>, BuildError> {
        Ok(Arc::new(RecordFilter {
            condition: InterpolatedBoolean::new(&self.condition, self.parameters.clone()),
            surroundings: cx.surroundings(),
        }))
    }
}

/// See the module documentation.
#[derive(Debug)]
struct RecordFilter {
    condition: InterpolatedBoolean,
    surroundings: Surroundings,
}

impl Filter for RecordFilter {
    fn keeps(
        &self,
        record: &Json,
        slice: &StreamSlice,
        next_page_token: Option<&Json>,
    ) -> Result<bool, ReadError> {
        let config = self.surroundings.config().snapshot();
        let scope = self
            .surroundings
            .scope(&config)
            .with("record", record)
            .with("stream_slice", slice)
            .with("next_page_token", next_page_token.unwrap_or(&Json::Null));
        Ok(self.condition.eval(&scope)?)
    }
}
