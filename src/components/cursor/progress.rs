//! How far one partition has been read, as state and from state.

use std::collections::HashMap;

use crate::components::{BuildError, ReadError};
use crate::template::time::{DateTime, TimeError};
use crate::value::{Json, Map, StreamSlice};

use super::Listed;
use super::intervals::{Interval, is_before, later, merge};
use super::settings::Settings;
use super::windows::{Window, Windows};

/// How far one partition has been read.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Where this run began.
    start: DateTime,
    /// What has been read: at the beginning all that earlier runs have read.
    intervals: Vec<Interval>,
    /// The state as it came in, whose other keys are kept.
    legacy: Map,
    /// The greatest cursor value of each window that is open.
    observed: HashMap<String, DateTime>,
    /// The starts of the windows that were given out and not read yet.
    open: HashMap<String, DateTime>,
    /// The end of the last window that was given out, while further ones will be.
    given_to: Option<DateTime>,
}

impl Progress {
    /// Goes on from `state`, which may be empty.
    pub(super) fn new(settings: &Settings, state: Map) -> Result<Self, BuildError> {
        let Some(listed) = Listed::of(&state)? else { return Ok(Self::after(settings, state)?) };
        let mut intervals = stored_intervals(settings, listed.slices)?;
        let start = intervals.first().map(|first| first.most_recent.unwrap_or(first.end));
        let start = start.unwrap_or(settings.cutting.start);
        // What cannot be merged shows when there is something to read.
        if let Ok(merged) = merge(intervals.clone(), |end| settings.next(end)) {
            intervals = merged;
        }
        Ok(Self::of(start, intervals, listed.legacy))
    }

    /// Goes on from the cursor value in `state`, if there is one.
    pub(super) fn after(settings: &Settings, state: Map) -> Result<Self, TimeError> {
        let mut start = settings.cutting.start;
        if let Some(value) = state.get(&settings.field) {
            let reached = settings.formats.parse(value)?;
            start = if is_before(reached, start) { start } else { reached };
        }
        // Of records in between nobody knows whether they were read; so it has no length.
        let interval =
            Interval { start: settings.cutting.start, end: start, most_recent: Some(start) };
        Ok(Self::of(start, vec![interval], state))
    }

    fn of(start: DateTime, intervals: Vec<Interval>, legacy: Map) -> Self {
        Self {
            start,
            intervals,
            legacy,
            observed: HashMap::new(),
            open: HashMap::new(),
            given_to: None,
        }
    }

    /// The windows that are left to read.
    pub(super) fn windows(&mut self, settings: &Settings) -> Result<Windows, ReadError> {
        self.merge(settings)?;
        Ok(settings.cutting.windows(&self.intervals, settings.end()?)?)
    }

    /// Takes note that the window with `key` is given out, and whether it is the last one.
    pub(super) fn give(&mut self, key: String, (start, end): Window, is_last: bool) {
        self.open.insert(key, start);
        self.given_to = (!is_last).then_some(end);
    }

    /// Takes note of the cursor value of a record in the window with `key`.
    pub(super) fn observe(&mut self, key: &str, value: DateTime) {
        match self.observed.get_mut(key) {
            Some(greatest) => *greatest = later(*greatest, value),
            None => _ = self.observed.insert(key.to_owned(), value),
        }
    }

    /// Takes note that the window of `slice` was read whole.
    pub(super) fn close(
        &mut self,
        settings: &Settings,
        slice: &StreamSlice,
    ) -> Result<(), ReadError> {
        let key = settings.window_key(slice);
        self.open.remove(&key);
        let most_recent = self.observed.remove(&key);
        let (start, end) = settings.window(slice)?;
        self.intervals.push(Interval { start, end, most_recent });
        Ok(self.merge(settings)?)
    }

    fn merge(&mut self, settings: &Settings) -> Result<(), TimeError> {
        let intervals = self.intervals.clone();
        self.intervals = merge(intervals, |end| settings.next(end))?;
        Ok(())
    }

    /// The cursor value up to which there is no gap.
    ///
    /// Records can lie after the window that they were found in, and what is read again lies before
    /// the state. As in the reference both count, but not while a window is to be read that a run
    /// from this value on would leave out: a run that is killed would lose it.
    pub(super) fn reached(&self, settings: &Settings) -> Option<DateTime> {
        let first = self.intervals.first()?;
        let reached = first.most_recent.unwrap_or(first.start);
        let limit = self.limit(settings);
        Some(limit.filter(|limit| is_before(*limit, reached)).unwrap_or(reached))
    }

    /// The greatest value from which on a run would read all windows that this one has not read.
    fn limit(&self, settings: &Settings) -> Option<DateTime> {
        let first_open = self.open.values().copied().min_by_key(|start| start.utc_micros());
        let unread = first_open.or(self.given_to)?;
        let limit = match settings.cutting.lookback {
            Some(lookback) => unread.plus_span(lookback).ok()?,
            None => unread,
        };
        Some(later(limit, self.start))
    }

    /// The state.
    pub(super) fn state(&self, settings: &Settings) -> Map {
        let mut state = self.legacy.clone();
        if let Some(reached) = self.reached(settings) {
            state.insert(settings.field.clone(), settings.formats.format(reached).into());
        }
        state
    }

    /// Whether a record lies between where this run began (or what it reads again before that)
    /// and the end.
    pub(super) fn wants(&self, settings: &Settings, record: &Json) -> Result<bool, ReadError> {
        let Some(value) = settings.cursor_value(record)? else { return Ok(true) };
        Ok(!is_before(value, self.lowest(settings)?) && !is_before(settings.end()?, value))
    }

    fn lowest(&self, settings: &Settings) -> Result<DateTime, TimeError> {
        let Some(lookback) = settings.cutting.lookback else { return Ok(self.start) };
        let configured = settings.cutting.start;
        let floor = if is_before(configured, self.start) { configured } else { self.start };
        match self.start.minus_span(lookback) {
            Ok(lower) => Ok(later(lower, floor)),
            Err(TimeError::Overflow(_)) => Ok(self.start),
            Err(err) => Err(err),
        }
    }
}

/// The intervals of a state that lists them.
fn stored_intervals(settings: &Settings, slices: &[Json]) -> Result<Vec<Interval>, TimeError> {
    let intervals = slices.iter().map(|slice| {
        let moment = |key: &str| settings.formats.parse(slice.get(key).unwrap_or(&Json::Null));
        Ok(Interval {
            start: moment("start")?,
            end: moment("end")?,
            most_recent: match slice.get("most_recent_cursor_value") {
                Some(value) => Some(settings.formats.parse(value)?),
                None => None,
            },
        })
    });
    intervals.collect()
}
