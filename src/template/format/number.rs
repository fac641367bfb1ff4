//! Digits of numbers, without signs and padding.

use crate::template::ops;

/// Digits after the point beyond which a float has only zeros.
const MAX_FRACTION: usize = 1100;

/// How a float is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    /// `e`: with an exponent.
    Exponent,
    /// `f`: without an exponent.
    Fixed,
    /// `g`: the shorter of both, without needless zeros.
    General,
    /// As `repr()`, but with so many significant digits.
    Repr,
}

/// The digits of a float that is not negative; `is_alternate` keeps the point
/// and all zeros.
pub(super) fn float_digits(
    float: f64,
    notation: Notation,
    precision: Option<usize>,
    is_alternate: bool,
) -> String {
    if !float.is_finite() {
        return if float.is_nan() { "nan" } else { "inf" }.to_owned();
    }
    match (notation, precision) {
        (Notation::Repr, None) => {
            let repr = ops::float_repr(float);
            let is_bare = is_alternate && !repr.contains('.');
            if is_bare { repr.replace('e', ".e") } else { repr }
        }
        (Notation::Exponent, _) => exponent(float, precision.unwrap_or(6), is_alternate),
        (Notation::Fixed, _) => fixed(float, precision.unwrap_or(6), is_alternate),
        (Notation::General | Notation::Repr, _) => {
            general(float, precision.unwrap_or(6).max(1), is_alternate, notation == Notation::Repr)
        }
    }
}

fn fixed(float: f64, precision: usize, is_alternate: bool) -> String {
    let shown = precision.min(MAX_FRACTION);
    let mut digits = format!("{float:.shown$}");
    digits.extend(std::iter::repeat_n('0', precision - shown));
    if is_alternate && precision == 0 {
        digits.push('.');
    }
    digits
}

fn exponent(float: f64, precision: usize, is_alternate: bool) -> String {
    let (mut digits, exponent) = scientific(float, precision);
    if is_alternate && precision == 0 {
        digits.push('.');
    }
    digits + &exponent_text(exponent)
}

fn general(float: f64, precision: usize, is_alternate: bool, is_repr: bool) -> String {
    let (mut digits, exponent) = scientific(float, precision - 1);
    let limit = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(is_repr);
    let has_exponent = exponent < -4 || exponent >= limit;
    if !has_exponent {
        let n_decimals = i64::try_from(precision).unwrap_or(i64::MAX) - 1 - exponent;
        digits = fixed(float, usize::try_from(n_decimals).unwrap_or(0), is_alternate);
    }
    if is_alternate && !digits.contains('.') {
        digits.push('.');
    } else if !is_alternate && digits.contains('.') {
        digits.truncate(digits.trim_end_matches('0').trim_end_matches('.').len());
    }
    if has_exponent {
        digits.push_str(&exponent_text(exponent));
    } else if is_repr && !digits.contains('.') {
        digits.push_str(".0");
    }
    digits
}

/// One digit, the point, so many more, and the power of ten.
fn scientific(float: f64, precision: usize) -> (String, i64) {
    let shown = precision.min(MAX_FRACTION);
    let text = format!("{float:.shown$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut digits = digits.to_owned();
    digits.extend(std::iter::repeat_n('0', precision - shown));
    (digits, exponent.parse().unwrap_or(0))
}

fn exponent_text(exponent: i64) -> String {
    format!("e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

/// `digits` with a separator after each group, filled with zeros to `width`.
///
/// A separator never comes first, so the result may be one character longer.
pub(super) fn grouped(digits: &str, separator: char, group: usize, width: usize) -> String {
    let with_separators = |n_digits: usize| n_digits + (n_digits.saturating_sub(1)) / group;
    let mut n_digits = digits.len().max((width - width / (group + 1)).saturating_sub(1));
    while with_separators(n_digits) < width {
        n_digits += 1;
    }
    let zeros = std::iter::repeat_n('0', n_digits - digits.len());
    let mut out = String::with_capacity(with_separators(n_digits));
    for (idx, digit) in zeros.chain(digits.chars()).enumerate() {
        if idx > 0 && (n_digits - idx).is_multiple_of(group) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(float: f64, notation: Notation, precision: Option<usize>, expect: &str) {
        assert_eq!(float_digits(float, notation, precision, false), expect);
    }

    #[test]
    fn notations() {
        check(12345.678, Notation::Exponent, None, "1.234568e+04");
        check(2.5, Notation::Fixed, Some(0), "2");
        check(0.0001, Notation::General, None, "0.0001");
        check(1e-5, Notation::General, None, "1e-05");
        check(123_456_789.0, Notation::General, None, "1.23457e+08");
        check(100.0, Notation::General, Some(3), "100");
        check(120.0, Notation::Repr, Some(3), "1.2e+02");
        check(12.0, Notation::Repr, Some(3), "12.0");
        check(1e16, Notation::Repr, None, "1e+16");
        check(0.0, Notation::General, None, "0");
        assert_eq!(float_digits(2.5, Notation::Fixed, Some(0), true), "2.");
        assert_eq!(float_digits(1.0, Notation::General, None, true), "1.00000");
        assert_eq!(float_digits(0.5, Notation::Fixed, Some(70_000), false).len(), 70_002);
    }

    #[test]
    fn groups() {
        assert_eq!(grouped("1234", ',', 3, 0), "1,234");
        assert_eq!(grouped("1234", ',', 3, 10), "00,001,234");
        assert_eq!(grouped("1234", ',', 3, 8), "0,001,234");
        assert_eq!(grouped("1234", ',', 3, 7), "001,234");
        assert_eq!(grouped("11110", '_', 4, 0), "1_1110");
    }
}
