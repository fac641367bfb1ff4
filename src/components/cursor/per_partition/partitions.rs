//! All that is known of the partitions of a stream.

use std::any::Any;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::json;
use tracing::{debug, info, warn};

use crate::components::{BuildError, ParentStates, ReadError, Snapshot};
use crate::protocol::state::MAX_PARTITION_STATES;
use crate::template::time::{DateTime, TimeDelta, TimeError};
use crate::value::{
    Json, Map, PythonJson, StreamSlice, is_truthy, partition_key, python_int, python_str,
};

use super::super::progress::Progress;
use super::super::remembered::{ByAge, Remembered};
use super::super::settings::Settings;
use super::super::windows::{Window, Windows};

/// Partitions that are remembered.
const MAX_REMEMBERED: usize = 25_000;

/// Parents' states that wait for partitions to be read.
const MAX_WAITING_STATES: usize = 16;

/// Seconds between two states while partitions are read.
const SECONDS_BETWEEN_STATES: i64 = 600;

/// All that is known of the partitions.
pub(super) struct Partitions {
    /// Whether they share one state; what came with the state, which Python takes for true or
    /// false.
    use_global: Json,
    /// The cursor value they have in common.
    pub(super) global: Option<String>,
    /// What that will be when all partitions are read.
    next_global: Option<String>,
    /// Seconds before the global state that new partitions start at.
    pub(super) lookback: i64,
    /// The parents' states that all partitions up to one were read with.
    pub(super) parent_state: Option<ParentStates>,
    pub(super) cursors: Remembered,
    /// How a partition that is not remembered starts.
    newcomer: Option<Progress>,
    /// The partitions that are being read.
    open: HashMap<String, Open>,
    /// Their numbers.
    open_numbers: BTreeSet<u64>,
    /// The parents' states, with the number of the first partition that came with them.
    waiting_parent_states: VecDeque<(Option<ParentStates>, u64)>,
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
    /// Going on from `state`.
    pub(super) fn new(
        settings: &Settings,
        is_global: bool,
        mut state: Map,
    ) -> Result<Self, BuildError> {
        let mut partitions = Self {
            use_global: is_global.into(),
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
            partitions.parent_state = Some(parents.into());
        }
        if !state.contains_key("states") && !state.contains_key("state") {
            // A state of the time before partitions.
            partitions.set_global(settings, &state)?;
            return Ok(partitions);
        }
        partitions.use_global = state.remove("use_global_cursor").unwrap_or(false.into());
        partitions.lookback = state.get("lookback_window").map_or(Ok(0), seconds)?;
        for mut state in listed(state.remove("states"))? {
            let mut part = |name: &str| {
                let part = state.get_mut(name).map(Json::take);
                part.ok_or_else(|| BuildError::new(format!("'{name}'")).class("KeyError"))
            };
            let key = PythonJson::SORTED_COMPACT.text(&part("partition")?);
            let Json::Object(cursor) = part("cursor")? else {
                return Err(BuildError::of_state("cursor", "object"));
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
            Some(_) => return Err(BuildError::of_state("state", "object")),
        }
        Ok(partitions)
    }

    /// Whether partitions share one state.
    pub(super) fn is_global(&self) -> bool {
        is_truthy(&self.use_global)
    }

    fn set_global(&mut self, settings: &Settings, state: &Map) -> Result<(), TimeError> {
        if let Some(value) = state.get(&settings.field) {
            let text = settings.formats.format(settings.formats.parse(value)?);
            self.next_global = Some(text.clone());
            self.global = Some(text);
        }
        Ok(())
    }

    /// Takes note that slices are made from now on, which happens once.
    pub(super) fn begin(&mut self, now: DateTime) -> Result<(), ReadError> {
        if self.began_at.replace(now).is_some() {
            let message = "stream_slices has been executed more than once.";
            return Err(ReadError::unexpected("RuntimeError", message));
        }
        Ok(())
    }

    /// The progress of a partition that nothing is known of.
    pub(super) fn new_progress(&self, settings: &Settings) -> Result<Progress, TimeError> {
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
        Progress::after(settings, state)
    }

    /// The progress that a partition would have that nothing is known of.
    pub(super) fn newcomer(&mut self, settings: &Settings) -> Result<&Progress, TimeError> {
        if self.newcomer.is_none() {
            self.newcomer = Some(self.new_progress(settings)?);
        }
        // It has just been set.
        self.newcomer.as_ref().ok_or_else(|| TimeError::Value(String::new()))
    }

    /// Takes note of a partition, and gives its windows; `None` when it is being read already.
    pub(super) fn open(
        &mut self,
        settings: &Settings,
        key: &str,
        parent_state: Option<ParentStates>,
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
            && self.waiting_parent_states.back().is_none_or(|(last, _)| *last != parent_state)
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
        if !self.is_global() && self.n_known > MAX_PARTITION_STATES {
            info!(
                target: "airbyte",
                "Exceeded the 'SWITCH_TO_GLOBAL_LIMIT' of {MAX_PARTITION_STATES}. Switching to global cursor for {}.",
                settings.stream
            );
            self.use_global = true.into();
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
    pub(super) fn open_slice(
        &mut self,
        key: &str,
        window_key: String,
        window: Window,
        is_last: bool,
    ) {
        if let Some(open) = self.open.get_mut(key) {
            open.n_slices += 1;
            open.has_all_slices |= is_last;
        }
        if let Some(progress) = self.cursors.get_mut(key) {
            progress.give(window_key, window, is_last);
        }
    }

    /// Takes note of the greatest cursor value among records of a slice, as moment and as text.
    pub(super) fn observe(
        &mut self,
        settings: &Settings,
        slice: &StreamSlice,
        greatest: DateTime,
        text: String,
    ) -> Result<(), ReadError> {
        self.has_observed = true;
        self.raise_global(text);
        if self.is_global() {
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
    pub(super) fn close(
        &mut self,
        settings: &Settings,
        slice: &StreamSlice,
    ) -> Result<(), ReadError> {
        let key = partition_key(&slice.partition);
        let open = self.open.get_mut(&key).ok_or_else(|| unknown_partition(&key))?;
        open.n_slices = open.n_slices.saturating_sub(1);
        let is_done = open.has_all_slices && open.n_slices == 0;
        let number = open.number;
        if !self.is_global() {
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

    /// Whether a slice was given out and is not read yet.
    pub(super) fn has_open_slices(&self) -> bool {
        self.open.values().any(|open| open.n_slices > 0)
    }

    /// All partitions were read.
    pub(super) fn complete(&mut self, now: DateTime) {
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

    /// Whether a state is to be printed; if so, the next one has its time to wait from now on.
    pub(super) fn is_time_for_state(&mut self, now: DateTime) -> bool {
        let seconds = |moment: DateTime| moment.utc_micros() / 1_000_000;
        if let Some(last) = self.state_given_at
            && seconds(now) - seconds(last) <= SECONDS_BETWEEN_STATES
        {
            return false;
        }
        self.state_given_at = Some(now);
        // Until all partitions are read, a global state only tells of the parents.
        !self.is_global() || self.parent_state.as_ref().is_some_and(|state| !state.is_empty())
    }

    /// The state.
    pub(super) fn state(&self, settings: &Arc<Settings>) -> Map {
        self.snapshot(settings).to_map()
    }

    /// The state as it is now.
    pub(super) fn snapshot(&self, settings: &Arc<Settings>) -> PartitionStates {
        PartitionStates {
            settings: Arc::clone(settings),
            use_global: self.use_global.clone(),
            states: (!self.is_global()).then(|| self.cursors.by_age().clone()),
            global: self.global.clone(),
            lookback: self.lookback,
            parent_state: self.parent_state.clone(),
        }
    }
}

/// The state of a stream with partitions as it was at a moment.
pub(super) struct PartitionStates {
    settings: Arc<Settings>,
    use_global: Json,
    /// Those of the partitions; none when they share one.
    states: Option<ByAge>,
    global: Option<String>,
    lookback: i64,
    parent_state: Option<ParentStates>,
}

impl PartitionStates {
    fn to_map(&self) -> Map {
        let mut state = Map::new();
        state.insert("use_global_cursor".to_owned(), self.use_global.clone());
        if let Some(states) = &self.states {
            let states = states.iter().map(|(key, progress)| {
                let partition = serde_json::from_str::<Json>(key).unwrap_or_default();
                json!({"partition": partition, "cursor": progress.state(&self.settings)})
            });
            state.insert("states".to_owned(), states.collect());
        }
        if let Some(global) = &self.global {
            state.insert("state".to_owned(), json!({&self.settings.field: global}));
        }
        state.insert("lookback_window".to_owned(), self.lookback.into());
        if let Some(parent_state) = &self.parent_state {
            state.insert("parent_state".to_owned(), Json::Object(parent_state.to_map()));
        }
        state
    }
}

impl Snapshot for PartitionStates {
    fn to_json(&self) -> Json {
        Json::Object(self.to_map())
    }

    fn is_same(&self, other: &dyn Snapshot) -> bool {
        let Some(other) = (other as &dyn Any).downcast_ref::<Self>() else { return false };
        let states = match (&self.states, &other.states) {
            (Some(states), Some(others)) => states.is_same(others, &self.settings),
            (states, others) => states.is_none() && others.is_none(),
        };
        states
            && self.use_global == other.use_global
            && self.global == other.global
            && self.lookback == other.lookback
            && self.parent_state == other.parent_state
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
        Some(_) => Err(BuildError::of_state("states", "list")),
    }
}

/// The seconds of a lookback window; more than can be told show when a partition starts from them.
fn seconds(value: &Json) -> Result<i64, BuildError> {
    let too_many = value.as_f64().filter(|seconds| seconds.abs() >= 9e18);
    let seconds = too_many.map(|it| if it < 0.0 { i64::MIN } else { i64::MAX });
    seconds.or_else(|| python_int(value)).ok_or_else(|| {
        let value = python_str(value);
        BuildError::new(format!("invalid literal for int() with base 10: '{value}'"))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::settings::testing::settings;
    use super::*;

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
    fn the_parents_state_advances_with_what_was_read_of_it() {
        let settings = settings();
        let mut partitions = Partitions::new(&settings, false, Map::new()).unwrap();
        let parent = |n: i64| Some(Map::from_iter([("p".to_owned(), json!({"c": n}))]).into());
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
            partitions.parent_state.as_ref().map(|state| state.to_map()["p"]["c"].clone())
        };
        assert_eq!(state_after("b"), None);
        assert_eq!(state_after("a"), Some(json!(1)));
        assert_eq!(state_after("c"), Some(json!(2)));
    }

    /// What can happen to partitions.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        /// One is read whole, with a record of this day of January.
        Read(u8, u32),
        /// One is begun, and not ended.
        Open(u8),
        /// All are said to be read.
        Complete,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            8 => (any::<u8>(), 1..9_u32).prop_map(|(id, day)| Event::Read(id, day)),
            2 => any::<u8>().prop_map(Event::Open),
            1 => Just(Event::Complete),
        ]
    }

    fn happen(partitions: &mut Partitions, settings: &Settings, event: Event) {
        let (Event::Read(id, _) | Event::Open(id)) = event else {
            return partitions.complete(settings.now());
        };
        let start = settings.cutting.start;
        let slice = StreamSlice {
            cursor_slice: settings.cursor_slice((start, start)),
            ..StreamSlice::of_partition(Map::from_iter([("id".to_owned(), json!(id))]))
        };
        let key = partition_key(&slice.partition);
        let parents = Map::from_iter([("p".to_owned(), json!({"c": id}))]).into();
        if partitions.open(settings, &key, Some(parents)).unwrap().is_none() {
            return;
        }
        let window_key = settings.window_key(&slice);
        partitions.open_slice(&key, window_key, (start, start), true);
        if let Event::Read(_, day) = event {
            let text = format!("2024-01-0{day}");
            let value = settings.formats.parse(&json!(text)).unwrap();
            partitions.observe(settings, &slice, value, text).unwrap();
            partitions.close(settings, &slice).unwrap();
        }
    }

    proptest! {
        /// What happens after a snapshot was taken does not show in it.
        #[test]
        fn a_snapshot_stays_what_it_was(
            known in prop::collection::btree_set(any::<u8>(), 0..250),
            events in prop::collection::vec(event(), 1..40),
        ) {
            let settings = Arc::new(settings());
            let known = known.iter().map(|id| json!({"partition": {"id": id}, "cursor": {}}));
            let state = Map::from_iter([("states".to_owned(), known.collect())]);
            let mut partitions = Partitions::new(&settings, false, state).unwrap();
            let (mut snapshots, mut states) = (Vec::new(), Vec::new());
            for event in events {
                snapshots.push(partitions.snapshot(&settings));
                states.push(partitions.state(&settings));
                happen(&mut partitions, &settings, event);
            }
            for (snapshot, state) in snapshots.iter().zip(&states) {
                prop_assert_eq!(&snapshot.to_map(), state);
            }
            for ((one, other), states) in snapshots.iter().zip(&snapshots[1..]).zip(states.windows(2)) {
                prop_assert_eq!(one.is_same(other), states[0] == states[1]);
            }
        }
    }
}
