//! A `DatetimeBasedCursor` over many partitions: each has its own state.
//!
//! New partitions start from the state they have in common, the global one,
//! which advances when all partitions were read. Above so many partitions, or
//! where the manifest wants it, only the global state is kept.

mod outlook;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use serde_json::json;
use tracing::{debug, info, warn};

use crate::components::generate::generate;
use crate::components::{
    BuildError, Cursor, Observed, Outlook, PartitionRouter, ReadError, RequestParts, SliceProgress,
};
use crate::protocol::state::MAX_PARTITION_STATES;
use crate::template::time::{DateTime, TimeDelta, TimeError};
use crate::value::{
    Json, Map, PythonJson, StreamSlice, is_truthy, partition_key, python_int, python_repr,
    python_str,
};

use super::datetime_based::{WindowProgress, read_until};
use super::intervals::later;
use super::progress::Progress;
use super::remembered::Remembered;
use super::settings::Settings;
use super::windows::{Window, Windows};

/// Partitions that are remembered.
const MAX_REMEMBERED: usize = 25_000;

/// Parents' states that wait for partitions to be read; one can be as large as the state of a
/// stream with [`MAX_PARTITION_STATES`].
const MAX_WAITING_STATES: usize = 16;

/// Seconds between two states while partitions are read.
const SECONDS_BETWEEN_STATES: i64 = 600;

/// The cursor of a stream with a partition router.
pub(super) struct PerPartition {
    settings: Arc<Settings>,
    router: Arc<dyn PartitionRouter>,
    partitions: Mutex<Partitions>,
    /// Whether all partitions were made.
    has_all: AtomicBool,
    has_warned_of_values: AtomicBool,
}

impl PerPartition {
    /// Over the partitions of `router`, going on from `state`.
    pub(super) fn new(
        settings: Settings,
        router: Arc<dyn PartitionRouter>,
        is_global: bool,
        state: Map,
    ) -> Result<Self, BuildError> {
        let partitions = Partitions::new(&settings, is_global, state)?;
        Ok(Self {
            settings: Arc::new(settings),
            router,
            partitions: Mutex::new(partitions),
            has_all: AtomicBool::new(false),
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
        if !partitions.is_global
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
        if partitions.open.values().all(|open| open.n_slices == 0) {
            let parent_state = self.router.parent_state();
            // Of partitions that could not be made, those that were read must promise nothing.
            if self.has_all.load(Ordering::Relaxed) {
                partitions.complete(self.settings.now());
                partitions.parent_state = parent_state;
            } else if partitions.parent_state.is_none() {
                partitions.parent_state = parent_state.filter(|state| state.is_empty());
            }
        }
        Ok(Some(partitions.state(&self.settings)))
    }

    fn state(&self) -> Map {
        self.lock().state(&self.settings)
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

/// Whether two states of parents say the same; mostly they are one.
fn is_same(state: Option<&Arc<Map>>, other: Option<&Arc<Map>>) -> bool {
    match (state, other) {
        (Some(state), Some(other)) => Arc::ptr_eq(state, other) || state == other,
        _ => state.is_none() && other.is_none(),
    }
}

fn with_window(partition: &StreamSlice, window: Map) -> Result<StreamSlice, ReadError> {
    if partition.partition.keys().any(|key| window.contains_key(key)) {
        let message = "Keys for partition and incremental sync cursor should not overlap";
        return Err(ReadError::value(message));
    }
    Ok(StreamSlice { cursor_slice: window, ..partition.clone() })
}

/// All that is known of the partitions.
struct Partitions {
    /// Whether they share one state.
    is_global: bool,
    /// The cursor value they have in common.
    global: Option<String>,
    /// What that will be when all partitions are read.
    next_global: Option<String>,
    /// Seconds before the global state that new partitions start at.
    lookback: i64,
    /// The parents' states that all partitions up to one were read with.
    parent_state: Option<Arc<Map>>,
    cursors: Remembered,
    /// How a partition that is not remembered starts.
    newcomer: Option<Progress>,
    /// The partitions that are being read.
    open: HashMap<String, Open>,
    /// Their numbers.
    open_numbers: BTreeSet<u64>,
    /// The parents' states, with the number of the first partition that came with them.
    waiting_parent_states: VecDeque<(Option<Arc<Map>>, u64)>,
    n_known: usize,
    n_opened: u64,
    has_observed: bool,
    began_at: Option<DateTime>,
    state_given_at: Option<DateTime>,
    has_warned_of_duplicates: bool,
}

/// A partition that is being read.
struct Open {
    number: u64,
    /// Its slices that were given out and not closed.
    n_slices: usize,
    /// Whether all of its slices were given out.
    has_all_slices: bool,
}

impl Partitions {
    fn new(settings: &Settings, is_global: bool, mut state: Map) -> Result<Self, BuildError> {
        let mut partitions = Self {
            is_global,
            global: None,
            next_global: None,
            lookback: 0,
            parent_state: None,
            cursors: Remembered::default(),
            newcomer: None,
            open: HashMap::new(),
            open_numbers: BTreeSet::new(),
            waiting_parent_states: VecDeque::new(),
            n_known: 0,
            n_opened: 0,
            has_observed: false,
            began_at: None,
            state_given_at: None,
            has_warned_of_duplicates: false,
        };
        if let Some(Json::Object(parents)) = state.remove("parent_state")
            && !parents.is_empty()
        {
            partitions.parent_state = Some(Arc::new(parents));
        }
        if !state.contains_key("states") && !state.contains_key("state") {
            // A state of the time before partitions.
            partitions.set_global(settings, &state)?;
            return Ok(partitions);
        }
        partitions.is_global = state.get("use_global_cursor").is_some_and(is_truthy);
        partitions.lookback = state.get("lookback_window").map_or(Ok(0), seconds)?;
        for mut state in listed(state.remove("states"))? {
            let mut part = |name: &str| {
                let part = state.get_mut(name).map(Json::take);
                part.ok_or_else(|| BuildError::new(format!("'{name}'")).class("KeyError"))
            };
            let key = PythonJson::SORTED_COMPACT.text(&part("partition")?);
            let Json::Object(cursor) = part("cursor")? else {
                return Err(of_wrong_type("cursor", "object"));
            };
            partitions.n_known += 1;
            partitions.cursors.insert(&key, Progress::new(settings, cursor)?);
        }
        match state.get("state") {
            Some(Json::Object(global)) => partitions.set_global(settings, global)?,
            // Python looks for the field in a text or a list just as well, and does not find it.
            Some(Json::String(text)) if !text.contains(&settings.field) => {}
            Some(Json::Array(items)) if !items.contains(&Json::from(settings.field.as_str())) => {}
            None => {}
            Some(_) => return Err(of_wrong_type("state", "object")),
        }
        Ok(partitions)
    }

    fn set_global(&mut self, settings: &Settings, state: &Map) -> Result<(), TimeError> {
        if let Some(value) = state.get(&settings.field) {
            let text = settings.formats.format(settings.formats.parse(value)?);
            self.next_global = Some(text.clone());
            self.global = Some(text);
        }
        Ok(())
    }

    fn begin(&mut self, now: DateTime) -> Result<(), ReadError> {
        if self.began_at.replace(now).is_some() {
            let message = "stream_slices has been executed more than once.";
            return Err(ReadError::unexpected("RuntimeError", message));
        }
        Ok(())
    }

    /// The progress of a partition that nothing is known of.
    fn new_progress(&self, settings: &Settings) -> Result<Progress, TimeError> {
        let mut state = Map::new();
        if let Some(global) = &self.global {
            let mut value = Json::from(global.as_str());
            if self.lookback != 0 {
                let lookback = TimeDelta::from_millis(i128::from(self.lookback) * 1000)?;
                let start = settings.formats.parse(&value)?.minus(lookback)?;
                value = settings.formats.format(start).into();
            }
            state.insert(settings.field.clone(), value);
        }
        Progress::new(settings, state)
    }

    /// The progress that a partition would have that nothing is known of.
    fn newcomer(&mut self, settings: &Settings) -> Result<&Progress, TimeError> {
        if self.newcomer.is_none() {
            self.newcomer = Some(self.new_progress(settings)?);
        }
        // It has just been set.
        self.newcomer.as_ref().ok_or_else(|| TimeError::Value(String::new()))
    }

    /// Takes note of a partition, and gives its windows; `None` when it is being read already.
    fn open(
        &mut self,
        settings: &Settings,
        key: &str,
        parent_state: Option<Arc<Map>>,
    ) -> Result<Option<Windows>, ReadError> {
        self.make_room(settings);
        if self.cursors.get(key).is_none() {
            let progress = self.new_progress(settings)?;
            self.n_known += 1;
            self.cursors.insert(key, progress);
        }
        if self.open.contains_key(key) {
            if !self.has_warned_of_duplicates {
                let stream = &settings.stream;
                warn!(target: "airbyte", "Partition duplication detected for stream {stream}");
                self.has_warned_of_duplicates = true;
            }
            return Ok(None);
        }
        let number = self.n_opened;
        self.n_opened += 1;
        self.open_numbers.insert(number);
        self.cursors.set_idle(key, false);
        self.open.insert(key.to_owned(), Open { number, n_slices: 0, has_all_slices: false });
        // While too many wait, the parents' states advance in longer steps.
        if self.waiting_parent_states.len() < MAX_WAITING_STATES
            && self
                .waiting_parent_states
                .back()
                .is_none_or(|(last, _)| !is_same(last.as_ref(), parent_state.as_ref()))
        {
            self.waiting_parent_states.push_back((parent_state, number));
        }
        match self.cursors.get_mut(key) {
            Some(progress) => progress.windows(settings).map(Some),
            None => Ok(None),
        }
    }

    /// Turns to a global state, and forgets partitions, when there are too many.
    fn make_room(&mut self, settings: &Settings) {
        if !self.is_global && self.n_known > MAX_PARTITION_STATES {
            info!(
                target: "airbyte",
                "Exceeded the 'SWITCH_TO_GLOBAL_LIMIT' of {MAX_PARTITION_STATES}. Switching to global cursor for {}.",
                settings.stream
            );
            self.is_global = true;
        }
        while self.cursors.len() >= MAX_REMEMBERED {
            match self.cursors.forget_one() {
                Some((key, true)) => debug!(
                    target: "airbyte",
                    "The maximum number of partitions has been reached. Dropping the oldest finished partition: {key}."
                ),
                Some((key, false)) => warn!(
                    target: "airbyte",
                    "The maximum number of partitions has been reached. Dropping the oldest partition: {key}."
                ),
                None => return,
            }
        }
    }

    /// Takes note that a slice is given out.
    fn open_slice(&mut self, key: &str, window_key: String, window: Window, is_last: bool) {
        if let Some(open) = self.open.get_mut(key) {
            open.n_slices += 1;
            open.has_all_slices |= is_last;
        }
        if let Some(progress) = self.cursors.get_mut(key) {
            progress.give(window_key, window, is_last);
        }
    }

    fn observe(
        &mut self,
        settings: &Settings,
        slice: &StreamSlice,
        greatest: DateTime,
        text: String,
    ) -> Result<(), ReadError> {
        self.has_observed = true;
        self.raise_global(text);
        if self.is_global {
            return Ok(());
        }
        let key = partition_key(&slice.partition);
        let progress = self.cursors.get_mut(&key).ok_or_else(|| unknown_partition(&key))?;
        progress.observe(&settings.window_key(slice), greatest);
        Ok(())
    }

    fn raise_global(&mut self, text: String) {
        if self.next_global.as_ref().is_none_or(|known| *known < text) {
            self.next_global = Some(text);
        }
    }

    /// Takes note that a slice was read.
    fn close(&mut self, settings: &Settings, slice: &StreamSlice) -> Result<(), ReadError> {
        let key = partition_key(&slice.partition);
        let open = self.open.get_mut(&key).ok_or_else(|| unknown_partition(&key))?;
        open.n_slices = open.n_slices.saturating_sub(1);
        let is_done = open.has_all_slices && open.n_slices == 0;
        let number = open.number;
        if !self.is_global {
            let progress = self.cursors.get_mut(&key).ok_or_else(|| unknown_partition(&key))?;
            progress.close(settings, slice)?;
            let reached = progress.reached(settings).filter(|_| is_done);
            if let Some(reached) = reached {
                self.raise_global(settings.formats.format(reached));
            }
        }
        if is_done {
            self.open.remove(&key);
            self.open_numbers.remove(&number);
            self.cursors.set_idle(&key, true);
        }
        self.advance_parent_state();
        Ok(())
    }

    /// The parents' states advance when no partition before them is open.
    fn advance_parent_state(&mut self) {
        let first_open = self.open_numbers.first().copied();
        while let Some((_, number)) = self.waiting_parent_states.front()
            && first_open.is_none_or(|first| first > *number)
        {
            let advanced = self.waiting_parent_states.pop_front().and_then(|(state, _)| state);
            self.parent_state = advanced.or(self.parent_state.take());
        }
    }

    /// All partitions were read.
    fn complete(&mut self, now: DateTime) {
        if !self.has_observed {
            return;
        }
        self.global.clone_from(&self.next_global);
        self.newcomer = None;
        let began_at = self.began_at.unwrap_or(now);
        let micros = now.utc_micros() - began_at.utc_micros();
        // A partition that changed while others were read has to be found again.
        self.lookback = num_integer::Integer::div_ceil(&micros, &1_000_000).max(1);
    }

    fn is_time_for_state(&mut self, now: DateTime) -> bool {
        let seconds = |moment: DateTime| moment.utc_micros() / 1_000_000;
        if let Some(last) = self.state_given_at
            && seconds(now) - seconds(last) <= SECONDS_BETWEEN_STATES
        {
            return false;
        }
        self.state_given_at = Some(now);
        // Until all partitions are read, a global state only tells of the parents.
        !self.is_global || self.parent_state.as_ref().is_some_and(|state| !state.is_empty())
    }

    fn state(&self, settings: &Settings) -> Map {
        let mut state = Map::new();
        state.insert("use_global_cursor".to_owned(), self.is_global.into());
        if !self.is_global {
            let states = self.cursors.iter().map(|(key, progress)| {
                let partition = serde_json::from_str::<Json>(key).unwrap_or_default();
                json!({"partition": partition, "cursor": progress.state(settings)})
            });
            state.insert("states".to_owned(), states.collect());
        }
        if let Some(global) = &self.global {
            state.insert("state".to_owned(), json!({&settings.field: global}));
        }
        state.insert("lookback_window".to_owned(), self.lookback.into());
        if let Some(parent_state) = &self.parent_state {
            state.insert("parent_state".to_owned(), Json::Object((**parent_state).clone()));
        }
        state
    }
}

fn unknown_partition(key: &str) -> ReadError {
    ReadError::unexpected("KeyError", format!("the partition {key} is not known any more"))
}

/// The items of a list; an empty text or object has none either.
fn listed(value: Option<Json>) -> Result<Vec<Json>, BuildError> {
    match value {
        None => Ok(Vec::new()),
        Some(Json::Array(items)) => Ok(items),
        Some(Json::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Json::Object(map)) if map.is_empty() => Ok(Vec::new()),
        Some(_) => Err(of_wrong_type("states", "list")),
    }
}

fn of_wrong_type(name: &str, expected: &str) -> BuildError {
    let message = format!("`{name}` in the state of the stream is not of type \"{expected}\"");
    BuildError::new(message).class("TypeError")
}

fn seconds(value: &Json) -> Result<i64, BuildError> {
    python_int(value).ok_or_else(|| {
        let value = python_str(value);
        BuildError::new(format!("invalid literal for int() with base 10: '{value}'"))
    })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::components::IncrementalSync;
    use crate::components::testing::World;

    use super::super::settings::testing::settings;

    /// Partitions with these ids, which all come with the same parent's state.
    struct Ids(Vec<i64>, Option<Arc<Map>>);

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

        fn parent_state(&self) -> Option<Arc<Map>> {
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

        fn parent_state(&self) -> Option<Arc<Map>> {
            self.0.parent_state()
        }

        fn partition_fields(&self) -> Vec<String> {
            self.0.partition_fields()
        }
    }

    #[test]
    fn partitions_that_could_not_be_made_are_promised_by_nothing() {
        let parent_state = Map::from_iter([("parents".to_owned(), json!({"at": 9}))]);
        let router = Broken(Ids(vec![1, 2, 3], Some(Arc::new(parent_state))));
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
    fn states_that_are_none_are_refused() {
        let refused = |state: Json| {
            let Json::Object(state) = state else { panic!("{state} is no object") };
            let refused = Partitions::new(&settings(), false, state).err().unwrap();
            refused.message
        };
        for states in [json!(null), json!("x"), json!(5), json!({"a": 1})] {
            assert!(refused(json!({"states": states})).starts_with("`states` in the state"));
        }
        for state in [json!(null), json!(5), json!("updated"), json!(["updated"])] {
            assert!(refused(json!({"state": state})).starts_with("`state` in the state"));
        }
        assert_eq!(refused(json!({"states": [null]})), "'partition'");
        assert_eq!(refused(json!({"states": [{"partition": 1}]})), "'cursor'");
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

    #[test]
    fn the_parents_state_advances_with_what_was_read_of_it() {
        let settings = settings();
        let mut partitions = Partitions::new(&settings, false, Map::new()).unwrap();
        let parent = |n: i64| Some(Arc::new(Map::from_iter([("p".to_owned(), json!({"c": n}))])));
        let slice = |id: &str| {
            let windows = settings.cursor_slice((settings.cutting.start, settings.cutting.start));
            let partition = Map::from_iter([("id".to_owned(), json!(id))]);
            StreamSlice { cursor_slice: windows, ..StreamSlice::of_partition(partition) }
        };
        for (id, state) in [("a", 1), ("b", 1), ("c", 2)] {
            let key = partition_key(&slice(id).partition);
            partitions.open(&settings, &key, parent(state)).unwrap();
            let start = settings.cutting.start;
            partitions.open_slice(&key, settings.window_key(&slice(id)), (start, start), true);
        }
        let mut state_after = |id: &str| {
            partitions.close(&settings, &slice(id)).unwrap();
            partitions.parent_state.as_ref().map(|state| state["p"]["c"].clone())
        };
        assert_eq!(state_after("b"), None);
        assert_eq!(state_after("a"), Some(json!(1)));
        assert_eq!(state_after("c"), Some(json!(2)));
    }
}
