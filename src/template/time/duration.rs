//! ISO-8601 durations as the `isodate` library reads them.

use std::fmt;

use jiff::civil;

use super::error::{TimeError, quoted};
use super::time_delta::{TimeDelta, Unit};

/// A calendar duration: years and months, whose length depends on where they
/// are counted from, and an exact rest.
#[derive(Clone, Copy, Debug, Default)]
pub struct Duration {
    /// Years; may have a fraction, which date arithmetic refuses.
    pub years: f64,
    /// Months; may have a fraction, which date arithmetic refuses.
    pub months: f64,
    /// The rest.
    pub delta: TimeDelta,
}

impl Duration {
    /// The sum, part by part.
    pub fn plus(self, other: Self) -> Result<Self, TimeError> {
        Ok(Self {
            years: self.years + other.years,
            months: self.months + other.months,
            delta: self.delta.plus(other.delta)?,
        })
    }

    /// The difference, part by part.
    pub fn minus(self, other: Self) -> Result<Self, TimeError> {
        Ok(Self {
            years: self.years - other.years,
            months: self.months - other.months,
            delta: self.delta.minus(other.delta)?,
        })
    }

    /// Every part `count` times.
    pub fn times(self, count: i64) -> Result<Self, TimeError> {
        #[expect(clippy::cast_precision_loss, reason = "far beyond any year")]
        let factor = count as f64;
        Ok(Self {
            years: self.years * factor,
            months: self.months * factor,
            delta: self.delta.times(count.into())?,
        })
    }

    /// `date` moved by the years and months alone, forth or back; a day that
    /// the month does not have becomes its last one.
    pub(super) fn shift(self, date: civil::Date, back: bool) -> Result<civil::Date, TimeError> {
        if self.years.fract() != 0.0 || self.months.fract() != 0.0 {
            let message = "fractional years or months not supported for date calculations";
            return Err(TimeError::value(message));
        }
        let n_months = if back { -1.0 } else { 1.0 } * (self.years * 12.0 + self.months);
        let month_idx = f64::from(date.year()) * 12.0 + f64::from(date.month() - 1) + n_months;
        let year = (month_idx / 12.0).floor();
        if year.abs() > f64::from(i32::MAX) {
            let message = "Python int too large to convert to C long";
            return Err(TimeError::Overflow(message.to_owned()));
        }
        if !(1.0..=9999.0).contains(&year) {
            return Err(TimeError::Value(format!("year {year} is out of range")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        let (year, month) = (year as i16, (month_idx.rem_euclid(12.0)) as i8 + 1);
        let first =
            civil::Date::new(year, month, 1).map_err(|err| TimeError::Value(err.to_string()))?;
        first
            .with()
            .day(date.day().min(first.days_in_month()))
            .build()
            .map_err(|err| TimeError::Value(err.to_string()))
    }

    /// Whether it is the same as a length without years and months.
    pub fn equals_exact(self, delta: TimeDelta) -> bool {
        self == Self { delta, ..Self::default() }
    }

    /// `repr()`.
    pub fn repr(self) -> String {
        format!(
            "isodate.duration.Duration({}, {}, {}, years={}, months={})",
            self.delta.days(),
            self.delta.seconds(),
            self.delta.microseconds(),
            whole(self.years),
            whole(self.months),
        )
    }
}

/// A number as `%d` prints it: cut off, and without a negative zero.
fn whole(number: f64) -> f64 {
    number.trunc() + 0.0
}

/// As the reference compares them: months count, however they are written.
impl PartialEq for Duration {
    fn eq(&self, other: &Self) -> bool {
        let n_months = |duration: &Self| duration.years * 12.0 + duration.months;
        n_months(self) == n_months(other) && self.delta == other.delta
    }
}

/// `str()`: `1 years, 2 months, 3 days, 0:00:00`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.years != 0.0 {
            write!(f, "{} years, ", whole(self.years))?;
        }
        if self.months != 0.0 {
            let plural = if self.months > 1.0 { "s" } else { "" };
            write!(f, "{} month{plural}, ", whole(self.months))?;
        }
        self.delta.fmt(f)
    }
}

/// What an ISO-8601 duration turns out to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span {
    /// Weeks, days and smaller.
    Exact(TimeDelta),
    /// With years or months.
    Calendar(Duration),
}

impl Span {
    /// Reads `P1DT12H`, `-P1M`, `P0.5W`, … .
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let Some(parts) = Parts::read(text) else {
            return Err(TimeError::Iso8601(match text.strip_prefix('P') {
                None => format!("Unable to parse duration string {}", quoted(text)),
                Some(rest) => format!(
                    "ISO 8601 time designator 'T' missing. Unable to parse datetime string {}",
                    quoted(rest)
                ),
            }));
        };
        let delta = TimeDelta::sum(&[
            (parts.seconds, Unit::Second),
            (parts.minutes, Unit::Minute),
            (parts.hours, Unit::Hour),
            (parts.days, Unit::Day),
            (parts.weeks, Unit::Week),
        ])?;
        let delta = if parts.is_negative { (-delta)? } else { delta };
        if parts.years == 0.0 && parts.months == 0.0 {
            return Ok(Self::Exact(delta));
        }
        let sign = if parts.is_negative { -1.0 } else { 1.0 };
        Ok(Self::Calendar(Duration {
            years: sign * parts.years,
            months: sign * parts.months,
            delta,
        }))
    }

    /// Its length in words: `1 month`, `2 days 12 hours`.
    pub fn words(&self) -> String {
        let (years, months, delta) = match self {
            Self::Exact(delta) => (0.0, 0.0, *delta),
            Self::Calendar(duration) => (duration.years, duration.months, duration.delta),
        };
        let micros = delta.micros();
        let part =
            |micros_of_unit: i128, micros_of_next: i128| micros % micros_of_next / micros_of_unit;
        let whole = |number: i128| number.to_string();
        let parts = [
            (years.to_string(), "year"),
            (months.to_string(), "month"),
            (whole(micros / 86_400_000_000), "day"),
            (whole(part(3_600_000_000, 86_400_000_000)), "hour"),
            (whole(part(60_000_000, 3_600_000_000)), "minute"),
            (whole(part(1_000_000, 60_000_000)), "second"),
            (whole(part(1000, 1_000_000)), "millisecond"),
            (whole(part(1, 1000)), "microsecond"),
        ];
        let words = parts.iter().filter(|(number, _)| number != "0" && number != "-0").map(
            |(number, unit)| {
                let plural = if number == "1" { "" } else { "s" };
                format!("{number} {unit}{plural}")
            },
        );
        let words = words.collect::<Vec<_>>().join(" ");
        if words.is_empty() { "no time".to_owned() } else { words }
    }

    /// Whether it has no length.
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Exact(delta) if delta.is_zero())
    }
}

/// The numbers of a duration's text; absent ones are zero.
#[derive(Default)]
struct Parts {
    is_negative: bool,
    years: f64,
    months: f64,
    weeks: f64,
    days: f64,
    hours: f64,
    minutes: f64,
    seconds: f64,
}

impl Parts {
    fn read(text: &str) -> Option<Self> {
        let mut parts = Self { is_negative: text.starts_with('-'), ..Self::default() };
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let unsigned = unsigned.strip_suffix('\n').unwrap_or(unsigned);
        let mut rest = unsigned.strip_prefix('P').filter(|rest| !rest.is_empty())?;
        rest = take(rest, 'Y', &mut parts.years);
        rest = take(rest, 'M', &mut parts.months);
        rest = take(rest, 'W', &mut parts.weeks);
        rest = take(rest, 'D', &mut parts.days);
        if let Some(time) = rest.strip_prefix('T') {
            rest = take(time, 'H', &mut parts.hours);
            rest = take(rest, 'M', &mut parts.minutes);
            rest = take(rest, 'S', &mut parts.seconds);
        }
        rest.is_empty().then_some(parts)
    }
}

/// Takes `<number><designator>` off the front of `text`, if it is there.
fn take<'t>(text: &'t str, designator: char, number: &mut f64) -> &'t str {
    let Some((digits, rest)) = text.split_once(designator) else { return text };
    let (whole, fraction) = digits.split_once([',', '.']).unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return text;
    }
    *number = format!("{whole}.{fraction}").parse().unwrap_or(f64::INFINITY);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_have_words() {
        #[track_caller]
        fn check(text: &str, expect: &str) {
            assert_eq!(Span::parse(text).unwrap().words(), expect);
        }
        check("P1M", "1 month");
        check("P1Y6M", "1 year 6 months");
        check("P1W", "7 days");
        check("P1DT2H3M4.5S", "1 day 2 hours 3 minutes 4 seconds 500 milliseconds");
        check("-P1M", "-1 months");
        check("PT0.000001S", "1 microsecond");
        check("PT0S", "no time");
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = match Span::parse(text) {
            Ok(Span::Exact(delta)) => delta.to_string(),
            Ok(Span::Calendar(duration)) => duration.to_string(),
            Err(err) => format!("error: {err}"),
        };
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn exact_durations() {
        check("P1D", "1 day, 0:00:00");
        check("+P1D\n", "1 day, 0:00:00");
        check("-P1D", "-1 day, 0:00:00");
        check("P1W2D", "9 days, 0:00:00");
        check("PT", "0:00:00");
        check("P0Y", "0:00:00");
        check("P1DT0.5S", "1 day, 0:00:00.500000");
        check("PT0.0000005S", "0:00:00");
        check("PT0.0000015S", "0:00:00.000002");
        check("P0,1D", "2:24:00");
        check("PT36H", "1 day, 12:00:00");
    }

    #[test]
    fn calendar_durations() {
        check("P1M", "1 month, 0:00:00");
        check("P2M", "2 months, 0:00:00");
        check("P1Y", "1 years, 0:00:00");
        check("-P1Y2M", "-1 years, -2 month, 0:00:00");
        check("P1M1DT5M", "1 month, 1 day, 0:05:00");
        check("P1.5Y", "1 years, 0:00:00");
    }

    #[test]
    fn not_durations() {
        check("", "error: Unable to parse duration string ''");
        check(" P1D", "error: Unable to parse duration string ' P1D'");
        let missing =
            "error: ISO 8601 time designator 'T' missing. Unable to parse datetime string";
        check("P", &format!("{missing} ''"));
        check("P1H", &format!("{missing} '1H'"));
        check("P1D1M", &format!("{missing} '1D1M'"));
        check("P-1D", &format!("{missing} '-1D'"));
    }

    #[test]
    fn months_count_however_they_are_written() {
        assert_eq!(Span::parse("P12M").unwrap(), Span::parse("P1Y").unwrap());
    }
}
