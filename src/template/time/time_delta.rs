//! `TimeDelta`: an exact length of time, Python's `datetime.timedelta`.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "floats are cut and rounded as Python does; limits are checked"
)]

use std::fmt;
use std::ops::Neg;

use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};

use super::TimeError;

const SECOND: i128 = 1_000_000;
const DAY: i128 = 86_400 * SECOND;
const MAX_DAYS: i128 = 999_999_999;

/// A length of time in whole microseconds, up to 999,999,999 days either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeDelta {
    days: i32,
    /// Within the day.
    seconds: i32,
    /// Within the second.
    microseconds: i32,
}

impl TimeDelta {
    /// No time at all.
    pub const ZERO: Self = Self { days: 0, seconds: 0, microseconds: 0 };

    /// A length in microseconds.
    pub fn from_micros(micros: i128) -> Result<Self, TimeError> {
        let days = micros.div_euclid(DAY);
        if days.abs() > MAX_DAYS {
            return Err(TimeError::Overflow(match i32::try_from(days) {
                Ok(_) => format!("days={days}; must have magnitude <= {MAX_DAYS}"),
                Err(_) => "Python int too large to convert to C int".to_owned(),
            }));
        }
        let within = micros.rem_euclid(DAY);
        Ok(Self {
            days: days as i32,
            seconds: (within / SECOND) as i32,
            microseconds: (within % SECOND) as i32,
        })
    }

    /// A length in milliseconds.
    pub fn from_millis(millis: i128) -> Result<Self, TimeError> {
        Self::from_micros(millis.saturating_mul(1000))
    }

    /// `timedelta(days=…)`.
    pub fn from_days(days: f64) -> Result<Self, TimeError> {
        Self::sum(&[(days, Unit::Day)])
    }

    /// `timedelta(…)` of several floats: whole parts are added exactly, what is
    /// left of all fractions is rounded once, half to even.
    pub fn sum(parts: &[(f64, Unit)]) -> Result<Self, TimeError> {
        let mut micros: i128 = 0;
        let mut rest = 0.0;
        for &(count, unit) in parts {
            if !count.is_finite() {
                let what = if count.is_nan() { "NaN" } else { "infinity" };
                let message = format!("cannot convert float {what} to integer");
                return Err(if count.is_nan() {
                    TimeError::Value(message)
                } else {
                    TimeError::Overflow(message)
                });
            }
            let scaled_fraction = count.fract() * unit.micros() as f64;
            micros = micros
                .saturating_add((count.trunc() as i128).saturating_mul(unit.micros()))
                .saturating_add(scaled_fraction.trunc() as i128);
            rest += scaled_fraction.fract();
        }
        let mut rounded = rest.round();
        #[expect(clippy::float_cmp, reason = "a half is exact")]
        if (rounded - rest).abs() == 0.5 {
            let odd = (micros & 1) as f64;
            rounded = 2.0 * ((rest + odd) * 0.5).round() - odd;
        }
        Self::from_micros(micros.saturating_add(rounded as i128))
    }

    /// The whole length in microseconds.
    pub fn micros(self) -> i128 {
        i128::from(self.days) * DAY
            + i128::from(self.seconds) * SECOND
            + i128::from(self.microseconds)
    }

    /// The attribute `days`: whole days, rounded down.
    pub fn days(self) -> i64 {
        self.days.into()
    }

    /// The attribute `seconds`: what is left of a day, 0 to 86,399.
    pub fn seconds(self) -> i64 {
        self.seconds.into()
    }

    /// The attribute `microseconds`: what is left of a second.
    pub fn microseconds(self) -> i64 {
        self.microseconds.into()
    }

    /// The whole length in seconds, correctly rounded.
    pub fn total_seconds(self) -> f64 {
        exact_seconds(self.micros())
    }

    /// Whether there is no time in it, that is, Python holds it for false.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, TimeError> {
        Self::from_micros(self.micros() + other.micros())
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, TimeError> {
        Self::from_micros(self.micros() - other.micros())
    }

    /// This length `count` times.
    pub fn times(self, count: i128) -> Result<Self, TimeError> {
        Self::from_micros(self.micros().saturating_mul(count))
    }

    /// This length times a float, rounded half to even.
    pub fn times_float(self, factor: f64) -> Result<Self, TimeError> {
        let (numerator, denominator) = integer_ratio(factor)?;
        Self::rounded_quotient(&(BigInt::from(self.micros()) * numerator), &denominator)
    }

    /// The `count`th part, rounded half to even.
    pub fn divided_by(self, count: i128) -> Result<Self, TimeError> {
        Self::rounded_quotient(&self.micros().into(), &count.into())
    }

    /// This length divided by a float, rounded half to even.
    pub fn divided_by_float(self, divisor: f64) -> Result<Self, TimeError> {
        let (numerator, denominator) = integer_ratio(divisor)?;
        Self::rounded_quotient(&(BigInt::from(self.micros()) * denominator), &numerator)
    }

    /// The `count`th part, rounded down.
    pub fn floor_divided_by(self, count: i128) -> Result<Self, TimeError> {
        if count == 0 {
            return Err(division_by_zero());
        }
        Self::from_micros(num_integer::Integer::div_floor(&self.micros(), &count))
    }

    /// How often `other` goes into this length.
    pub fn ratio(self, other: Self) -> Result<f64, TimeError> {
        if other.is_zero() {
            return Err(division_by_zero());
        }
        Ok(self.micros() as f64 / other.micros() as f64)
    }

    /// How often `other` goes into this length as a whole, and what is left.
    pub fn div_mod(self, other: Self) -> Result<(i128, Self), TimeError> {
        if other.is_zero() {
            return Err(division_by_zero());
        }
        let (quotient, micros) =
            num_integer::Integer::div_mod_floor(&self.micros(), &other.micros());
        Ok((quotient, Self::from_micros(micros)?))
    }

    /// The length without its sign.
    pub fn abs(self) -> Result<Self, TimeError> {
        Self::from_micros(self.micros().abs())
    }

    fn rounded_quotient(numerator: &BigInt, denominator: &BigInt) -> Result<Self, TimeError> {
        if denominator.is_zero() {
            return Err(division_by_zero());
        }
        let (quotient, rest) = num_integer::Integer::div_mod_floor(numerator, denominator);
        let doubled: BigInt = rest * 2;
        // Of the two neighbours the nearer is taken; in the middle, the even one.
        let order = doubled.magnitude().cmp(denominator.magnitude());
        let is_odd = num_integer::Integer::is_odd(&quotient);
        let is_up = order.is_gt() || (order.is_eq() && is_odd);
        let micros = quotient + i32::from(is_up);
        Self::from_micros(micros.to_i128().unwrap_or(i128::MAX / 2))
    }

    /// `repr()`: `datetime.timedelta(days=1, seconds=5)`.
    pub fn repr(self) -> String {
        let parts = [
            ("days", self.days()),
            ("seconds", self.seconds()),
            ("microseconds", self.microseconds()),
        ]
        .iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| format!("{name}={count}"))
        .collect::<Vec<_>>();
        let parts = if parts.is_empty() { "0".to_owned() } else { parts.join(", ") };
        format!("datetime.timedelta({parts})")
    }
}

impl Neg for TimeDelta {
    type Output = Result<Self, TimeError>;

    fn neg(self) -> Self::Output {
        Self::from_micros(-self.micros())
    }
}

/// `str()`: `1 day, 0:00:00`, `-1 day, 23:59:59.500000`.
impl fmt::Display for TimeDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = self.days();
        if days != 0 {
            write!(f, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        let seconds = self.seconds();
        write!(f, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        match self.microseconds() {
            0 => Ok(()),
            micros => write!(f, ".{micros:06}"),
        }
    }
}

/// What [`TimeDelta::sum`] counts in.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
}

impl Unit {
    fn micros(self) -> i128 {
        match self {
            Self::Microsecond => 1,
            Self::Millisecond => 1000,
            Self::Second => SECOND,
            Self::Minute => 60 * SECOND,
            Self::Hour => 3600 * SECOND,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }
}

/// Microseconds as seconds: the float nearest to the exact quotient.
pub(super) fn exact_seconds(micros: i128) -> f64 {
    const EXACT: i128 = 1 << 53;
    if micros.abs() <= EXACT {
        return micros as f64 / 1e6;
    }
    let (seconds, rest) = (micros / SECOND, (micros % SECOND).abs());
    // Reading a decimal rounds once, where a division of a rounded number would round twice.
    format!("{seconds}.{rest:06}").parse().unwrap_or(f64::NAN)
}

/// `float.as_integer_ratio()`.
fn integer_ratio(number: f64) -> Result<(BigInt, BigInt), TimeError> {
    if number.is_nan() {
        return Err(TimeError::value("cannot convert NaN to integer ratio"));
    }
    if number.is_infinite() {
        return Err(TimeError::Overflow("cannot convert Infinity to integer ratio".to_owned()));
    }
    let (mantissa, exponent, sign) = num_traits::Float::integer_decode(number);
    let mantissa = BigInt::from(mantissa) * sign;
    let scale = BigInt::from(1) << exponent.unsigned_abs();
    Ok(if exponent < 0 { (mantissa, scale) } else { (mantissa * scale, BigInt::from(1)) })
}

fn division_by_zero() -> TimeError {
    TimeError::ZeroDivision("integer division or modulo by zero".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(delta: Result<TimeDelta, TimeError>, expect: &str) {
        let text = delta.map_or_else(|err| format!("error: {err}"), |delta| delta.to_string());
        assert_eq!(text, expect);
    }

    fn hours(count: f64) -> TimeDelta {
        TimeDelta::sum(&[(count, Unit::Hour)]).unwrap()
    }

    #[test]
    fn it_prints_as_python_does() {
        check(Ok(TimeDelta::ZERO), "0:00:00");
        check(Ok(hours(36.5)), "1 day, 12:30:00");
        check(-hours(1.0), "-1 day, 23:00:00");
        check(Ok(hours(-48.0)), "-2 days, 0:00:00");
        check(TimeDelta::from_micros(5), "0:00:00.000005");
        assert_eq!(TimeDelta::ZERO.repr(), "datetime.timedelta(0)");
        assert_eq!(hours(-1.0).repr(), "datetime.timedelta(days=-1, seconds=82800)");
    }

    #[test]
    fn fractions_round_half_to_even() {
        check(TimeDelta::sum(&[(0.5, Unit::Microsecond)]), "0:00:00");
        check(TimeDelta::sum(&[(1.5, Unit::Microsecond)]), "0:00:00.000002");
        check(TimeDelta::from_micros(5).unwrap().divided_by(2), "0:00:00.000002");
        check(TimeDelta::from_micros(7).unwrap().divided_by(-2), "-1 day, 23:59:59.999996");
        check(hours(1.0).times_float(0.1), "0:06:00");
        check(hours(1.0).divided_by_float(0.5), "2:00:00");
        check(TimeDelta::from_days(1.5), "1 day, 12:00:00");
    }

    #[test]
    fn division() {
        assert_eq!(hours(5.0).ratio(hours(2.0)), Ok(2.5));
        assert_eq!(hours(-5.0).div_mod(hours(2.0)), Ok((-3, hours(1.0))));
        check(hours(1.0).floor_divided_by(7), "0:08:34.285714");
        check(hours(1.0).divided_by(0), "error: integer division or modulo by zero");
    }

    #[test]
    fn limits() {
        check(
            TimeDelta::from_days(1e9),
            "error: days=1000000000; must have magnitude <= 999999999",
        );
        check(
            TimeDelta::from_days(f64::INFINITY),
            "error: cannot convert float infinity to integer",
        );
        check(hours(1.0).times_float(f64::NAN), "error: cannot convert NaN to integer ratio");
        check(hours(1.0).times(i128::MAX), "error: Python int too large to convert to C int");
    }
}
