//! `Date`: a day of the calendar, Python's `datetime.date`.

use std::fmt;

use jiff::{SignedDuration, civil};

use super::{DateTime, Duration, TimeDelta, TimeError, strftime};

/// A day, in the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub(super) civil::Date);

impl Date {
    /// The day of these numbers, which may be out of range.
    pub fn new(year: i64, month: i64, day: i64) -> Result<Self, TimeError> {
        let year = i16::try_from(year)
            .ok()
            .filter(|year| (1..=9999).contains(year))
            .ok_or_else(|| TimeError::Value(format!("year {year} is out of range")))?;
        let month = i8::try_from(month)
            .ok()
            .filter(|month| (1..=12).contains(month))
            .ok_or_else(|| TimeError::value("month must be in 1..12"))?;
        i8::try_from(day)
            .ok()
            .and_then(|day| civil::Date::new(year, month, day).ok())
            .map(Self)
            .ok_or_else(|| TimeError::value("day is out of range for month"))
    }

    pub(super) fn from_civil(date: civil::Date) -> Result<Self, TimeError> {
        if !(1..=9999).contains(&date.year()) {
            return Err(TimeError::date_out_of_range());
        }
        Ok(Self(date))
    }

    /// As jiff's type.
    pub fn civil(self) -> civil::Date {
        self.0
    }

    /// This day `delta` later; only its whole days count.
    pub fn plus(self, delta: TimeDelta) -> Result<Self, TimeError> {
        self.plus_days(delta.days())
    }

    /// This day `delta` earlier; only its whole days count.
    pub fn minus(self, delta: TimeDelta) -> Result<Self, TimeError> {
        self.plus_days(-delta.days())
    }

    /// This day a calendar duration later.
    pub fn plus_duration(self, duration: Duration) -> Result<Self, TimeError> {
        Self(duration.shift(self.0, false)?).plus(duration.delta)
    }

    /// This day a calendar duration earlier.
    pub fn minus_duration(self, duration: Duration) -> Result<Self, TimeError> {
        Self(duration.shift(self.0, true)?).minus(duration.delta)
    }

    /// The time from `earlier` to this day.
    pub fn since(self, earlier: Self) -> Result<TimeDelta, TimeError> {
        TimeDelta::from_micros(self.0.duration_since(earlier.0).as_micros())
    }

    fn plus_days(self, days: i64) -> Result<Self, TimeError> {
        let shifted = self.0.checked_add(SignedDuration::from_hours(days * 24));
        Self::from_civil(shifted.map_err(|_| TimeError::date_out_of_range())?)
    }

    /// Python's `strftime`; see [`strftime`].
    pub fn strftime(self, format: &str) -> String {
        strftime(format, &DateTime::midnight(self))
    }

    /// `repr()`: `datetime.date(2024, 5, 6)`.
    pub fn repr(self) -> String {
        format!("datetime.date({}, {}, {})", self.0.year(), self.0.month(), self.0.day())
    }
}

/// `str()` and `isoformat()`: `2024-05-06`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Span;
    use super::*;

    #[track_caller]
    fn check(span: &str, later: &str, earlier: &str) {
        let date = Date::new(2024, 3, 31).unwrap();
        let (plus, minus) = match Span::parse(span).unwrap() {
            Span::Exact(delta) => (date.plus(delta), date.minus(delta)),
            Span::Calendar(duration) => {
                (date.plus_duration(duration), date.minus_duration(duration))
            }
        };
        assert_eq!((&*plus.unwrap().to_string(), &*minus.unwrap().to_string()), (later, earlier));
    }

    #[test]
    fn only_whole_days_move_it() {
        check("P1D", "2024-04-01", "2024-03-30");
        check("PT36H", "2024-04-01", "2024-03-30");
        check("PT12H", "2024-03-31", "2024-03-31");
        check("-PT12H", "2024-03-30", "2024-04-01");
        check("P1MT36H", "2024-05-01", "2024-02-28");
    }

    #[test]
    fn numbers_are_checked() {
        let message = |y, m, d| Date::new(y, m, d).unwrap_err().to_string();
        assert_eq!(message(0, 1, 1), "year 0 is out of range");
        assert_eq!(message(2024, 13, 1), "month must be in 1..12");
        assert_eq!(message(2023, 2, 29), "day is out of range for month");
    }
}
