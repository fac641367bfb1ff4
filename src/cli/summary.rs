//! Where the time of a read went, as a table for people.

use std::fmt;
use std::time::Duration;

use super::progress::grouped;
use crate::run::Wait;
use crate::run::ledger::{Spent, Totals};

/// What is said at the end of a read.
pub(super) struct Summary {
    /// By stream.
    totals: Vec<Totals>,
    elapsed: Duration,
}

/// A column of the table, and whether it is left out where nothing stands in it.
struct Column {
    title: &'static str,
    is_optional: bool,
    cell: fn(&Totals) -> String,
}

const fn always(title: &'static str, cell: fn(&Totals) -> String) -> Column {
    Column { title, is_optional: false, cell }
}

const fn if_any(title: &'static str, cell: fn(&Totals) -> String) -> Column {
    Column { title, is_optional: true, cell }
}

const COLUMNS: [Column; 13] = [
    always("stream", |it| it.stream.clone()),
    always("records", |it| grouped(it.n_records)),
    always("requests", |it| grouped(it.n_requests)),
    if_any("retries", |it| grouped(it.n_retries)),
    always("received", |it| size(it.n_bytes)),
    always("time", |it| seconds(it.total)),
    always("server", |it| seconds(it.spent(Spent::Server))),
    always("body", |it| seconds(it.spent(Spent::Body))),
    always("work", |it| seconds(it.working())),
    if_any("back-off", |it| seconds(it.spent(Spent::Waiting(Wait::BackOff)))),
    if_any("budget", |it| seconds(it.spent(Spent::Waiting(Wait::Budget)))),
    if_any("jobs", |it| seconds(it.spent(Spent::Waiting(Wait::Job)))),
    if_any("stdout", |it| seconds(it.spent(Spent::Output))),
];

/// What the columns mean that stand in the table.
const LEGEND: [(&str, &str); 7] = [
    ("server", "no byte of an answer had come"),
    ("body", "the rest of an answer was on its way"),
    ("work", "decoding, selecting, and printing"),
    ("back-off", "the server was left alone after it refused or failed"),
    ("budget", "requests were held back by the API budget"),
    ("jobs", "the API worked at a job"),
    ("stdout", "nobody took the output"),
];

impl Summary {
    /// The summary of a read of so many streams, which took so long.
    pub(super) fn new(totals: Vec<Totals>, elapsed: Duration) -> Self {
        Self { totals, elapsed }
    }

    /// The rows of the table, with its title, without the columns that say nothing.
    fn rows(&self, sum: &Totals) -> Vec<Vec<String>> {
        let mut totals = self.totals.clone();
        if totals.len() > 1 {
            totals.push(sum.clone());
        }
        let nothing = Totals::default();
        let columns =
            COLUMNS.iter().filter(|it| !it.is_optional || (it.cell)(sum) != (it.cell)(&nothing));
        let columns: Vec<_> = columns.collect();
        let title = columns.iter().map(|it| it.title.to_owned()).collect();
        let rows = totals.iter().map(|it| columns.iter().map(|column| (column.cell)(it)).collect());
        std::iter::once(title).chain(rows).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sum = Totals::default();
        "(all)".clone_into(&mut sum.stream);
        self.totals.iter().for_each(|totals| sum.add(totals));
        let (n_records, elapsed) = (grouped(sum.n_records), seconds(self.elapsed));
        writeln!(f, "{n_records} records in {elapsed} s; where the time went, in seconds:\n")?;
        let rows = self.rows(&sum);
        let n_columns = rows[0].len();
        let width = |column: usize| {
            rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<_> = (0..n_columns).map(width).collect();
        for row in &rows {
            write!(f, "  {:1$}", row[0], widths[0])?;
            for (cell, width) in row.iter().zip(&widths).skip(1) {
                write!(f, "  {cell:>width$}")?;
            }
            writeln!(f)?;
        }
        writeln!(f)?;
        for (column, meaning) in
            LEGEND.iter().filter(|(name, _)| rows[0].iter().any(|it| it == name))
        {
            writeln!(f, "  {column:9} {meaning}")?;
        }
        writeln!(f, "\n  Slices that were read side by side add up.")
    }
}

/// Seconds with tenths.
fn seconds(time: Duration) -> String {
    let tenths = (time.as_millis() + 50) / 100;
    let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
    format!("{}.{}", grouped(whole), tenths % 10)
}

/// Bytes in the largest unit of which there is one.
fn size(n_bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let Some((unit, len)) = units.into_iter().find(|(_, len)| n_bytes >= *len) else {
        return format!("{n_bytes} B");
    };
    let tenths = u128::from(n_bytes) * 10 / u128::from(len);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{RunContext, ledger};

    #[tokio::test]
    async fn only_columns_that_say_something_are_shown() {
        let run = RunContext::fixed(jiff::Timestamp::UNIX_EPOCH);
        run.ledger().keep();
        let [users, orders] = ["users", "orders"].map(|stream| run.ledger().open(stream));
        users
            .around(async {
                ledger::count_request();
                ledger::count_bytes(1_234_567);
                users.count_records(12_345);
                run.wait(Wait::BackOff, Duration::from_secs(61)).await;
            })
            .await;
        orders.around(async { ledger::count_request() }).await;
        let summary = Summary::new(run.ledger().totals(), Duration::from_millis(1_260));
        let expect = "\
12,345 records in 1.3 s; where the time went, in seconds:

  stream  records  requests  received  time  server  body  work  back-off
  users    12,345         1   1.1 MiB  61.0     0.0   0.0   0.0      61.0
  orders        0         1       0 B   0.0     0.0   0.0   0.0       0.0
  (all)    12,345         2   1.1 MiB  61.0     0.0   0.0   0.0      61.0

  server    no byte of an answer had come
  body      the rest of an answer was on its way
  work      decoding, selecting, and printing
  back-off  the server was left alone after it refused or failed

  Slices that were read side by side add up.
";
        assert_eq!(summary.to_string(), expect);
    }

    #[test]
    fn sizes_have_units() {
        let sizes = [0, 1023, 1024, 1536, 5 << 20, u64::MAX];
        let expect = ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "5.0 MiB", "17179869183.9 GiB"];
        assert_eq!(sizes.map(size), expect);
    }

    #[test]
    fn seconds_have_tenths() {
        let times = [0, 49, 50, 999, 3_600_000].map(Duration::from_millis);
        assert_eq!(times.map(seconds), ["0.0", "0.0", "0.1", "1.0", "3,600.0"]);
    }
}
