//! What is left to read of all partitions, for people.

use std::collections::HashSet;

use futures::{FutureExt, StreamExt};

use super::{PerPartition, partition_key};
use crate::components::outlook::{Next, Outlook, PartitionStart, PartitionWindows, quoted};
use crate::components::{ParentStates, ReadError};
use crate::value::{Json, Map};

/// So many of the partitions that are furthest behind are listed.
const N_FURTHEST: usize = 5;

impl PerPartition {
    /// What the next read asks for, which starts from `state`.
    pub(super) fn look_ahead(&self, state: &Map) -> Result<Outlook, ReadError> {
        let settings = &self.settings;
        let known = self.known_partitions()?;
        let partitions = self.lock();
        let slices_of_others =
            settings.slices(partitions.new_progress(settings)?.windows(settings)?)?;
        let (mut n_gone, mut n_with_state, mut n_slices) = (0, 0, 0);
        let mut starts = Vec::new();
        for (key, progress) in partitions.cursors.by_age().iter() {
            let partition = serde_json::from_str::<Json>(key).unwrap_or_default();
            if !self.is_fitting(&partition) {
                continue;
            }
            if known.as_ref().is_some_and(|known| !known.contains(key)) {
                n_gone += 1;
                continue;
            }
            n_with_state += 1;
            let mut windows = progress.clone().windows(settings)?.peekable();
            if let Some(Ok((start, _))) = windows.peek() {
                starts.push((*start, partition));
            }
            n_slices += windows.count();
        }
        starts.sort_by_key(|(start, _)| start.utc_micros());
        let furthest_behind = starts.into_iter().take(N_FURTHEST).map(|(start, partition)| {
            PartitionStart { partition, from: settings.formats.format(start) }
        });
        let next = PartitionWindows {
            terms: settings.terms()?,
            is_global: partitions.is_global(),
            global: partitions.global.clone(),
            lookback_seconds: partitions.lookback,
            slices_of_others,
            n_with_state,
            n_without_state: known.as_ref().map(|known| known.len() - n_with_state),
            n_gone: known.is_some().then_some(n_gone),
            n_slices,
            furthest_behind: furthest_behind.collect(),
            parents: partitions.parent_state.as_ref().map(ParentStates::to_map).unwrap_or_default(),
        };
        Ok(Outlook { next: Next::Partitions(Box::new(next)), ignored: self.unread(state) })
    }

    /// The partitions, when no parent has to be asked for them.
    fn known_partitions(&self) -> Result<Option<HashSet<String>>, ReadError> {
        if !self.router.ancestors().is_empty() {
            return Ok(None);
        }
        let mut known = HashSet::new();
        for slice in self.router.partitions().collect::<Vec<_>>().now_or_never().unwrap_or_default()
        {
            known.insert(partition_key(&slice?.partition));
        }
        Ok(Some(known))
    }

    /// Whether it can be one of the router's partitions, by its keys.
    fn is_fitting(&self, partition: &Json) -> bool {
        let keys: Option<HashSet<_>> = partition.as_object().map(|it| it.keys().collect());
        self.router.shapes().iter().any(|shape| keys == Some(shape.iter().collect()))
    }

    /// What of the state makes no difference.
    fn unread(&self, state: &Map) -> Vec<String> {
        const KEYS: [&str; 5] =
            ["use_global_cursor", "states", "state", "lookback_window", "parent_state"];
        let field = &self.settings.field;
        if !state.contains_key("states") && !state.contains_key("state") {
            let mut cursor = state.clone();
            cursor.retain(|key, _| key == field || !KEYS.contains(&key.as_str()));
            return self.settings.unread(&cursor);
        }
        let mut ignored = Vec::new();
        let unknown: Vec<_> = state.keys().filter(|key| !KEYS.contains(&key.as_str())).collect();
        if !unknown.is_empty() {
            let names: Vec<_> = unknown.into_iter().map(|key| quoted(key)).collect();
            ignored.push(format!("{}: no cursor has such keys", names.join(", ")));
        }
        let partitions = || state.get("states").and_then(Json::as_array).into_iter().flatten();
        let misfits: Vec<_> =
            partitions().map(|it| &it["partition"]).filter(|it| !self.is_fitting(it)).collect();
        if let Some(first) = misfits.first() {
            let shapes = self.router.shapes();
            let shapes: Vec<_> = shapes.iter().map(|shape| shape.join(", ")).collect();
            ignored.push(format!(
                "{} of {} partitions match none that the stream has, as {first}: partitions have the keys {}",
                misfits.len(),
                partitions().count(),
                shapes.join(", or "),
            ));
        }
        let n_without_field = partitions().filter(|it| it["cursor"].get(field).is_none()).count();
        if n_without_field > 0 {
            ignored.push(format!(
                "{n_without_field} of {} partitions have no {} in their cursor, and are read from the start",
                partitions().count(),
                quoted(field),
            ));
        }
        let global = state.get("state").and_then(Json::as_object);
        if global.is_some_and(|global| !global.contains_key(field)) {
            ignored.push(format!(
                "`state` has no {}: partitions without a state are read from the start",
                quoted(field)
            ));
        }
        ignored
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{cursor, states};
    use super::*;

    #[track_caller]
    fn look_ahead(ids: &[i64], state: &Json) -> (PartitionWindows, Vec<String>) {
        let outlook = cursor(&json!({}), ids, state).outlook(state.as_object().unwrap()).unwrap();
        let Next::Partitions(next) = outlook.next else { panic!("{outlook:?}") };
        (*next, outlook.ignored)
    }

    #[test]
    fn partitions_are_counted_by_what_they_start_from() {
        let state = json!({
            "states": states(&[(1, "2024-01-03"), (2, "2024-01-02"), (9, "2024-01-01")]),
            "state": {"updated": "2024-01-04"},
            "lookback_window": 86400,
        });
        let (next, ignored) = look_ahead(&[1, 2, 3, 4], &state);
        assert_eq!(ignored, Vec::<String>::new());
        assert_eq!((next.n_with_state, next.n_without_state, next.n_gone), (2, Some(2), Some(1)));
        assert_eq!((next.global.as_deref(), next.lookback_seconds), (Some("2024-01-04"), 86400));
        assert_eq!(next.slices_of_others.from(), Some("2024-01-03"));
        let furthest: Vec<_> = next.furthest_behind.iter().map(|it| it.from.as_str()).collect();
        assert_eq!(furthest, ["2024-01-02", "2024-01-03"]);
    }

    #[test]
    fn a_cursor_of_the_time_before_partitions_is_the_global_one() {
        let (next, ignored) = look_ahead(&[1], &json!({"updated": "2024-01-03", "x": 1}));
        assert_eq!(next.slices_of_others.from(), Some("2024-01-03"));
        assert_eq!(ignored, ["`x` is kept, and not read"]);
    }

    #[test]
    fn what_makes_no_difference_is_told() {
        let mut states = states(&[(1, "2024-01-03")]);
        let more = [
            json!({"partition": {"id": 1, "parent_slice": {}}, "cursor": {"updated": "2024-01-03"}}),
            json!({"partition": {"id": 2}, "cursor": {"created": "2024-01-03"}}),
        ];
        states.as_array_mut().unwrap().extend(more);
        let state = json!({"states": states, "state": {"created": "2024-01-03"}, "x": 1});
        assert_eq!(
            look_ahead(&[1, 2], &state).1,
            [
                "`x`: no cursor has such keys",
                "1 of 3 partitions match none that the stream has, as {\"id\":1,\"parent_slice\":{}}: partitions have the keys id",
                "1 of 3 partitions have no `updated` in their cursor, and are read from the start",
                "`state` has no `updated`: partitions without a state are read from the start",
            ]
        );
    }
}
