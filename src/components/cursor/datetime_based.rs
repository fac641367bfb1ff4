//! `DatetimeBasedCursor`: what is new since a moment is read, in windows of time.
//!
//! The state is the greatest cursor value of the records read without a gap.
//! With a partition router each partition has its own (see `per_partition`).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, BoxStream, StreamExt};

use crate::components::outlook::{Next, Outlook, TimeWindows};
use crate::components::shape::{Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Cursor, IncrementalSync, Observed, PartitionRouter,
    ReadError, RequestParts, SliceProgress, request_option,
};
use crate::template::time::{DateTime, TimeDelta};
use crate::value::{Json, Map, StreamSlice, is_truthy};

use super::intervals::later;
use super::per_partition::PerPartition;
use super::progress::Progress;
use super::settings::Settings;

/// The YAML shape.
pub mod yaml {
    use super::super::clamping::Written;
    use super::super::min_max_datetime::yaml::DatetimeOrText;
    use super::request_option::yaml::RequestOption;
    use super::{Text, shape};

    shape! {
        /// What is new since a moment is read, in windows of time.
        pub struct DatetimeBasedCursor {
            /// The field of a record, at its top level, whose value says how new it is.
            cursor_field: Text,
            /// The format of moments in requests and in the state, with the directives of Python's
            /// `strftime`, and: `%s` (seconds since 1970), `%s_as_float`, `%ms` (milliseconds),
            /// `%epoch_microseconds`, `%_ms` (the milliseconds of a second).
            datetime_format: String,
            /// The earliest moment that is read.
            start_datetime: DatetimeOrText,
            /// The last moment that is read; now, when unset.
            end_datetime: Option<DatetimeOrText>,
            /// Further formats that the cursor field can have, tried in this order.
            cursor_datetime_formats: Vec<String> = Vec::new(),
            /// The length of a window, as ISO 8601 duration; one window for all, when unset.
            step: Option<Text>,
            /// The smallest difference of two moments in `datetime_format`, as ISO 8601 duration.
            cursor_granularity: Option<Text>,
            /// How much before the state is read again, as ISO 8601 duration.
            lookback_window: Option<Text>,
            /// Where the start of a window goes in requests.
            start_time_option: Option<RequestOption>,
            /// Where the end of a window goes in requests.
            end_time_option: Option<RequestOption>,
            /// The key of a window's start, for templates; `start_time`, when unset.
            partition_field_start: Option<Text>,
            /// The key of a window's end, for templates; `end_time`, when unset.
            partition_field_end: Option<Text>,
            /// Makes windows begin and end with a day, a week, or a month.
            clamping: Option<Written>,
            /// The API knows no filter and gives the newest records first: stop at the first known one.
            is_data_feed: bool = false,
            /// The API knows no filter: drop records outside of the window.
            is_client_side_incremental: bool = false,
            /// The API refuses a window that ends where it starts: leave such windows out.
            is_compare_strictly: bool = false,
            /// Keep one state for all partitions, instead of one for each.
            global_substream_cursor: bool = false,
            /// Whether the user may choose another cursor field.
            allow_catalog_defined_cursor_field: bool = false,
        }
    }
}

impl Component for yaml::DatetimeBasedCursor {
    type Family = dyn IncrementalSync;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn IncrementalSync>, BuildError> {
        Ok(Arc::new(self))
    }
}

impl IncrementalSync for yaml::DatetimeBasedCursor {
    fn cursor(
        &self,
        router: Option<Arc<dyn PartitionRouter>>,
        state: Option<&Map>,
        cx: &BuildContext<'_>,
    ) -> Result<Arc<dyn Cursor>, BuildError> {
        let settings = Settings::build(self, cx)?;
        let state = state.cloned().unwrap_or_default();
        if let Some(router) = router {
            let is_global = self.global_substream_cursor || router.needs_global_state();
            let is_sample = cx.environment.is_test_read();
            let cursor = PerPartition::new(settings, router, is_global, state, is_sample)?;
            return Ok(Arc::new(cursor));
        }
        let progress = Mutex::new(Progress::new(&settings, state)?);
        Ok(Arc::new(DatetimeBasedCursor { settings: Arc::new(settings), progress }))
    }

    fn filters_client_side(&self) -> bool {
        self.is_client_side_incremental
    }

    fn is_data_feed(&self) -> bool {
        self.is_data_feed
    }
}

/// The cursor of a stream with one partition.
struct DatetimeBasedCursor {
    settings: Arc<Settings>,
    progress: Mutex<Progress>,
}

impl DatetimeBasedCursor {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic while the lock is held cannot leave half a change behind.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cursor for DatetimeBasedCursor {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        let mut windows = match self.lock().windows(&self.settings) {
            Ok(windows) => windows.peekable(),
            Err(err) => return stream::once(async { Err(err) }).boxed(),
        };
        let give = |window, is_last| {
            let cursor_slice = self.settings.cursor_slice(window);
            let slice = StreamSlice { cursor_slice, ..StreamSlice::default() };
            self.lock().give(self.settings.window_key(&slice), window, is_last);
            slice
        };
        stream::iter(std::iter::from_fn(move || {
            let window = windows.next()?;
            Some(window.map(|it| give(it, windows.peek().is_none())).map_err(ReadError::from))
        }))
        .boxed()
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        self.settings.request_parts(slice)
    }

    fn observe(&self, slice: &StreamSlice, records: &[Json]) -> Result<(), ReadError> {
        if let Some(greatest) = greatest_value(&self.settings, records)? {
            self.lock().observe(&self.settings.window_key(slice), greatest);
        }
        Ok(())
    }

    fn observed(&self) -> Observed<'_> {
        Observed::Field(&self.settings.field)
    }

    fn should_be_synced(&self, _: &StreamSlice, record: &Json) -> Result<bool, ReadError> {
        self.lock().wants(&self.settings, record)
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
        read_until(&self.settings, state)
    }

    fn close_slice(&self, slice: &StreamSlice) -> Result<Option<Map>, ReadError> {
        let mut progress = self.lock();
        progress.close(&self.settings, slice)?;
        Ok(Some(progress.state(&self.settings)))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        Ok(Some(self.state()))
    }

    fn state(&self) -> Map {
        self.lock().state(&self.settings)
    }

    fn outlook(&self, state: &Map) -> Result<Outlook, ReadError> {
        let terms = self.settings.terms()?;
        let slices = self.settings.slices(self.lock().windows(&self.settings)?)?;
        let next = Next::Windows(TimeWindows { terms, slices });
        Ok(Outlook { next, ignored: self.settings.unread(state) })
    }

    fn cursor_field(&self) -> Option<&str> {
        Some(&self.settings.field)
    }

    fn allows_catalog_cursor_field(&self) -> bool {
        self.settings.allows_catalog_field
    }
}

/// The greatest cursor value among records.
pub(super) fn greatest_value(
    settings: &Settings,
    records: &[Json],
) -> Result<Option<DateTime>, ReadError> {
    let mut greatest = None;
    for record in records {
        if let Some(value) = settings.cursor_value(record)? {
            greatest = Some(greatest.map_or(value, |known| later(known, value)));
        }
    }
    Ok(greatest)
}

/// The moment that a state of one partition says to be read up to.
pub(super) fn read_until(settings: &Settings, state: &Map) -> Option<DateTime> {
    let kind = state.get("state_type").and_then(Json::as_str);
    let value = if matches!(kind, Some("date-range" | "integer")) {
        let first = state.get("slices")?.get(0)?;
        let most_recent = first.get("most_recent_cursor_value").filter(|value| is_truthy(value));
        most_recent.or_else(|| first.get("end"))?
    } else {
        state.get(&settings.field)?
    };
    settings.formats.parse(value).ok().filter(|_| is_truthy(value))
}

/// How far the window of one slice was read.
pub(super) struct WindowProgress {
    settings: Arc<Settings>,
    greatest: Option<DateTime>,
}

impl WindowProgress {
    pub(super) fn boxed(settings: &Arc<Settings>) -> Box<dyn SliceProgress> {
        Box::new(Self { settings: Arc::clone(settings), greatest: None })
    }
}

impl SliceProgress for WindowProgress {
    fn observe(&mut self, _: &StreamSlice, record: &Json) -> Result<(), ReadError> {
        if let Some(value) = self.settings.cursor_value(record)? {
            self.greatest = Some(self.greatest.map_or(value, |known| later(known, value)));
        }
        Ok(())
    }

    fn rest_of(&self, original: &StreamSlice) -> Result<StreamSlice, ReadError> {
        Ok(match self.greatest {
            Some(start) => self.settings.with_start(original, start),
            None => original.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    /// A cursor over days, with `fields` over its own; null takes one away.
    fn cursor(fields: &Json, state: &Json) -> Result<Arc<dyn Cursor>, BuildError> {
        let world = World::new(&json!({"start": "2024-01-01"}));
        let mut written = json!({
            "type": "DatetimeBasedCursor",
            "cursor_field": "updated",
            "datetime_format": "%Y-%m-%d",
            "start_datetime": "{{ config.start }}",
            "end_datetime": "2024-01-05",
            "step": "P2D",
            "cursor_granularity": "P1D",
        });
        let written_fields = written.as_object_mut().unwrap();
        written_fields.extend(fields.as_object().unwrap().clone());
        written_fields.retain(|_, value| !value.is_null());
        let sync = world.build::<dyn IncrementalSync>(&written)?;
        sync.cursor(None, state.as_object(), &world.cx())
    }

    fn slices(cursor: &Arc<dyn Cursor>) -> Vec<StreamSlice> {
        let slices = cursor.slices().collect::<Vec<_>>().now_or_never().unwrap();
        slices.into_iter().map(Result::unwrap).collect()
    }

    #[track_caller]
    fn check_slices(fields: &Json, state: &Json, expect: &[(&str, &str)]) {
        let slices = slices(&cursor(fields, state).unwrap());
        let windows = slices.into_iter().map(|slice| Json::Object(slice.cursor_slice));
        let expect =
            expect.iter().map(|(start, end)| json!({"start_time": start, "end_time": end}));
        assert_eq!(windows.collect::<Vec<_>>(), expect.collect::<Vec<_>>());
    }

    /// Reads all windows in the order of `order`; each has the records with these cursor values.
    #[track_caller]
    fn check_state(state: &Json, order: &[usize], values: &[&[Json]], expect: &[Json]) {
        let cursor = cursor(&json!({}), state).unwrap();
        let slices = slices(&cursor);
        let mut states = vec![Json::Object(cursor.state())];
        for &idx in order {
            let records: Vec<_> =
                values[idx].iter().map(|value| json!({"updated": value})).collect();
            cursor.observe(&slices[idx], &records).unwrap();
            states.push(cursor.close_slice(&slices[idx]).unwrap().unwrap().into());
        }
        states.push(cursor.finish().unwrap().unwrap().into());
        assert_eq!(states, expect);
    }

    fn updated(date: &str) -> Json {
        json!({"updated": date})
    }

    #[test]
    fn windows_are_texts() {
        let all = [("2024-01-01", "2024-01-02"), ("2024-01-03", "2024-01-05")];
        check_slices(&json!({}), &json!({}), &all);
        check_slices(&json!({}), &updated("2024-01-03"), &all[1..]);
        check_slices(
            &json!({"lookback_window": "P2D"}),
            &updated("2024-01-04"),
            &[("2024-01-02", "2024-01-03"), ("2024-01-04", "2024-01-05")],
        );
        check_slices(&json!({}), &updated("2024-01-06"), &[]);
        check_slices(
            &json!({"datetime_format": "%s", "start_datetime": "0", "end_datetime": "86400"}),
            &json!({}),
            &[("0", "86400")],
        );
        check_slices(
            &json!({"end_datetime": null, "step": "P100D"}),
            &json!({}),
            &[("2024-01-01", "2024-04-09"), ("2024-04-10", "2024-05-06")],
        );
        check_slices(
            &json!({"clamping": {"target": "WEEK", "target_details": {"weekday": "MONDAY"}}, "end_datetime": "2024-01-18", "step": "P1W"}),
            &json!({}),
            &[("2024-01-01", "2024-01-07"), ("2024-01-08", "2024-01-14")],
        );
    }

    #[test]
    fn a_state_can_list_what_was_read() {
        let state = json!({
            "state_type": "date-range",
            "slices": [
                {"start": "2024-01-01", "end": "2024-01-01"},
                {"start": "2024-01-03", "end": "2024-01-04", "most_recent_cursor_value": "2024-01-03"},
            ],
        });
        check_slices(
            &json!({}),
            &state,
            &[("2024-01-02", "2024-01-02"), ("2024-01-04", "2024-01-05")],
        );
        assert_eq!(
            Json::Object(cursor(&json!({}), &state).unwrap().state()),
            updated("2024-01-01")
        );
    }

    #[test]
    fn the_state_is_the_greatest_value_without_a_gap() {
        let values: [&[Json]; 2] =
            [&[json!("2024-01-02"), json!("2024-01-01")], &[json!("2024-01-07"), json!(null)]];
        let (first, second) = (updated("2024-01-02"), updated("2024-01-07"));
        let start = updated("2024-01-01");
        let in_order = [start.clone(), first, second.clone(), second.clone()];
        check_state(&json!({}), &[0, 1], &values, &in_order);
        let in_reverse = [start.clone(), start.clone(), second.clone(), second];
        check_state(&json!({}), &[1, 0], &values, &in_reverse);
    }

    /// Closes the slices of `order`, each with a record; gives the states that are printed.
    fn states_of(fields: &Json, state: &Json, order: &[(usize, &str)]) -> Vec<Json> {
        let cursor = cursor(fields, state).unwrap();
        let slices = slices(&cursor);
        let closed = order.iter().map(|(idx, date)| {
            cursor.observe(&slices[*idx], &[updated(date)]).unwrap();
            cursor.close_slice(&slices[*idx]).unwrap().unwrap()
        });
        let mut states: Vec<_> = closed.collect();
        states.push(cursor.finish().unwrap().unwrap());
        states.into_iter().map(|state| state["updated"].clone()).collect()
    }

    #[test]
    fn records_after_their_window_do_not_promise_the_next_one() {
        let states = |order| states_of(&json!({}), &json!({}), order);
        assert_eq!(
            states(&[(0, "2024-01-04"), (1, "2024-01-03")]),
            ["2024-01-03", "2024-01-04", "2024-01-04"]
        );
        assert_eq!(states(&[(0, "2024-01-04")]), ["2024-01-03", "2024-01-03"]);
    }

    #[test]
    fn what_is_read_again_is_not_promised_before() {
        let fields = json!({"step": "P1D", "lookback_window": "P2D"});
        let order = [(2, "2024-01-05"), (1, "2024-01-03"), (0, "2024-01-02")];
        assert_eq!(
            states_of(&fields, &updated("2024-01-04"), &order),
            ["2024-01-04", "2024-01-04", "2024-01-05", "2024-01-05"]
        );
    }

    #[test]
    fn without_records_the_state_stays() {
        let start = updated("2024-01-01");
        check_state(&json!({}), &[0, 1], &[&[], &[]], &vec![start; 4]);
        let known = json!({"other": 1, "updated": "2024-01-03"});
        check_state(&known, &[0], &[&[json!("x")]], &vec![known.clone(); 3]);
    }

    #[test]
    fn values_have_further_formats() {
        let fields = json!({"cursor_datetime_formats": ["%s", "%Y-%m-%dT%H:%M:%SZ"]});
        let cursor = cursor(&fields, &json!({"updated": 1_704_240_000})).unwrap();
        assert_eq!(Json::Object(cursor.state()), updated("2024-01-03"));
        let slice = slices(&cursor).remove(0);
        cursor.observe(&slice, &[updated("2024-01-04T05:06:07Z")]).unwrap();
        let state = cursor.close_slice(&slice).unwrap().unwrap();
        assert_eq!(Json::Object(state), updated("2024-01-04"));
    }

    #[track_caller]
    fn check_refused(fields: &Json, state: &Json, expect: &str) {
        let err = cursor(fields, state).err().unwrap();
        assert_eq!(err.message, expect);
    }

    #[test]
    fn refusals() {
        let known = |value: Json| json!({"updated": value});
        check_refused(&json!({}), &known(json!("xx")), "No format in ['%Y-%m-%d'] matching xx");
        check_refused(&json!({}), &known(json!(null)), "No format in ['%Y-%m-%d'] matching None");
        check_refused(
            &json!({"cursor_granularity": null}),
            &json!({}),
            "If step is defined, cursor_granularity should be as well and vice-versa. Right now, \
             step is `P2D` and cursor_granularity is `None`",
        );
        check_refused(
            &json!({"clamping": {"target": "WEEK"}}),
            &json!({}),
            "Given WEEK clamping, weekday needs to be provided as target_details",
        );
        check_refused(&json!({"step": "1D"}), &json!({}), "Unable to parse duration string '1D'");
    }

    #[test]
    fn lists_of_what_was_read_that_are_none_are_refused() {
        let none = "Expected at least one slice in the state but there were none.";
        let state = |fields: Json| {
            let mut state = json!({"state_type": "date-range"});
            state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            state
        };
        check_refused(&json!({}), &state(json!({})), none);
        check_refused(&json!({}), &state(json!({"slices": []})), none);
        let of_wrong_type = |name: &str, expected| BuildError::of_state(name, expected).message;
        check_refused(
            &json!({}),
            &state(json!({"slices": null})),
            &of_wrong_type("slices", "list"),
        );
        let slices = [json!({"start": "2024-01-01", "end": "2024-01-02"})];
        check_refused(
            &json!({}),
            &state(json!({"slices": slices, "legacy": "x"})),
            &of_wrong_type("legacy", "object"),
        );
    }

    #[test]
    fn start_and_end_go_into_requests() {
        let option = |name: &str| json!({"type": "RequestOption", "inject_into": "request_parameter", "field_name": name});
        let fields = json!({"start_time_option": option("from"), "end_time_option": option("to")});
        let cursor = cursor(&fields, &json!({})).unwrap();
        let parts = cursor.request_parts(&slices(&cursor)[0]).unwrap();
        assert_eq!(Json::Object(parts.params), json!({"from": "2024-01-01", "to": "2024-01-02"}));
    }

    #[track_caller]
    fn check_wanted(fields: &Json, state: &Json, wanted: &[&str], unwanted: &[&str]) {
        let cursor = cursor(fields, state).unwrap();
        let is_wanted =
            |date: &&str| cursor.should_be_synced(&StreamSlice::default(), &updated(date)).unwrap();
        assert!(wanted.iter().all(is_wanted));
        assert!(!unwanted.iter().any(is_wanted));
    }

    #[test]
    fn records_outside_are_not_wanted() {
        let state = updated("2024-01-03");
        check_wanted(
            &json!({}),
            &state,
            &["2024-01-03", "2024-01-05", "x"],
            &["2024-01-02", "2024-01-06"],
        );
        let lookback = json!({"lookback_window": "P1D"});
        check_wanted(&lookback, &state, &["2024-01-02"], &["2024-01-01"]);
        check_wanted(&json!({"lookback_window": "P9D"}), &state, &["2024-01-01"], &["2023-12-31"]);
    }

    #[test]
    fn windows_are_halved_along_granularities() {
        let cursor = cursor(&json!({"step": "P9D"}), &json!({})).unwrap();
        let slice = slices(&cursor).remove(0);
        let halves = cursor.split_window(&slice, None).unwrap().unwrap();
        let windows: Vec<_> = halves.iter().map(|half| json!(half.cursor_slice)).collect();
        assert_eq!(
            windows,
            [
                json!({"start_time": "2024-01-01", "end_time": "2024-01-02"}),
                json!({"start_time": "2024-01-03", "end_time": "2024-01-05"}),
            ]
        );
        let day = slices(&self::cursor(&json!({}), &updated("2024-01-05")).unwrap()).remove(0);
        assert_eq!(cursor.split_window(&day, None).unwrap(), None);
        let min = TimeDelta::from_days(4.0).unwrap();
        assert_eq!(cursor.split_window(&slice, Some(min)).unwrap(), None);
    }

    #[test]
    fn a_window_goes_on_from_its_last_record() {
        let cursor = cursor(&json!({}), &json!({})).unwrap();
        let slice = slices(&cursor).remove(0);
        let mut progress = Cursor::progress(&*cursor).unwrap();
        assert_eq!(progress.rest_of(&slice).unwrap(), slice);
        progress.observe(&slice, &updated("2024-01-02")).unwrap();
        let rest = progress.rest_of(&slice).unwrap().cursor_slice;
        assert_eq!(json!(rest), json!({"start_time": "2024-01-02", "end_time": "2024-01-02"}));
    }
}
