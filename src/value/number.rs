//! The text of floating point numbers.
//!
//! All writers print the shortest digits that read back as the same number and
//! differ only in when and how they use an exponent.

use std::fmt::Write;

/// Appends `number` as Python's `repr()` does: `0.1`, `1e+16`, `1e-05`, `nan`.
pub fn write_python_float(number: f64, out: &mut String) {
    if !number.is_finite() {
        let text = match (number.is_nan(), number.is_sign_negative()) {
            (true, _) => "nan",
            (false, true) => "-inf",
            (false, false) => "inf",
        };
        return out.push_str(text);
    }
    let start = out.len();
    // Rust changes to an exponent at the same magnitudes as Python; writing to a string cannot fail.
    let _ = write!(out, "{number:?}");
    let Some(mark) = out[start..].find('e').map(|offset| start + offset + 1) else { return };
    let digits_start = mark + usize::from(out[mark..].starts_with('-'));
    if out.len() - digits_start == 1 {
        out.insert(digits_start, '0');
    }
    if digits_start == mark {
        out.insert(mark, '+');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, expect: &str) {
        let mut out = String::from("prefix e ");
        write_python_float(number, &mut out);
        assert_eq!(out, format!("prefix e {expect}"));
    }

    #[test]
    fn floats_are_printed_as_python_does() {
        check(0.0, "0.0");
        check(-0.0, "-0.0");
        check(100_000.0, "100000.0");
        check(0.1 + 0.2, "0.30000000000000004");
        check(0.0001, "0.0001");
        check(0.000_01, "1e-05");
        check(1.5e-7, "1.5e-07");
        check(-1.5e-7, "-1.5e-07");
        check(5e-324, "5e-324");
        check(9_999_999_999_999_998.0, "9999999999999998.0");
        check(1e16, "1e+16");
        check(1.234_567_890_123_456_8e17, "1.2345678901234568e+17");
        check(1e100, "1e+100");
        check(f64::NAN, "nan");
        check(f64::INFINITY, "inf");
        check(f64::NEG_INFINITY, "-inf");
    }
}
