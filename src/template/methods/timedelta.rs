//! Attributes and methods of `datetime.timedelta` and `isodate.Duration`.

use super::method;
use crate::template::time::{Duration, TimeDelta};
use crate::template::{Args, EvalError, Value};

/// The attribute `name`, if values of this type have it.
pub(super) fn attribute<'a>(receiver: &Value<'a>, name: &str) -> Option<Value<'a>> {
    let (delta, duration) = parts(receiver)?;
    Some(match (name, duration) {
        ("days", _) => Value::Int(delta.days()),
        ("seconds", _) => Value::Int(delta.seconds()),
        ("microseconds", _) => Value::Int(delta.microseconds()),
        ("years", Some(duration)) => number(duration.years),
        ("months", Some(duration)) => number(duration.months),
        ("tdelta", Some(_)) => Value::TimeDelta(delta),
        _ => return method(receiver, &["total_seconds"], name),
    })
}

/// Calls the method `name`.
pub(super) fn call<'a>(
    receiver: &Value<'a>,
    name: &'static str,
    args: Args<'a>,
) -> Result<Value<'a>, EvalError> {
    args.none(&format!("timedelta.{name}"))?;
    let delta = parts(receiver).map(|(delta, _)| delta).unwrap_or_default();
    Ok(Value::Float(delta.total_seconds()))
}

fn parts(receiver: &Value<'_>) -> Option<(TimeDelta, Option<Duration>)> {
    match receiver {
        Value::TimeDelta(delta) => Some((*delta, None)),
        Value::Duration(duration) => Some((duration.delta, Some(**duration))),
        _ => None,
    }
}

/// A number as the reference's decimals print it.
fn number<'a>(number: f64) -> Value<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "far beyond any year")]
    if number.fract() == 0.0 { Value::Int(number as i64) } else { Value::Float(number) }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::template::time::Span;

    #[track_caller]
    fn check(span: &str, name: &str, expect: &str) {
        let value = match Span::parse(span).unwrap() {
            Span::Exact(delta) => Value::TimeDelta(delta),
            Span::Calendar(duration) => Value::Duration(Rc::new(duration)),
        };
        let found = attribute(&value, name).map(|found| found.py_repr().unwrap());
        assert_eq!(found.unwrap_or_default(), expect, "{span}.{name}");
    }

    #[test]
    fn attributes() {
        check("P1DT1S", "days", "1");
        check("P1DT1S", "seconds", "1");
        check("P1D", "years", "");
        check("P1Y2M3D", "years", "1");
        check("P1Y2M3D", "days", "3");
        check("P0.5Y", "years", "0.5");
        check("P1Y2M3D", "tdelta", "datetime.timedelta(days=3)");
    }
}
