//! `DateTime`: a moment as a wall shows it, Python's `datetime.datetime`.

use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};

use jiff::{SignedDuration, Timestamp, civil};

use super::time_delta::exact_seconds;
use super::{Date, Duration, Span, TimeDelta, TimeError, strftime};

const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const SECOND: i64 = 1_000_000;

/// What Python calls `tzinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// `datetime.timezone.utc`
    Utc,
    /// `pytz.utc`, which `str_to_datetime` gives; it differs only in its `repr()`.
    PytzUtc,
    /// `datetime.timezone(…)`: microseconds east of UTC, never zero.
    Fixed(i64),
}

impl Zone {
    /// The zone a fixed number of microseconds east of UTC.
    pub fn fixed(micros: i64) -> Result<Self, TimeError> {
        if micros.abs() >= 86_400 * SECOND {
            return Err(TimeError::Value(format!(
                "offset must be a timedelta strictly between -timedelta(hours=24) and \
                 timedelta(hours=24), not {}.",
                TimeDelta::from_micros(micros.into())?.repr()
            )));
        }
        Ok(if micros == 0 { Self::Utc } else { Self::Fixed(micros) })
    }

    /// Microseconds east of UTC.
    pub fn offset_micros(self) -> i64 {
        match self {
            Self::Utc | Self::PytzUtc => 0,
            Self::Fixed(micros) => micros,
        }
    }

    /// `repr()`: `datetime.timezone.utc`.
    pub fn repr(self) -> String {
        match self {
            Self::Utc => "datetime.timezone.utc".to_owned(),
            Self::PytzUtc => "<UTC>".to_owned(),
            Self::Fixed(micros) => {
                let offset = TimeDelta::from_micros(micros.into()).unwrap_or_default();
                format!("datetime.timezone({})", offset.repr())
            }
        }
    }

    /// Appends the offset, as `+02:00` or with another separator.
    pub(super) fn write_offset(self, separator: &str, out: &mut String) {
        let micros = self.offset_micros();
        let (seconds, rest) = (micros.abs() / SECOND, micros.abs() % SECOND);
        let sign = if micros < 0 { '-' } else { '+' };
        // Writing to a String cannot fail.
        let _ = write!(out, "{sign}{:02}{separator}{:02}", seconds / 3600, seconds / 60 % 60);
        if seconds % 60 != 0 || rest != 0 {
            let _ = write!(out, "{separator}{:02}", seconds % 60);
        }
        if rest != 0 {
            let _ = write!(out, ".{rest:06}");
        }
    }
}

/// `str()` and `tzname()`: `UTC`, `UTC+02:00`.
impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut name = "UTC".to_owned();
        if let Self::Fixed(_) = self {
            self.write_offset(":", &mut name);
        }
        f.write_str(&name)
    }
}

/// The numbers a [`DateTime`] is made of; they may be out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Fields {
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub microsecond: i64,
}

impl Default for Fields {
    fn default() -> Self {
        Self { year: 1900, month: 1, day: 1, hour: 0, minute: 0, second: 0, microsecond: 0 }
    }
}

/// A date and time of day to the microsecond, in the years 1 to 9999; with a
/// zone it is one moment, without it is "naive".
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    civil: civil::DateTime,
    zone: Option<Zone>,
}

impl DateTime {
    /// The time of these numbers.
    pub fn new(fields: Fields, zone: Option<Zone>) -> Result<Self, TimeError> {
        let date = Date::new(fields.year, fields.month, fields.day)?;
        let part = |value: i64, max: i64, name: &str| {
            if (0..=max).contains(&value) {
                return Ok(value);
            }
            Err(TimeError::Value(format!("{name} must be in 0..{max}")))
        };
        let hour = part(fields.hour, 23, "hour")?;
        let minute = part(fields.minute, 59, "minute")?;
        let second = part(fields.second, 59, "second")?;
        let microsecond = part(fields.microsecond, 999_999, "microsecond")?;
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        let civil =
            date.civil().at(hour as i8, minute as i8, second as i8, microsecond as i32 * 1000);
        Ok(Self { civil, zone })
    }

    /// A moment, in UTC; below microseconds it is cut off.
    pub fn from_timestamp(now: Timestamp) -> Self {
        Self::from_utc_micros(now.as_microsecond(), Zone::Utc).unwrap_or_else(|_| Self {
            civil: civil::DateTime::constant(1, 1, 1, 0, 0, 0, 0),
            zone: Some(Zone::Utc),
        })
    }

    /// `datetime.fromtimestamp(seconds, tz=utc)` of whole seconds.
    pub fn from_seconds(seconds: i64) -> Result<Self, TimeError> {
        let too_large =
            || TimeError::Overflow("[Errno 75] Value too large for defined data type".to_owned());
        let micros = seconds.checked_mul(SECOND);
        if let Some(moment) = micros.and_then(|m| Self::from_utc_micros(m, Zone::Utc).ok()) {
            return Ok(moment);
        }
        let year = proleptic_year(seconds.div_euclid(86_400));
        let year = i32::try_from(year).map_err(|_| too_large())?;
        Err(TimeError::Value(format!("year {year} is out of range")))
    }

    /// `datetime.fromtimestamp(seconds, tz=utc)` of a float: rounded to
    /// microseconds, half to even.
    pub fn from_float_seconds(seconds: f64) -> Result<Self, TimeError> {
        if seconds.is_nan() {
            return Err(TimeError::value("Invalid value NaN (not a number)"));
        }
        if seconds.abs() >= 9.2e18 {
            let message = "timestamp out of range for platform time_t";
            return Err(TimeError::Overflow(message.to_owned()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked just above")]
        let (whole, micros) =
            (seconds.trunc() as i64, (seconds.fract() * 1e6).round_ties_even() as i64);
        Self::from_seconds(whole)?.plus(TimeDelta::from_micros(micros.into())?)
    }

    /// The moment this many microseconds after the epoch, as seen in `zone`.
    pub fn from_utc_micros(micros: i64, zone: Zone) -> Result<Self, TimeError> {
        let naive = Self { civil: EPOCH, zone: None };
        let utc = naive.plus(TimeDelta::from_micros(micros.into())?)?;
        utc.with_zone(Some(Zone::Utc)).in_zone(zone)
    }

    /// The first moment of `date`, naive.
    pub fn midnight(date: Date) -> Self {
        Self { civil: date.civil().at(0, 0, 0, 0), zone: None }
    }

    /// As jiff's type, without the zone.
    pub fn civil(self) -> civil::DateTime {
        self.civil
    }

    /// The zone; none when naive.
    pub fn zone(self) -> Option<Zone> {
        self.zone
    }

    /// Its numbers, to make another one of them.
    pub fn fields(self) -> Fields {
        Fields {
            year: self.civil.year().into(),
            month: self.civil.month().into(),
            day: self.civil.day().into(),
            hour: self.civil.hour().into(),
            minute: self.civil.minute().into(),
            second: self.civil.second().into(),
            microsecond: self.microsecond(),
        }
    }

    /// The attribute `microsecond`.
    pub fn microsecond(self) -> i64 {
        i64::from(self.civil.subsec_nanosecond() / 1000)
    }

    /// Its day.
    pub fn date(self) -> Date {
        Date(self.civil.date())
    }

    /// The same numbers in another zone, or in none.
    #[must_use]
    pub fn with_zone(self, zone: Option<Zone>) -> Self {
        Self { zone, ..self }
    }

    /// The same moment in another zone; a naive time is taken for UTC.
    pub fn in_zone(self, zone: Zone) -> Result<Self, TimeError> {
        let offset = self.zone.map_or(0, Zone::offset_micros);
        let shift = TimeDelta::from_micros((zone.offset_micros() - offset).into())?;
        Ok(self.with_zone(None).plus(shift)?.with_zone(Some(zone)))
    }

    /// Microseconds since the epoch; a naive time is taken for UTC.
    pub fn utc_micros(self) -> i64 {
        let since_epoch = self.civil.duration_since(EPOCH);
        since_epoch.as_secs() * SECOND + i64::from(since_epoch.subsec_micros())
            - self.zone.map_or(0, Zone::offset_micros)
    }

    /// The method `timestamp()`: seconds since the epoch; a naive time is
    /// taken for UTC.
    pub fn timestamp(self) -> f64 {
        exact_seconds(self.utc_micros().into())
    }

    /// This time `delta` later on the wall.
    pub fn plus(self, delta: TimeDelta) -> Result<Self, TimeError> {
        let shift = SignedDuration::try_from_micros_i128(delta.micros());
        let civil = shift
            .and_then(|shift| self.civil.checked_add(shift).ok())
            .filter(|civil| (1..=9999).contains(&civil.year()))
            .ok_or_else(TimeError::date_out_of_range)?;
        Ok(Self { civil, ..self })
    }

    /// This time `delta` earlier on the wall.
    pub fn minus(self, delta: TimeDelta) -> Result<Self, TimeError> {
        self.plus((-delta)?)
    }

    /// This time a calendar duration later.
    pub fn plus_duration(self, duration: Duration) -> Result<Self, TimeError> {
        let date = duration.shift(self.civil.date(), false)?;
        Self { civil: date.to_datetime(self.civil.time()), ..self }.plus(duration.delta)
    }

    /// This time a calendar duration earlier.
    pub fn minus_duration(self, duration: Duration) -> Result<Self, TimeError> {
        let date = duration.shift(self.civil.date(), true)?;
        Self { civil: date.to_datetime(self.civil.time()), ..self }.minus(duration.delta)
    }

    /// This time later by what an ISO-8601 duration says.
    pub fn plus_span(self, span: Span) -> Result<Self, TimeError> {
        match span {
            Span::Exact(delta) => self.plus(delta),
            Span::Calendar(duration) => self.plus_duration(duration),
        }
    }

    /// This time earlier by what an ISO-8601 duration says.
    pub fn minus_span(self, span: Span) -> Result<Self, TimeError> {
        match span {
            Span::Exact(delta) => self.minus(delta),
            Span::Calendar(duration) => self.minus_duration(duration),
        }
    }

    /// The time from `earlier` to this one.
    pub fn since(self, earlier: Self) -> Result<TimeDelta, TimeError> {
        if self.zone.is_some() != earlier.zone.is_some() {
            let message = "can't subtract offset-naive and offset-aware datetimes";
            return Err(TimeError::Type(message.to_owned()));
        }
        TimeDelta::from_micros(i128::from(self.utc_micros()) - i128::from(earlier.utc_micros()))
    }

    /// Which of two times is the earlier; naive and aware ones do not compare.
    pub fn compare(self, other: Self) -> Result<Ordering, TimeError> {
        if self.zone.is_some() != other.zone.is_some() {
            let message = "can't compare offset-naive and offset-aware datetimes";
            return Err(TimeError::Type(message.to_owned()));
        }
        Ok(self.utc_micros().cmp(&other.utc_micros()))
    }

    /// Python's `strftime`; see [`strftime`].
    pub fn strftime(self, format: &str) -> String {
        strftime(format, &self)
    }

    /// The method `isoformat(sep, timespec)`.
    pub fn isoformat(self, separator: char, timespec: &str) -> Result<String, TimeError> {
        let (time, micros) = (self.civil.time(), self.microsecond());
        let mut out = format!("{}{separator}{:02}", self.date(), time.hour());
        let timespec = match timespec {
            "auto" if micros == 0 => "seconds",
            "auto" => "microseconds",
            other => other,
        };
        if timespec != "hours" {
            let _ = write!(out, ":{:02}", time.minute());
        }
        if matches!(timespec, "seconds" | "milliseconds" | "microseconds") {
            let _ = write!(out, ":{:02}", time.second());
        }
        match timespec {
            "hours" | "minutes" | "seconds" => {}
            "milliseconds" => _ = write!(out, ".{:03}", micros / 1000),
            "microseconds" => _ = write!(out, ".{micros:06}"),
            _ => return Err(TimeError::value("Unknown timespec value")),
        }
        if let Some(zone) = self.zone {
            zone.write_offset(":", &mut out);
        }
        Ok(out)
    }

    /// `repr()`: `datetime.datetime(2024, 5, 6, 7, 8, tzinfo=datetime.timezone.utc)`.
    pub fn repr(self) -> String {
        let Fields { year, month, day, hour, minute, second, microsecond } = self.fields();
        let mut out = format!("datetime.datetime({year}, {month}, {day}, {hour}, {minute}");
        if second != 0 || microsecond != 0 {
            let _ = write!(out, ", {second}");
        }
        if microsecond != 0 {
            let _ = write!(out, ", {microsecond}");
        }
        if let Some(zone) = self.zone {
            let _ = write!(out, ", tzinfo={}", zone.repr());
        }
        out.push(')');
        out
    }
}

/// As Python: aware times are equal when they are the same moment, a naive and
/// an aware one never are.
impl PartialEq for DateTime {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other).is_ok_and(Ordering::is_eq)
    }
}

impl Eq for DateTime {}

impl Hash for DateTime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.utc_micros().hash(state);
    }
}

/// `str()`: `2024-05-06 07:08:09.123456+00:00`.
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.isoformat(' ', "auto").map_err(|_| fmt::Error)?)
    }
}

/// The year of a day counted from the epoch, for messages about years no calendar has.
fn proleptic_year(day: i64) -> i64 {
    // Days are counted from 1 March of year 0, in cycles of 400 years.
    let day = day.saturating_add(719_468);
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    era * 400 + year_of_era + i64::from(day_of_year >= 306)
}

#[cfg(test)]
mod tests {
    use super::super::isoparse;
    use super::*;

    fn at(text: &str) -> DateTime {
        isoparse(text).unwrap()
    }

    #[track_caller]
    fn check_span(start: &str, span: &str, later: &str, earlier: &str) {
        let (start, span) = (at(start), Span::parse(span).unwrap());
        let text = |moved: Result<DateTime, TimeError>| {
            moved.map_or_else(|err| format!("error: {err}"), |moved| moved.to_string())
        };
        assert_eq!(text(start.plus_span(span)), later);
        assert_eq!(text(start.minus_span(span)), earlier);
    }

    #[test]
    fn spans_move_it() {
        check_span("2024-01-31", "P1D", "2024-02-01 00:00:00", "2024-01-30 00:00:00");
        check_span("2024-03-31", "P1M", "2024-04-30 00:00:00", "2024-02-29 00:00:00");
        check_span("2024-02-29", "P1Y", "2025-02-28 00:00:00", "2023-02-28 00:00:00");
        check_span("2024-01-15", "P13MT1S", "2025-02-15 00:00:01", "2022-12-14 23:59:59");
        let fraction = "error: fractional years or months not supported for date calculations";
        check_span("2024-01-15", "P0.5Y", fraction, fraction);
        check_span(
            "5000-01-01",
            "P5000Y",
            "error: year 10000 is out of range",
            "error: year 0 is out of range",
        );
        let overflow = "error: date value out of range";
        check_span("5000-01-01", "P3000000D", overflow, overflow);
    }

    #[track_caller]
    fn check_isoformat(timespec: &str, expect: &str) {
        let when = at("2024-05-06T07:08:09.123456+02:00");
        let text = when.isoformat('T', timespec).unwrap_or_else(|err| format!("error: {err}"));
        assert_eq!(text, expect);
    }

    #[test]
    fn isoformat_shows_as_much_as_asked() {
        check_isoformat("auto", "2024-05-06T07:08:09.123456+02:00");
        check_isoformat("hours", "2024-05-06T07+02:00");
        check_isoformat("minutes", "2024-05-06T07:08+02:00");
        check_isoformat("seconds", "2024-05-06T07:08:09+02:00");
        check_isoformat("milliseconds", "2024-05-06T07:08:09.123+02:00");
        check_isoformat("days", "error: Unknown timespec value");
    }

    #[test]
    fn it_prints_as_python_does() {
        assert_eq!(at("0024-05-06").to_string(), "0024-05-06 00:00:00");
        assert_eq!(at("2024-05-06T07:00Z").to_string(), "2024-05-06 07:00:00+00:00");
        assert_eq!(at("2024-05-06").repr(), "datetime.datetime(2024, 5, 6, 0, 0)");
        assert_eq!(
            at("2024-05-06T07:08:00.5-01:30").repr(),
            "datetime.datetime(2024, 5, 6, 7, 8, 0, 500000, tzinfo=datetime.timezone(\
             datetime.timedelta(days=-1, seconds=81000)))"
        );
    }

    #[test]
    fn moments_compare_across_zones() {
        assert_eq!(at("2024-05-06T07:00+02:00"), at("2024-05-06T05:00Z"));
        assert!(at("2024-05-06T05:00").compare(at("2024-05-06T06:00")).unwrap().is_lt());
        assert_ne!(at("2024-05-06T05:00"), at("2024-05-06T05:00Z"));
        assert!(matches!(
            at("2024-05-06T05:00").compare(at("2024-05-06T05:00Z")),
            Err(TimeError::Type(_))
        ));
        assert!(matches!(
            at("2024-05-06T05:00").since(at("2024-05-06T05:00Z")),
            Err(TimeError::Type(_))
        ));
    }

    #[test]
    fn timestamps_are_exact() {
        let seconds = |text| at(text).timestamp().to_string();
        assert_eq!(seconds("2021-01-14T05:06:07.123456Z"), "1610600767.123456");
        assert_eq!(seconds("9999-12-31T23:59:59.999999"), "253402300800");
        assert_eq!(seconds("2500-01-01T00:00:00.000001"), "16725225600.000002");
        assert_eq!(seconds("0001-01-01"), "-62135596800");
    }

    #[test]
    fn timestamps_out_of_range_name_the_year() {
        let message = |seconds| DateTime::from_seconds(seconds).unwrap_err().to_string();
        assert_eq!(message(1_610_600_767_123), "year 53007 is out of range");
        assert_eq!(message(-62_135_596_801), "year 0 is out of range");
        assert_eq!(message(i64::MAX), "[Errno 75] Value too large for defined data type");
    }
}
