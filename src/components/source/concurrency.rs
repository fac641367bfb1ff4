//! `ConcurrencyLevel`: how much is read at once.

use tracing::warn;

use crate::components::job_slots::JobSlots;
use crate::components::shape::{IntOrTemplate, shape};
use crate::components::{BuildContext, BuildError, Parameters};
use crate::template::InterpolatedString;
use crate::value::{Map, python_int};

/// How much is read at once when a manifest does not say.
const DEFAULT: i64 = 2;

/// The YAML shape.
pub mod yaml {
    use super::{IntOrTemplate, shape};

    shape! {
        /// How much is read at once.
        pub struct ConcurrencyLevel: loosely_typed {
            /// How many partitions are read at once; it may depend on the config.
            default_concurrency: IntOrTemplate,
            /// The most that a template can ask for.
            max_concurrency: Option<i64>,
        }
    }
}

impl super::yaml::DeclarativeSource {
    /// How many jobs the API may work on at once; a template sees no config, as in the reference.
    pub fn job_slots(&self, cx: &BuildContext<'_>) -> JobSlots {
        let limit = match &self.max_concurrent_async_job_count {
            None => 1,
            Some(IntOrTemplate::Int(limit)) => *limit,
            Some(IntOrTemplate::Template(text)) => {
                let template = InterpolatedString::new(text, Parameters::default());
                let value = template.eval_json(&cx.scope(&Map::new()));
                value.ok().as_ref().and_then(python_int).unwrap_or_else(|| {
                    let text = &text.source;
                    warn!(target: "airbyte", "Error interpolating max job count: {text}. Setting to 1.");
                    1
                })
            }
        };
        if limit < 1 {
            warn!(
                target: "airbyte",
                "The `max_concurrent_async_job_count` property is less than 1: {limit}. Setting to 1. Please update \
                 the source manifest to set a valid value."
            );
        }
        JobSlots::new(limit)
    }
}

impl yaml::ConcurrencyLevel {
    /// How many partitions are read at once; at least one.
    pub fn level(this: Option<&Self>, cx: &BuildContext<'_>) -> Result<usize, BuildError> {
        let level = this.map_or(Ok(DEFAULT), |this| this.written_level(cx))?;
        Ok(usize::try_from(level).unwrap_or(0).max(1))
    }

    fn written_level(&self, cx: &BuildContext<'_>) -> Result<i64, BuildError> {
        let text = match &self.default_concurrency {
            IntOrTemplate::Int(level) => return Ok(*level),
            IntOrTemplate::Template(text) => text,
        };
        // The reference takes a maximum of zero for none.
        let max = self.max_concurrency.filter(|max| *max != 0);
        if text.contains("config") && max.is_none() {
            let message = "ConcurrencyLevel requires that max_concurrency be defined if the \
                           default_concurrency can be used-specified";
            return Err(BuildError::in_span(self.span, message));
        }
        let template = InterpolatedString::new(text, Parameters::default());
        let level = template.eval_json(&cx.scope(&cx.config.snapshot()))?;
        let level = level.as_i64().or(level.as_bool().map(i64::from)).ok_or_else(|| {
            BuildError::in_span(text.span, "default_concurrency did not evaluate to an integer")
        })?;
        Ok(max.map_or(level, |max| level.min(max)))
    }
}
