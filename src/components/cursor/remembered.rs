//! Which partitions are known, and which of them can be forgotten.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::progress::Progress;

/// Partitions in the order in which they became known.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    ages: HashMap<Arc<str>, u64>,
    by_age: BTreeMap<u64, (Arc<str>, Progress)>,
    /// Those that are not being read.
    idle: BTreeSet<u64>,
    n_known: u64,
}

impl Remembered {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.by_age.len()
    }

    /// All of them, the oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Progress)> {
        self.by_age.values().map(|(key, progress)| (&**key, progress))
    }

    /// The same, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Progress)> {
        self.by_age.values_mut().map(|(key, progress)| (&**key, progress))
    }

    /// The progress of a partition, if it is remembered.
    pub(super) fn get(&self, key: &str) -> Option<&Progress> {
        self.by_age.get(self.ages.get(key)?).map(|(_, progress)| progress)
    }

    /// The same, to be changed.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Progress> {
        let age = self.ages.get(key)?;
        self.by_age.get_mut(age).map(|(_, progress)| progress)
    }

    /// Remembers a partition, as one that is not being read.
    pub(super) fn insert(&mut self, key: &str, progress: Progress) {
        let key = Arc::<str>::from(key);
        let age = *self.ages.entry(Arc::clone(&key)).or_insert(self.n_known);
        self.n_known += 1;
        self.by_age.insert(age, (key, progress));
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
        let (key, _) = match idle {
            Some(age) => self.by_age.remove(&age)?,
            None => self.by_age.pop_first()?.1,
        };
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
