//! The functions that every template can call.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexmap::IndexMap;

use super::args::Args;
use super::cx::Cx;
use super::error::EvalError;
use super::iterate::Iter;
use super::object::{Cycler, Joiner, Object};
use super::ops::{self, Order};
use super::time::{self, Date, DateTime, DatetimeFormat, Span, Strptime, TimeDelta, Zone};
use super::value::Value;
use super::{filters, json_loads, lipsum, methods, numeric};

/// A global function; see [`Function::named`] for their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `camel_case_to_snake_case(text)`.
    CamelCaseToSnakeCase,
    /// `cycler(*items)`.
    Cycler,
    /// `day_delta(num_days, format)`.
    DayDelta,
    /// `dict(**items)`.
    Dict,
    /// `duration(text)`.
    Duration,
    /// `format_datetime(dt, format, input_format)`.
    FormatDatetime,
    /// `generate_uuid()`.
    GenerateUuid,
    /// `joiner(sep)`.
    Joiner,
    /// `json_loads(text)`; only given to JWT authenticators.
    JsonLoads,
    /// `lipsum(n, html, min, max)`.
    Lipsum,
    /// `max(*args)`.
    Max,
    /// `min(*args)`.
    Min,
    /// `namespace(**attributes)`.
    Namespace,
    /// `now_utc()`.
    NowUtc,
    /// `sanitize_url(text)`.
    SanitizeUrl,
    /// `str_to_datetime(text)`.
    StrToDatetime,
    /// `timestamp(dt)`.
    Timestamp,
    /// `today_utc()`.
    TodayUtc,
    /// `today_with_timezone(timezone)`.
    TodayWithTimezone,
}

impl Function {
    const GLOBALS: [Self; 18] = [
        Self::CamelCaseToSnakeCase,
        Self::Cycler,
        Self::DayDelta,
        Self::Dict,
        Self::Duration,
        Self::FormatDatetime,
        Self::GenerateUuid,
        Self::Joiner,
        Self::Lipsum,
        Self::Max,
        Self::Min,
        Self::Namespace,
        Self::NowUtc,
        Self::SanitizeUrl,
        Self::StrToDatetime,
        Self::Timestamp,
        Self::TodayUtc,
        Self::TodayWithTimezone,
    ];

    /// The function that every template knows by this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::GLOBALS.into_iter().find(|function| function.name() == name)
    }

    /// The name by which templates call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CamelCaseToSnakeCase => "camel_case_to_snake_case",
            Self::Cycler => "cycler",
            Self::DayDelta => "day_delta",
            Self::Dict => "dict",
            Self::Duration => "duration",
            Self::FormatDatetime => "format_datetime",
            Self::GenerateUuid => "generate_uuid",
            Self::Joiner => "joiner",
            Self::JsonLoads => "json_loads",
            Self::Lipsum => "lipsum",
            Self::Max => "max",
            Self::Min => "min",
            Self::Namespace => "namespace",
            Self::NowUtc => "now_utc",
            Self::SanitizeUrl => "sanitize_url",
            Self::StrToDatetime => "str_to_datetime",
            Self::Timestamp => "timestamp",
            Self::TodayUtc => "today_utc",
            Self::TodayWithTimezone => "today_with_timezone",
        }
    }

    /// Whether it is a class, which prints and types differently.
    fn is_class(self) -> bool {
        matches!(self, Self::Cycler | Self::Dict | Self::Joiner | Self::Namespace)
    }

    /// The name of its Python type.
    pub fn type_name(self) -> &'static str {
        if self.is_class() { "type" } else { "function" }
    }

    /// What `repr()` shows.
    pub(crate) fn repr(self) -> String {
        match self {
            Self::Cycler => "<class 'jinja2.utils.Cycler'>".to_owned(),
            Self::Dict => "<class 'dict'>".to_owned(),
            Self::Joiner => "<class 'jinja2.utils.Joiner'>".to_owned(),
            Self::Namespace => "<class 'jinja2.utils.Namespace'>".to_owned(),
            Self::Lipsum => "<function generate_lorem_ipsum at 0x7f0000000000>".to_owned(),
            Self::JsonLoads => "<function loads at 0x7f0000000000>".to_owned(),
            function => format!("<function {} at 0x7f0000000000>", function.name()),
        }
    }
}

/// Calls a function.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    function: Function,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let name = function.name();
    match function {
        Function::NowUtc => {
            args.none(name)?;
            Ok(now(cx).into())
        }
        Function::TodayUtc => {
            args.none(name)?;
            Ok(Value::Date(now(cx).date()))
        }
        Function::TodayWithTimezone => {
            let [zone] = args.bind(name, ["timezone"], 1)?;
            let zone = zone.unwrap_or(Value::None);
            Ok(Value::Date(today(cx, text(&zone, "timezone")?)?))
        }
        Function::StrToDatetime => {
            let [text] = args.bind(name, ["s"], 1)?;
            str_to_datetime(&text.unwrap_or(Value::None)).map(Value::from)
        }
        Function::Timestamp => {
            let [dt] = args.bind(name, ["dt"], 1)?;
            match dt.unwrap_or(Value::None) {
                number @ (Value::Bool(_) | Value::Int(_) | Value::BigInt(_) | Value::Float(_)) => {
                    numeric::int(&number)
                }
                text => Ok(Value::Float(str_to_datetime(&text)?.timestamp())),
            }
        }
        Function::DayDelta => {
            let [days, format] = args.bind(name, ["num_days", "format"], 1)?;
            day_delta(cx, &days.unwrap_or(Value::None), format.as_ref())
        }
        Function::Duration => {
            let [span] = args.bind(name, ["datestring"], 1)?;
            let span = span.unwrap_or(Value::None);
            Ok(Value::from_span(Span::parse(text(&span, "datestring")?)?))
        }
        Function::FormatDatetime => {
            let [dt, format, input_format] =
                args.bind(name, ["dt", "format", "input_format"], 2)?;
            let (dt, format) = (dt.unwrap_or(Value::None), format.unwrap_or(Value::None));
            format_datetime(&dt, &format, input_format.as_ref())
        }
        Function::Max => extreme(cx, args, Order::Gt, "max"),
        Function::Min => extreme(cx, args, Order::Lt, "min"),
        Function::SanitizeUrl => {
            let [url] = args.bind(name, ["value"], 1)?;
            let url = url.unwrap_or(Value::None);
            Ok(Value::from(filters::quote_plus(text(&url, "value")?)))
        }
        Function::CamelCaseToSnakeCase => {
            let [value] = args.bind(name, ["value"], 1)?;
            let value = value.unwrap_or(Value::None);
            Ok(Value::from(camel_case_to_snake_case(text(&value, "value")?)))
        }
        Function::GenerateUuid => {
            args.none(name)?;
            Ok(Value::from(cx.run().uuid().to_string()))
        }
        Function::JsonLoads => {
            let [document] = args.bind(name, ["s"], 1)?;
            let document = document.unwrap_or(Value::None);
            json_loads::loads(text(&document, "the JSON object")?)
        }
        Function::Dict => methods::dict_of(cx, name, args).map(Value::dict),
        Function::Namespace => namespace(cx, args),
        Function::Cycler if args.positional.is_empty() => {
            Err(EvalError::Runtime("at least one item has to be provided".to_owned()))
        }
        Function::Cycler => {
            let items = args.positional;
            Ok(Object::Cycler(Cycler { items, position: Cell::new(0) }).into_value())
        }
        Function::Joiner => {
            let [separator] = args.bind(name, ["sep"], 0)?;
            let separator = match separator {
                Some(separator) => separator.py_str()?.into_owned(),
                None => ", ".to_owned(),
            };
            Ok(Object::Joiner(Joiner { separator, is_used: Cell::new(false) }).into_value())
        }
        Function::Lipsum => lipsum::lipsum(cx, args),
    }
}

fn text<'v>(value: &'v Value<'_>, parameter: &str) -> Result<&'v str, EvalError> {
    value.as_str().ok_or_else(|| {
        EvalError::Type(format!("{parameter} must be str, not {}", value.type_name()))
    })
}

fn now(cx: &Cx<'_>) -> DateTime {
    DateTime::from_timestamp(cx.run().now())
}

fn today(cx: &Cx<'_>, zone: &str) -> Result<Date, EvalError> {
    Ok(time::today_in(cx.run().now(), zone)?)
}

fn str_to_datetime(value: &Value<'_>) -> Result<DateTime, EvalError> {
    if let Value::Undefined(undefined) = value {
        return Err(undefined.error());
    }
    let text = match value {
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => value.as_str(),
    };
    match (text, ops::length(value)) {
        (Some(text), _) => Ok(time::str_to_datetime(text)?),
        // Whatever has a length is measured before it is read.
        (None, Some(0..4)) => Err(EvalError::value_error("ISO string too short")),
        _ => Err(EvalError::type_error("Parser must be a string or character stream")),
    }
}

fn day_delta<'a>(
    cx: &Cx<'a>,
    days: &Value<'a>,
    format: Option<&Value<'a>>,
) -> Result<Value<'a>, EvalError> {
    let Some(n_days) = days.as_f64() else {
        return Err(EvalError::Type(format!(
            "unsupported type for timedelta days component: {}",
            days.type_name()
        )));
    };
    let then = now(cx).plus(TimeDelta::from_days(n_days)?)?;
    let format = match format {
        Some(format) => text(format, "format")?,
        None => "%Y-%m-%dT%H:%M:%S.%f%z",
    };
    Ok(Value::from(then.strftime(format)))
}

fn format_datetime<'a>(
    dt: &Value<'a>,
    format: &Value<'a>,
    input_format: Option<&Value<'a>>,
) -> Result<Value<'a>, EvalError> {
    if let Value::DateTime(when) = dt {
        return Ok(Value::from(when.strftime(text(format, "format")?)));
    }
    let input_format = input_format.filter(|format| format.is_truthy());
    let when = match (ops::to_bigint(dt), input_format) {
        (Some(number), input_format) => {
            let format = match input_format {
                Some(format) => text(format, "format")?,
                None => "%s",
            };
            let number = i128::try_from(number).unwrap_or(i128::MAX);
            DatetimeFormat::new(format).parse_int(number)?
        }
        (None, Some(input_format)) => {
            let input = text(dt, "date_string")?;
            Strptime::new(text(input_format, "format")?)?.parse(input)?
        }
        (None, None) => str_to_datetime(dt)?,
    };
    let when = match when.zone() {
        Some(_) => when,
        None => when.with_zone(Some(Zone::PytzUtc)),
    };
    Ok(Value::from(DatetimeFormat::new(text(format, "format")?).format(when)))
}

fn extreme<'a>(
    cx: &Cx<'a>,
    args: Args<'a>,
    order: Order,
    name: &str,
) -> Result<Value<'a>, EvalError> {
    if let Some((unknown, _)) = args.named.first() {
        let message = format!("{name}() got an unexpected keyword argument '{unknown}'");
        return Err(EvalError::Type(message));
    }
    let items = match args.positional.as_slice() {
        [] => {
            let message = format!("{name} expected at least 1 argument, got 0");
            return Err(EvalError::Type(message));
        }
        [only] => Iter::new(only)?.collect(cx)?,
        _ => args.positional,
    };
    let best = ops::extreme(cx, items, order, |item| Ok(item.clone()))?;
    best.ok_or_else(|| EvalError::Value(format!("{name}() arg is an empty sequence")))
}

fn camel_case_to_snake_case(text: &str) -> String {
    let mut snake = String::with_capacity(text.len() + 4);
    for (idx, char) in text.chars().enumerate() {
        if idx > 0 && char.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(char);
    }
    snake.to_lowercase()
}

fn namespace<'a>(cx: &Cx<'a>, args: Args<'a>) -> Result<Value<'a>, EvalError> {
    let mut attributes = IndexMap::new();
    for (name, value) in methods::dict_of(cx, "dict", args)? {
        attributes.insert(name.value().py_str()?.into_owned(), value);
    }
    Ok(Object::Namespace(RefCell::new(attributes)).into_value())
}

impl From<DateTime> for Value<'_> {
    fn from(when: DateTime) -> Self {
        Self::DateTime(Rc::new(when))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globals_are_known_by_name() {
        assert_eq!(Function::named("now_utc"), Some(Function::NowUtc));
        assert_eq!(Function::named("range"), None);
        // Only a JWT authenticator's templates have it.
        assert_eq!(Function::named("json_loads"), None);
    }

    #[test]
    fn every_capital_begins_a_word() {
        assert_eq!(camel_case_to_snake_case("HTTPServerID"), "h_t_t_p_server_i_d");
        assert_eq!(camel_case_to_snake_case("already_snake"), "already_snake");
    }
}
