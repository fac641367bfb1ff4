//! Which partitions are known, and which of them can be forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::progress::Progress;
use super::settings::Settings;

/// Partitions in one [`Group`].
const GROUP_SIZE: u64 = 100;

/// Partitions that became known one after the other, and how far they were read.
type Group = BTreeMap<u64, (Arc<str>, Arc<Progress>)>;

/// Partitions by the order in which they became known.
///
/// A copy takes a step for each group, and shares with the original all but the groups and the
/// partitions that change afterwards.
#[derive(Clone, Debug, Default)]
pub(super) struct ByAge {
    groups: BTreeMap<u64, Arc<Group>>,
    len: usize,
}

impl ByAge {
    /// All of them, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Progress)> {
        self.groups.values().flat_map(|group| group.values()).map(|(key, it)| (&**key, &**it))
    }

    /// Whether both have the same partitions, with the same states.
    pub(super) fn is_same(&self, other: &Self, settings: &Settings) -> bool {
        let is_same_progress = |progress: &Arc<Progress>, others: &Arc<Progress>| {
            Arc::ptr_eq(progress, others) || progress.state(settings) == others.state(settings)
        };
        let is_same_group = |group: &Group, others: &Group| {
            group.len() == others.len()
                && group.values().zip(others.values()).all(
                    |((key, progress), (others_key, others))| {
                        key == others_key && is_same_progress(progress, others)
                    },
                )
        };
        self.len == other.len
            && self.groups.len() == other.groups.len()
            && self
                .groups
                .values()
                .zip(other.groups.values())
                .all(|(group, others)| Arc::ptr_eq(group, others) || is_same_group(group, others))
    }

    fn get(&self, age: u64) -> Option<&Progress> {
        self.groups.get(&(age / GROUP_SIZE))?.get(&age).map(|(_, progress)| &**progress)
    }

    fn get_mut(&mut self, age: u64) -> Option<&mut Progress> {
        let group = self.groups.get_mut(&(age / GROUP_SIZE))?;
        Arc::make_mut(group).get_mut(&age).map(|(_, progress)| Arc::make_mut(progress))
    }

    fn insert(&mut self, age: u64, key: Arc<str>, progress: Progress) {
        let group = Arc::make_mut(self.groups.entry(age / GROUP_SIZE).or_default());
        if group.insert(age, (key, Arc::new(progress))).is_none() {
            self.len += 1;
        }
    }

    /// Takes a partition out, and gives its key.
    fn remove(&mut self, age: u64) -> Option<Arc<str>> {
        let group = self.groups.get_mut(&(age / GROUP_SIZE))?;
        let (key, _) = Arc::make_mut(group).remove(&age)?;
        if group.is_empty() {
            self.groups.remove(&(age / GROUP_SIZE));
        }
        self.len -= 1;
        Some(key)
    }

    /// The age of the oldest.
    fn first(&self) -> Option<u64> {
        self.groups.values().next()?.keys().next().copied()
    }
}

/// Partitions that are known, and which of them are being read.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    ages: HashMap<Arc<str>, u64>,
    by_age: ByAge,
    /// Those that are not being read.
    idle: BTreeSet<u64>,
    n_known: u64,
}

impl Remembered {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_age.len
    }

    /// All of them.
    pub(super) fn by_age(&self) -> &ByAge {
        &self.by_age
    }

    /// The progress of a partition, if it is remembered.
    pub(super) fn get(&self, key: &str) -> Option<&Progress> {
        self.by_age.get(*self.ages.get(key)?)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Progress> {
        self.by_age.get_mut(*self.ages.get(key)?)
    }

    /// Remembers a partition, as one that is not being read.
    pub(super) fn insert(&mut self, key: &str, progress: Progress) {
        let key = Arc::<str>::from(key);
        let age = *self.ages.entry(Arc::clone(&key)).or_insert(self.n_known);
        self.n_known += 1;
        self.by_age.insert(age, key, progress);
        self.idle.insert(age);
    }

    /// Whether a partition is being read from now on.
    pub(super) fn set_idle(&mut self, key: &str, is_idle: bool) {
        let Some(age) = self.ages.get(key) else { return };
        if is_idle {
            self.idle.insert(*age);
        } else {
            self.idle.remove(age);
        }
    }

    /// Forgets the oldest partition that is idle, or the oldest of all; gives it, and whether it was idle.
    pub(super) fn forget_one(&mut self) -> Option<(Arc<str>, bool)> {
        let idle = self.idle.pop_first();
        let age = idle.or_else(|| self.by_age.first())?;
        let key = self.by_age.remove(age)?;
        self.ages.remove(&key);
        Some((key, idle.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    use super::super::settings::testing::settings;

    #[test]
    fn idle_partitions_are_forgotten_first() {
        let (settings, mut remembered) = (settings(), Remembered::default());
        for key in ["a", "b", "c"] {
            remembered.insert(key, Progress::new(&settings, Map::new()).unwrap());
        }
        remembered.set_idle("a", false);
        remembered.set_idle("c", false);
        let forgotten = std::iter::from_fn(|| remembered.forget_one());
        let forgotten: Vec<_> =
            forgotten.map(|(key, is_idle)| (key.to_string(), is_idle)).collect();
        let expect = [("b", true), ("a", false), ("c", false)];
        assert_eq!(forgotten, expect.map(|(key, is_idle)| (key.to_owned(), is_idle)));
    }
}
