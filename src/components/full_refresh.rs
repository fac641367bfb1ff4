//! The cursor of a stream without `incremental_sync`: it keeps no state.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use serde_json::json;

use super::outlook::{Next, Outlook, quoted};
use super::{Cursor, Observed, PartitionRouter, ReadError, RequestParts};
use crate::run::RunContext;
use crate::template::time::DateTime;
use crate::value::{Json, Map, StreamSlice};

/// Reads all partitions anew each time.
///
/// Its one state, printed at the end, only says that there is none.
pub struct FullRefresh {
    router: Option<Arc<dyn PartitionRouter>>,
    run: RunContext,
}

/// The key that marks a state as none.
const NO_STATE: &str = "__ab_no_cursor_state_message";

impl std::fmt::Debug for FullRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FullRefresh").finish_non_exhaustive()
    }
}

impl FullRefresh {
    /// Over the partitions of `router`, or the one there is.
    pub fn new(router: Option<Arc<dyn PartitionRouter>>, run: RunContext) -> Self {
        Self { router, run }
    }
}

impl Cursor for FullRefresh {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        match &self.router {
            Some(router) => router.partitions(),
            None => stream::once(async { Ok(StreamSlice::default()) }).boxed(),
        }
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        match &self.router {
            Some(router) => router.request_parts(slice),
            None => Ok(RequestParts::default()),
        }
    }

    fn observe(&self, _: &StreamSlice, _: &[Json]) -> Result<(), ReadError> {
        Ok(())
    }

    fn observed(&self) -> Observed<'_> {
        Observed::Nothing
    }

    fn close_slice(&self, _: &StreamSlice) -> Result<Option<Map>, ReadError> {
        Ok(None)
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        Ok(Some(self.state()))
    }

    fn state(&self) -> Map {
        Map::from_iter([(NO_STATE.to_owned(), json!(true))])
    }

    fn outlook(&self, state: &Map) -> Result<Outlook, ReadError> {
        let unread = state.keys().filter(|key| *key != NO_STATE).map(|key| quoted(key));
        let unread: Vec<_> = unread.collect();
        let is_unread = !unread.is_empty();
        let sentence = || format!("{}: the stream has no `incremental_sync`", unread.join(", "));
        Ok(Outlook {
            next: Next::Everything,
            ignored: is_unread.then(sentence).into_iter().collect(),
        })
    }

    fn read_until(&self, state: &Map) -> Option<DateTime> {
        state.contains_key(NO_STATE).then(|| DateTime::from_timestamp(self.run.now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_one_slice_and_says_so_at_the_end() {
        let cursor = FullRefresh::new(None, RunContext::fixed(jiff::Timestamp::UNIX_EPOCH));
        let slices: Vec<_> = cursor.slices().map(Result::unwrap).collect().await;
        assert_eq!(slices, [StreamSlice::default()]);
        assert_eq!(cursor.close_slice(&slices[0]).unwrap(), None);
        let state = Json::Object(cursor.finish().unwrap().unwrap());
        assert_eq!(state, json!({"__ab_no_cursor_state_message": true}));
    }
}
