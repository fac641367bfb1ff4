//! How long an answer may take, and how much of it may come.
//!
//! The reference waits without end and holds what it is sent. These limits are so wide that no
//! API in its right mind comes near them; they end what would never end.

use std::time::Duration;

use super::error::{ErrorKind, HttpError};
use super::request::{Options, PreparedRequest};

/// A compressed body is judged by its growth only when it has become so many bytes.
const INFLATION_FREE: u64 = 16 << 20;

/// Columns that a table may have.
const MAX_COLUMNS: usize = 1 << 16;

/// Cells that the rows of one piece of a body may lack: each is a null in its record, and rows that
/// are two bytes long would become records of any size.
const MAX_MISSING_CELLS: usize = 1 << 22;

/// The limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection, with its TLS, where the manifest names no time.
    pub connect: Duration,
    /// For the first byte of an answer, where the manifest names no time.
    pub first_byte: Duration,
    /// Without a byte within a body, where the manifest names no time.
    pub silence: Duration,
    /// Bytes of one body, decompressed.
    pub max_body: u64,
    /// Bytes of one body, decompressed, that must be held as a whole.
    pub max_held_body: u64,
    /// Bytes that one compressed byte may become, on average.
    pub max_inflation: u64,
    /// Bytes of one record in a body that is read while it comes.
    pub max_record: u64,
    /// Whether a page that comes again and again ends the reading of its slice.
    pub stops_on_repeat: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_mins(5),
            first_byte: Duration::from_hours(1),
            silence: Duration::from_hours(1),
            max_body: 1 << 40,
            max_held_body: 2 << 30,
            // Only what repeats itself to the byte comes near 1,030, the most that there can be.
            max_inflation: 900,
            max_record: 256 << 20,
            stops_on_repeat: false,
        }
    }
}

/// How long a request waits for something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) limit: Duration,
    /// The option that sets it, unless the manifest does.
    option: Option<&'static str>,
}

impl Patience {
    fn new(of_manifest: Option<Duration>, own: Duration, option: &'static str) -> Self {
        match of_manifest {
            Some(limit) => Self { limit, option: None },
            None => Self { limit: own, option: Some(option) },
        }
    }

    /// `error` with the request and the option, where the limit is ours.
    pub(super) fn explain(self, mut error: HttpError, request: &PreparedRequest) -> HttpError {
        if let Some(option) = self.option {
            let (seconds, PreparedRequest { method, .. }) = (self.limit.as_secs_f64(), request);
            let place = request.place();
            error.message = format!("{} ({method} {place}, {option} {seconds})", error.message);
        }
        error
    }
}

impl Limits {
    /// For a connection.
    pub(super) fn for_connection(&self, options: &Options) -> Patience {
        Patience::new(options.connect_timeout, self.connect, "--timeout-connect")
    }

    /// For the first byte.
    pub(super) fn for_first_byte(&self, options: &Options) -> Patience {
        Patience::new(options.read_timeout, self.first_byte, "--timeout-first-byte")
    }

    /// For the next bytes of a body.
    pub(super) fn for_next_bytes(&self, options: &Options) -> Patience {
        Patience::new(options.read_timeout, self.silence, "--timeout-silence")
    }

    /// Refuses a body of `n_sent` bytes that have become `n_bytes` so far.
    pub fn check_body(&self, n_sent: u64, n_bytes: u64) -> Result<(), LimitError> {
        if n_bytes > self.max_body {
            return Err(LimitError::Body(self.max_body));
        }
        if n_bytes > INFLATION_FREE && n_bytes / n_sent.max(1) > self.max_inflation {
            return Err(LimitError::Inflation(self.max_inflation));
        }
        Ok(())
    }

    /// Refuses to hold `n_bytes` of a body.
    pub fn check_held(&self, n_bytes: usize) -> Result<(), LimitError> {
        let is_within = n_bytes as u64 <= self.max_held_body;
        is_within.then_some(()).ok_or(LimitError::HeldBody(self.max_held_body))
    }

    /// Refuses a record of which there are `n_bytes` already.
    pub fn check_record(&self, n_bytes: usize) -> Result<(), LimitError> {
        let is_within = n_bytes as u64 <= self.max_record;
        is_within.then_some(()).ok_or(LimitError::Record(self.max_record))
    }

    /// Refuses a table of `n_columns`, and rows of one piece that together lack `n_missing` cells.
    pub fn check_table(n_columns: usize, n_missing: usize) -> Result<(), LimitError> {
        if n_columns > MAX_COLUMNS {
            return Err(LimitError::Columns);
        }
        if n_missing > MAX_MISSING_CELLS { Err(LimitError::MissingCells) } else { Ok(()) }
    }
}

/// What was too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// A body.
    #[error("the body is larger than {} (--max-body)", size(*.0))]
    Body(u64),
    /// A body that must be held.
    #[error("the body has to be held as a whole, and is larger than {} (--max-held-body)", size(*.0))]
    HeldBody(u64),
    /// What a compressed body becomes.
    #[error("the body grows more than {0}-fold when it is decompressed (--max-inflation)")]
    Inflation(u64),
    /// A record.
    #[error("a record is larger than {} (--max-record)", size(*.0))]
    Record(u64),
    /// The columns of a table.
    #[error("the table has more than {MAX_COLUMNS} columns")]
    Columns,
    /// Cells that are not there.
    #[error("rows that follow one another lack more than {MAX_MISSING_CELLS} of their cells")]
    MissingCells,
}

impl LimitError {
    /// The error of the request whose answer is too large.
    pub(super) fn of(self, request: &PreparedRequest) -> HttpError {
        let message = format!("{} {}: {self}", request.method, request.place());
        HttpError::new(ErrorKind::Limit, message)
    }
}

/// A number of bytes for people: `2 GiB`, `1000 bytes`.
fn size(n_bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let unit_idx = (0..units.len()).rev().find(|idx| n_bytes.trailing_zeros() as usize >= 10 * idx);
    let unit_idx = unit_idx.filter(|_| n_bytes > 0).unwrap_or(0);
    format!("{} {}", n_bytes >> (10 * unit_idx), units[unit_idx])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, Request};

    #[test]
    fn sizes_are_told_in_the_largest_whole_unit() {
        for (n_bytes, expect) in
            [(0, "0 bytes"), (1000, "1000 bytes"), (1024, "1 KiB"), (3 << 29, "1536 MiB")]
        {
            assert_eq!(size(n_bytes), expect);
        }
    }

    #[test]
    fn bodies_may_grow_within_reason() {
        let limits = Limits { max_body: 100 << 20, ..Limits::default() };
        assert_eq!(limits.check_body(1, 16 << 20), Ok(()));
        assert_eq!(limits.check_body(20_000, 17 << 20), Ok(()));
        assert_eq!(limits.check_body(19_000, 17 << 20), Err(LimitError::Inflation(900)));
        assert_eq!(limits.check_body(101 << 20, 101 << 20), Err(LimitError::Body(100 << 20)));
    }

    #[test]
    fn errors_name_request_and_limit_without_secrets() {
        let request = Request::new(Method::GET, "http://u:p@h/a?key=s3cret").prepare().unwrap();
        let error = LimitError::Body(1 << 30).of(&request);
        assert_eq!(error.message, "GET http://h/a: the body is larger than 1 GiB (--max-body)");
        let own = Limits::default().for_first_byte(&request.options);
        let error = own.explain(HttpError::new(ErrorKind::ReadTimeout, "late"), &request);
        assert_eq!(error.message, "late (GET http://h/a, --timeout-first-byte 3600)");
    }
}
