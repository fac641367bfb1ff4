//! Windows that begin and end with a day, a week, or a month.

use std::sync::Arc;

use serde_json::json;

use crate::components::shape::{FieldValue, Reader, Text};
use crate::components::{BuildContext, BuildError};
use crate::manifest::Node;
use crate::template::InterpolatedString;
use crate::template::time::{DateTime, Fields, TimeDelta, TimeError, Unit};
use crate::value::{Json, Map, python_str};

/// How clamping is written; it has no `type` of its own.
#[derive(Clone, Debug)]
pub struct Written {
    target: Text,
    target_details: Option<Map>,
}

impl FieldValue for Written {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.as_map().is_none() {
            reader.wrong_kind(node, "a mapping with a `target`");
            return None;
        }
        let target = reader.field::<Text>(node, "clamping", "target");
        let target_details = reader.field::<Option<Map>>(node, "clamping", "target_details");
        Some(Self { target: target?, target_details: target_details? })
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "required": ["target"],
            "properties": {
                "target": {"type": "string", "description": "DAY, WEEK, or MONTH."},
                "target_details": {
                    "type": "object",
                    "description": "For weeks, the `weekday` they begin with.",
                    "additionalProperties": true,
                },
            },
        })
    }
}

/// What windows begin and end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clamping {
    Day,
    /// Weeks that begin with this day; Monday is 0.
    Week(i64),
    Month,
}

const WEEKDAYS: [&str; 7] =
    ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

impl Clamping {
    pub(super) fn build(
        written: &Written,
        parameters: &Arc<Map>,
        cx: &BuildContext<'_>,
    ) -> Result<Self, BuildError> {
        let refuse = |message: String| Err(BuildError::in_span(written.target.span, message));
        let config = cx.config.snapshot();
        let target = InterpolatedString::new(&written.target, parameters.clone())
            .eval_string(&cx.scope(&config))?;
        match target.as_str() {
            "DAY" => Ok(Self::Day),
            "MONTH" => Ok(Self::Month),
            "WEEK" => {
                let details = written.target_details.as_ref();
                let Some(weekday) = details.and_then(|details| details.get("weekday")) else {
                    let message =
                        "Given WEEK clamping, weekday needs to be provided as target_details";
                    return refuse(message.to_owned());
                };
                match (0..).zip(WEEKDAYS).find(|(_, name)| Some(*name) == weekday.as_str()) {
                    Some((idx, _)) => Ok(Self::Week(idx)),
                    None => refuse(format!("Unknown weekday {}", python_str(weekday))),
                }
            }
            other => refuse(format!("Invalid clamping target {other}, expected DAY, WEEK, MONTH")),
        }
    }

    /// The beginning of the period that begins next, or of this one at its very beginning.
    ///
    /// The first day of a month counts as its beginning at any hour, as in the reference.
    pub(super) fn ceil(self, moment: DateTime) -> Result<DateTime, TimeError> {
        let day = midnight(moment)?;
        match self {
            Self::Day if day == moment => Ok(day),
            Self::Day => day.plus(days(1)?),
            Self::Week(first) => day.plus(days(days_until(moment, first))?),
            Self::Month => {
                let fields = day.fields();
                if fields.day == 1 {
                    return Ok(day);
                }
                let year = fields.year + i64::from(fields.month == 12);
                let month = fields.month % 12 + 1;
                DateTime::new(Fields { year, month, day: 1, ..fields }, day.zone())
            }
        }
    }

    /// The beginning of the period that the moment is in.
    pub(super) fn floor(self, moment: DateTime) -> Result<DateTime, TimeError> {
        let day = midnight(moment)?;
        match self {
            Self::Day => Ok(day),
            Self::Week(first) => match days_until(moment, first) {
                0 => Ok(day),
                until => day.plus(days(until - 7)?),
            },
            Self::Month => DateTime::new(Fields { day: 1, ..day.fields() }, day.zone()),
        }
    }

    /// What the end of the last window lies before the end of its period, without a granularity.
    pub(super) fn default_granularity(self) -> TimeDelta {
        let unit = if self == Self::Day { Unit::Second } else { Unit::Day };
        TimeDelta::sum(&[(1.0, unit)]).unwrap_or_default()
    }
}

fn midnight(moment: DateTime) -> Result<DateTime, TimeError> {
    let Fields { year, month, day, .. } = moment.fields();
    let fields = Fields { year, month, day, ..Fields::default() };
    DateTime::new(fields, moment.zone())
}

fn days(count: i64) -> Result<TimeDelta, TimeError> {
    TimeDelta::from_micros(i128::from(count) * 86_400_000_000)
}

/// Days to the next `weekday`, today included.
fn days_until(moment: DateTime, weekday: i64) -> i64 {
    (weekday - i64::from(moment.civil().weekday().to_monday_zero_offset())).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::time::isoparse;

    #[track_caller]
    fn check(clamping: Clamping, moment: &str, floor: &str, ceil: &str) {
        let moment = isoparse(moment).unwrap();
        let date = |moment: Result<DateTime, TimeError>| moment.unwrap().to_string();
        assert_eq!(date(clamping.floor(moment)), format!("{floor} 00:00:00+00:00"));
        assert_eq!(date(clamping.ceil(moment)), format!("{ceil} 00:00:00+00:00"));
    }

    #[test]
    fn days_weeks_and_months() {
        check(Clamping::Day, "2024-05-06T00:00Z", "2024-05-06", "2024-05-06");
        check(Clamping::Day, "2024-05-06T00:01Z", "2024-05-06", "2024-05-07");
        // 6 May 2024 is a Monday.
        check(Clamping::Week(0), "2024-05-06T07:00Z", "2024-05-06", "2024-05-06");
        check(Clamping::Week(2), "2024-05-06T07:00Z", "2024-05-01", "2024-05-08");
        check(Clamping::Week(0), "2024-05-08T07:00Z", "2024-05-06", "2024-05-13");
        check(Clamping::Month, "2024-12-06T07:00Z", "2024-12-01", "2025-01-01");
        check(Clamping::Month, "2024-05-01T07:00Z", "2024-05-01", "2024-05-01");
    }
}
