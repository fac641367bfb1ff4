//! What the cursors of all partitions of a stream have in common.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::components::shape::Text;
use crate::components::{
    BuildContext, BuildError, Parameters, ReadError, RequestOption, RequestParts, Surroundings,
};
use crate::protocol::TracedError;
use crate::template::InterpolatedString;
use crate::template::time::{DateTime, Span, TimeDelta, TimeError};
use crate::value::{Json, Map, StreamSlice, is_truthy, python_repr};

use super::clamping::Clamping;
use super::datetime_based::yaml;
use super::formats::Formats;
use super::min_max_datetime::MinMaxDatetime;
use super::warn_of_missing;
use super::windows::{Cutting, Window};

/// A `DatetimeBasedCursor`, evaluated.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) stream: String,
    /// The field of a record that holds its cursor value.
    pub(super) field: String,
    pub(super) allows_catalog_field: bool,
    pub(super) formats: Formats,
    pub(super) cutting: Arc<Cutting>,
    /// The keys of a window's start and end in a slice.
    start_key: String,
    end_key: String,
    start_option: Option<RequestOption>,
    end_option: Option<RequestOption>,
    /// The end; now without one.
    end: Option<MinMaxDatetime>,
    surroundings: Surroundings,
    has_warned: AtomicBool,
}

impl Settings {
    /// Evaluates what is written.
    pub(super) fn build(
        shape: &yaml::DatetimeBasedCursor,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let config = cx.config.snapshot();
        let scope = cx.scope(&config);
        let eval = |text: &str| {
            InterpolatedString::new(text, shape.parameters.clone()).eval_string(&scope)
        };
        let key = |text: Option<&Text>, default: &str| match text {
            Some(text) if !text.is_empty() => eval(text),
            _ => Ok(default.to_owned()),
        };
        let span = |text: Option<&Text>| evaluated_span(text, &shape.parameters, cx);
        let granularity = shape.cursor_granularity.as_ref().filter(|text| !text.is_empty());
        let step = shape.step.as_ref().filter(|text| !text.is_empty());
        if step.is_some() != granularity.is_some() {
            let shown =
                |text: &Option<Text>| text.as_ref().map_or("None", |it| &it.source).to_owned();
            return Err(BuildError::in_span(
                shape.span,
                format!(
                    "If step is defined, cursor_granularity should be as well and vice-versa. \
                     Right now, step is `{}` and cursor_granularity is `{}`",
                    shown(&shape.step),
                    shown(&shape.cursor_granularity)
                ),
            ));
        }
        let moment =
            |written| MinMaxDatetime::build(written, &shape.parameters, &shape.datetime_format, cx);
        let clamping = shape.clamping.as_ref();
        let cutting = Cutting {
            start: moment(&shape.start_datetime)?.eval(&scope)?,
            step: span(step)?,
            granularity: match granularity {
                // A length of nothing counts as none.
                Some(text) => Some(Span::parse(text)?).filter(|span| !span.is_zero()),
                None => None,
            },
            lookback: span(shape.lookback_window.as_ref())?.filter(|span| !span.is_zero()),
            clamping: clamping
                .map(|written| Clamping::build(written, &shape.parameters, cx))
                .transpose()?,
            is_compare_strictly: shape.is_compare_strictly,
        };
        let option = |shape_option| -> Result<_, BuildError> {
            Option::map(shape_option, |it| RequestOption::build(it, &shape.parameters)).transpose()
        };
        Ok(Self {
            stream: cx.stream.name.clone(),
            field: match catalog_field(shape.allow_catalog_defined_cursor_field, cx)? {
                Some(field) => field,
                None => eval(&shape.cursor_field)?,
            },
            allows_catalog_field: shape.allow_catalog_defined_cursor_field,
            formats: Formats::new(&shape.datetime_format, &shape.cursor_datetime_formats),
            start_key: key(shape.partition_field_start.as_ref(), "start_time")?,
            end_key: key(shape.partition_field_end.as_ref(), "end_time")?,
            start_option: option(shape.start_time_option.as_ref())?,
            end_option: option(shape.end_time_option.as_ref())?,
            end: shape.end_datetime.as_ref().map(moment).transpose()?,
            cutting: Arc::new(cutting),
            surroundings: cx.surroundings(),
            has_warned: AtomicBool::new(false),
        })
    }

    /// The last moment that is read.
    pub(super) fn end(&self) -> Result<DateTime, ReadError> {
        let end = match &self.end {
            Some(end) => self.surroundings.eval(|scope| end.eval(&scope))?,
            None => self.now(),
        };
        let Some(clamping) = self.cutting.clamping else { return Ok(end) };
        let granularity =
            self.cutting.granularity.unwrap_or(Span::Exact(clamping.default_granularity()));
        Ok(clamping.floor(end)?.minus_span(granularity)?)
    }

    /// The present moment.
    pub(super) fn now(&self) -> DateTime {
        DateTime::from_timestamp(self.surroundings.run().now())
    }

    /// The moment right after `moment`.
    pub(super) fn next(&self, moment: DateTime) -> Result<DateTime, TimeError> {
        match self.cutting.granularity {
            Some(granularity) => moment.plus_span(granularity),
            None => moment.plus(TimeDelta::from_millis(1)?),
        }
    }

    /// A window as it stands in a slice.
    pub(super) fn cursor_slice(&self, (start, end): Window) -> Map {
        Map::from_iter([
            (self.start_key.clone(), Json::from(self.formats.format(start))),
            (self.end_key.clone(), Json::from(self.formats.format(end))),
        ])
    }

    /// The window that a slice stands for.
    pub(super) fn window(&self, slice: &StreamSlice) -> Result<Window, ReadError> {
        let bound = |key: &str| {
            let value = slice.get(key).ok_or_else(|| {
                let message =
                    format!("'Partition is expected to have key `{key}` but could not be found'");
                ReadError::unexpected("KeyError", message)
            })?;
            self.formats.parse(value).map_err(ReadError::from)
        };
        Ok((bound(&self.start_key)?, bound(&self.end_key)?))
    }

    /// The texts that tell the windows of a partition apart.
    pub(super) fn window_key(&self, slice: &StreamSlice) -> String {
        let bound = |key: &str| slice.get(key).and_then(Json::as_str).unwrap_or_default();
        format!("{}\n{}", bound(&self.start_key), bound(&self.end_key))
    }

    /// The slice with another start.
    pub(super) fn with_start(&self, slice: &StreamSlice, start: DateTime) -> StreamSlice {
        let end = slice.cursor_slice.get(&self.end_key).cloned().unwrap_or_default();
        let cursor_slice = Map::from_iter([
            (self.start_key.clone(), Json::from(self.formats.format(start))),
            (self.end_key.clone(), end),
        ]);
        StreamSlice { cursor_slice, ..slice.clone() }
    }

    /// What the window of a slice adds to a request.
    pub(super) fn request_parts(&self, slice: &StreamSlice) -> Result<RequestParts, ReadError> {
        let mut parts = RequestParts::default();
        let options = [(&self.start_option, &self.start_key), (&self.end_option, &self.end_key)];
        for (option, key) in options {
            if let Some(option) = option {
                let value = slice.cursor_slice.get(key).cloned().unwrap_or_default();
                self.surroundings.eval(|scope| option.inject(&mut parts, value, &scope))?;
            }
        }
        Ok(parts)
    }

    /// The cursor value of a record, if the record has one.
    pub(super) fn value_of(&self, record: &Json) -> Option<Result<DateTime, TimeError>> {
        let value = record.get(&self.field).filter(|value| !value.is_null())?;
        Some(self.formats.parse(value))
    }

    /// The cursor value of a record; `None`, and a warning, when it has none that can be read.
    pub(super) fn cursor_value(&self, record: &Json) -> Result<Option<DateTime>, ReadError> {
        match self.value_of(record) {
            Some(Ok(value)) => return Ok(Some(value)),
            Some(Err(err)) if !err.is_value_error() => return Err(err.into()),
            Some(Err(_)) | None => {}
        }
        warn_of_missing(&self.has_warned, &self.field, &self.stream);
        Ok(None)
    }

    /// The two halves of a slice's window, along whole granularities; `None`
    /// when it has none, or they would be smaller than it can be asked for.
    pub(super) fn split_window(
        &self,
        slice: &StreamSlice,
        min_window: Option<TimeDelta>,
    ) -> Result<Option<Vec<StreamSlice>>, ReadError> {
        let Some(granularity) = self.cutting.granularity else { return Ok(None) };
        let (start, end) = self.window(slice).map_err(|err| self.bad_window(&err))?;
        let length = end.since(start)?;
        if length <= TimeDelta::ZERO || min_window.is_some_and(|min| length <= min) {
            return Ok(None);
        }
        let Span::Exact(granularity) = granularity else {
            let message = "unsupported operand type(s) for //: 'datetime.timedelta' and 'Duration'";
            return Err(ReadError::unexpected("TypeError", message));
        };
        let n_units = length.div_mod(granularity)?.0 + 1;
        if n_units <= 1 {
            return Ok(None);
        }
        let second_start = start.plus(granularity.times(n_units / 2)?)?;
        let first_end = second_start.minus(granularity)?;
        let in_order = [start, first_end, second_start, end].map(DateTime::utc_micros);
        if !in_order.is_sorted() || in_order[1] == in_order[2] {
            return Ok(None);
        }
        let half =
            |window| StreamSlice { cursor_slice: self.cursor_slice(window), ..slice.clone() };
        Ok(Some(vec![half((start, first_end)), half((second_start, end))]))
    }

    fn bad_window(&self, err: &ReadError) -> ReadError {
        let (start, end) = (&self.start_key, &self.end_key);
        let message = format!(
            "Stream {} produced a request window with a missing or invalid '{start}'/'{end}' \
             boundary and could not split it further.",
            self.stream
        );
        let internal =
            format!("boundary field '{start}' or '{end}' is missing or not parseable: {err}");
        ReadError::traced(TracedError::system(message).with_internal(internal))
    }
}

/// The cursor field that the configured catalog names, where it may.
pub(super) fn catalog_field(
    is_allowed: bool,
    cx: &BuildContext<'_>,
) -> Result<Option<String>, BuildError> {
    let configured = cx.configured().filter(|_| is_allowed);
    let path = configured.and_then(|stream| stream.cursor_field.as_deref()).unwrap_or_default();
    match path {
        [] => Ok(None),
        [field, ..] if field.is_empty() => Ok(None),
        [field] => Ok(Some(field.clone())),
        _ => Err(BuildError::new(format!(
            "The `{}` stream does not support nested cursor_field. Please specify only a single \
             cursor_field for the stream in the configured catalog.",
            cx.stream.name
        ))),
    }
}

/// A length of time that may be a template; one that comes out empty is none.
fn evaluated_span(
    text: Option<&Text>,
    parameters: &Parameters,
    cx: &BuildContext<'_>,
) -> Result<Option<Span>, BuildError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let config = cx.config.snapshot();
    match InterpolatedString::new(text, parameters.clone()).eval_json(&cx.scope(&config))? {
        Json::String(text) if !text.is_empty() => Ok(Some(Span::parse(&text)?)),
        value if !is_truthy(&value) => Ok(None),
        value => {
            let message = format!("Expecting a string {}", python_repr(&value));
            Err(BuildError::in_span(text.span, message).class("TypeError"))
        }
    }
}

/// Settings for the tests of this folder.
#[cfg(test)]
pub(super) mod testing {
    use serde_json::json;

    use super::Settings;
    use crate::components::testing::World;

    /// Those of a cursor on `updated`, by day, from 2024 on.
    pub(in super::super) fn settings() -> Settings {
        let world = World::new(&json!({}));
        let shape = world.read(&json!({
            "type": "DatetimeBasedCursor",
            "cursor_field": "updated",
            "datetime_format": "%Y-%m-%d",
            "start_datetime": "2024-01-01",
        }));
        Settings::build(&shape, &world.cx()).unwrap()
    }
}
