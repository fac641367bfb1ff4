//! ISO-8601 dates and times as `dateutil`'s `isoparse` reads them.
//!
//! It is stricter than a general date parser and, here and there, odder than
//! the standard: any single character may stand between date and time, and a
//! number may be written like a Python integer (`+1` for two digits).

use jiff::civil;

use super::date_time::{DateTime, Fields, Zone};
use super::{Date, TimeDelta, TimeError};

/// Reads an ISO-8601 date, with or without a time and a zone.
pub fn isoparse(text: &str) -> Result<DateTime, TimeError> {
    if !text.is_ascii() {
        return Err(TimeError::value("ISO-8601 strings should contain only ASCII characters"));
    }
    let text = text.as_bytes();
    let (date, end) = match common_date(text) {
        Ok(found) => found,
        Err(_) => uncommon_date(text)?,
    };
    let mut fields = Fields { year: date.0, month: date.1, day: date.2, ..Fields::default() };
    let mut zone = None;
    if end < text.len() {
        zone = read_time(&text[end + 1..], &mut fields)?;
    }
    if fields.hour == 24 {
        fields.hour = 0;
        return DateTime::new(fields, zone)?.plus(TimeDelta::from_days(1.0)?);
    }
    DateTime::new(fields, zone)
}

/// The macro `str_to_datetime`: an ISO-8601 text as a moment in UTC, which is
/// also the zone of a text that names none.
pub fn str_to_datetime(text: &str) -> Result<DateTime, TimeError> {
    isoparse(text)?.in_zone(Zone::PytzUtc)
}

/// Year, month and day, and where in the text they end.
type Found = ((i64, i64, i64), usize);

/// `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `YYYYMMDD`.
fn common_date(text: &[u8]) -> Result<Found, TimeError> {
    if text.len() < 4 {
        return Err(TimeError::value("ISO string too short"));
    }
    let year = integer(&text[..4])?;
    if text.len() == 4 {
        return Ok(((year, 1, 1), 4));
    }
    let has_dashes = text[4] == b'-';
    let mut pos = 4 + usize::from(has_dashes);
    let month =
        integer(text.get(pos..pos + 2).ok_or_else(|| TimeError::value("Invalid common month"))?)?;
    pos += 2;
    if pos >= text.len() {
        if has_dashes {
            return Ok(((year, month, 1), pos));
        }
        return Err(TimeError::value("Invalid ISO format"));
    }
    if has_dashes {
        if text[pos] != b'-' {
            return Err(TimeError::value("Invalid separator in ISO string"));
        }
        pos += 1;
    }
    let day =
        integer(text.get(pos..pos + 2).ok_or_else(|| TimeError::value("Invalid common day"))?)?;
    Ok(((year, month, day), pos + 2))
}

/// `YYYY-Www`, `YYYY-Www-D`, `YYYY-DDD`, each also without dashes.
fn uncommon_date(text: &[u8]) -> Result<Found, TimeError> {
    if text.len() < 4 {
        return Err(TimeError::value("ISO string too short"));
    }
    let year = integer(&text[..4])?;
    let has_dashes = text.get(4) == Some(&b'-');
    let mut pos = 4 + usize::from(has_dashes);
    let date = if text.get(pos) == Some(&b'W') {
        pos += 1;
        let week = integer(upto(text, pos, 2))?;
        pos += 2;
        let mut weekday = 1;
        if text.len() > pos {
            if (text[pos] == b'-') != has_dashes {
                return Err(TimeError::value("Inconsistent use of dash separator"));
            }
            pos += usize::from(has_dashes);
            weekday = integer(upto(text, pos, 1))?;
            pos += 1;
        }
        week_date(year, week, weekday)?
    } else {
        let day = text.get(pos..pos + 3).ok_or_else(|| TimeError::value("Invalid ordinal day"))?;
        let day = integer(day)?;
        pos += 3;
        let n_days = Date::new(year, 1, 1).map_or(366, |first| first.0.days_in_year().into());
        if !(1..=n_days).contains(&day) {
            let message = format!("Invalid ordinal day {day} for year {year}");
            return Err(TimeError::Value(message));
        }
        days_after(Date::new(year, 1, 1)?, day - 1)?
    };
    let date = date.civil();
    Ok(((date.year().into(), date.month().into(), date.day().into()), pos))
}

fn week_date(year: i64, week: i64, weekday: i64) -> Result<Date, TimeError> {
    if !(1..=53).contains(&week) {
        return Err(TimeError::Value(format!("Invalid week: {week}")));
    }
    if !(1..=7).contains(&weekday) {
        return Err(TimeError::Value(format!("Invalid weekday: {weekday}")));
    }
    // The first week is the one with 4 January in it.
    let fourth: civil::Date = Date::new(year, 1, 4)?.civil();
    let monday_offset = i64::from(fourth.weekday().to_monday_zero_offset());
    days_after(Date(fourth), (week - 1) * 7 + (weekday - 1) - monday_offset)
}

fn days_after(date: Date, n_days: i64) -> Result<Date, TimeError> {
    date.plus(TimeDelta::from_micros(i128::from(n_days) * 86_400_000_000)?)
}

/// Reads `HH`, `HH:MM`, `HH:MM:SS[.ffffff]` or the same without colons, and
/// the zone behind it.
fn read_time(text: &[u8], fields: &mut Fields) -> Result<Option<Zone>, TimeError> {
    if text.len() < 2 {
        return Err(TimeError::value("ISO time too short"));
    }
    let mut zone = None;
    let mut has_colons = false;
    let mut pos = 0;
    // Hour, minute, second, fraction, and the rounds in which only a zone can follow.
    for part in 0..=5 {
        if pos >= text.len() {
            break;
        }
        if matches!(text[pos], b'-' | b'+' | b'Z' | b'z') {
            zone = Some(read_zone(&text[pos..])?);
            pos = text.len();
            break;
        }
        if part == 1 && text[pos] == b':' {
            has_colons = true;
            pos += 1;
        } else if part == 2 && has_colons {
            if text[pos] != b':' {
                return Err(TimeError::value("Inconsistent use of colon separator"));
            }
            pos += 1;
        }
        if part < 3 {
            let number = integer(upto(text, pos, 2))?;
            match part {
                0 => fields.hour = number,
                1 => fields.minute = number,
                _ => fields.second = number,
            }
            pos += 2;
        } else if part == 3 && matches!(text[pos], b'.' | b',') {
            let digits = text[pos + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
            if digits > 0 {
                fields.microsecond = (0..6)
                    .map(|idx| if idx < digits { text[pos + 1 + idx] - b'0' } else { 0 })
                    .fold(0, |micros, digit| micros * 10 + i64::from(digit));
                pos += 1 + digits;
            }
        }
    }
    if pos < text.len() {
        return Err(TimeError::value("Unused components in ISO string"));
    }
    if fields.hour == 24 && (fields.minute, fields.second, fields.microsecond) != (0, 0, 0) {
        return Err(TimeError::value("Hour may only be 24 at 24:00:00.000"));
    }
    Ok(zone)
}

/// `Z`, `±HH`, `±HHMM`, `±HH:MM`.
fn read_zone(text: &[u8]) -> Result<Zone, TimeError> {
    if matches!(text, b"Z" | b"z") {
        return Ok(Zone::Utc);
    }
    if !matches!(text.len(), 3 | 5 | 6) {
        return Err(TimeError::value("Time zone offset must be 1, 3, 5 or 6 characters"));
    }
    let sign = match text[0] {
        b'-' => -1,
        b'+' => 1,
        _ => return Err(TimeError::value("Time zone offset requires sign")),
    };
    let hours = integer(&text[1..3])?;
    let minutes = match text.get(3) {
        None => 0,
        Some(b':') => integer(&text[4..])?,
        Some(_) => integer(&text[3..])?,
    };
    if minutes > 59 {
        return Err(TimeError::value("Invalid minutes in time zone offset"));
    }
    if hours > 23 {
        return Err(TimeError::value("Invalid hours in time zone offset"));
    }
    Zone::fixed(sign * (hours * 60 + minutes) * 60_000_000)
}

/// At most `len` bytes from `pos` on, as Python slices.
fn upto(text: &[u8], pos: usize, len: usize) -> &[u8] {
    &text[pos.min(text.len())..(pos + len).min(text.len())]
}

/// Python's `int()` of a few bytes.
fn integer(digits: &[u8]) -> Result<i64, TimeError> {
    let text = str::from_utf8(digits).unwrap_or_default();
    super::format::python_int(text).and_then(|number| number.try_into().ok()).ok_or_else(|| {
        TimeError::Value(format!(
            "invalid literal for int() with base 10: b{}",
            super::quoted(text)
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = isoparse(text).map_or_else(|err| format!("error: {err}"), |dt| dt.to_string());
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn dates() {
        check("2021", "2021-01-01 00:00:00");
        check("2021-02", "2021-02-01 00:00:00");
        check("2021-02-03", "2021-02-03 00:00:00");
        check("20210203", "2021-02-03 00:00:00");
        check("2021-W02", "2021-01-11 00:00:00");
        check("2021W025", "2021-01-15 00:00:00");
        check("2020-W53-5", "2021-01-01 00:00:00");
        check("2024-366", "2024-12-31 00:00:00");
        check("2021034", "2021-02-03 00:00:00");
    }

    #[test]
    fn times_and_zones() {
        check("2021-01-14T05", "2021-01-14 05:00:00");
        check("2021-01-14 05:06", "2021-01-14 05:06:00");
        check("20210114T050607Z", "2021-01-14 05:06:07+00:00");
        check("2021-01-14x05:06:07.5-0330", "2021-01-14 05:06:07.500000-03:30");
        check("2021-01-14T05:06:07,123456789+02", "2021-01-14 05:06:07.123456+02:00");
        check("2021-01-14T24:00:00", "2021-01-15 00:00:00");
        check("2021-01-14T05:06Z", "2021-01-14 05:06:00+00:00");
        check("2021-01-14T05:06:07-00:00", "2021-01-14 05:06:07+00:00");
    }

    #[test]
    fn refusals() {
        check("", "error: ISO string too short");
        check("14/01/2021", "error: invalid literal for int() with base 10: b'14/0'");
        check("1610600767", "error: ISO time too short");
        check("2021-13-01", "error: month must be in 1..12");
        check("2021-02-30", "error: day is out of range for month");
        check("2021-1-1", "error: invalid literal for int() with base 10: b'1-1'");
        check("2021-01-14T24:01", "error: Hour may only be 24 at 24:00:00.000");
        check("2021-01-14T05:06:07.", "error: Unused components in ISO string");
        check("2021-01-14T05:0607", "error: Inconsistent use of colon separator");
        check("2021-01-14T05:06:07+1", "error: Time zone offset must be 1, 3, 5 or 6 characters");
        check("2021-01-14T05:06:07+24:00", "error: Invalid hours in time zone offset");
        check("2021‑01", "error: ISO-8601 strings should contain only ASCII characters");
    }

    #[test]
    fn moments_are_in_utc() {
        assert_eq!(
            str_to_datetime("2021-01-14T05:06:07+02:00").unwrap().repr(),
            "datetime.datetime(2021, 1, 14, 3, 6, 7, tzinfo=<UTC>)"
        );
    }
}
