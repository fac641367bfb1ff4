//! A `DatetimeBasedCursor` over many partitions: each has its own state.
//!
//! New partitions start from the state they have in common, the global one,
//! which advances when all partitions were read. Above so many partitions, or
//! where the manifest wants it, only the global state is kept.

mod outlook;
mod partitions;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use tracing::warn;

use crate::components::generate::generate;
use crate::components::{
    BuildError, Cursor, Observed, Outlook, ParentStates, PartitionRouter, ReadError, RequestParts,
    SliceProgress, Snapshot,
};
use crate::template::time::{DateTime, TimeDelta, TimeError};
use crate::value::{Json, Map, StreamSlice, partition_key, python_repr};

use super::datetime_based::{WindowProgress, read_until};
use super::intervals::later;
use super::settings::Settings;
use partitions::Partitions;

/// The cursor of a stream with a partition router.
pub(super) struct PerPartition {
    settings: Arc<Settings>,
    router: Arc<dyn PartitionRouter>,
    partitions: Mutex<Partitions>,
    /// Whether all partitions were made; of a sample, those that were count as all.
    has_all: AtomicBool,
    has_warned_of_values: AtomicBool,
}

impl PerPartition {
    /// Over the partitions of `router`, going on from `state`; a test read makes only a sample of them.
    pub(super) fn new(
        settings: Settings,
        router: Arc<dyn PartitionRouter>,
        is_global: bool,
        state: Map,
        is_sample: bool,
    ) -> Result<Self, BuildError> {
        let partitions = Partitions::new(&settings, is_global, state)?;
        Ok(Self {
            settings: Arc::new(settings),
            router,
            partitions: Mutex::new(partitions),
            has_all: AtomicBool::new(is_sample),
            has_warned_of_values: AtomicBool::new(false),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Partitions> {
        // A panic while the lock is held leaves at worst a state that is too old.
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn warn_of_value(&self, record: &Json, err: &TimeError) {
        if !self.has_warned_of_values.swap(true, Ordering::Relaxed) {
            let value = record.get(&self.settings.field).unwrap_or(&Json::Null);
            warn!(
                target: "airbyte",
                "Skipping cursor update for stream '{}': failed to parse cursor field '{}' value {}: {err}",
                self.settings.stream,
                self.settings.field,
                python_repr(value),
            );
        }
    }
}

impl Cursor for PerPartition {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        generate(|yielder| async move {
            self.lock().begin(self.settings.now())?;
            let mut partitions = self.router.partitions();
            let mut next = partitions.next().await.transpose()?;
            let mut next_state = self.router.parent_state();
            while let Some(partition) = next {
                let parent_state = next_state;
                // As in the reference, the next partition is known before this one is read.
                next = partitions.next().await.transpose()?;
                next_state = self.router.parent_state();
                let key = partition_key(&partition.partition);
                let opened = self.lock().open(&self.settings, &key, parent_state)?;
                let Some(windows) = opened else { continue };
                let mut windows = windows.peekable();
                while let Some(window) = windows.next() {
                    let window = window?;
                    let slice = with_window(&partition, self.settings.cursor_slice(window))?;
                    let window_key = self.settings.window_key(&slice);
                    self.lock().open_slice(&key, window_key, window, windows.peek().is_none());
                    yielder.give(slice).await;
                }
            }
            self.has_all.store(true, Ordering::Relaxed);
            Ok(())
        })
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let partition = StreamSlice::of_partition(slice.partition.clone());
        let mut parts = self.router.request_parts(&partition)?;
        parts.overlay(self.settings.request_parts(slice)?);
        Ok(parts)
    }

    fn observe(&self, slice: &StreamSlice, records: &[Json]) -> Result<(), ReadError> {
        let mut greatest = None::<DateTime>;
        let mut greatest_text = None::<String>;
        for record in records {
            let value = match self.settings.value_of(record) {
                None => continue,
                Some(Ok(value)) => value,
                Some(Err(err)) if err.is_value_error() => {
                    self.warn_of_value(record, &err);
                    continue;
                }
                Some(Err(err)) => return Err(err.into()),
            };
            // The global state compares texts, which not every format orders as time does.
            let text = self.settings.formats.format(value);
            if greatest_text.as_ref().is_none_or(|known| *known < text) {
                greatest_text = Some(text);
            }
            greatest = Some(greatest.map_or(value, |known| later(known, value)));
        }
        let (Some(greatest), Some(text)) = (greatest, greatest_text) else { return Ok(()) };
        self.lock().observe(&self.settings, slice, greatest, text)
    }

    fn observed(&self) -> Observed<'_> {
        Observed::Field(&self.settings.field)
    }

    fn should_be_synced(&self, slice: &StreamSlice, record: &Json) -> Result<bool, ReadError> {
        let key = partition_key(&slice.partition);
        let mut partitions = self.lock();
        if !partitions.is_global()
            && let Some(progress) = partitions.cursors.get(&key)
        {
            return progress.wants(&self.settings, record);
        }
        partitions.newcomer(&self.settings)?.wants(&self.settings, record)
    }

    fn split_window(
        &self,
        slice: &StreamSlice,
        min_window: Option<TimeDelta>,
    ) -> Result<Option<Vec<StreamSlice>>, ReadError> {
        self.settings.split_window(slice, min_window)
    }

    fn progress(&self) -> Option<Box<dyn SliceProgress>> {
        Some(WindowProgress::boxed(&self.settings))
    }

    fn read_until(&self, state: &Map) -> Option<DateTime> {
        read_until(&self.settings, state.get("state")?.as_object()?)
    }

    fn close_slice(&self, slice: &StreamSlice) -> Result<Option<Map>, ReadError> {
        let mut partitions = self.lock();
        partitions.close(&self.settings, slice)?;
        let now = self.settings.now();
        Ok(partitions.is_time_for_state(now).then(|| partitions.state(&self.settings)))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        let mut partitions = self.lock();
        if !partitions.has_open_slices() {
            let parent_state = self.router.parent_state();
            // Of partitions that could not be made, those that were read must promise nothing.
            if self.has_all.load(Ordering::Relaxed) {
                partitions.complete(self.settings.now());
                partitions.parent_state = parent_state;
            } else if partitions.parent_state.is_none() {
                partitions.parent_state = parent_state.filter(ParentStates::is_empty);
            }
        }
        Ok(Some(partitions.state(&self.settings)))
    }

    fn state(&self) -> Map {
        self.lock().state(&self.settings)
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.lock().snapshot(&self.settings))
    }

    fn outlook(&self, state: &Map) -> Result<Outlook, ReadError> {
        self.look_ahead(state)
    }

    fn cursor_field(&self) -> Option<&str> {
        Some(&self.settings.field)
    }

    fn allows_catalog_cursor_field(&self) -> bool {
        self.settings.allows_catalog_field
    }
}

fn with_window(partition: &StreamSlice, window: Map) -> Result<StreamSlice, ReadError> {
    if partition.partition.keys().any(|key| window.contains_key(key)) {
        let message = "Keys for partition and incremental sync cursor should not overlap";
        return Err(ReadError::value(message));
    }
    Ok(StreamSlice { cursor_slice: window, ..partition.clone() })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::components::IncrementalSync;
    use crate::components::testing::World;

    use super::super::settings::testing::settings;

    /// Partitions with these ids, which all come with the same parent's state.
    struct Ids(Vec<i64>, Option<ParentStates>);

    impl PartitionRouter for Ids {
        fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
            let slice = |id: &i64| {
                StreamSlice::of_partition(Map::from_iter([("id".to_owned(), json!(id))]))
            };
            futures::stream::iter(self.0.iter().map(move |id| Ok(slice(id)))).boxed()
        }

        fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
            let mut parts = RequestParts::default();
            parts.params.insert("id".to_owned(), slice.get("id").cloned().unwrap());
            Ok(parts)
        }

        fn parent_state(&self) -> Option<ParentStates> {
            self.1.clone()
        }

        fn partition_fields(&self) -> Vec<String> {
            vec!["id".to_owned()]
        }
    }

    pub(super) fn cursor(fields: &Json, ids: &[i64], state: &Json) -> Arc<dyn Cursor> {
        let world = World::new(&json!({}));
        let mut written = json!({
            "type": "DatetimeBasedCursor",
            "cursor_field": "updated",
            "datetime_format": "%Y-%m-%d",
            "start_datetime": "2024-01-01",
            "end_datetime": "2024-01-05",
        });
        written.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let sync = world.build::<dyn IncrementalSync>(&written).unwrap();
        let router = Arc::new(Ids(ids.to_vec(), None));
        sync.cursor(Some(router), state.as_object(), &world.cx()).unwrap()
    }

    fn slices(cursor: &Arc<dyn Cursor>) -> Vec<StreamSlice> {
        let slices = cursor.slices().collect::<Vec<_>>().now_or_never().unwrap();
        slices.into_iter().map(Result::unwrap).collect()
    }

    pub(super) fn states(states: &[(i64, &str)]) -> Json {
        let state = |(id, date): &(i64, &str)| json!({"partition": {"id": id}, "cursor": {"updated": date}});
        states.iter().map(state).collect()
    }

    /// Reads each partition with records of these dates; gives the state that is printed last.
    fn read(cursor: &Arc<dyn Cursor>, dates: &[&[&str]]) -> Json {
        for (slice, dates) in slices(cursor).iter().zip(dates) {
            let records: Vec<_> = dates.iter().map(|date| json!({"updated": date})).collect();
            cursor.observe(slice, &records).unwrap();
            cursor.close_slice(slice).unwrap();
        }
        cursor.finish().unwrap().unwrap().into()
    }

    #[test]
    fn each_partition_has_its_state() {
        let cursor = cursor(&json!({}), &[1, 2], &json!({}));
        assert_eq!(
            read(&cursor, &[&["2024-01-03"], &["2024-01-04"]]),
            json!({
                "use_global_cursor": false,
                "states": states(&[(1, "2024-01-03"), (2, "2024-01-04")]),
                "state": {"updated": "2024-01-04"},
                "lookback_window": 1,
            })
        );
    }

    #[test]
    fn without_records_there_is_no_global_state() {
        let cursor = cursor(&json!({}), &[1], &json!({}));
        assert_eq!(
            read(&cursor, &[&[]]),
            json!({
                "use_global_cursor": false,
                "states": states(&[(1, "2024-01-01")]),
                "lookback_window": 0,
            })
        );
    }

    #[test]
    fn partitions_that_are_gone_are_kept_and_new_ones_start_from_the_global_state() {
        let state = json!({
            "states": states(&[(1, "2024-01-02"), (9, "2024-01-03")]),
            "state": {"updated": "2024-01-04"},
            "lookback_window": 86400,
        });
        let cursor = cursor(&json!({}), &[1, 2], &state);
        let starts: Vec<_> =
            slices(&cursor).iter().map(|it| it.get("start_time").cloned()).collect();
        assert_eq!(starts, [Some(json!("2024-01-02")), Some(json!("2024-01-03"))]);
        assert_eq!(
            cursor.state()["states"],
            states(&[(1, "2024-01-02"), (9, "2024-01-03"), (2, "2024-01-03")])
        );
    }

    #[test]
    fn a_failed_partition_keeps_the_global_state_back() {
        let cursor = cursor(&json!({}), &[1, 2], &json!({"updated": "2024-01-02"}));
        assert_eq!(
            read(&cursor, &[&["2024-01-03"]]),
            json!({
                "use_global_cursor": false,
                "states": states(&[(1, "2024-01-03"), (2, "2024-01-02")]),
                "state": {"updated": "2024-01-02"},
                "lookback_window": 0,
            })
        );
    }

    /// Partitions that end with an error.
    struct Broken(Ids);

    impl PartitionRouter for Broken {
        fn partitions(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
            let end = futures::stream::once(async { Err(ReadError::value("gone")) });
            self.0.partitions().chain(end).boxed()
        }

        fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
            self.0.request_parts(slice)
        }

        fn parent_state(&self) -> Option<ParentStates> {
            self.0.parent_state()
        }

        fn partition_fields(&self) -> Vec<String> {
            self.0.partition_fields()
        }
    }

    #[test]
    fn partitions_that_could_not_be_made_are_promised_by_nothing() {
        let parent_state = Map::from_iter([("parents".to_owned(), json!({"at": 9}))]);
        let router = Broken(Ids(vec![1, 2, 3], Some(parent_state.into())));
        let partitions = Partitions::new(&settings(), false, Map::new()).unwrap();
        let cursor = PerPartition {
            settings: Arc::new(settings()),
            router: Arc::new(router),
            partitions: Mutex::new(partitions),
            has_all: AtomicBool::new(false),
            has_warned_of_values: AtomicBool::new(false),
        };
        let slices: Vec<_> = cursor.slices().collect::<Vec<_>>().now_or_never().unwrap();
        assert_eq!(slices.len(), 3, "two partitions, and the error");
        for slice in slices.into_iter().flatten() {
            cursor.observe(&slice, &[json!({"updated": "2024-01-03"})]).unwrap();
            cursor.close_slice(&slice).unwrap();
        }
        let state = cursor.finish().unwrap().unwrap();
        assert_eq!(state["states"], states(&[(1, "2024-01-03"), (2, "2024-01-03")]));
        assert_eq!((state.get("state"), &state["lookback_window"]), (None, &json!(0)));
    }

    #[test]
    fn a_sample_counts_as_all() {
        let router = Arc::new(Ids(vec![1, 2, 3], None));
        let cursor = PerPartition::new(settings(), router, false, Map::new(), true).unwrap();
        let slices = cursor.slices().take(1).collect::<Vec<_>>().now_or_never().unwrap();
        let slice = slices[0].as_ref().unwrap();
        cursor.observe(slice, &[json!({"updated": "2024-01-03"})]).unwrap();
        cursor.close_slice(slice).unwrap();
        let expect = json!({
            "use_global_cursor": false,
            "states": states(&[(1, "2024-01-03")]),
            "state": {"updated": "2024-01-03"},
            "lookback_window": 1,
        });
        assert_eq!(Json::Object(cursor.finish().unwrap().unwrap()), expect);
    }

    #[test]
    fn a_global_state_is_one_for_all() {
        let cursor = cursor(&json!({"global_substream_cursor": true}), &[1, 2], &json!({}));
        assert_eq!(
            read(&cursor, &[&["2024-01-04"], &["2024-01-03"]]),
            json!({
                "use_global_cursor": true,
                "state": {"updated": "2024-01-04"},
                "lookback_window": 1,
            })
        );
    }

    #[test]
    fn states_are_seldom_printed_meanwhile() {
        let cursor = cursor(&json!({}), &[1, 2], &json!({}));
        let slices = slices(&cursor);
        assert!(cursor.close_slice(&slices[0]).unwrap().is_some());
        assert!(cursor.close_slice(&slices[1]).unwrap().is_none());
    }

    #[test]
    fn partition_and_window_both_go_into_requests() {
        let option = json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": "from"});
        let cursor = cursor(&json!({"start_time_option": option}), &[1], &json!({}));
        let parts = cursor.request_parts(&slices(&cursor)[0]).unwrap();
        assert_eq!(json!(parts.params), json!({"id": 1, "from": "2024-01-01"}));
    }

    #[test]
    fn a_partition_counts_once() {
        let cursor = cursor(&json!({}), &[1, 1, 2], &json!({}));
        assert_eq!(slices(&cursor).len(), 2);
    }

    #[test]
    fn anything_can_tell_partitions_apart() {
        let state = json!({"states": [{"partition": "x", "cursor": {"updated": "2024-01-02"}}],
            "use_global_cursor": null});
        assert_eq!(cursor(&json!({}), &[], &state).state()["states"], state["states"]);
    }

    #[test]
    fn too_many_partitions_share_one_state() {
        let ids: Vec<_> = (0..10_100).collect();
        let cursor = cursor(&json!({}), &ids, &json!({}));
        let read = cursor.slices().for_each(async |slice| {
            let slice = slice.unwrap();
            cursor.observe(&slice, &[json!({"updated": "2024-01-03"})]).unwrap();
            cursor.close_slice(&slice).unwrap();
        });
        read.now_or_never().unwrap();
        let state = cursor.finish().unwrap().unwrap();
        let expect = json!({"use_global_cursor": true, "state": {"updated": "2024-01-03"}, "lookback_window": 1});
        assert_eq!(json!(state), expect);
    }
}
