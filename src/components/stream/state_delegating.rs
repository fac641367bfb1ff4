//! `StateDelegatingStream`: a stream that is read one way at first, and another way from then on.

use std::cmp::Ordering;

use tracing::warn;

use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Cursor, OrdinaryStream, Slot, Stream, StreamScope,
};
use crate::manifest::Node;
use crate::template::InterpolatedString;
use crate::template::time::{DateTime, Span};
use crate::value::{Map, python_str};

/// The YAML shape.
pub mod yaml {
    use super::{OrdinaryStream, Slot, Stream, Text, shape};

    shape! {
        /// A stream that is read one way at first, and another way from then on.
        pub struct StateDelegatingStream {
            /// The name of both streams.
            name: String,
            /// What is read without a state.
            full_refresh_stream: Slot<Stream, OrdinaryStream>,
            /// What is read from a state on.
            incremental_stream: Slot<Stream, OrdinaryStream>,
            /// How far back the API can tell what is new, as ISO 8601 duration; an older state is dropped.
            api_retention_period: Option<Text>,
        }
    }
}

impl Component for yaml::StateDelegatingStream {
    type Family = Stream;

    fn build(self, cx: &BuildContext<'_>) -> Result<Stream, BuildError> {
        let name_of = |slot: &Slot<Stream, OrdinaryStream>| {
            slot.node().get("name").and_then(Node::as_str).unwrap_or_default().to_owned()
        };
        let names = [name_of(&self.full_refresh_stream), name_of(&self.incremental_stream)];
        if names.iter().any(|name| *name != self.name) {
            let [full_refresh, incremental] = names;
            let message = format!(
                "state_delegating_stream, full_refresh_stream name and incremental_stream must have equal names. \
                 Instead has {}, {full_refresh} and {incremental}.",
                self.name
            );
            return Err(BuildError::in_span(self.span, message));
        }
        let retention = self.retention(cx)?;
        let Some(state) = cx.stream.state.clone().filter(|state| !state.is_empty()) else {
            return self.full_refresh_stream.build(cx);
        };
        let incremental = self.incremental_stream.build(cx)?;
        let Some((period, written)) = retention.filter(|_| self.is_selected(cx)) else {
            return Ok(incremental);
        };
        let full_refresh = self.full_refresh_stream.build(cx)?;
        let oldest = DateTime::from_timestamp(cx.environment.run.now()).minus_span(period)?;
        if !is_older(&state, &*full_refresh.cursor, &*incremental.cursor, oldest) {
            return Ok(incremental);
        }
        warn!(
            "Stream '{}' has a cursor value older than the API's retention period of {written} (cutoff: {}). \
             Falling back to full refresh to avoid data loss.",
            self.name,
            oldest.isoformat('T', "auto").unwrap_or_default(),
        );
        cx.environment.observer.state_cleared(&self.name);
        self.full_refresh_stream
            .build(&cx.for_stream(StreamScope { state: None, ..cx.stream.clone() }))
    }
}

impl yaml::StateDelegatingStream {
    fn retention(&self, cx: &BuildContext<'_>) -> Result<Option<(Span, String)>, BuildError> {
        let Some(period) = self.api_retention_period.as_ref().filter(|it| !it.is_empty()) else {
            return Ok(None);
        };
        let config = cx.config.snapshot();
        let period = InterpolatedString::new(period, self.parameters.clone())
            .eval_json(&cx.scope(&config))?;
        let period = python_str(&period).into_owned();
        if period.is_empty() || period == "None" {
            return Ok(None);
        }
        let counts =
            [&self.full_refresh_stream, &self.incremental_stream].into_iter().any(|slot| {
                let incremental_sync = slot.node().get("incremental_sync");
                incremental_sync.and_then(Node::type_name) == Some("IncrementingCountCursor")
            });
        if counts {
            let message = format!(
                "Stream '{}' uses IncrementingCountCursor which is not supported with api_retention_period. \
                 IncrementingCountCursor does not use datetime-based cursors, so cursor age validation cannot be \
                 performed.",
                self.name
            );
            return Err(BuildError::in_span(self.span, message));
        }
        Ok(Some((Span::parse(&period)?, period)))
    }

    /// Whether states of the stream may be printed: not when it only is the parent of a selected one.
    fn is_selected(&self, cx: &BuildContext<'_>) -> bool {
        let catalog = cx.environment.catalog.as_ref().filter(|catalog| !catalog.streams.is_empty());
        catalog.is_none_or(|catalog| catalog.stream(&self.name).is_some())
    }
}

/// Whether the state tells of a time before `oldest`, or of none that either stream understands.
fn is_older(
    state: &Map,
    full_refresh: &dyn Cursor,
    incremental: &dyn Cursor,
    oldest: DateTime,
) -> bool {
    let read_until = full_refresh.read_until(state).or_else(|| incremental.read_until(state));
    read_until.is_none_or(|read_until| read_until.compare(oldest).is_ok_and(Ordering::is_lt))
}
