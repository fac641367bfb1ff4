//! `strptime` as `CPython` does it: not the C library's, but a regular
//! expression made from the format.
//!
//! A format is compiled once to a list of items, which are matched with the
//! same preferences and the same backtracking as the expression would be.

use std::ops::Range;

use super::date_time::{DateTime, Fields, Zone};
use super::error::{TimeError, quoted};
use super::strftime::{MONTHS, WEEKDAYS};
use super::{Date, TimeDelta};

/// A compiled `strptime` format.
#[derive(Clone, Debug)]
pub struct Strptime {
    format: String,
    items: Vec<Item>,
}

#[derive(Clone, Debug, PartialEq)]
enum Item {
    /// One character, in either case.
    Literal(char),
    /// A run of whitespace, at least one.
    Whitespace,
    /// A directive that reads a number: at most and at least so many digits,
    /// and the values that fewer, and that so many digits may have.
    Number {
        directive: u8,
        widths: (usize, usize),
        least: u32,
        most: u32,
    },
    /// A directive that reads one of some names.
    Name {
        directive: u8,
        names: &'static [&'static str],
    },
    Fraction,
    Offset,
}

/// Parts that a format may have: each that matches in several ways is tried within the one before.
const MAX_ITEMS: usize = 1000;

impl Strptime {
    /// Compiles `format`.
    pub fn new(format: &str) -> Result<Self, TimeError> {
        let mut compiled = Self { format: format.to_owned(), items: Vec::new() };
        compiled.compile(format)?;
        if compiled.items.len() > MAX_ITEMS {
            let message =
                format!("a time format has at most {MAX_ITEMS} characters and directives");
            return Err(TimeError::Value(message));
        }
        let mut seen = Vec::new();
        for directive in compiled.items.iter().filter_map(Item::directive) {
            if seen.contains(&directive) {
                return Err(TimeError::Value(format!(
                    "redefinition of group name '{}' in format {}",
                    char::from(directive),
                    quoted(format)
                )));
            }
            seen.push(directive);
        }
        Ok(compiled)
    }

    fn compile(&mut self, format: &str) -> Result<(), TimeError> {
        let mut chars = format.chars();
        while let Some(char) = chars.next() {
            if is_space(char) {
                if self.items.last() != Some(&Item::Whitespace) {
                    self.items.push(Item::Whitespace);
                }
                continue;
            }
            if char != '%' {
                self.items.push(Item::Literal(char));
                continue;
            }
            let Some(directive) = chars.next() else {
                let format = &self.format;
                return Err(TimeError::Value(format!("stray % in format '{format}'")));
            };
            match directive {
                'c' => self.compile("%a %b %d %H:%M:%S %Y")?,
                'x' => self.compile("%m/%d/%y")?,
                'X' => self.compile("%H:%M:%S")?,
                _ => self.items.push(Item::of(directive).ok_or_else(|| {
                    // The reference escapes these before it looks at them.
                    let is_escaped = is_space(directive) || r"\.^$*+?(){}[]|".contains(directive);
                    let directive = if is_escaped { '%' } else { directive };
                    let format = &self.format;
                    TimeError::Value(format!(
                        "'{directive}' is a bad directive in format '{format}'"
                    ))
                })?),
            }
        }
        Ok(())
    }

    /// Reads a time; it is naive unless the format has a `%z`.
    pub fn parse(&self, text: &str) -> Result<DateTime, TimeError> {
        let mut found = Found::default();
        let Some(end) = match_items(&self.items, text, 0, &mut found) else {
            return Err(TimeError::Value(format!(
                "time data {} does not match format {}",
                quoted(text),
                quoted(&self.format)
            )));
        };
        if end < text.len() {
            let rest = &text[end..];
            return Err(TimeError::Value(format!("unconverted data remains: {rest}")));
        }
        found.resolve(text)
    }
}

impl Item {
    fn of(directive: char) -> Option<Self> {
        let number = |widths, least, most| {
            let directive = u8::try_from(directive).ok()?;
            Some(Self::Number { directive, widths, least, most })
        };
        let name = |names| {
            let directive = u8::try_from(directive).ok()?;
            Some(Self::Name { directive, names })
        };
        match directive {
            '%' => Some(Self::Literal('%')),
            'd' => number((2, 1), 1, 31),
            'H' => number((2, 1), 0, 23),
            'I' | 'm' => number((2, 1), 1, 12),
            'j' => number((3, 1), 1, 366),
            'M' => number((2, 1), 0, 59),
            'S' => number((2, 1), 0, 61),
            'U' | 'W' => number((2, 1), 0, 53),
            'V' => number((2, 1), 0, 53),
            'u' => number((1, 1), 1, 7),
            'w' => number((1, 1), 0, 6),
            'y' => number((2, 2), 0, 99),
            'G' | 'Y' => number((4, 4), 0, 9999),
            'A' | 'a' => name(&WEEKDAYS),
            'B' | 'b' => name(&MONTHS),
            'p' => name(&["am", "pm"]),
            'Z' => name(&["utc", "gmt"]),
            'f' => Some(Self::Fraction),
            'z' => Some(Self::Offset),
            _ => None,
        }
    }

    fn directive(&self) -> Option<u8> {
        match self {
            Self::Literal(_) | Self::Whitespace => None,
            Self::Number { directive, .. } | Self::Name { directive, .. } => Some(*directive),
            Self::Fraction => Some(b'f'),
            Self::Offset => Some(b'z'),
        }
    }
}

/// Matches `items` from `pos` on; gives where the match ends.
///
/// Each item tries its possible lengths in the order of the reference's
/// expression until the rest matches too.
fn match_items(items: &[Item], text: &str, mut pos: usize, found: &mut Found) -> Option<usize> {
    let mut items = items.iter();
    while let Some(item) = items.next() {
        let bytes = text.as_bytes();
        match item {
            Item::Literal(expected) => {
                let char = match bytes.get(pos)? {
                    byte if byte.is_ascii() => char::from(*byte),
                    _ => text[pos..].chars().next()?,
                };
                if char != *expected && !char.to_lowercase().eq(expected.to_lowercase()) {
                    return None;
                }
                pos += char.len_utf8();
            }
            Item::Whitespace => {
                let ends = text[pos..]
                    .char_indices()
                    .take_while(|(_, char)| is_space(*char))
                    .map(|(idx, char)| pos + idx + char.len_utf8())
                    .collect::<Vec<_>>();
                return ends
                    .iter()
                    .rev()
                    .find_map(|end| match_items(items.as_slice(), text, *end, found));
            }
            Item::Number { directive, widths: (widest, narrowest), least, most } => {
                let rest = items.as_slice();
                let digits = bytes[pos..].iter().take(*widest).take_while(|b| b.is_ascii_digit());
                let n_digits = digits.count();
                for width in (*narrowest..=n_digits).rev() {
                    let number = bytes[pos..pos + width]
                        .iter()
                        .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
                    // `%V` refuses a zero only when it has two digits.
                    let least = if *directive == b'V' && width == 2 { 1 } else { *least };
                    if !(least..=*most).contains(&number) {
                        continue;
                    }
                    if let Some(end) = match_items(rest, text, pos + width, found) {
                        found.note(*directive, number);
                        return Some(end);
                    }
                }
                // A day of one digit may be padded with a space.
                if *directive == b'd' && bytes[pos..].first() == Some(&b' ') {
                    let digit = bytes.get(pos + 1).filter(|b| (b'1'..=b'9').contains(b))?;
                    let end = match_items(rest, text, pos + 2, found)?;
                    found.note(b'd', u32::from(digit - b'0'));
                    return Some(end);
                }
                return None;
            }
            Item::Name { directive, names } => {
                let is_short = matches!(directive, b'a' | b'b');
                let (idx, len) = names.iter().enumerate().find_map(|(idx, name)| {
                    let name = if is_short { &name[..3] } else { name };
                    let head = bytes.get(pos..pos + name.len())?;
                    head.eq_ignore_ascii_case(name.as_bytes()).then_some((idx, name.len()))
                })?;
                let end = match_items(items.as_slice(), text, pos + len, found)?;
                found.note(*directive, u32::try_from(idx).ok()?);
                return Some(end);
            }
            Item::Fraction => {
                let digits = bytes[pos..].iter().take(6).take_while(|b| b.is_ascii_digit());
                for width in (1..=digits.count()).rev() {
                    if let Some(end) = match_items(items.as_slice(), text, pos + width, found) {
                        found.micros = micros(&bytes[pos..pos + width]);
                        return Some(end);
                    }
                }
                return None;
            }
            Item::Offset => {
                let rest = items.as_slice();
                return offset_ends(&bytes[pos..]).into_iter().flatten().find_map(|len| {
                    let end = match_items(rest, text, pos + len, found)?;
                    found.offset = Some(pos..pos + len);
                    Some(end)
                });
            }
        }
    }
    Some(pos)
}

/// The lengths that `[+-]HH[:]MM[[:]SS[.ffffff]]` or `Z` can have here, the
/// preferred ones first.
fn offset_ends(text: &[u8]) -> Option<Vec<usize>> {
    if text.first() == Some(&b'Z') {
        return Some(vec![1]);
    }
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return None;
    }
    let is_digit = |idx: usize| text.get(idx).is_some_and(u8::is_ascii_digit);
    let sixty = |idx: usize| matches!(text.get(idx), Some(b'0'..=b'5')) && is_digit(idx + 1);
    let colon = |idx: usize| idx + usize::from(text.get(idx) == Some(&b':'));
    if !is_digit(1) || !is_digit(2) || !sixty(colon(3)) {
        return None;
    }
    let after_minutes = colon(3) + 2;
    let mut ends = vec![after_minutes];
    if sixty(colon(after_minutes)) {
        let after_seconds = colon(after_minutes) + 2;
        ends.push(after_seconds);
        if text.get(after_seconds) == Some(&b'.') {
            let n_digits = (1..=6).take_while(|idx| is_digit(after_seconds + idx)).count();
            ends.extend((1..=n_digits).map(|n| after_seconds + 1 + n));
        }
    }
    ends.reverse();
    Some(ends)
}

/// Up to six digits behind a decimal point as microseconds.
fn micros(digits: &[u8]) -> i64 {
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    padded.fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'))
}

/// What the directives of a format have read.
#[derive(Debug, Default)]
struct Found {
    /// Numbers, and names as their index, by directive; the last one first.
    /// There are fewer directives than this, and none comes twice.
    numbers: [(u8, u32); 24],
    n_numbers: usize,
    micros: i64,
    /// Where the offset stands in the text.
    offset: Option<Range<usize>>,
}

impl Found {
    fn note(&mut self, directive: u8, number: u32) {
        self.numbers[self.n_numbers] = (directive, number);
        self.n_numbers += 1;
    }

    /// The date that the parts agree on, as the reference works it out.
    fn resolve(&self, text: &str) -> Result<DateTime, TimeError> {
        let mut fields = Fields { microsecond: self.micros, ..Fields::default() };
        let (mut year, mut iso_year, mut iso_week) = (None, None, None);
        // Monday is 0.
        let (mut weekday, mut day_of_year, mut week) = (None, None, None);
        for &(directive, number) in self.numbers[..self.n_numbers].iter().rev() {
            let number = i64::from(number);
            match directive {
                b'y' => year = Some(if number <= 68 { 2000 + number } else { 1900 + number }),
                b'Y' => year = Some(number),
                b'G' => iso_year = Some(number),
                b'm' => fields.month = number,
                b'B' | b'b' => fields.month = number + 1,
                b'd' => fields.day = number,
                b'H' => fields.hour = number,
                b'I' => {
                    let is_afternoon = self.numbers.contains(&(b'p', 1));
                    fields.hour = number % 12 + if is_afternoon { 12 } else { 0 };
                }
                b'M' => fields.minute = number,
                b'S' => fields.second = number,
                b'A' | b'a' | b'w' => weekday = Some((number + 6) % 7),
                b'u' => weekday = Some(number - 1),
                b'j' => day_of_year = Some(number),
                b'U' | b'W' => week = Some((number, directive == b'W')),
                b'V' => iso_week = Some(number),
                _ => {}
            }
        }
        if let (None, Some(_)) = (year, iso_year) {
            if iso_week.is_none() || weekday.is_none() {
                return Err(TimeError::value(
                    "ISO year directive '%G' must be used with the ISO week directive '%V' and a \
                     weekday directive ('%A', '%a', '%w', or '%u').",
                ));
            }
            if day_of_year.is_some() {
                return Err(TimeError::value(
                    "Day of the year directive '%j' is not compatible with ISO year directive \
                     '%G'. Use '%Y' instead.",
                ));
            }
        } else if week.is_none() && iso_week.is_some() {
            return Err(TimeError::value(if weekday.is_none() {
                "ISO week directive '%V' must be used with the ISO year directive '%G' and a \
                 weekday directive ('%A', '%a', '%w', or '%u')."
            } else {
                "ISO week directive '%V' is incompatible with the year directive '%Y'. Use the \
                 ISO year '%G' instead."
            }));
        }
        let is_leap_day = year.is_none() && fields.month == 2 && fields.day == 29;
        fields.year = year.unwrap_or(if is_leap_day { 1904 } else { 1900 });
        if let (None, Some(weekday)) = (day_of_year, weekday) {
            if let Some((week, starts_monday)) = week {
                let first = Date::new(fields.year, 1, 1)?;
                day_of_year = Some(day_in_week(first, week, weekday, starts_monday));
            } else if let (Some(iso_year), Some(iso_week)) = (iso_year, iso_week) {
                fields.year = iso_year;
                let first = Date::new(iso_year, 1, 4)?.0.weekday().to_monday_zero_offset();
                day_of_year = Some(iso_week * 7 + weekday - 3 - i64::from(first));
            }
        }
        match day_of_year {
            Some(day_of_year) => {
                let first = Date::new(fields.year, 1, 1)?;
                let shift = TimeDelta::from_micros(i128::from(day_of_year - 1) * 86_400_000_000)?;
                let out_of_range = |_| TimeError::value("year is out of range");
                let date = first.plus(shift).map_err(out_of_range)?.civil();
                fields.year = date.year().into();
                fields.month = date.month().into();
                fields.day = date.day().into();
            }
            None => _ = Date::new(fields.year, fields.month, fields.day)?,
        }
        if is_leap_day {
            fields.year = 1900;
        }
        let offset = self.offset.clone().map(|range| zone(&text[range]));
        DateTime::new(fields, offset.transpose()?)
    }
}

/// The day of the year of a weekday in a week counted from the year's first
/// Sunday or Monday.
fn day_in_week(first: Date, week: i64, weekday: i64, starts_monday: bool) -> i64 {
    let shift = i64::from(!starts_monday);
    let first_weekday = (i64::from(first.0.weekday().to_monday_zero_offset()) + shift) % 7;
    let weekday = (weekday + shift) % 7;
    if week == 0 {
        return 1 + weekday - first_weekday;
    }
    1 + (7 - first_weekday) % 7 + 7 * (week - 1) + weekday
}

/// The zone of an offset that [`offset_ends`] has let through.
fn zone(text: &str) -> Result<Zone, TimeError> {
    if text == "Z" {
        return Ok(Zone::Utc);
    }
    let (offset, fraction) = text.split_once('.').unwrap_or((text, ""));
    let has_colons = offset.as_bytes().get(3) == Some(&b':');
    let seconds_part = offset.get(if has_colons { 6 } else { 5 }..).unwrap_or_default();
    if has_colons && !seconds_part.is_empty() && !seconds_part.starts_with(':') {
        return Err(TimeError::Value(format!("Inconsistent use of : in {text}")));
    }
    if !has_colons && seconds_part.starts_with(':') {
        return Err(TimeError::Value(format!(
            "invalid literal for int() with base 10: {}",
            quoted(&seconds_part[..2])
        )));
    }
    let digits = offset[1..].bytes().filter(u8::is_ascii_digit).map(|b| i64::from(b - b'0'));
    let digits = digits.chain(std::iter::repeat(0)).take(6).collect::<Vec<_>>();
    let pair = |idx: usize| digits[idx] * 10 + digits[idx + 1];
    let seconds = pair(0) * 3600 + pair(2) * 60 + pair(4);
    let micros = seconds * 1_000_000 + micros(fraction.as_bytes());
    Zone::fixed(if text.starts_with('-') { -micros } else { micros })
}

/// What Python's `\s` matches.
fn is_space(char: char) -> bool {
    char.is_whitespace() || ('\x1c'..='\x1f').contains(&char)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, format: &str, expect: &str) {
        let got = Strptime::new(format).and_then(|format| format.parse(text));
        let got = got.map_or_else(|err| format!("error: {err}"), |dt| dt.to_string());
        assert_eq!(got, expect, "{text:?} as {format:?}");
    }

    #[test]
    fn usual_formats() {
        check("2021-01-14T05:06:07Z", "%Y-%m-%dT%H:%M:%SZ", "2021-01-14 05:06:07");
        check("2021-1-4t5:6:7z", "%Y-%m-%dT%H:%M:%SZ", "2021-01-04 05:06:07");
        check("2021-01-14T05:06:07.5Z", "%Y-%m-%dT%H:%M:%S.%fZ", "2021-01-14 05:06:07.500000");
        check("14/01/21 11 PM", "%d/%m/%y %I %p", "2021-01-14 23:00:00");
        check("Thu Jan  4 05:06:07 2021", "%c", "2021-01-04 05:06:07");
        check("12 AM", "%I %p", "1900-01-01 00:00:00");
        check("  2021", " %Y", "2021-01-01 00:00:00");
        check("Feb 29", "%b %d", "error: day is out of range for month");
    }

    #[test]
    fn offsets() {
        check("2021 +0200", "%Y %z", "2021-01-01 00:00:00+02:00");
        check("2021-05:30", "%Y%z", "2021-01-01 00:00:00-05:30");
        check("2021Z", "%Y%z", "2021-01-01 00:00:00+00:00");
        check("2021+01:02:03.5", "%Y%z", "2021-01-01 00:00:00+01:02:03.500000");
        check("2021z", "%Y%z", "error: time data '2021z' does not match format '%Y%z'");
        check("2021+0100:30", "%Y%z", "error: invalid literal for int() with base 10: ':3'");
        check("2021+01:0030", "%Y%z", "error: Inconsistent use of : in +01:0030");
    }

    #[test]
    fn backtracking() {
        check("111", "%m%d", "1900-11-01 00:00:00");
        check("1230", "%H%M%S", "1900-01-01 12:03:00");
        check("20211", "%Y%j", "2021-01-01 00:00:00");
        check("31", "%d", "1900-01-31 00:00:00");
        check("32", "%d", "error: unconverted data remains: 2");
    }

    #[test]
    fn weeks() {
        check("2021 02 4", "%Y %W %w", "2021-01-14 00:00:00");
        check("2021 0 Sun", "%Y %U %a", "2020-12-27 00:00:00");
        check("2020 53 5", "%G %V %u", "2021-01-01 00:00:00");
        check("2021 366", "%Y %j", "2022-01-01 00:00:00");
    }

    #[test]
    fn refusals() {
        check("x", "%s", "error: 's' is a bad directive in format '%s'");
        check("x", "%.f", "error: '%' is a bad directive in format '%.f'");
        check("x", "%", "error: stray % in format '%'");
        check("2021-01-14", "%d", "error: unconverted data remains: 21-01-14");
        check("2021-02-30", "%Y-%m-%d", "error: day is out of range for month");
        let endless = "error: a time format has at most 1000 characters and directives";
        check("x", &" a".repeat(600), endless);
        check("60", "%S", "error: second must be in 0..59");
        check("0000", "%Y", "error: year 0 is out of range");
        check("é", "%Y", "error: time data 'é' does not match format '%Y'");
    }
}
