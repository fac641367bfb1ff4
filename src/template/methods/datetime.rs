//! Attributes and methods of `datetime.datetime`.

use std::rc::Rc;

use super::{date, method};
use crate::template::time::{DateTime, Strptime, TimeDelta, Zone, isoparse};
use crate::template::{Args, Cx, EvalError, Value, ops};

const METHODS: [&str; 19] = [
    "astimezone",
    "ctime",
    "date",
    "dst",
    "fromisoformat",
    "fromtimestamp",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "now",
    "replace",
    "strftime",
    "strptime",
    "timestamp",
    "today",
    "toordinal",
    "tzname",
    "utcnow",
    "utcoffset",
];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let Value::DateTime(when) = receiver else { return None };
    let fields = when.fields();
    Some(Value::Int(match name {
        "hour" => fields.hour,
        "minute" => fields.minute,
        "second" => fields.second,
        "microsecond" => fields.microsecond,
        "fold" => 0,
        // Zones are no values of their own; their name says all.
        "tzinfo" => return Some(when.zone().map_or(Value::None, |zone| zone.to_string().into())),
        "year" | "month" | "day" | "weekday" => {
            return date::attribute(&Value::Date(when.date()), name).map(|found| match found {
                Value::BoundMethod(_) => Value::method(receiver, "weekday"),
                found => found,
            });
        }
        _ => return method(receiver, &METHODS, name),
    }))
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    cx: &Cx<'a>,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    let Value::DateTime(when) = receiver else { return Err(EvalError::Attribute(name.to_owned())) };
    let when = **when;
    let found = match name {
        "replace" => replace(when, args)?,
        "astimezone" => {
            let [zone] = args.bind(name, ["tz"], 0)?;
            when.in_zone(to_zone(zone)?.unwrap_or(Zone::Utc))?
        }
        "now" => {
            let [zone] = args.bind(name, ["tz"], 0)?;
            DateTime::from_timestamp(cx.run().now()).with_zone(to_zone(zone)?)
        }
        "utcnow" | "today" => {
            args.none(name)?;
            DateTime::from_timestamp(cx.run().now()).with_zone(None)
        }
        "fromtimestamp" => {
            let [seconds, zone] = args.bind(name, ["timestamp", "tz"], 1)?;
            let seconds = seconds.and_then(|seconds| seconds.as_f64());
            let seconds = seconds.ok_or_else(|| EvalError::type_error("a number is required"))?;
            DateTime::from_float_seconds(seconds)?.with_zone(to_zone(zone)?)
        }
        "fromisoformat" => isoparse(text(&args.only(name)?, name, 1)?)?,
        "strptime" => {
            let [value, format] = args.bind(name, ["date_string", "format"], 2)?;
            let (value, format) = (value.unwrap_or(Value::None), format.unwrap_or(Value::None));
            Strptime::new(text(&format, name, 2)?)?.parse(text(&value, name, 1)?)?
        }
        _ => return property(when, receiver, name, args),
    };
    Ok(Value::DateTime(Rc::new(found)))
}

/// The methods that give anything but another time.
fn property<'a>(
    when: DateTime,
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    match name {
        "isoformat" => return isoformat(when, args),
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            let format = format.unwrap_or(Value::None);
            return Ok(Value::from(when.strftime(text(&format, name, 1)?)));
        }
        _ => args.none(&format!("datetime.{name}"))?,
    }
    Ok(match name {
        "date" => Value::Date(when.date()),
        "timestamp" => Value::Float(when.timestamp()),
        "utcoffset" => match when.zone() {
            Some(zone) => Value::TimeDelta(TimeDelta::from_micros(zone.offset_micros().into())?),
            None => Value::None,
        },
        "tzname" => attribute(receiver, "tzinfo").unwrap_or(Value::None),
        "dst" => Value::None,
        "ctime" => Value::from(when.strftime("%a %b %e %H:%M:%S %Y")),
        _ => date::calendar(when.date(), name),
    })
}

fn replace(when: DateTime, args: Args<'_>) -> Result<DateTime, EvalError> {
    let names =
        ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"];
    let [year, month, day, hour, minute, second, microsecond, zone, _] =
        args.bind("replace", names, 0)?;
    let mut fields = when.fields();
    for (field, value) in [
        (&mut fields.year, year),
        (&mut fields.month, month),
        (&mut fields.day, day),
        (&mut fields.hour, hour),
        (&mut fields.minute, minute),
        (&mut fields.second, second),
        (&mut fields.microsecond, microsecond),
    ] {
        if let Some(value) = value {
            *field = ops::to_index(&value)?;
        }
    }
    let zone = match zone {
        None => when.zone(),
        zone => to_zone(zone)?,
    };
    Ok(DateTime::new(fields, zone)?)
}

fn isoformat(when: DateTime, args: Args<'_>) -> Result<Value<'_>, EvalError> {
    let [separator, timespec] = args.bind("isoformat", ["sep", "timespec"], 0)?;
    let separator = match &separator {
        None => 'T',
        Some(value) => {
            let mut chars = value.as_str().unwrap_or_default().chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => char,
                _ => {
                    return Err(EvalError::Type(format!(
                        "isoformat() argument 1 must be a unicode character, not {}",
                        value.type_name()
                    )));
                }
            }
        }
    };
    let timespec = match &timespec {
        None => "auto",
        Some(timespec) => text(timespec, "isoformat", 2)?,
    };
    Ok(Value::from(when.isoformat(separator, timespec)?))
}

/// A zone, as the attribute `tzinfo` shows it.
fn to_zone(value: Option<Value<'_>>) -> Result<Option<Zone>, EvalError> {
    let Some(value) = value.filter(|value| !value.is_none()) else { return Ok(None) };
    let zone = value.as_str().and_then(|name| {
        let offset = Strptime::new("UTC%z").ok()?.parse(name).ok().and_then(DateTime::zone);
        offset.or((name == "UTC").then_some(Zone::Utc))
    });
    zone.map(Some).ok_or_else(|| {
        EvalError::Type(format!(
            "tzinfo argument must be None or of a tzinfo subclass, not type '{}'",
            value.type_name()
        ))
    })
}

/// A text as an argument.
pub(super) fn text<'v>(
    value: &'v Value<'_>,
    name: &str,
    position: usize,
) -> Result<&'v str, EvalError> {
    value.as_str().ok_or_else(|| {
        let type_name = value.type_name();
        EvalError::Type(format!("{name}() argument {position} must be str, not {type_name}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::template::value::Text;
    use crate::value::Json;

    /// Calls a method with the items of an array or with the members of an object.
    #[track_caller]
    fn check(name: &str, args: &Json, expect: &str) {
        let run = RunContext::fixed("2024-01-02T03:04:05Z".parse().unwrap());
        let receiver = Value::DateTime(Rc::new(isoparse("2024-05-06T07:08:09.5Z").unwrap()));
        let found = match attribute(&receiver, name).unwrap() {
            Value::BoundMethod(method) => {
                let args = match args {
                    Json::Object(named) => Args {
                        positional: vec![],
                        named: named
                            .iter()
                            .map(|(name, value)| {
                                (Text::from(name.clone()), Value::from_json(value))
                            })
                            .collect(),
                    },
                    Json::Array(items) => Args::of(items.iter().map(Value::from_json).collect()),
                    _ => Args::default(),
                };
                call(&Cx::new(&run), &receiver, method.name, args)
            }
            found => Ok(found),
        };
        let got = found.map(|value| value.py_str().unwrap().into_owned());
        assert_eq!(got.unwrap_or_else(|err| format!("error: {err}")), expect, "{name}");
    }

    #[test]
    fn attributes() {
        check("year", &json!([]), "2024");
        check("microsecond", &json!([]), "500000");
        check("tzinfo", &json!([]), "UTC");
    }

    #[test]
    fn other_times() {
        check("replace", &json!({"hour": 0, "day": 1}), "2024-05-01 00:08:09.500000+00:00");
        check("replace", &json!([2023]), "2023-05-06 07:08:09.500000+00:00");
        check("replace", &json!({"tzinfo": null}), "2024-05-06 07:08:09.500000");
        check("replace", &json!({"month": 13}), "error: month must be in 1..12");
        check(
            "replace",
            &json!({"month": "1"}),
            "error: 'str' object cannot be interpreted as an integer",
        );
        check("astimezone", &json!(["UTC+02:00"]), "2024-05-06 09:08:09.500000+02:00");
        check("strptime", &json!(["14/01/2021", "%d/%m/%Y"]), "2021-01-14 00:00:00");
        check("fromtimestamp", &json!([5.5]), "1970-01-01 00:00:05.500000");
        check("utcnow", &json!([]), "2024-01-02 03:04:05");
        check("now", &json!(["UTC"]), "2024-01-02 03:04:05+00:00");
    }

    #[test]
    fn texts_and_numbers() {
        check("isoformat", &json!([]), "2024-05-06T07:08:09.500000+00:00");
        check("isoformat", &json!({"sep": " ", "timespec": "minutes"}), "2024-05-06 07:08+00:00");
        check(
            "isoformat",
            &json!(["--"]),
            "error: isoformat() argument 1 must be a unicode character, not str",
        );
        check("strftime", &json!(["%d.%m."]), "06.05.");
        check("strftime", &json!([5]), "error: strftime() argument 1 must be str, not int");
        check(
            "strftime",
            &json!([]),
            "error: strftime() missing required argument 'format' (pos 1)",
        );
        check("timestamp", &json!([]), "1714979289.5");
        check("date", &json!([]), "2024-05-06");
        check("weekday", &json!([]), "0");
        check("isocalendar", &json!([]), "(2024, 19, 1)");
        check("ctime", &json!([]), "Mon May  6 07:08:09 2024");
        check("utcoffset", &json!([]), "0:00:00");
    }
}
