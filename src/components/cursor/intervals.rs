//! Stretches of time that have been read, and how they grow together.

use crate::template::time::{DateTime, TimeError};

/// A stretch of time that has been read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Interval {
    pub(super) start: DateTime,
    pub(super) end: DateTime,
    /// The latest cursor value that was seen in it.
    pub(super) most_recent: Option<DateTime>,
}

/// Joins intervals that overlap, or of which one begins where `next` says
/// that the other ends; the result is in order.
pub(super) fn merge(
    mut intervals: Vec<Interval>,
    next: impl Fn(DateTime) -> Result<DateTime, TimeError>,
) -> Result<Vec<Interval>, TimeError> {
    intervals.sort_by_key(|interval| (interval.start.utc_micros(), interval.end.utc_micros()));
    let mut merged = Vec::<Interval>::with_capacity(intervals.len());
    for interval in intervals {
        match merged.last_mut() {
            Some(last) if !is_before(next(last.end)?, interval.start) => {
                last.end = later(last.end, interval.end);
                last.most_recent = match (interval.most_recent, last.most_recent) {
                    (Some(current), Some(earlier)) => Some(later(current, earlier)),
                    (current, earlier) => current.or(earlier),
                };
            }
            _ => merged.push(interval),
        }
    }
    Ok(merged)
}

/// Whether one moment comes before another.
pub(super) fn is_before(moment: DateTime, other: DateTime) -> bool {
    moment.utc_micros() < other.utc_micros()
}

/// The later of two moments; the first of two that are the same.
pub(super) fn later(first: DateTime, second: DateTime) -> DateTime {
    if is_before(first, second) { second } else { first }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::template::time::{TimeDelta, Zone};

    type Seconds = (i64, i64, Option<i64>);

    fn merged(intervals: &[Seconds]) -> Vec<Seconds> {
        let moment =
            |seconds: i64| DateTime::from_utc_micros(seconds * 1_000_000, Zone::Utc).unwrap();
        let intervals = intervals.iter().map(|&(start, end, most_recent)| Interval {
            start: moment(start),
            end: moment(end),
            most_recent: most_recent.map(moment),
        });
        let second = TimeDelta::from_millis(1000).unwrap();
        let merged = merge(intervals.collect(), |end| end.plus(second)).unwrap();
        let seconds = |moment: DateTime| moment.utc_micros() / 1_000_000;
        merged
            .into_iter()
            .map(|it| (seconds(it.start), seconds(it.end), it.most_recent.map(seconds)))
            .collect()
    }

    #[track_caller]
    fn check(intervals: &[Seconds], expect: &[Seconds]) {
        assert_eq!(merged(intervals), expect);
    }

    #[test]
    fn neighbours_grow_together() {
        check(&[(0, 9, None), (10, 19, None)], &[(0, 19, None)]);
        check(&[(0, 9, None), (11, 19, None)], &[(0, 9, None), (11, 19, None)]);
        check(&[(10, 19, None), (0, 9, None), (20, 29, None)], &[(0, 29, None)]);
        check(&[(0, 30, None), (10, 19, None)], &[(0, 30, None)]);
    }

    #[test]
    fn the_greatest_value_is_kept() {
        check(&[(0, 9, Some(5)), (10, 19, None)], &[(0, 19, Some(5))]);
        check(&[(0, 9, None), (10, 19, Some(12))], &[(0, 19, Some(12))]);
        check(&[(0, 9, Some(25)), (10, 19, Some(12))], &[(0, 19, Some(25))]);
    }

    proptest! {
        #[test]
        fn the_order_of_intervals_does_not_matter(
            starts in prop::collection::vec((0_i64..100, 0_i64..20, prop::option::of(0_i64..100)), 1..12),
            seed: u64,
        ) {
            let intervals: Vec<_> = starts.iter().map(|&(start, len, most_recent)| (start, start + len, most_recent)).collect();
            let mut shuffled = intervals.clone();
            for idx in 0..shuffled.len() {
                let other = usize::try_from(seed >> (idx % 32)).unwrap() % shuffled.len();
                shuffled.swap(idx, other);
            }
            prop_assert_eq!(merged(&intervals), merged(&shuffled));
        }

        #[test]
        fn merging_step_by_step_is_merging_at_once(
            starts in prop::collection::vec((0_i64..100, 0_i64..20, prop::option::of(0_i64..100)), 1..12),
        ) {
            let intervals: Vec<_> = starts.iter().map(|&(start, len, most_recent)| (start, start + len, most_recent)).collect();
            let stepwise = intervals.iter().fold(Vec::new(), |mut sum, interval| {
                sum.push(*interval);
                merged(&sum)
            });
            prop_assert_eq!(&stepwise, &merged(&intervals));
            for pair in stepwise.windows(2) {
                prop_assert!(pair[0].1 + 1 < pair[1].0, "a gap is between intervals");
            }
        }
    }
}
