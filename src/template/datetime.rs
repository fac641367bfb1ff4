//! The date and time values of Python's `datetime` and `isodate` modules.

use jiff::civil;

/// Python's `datetime.datetime`: a local time to the microsecond, and how far
/// it is from UTC when that is known.
#[derive(Clone, Copy, Debug)]
pub struct DateTime {
    /// The local date and time; years 1 to 9999, whole microseconds.
    pub civil: civil::DateTime,
    /// Where that local time applies; `None` is a naive datetime.
    pub zone: Option<Zone>,
}

/// The `tzinfo` of an aware datetime; the kinds differ in how they print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// `datetime.timezone.utc`.
    Utc,
    /// `pytz.utc`, printed as `<UTC>`.
    PytzUtc,
    /// `datetime.timezone` at a fixed distance east of UTC, in seconds.
    Fixed(i32),
}

impl Zone {
    /// The distance east of UTC, in seconds.
    pub fn offset_seconds(self) -> i32 {
        match self {
            Self::Utc | Self::PytzUtc => 0,
            Self::Fixed(seconds) => seconds,
        }
    }
}

/// Python's `datetime.timedelta`, normalised as Python does: `seconds` within a
/// day and `microseconds` within a second are never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeDelta {
    /// Whole days, negative for a negative span.
    pub days: i32,
    /// Seconds within the day, `0..86_400`.
    pub seconds: i32,
    /// Microseconds within the second, `0..1_000_000`.
    pub microseconds: i32,
}

/// `isodate.Duration`: years and months, which have no fixed length, and the rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Duration {
    /// Calendar years; isodate allows fractions, which fail when they are added to a date.
    pub years: f64,
    /// Calendar months.
    pub months: f64,
    /// The part of fixed length.
    pub rest: TimeDelta,
}
