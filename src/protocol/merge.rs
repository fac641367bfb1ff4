//! Joins the states that the shards of a read have left to what one read would have left.
//!
//! A partition is in the state of one shard, so the states of partitions only
//! have to be put together. What partitions have in common is that of the
//! whole if all shards were read whole; one that was not keeps it back, as a
//! partition that fails does in one read.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::{Timestamp, civil};

use super::error::{MergeError, MergeFault};
use super::shard::{Shard, ShardNote};
use super::state::{MAX_PARTITION_STATES, States};
use crate::value::{Json, Map, is_truthy, partition_key};

/// The states of one connection.
struct Part {
    file: String,
    /// Nothing when the stream was not shared out.
    note: Option<ShardNote>,
    state: Map,
}

/// The state that a shard has left of a stream.
struct ShardState {
    file: String,
    note: ShardNote,
    state: Map,
}

/// Joins the states of files, each with its name.
pub fn merge_states(
    files: impl IntoIterator<Item = (String, States)>,
) -> Result<States, MergeError> {
    let mut streams: BTreeMap<String, Vec<Part>> = BTreeMap::new();
    for (file, states) in files {
        for (stream, mut state) in states {
            let note = ShardNote::take(&mut state)
                .map_err(|source| MergeError::State { file: file.clone(), source })?;
            streams.entry(stream).or_default().push(Part { file: file.clone(), note, state });
        }
    }
    let merged = streams.into_iter().map(|(stream, parts)| match merge_stream(parts) {
        Ok(state) => Ok((stream, state)),
        Err(fault) => Err(MergeError::Stream { stream, fault }),
    });
    merged.collect()
}

fn merge_stream(parts: Vec<Part>) -> Result<Map, MergeFault> {
    if parts.iter().all(|part| part.note.is_none()) {
        return the_same(parts.iter().map(|part| (&*part.file, &part.state)));
    }
    let shards = all_shards(parts)?;
    if shards.iter().any(|shard| shard.state.contains_key("use_global_cursor")) {
        return merge_partitions(&shards);
    }
    the_same(shards.iter().map(|shard| (&*shard.file, &shard.state)))
}

/// The one state there is, in however many files.
fn the_same<'a>(states: impl IntoIterator<Item = (&'a str, &'a Map)>) -> Result<Map, MergeFault> {
    let mut states = states.into_iter();
    let Some((file, state)) = states.next() else { return Ok(Map::new()) };
    match states.find(|(_, other)| *other != state) {
        Some((other, _)) => Err(MergeFault::Unlike(file.to_owned(), other.to_owned())),
        None => Ok(state.clone()),
    }
}

/// The parts in the order of their shards, which must all be there.
fn all_shards(parts: Vec<Part>) -> Result<Vec<ShardState>, MergeFault> {
    let whole = parts.iter().find(|part| part.note.is_none()).map(|part| part.file.clone());
    let shards = parts
        .into_iter()
        .filter_map(|Part { file, note, state }| note.map(|note| ShardState { file, note, state }));
    let mut shards: Vec<_> = shards.collect();
    shards.sort_by_key(|it| (it.note.shard.count(), it.note.shard.index()));
    let name = |it: &ShardState| (it.file.clone(), it.note.shard);
    if let (Some(whole), Some(first)) = (whole, shards.first()) {
        return Err(MergeFault::NotShared(name(first), whole));
    }
    for pair in shards.windows(2) {
        let [one, other] = [&pair[0], &pair[1]];
        if one.note.shard.count() != other.note.shard.count() {
            return Err(MergeFault::Counts(name(one), name(other)));
        }
        if one.note.shard == other.note.shard {
            return Err(MergeFault::ShardTwice(
                one.note.shard,
                one.file.clone(),
                other.file.clone(),
            ));
        }
    }
    let count = shards.first().map_or(0, |first| first.note.shard.count());
    let is_there = |shard: &Shard| shards.iter().any(|it| it.note.shard == *shard);
    let all = (0..count).filter_map(|index| Shard::new(index, count).ok());
    let missing: Vec<_> = all.filter(|shard| !is_there(shard)).collect();
    if missing.is_empty() { Ok(shards) } else { Err(MergeFault::Missing(missing)) }
}

/// Joins the states of the shards of a stream with a cursor for each partition.
fn merge_partitions(shards: &[ShardState]) -> Result<Map, MergeFault> {
    let is_global = |state: &Map| state.get("use_global_cursor").is_some_and(is_truthy);
    let states = join_partitions(shards)?;
    let is_global =
        states.len() > MAX_PARTITION_STATES || shards.iter().any(|it| is_global(&it.state));
    let mut merged = Map::new();
    merged.insert("use_global_cursor".to_owned(), is_global.into());
    if !is_global {
        merged.insert("states".to_owned(), Json::Array(states));
    }
    let common = Common::of(shards)?;
    if let Some(state) = common.state {
        merged.insert("state".to_owned(), state);
    }
    merged.insert("lookback_window".to_owned(), common.lookback.into());
    if let Some(parents) = merge_parents(shards)? {
        merged.insert("parent_state".to_owned(), parents);
    }
    Ok(merged)
}

/// The states of all partitions, in an order that does not depend on that of the shards.
fn join_partitions(shards: &[ShardState]) -> Result<Vec<Json>, MergeFault> {
    let mut joined: BTreeMap<String, (&str, &Json)> = BTreeMap::new();
    for shard in shards {
        for state in partitions(&shard.state) {
            let key = key_of(state);
            if let Some((other, _)) = joined.insert(key.clone(), (&shard.file, state)) {
                return Err(MergeFault::PartitionTwice(key, other.to_owned(), shard.file.clone()));
            }
        }
    }
    Ok(joined.into_values().map(|(_, state)| state.clone()).collect())
}

fn partitions(state: &Map) -> impl Iterator<Item = &Json> {
    state.get("states").and_then(Json::as_array).into_iter().flatten()
}

fn key_of(state: &Json) -> String {
    let partition = state.get("partition").and_then(Json::as_object);
    partition.map(partition_key).unwrap_or_default()
}

/// What the partitions have in common.
struct Common {
    /// The global cursor.
    state: Option<Json>,
    /// Seconds before it that new partitions start at.
    lookback: i64,
}

impl Common {
    fn of(shards: &[ShardState]) -> Result<Self, MergeFault> {
        let kept_back: Vec<_> = shards.iter().filter(|it| it.note.ended_at.is_none()).collect();
        let [first, others @ ..] = &kept_back[..] else { return Ok(Self::of_whole(shards)) };
        let lookback =
            |shard: &ShardState| shard.state.get("lookback_window").and_then(Json::as_i64);
        // Before its end, a shard has what it began with.
        let began = |shard: &ShardState| (shard.state.get("state").cloned(), lookback(shard));
        match others.iter().find(|other| began(other) != began(first)) {
            Some(other) => Err(MergeFault::Beginnings(first.file.clone(), other.file.clone())),
            None => Ok(Self { state: began(first).0, lookback: lookback(first).unwrap_or(0) }),
        }
    }

    /// When all shards were read whole: the greatest cursor, and the time from the first beginning
    /// to the last end.
    fn of_whole(shards: &[ShardState]) -> Self {
        // As in one read, the texts are compared.
        let text = |state: &&Json| {
            let value = state.as_object().and_then(|state| state.values().next());
            value.and_then(Json::as_str).map(str::to_owned)
        };
        let states = shards.iter().filter_map(|it| it.state.get("state"));
        let lookbacks = shards.iter().filter_map(|it| it.state.get("lookback_window")?.as_i64());
        let has_observed = shards.iter().any(|it| it.note.has_observed);
        Self {
            state: states.max_by_key(text).cloned(),
            lookback: if has_observed {
                seconds_of_all(shards)
            } else {
                lookbacks.max().unwrap_or(0)
            },
        }
    }
}

/// Whole seconds from the first beginning to the last end, at least one.
fn seconds_of_all(shards: &[ShardState]) -> i64 {
    let began_at = shards.iter().map(|it| it.note.began_at).min().unwrap_or_default();
    let ended_at = shards.iter().filter_map(|it| it.note.ended_at).max().unwrap_or_default();
    let micros = ended_at.as_microsecond() - began_at.as_microsecond();
    num_integer::Integer::div_ceil(&micros, &1_000_000).max(1)
}

/// The parents' states: of each the earliest, up to which all shards have read it.
fn merge_parents(shards: &[ShardState]) -> Result<Option<Json>, MergeFault> {
    let states = shards.iter().map(|it| it.state.get("parent_state"));
    // Who knows of no parent has read none of it.
    let Some(states) = states.collect::<Option<Vec<_>>>() else { return Ok(None) };
    let mut states = states.into_iter();
    let Some(first) = states.next() else { return Ok(None) };
    states
        .try_fold(first.clone(), |earliest, state| earlier(&earliest, state, "parent_state"))
        .map(Some)
}

/// What is not later than either of two values at one place of a state.
fn earlier(one: &Json, other: &Json, place: &str) -> Result<Json, MergeFault> {
    if one == other {
        return Ok(one.clone());
    }
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            earlier_state(one, other, place).map(Json::Object)
        }
        _ => match order(one, other) {
            Some(Ordering::Greater) => Ok(other.clone()),
            Some(_) => Ok(one.clone()),
            None => {
                let values = [one, other].map(|value| value.to_string().into());
                Err(MergeFault::NoOrder(place.to_owned(), values))
            }
        },
    }
}

/// A state that is not later than either of two: what only one knows of is left out.
fn earlier_state(one: &Map, other: &Map, place: &str) -> Result<Map, MergeFault> {
    let is_global =
        [one, other].iter().any(|it| it.get("use_global_cursor").is_some_and(is_truthy));
    let mut earliest = Map::new();
    for (key, value) in one {
        let Some(other_value) = other.get(key) else { continue };
        let merged = match key.as_str() {
            "use_global_cursor" => is_global.into(),
            "states" if is_global => continue,
            "states" => earlier_partitions(one, other, place)?,
            // The longer one goes back further.
            "lookback_window" if order(value, other_value) == Some(Ordering::Less) => {
                other_value.clone()
            }
            "lookback_window" => value.clone(),
            _ => earlier(value, other_value, &format!("{place}.{key}"))?,
        };
        earliest.insert(key.clone(), merged);
    }
    Ok(earliest)
}

fn earlier_partitions(one: &Map, other: &Map, place: &str) -> Result<Json, MergeFault> {
    let others: BTreeMap<_, _> = partitions(other).map(|state| (key_of(state), state)).collect();
    let both = partitions(one).filter_map(|state| Some((state, *others.get(&key_of(state))?)));
    both.map(|(state, other)| earlier(state, other, &format!("{place}.states"))).collect()
}

/// Which of two cursor values comes first, where their form tells: numbers, moments, and texts
/// that begin with the year.
fn order(one: &Json, other: &Json) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_f64(), other.as_f64()) {
        return one.partial_cmp(&other);
    }
    let (one, other) = (one.as_str()?, other.as_str()?);
    if let Some((one, other)) = both::<f64>(one, other) {
        return one.partial_cmp(&other);
    }
    if let Some((one, other)) = both::<Timestamp>(one, other) {
        return Some(one.cmp(&other));
    }
    if let Some((one, other)) = both::<civil::DateTime>(one, other) {
        return Some(one.cmp(&other));
    }
    let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let begins_with_year = shape(one).starts_with("0000");
    (begins_with_year && shape(one) == shape(other)).then(|| one.cmp(other))
}

/// Both values in a form that has an order.
fn both<T: FromStr>(one: &str, other: &str) -> Option<(T, T)> {
    Some((one.parse().ok()?, other.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A state of shard `index` of two that was read whole, with `fields` over its own; null takes
    /// one away.
    fn shard(index: u32, fields: &Json) -> Json {
        let mut state = json!({
            "use_global_cursor": false,
            "states": [{"partition": {"id": index}, "cursor": {"c": "2024-01-01"}}],
            "state": {"c": "2024-01-01"},
            "lookback_window": 1,
            "__shard": {"index": index, "count": 2, "began_at": "2024-05-06T07:00:00Z",
                "ended_at": "2024-05-06T07:01:00Z", "has_observed": true},
        });
        let state_fields = state.as_object_mut().unwrap();
        for (pointer, value) in fields.as_object().unwrap() {
            match pointer.rsplit_once('/') {
                Some((parent, key)) => state_fields[parent][key] = value.clone(),
                None => _ = state_fields.insert(pointer.clone(), value.clone()),
            }
        }
        state_fields.retain(|_, value| !value.is_null());
        state
    }

    fn merged(states: &[Json]) -> Result<Json, String> {
        let file = |(idx, state): (usize, &Json)| {
            let states = States::from([("s".to_owned(), state.as_object().unwrap().clone())]);
            (format!("{idx}.jsonl"), states)
        };
        match merge_states(states.iter().enumerate().map(file)) {
            Ok(mut states) => Ok(Json::Object(states.remove("s").unwrap())),
            Err(err) => Err(err.to_string()),
        }
    }

    #[track_caller]
    fn check(states: &[Json], expect: &Json) {
        assert_eq!(merged(states).as_ref(), Ok(expect));
        let reversed: Vec<_> = states.iter().rev().cloned().collect();
        assert_eq!(merged(&reversed).as_ref(), Ok(expect));
    }

    #[track_caller]
    fn check_fault(states: &[Json], expect: &str) {
        let prefix = "the states of the stream `s` cannot be joined: ";
        assert_eq!(merged(states), Err(format!("{prefix}{expect}")));
    }

    #[test]
    fn whole_shards_make_a_whole() {
        let later = json!({"state": {"c": "2024-01-03"}, "lookback_window": 60,
            "__shard/began_at": "2024-05-06T07:30:00Z", "__shard/ended_at": "2024-05-06T07:30:59.5Z"});
        check(
            &[shard(0, &json!({})), shard(1, &later)],
            &json!({
                "use_global_cursor": false,
                "states": [
                    {"partition": {"id": 0}, "cursor": {"c": "2024-01-01"}},
                    {"partition": {"id": 1}, "cursor": {"c": "2024-01-01"}},
                ],
                "state": {"c": "2024-01-03"},
                "lookback_window": 1860,
            }),
        );
    }

    #[test]
    fn nothing_new_changes_nothing() {
        let idle = json!({"lookback_window": 7, "__shard/has_observed": false});
        let merged = merged(&[shard(0, &idle), shard(1, &idle)]).unwrap();
        assert_eq!(merged["lookback_window"], json!(7));
    }

    #[test]
    fn a_shard_that_was_not_read_whole_keeps_the_global_state_back() {
        let open = json!({"state": {"c": "2023"}, "lookback_window": 5, "__shard/ended_at": null});
        let merged = |fields: &[&Json; 2]| merged(&[shard(0, fields[0]), shard(1, fields[1])]);
        let state = merged(&[&open, &json!({})]).unwrap();
        assert_eq!(
            (&state["state"], &state["lookback_window"]),
            (&json!({"c": "2023"}), &json!(5))
        );
        let never = json!({"state": null, "lookback_window": 0, "__shard/ended_at": null});
        assert_eq!(merged(&[&json!({}), &never]).unwrap().get("state"), None);
        check_fault(
            &[shard(0, &open), shard(1, &never)],
            "0.jsonl and 1.jsonl are of reads that began from different states, and did not come to their end",
        );
    }

    #[test]
    fn a_global_cursor_is_one_for_all() {
        let global = json!({"use_global_cursor": true, "states": null});
        let expect =
            json!({"use_global_cursor": true, "state": {"c": "2024-01-01"}, "lookback_window": 60});
        check(&[shard(0, &global), shard(1, &json!({}))], &expect);
        let many = |ids: std::ops::Range<u32>| {
            ids.map(|id| json!({"partition": {"id": id}, "cursor": {}})).collect::<Json>()
        };
        let halves = [
            shard(0, &json!({"states": many(0..6000)})),
            shard(1, &json!({"states": many(6000..12000)})),
        ];
        check(&halves, &expect);
    }

    #[track_caller]
    fn check_parents(one: &Json, other: &Json, expect: Result<&Json, &str>) {
        let state = |index, parents: &Json| shard(index, &json!({"parent_state": parents}));
        let states = [state(0, one), state(1, other)];
        match expect {
            Ok(expect) => assert_eq!(
                merged(&states).unwrap().get("parent_state").unwrap_or(&json!(null)),
                expect
            ),
            Err(expect) => check_fault(&states, expect),
        }
    }

    #[test]
    fn the_earliest_state_of_a_parent_counts() {
        #[track_caller]
        fn check(earlier: &Json, later: &Json) {
            let parent = |value: &Json| json!({"p": {"c": value}});
            check_parents(&parent(earlier), &parent(later), Ok(&parent(earlier)));
            check_parents(&parent(later), &parent(earlier), Ok(&parent(earlier)));
        }
        check(&json!(9), &json!(10));
        check(&json!("9"), &json!("10"));
        check(&json!("2024-01-02"), &json!("2024-01-03"));
        check(&json!("2024-01-02T00:00:00.25+00:00"), &json!("2024-01-02T00:00:00.5Z"));
    }

    #[test]
    fn moments_of_unlike_form_have_an_order_too() {
        #[track_caller]
        fn check(one: &str, other: &str, expect: Option<Ordering>) {
            assert_eq!(order(&json!(one), &json!(other)), expect);
        }
        check("2024-01-02T03:04:05+0000", "2024-01-02T03:04:05+0100", Some(Ordering::Greater));
        check("2024-01-02 03:04:05", "2024-01-02 03:04:06", Some(Ordering::Less));
        check("2024-01-02 03:04:05 UTC", "2024-01-02 03:04:06 UTC", Some(Ordering::Less));
        check("02/01/2024", "01/02/2024", None);
        check("2024", "x", None);
    }

    #[test]
    fn a_parents_state_may_have_parents_and_partitions() {
        let state = |first: &str, second: Option<&str>, lookback: i64| {
            let states = [("a", Some(first)), ("b", second)];
            let states = states.iter().filter_map(|(id, c)| {
                c.map(|c| json!({"partition": {"id": id}, "cursor": {"c": c}}))
            });
            json!({"p": {"use_global_cursor": false, "states": states.collect::<Json>(),
                "lookback_window": lookback, "parent_state": {"q": {"c": first}}}})
        };
        check_parents(
            &state("2024-01-02", Some("2024-01-05"), 1),
            &state("2024-01-03", None, 2),
            Ok(&state("2024-01-02", None, 2)),
        );
        check_parents(&json!(null), &state("2024-01-03", None, 2), Ok(&json!(null)));
        check_parents(
            &json!({"p": {"c": "01/02/2024"}}),
            &json!({"p": {"c": "02/01/2024"}}),
            Err(
                r#"`parent_state.p.c` is "01/02/2024" or "02/01/2024", and nothing says which is earlier"#,
            ),
        );
    }

    #[test]
    fn what_was_not_shared_out_stays_as_it_is() {
        let state = json!({"c": "2024"});
        check(slice::from_ref(&state), &state);
        check(&[state.clone(), state.clone()], &state);
        check_fault(
            &[state.clone(), json!({"c": "2025"})],
            "0.jsonl and 1.jsonl have different ones, and nothing says which is right",
        );
        let full = |index| {
            let keep = ["states", "state", "lookback_window", "use_global_cursor"]
                .map(|key| (key.to_owned(), json!(null)));
            shard(
                index,
                &Json::Object(keep.into_iter().chain([("done".to_owned(), json!(true))]).collect()),
            )
        };
        check(&[full(0), full(1)], &json!({"done": true}));
    }

    #[test]
    fn states_that_do_not_go_together_are_refused() {
        let (first, second) = (shard(0, &json!({})), shard(1, &json!({})));
        check_fault(slice::from_ref(&second), "there is none of shard 0/2");
        check_fault(
            &[shard(1, &json!({"__shard/count": 4}))],
            "there is none of shards 0/4, 2/4, 3/4",
        );
        check_fault(
            &[first.clone(), first.clone()],
            "0.jsonl and 1.jsonl both have that of shard 0/2; leave out the one of the older read",
        );
        check_fault(
            &[first.clone(), shard(1, &json!({"__shard/count": 3}))],
            "0.jsonl has that of shard 0/2, and 1.jsonl that of shard 1/3",
        );
        check_fault(
            &[json!({}), first.clone(), second],
            "1.jsonl has that of shard 0/2, and 0.jsonl one of no shard",
        );
        check_fault(
            &[first.clone(), shard(1, &json!({"states": first["states"]}))],
            r#"0.jsonl and 1.jsonl both have the partition {"id":0}"#,
        );
        let broken = merged(&[json!({"__shard": 5})]);
        let expect = "0.jsonl: 5 under `__shard` is not what a sharded read writes";
        assert_eq!(broken, Err(expect.to_owned()));
    }

    proptest! {
        #[test]
        fn a_state_that_is_split_by_shard_merges_to_itself(
            ids in proptest::collection::btree_map("[a-zA-Z0-9é\"]{1,3}", 0..1000_u32, 0..60),
            count in 2..7_u32,
            global in proptest::option::of(0..1000_u32),
            lookback in 0..100_i64,
            parents in proptest::bool::ANY,
        ) {
            let mut states: Vec<_> = ids
                .iter()
                .map(|(id, value)| json!({"partition": {"id": id}, "cursor": {"c": value.to_string()}}))
                .collect();
            states.sort_by_key(key_of);
            let mut whole = Map::from_iter([
                ("use_global_cursor".to_owned(), json!(false)),
                ("states".to_owned(), json!(states)),
            ]);
            whole.extend(global.map(|value| ("state".to_owned(), json!({"c": value.to_string()}))));
            whole.insert("lookback_window".to_owned(), lookback.into());
            whole.extend(parents.then(|| ("parent_state".to_owned(), json!({"p": {"c": 5}}))));
            let split = (0..count).map(|index| {
                let shard = Shard::new(index, count).unwrap();
                let mut state = whole.clone();
                let own = states.iter().filter(|it| shard.owns(it["partition"].as_object().unwrap()));
                state.insert("states".to_owned(), own.cloned().collect());
                let (began_at, ended_at) = (Timestamp::UNIX_EPOCH, Some(Timestamp::UNIX_EPOCH));
                ShardNote { shard, began_at, ended_at, has_observed: false }.put(&mut state);
                Json::Object(state)
            });
            prop_assert_eq!(merged(&split.collect::<Vec<_>>()), Ok(Json::Object(whole)));
        }
    }
}
