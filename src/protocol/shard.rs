//! A shard: one of several reads that share out the partitions of a connection.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::{InputError, ShardError};
use crate::value::{Json, Map, partition_key};

/// Which of so many reads one is; the first has the index 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Default for Shard {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Shard {
    /// The one read of all.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The read `index` of `count`.
    pub fn new(index: u32, count: u32) -> Result<Self, ShardError> {
        match count {
            0 => Err(ShardError::None),
            _ if index >= count => Err(ShardError::Beyond { index, count, last: count - 1 }),
            _ => Ok(Self { index, count }),
        }
    }

    /// Its place among the reads, from 0.
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many reads there are.
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether there is no other read.
    pub fn is_whole(self) -> bool {
        self.count == 1
    }

    /// Whether it is the one that reads what has no partitions.
    pub fn is_first(self) -> bool {
        self.index == 0
    }

    /// Whether it is the one that reads `partition`.
    ///
    /// The first 8 bytes of the SHA-256 of [`partition_key`], as a big-endian number, modulo the
    /// number of shards: on every machine, in every version.
    pub fn owns(self, partition: &Map) -> bool {
        if self.is_whole() {
            return true;
        }
        let digest = Sha256::digest(partition_key(partition));
        let number = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.count) == u64::from(self.index)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    /// Reads `0/5`, the first of five.
    fn from_str(text: &str) -> Result<Self, ShardError> {
        let number = |text: &str| text.parse().ok();
        let numbers = text.split_once('/').and_then(|(i, n)| Some((number(i)?, number(n)?)));
        let (index, count) = numbers.ok_or_else(|| ShardError::Form(text.to_owned()))?;
        Self::new(index, count)
    }
}

/// What the state of one shard says of the read that left it, so that states find together again.
#[derive(Clone, Debug, PartialEq)]
pub struct ShardNote {
    /// Whose state it is.
    pub shard: Shard,
    /// When the read began.
    pub began_at: Timestamp,
    /// When all partitions were read; none while some are not.
    pub ended_at: Option<Timestamp>,
    /// Whether any record had a cursor value.
    pub has_observed: bool,
}

impl ShardNote {
    /// The key of a stream's state that it stands under.
    pub const KEY: &str = "__shard";

    /// Writes it into a state.
    pub fn put(&self, state: &mut Map) {
        let mut note = json!({
            "index": self.shard.index,
            "count": self.shard.count,
            "began_at": self.began_at.to_string(),
            "has_observed": self.has_observed,
        });
        if let Some(ended_at) = self.ended_at {
            note["ended_at"] = ended_at.to_string().into();
        }
        state.insert(Self::KEY.to_owned(), note);
    }

    /// Takes it out of a state; nothing when that is of no shard.
    pub fn take(state: &mut Map) -> Result<Option<Self>, InputError> {
        let Some(note) = state.shift_remove(Self::KEY) else { return Ok(None) };
        let read = Self::read(&note);
        read.map(Some).ok_or_else(|| InputError::ShardNote(InputError::excerpt(&note)))
    }

    fn read(note: &Json) -> Option<Self> {
        let number = |key: &str| note.get(key)?.as_u64()?.try_into().ok();
        let moment = |value: &Json| value.as_str()?.parse().ok();
        Some(Self {
            shard: Shard::new(number("index")?, number("count")?).ok()?,
            began_at: moment(note.get("began_at")?)?,
            ended_at: match note.get("ended_at").filter(|ended_at| !ended_at.is_null()) {
                Some(ended_at) => Some(moment(ended_at)?),
                None => None,
            },
            has_observed: note.get("has_observed")?.as_bool()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, &str>) {
        let shard = text.parse::<Shard>().map(|shard| shard.to_string());
        let shard = shard.map_err(|err| err.to_string());
        assert_eq!(shard, expect.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn a_shard_is_one_of_so_many() {
        check("0/1", Ok("0/1"));
        check("4/5", Ok("4/5"));
        check("5/5", Err("there is no shard 5 of 5: they are counted from 0 to 4"));
        check("0/0", Err("there must be at least one shard"));
        for text in ["x", "1", "-1/2", "1/2/3"] {
            let form = "is no shard: write the index and the number of shards, as `0/5`";
            check(text, Err(&format!("`{text}` {form}")));
        }
    }

    fn map(value: &Json) -> Map {
        value.as_object().unwrap().clone()
    }

    /// These owners may never change: the states of users depend on them.
    #[test]
    fn owners_are_for_ever() {
        let owner = |partition: &Json| {
            let owns = |index: &u32| Shard::new(*index, 5).unwrap().owns(&map(partition));
            (0..5).filter(owns).collect::<Vec<_>>()
        };
        assert_eq!(owner(&json!({"id": 1})), [4]);
        assert_eq!(owner(&json!({"id": "1"})), [0]);
        assert_eq!(owner(&json!({"parent_slice": {}, "id": 1})), [4]);
        assert_eq!(owner(&json!({"id": 1, "parent_slice": {}})), [4]);
        assert_eq!(owner(&json!({"place": "Reykjavík"})), [3]);
    }

    proptest! {
        #[test]
        fn every_partition_has_one_owner(id in ".*", count in 1_u32..40) {
            let partition = map(&json!({"id": id}));
            let owns = |index: &u32| Shard::new(*index, count).unwrap().owns(&partition);
            prop_assert_eq!((0..count).filter(owns).count(), 1);
        }
    }

    #[test]
    fn shares_are_alike() {
        let n_owned = |index| {
            let shard = Shard::new(index, 5).unwrap();
            (0..10_000).filter(|id| shard.owns(&map(&json!({"id": id})))).count()
        };
        for index in 0..5 {
            assert!((1800..2200).contains(&n_owned(index)), "{index}: {}", n_owned(index));
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let mut note = ShardNote {
            shard: Shard::new(1, 5).unwrap(),
            began_at: "2024-05-06T07:08:09.5Z".parse().unwrap(),
            ended_at: None,
            has_observed: true,
        };
        for ended_at in [None, Some("2024-05-06T07:10:00Z".parse().unwrap())] {
            note.ended_at = ended_at;
            let mut state = map(&json!({"state": {}}));
            note.put(&mut state);
            assert_eq!(ShardNote::take(&mut state), Ok(Some(note.clone())));
            assert_eq!(ShardNote::take(&mut state), Ok(None));
            assert_eq!(Json::Object(state), json!({"state": {}}));
        }
        let mut state = map(&json!({"__shard": {"index": 7, "count": 5}}));
        assert_eq!(
            ShardNote::take(&mut state).unwrap_err().to_string(),
            r#"{"index":7,"count":5} under `__shard` is not what a sharded read writes"#
        );
    }
}
