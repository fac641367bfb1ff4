//! How long and how large answers may be, as options say.

use std::time::Duration;

use crate::http::Limits;

/// The limits of a run; each can stand in the environment too.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// Seconds for a connection to be made, where the manifest names none [default: 300].
    #[arg(long, env = "SDM_TIMEOUT_CONNECT", value_name = "SECONDS", value_parser = seconds, hide_env_values = true)]
    timeout_connect: Option<Duration>,
    /// Seconds for an answer to begin, where the manifest names none [default: 3600].
    #[arg(long, env = "SDM_TIMEOUT_FIRST_BYTE", value_name = "SECONDS", value_parser = seconds, hide_env_values = true)]
    timeout_first_byte: Option<Duration>,
    /// Seconds of silence within an answer, where the manifest names none [default: 3600].
    #[arg(long, env = "SDM_TIMEOUT_SILENCE", value_name = "SECONDS", value_parser = seconds, hide_env_values = true)]
    timeout_silence: Option<Duration>,
    /// Bytes of one answer, decompressed: as `500MB` or `1TiB` [default: 1TiB].
    #[arg(long, env = "SDM_MAX_BODY", value_name = "SIZE", value_parser = size, hide_env_values = true)]
    max_body: Option<u64>,
    /// Bytes of one answer that has to be held as a whole [default: 2GiB].
    #[arg(long, env = "SDM_MAX_HELD_BODY", value_name = "SIZE", value_parser = size, hide_env_values = true)]
    max_held_body: Option<u64>,
    /// Bytes of one record in an answer that is read while it comes [default: 256MiB].
    #[arg(long, env = "SDM_MAX_RECORD", value_name = "SIZE", value_parser = size, hide_env_values = true)]
    max_record: Option<u64>,
    /// How many bytes one compressed byte may become, on average [default: 900].
    #[arg(long, env = "SDM_MAX_INFLATION", value_name = "NUMBER", hide_env_values = true)]
    max_inflation: Option<u64>,
    /// Fails where an API gives the same page again and again, which else is only warned of.
    #[arg(long, env = "SDM_STOP_ON_REPEAT", hide_env_values = true)]
    stop_on_repeat: bool,
}

impl LimitArgs {
    /// The limits, with defaults where nothing was said.
    pub(super) fn limits(&self) -> Limits {
        let usual = Limits::default();
        Limits {
            connect: self.timeout_connect.unwrap_or(usual.connect),
            first_byte: self.timeout_first_byte.unwrap_or(usual.first_byte),
            silence: self.timeout_silence.unwrap_or(usual.silence),
            max_body: self.max_body.unwrap_or(usual.max_body),
            max_held_body: self.max_held_body.unwrap_or(usual.max_held_body),
            max_record: self.max_record.unwrap_or(usual.max_record),
            max_inflation: self.max_inflation.unwrap_or(usual.max_inflation),
            stops_on_repeat: self.stop_on_repeat,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "a number of seconds, above 0".to_owned())
}

fn size(text: &str) -> Result<u64, String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor: Option<u64> = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        "tib" => Some(1 << 40),
        _ => None,
    };
    let number: Option<u64> = number.parse().ok();
    let n_bytes = number.zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    n_bytes.ok_or_else(|| "a number of bytes, as 1000, 500MB, or 2GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, expect) in
            [("1000", 1000), ("5 MB", 5_000_000), ("2GiB", 2 << 30), ("1tib", 1 << 40)]
        {
            assert_eq!(size(text), Ok(expect));
        }
        for text in ["", "GiB", "1.5GB", "-1", "99999999TiB", "5 apples"] {
            size(text).unwrap_err();
        }
    }

    #[test]
    fn no_time_at_all_is_no_timeout() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for text in ["0", "-1", "NaN", "inf", "soon"] {
            seconds(text).unwrap_err();
        }
    }
}
