//! Which fields of records are times, and how they are written.

use serde_json::Map as JsonMap;

use crate::template::time::DatetimeFormat;
use crate::value::{Json, Map, python_int};

/// The formats that are tried, the first that fits counts; as in the reference.
const FORMATS: [&str; 11] = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S.%fZ",
    "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S.%f%z",
    "%s",
    "%ms",
    "%d/%m/%Y %H:%M",
    "%Y-%m",
    "%d-%m-%Y",
];

/// Seconds and milliseconds since 1970 that numbers have to lie between to be taken for times.
const EPOCHS: [std::ops::Range<i64>; 2] =
    [1_000_000_000..2_000_000_000, 1_000_000_000_000..2_000_000_000_000];

/// Finds the formats of fields: what the first record tells, as far as no other one disagrees.
#[derive(Debug, Default)]
pub(super) struct DatetimeFormats(Option<Vec<(String, DatetimeFormat)>>);

impl DatetimeFormats {
    /// Looks at a record.
    pub(super) fn observe(&mut self, record: &Map) {
        let matches = |value: &Json, format: &DatetimeFormat| {
            can_be_datetime(value) && format.parse_json(value).is_ok()
        };
        match &mut self.0 {
            None => {
                let formats = FORMATS.map(DatetimeFormat::new);
                let found = record.iter().filter_map(|(field, value)| {
                    let format = formats.iter().find(|format| matches(value, format))?;
                    Some((field.clone(), format.clone()))
                });
                self.0 = Some(found.collect());
            }
            Some(known) => known.retain(|(field, format)| {
                record.get(field).is_some_and(|value| matches(value, format))
            }),
        }
    }

    /// The formats by field.
    pub(super) fn into_json(self) -> JsonMap<String, Json> {
        let known = self.0.unwrap_or_default().into_iter();
        known.map(|(field, format)| (field, Json::from(format.text()))).collect()
    }
}

/// Texts can be times unless they are numbers; numbers have to be recent ones.
fn can_be_datetime(value: &Json) -> bool {
    let in_range = |number| EPOCHS.iter().any(|epoch| epoch.contains(&number));
    match value {
        Json::String(_) => python_int(value).is_none_or(in_range),
        Json::Number(number) => number.as_i64().is_some_and(in_range),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(records: &[Json], expect: &Json) {
        let mut formats = DatetimeFormats::default();
        for record in records {
            formats.observe(record.as_object().unwrap());
        }
        assert_eq!(Json::Object(formats.into_json()), *expect);
    }

    #[test]
    fn the_first_format_that_fits_counts() {
        let record = json!({
            "day": "2024-05-06", "second": "2024-05-06T07:08:09Z", "zone": "2024-05-06T07:08:09.1+0100",
            "epoch": 1_700_000_000, "millis": 1_700_000_000_000_i64, "text_epoch": "1700000000",
            "month": "2024-05", "european": "06-05-2024", "name": "May", "count": 12, "float": 1.7e9,
            "flag": true, "nothing": null, "number": "12",
        });
        check(
            &[record],
            &json!({
                "day": "%Y-%m-%d", "second": "%Y-%m-%dT%H:%M:%SZ", "zone": "%Y-%m-%dT%H:%M:%S.%f%z",
                "epoch": "%s", "millis": "%ms", "text_epoch": "%s", "month": "%Y-%m",
                "european": "%d-%m-%Y",
            }),
        );
    }

    #[test]
    fn one_record_that_disagrees_is_enough() {
        let records = [
            json!({"a": "2024-05-06", "b": "2024-05-06", "c": 1_700_000_000}),
            json!({"a": "2024-05-07", "b": "later", "c": null, "d": "2024-05-06"}),
        ];
        check(&records, &json!({"a": "%Y-%m-%d"}));
        check(&[], &json!({}));
    }
}
