//! `IncrementingCountCursor`: what is new has a greater number than all before.
//!
//! There is one slice, from the greatest number seen on; the state is that
//! number. Numbers are compared as they are: a text is no number.

use std::cmp::Ordering;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Number;

use crate::components::outlook::{Next, Outlook, unread_keys};
use crate::components::shape::{IntOrTemplate, Text, shape};
use crate::components::{
    BuildContext, BuildError, Component, Cursor, IncrementalSync, Observed, PartitionRouter,
    ReadError, RequestOption, RequestParts, SliceProgress, Surroundings, request_option,
};
use crate::template::InterpolatedString;
use crate::value::{Json, Map, StreamSlice, is_truthy, python_int, python_str, python_type_name};

use super::settings::catalog_field;
use super::{Listed, warn_of_missing};

/// The YAML shape.
pub mod yaml {
    use super::request_option::yaml::RequestOption;
    use super::{IntOrTemplate, Text, shape};

    shape! {
        /// What is new has a greater number than all before.
        pub struct IncrementingCountCursor {
            /// The field of a record, at its top level, that holds the number.
            cursor_field: Text,
            /// Where the number to start at goes in requests.
            start_value_option: Option<RequestOption>,
            /// The number to start at first; 0, when unset.
            start_value: Option<IntOrTemplate>,
            /// Whether the user may choose another cursor field.
            allow_catalog_defined_cursor_field: bool = false,
        }
    }
}

impl Component for yaml::IncrementingCountCursor {
    type Family = dyn IncrementalSync;

    fn build(self, _: &BuildContext<'_>) -> Result<Arc<dyn IncrementalSync>, BuildError> {
        Ok(Arc::new(self))
    }
}

impl IncrementalSync for yaml::IncrementingCountCursor {
    fn cursor(
        &self,
        router: Option<Arc<dyn PartitionRouter>>,
        state: Option<&Map>,
        cx: &BuildContext<'_>,
    ) -> Result<Arc<dyn Cursor>, BuildError> {
        if router.is_some() {
            return Err(BuildError::in_span(
                self.span,
                format!(
                    "The low-code framework does not currently support usage of a PartitionRouter \
                     and an IncrementingCountCursor at the same time. Please specify only one of \
                     these options for stream {}.",
                    cx.stream.name
                ),
            ));
        }
        let option = self.start_value_option.as_ref();
        let field = match catalog_field(self.allow_catalog_defined_cursor_field, cx)? {
            Some(field) => field,
            None => InterpolatedString::new(&self.cursor_field, self.parameters.clone())
                .eval_string(&cx.scope(&cx.config.snapshot()))?,
        };
        let configured = self.start_value(cx)?;
        let mut legacy = state.cloned().unwrap_or_default();
        let reached = if let Some(listed) = Listed::of(&legacy)? {
            let first = &listed.slices[0];
            let reached = first.get("most_recent_cursor_value").or_else(|| first.get("end"));
            let reached = reached.cloned();
            legacy = listed.legacy;
            reached
        } else {
            legacy.get(&field).cloned()
        };
        let start = match reached.filter(is_truthy) {
            None => configured.clone(),
            Some(reached) => {
                let reached = number(&reached).ok_or_else(|| unlike_types(&reached, ">="))?;
                if is_less(&reached, &configured) { configured.clone() } else { reached }
            }
        };
        Ok(Arc::new(IncrementingCountCursor {
            stream: cx.stream.name.clone(),
            field,
            allows_catalog_field: self.allow_catalog_defined_cursor_field,
            option: option.map(|it| RequestOption::build(it, &self.parameters)).transpose()?,
            surroundings: cx.surroundings(),
            progress: Mutex::new(Progress { greatest: start.clone(), observed: None, legacy }),
            is_first_run: start == configured,
            start,
            has_warned: AtomicBool::new(false),
        }))
    }
}

impl yaml::IncrementingCountCursor {
    fn start_value(&self, cx: &BuildContext<'_>) -> Result<Number, BuildError> {
        let value = match &self.start_value {
            None => return Ok(0.into()),
            Some(IntOrTemplate::Int(value)) => return Ok((*value).into()),
            Some(IntOrTemplate::Template(text)) => {
                let config = cx.config.snapshot();
                InterpolatedString::new(text, self.parameters.clone())
                    .eval_json(&cx.scope(&config))?
            }
        };
        python_int(&value).map(Number::from).ok_or_else(|| {
            let value = python_str(&value);
            BuildError::in_span(
                self.span,
                format!("invalid literal for int() with base 10: '{value}'"),
            )
        })
    }
}

/// See the module documentation.
struct IncrementingCountCursor {
    stream: String,
    field: String,
    allows_catalog_field: bool,
    option: Option<RequestOption>,
    surroundings: Surroundings,
    start: Number,
    /// Whether it starts at the number that is configured.
    is_first_run: bool,
    progress: Mutex<Progress>,
    has_warned: AtomicBool,
}

struct Progress {
    /// The greatest number of all slices that were closed.
    greatest: Number,
    /// The greatest number of the slice that is open.
    observed: Option<Number>,
    /// The state as it came in, whose other keys are kept.
    legacy: Map,
}

impl IncrementingCountCursor {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic while the lock is held cannot leave half a change behind.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a record; `None`, and a warning, when it has none.
    fn number_of(&self, record: &Json) -> Result<Option<Number>, ReadError> {
        if let Some(value) = record.get(&self.field).filter(|value| !value.is_null()) {
            return match number(value) {
                Some(number) => Ok(Some(number)),
                None => Err(unlike_types(value, "<").into()),
            };
        }
        warn_of_missing(&self.has_warned, &self.field, &self.stream);
        Ok(None)
    }
}

impl Cursor for IncrementingCountCursor {
    fn slices(&self) -> BoxStream<'_, Result<StreamSlice, ReadError>> {
        // JSON knows no infinity; templates print the text as Python prints the number.
        let window = Map::from_iter([
            ("start".to_owned(), Json::Number(self.start.clone())),
            ("end".to_owned(), Json::from("inf")),
        ]);
        let slice = StreamSlice { cursor_slice: window, ..StreamSlice::default() };
        stream::once(async { Ok(slice) }).boxed()
    }

    fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        if let Some(option) = &self.option {
            let value = slice.cursor_slice.get("start").cloned().unwrap_or_default();
            self.surroundings.eval(|scope| option.inject(&mut parts, value, &scope))?;
        }
        Ok(parts)
    }

    fn observe(&self, _: &StreamSlice, records: &[Json]) -> Result<(), ReadError> {
        for record in records {
            if let Some(number) = self.number_of(record)? {
                let mut progress = self.lock();
                if progress.observed.as_ref().is_none_or(|known| is_less(known, &number)) {
                    progress.observed = Some(number);
                }
            }
        }
        Ok(())
    }

    fn observed(&self) -> Observed<'_> {
        Observed::Field(&self.field)
    }

    fn should_be_synced(&self, _: &StreamSlice, record: &Json) -> Result<bool, ReadError> {
        Ok(self.number_of(record)?.is_none_or(|number| !is_less(&number, &self.start)))
    }

    fn progress(&self) -> Option<Box<dyn SliceProgress>> {
        Some(Box::new(CountProgress { field: self.field.clone(), greatest: None }))
    }

    fn close_slice(&self, _: &StreamSlice) -> Result<Option<Map>, ReadError> {
        let mut progress = self.lock();
        let observed = progress.observed.take().filter(|number| number.as_f64() != Some(0.0));
        let Some(observed) = observed else { return Ok(None) };
        // Zero counts as no number. Where the first run only saw numbers below the
        // one to start at, the reference goes on from those.
        if is_less(&progress.greatest, &observed)
            || progress.greatest.as_f64() == Some(0.0)
            || (self.is_first_run && is_far_below(&observed, &self.start))
        {
            progress.greatest = observed;
        }
        drop(progress);
        Ok(Some(self.state()))
    }

    fn finish(&self) -> Result<Option<Map>, ReadError> {
        Ok(Some(self.state()))
    }

    fn state(&self) -> Map {
        let progress = self.lock();
        let mut state = progress.legacy.clone();
        state.insert(self.field.clone(), Json::Number(progress.greatest.clone()));
        state
    }

    fn outlook(&self, state: &Map) -> Result<Outlook, ReadError> {
        let next = Next::Numbers { cursor_field: self.field.clone(), from: self.start.clone() };
        Ok(Outlook { next, ignored: unread_keys(state, &self.field) })
    }

    fn cursor_field(&self) -> Option<&str> {
        Some(&self.field)
    }

    fn allows_catalog_cursor_field(&self) -> bool {
        self.allows_catalog_field
    }
}

/// How far the slice was read.
struct CountProgress {
    field: String,
    greatest: Option<Number>,
}

impl SliceProgress for CountProgress {
    fn observe(&mut self, _: &StreamSlice, record: &Json) -> Result<(), ReadError> {
        let value = record.get(&self.field).filter(|value| !value.is_null());
        let Some(value) = value else { return Ok(()) };
        let number = number(value).ok_or_else(|| unlike_types(value, "<"))?;
        if self.greatest.as_ref().is_none_or(|known| is_less(known, &number)) {
            self.greatest = Some(number);
        }
        Ok(())
    }

    fn rest_of(&self, original: &StreamSlice) -> Result<StreamSlice, ReadError> {
        let mut rest = original.clone();
        if let Some(greatest) = &self.greatest {
            rest.cursor_slice.insert("start".to_owned(), Json::Number(greatest.clone()));
        }
        Ok(rest)
    }
}

/// A value as a number, which true and false are as well.
fn number(value: &Json) -> Option<Number> {
    match value {
        Json::Number(number) => Some(number.clone()),
        Json::Bool(flag) => Some(i64::from(*flag).into()),
        _ => None,
    }
}

fn is_less(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left < right,
        _ => left.as_f64().partial_cmp(&right.as_f64()) == Some(Ordering::Less),
    }
}

/// Whether a number is below the one before another.
fn is_far_below(left: &Number, right: &Number) -> bool {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => left + 1 < right,
        _ => left.as_f64().zip(right.as_f64()).is_some_and(|(left, right)| left + 1.0 < right),
    }
}

fn unlike_types(value: &Json, operator: &str) -> BuildError {
    let type_name = python_type_name(value);
    let message =
        format!("'{operator}' not supported between instances of '{type_name}' and 'int'");
    BuildError::new(message).class("TypeError")
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use serde_json::json;

    use super::*;
    use crate::components::testing::World;

    fn cursor(start: &Json, state: &Json) -> Result<Arc<dyn Cursor>, BuildError> {
        let world = World::new(&json!({"start": 7}));
        let written = json!({
            "type": "IncrementingCountCursor",
            "cursor_field": "id",
            "start_value": start,
            "start_value_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"},
        });
        let sync = world.build::<dyn IncrementalSync>(&written)?;
        sync.cursor(None, state.as_object(), &world.cx())
    }

    /// The request of a run from `state`, and the state after it read `numbers`.
    #[track_caller]
    fn check(start: &Json, state: &Json, numbers: &[Json], since: &Json, expect: &Json) {
        let cursor = cursor(start, state).unwrap();
        let slices = cursor.slices().collect::<Vec<_>>().now_or_never().unwrap();
        let [Ok(slice)] = slices.as_slice() else { panic!("there is one slice") };
        assert_eq!(&cursor.request_parts(slice).unwrap().params["since"], since);
        let records: Vec<_> = numbers.iter().map(|number| json!({"id": number})).collect();
        cursor.observe(slice, &records).unwrap();
        cursor.close_slice(slice).unwrap();
        assert_eq!(&Json::Object(cursor.finish().unwrap().unwrap()), expect);
    }

    #[test]
    fn goes_on_from_the_greatest_number() {
        check(&json!(0), &json!({}), &[json!(3), json!(5), json!(4)], &json!(0), &json!({"id": 5}));
        check(&json!(0), &json!({"id": 5}), &[json!(6)], &json!(5), &json!({"id": 6}));
        check(&json!(0), &json!({"id": 5}), &[json!(3)], &json!(5), &json!({"id": 5}));
        check(&json!(9), &json!({}), &[json!(3)], &json!(9), &json!({"id": 3}));
        check(&json!(0), &json!({"id": 5}), &[], &json!(5), &json!({"id": 5}));
        check(&json!(9), &json!({"id": 5}), &[], &json!(9), &json!({"id": 9}));
        check(&json!("{{ config.start }}"), &json!({}), &[], &json!(7), &json!({"id": 7}));
        check(
            &json!(0),
            &json!({"id": 5, "x": 1}),
            &[json!(6.5)],
            &json!(5),
            &json!({"id": 6.5, "x": 1}),
        );
        check(&json!(0), &json!({"id": null}), &[json!(null)], &json!(0), &json!({"id": 0}));
    }

    #[test]
    fn texts_are_no_numbers() {
        let err = cursor(&json!(0), &json!({"id": "5"})).err().unwrap();
        assert_eq!(err.message, "'>=' not supported between instances of 'str' and 'int'");
        let cursor = cursor(&json!(0), &json!({})).unwrap();
        let err = cursor.observe(&StreamSlice::default(), &[json!({"id": "5"})]).unwrap_err();
        assert_eq!(err.to_string(), "'<' not supported between instances of 'str' and 'int'");
    }

    #[test]
    fn a_slice_without_numbers_gives_no_state() {
        let cursor = cursor(&json!(0), &json!({})).unwrap();
        assert_eq!(cursor.close_slice(&StreamSlice::default()).unwrap(), None);
    }
}
