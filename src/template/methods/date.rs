//! Attributes and methods of `datetime.date`.

use super::datetime::text;
use super::method;
use crate::template::time::{Date, DateTime, isoparse};
use crate::template::{Args, Cx, EvalError, Value, ops};

/// 31 December of the year before the first, as a day before the epoch.
const DAYS_TO_EPOCH: i64 = 719_163;

const METHODS: [&str; 10] = [
    "ctime",
    "fromisoformat",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "today",
    "toordinal",
    "weekday",
];

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let Value::Date(date) = receiver else { return None };
    let civil = date.civil();
    Some(Value::Int(match name {
        "year" => civil.year().into(),
        "month" => civil.month().into(),
        "day" => civil.day().into(),
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
    let Value::Date(date) = receiver else { return Err(EvalError::Attribute(name.to_owned())) };
    match name {
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            let format = format.unwrap_or(Value::None);
            Ok(Value::from(date.strftime(text(&format, name, 1)?)))
        }
        "replace" => {
            let given = args.bind(name, ["year", "month", "day"], 0)?;
            let civil = date.civil();
            let mut numbers = [civil.year().into(), civil.month().into(), civil.day().into()];
            for (number, given) in numbers.iter_mut().zip(given) {
                if let Some(given) = given {
                    *number = ops::to_index(&given)?;
                }
            }
            let [year, month, day] = numbers;
            Ok(Value::Date(Date::new(year, month, day)?))
        }
        "fromisoformat" => Ok(Value::Date(isoparse(text(&args.only(name)?, name, 1)?)?.date())),
        _ => {
            args.none(&format!("date.{name}"))?;
            Ok(match name {
                "today" => Value::Date(DateTime::from_timestamp(cx.run().now()).date()),
                "isoformat" => Value::from(date.to_string()),
                "ctime" => Value::from(date.strftime("%a %b %e %H:%M:%S %Y")),
                _ => calendar(*date, name),
            })
        }
    }
}

/// Where a day stands in its week, its year, and in all days.
pub(super) fn calendar<'a>(date: Date, name: &str) -> Value<'a> {
    let civil = date.civil();
    let weekday = i64::from(civil.weekday().to_monday_zero_offset());
    match name {
        "weekday" => Value::Int(weekday),
        "isoweekday" => Value::Int(weekday + 1),
        "isocalendar" => {
            let week = civil.iso_week_date();
            let (year, week) = (week.year().into(), week.week().into());
            Value::tuple([Value::Int(year), Value::Int(week), Value::Int(weekday + 1)])
        }
        _ => {
            let days = civil.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() / 24;
            Value::Int(days + DAYS_TO_EPOCH)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::RunContext;
    use crate::value::Json;

    #[track_caller]
    fn check(name: &'static str, args: &Json, expect: &str) {
        let run = RunContext::fixed("2024-01-02T03:04:05Z".parse().unwrap());
        let receiver = Value::Date(Date::new(2024, 5, 6).unwrap());
        let args = Args::of(args.as_array().unwrap().iter().map(Value::from_json).collect());
        let got = call(&Cx::new(&run), &receiver, name, args);
        let got = got.map(|value| value.py_str().unwrap().into_owned());
        assert_eq!(got.unwrap_or_else(|err| format!("error: {err}")), expect, "{name}");
    }

    #[test]
    fn methods() {
        check("isoformat", &json!([]), "2024-05-06");
        check("strftime", &json!(["%d.%m. %H"]), "06.05. 00");
        check("replace", &json!([2023, 1]), "2023-01-06");
        check("replace", &json!([2023, 1, 40]), "error: day is out of range for month");
        check("weekday", &json!([]), "0");
        check("isocalendar", &json!([]), "(2024, 19, 1)");
        check("toordinal", &json!([]), "739012");
        check("today", &json!([]), "2024-01-02");
        check("isoformat", &json!([5]), "error: date.isoformat() takes no arguments (1 given)");
    }
}
