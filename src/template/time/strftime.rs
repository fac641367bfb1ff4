//! `strftime` as `CPython` does it on Linux: `%f`, `%z` and `%Z` itself, all
//! else by the C library, in the C locale.

use std::borrow::Cow;
use std::fmt::Write;

use super::DateTime;

/// Formats `when` with a C `strftime` format.
///
/// Flags (`%-d`, `%_m`, `%^a`), widths and the `E` and `O` modifiers work as
/// in glibc, which also prints a directive it does not know as it stands.
/// A result beyond the buffer that `CPython` is willing to try is empty.
pub fn strftime(format: &str, when: &DateTime) -> String {
    let format = format.split('\0').next().unwrap_or_default();
    let format = replace_python_directives(format, when);
    // The buffer doubles from 1024 until it is 256 times the format.
    let capacity = (format.chars().count() * 256).next_power_of_two().max(1024);
    let mut out = Output { text: String::with_capacity(32), capacity };
    out.format(&format, when);
    let fits = out.text.len() < capacity || out.text.chars().count() < capacity;
    if fits { out.text } else { String::new() }
}

/// Fills in `%f`, `%z` and `%Z`, which the C library does not know or not well.
fn replace_python_directives<'f>(format: &'f str, when: &DateTime) -> Cow<'f, str> {
    if !format.as_bytes().windows(2).any(|pair| matches!(pair, b"%f" | b"%z" | b"%Z")) {
        return Cow::Borrowed(format);
    }
    let mut out = String::with_capacity(format.len() + 8);
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        match chars.next() {
            // Writing to a String cannot fail.
            Some('f') => _ = write!(out, "{:06}", when.microsecond()),
            Some('z') => when.zone().into_iter().for_each(|zone| zone.write_offset("", &mut out)),
            Some('Z') => when.zone().into_iter().for_each(|zone| _ = write!(out, "{zone}")),
            other => out.extend(['%'].into_iter().chain(other)),
        }
    }
    Cow::Owned(out)
}

/// How one directive wants to be written.
#[derive(Clone, Copy, Default)]
struct Style {
    /// `_`, `-` or `0`.
    pad: Option<char>,
    width: usize,
    is_upper: bool,
    is_case_swapped: bool,
}

/// Text being written, which shall have fewer than `capacity` characters.
struct Output {
    text: String,
    capacity: usize,
}

impl Output {
    fn format(&mut self, format: &str, when: &DateTime) {
        let mut rest = format;
        while let Some(start) = rest.find('%') {
            if self.is_overfull() {
                return;
            }
            self.text.push_str(&rest[..start]);
            rest = self.directive(&rest[start..], when);
        }
        self.text.push_str(rest);
    }

    /// Whether it is certain that the result cannot fit.
    fn is_overfull(&self) -> bool {
        self.text.len() > 4 * self.capacity
    }

    /// Writes the directive at the start of `format`; gives what follows it.
    fn directive<'f>(&mut self, format: &'f str, when: &DateTime) -> &'f str {
        let mut style = Style::default();
        let mut chars = format[1..].char_indices().peekable();
        while let Some((_, flag)) = chars.next_if(|(_, char)| "_-0^#".contains(*char)) {
            match flag {
                '^' => style.is_upper = true,
                '#' => style.is_case_swapped = true,
                _ => style.pad = Some(flag),
            }
        }
        while let Some((_, digit)) = chars.next_if(|(_, char)| char.is_ascii_digit()) {
            let digit = digit.to_digit(10).unwrap_or_default() as usize;
            style.width = (style.width * 10 + digit).min(self.capacity);
        }
        let modifier = chars.next_if(|(_, char)| matches!(char, 'E' | 'O')).map(|(_, char)| char);
        let Some((idx, directive)) = chars.next() else {
            self.field(format, style);
            return "";
        };
        let (spec, rest) = format.split_at(1 + idx + directive.len_utf8());
        if !takes_modifier(directive, modifier) || !self.known(directive, style, when) {
            self.field(spec, style);
        }
        rest
    }

    /// Writes a directive, if it is one.
    fn known(&mut self, directive: char, style: Style, when: &DateTime) -> bool {
        let civil = when.civil();
        let (date, time) = (civil.date(), civil.time());
        let hour12 = match time.hour() % 12 {
            0 => 12,
            hour => hour,
        };
        let from_sunday = || i64::from(date.weekday().to_sunday_zero_offset());
        let from_monday = || i64::from(date.weekday().to_monday_zero_offset());
        let day_of_year = || i64::from(date.day_of_year()) - 1;
        let year = i64::from(date.year());
        let spaced = Style { pad: style.pad.filter(|pad| *pad != '_').or(Some('_')), ..style };
        let swapped = Style { is_upper: style.is_upper || style.is_case_swapped, ..style };
        match directive {
            '%' => self.field("%", style),
            'n' => self.field("\n", style),
            't' => self.field("\t", style),
            'a' => self.field(&WEEKDAYS[index(from_sunday())][..3], swapped),
            'A' => self.field(WEEKDAYS[index(from_sunday())], swapped),
            'b' | 'h' => self.field(&MONTHS[index(date.month()) - 1][..3], swapped),
            'B' => self.field(MONTHS[index(date.month()) - 1], swapped),
            'p' | 'P' => {
                let is_lower = directive == 'P' || style.is_case_swapped;
                let name = match (time.hour() < 12, is_lower) {
                    (true, true) => "am",
                    (true, false) => "AM",
                    (false, true) => "pm",
                    (false, false) => "PM",
                };
                self.field(name, Style { is_upper: false, ..style });
            }
            // Only CPython knows the zone; what it fills in is replaced by now.
            'z' => {}
            'Z' => self.field("", style),
            'd' => self.number(date.day(), 2, style),
            'e' => self.number(date.day(), 2, spaced),
            'H' => self.number(time.hour(), 2, style),
            'k' => self.number(time.hour(), 2, spaced),
            'I' => self.number(hour12, 2, style),
            'l' => self.number(hour12, 2, spaced),
            'j' => self.number(day_of_year() + 1, 3, style),
            'm' => self.number(date.month(), 2, style),
            'M' => self.number(time.minute(), 2, style),
            'S' => self.number(time.second(), 2, style),
            's' => self
                .field(&when.with_zone(None).utc_micros().div_euclid(1_000_000).to_string(), style),
            'u' => self.number(from_monday() + 1, 1, style),
            'w' => self.number(from_sunday(), 1, style),
            'U' => self.number((day_of_year() + 7 - from_sunday()) / 7, 2, style),
            'W' => self.number((day_of_year() + 7 - from_monday()) / 7, 2, style),
            'V' => self.number(date.iso_week_date().week(), 2, style),
            'G' => self.number(date.iso_week_date().year(), 1, style),
            'g' => self.number(date.iso_week_date().year().rem_euclid(100), 2, style),
            'C' => self.number(year / 100, 1, style),
            'y' => self.number(year % 100, 2, style),
            'Y' => self.number(year, 1, style),
            'c' => self.composed("%a %b %e %H:%M:%S %Y", style, when),
            'D' | 'x' => self.composed("%m/%d/%y", style, when),
            'F' => self.composed("%Y-%m-%d", style, when),
            'R' => self.composed("%H:%M", style, when),
            'r' => self.composed("%I:%M:%S %p", style, when),
            'T' | 'X' => self.composed("%H:%M:%S", style, when),
            _ => return false,
        }
        true
    }

    /// A directive that stands for others.
    fn composed(&mut self, format: &str, style: Style, when: &DateTime) {
        let mut inner = Self { text: String::new(), capacity: self.capacity };
        inner.format(format, when);
        self.field(&inner.text, style);
    }

    /// A number with its usual count of digits, or as many as the width says.
    fn number(&mut self, number: impl Into<i64>, n_digits: usize, style: Style) {
        let number = number.into();
        // None of what is counted here is negative.
        let n_own = number.checked_ilog10().map_or(1, |power| power as usize + 1);
        let (fill, width) = match style.pad {
            Some('-') => (' ', style.width),
            Some('_') => (' ', n_digits.max(style.width)),
            _ => ('0', n_digits.max(style.width)),
        };
        self.text.extend(std::iter::repeat_n(fill, width.saturating_sub(n_own)));
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{number}");
    }

    /// Text, filled up to the width on its left.
    fn field(&mut self, text: &str, style: Style) {
        let fill = if style.pad == Some('0') { '0' } else { ' ' };
        let n_fill = style.width.saturating_sub(text.chars().count());
        self.text.extend(std::iter::repeat_n(fill, n_fill));
        if style.is_upper {
            self.text.extend(text.chars().flat_map(char::to_uppercase));
        } else {
            self.text.push_str(text);
        }
    }
}

/// Whether the C library lets a directive have this modifier.
fn takes_modifier(directive: char, modifier: Option<char>) -> bool {
    match modifier {
        None => true,
        Some('E') => "cCnpPrRstTuxXyYzZ%".contains(directive),
        Some(_) => !"acxADFXY".contains(directive),
    }
}

fn index(number: impl TryInto<usize>) -> usize {
    number.try_into().unwrap_or_default()
}

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

#[cfg(test)]
mod tests {
    use super::super::isoparse;
    use super::*;

    #[track_caller]
    fn check(when: &str, format: &str, expect: &str) {
        assert_eq!(strftime(format, &isoparse(when).unwrap()), expect, "{format:?} of {when}");
    }

    const MONDAY: &str = "2024-05-06T07:08:09.123456Z";

    #[test]
    fn usual_directives() {
        check(MONDAY, "%Y-%m-%dT%H:%M:%S.%f%z", "2024-05-06T07:08:09.123456+0000");
        check(
            MONDAY,
            "%c|%x|%X|%D|%F|%R|%T|%r",
            "Mon May  6 07:08:09 2024|05/06/24|07:08:09|05/06/24|2024-05-06|07:08|07:08:09|07:08:09 AM",
        );
        check(
            MONDAY,
            "%a %A %b %B %h %p %P %y %C %I %l %k %e",
            "Mon Monday May May May AM am 24 20 07  7  7  6",
        );
        check(
            MONDAY,
            "%j %U %W %V %G %g %u %w %s %Z %%",
            "127 18 19 19 2024 24 1 1 1714979289 UTC %",
        );
        check("2024-01-01T12:00:00", "%I %p|%z|%Z|%s", "12 PM|||1704110400");
        check("2024-01-01T00:00:00-05:30", "%z %Z %s", "-0530 UTC-05:30 1704067200");
        check("2021-01-01", "%G %V %U %W %j", "2020 53 00 00 001");
        check("0987-01-02", "%Y %C %y %F", "987 9 87 987-01-02");
    }

    #[test]
    fn flags_and_widths() {
        check(MONDAY, "%-d %_d %0e %^a %#B %#p %-S", "6  6 06 MON MAY am 9");
        check(
            MONDAY,
            "%5Y|%_10d|%-10d|%10a|%010a|%20s|%3w",
            "02024|         6|         6|       Mon|0000000Mon|          1714979289|001",
        );
        check(
            MONDAY,
            "%10T|%012T|%^c|%5n|%05t",
            "  07:08:09|000007:08:09|MON MAY  6 07:08:09 2024|    \n|0000\t",
        );
    }

    #[test]
    fn what_is_no_directive_stays() {
        check(MONDAY, "%ms %Q %:z %3f %", "05s %Q %:z %3f %");
        check(MONDAY, "%E %EY %OY %EEd %5Ed %^q %é", "%E 2024 %OY %EEd  %5Ed %^Q %é");
        check(MONDAY, "%s_as_float %epoch", "1714979289_as_float  6poch");
        check(MONDAY, "é%d\0%m", "é06");
    }

    #[test]
    fn enormous_widths_give_nothing() {
        check(MONDAY, "%9223372036854775807d", "");
        check(MONDAY, "%2048d", "");
        let length = |format: &str| strftime(format, &isoparse(MONDAY).unwrap()).len();
        assert_eq!(length("%2047d"), 2047);
        assert_eq!(length(&("%70000d".to_owned() + &"x".repeat(300))), 70_300);
    }
}
