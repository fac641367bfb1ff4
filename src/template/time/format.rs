//! `DatetimeFormat`: the way one field writes its times, as manifests declare it.

use super::date_time::{DateTime, Zone};
use super::error::{TimeError, quoted};
use super::{Strptime, TimeDelta, strftime};
use crate::value::{Json, write_python_float};

/// A `datetime_format` of a manifest, compiled: Python's `strptime` and
/// `strftime` formats, and a few of the reference's own for epochs and
/// milliseconds.
#[derive(Clone, Debug)]
pub struct DatetimeFormat {
    text: String,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// `%s`
    Seconds,
    /// `%s_as_float`
    FloatSeconds,
    /// `%ms`
    Millis,
    /// `%epoch_microseconds`
    Micros,
    /// Anything else. `%_ms` is milliseconds of three digits.
    Pattern { input: Result<Strptime, TimeError>, output: String, has_millis: bool },
}

impl DatetimeFormat {
    /// Compiles a format. One that cannot be read with fails when it is read
    /// with, as in the reference: it may still be good for writing.
    pub fn new(text: &str) -> Self {
        let kind = match text {
            "%s" => Kind::Seconds,
            "%s_as_float" => Kind::FloatSeconds,
            "%ms" => Kind::Millis,
            "%epoch_microseconds" => Kind::Micros,
            _ => {
                let output = text.replace("%_ms", "%f");
                let has_millis = text.contains("%_ms");
                Kind::Pattern { input: Strptime::new(&output), output, has_millis }
            }
        };
        Self { text: text.to_owned(), kind }
    }

    /// The format as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads a time; one that names no zone is in UTC.
    pub fn parse(&self, text: &str) -> Result<DateTime, TimeError> {
        match &self.kind {
            Kind::Pattern { input, .. } => {
                let parsed = input.as_ref().map_err(Clone::clone)?.parse(text)?;
                Ok(parsed.with_zone(parsed.zone().or(Some(Zone::Utc))))
            }
            Kind::FloatSeconds => {
                let seconds = python_float(text).ok_or_else(|| {
                    TimeError::Value(format!("could not convert string to float: {}", quoted(text)))
                })?;
                DateTime::from_float_seconds(seconds)
            }
            _ => self.parse_int(python_int(text).ok_or_else(|| {
                TimeError::Value(format!(
                    "invalid literal for int() with base 10: {}",
                    quoted(text)
                ))
            })?),
        }
    }

    /// Reads a time that is a number, which formats for text read as its digits.
    pub fn parse_int(&self, number: i128) -> Result<DateTime, TimeError> {
        match self.kind {
            Kind::Seconds => {
                let seconds = i64::try_from(number).map_err(|_| {
                    let message = "timestamp out of range for platform time_t";
                    TimeError::Overflow(message.to_owned())
                })?;
                DateTime::from_seconds(seconds)
            }
            Kind::Millis => epoch().plus(TimeDelta::from_millis(number)?),
            Kind::Micros => epoch().plus(TimeDelta::from_micros(number)?),
            Kind::FloatSeconds | Kind::Pattern { .. } => self.parse(&number.to_string()),
        }
    }

    /// Reads a time that is a float, which epoch formats cut off.
    pub fn parse_float(&self, number: f64) -> Result<DateTime, TimeError> {
        match self.kind {
            Kind::FloatSeconds => DateTime::from_float_seconds(number),
            Kind::Pattern { .. } => {
                let mut text = String::new();
                write_python_float(number, &mut text);
                self.parse(&text)
            }
            _ if number.is_nan() => Err(TimeError::value("cannot convert float NaN to integer")),
            _ if number.is_infinite() => {
                Err(TimeError::Overflow("cannot convert float infinity to integer".to_owned()))
            }
            #[expect(clippy::cast_possible_truncation, reason = "saturates far out of range")]
            _ => self.parse_int(number.trunc() as i128),
        }
    }

    /// Reads the value of a field of a record.
    pub fn parse_json(&self, value: &Json) -> Result<DateTime, TimeError> {
        let is_number = !matches!(self.kind, Kind::Pattern { .. });
        match value {
            Json::String(text) => self.parse(text),
            Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), _, _) => self.parse_int(number.into()),
                (_, Some(number), _) => self.parse_int(number.into()),
                (_, _, number) => self.parse_float(number.unwrap_or(f64::NAN)),
            },
            Json::Bool(flag) if is_number => self.parse_int((*flag).into()),
            Json::Bool(flag) => self.parse(if *flag { "True" } else { "False" }),
            Json::Null if !is_number => self.parse("None"),
            Json::Array(_) | Json::Object(_) if !is_number => self.parse(&value.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => {
                let type_name = match value {
                    Json::Null => "NoneType",
                    Json::Array(_) => "list",
                    _ => "dict",
                };
                let message = if matches!(self.kind, Kind::FloatSeconds) {
                    format!("float() argument must be a string or a real number, not '{type_name}'")
                } else {
                    format!(
                        "int() argument must be a string, a bytes-like object or a real number, \
                         not '{type_name}'"
                    )
                };
                Err(TimeError::Type(message))
            }
        }
    }

    /// Writes a time as this format has it.
    pub fn format(&self, when: DateTime) -> String {
        match &self.kind {
            // The reference goes through a float here, and its rounding shows.
            Kind::Seconds => scaled_timestamp(when, 1.0),
            Kind::Millis => scaled_timestamp(when, 1e3),
            Kind::Micros => scaled_timestamp(when, 1e6),
            Kind::FloatSeconds => {
                let mut out = String::new();
                write_python_float(when.timestamp(), &mut out);
                out
            }
            Kind::Pattern { output, has_millis: false, .. } => strftime(output, &when),
            Kind::Pattern { output, has_millis: true, .. } => {
                // Also digits that only look like the microseconds are replaced.
                let micros = format!("{:06}", when.microsecond());
                strftime(output, &when).replace(&micros, &micros[..3])
            }
        }
    }
}

fn scaled_timestamp(when: DateTime, factor: f64) -> String {
    format!("{:.0}", (when.timestamp() * factor).trunc() + 0.0)
}

fn epoch() -> DateTime {
    DateTime::from_timestamp(jiff::Timestamp::UNIX_EPOCH)
}

/// Python's `int(text)`: blanks around it, a sign, and single underscores
/// between digits. Numbers beyond any date are cut to one that is.
pub(super) fn python_int(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    if !is_plain || digits.split('_').any(str::is_empty) {
        return None;
    }
    let digits = digits.bytes().filter(u8::is_ascii_digit);
    let number = digits.fold(0_i128, |number, digit| {
        number.saturating_mul(10).saturating_add(i128::from(digit - b'0'))
    });
    Some(if text.starts_with('-') { -number } else { number })
}

/// Python's `float(text)`.
fn python_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_split = |(idx, _): (usize, &str)| {
        let digit_at = |idx: Option<usize>| {
            idx.and_then(|idx| text.as_bytes().get(idx)).is_some_and(u8::is_ascii_digit)
        };
        digit_at(idx.checked_sub(1)) && digit_at(Some(idx + 1))
    };
    text.match_indices('_').all(is_split).then(|| text.replace('_', "").parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Json, format: &str, expect: &str) {
        let got = DatetimeFormat::new(format).parse_json(value);
        let got = got.map_or_else(|err| format!("error: {err}"), |dt| dt.to_string());
        assert_eq!(got, expect, "{value} as {format:?}");
    }

    #[track_caller]
    fn check_output(micros: i64, format: &str, expect: &str) {
        let when = DateTime::from_utc_micros(micros, Zone::Utc).unwrap();
        assert_eq!(DatetimeFormat::new(format).format(when), expect);
    }

    #[test]
    fn epochs() {
        check(&json!(1_610_600_767), "%s", "2021-01-14 05:06:07+00:00");
        check(&json!(" 1_610_600_767 "), "%s", "2021-01-14 05:06:07+00:00");
        check(&json!(1_610_600_767.9), "%s", "2021-01-14 05:06:07+00:00");
        check(&json!(-5), "%s", "1969-12-31 23:59:55+00:00");
        check(&json!(true), "%s", "1970-01-01 00:00:01+00:00");
        check(&json!("1610600767.5"), "%s_as_float", "2021-01-14 05:06:07.500000+00:00");
        check(&json!(-0.5), "%s_as_float", "1969-12-31 23:59:59.500000+00:00");
        check(&json!(1_610_600_767_123_i64), "%ms", "2021-01-14 05:06:07.123000+00:00");
        check(&json!("5"), "%epoch_microseconds", "1970-01-01 00:00:00.000005+00:00");
    }

    #[test]
    fn patterns() {
        check(&json!("2021-01-14"), "%Y-%m-%d", "2021-01-14 00:00:00+00:00");
        check(&json!(20_210_114), "%Y%m%d", "2021-01-14 00:00:00+00:00");
        check(&json!("2021.5"), "%Y.%_ms", "2021-01-01 00:00:00.500000+00:00");
        check(&json!("2021+01:00"), "%Y%z", "2021-01-01 00:00:00+01:00");
    }

    #[test]
    fn refusals() {
        check(&json!(1_610_600_767_123_i64), "%s", "error: year 53007 is out of range");
        check(&json!("1.5"), "%s", "error: invalid literal for int() with base 10: '1.5'");
        check(&json!("1__5"), "%ms", "error: invalid literal for int() with base 10: '1__5'");
        check(&json!("x"), "%s_as_float", "error: could not convert string to float: 'x'");
        check(&json!(null), "%Y", "error: time data 'None' does not match format '%Y'");
        check(&json!("x"), "%Q", "error: 'Q' is a bad directive in format '%Q'");
        check(&json!(300_000_000_000_000_i64), "%ms", "error: date value out of range");
        assert!(!DatetimeFormat::new("%s").parse_json(&json!(null)).unwrap_err().is_value_error());
    }

    #[test]
    fn outputs() {
        check_output(1_610_600_767_123_456, "%s", "1610600767");
        check_output(-500_000, "%s", "0");
        check_output(1_610_600_767_000_000, "%s_as_float", "1610600767.0");
        check_output(1_610_600_767_123_456, "%ms", "1610600767123");
        check_output(1_610_600_767_123_456, "%epoch_microseconds", "1610600767123456");
        check_output(1_610_600_767_123_456, "%S.%_msZ", "07.123Z");
        // The microseconds are 000000, and so are other digits of the text.
        check_output(0, "000000 %_ms", "000 000");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999,
            format in prop::sample::select(vec![
                "%Y-%m-%dT%H:%M:%S.%fZ", "%epoch", "%Y-%m-%dT%H:%M:%S.%f%z", "%j %y %G",
            ]),
        ) {
            let format = DatetimeFormat::new(if format.len() > 8 { format } else { "%Y%j%H%M%S%f" });
            let when = DateTime::from_utc_micros(micros, Zone::Utc).unwrap();
            prop_assume!(when.fields().year >= 1000);
            prop_assert_eq!(format.parse(&format.format(when)).unwrap(), when);
        }

        #[test]
        fn no_text_makes_it_panic(format in ".{0,12}", text in ".{0,24}") {
            let _ = DatetimeFormat::new(&format).parse(&text);
            let _ = DatetimeFormat::new(&format).format(epoch());
        }

        #[test]
        fn no_digits_make_it_panic(text in "[0-9+:Z .-]{0,30}") {
            let _ = DatetimeFormat::new("%Y-%m-%d %H:%M:%S.%f%z").parse(&text);
            let _ = DatetimeFormat::new("%d%j%U%V%z").parse(&text);
            let _ = super::super::isoparse(&text);
            let _ = super::super::Span::parse(&text);
        }
    }
}
