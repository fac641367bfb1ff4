//! How cursor values are read and written.

use crate::template::time::{DateTime, DatetimeFormat, TimeError};
use crate::value::{Json, python_repr, python_str};

/// The formats of a cursor: those it reads, in this order, and the one it writes.
#[derive(Debug)]
pub(super) struct Formats {
    input: Vec<DatetimeFormat>,
    output: DatetimeFormat,
}

impl Formats {
    /// Writes `output`, and reads it after all others.
    pub(super) fn new(output: &str, input: &[String]) -> Self {
        let all = input.iter().map(String::as_str).chain([output]);
        Self { input: all.map(DatetimeFormat::new).collect(), output: DatetimeFormat::new(output) }
    }

    /// Reads a value of a record, a state, or a slice.
    pub(super) fn parse(&self, value: &Json) -> Result<DateTime, TimeError> {
        for format in &self.input {
            match format.parse_json(value) {
                Err(err) if err.is_value_error() => {}
                other => return other,
            }
        }
        let formats = self.input.iter().map(|format| Json::from(format.text())).collect();
        Err(TimeError::Value(format!(
            "No format in {} matching {}",
            python_repr(&Json::Array(formats)),
            python_str(value)
        )))
    }

    /// Writes a moment.
    pub(super) fn format(&self, moment: DateTime) -> String {
        self.output.format(moment)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Json, expect: &str) {
        let formats = Formats::new("%Y-%m-%d", &["%s".to_owned()]);
        let got = formats.parse(value).map(|moment| formats.format(moment));
        assert_eq!(got.unwrap_or_else(|err| format!("error: {err}")), expect);
    }

    #[test]
    fn the_first_format_that_fits_counts() {
        check(&json!(86400), "1970-01-02");
        check(&json!("86400"), "1970-01-02");
        check(&json!("2024-05-06"), "2024-05-06");
        check(&json!("xx"), "error: No format in ['%s', '%Y-%m-%d'] matching xx");
        check(&json!(1e30), "error: timestamp out of range for platform time_t");
    }
}
