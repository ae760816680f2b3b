//! What has just been read, kept for a moment.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Values that count for a moment from when they were read on, whether they are asked for or not.
///
/// All of them count for as long, so that the oldest is the first to go. A value that went stale is let go of with the next
/// one beside it, and in any case when [`Fresh::sweep`] is called.
pub(super) struct Fresh<K, V> {
    shards: [Shard<K, V>; SHARDS],
    hasher: RandomState,
    lifetime: Duration,
    /// How many values a shard keeps. Beyond it, the oldest goes before its time.
    most: usize,
}

/// A part of the values, in a place of the memory where the other parts do not disturb it.
#[repr(align(64))]
struct Shard<K, V>(Mutex<Kept<K, V>>);

struct Kept<K, V> {
    values: HashMap<K, (V, Instant)>,
    /// The oldest first. What was forgotten or read again meanwhile still stands here.
    order: VecDeque<(K, Instant)>,
}

impl<K: Clone + Eq + Hash, V: Clone> Fresh<K, V> {
    /// Keeps about so many values at most.
    pub(super) fn new(lifetime: Duration, most: usize) -> Self {
        let empty = |_| Kept {
            values: HashMap::new(),
            order: VecDeque::new(),
        };
        Self {
            shards: std::array::from_fn(empty).map(|kept| Shard(Mutex::new(kept))),
            hasher: RandomState::new(),
            lifetime,
            most: most.div_ceil(SHARDS),
        }
    }

    /// What was read of a key a moment ago.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let kept = self.shard(key);
        let (value, since) = kept.values.get(key)?;
        (since.elapsed() < self.lifetime).then(|| value.clone())
    }

    /// Keeps what has been read `since` a moment: what is true now may have changed after it.
    pub(super) fn insert(&self, key: K, value: V, since: Instant) {
        let kept = &mut *self.shard(&key);
        kept.let_go(self.lifetime, self.most - 1);
        kept.values.insert(key.clone(), (value, since));
        kept.order.push_back((key, since));
    }

    /// Lets go of what went stale.
    pub(super) fn sweep(&self) {
        for Shard(shard) in &self.shards {
            lock(shard).let_go(self.lifetime, self.most);
        }
    }

    /// Forgets what is not true any more.
    pub(super) fn forget(&self, key: &K) {
        self.shard(key).values.remove(key);
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Kept<K, V>> {
        let Shard(shard) = &self.shards[self.number(key)];
        lock(shard)
    }

    /// In which shard a key is.
    fn number(&self, key: &K) -> usize {
        let [.., number] = self.hasher.hash_one(key).to_be_bytes();
        usize::from(number) % SHARDS
    }
}

impl<K: Eq + Hash, V> Kept<K, V> {
    /// Lets go of what went stale, and of the oldest, until there are no more than `most`.
    fn let_go(&mut self, lifetime: Duration, most: usize) {
        while let Some((oldest, since)) = self.order.front()
            && (self.order.len() > most || since.elapsed() >= lifetime)
        {
            // It may have been read again since.
            if self.values.get(oldest).is_some_and(|(_, kept)| kept == since) {
                self.values.remove(oldest);
            }
            self.order.pop_front();
        }
    }
}

fn lock<K, V>(shard: &Mutex<Kept<K, V>>) -> MutexGuard<'_, Kept<K, V>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, V> fmt::Debug for Fresh<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// So many threads do not wait for each other, unless they ask for the same.
const SHARDS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(5);

    impl<K, V> Fresh<K, V> {
        /// How many values are kept, and how many are in line.
        fn len(&self) -> (usize, usize) {
            let kept = |Shard(shard): &Shard<K, V>| {
                let kept = shard.lock().unwrap();
                (kept.values.len(), kept.order.len())
            };
            let each = self.shards.iter().map(kept);
            each.fold((0, 0), |(values, order), (v, o)| (values + v, order + o))
        }
    }

    #[test]
    fn what_was_read_last_counts_until_it_is_forgotten() {
        let fresh = Fresh::new(LONG, 100);
        assert_eq!(fresh.get(&"a"), None);
        for value in [1, 2] {
            fresh.insert("a", value, Instant::now());
            fresh.insert("b", 3, Instant::now());
            assert_eq!((fresh.get(&"a"), fresh.get(&"b")), (Some(value), Some(3)));
        }
        fresh.forget(&"a");
        assert_eq!((fresh.get(&"a"), fresh.get(&"b")), (None, Some(3)));
    }

    #[test]
    fn what_is_stale_does_not_count_and_goes_with_the_next_value_or_the_next_sweep() {
        let fresh = Fresh::new(Duration::ZERO, 1 << 20);
        for key in 0..1000 {
            fresh.insert(key, (), Instant::now());
            assert_eq!(fresh.get(&key), None);
        }
        let (values, order) = fresh.len();
        assert!(values <= SHARDS && order <= SHARDS, "{values} {order}");
        fresh.sweep();
        assert_eq!(fresh.len(), (0, 0));
    }

    #[test]
    fn a_value_is_as_old_as_the_moment_from_which_it_has_been_read() {
        let fresh = Fresh::new(LONG, 100);
        let before = Instant::now().checked_sub(LONG).unwrap();
        fresh.insert("a", 1, before);
        assert_eq!(fresh.get(&"a"), None);
        fresh.insert("a", 2, before + LONG / 2);
        fresh.sweep();
        assert_eq!((fresh.get(&"a"), fresh.len()), (Some(2), (1, 1)));
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let fresh = Fresh::new(LONG, 10 * SHARDS);
        for key in 0..10_000 {
            fresh.insert(key, key, Instant::now());
        }
        assert_eq!(fresh.len(), (10 * SHARDS, 10 * SHARDS));
        assert_eq!((fresh.get(&0), fresh.get(&9999)), (None, Some(9999)));
    }

    #[test]
    fn what_was_read_again_is_not_as_old_as_before() {
        let fresh = Fresh::new(LONG, 3 * SHARDS);
        let mut neighbours = (1..).filter(|key| fresh.number(key) == fresh.number(&0));
        let (second, third) = (neighbours.next().unwrap(), neighbours.next().unwrap());
        for key in [0, second, 0, third] {
            fresh.insert(key, key, Instant::now());
        }
        let there = [0, second, third].map(|key| fresh.get(&key));
        assert_eq!(there, [Some(0), Some(second), Some(third)]);
        fresh.insert(third, third, Instant::now());
        assert_eq!((fresh.get(&0), fresh.get(&second)), (Some(0), None));
    }
}
