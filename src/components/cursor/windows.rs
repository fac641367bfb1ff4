//! Time cut into windows.
//!
//! What was not read yet is cut into windows of one step each. Windows do not
//! overlap: each ends one granularity before the next one starts, only the
//! last one includes the very end.

use std::sync::Arc;

use crate::template::time::{DateTime, Span, TimeError};

use super::clamping::Clamping;
use super::intervals::{Interval, is_before, later};

/// How time is cut.
#[derive(Clone, Debug)]
pub(super) struct Cutting {
    /// Nothing before it is read.
    pub(super) start: DateTime,
    /// The length of a window; without one a window is as long as it can be.
    pub(super) step: Option<Span>,
    /// The smallest difference of two moments.
    pub(super) granularity: Option<Span>,
    /// How much is read again before the end of what has been read.
    pub(super) lookback: Option<Span>,
    /// What windows begin and end with.
    pub(super) clamping: Option<Clamping>,
    /// Whether a window cannot end where it starts.
    pub(super) is_compare_strictly: bool,
}

/// Start and end of a window, both included.
pub(super) type Window = (DateTime, DateTime);

/// A stretch that was not read yet.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    lower: DateTime,
    upper: DateTime,
    /// Whether nothing that has been read follows it.
    is_last: bool,
}

impl Cutting {
    /// The windows up to `end` that are not among the merged `intervals`.
    pub(super) fn windows(
        self: &Arc<Self>,
        intervals: &[Interval],
        end: DateTime,
    ) -> Result<Windows, TimeError> {
        let stretches = self.stretches(intervals, end)?;
        Ok(Windows {
            cutting: Arc::clone(self),
            end,
            stretches: stretches.into_iter(),
            current: None,
        })
    }

    fn stretches(&self, intervals: &[Interval], end: DateTime) -> Result<Vec<Stretch>, TimeError> {
        let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else {
            return Err(TimeError::Value("Expected at least one slice".to_owned()));
        };
        let mut stretches = Vec::with_capacity(intervals.len() + 1);
        if is_before(self.start, first.start) {
            stretches.push(Stretch { lower: self.start, upper: first.start, is_last: false });
        }
        for pair in intervals.windows(2) {
            let lower = self.after(pair[0].end)?;
            stretches.push(Stretch { lower, upper: pair[1].start, is_last: false });
        }
        let lower = match self.lookback {
            Some(lookback) => last.end.minus_span(lookback)?,
            None => last.end,
        };
        stretches.push(Stretch { lower, upper: end, is_last: true });
        Ok(stretches)
    }

    fn after(&self, moment: DateTime) -> Result<DateTime, TimeError> {
        self.granularity.map_or(Ok(moment), |granularity| moment.plus_span(granularity))
    }

    fn before(&self, moment: DateTime) -> Result<DateTime, TimeError> {
        self.granularity.map_or(Ok(moment), |granularity| moment.minus_span(granularity))
    }

    fn clamp(&self, moment: DateTime) -> Result<DateTime, TimeError> {
        self.clamping.map_or(Ok(moment), |clamping| clamping.ceil(moment))
    }

    /// One step later; the very end without a step, or where no calendar goes that far.
    fn step(&self, moment: DateTime, end: DateTime) -> Result<DateTime, TimeError> {
        let Some(step) = self.step else { return Ok(end) };
        match moment.plus_span(step) {
            Err(TimeError::Overflow(_)) => Ok(end),
            other => other,
        }
    }

    /// Where the first window of a stretch starts; `None` when nothing of it is left to read.
    fn begin(&self, stretch: Stretch) -> Result<Option<DateTime>, TimeError> {
        let Stretch { lower, upper, is_last } = stretch;
        let is_nothing = is_before(upper, lower) || (lower == upper && self.granularity.is_none());
        if is_nothing || is_before(upper, self.start) {
            return Ok(None);
        }
        let lower = self.clamp(later(lower, self.start))?;
        // What starts and ends at once is one moment to read; in a gap the next interval has it.
        let is_nothing =
            is_before(upper, lower) || (lower == upper && (self.is_compare_strictly || !is_last));
        Ok((!is_nothing).then_some(lower))
    }

    /// The whole stretch from `lower` on as one window.
    fn whole(&self, lower: DateTime, stretch: Stretch) -> Result<Window, TimeError> {
        // With a granularity the very end is the last moment to read: not to be clamped beyond.
        let upper = if stretch.is_last && self.granularity.is_some() {
            stretch.upper
        } else {
            self.clamp(stretch.upper)?
        };
        Ok((lower, if stretch.is_last { upper } else { self.before(upper)? }))
    }
}

/// Windows, each cut when it is asked for.
#[derive(Debug)]
pub(super) struct Windows {
    cutting: Arc<Cutting>,
    end: DateTime,
    stretches: std::vec::IntoIter<Stretch>,
    /// The stretch that is cut, and where its next window starts.
    current: Option<(Stretch, DateTime)>,
}

impl Windows {
    fn cut(&mut self) -> Result<Option<Window>, TimeError> {
        loop {
            if let Some((stretch, lower)) = self.current.take() {
                if let Some(window) = self.cut_next(stretch, lower)? {
                    return Ok(Some(window));
                }
                continue;
            }
            let Some(stretch) = self.stretches.next() else { return Ok(None) };
            let Some(lower) = self.cutting.begin(stretch)? else { continue };
            let is_whole = self.cutting.step.is_some_and(|step| step.is_zero())
                || !is_before(self.cutting.step(lower, self.end)?, stretch.upper);
            if is_whole {
                return self.cutting.whole(lower, stretch).map(Some);
            }
            self.current = Some((stretch, lower));
        }
    }

    /// The window of `stretch` that starts at `lower`, and where the next one does.
    fn cut_next(&mut self, stretch: Stretch, lower: DateTime) -> Result<Option<Window>, TimeError> {
        let Stretch { upper, is_last, .. } = stretch;
        let next = self.cutting.step(lower, self.end)?;
        let end = if is_before(upper, next) { upper } else { next };
        let clamped = if end == upper { end } else { self.cutting.clamp(end)? };
        let has_reached_end = !is_before(end, upper) || clamped == upper;
        let start = self.cutting.clamp(lower)?;
        if !is_before(start, clamped) {
            return Ok(None);
        }
        if !has_reached_end {
            self.current = Some((stretch, clamped));
        }
        let includes_end = is_last && has_reached_end;
        Ok(Some((start, if includes_end { clamped } else { self.cutting.before(clamped)? })))
    }
}

impl Iterator for Windows {
    type Item = Result<Window, TimeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cut().transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::time::{Zone, isoparse};

    fn at(text: &str) -> DateTime {
        isoparse(text).unwrap().in_zone(Zone::Utc).unwrap()
    }

    fn span(text: &str) -> Option<Span> {
        (!text.is_empty()).then(|| Span::parse(text).unwrap())
    }

    fn cutting(start: &str, step: &str, granularity: &str) -> Cutting {
        Cutting {
            start: at(start),
            step: span(step),
            granularity: span(granularity),
            lookback: None,
            clamping: None,
            is_compare_strictly: false,
        }
    }

    fn read(start: &str, end: &str) -> Interval {
        Interval { start: at(start), end: at(end), most_recent: None }
    }

    #[track_caller]
    fn check(cutting: Cutting, intervals: &[Interval], end: &str, expect: &[(&str, &str)]) {
        let windows = Arc::new(cutting).windows(intervals, at(end)).unwrap();
        let windows: Vec<_> = windows.map(Result::unwrap).collect();
        let expect: Vec<_> = expect.iter().map(|(start, end)| (at(start), at(end))).collect();
        assert_eq!(windows, expect);
    }

    #[test]
    fn without_a_step_it_is_one_window() {
        let nothing = [read("2024-01-01", "2024-01-01")];
        let expect = [("2024-01-01", "2024-01-05")];
        check(cutting("2024-01-01", "", ""), &nothing, "2024-01-05", &expect);
    }

    #[test]
    fn windows_end_before_the_next_one_starts() {
        let nothing = [read("2024-01-01", "2024-01-01")];
        check(
            cutting("2024-01-01", "P2D", "PT1S"),
            &nothing,
            "2024-01-05",
            &[("2024-01-01", "2024-01-02T23:59:59"), ("2024-01-03", "2024-01-05")],
        );
        check(
            cutting("2024-01-01", "P2D", "P1D"),
            &nothing,
            "2024-01-05",
            &[("2024-01-01", "2024-01-02"), ("2024-01-03", "2024-01-05")],
        );
        check(
            cutting("2024-01-01", "P1D", "PT1S"),
            &nothing,
            "2024-01-03",
            &[("2024-01-01", "2024-01-01T23:59:59"), ("2024-01-02", "2024-01-03")],
        );
        check(
            cutting("2024-01-01", "P1M", "P1D"),
            &nothing,
            "2024-03-15",
            &[
                ("2024-01-01", "2024-01-31"),
                ("2024-02-01", "2024-02-29"),
                ("2024-03-01", "2024-03-15"),
            ],
        );
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let until = |end: &str| [read("2024-01-01", end)];
        let days = || cutting("2024-01-01", "P9D", "P1D");
        check(days(), &until("2024-01-03"), "2024-01-05", &[("2024-01-03", "2024-01-05")]);
        let lookback = Cutting { lookback: span("P2D"), ..days() };
        check(
            lookback.clone(),
            &until("2024-01-04"),
            "2024-01-05",
            &[("2024-01-02", "2024-01-05")],
        );
        check(lookback, &until("2024-01-02"), "2024-01-05", &[("2024-01-01", "2024-01-05")]);
        check(days(), &until("2024-01-06"), "2024-01-05", &[]);
        check(days(), &until("2024-01-05"), "2024-01-05", &[("2024-01-05", "2024-01-05")]);
        let strict = Cutting { is_compare_strictly: true, ..days() };
        check(strict, &until("2024-01-05"), "2024-01-05", &[]);
        let bare = cutting("2024-01-01", "", "");
        check(bare, &until("2024-01-05"), "2024-01-05", &[]);
        check(days(), &until("2024-01-01"), "2023-12-31", &[]);
    }

    #[test]
    fn gaps_are_filled() {
        let intervals = [read("2024-01-03", "2024-01-04"), read("2024-01-07", "2024-01-08")];
        check(
            cutting("2024-01-01", "P9D", "P1D"),
            &intervals,
            "2024-01-10",
            &[
                ("2024-01-01", "2024-01-02"),
                ("2024-01-05", "2024-01-06"),
                ("2024-01-08", "2024-01-10"),
            ],
        );
    }

    #[test]
    fn clamped_windows_are_whole_periods() {
        let nothing = [read("2024-01-10", "2024-01-10")];
        let months =
            Cutting { clamping: Some(Clamping::Month), ..cutting("2024-01-10", "P1M", "P1D") };
        // The end has been clamped already.
        check(months, &nothing, "2024-02-29", &[("2024-02-01", "2024-02-29")]);
    }

    #[test]
    fn a_step_beyond_the_calendar_reaches_the_end() {
        let nothing = [read("2024-01-01", "2024-01-01")];
        let expect = [("2024-01-01", "2024-01-05")];
        check(cutting("2024-01-01", "P9000000D", "P1D"), &nothing, "2024-01-05", &expect);
    }

    proptest! {
        #[test]
        fn nothing_is_left_out_and_nothing_read_twice(
            days in 1_i64..400, step in 1_i64..40, read_days in 0_i64..400, months: bool,
        ) {
            let day = |n: i64| DateTime::from_utc_micros(n * 86_400_000_000, Zone::Utc).unwrap();
            let unit = if months { 'M' } else { 'D' };
            let cutting = Cutting {
                start: day(0),
                step: span(&format!("P{step}{unit}")),
                ..cutting("1970-01-01", "", "P1D")
            };
            let interval = Interval { start: day(0), end: day(read_days), most_recent: None };
            let windows = Arc::new(cutting).windows(&[interval], day(days)).unwrap();
            let mut next = day(read_days);
            for window in windows {
                let (start, end) = window.unwrap();
                prop_assert_eq!(start, next);
                prop_assert!(!is_before(end, start));
                next = end.plus_span(span("P1D").unwrap()).unwrap();
            }
            if read_days <= days {
                prop_assert_eq!(next, day(days + 1));
            }
        }
    }
}
