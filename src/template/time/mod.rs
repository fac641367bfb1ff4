//! Dates and times that behave as Python's do.
//!
//! Templates and cursors compute with the reference's types, so that results,
//! limits and error messages are its own: [`DateTime`], [`Date`], [`TimeDelta`]
//! and [`Duration`] are values, [`strftime`], [`Strptime`] and [`isoparse`] are
//! the text forms, and [`DatetimeFormat`] is the pair of both that manifests
//! declare with `datetime_format`.

mod date;
mod date_time;
mod duration;
mod error;
mod format;
mod isoparse;
mod strftime;
mod strptime;
mod time_delta;

pub use date::Date;
pub use date_time::{DateTime, Fields, Zone};
pub use duration::{Duration, Span};
pub use error::TimeError;
pub use format::DatetimeFormat;
pub use isoparse::{isoparse, str_to_datetime};
pub use strftime::strftime;
pub use strptime::Strptime;
pub use time_delta::{TimeDelta, Unit};

use error::quoted;

/// The day it is in an IANA time zone, named without regard to case.
pub fn today_in(now: jiff::Timestamp, zone_name: &str) -> Result<Date, TimeError> {
    let zone = jiff::tz::TimeZone::get(zone_name)
        .map_err(|_| TimeError::UnknownZone(quoted(zone_name)))?;
    Date::from_civil(zone.to_datetime(now).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone_name: &str, expect: Result<&str, &str>) {
        let now = "2024-05-06T02:00:00Z".parse().unwrap();
        let today = today_in(now, zone_name).map(|date| date.to_string());
        let today = today.map_err(|err| err.to_string());
        assert_eq!(today, expect.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn zones_have_their_own_day() {
        check("UTC", Ok("2024-05-06"));
        check("America/Los_Angeles", Ok("2024-05-05"));
        check("pacific/tarawa", Ok("2024-05-06"));
        check("Bad/Zone", Err("'Bad/Zone'"));
    }
}
