//! How much of a stream one shard of a read has to read.
//!
//! A stream is shared out when it is built, and nowhere else: its state, its
//! router, and its cursor are given for the share alone, and know nothing of
//! others. Parents are not shared out, as each shard finds its partitions by
//! reading all of their records.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::ready;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tracing::info;

use super::{
    BuildContext, BuildError, Cursor, Observed, Outlook, ParentStates, PartitionRouter, ReadError,
    RequestParts, SliceProgress,
};
use crate::manifest::Node;
use crate::protocol::{FailureType, Shard, ShardNote};
use crate::run::RunContext;
use crate::template::time::{DateTime, TimeDelta};
use crate::value::{Json, Map, StreamSlice};

/// What of a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// All of it: there is one shard, or nothing to share out.
    All,
    /// The partitions that the shard owns.
    Own(Shard),
    /// None of it: there is nothing to share out, and the first shard reads it.
    Nothing(Shard),
}

impl Share {
    /// The share of a stream with this retriever that the shard of the run reads.
    pub fn of(retriever: &Node, cx: &BuildContext<'_>) -> Self {
        let shard = cx.environment.shard;
        if shard.is_whole() || cx.stream.is_parent {
            return Self::All;
        }
        let router = retriever.get("partition_router").filter(|router| router.is_truthy());
        match router {
            Some(router) if !has_passing_groups(router) => Self::Own(shard),
            _ if shard.is_first() => Self::All,
            _ => Self::Nothing(shard),
        }
    }

    /// The state that the stream starts from; one that another shard has left is refused, as it
    /// says nothing of most partitions.
    pub fn admit(self, state: Arc<Map>, cx: &BuildContext<'_>) -> Result<Arc<Map>, BuildError> {
        if !state.contains_key(ShardNote::KEY) {
            return Ok(state);
        }
        let mut state = Arc::unwrap_or_clone(state);
        let refuse = |message| Err(BuildError::new(message).failing(FailureType::ConfigError));
        let stream = &cx.stream.name;
        match ShardNote::take(&mut state) {
            Ok(Some(note)) if self != Self::Own(note.shard) => refuse(format!(
                "the state of the stream `{stream}` is that of shard {} alone; join the states of all shards with \
                 `state merge`, and give the result",
                note.shard
            )),
            Ok(_) => Ok(Arc::new(state)),
            Err(err) => refuse(format!("the state of the stream `{stream}` cannot be used: {err}")),
        }
    }

    /// What a state in today's form says of the partitions of this share.
    pub fn state(self, state: Arc<Map>) -> Arc<Map> {
        let Self::Own(shard) = self else { return state };
        let mut state = Arc::unwrap_or_clone(state);
        if let Some(states) = state.get_mut("states").and_then(Json::as_array_mut) {
            // What is no partition is left to the cursor, which says what is wrong with it.
            let partition =
                |state: &Json| state.get("partition").and_then(Json::as_object).cloned();
            states.retain(|state| partition(state).is_none_or(|it| shard.owns(&it)));
        }
        Arc::new(state)
    }

    /// The partitions of this share.
    pub fn router(self, router: Arc<dyn PartitionRouter>) -> Arc<dyn PartitionRouter> {
        match self {
            Self::Own(shard) => Arc::new(OwnPartitions { router, shard }),
            Self::All | Self::Nothing(_) => router,
        }
    }

    /// A cursor over this share.
    pub fn cursor(self, cursor: Arc<dyn Cursor>, cx: &BuildContext<'_>) -> Arc<dyn Cursor> {
        let kind = match self {
            Self::All => return cursor,
            Self::Own(shard) => Kind::Own { shard, progress: Mutex::default() },
            Self::Nothing(shard) => Kind::Nothing { stream: cx.stream.name.clone(), shard },
        };
        Arc::new(SharedCursor { cursor, kind, run: cx.environment.run.clone() })
    }
}

/// Whether partitions are groups of what parents give: which ones are together depends on all
/// that came before, so that shards that read the parents at different times see other groups.
fn has_passing_groups(router: &Node) -> bool {
    holds(router, &|node| {
        node.get("underlying_partition_router").is_some_and(|router| {
            holds(router, &|node| node.get("parent_stream_configs").is_some())
        })
    })
}

/// Whether `is_wanted` holds for a node or anything below it.
fn holds(node: &Node, is_wanted: &dyn Fn(&Node) -> bool) -> bool {
    let below = |node: &Node| holds(node, is_wanted);
    is_wanted(node)
        || node.as_map().is_some_and(|map| map.iter().any(|(_, node)| below(node)))
        || node.as_seq().is_some_and(|nodes| nodes.iter().any(below))
}

/// The partitions of a router that a shard owns.
struct OwnPartitions {
    router: Arc<dyn PartitionRouter>,
    shard: Shard,
}

impl PartitionRouter for OwnPartitions {
    fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        let is_own = |slice: &StreamSlice| ready(self.shard.owns(&slice.partition));
        self.router.partitions().try_filter(is_own).boxed()
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        self.router.request_parts(slice)
    }

    fn parent_state(&self) -> Option<ParentStates> {
        self.router.parent_state()
    }

    fn partition_fields(&self) -> Vec<String> {
        self.router.partition_fields()
    }

    fn shapes(&self) -> Vec<Vec<String>> {
        self.router.shapes()
    }

    fn has_request_options(&self) -> bool {
        self.router.has_request_options()
    }

    fn needs_global_state(&self) -> bool {
        self.router.needs_global_state()
    }

    fn ancestors(&self) -> Vec<String> {
        self.router.ancestors()
    }
}

/// A cursor over less than all of a stream.
struct SharedCursor {
    cursor: Arc<dyn Cursor>,
    kind: Kind,
    run: RunContext,
}

enum Kind {
    /// Its states say which shard they are of.
    Own { shard: Shard, progress: Mutex<Progress> },
    /// It has no slices and no state.
    Nothing { stream: String, shard: Shard },
}

/// How far a shard has come with a stream.
#[derive(Default)]
struct Progress {
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    has_failed: bool,
    has_observed: bool,
    /// Slices that were made and not read yet.
    n_open: usize,
}

fn lock(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    // Nothing that can panic runs under the lock.
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedCursor {
    /// The state with a note on whose it is; none when nothing is read.
    fn noted(&self, state: Map) -> Option<Map> {
        let Kind::Own { shard, progress } = &self.kind else { return None };
        let progress = lock(progress);
        let note = ShardNote {
            shard: *shard,
            began_at: progress.began_at.unwrap_or_else(|| self.run.now()),
            ended_at: progress.ended_at,
            has_observed: progress.has_observed,
        };
        let mut state = state;
        note.put(&mut state);
        Some(state)
    }
}

impl Cursor for SharedCursor {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        match &self.kind {
            Kind::Own { progress, .. } => {
                lock(progress).began_at.get_or_insert_with(|| self.run.now());
                let note = |slice: &Result<_, _>| match slice {
                    Ok(_) => lock(progress).n_open += 1,
                    Err(_) => lock(progress).has_failed = true,
                };
                self.cursor.slices().inspect(note).boxed()
            }
            Kind::Nothing { stream, shard } => {
                info!(
                    "Stream {stream} has no partitions that last, so shard 0/{} reads all of it and shard {shard} \
                     nothing",
                    shard.count()
                );
                stream::empty().boxed()
            }
        }
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        self.cursor.request_parts(slice)
    }

    fn observe(&self, slice: &StreamSlice, records: &[Json]) -> Result<(), ReadError> {
        if let (Kind::Own { progress, .. }, Some(field)) = (&self.kind, self.cursor_field())
            && records.iter().any(|record| record.get(field).is_some_and(|value| !value.is_null()))
        {
            lock(progress).has_observed = true;
        }
        self.cursor.observe(slice, records)
    }

    fn observed(&self) -> Observed<'_> {
        self.cursor.observed()
    }

    fn should_be_synced(&self, slice: &StreamSlice, record: &Json) -> Result<bool, ReadError> {
        self.cursor.should_be_synced(slice, record)
    }

    fn split_window(
        &self,
        slice: &StreamSlice,
        min_window: Option<TimeDelta>,
    ) -> Result<Option<Vec<StreamSlice>>, ReadError> {
        self.cursor.split_window(slice, min_window)
    }

    fn progress(&self) -> Option<Box<dyn SliceProgress>> {
        self.cursor.progress()
    }

    fn read_until(&self, state: &Map) -> Option<DateTime> {
        self.cursor.read_until(state)
    }

    fn close_slice(&self, slice: &StreamSlice) -> Result<Option<Map>, ReadError> {
        let state = self.cursor.close_slice(slice)?;
        if let Kind::Own { progress, .. } = &self.kind {
            let mut progress = lock(progress);
            progress.n_open = progress.n_open.saturating_sub(1);
        }
        Ok(state.and_then(|state| self.noted(state)))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        let state = self.cursor.finish()?;
        if let Kind::Own { progress, .. } = &self.kind {
            let mut progress = lock(progress);
            let is_whole = !progress.has_failed && progress.n_open == 0;
            progress.ended_at = is_whole.then(|| self.run.now());
        }
        Ok(state.and_then(|state| self.noted(state)))
    }

    fn state(&self) -> Map {
        let state = self.cursor.state();
        self.noted(state.clone()).unwrap_or(state)
    }

    fn outlook(&self, state: &Map) -> Result<Outlook, ReadError> {
        self.cursor.outlook(state)
    }

    fn cursor_field(&self) -> Option<&str> {
        self.cursor.cursor_field()
    }

    fn allows_catalog_cursor_field(&self) -> bool {
        self.cursor.allows_catalog_cursor_field()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::components::Stream;
    use crate::components::testing::World;

    fn stream(router: &Json) -> Json {
        json!({
            "type": "DeclarativeStream",
            "name": "s",
            "schema_loader": {"type": "InlineSchemaLoader", "schema": {}},
            "incremental_sync": {
                "type": "DatetimeBasedCursor",
                "cursor_field": "updated",
                "datetime_format": "%Y-%m-%d",
                "start_datetime": "2024-01-01",
            },
            "retriever": {
                "type": "SimpleRetriever",
                "requester": {"type": "HttpRequester", "url": "http://h/"},
                "record_selector": {"type": "RecordSelector",
                    "extractor": {"type": "DpathExtractor", "field_path": []}},
                "partition_router": router,
            },
        })
    }

    fn list(field: &str, n_values: usize) -> Json {
        let values: Vec<_> = (0..n_values).map(|value| value.to_string()).collect();
        json!({"type": "ListPartitionRouter", "cursor_field": field, "values": values})
    }

    /// Partitions for each record of a parent, which has the partitions of `router`.
    fn children(router: &Json) -> Json {
        json!({"type": "SubstreamPartitionRouter", "parent_stream_configs": [
            {"type": "ParentStreamConfig", "parent_key": "id", "partition_field": "id", "stream": stream(router)},
        ]})
    }

    fn groups(router: &Json) -> Json {
        json!({"type": "GroupingPartitionRouter", "group_size": 2, "underlying_partition_router": router})
    }

    fn build(router: &Json, shard: Shard, state: &Json) -> Result<Stream, BuildError> {
        let mut world =
            World::with_api(&json!({}), |_| (200, json!([{"id": 1}, {"id": 2}, {"id": 3}])));
        let state = state.as_object().unwrap().clone();
        world.stream.state = Some(Arc::new(state)).filter(|state| !state.is_empty());
        world.in_shard(shard).build::<Stream>(&stream(router))
    }

    fn slices(stream: &Stream) -> Vec<StreamSlice> {
        let slices = stream.slices().collect::<Vec<_>>().now_or_never().unwrap();
        slices.into_iter().map(Result::unwrap).collect()
    }

    /// What the shards of `count` read of a stream, each as the texts of its partitions.
    fn shares(router: &Json, count: u32) -> Vec<Vec<String>> {
        let share = |index| {
            let stream = build(router, Shard::new(index, count).unwrap(), &json!({})).unwrap();
            slices(&stream).iter().map(|it| json!(it.partition).to_string()).collect()
        };
        (0..count).map(share).collect()
    }

    #[track_caller]
    fn check_shared_out(router: &Json) {
        let mut all = shares(router, 1).concat();
        all.sort();
        for count in [2, 5] {
            let mut joined = shares(router, count).concat();
            joined.sort();
            assert_eq!(joined, all);
        }
        assert!(all.len() < 4 || shares(router, 2).iter().all(|share| !share.is_empty()));
    }

    #[track_caller]
    fn check_not_shared_out(router: &Json) {
        let [all] = &shares(router, 1)[..] else { panic!("more than one share") };
        let nothing = Vec::new();
        assert_eq!(shares(router, 3), [all, &nothing, &nothing].map(Clone::clone));
    }

    #[test]
    fn every_partition_is_read_by_one_shard() {
        check_shared_out(&list("id", 12));
        check_shared_out(&json!([list("a", 3), list("b", 4)]));
        check_shared_out(&children(&json!([])));
        check_shared_out(&children(&list("l", 3)));
        check_shared_out(&groups(&list("id", 9)));
        let union = json!({"type": "UnionPartitionRouter", "partition_field": "id",
            "partition_routers": [list("id", 4), list("id", 8)]});
        check_shared_out(&union);
    }

    #[test]
    fn what_has_no_lasting_partitions_is_read_by_the_first() {
        check_not_shared_out(&json!([]));
        check_not_shared_out(&groups(&children(&json!([]))));
        check_not_shared_out(&children(&groups(&children(&json!([])))));
    }

    #[test]
    fn who_reads_nothing_has_no_state() {
        let stream = build(&json!([]), Shard::new(1, 2).unwrap(), &json!({})).unwrap();
        assert_eq!(slices(&stream), []);
        assert_eq!(stream.cursor.finish().unwrap(), None);
    }

    #[test]
    fn states_say_whose_they_are_and_whether_all_was_read() {
        let shard = Shard::new(0, 2).unwrap();
        let stream = build(&list("id", 12), shard, &json!({})).unwrap();
        let note_of = |state: Option<Map>| ShardNote::take(&mut state.unwrap()).unwrap().unwrap();
        let slices = slices(&stream);
        let first = note_of(stream.cursor.close_slice(&slices[0]).unwrap());
        assert_eq!((first.shard, first.ended_at, first.has_observed), (shard, None, false));
        for slice in &slices[1..] {
            stream.cursor.observe(slice, &[json!({"updated": "2024-02-03"})]).unwrap();
            assert_eq!(note_of(stream.cursor.finish().unwrap()).ended_at, None);
            stream.cursor.close_slice(slice).unwrap();
        }
        let last = note_of(stream.cursor.finish().unwrap());
        assert_eq!((last.ended_at, last.has_observed), (Some(last.began_at), true));
    }

    #[test]
    fn a_shard_keeps_the_states_of_its_own_partitions() {
        let id_of = |state: &Json| state["partition"]["id"].as_str().unwrap().to_owned();
        let states = (0..12).map(
            |id| json!({"partition": {"id": id.to_string()}, "cursor": {"updated": "2024-01-02"}}),
        );
        let state = json!({"states": states.collect::<Json>(), "state": {"updated": "2024-01-03"}});
        let kept = |index| {
            let stream = build(&list("id", 0), Shard::new(index, 2).unwrap(), &state).unwrap();
            let states = stream.cursor.state()["states"].as_array().unwrap().clone();
            states.iter().map(id_of).collect::<Vec<_>>()
        };
        let mut all = [kept(0), kept(1)].concat();
        assert!(!kept(0).is_empty() && !kept(1).is_empty());
        all.sort_by_key(|id| id.parse::<u32>().unwrap());
        assert_eq!(all, (0..12).map(|id| id.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn the_state_of_another_shard_is_refused() {
        let shard = Shard::new(1, 2).unwrap();
        let mut state = Map::new();
        let note = ShardNote {
            shard,
            began_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            has_observed: false,
        };
        note.put(&mut state);
        let state = Json::Object(state);
        assert!(build(&list("id", 2), shard, &state).is_ok());
        let refused = |shard| build(&list("id", 2), shard, &state).unwrap_err().message;
        let expect = "the state of the stream `s` is that of shard 1/2 alone; join the states of all shards with \
                      `state merge`, and give the result";
        assert_eq!(refused(Shard::WHOLE), expect);
        assert_eq!(refused(Shard::new(0, 2).unwrap()), expect);
        assert_eq!(refused(Shard::new(1, 3).unwrap()), expect);
    }
}
