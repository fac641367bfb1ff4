//! Dates in configs and responses that say when something ends, in whatever form they are written.

use jiff::fmt::rfc2822;

use crate::template::time::{DateTime, isoparse};

/// Reads seconds since 1970, an ISO 8601 date, or one as e-mails have it; without a zone it is UTC.
pub(super) fn parse_date(text: &str) -> Result<DateTime, String> {
    let unknown = || format!("Could not parse datetime string: {text}");
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = text.parse().map_err(|_| "Timestamp value too large".to_owned())?;
        if seconds > 9_999_999_999 {
            return Err("Timestamp value too large".to_owned());
        }
        return DateTime::from_seconds(seconds).map_err(|_| unknown());
    }
    // The zone may stand apart from the time, which ISO 8601 does not allow.
    let text = text.trim();
    let joined = match text.rsplit_once(' ') {
        Some((start, zone)) if zone.starts_with(['+', '-']) || zone == "UTC" || zone == "Z" => {
            format!("{start}{}", if zone == "UTC" { "Z" } else { zone })
        }
        _ => text.to_owned(),
    };
    if let Ok(date) = isoparse(&joined) {
        let zone = date.zone().unwrap_or(crate::template::time::Zone::Utc);
        return Ok(date.with_zone(Some(zone)));
    }
    match rfc2822::parse(text) {
        Ok(zoned) => Ok(DateTime::from_timestamp(zoned.timestamp())),
        Err(_) => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        let date = parse_date(text).ok().map(|date| date.isoformat('T', "auto").unwrap());
        assert_eq!(date.as_deref(), expect);
    }

    #[test]
    fn many_forms_are_understood() {
        check("1700000000", Some("2023-11-14T22:13:20+00:00"));
        check("2023-03-14", Some("2023-03-14T00:00:00+00:00"));
        check("2023-03-14T15:09:26Z", Some("2023-03-14T15:09:26+00:00"));
        check("2023-03-14 15:09:26.5-04:00", Some("2023-03-14T15:09:26.500000-04:00"));
        check("2023-03-14 15:09:26 +0000", Some("2023-03-14T15:09:26+00:00"));
        check("2023-03-14 15:09:26 UTC", Some("2023-03-14T15:09:26+00:00"));
        check("Tue, 14 Mar 2023 15:09:26 GMT", Some("2023-03-14T15:09:26+00:00"));
    }

    #[test]
    fn others_are_not() {
        check("", None);
        check("soon", None);
        check("15:09:26", None);
        check("17000000000", None);
    }
}
