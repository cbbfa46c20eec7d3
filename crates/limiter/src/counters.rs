//! The counters of one rate, by subject: as many as fit, and shared ones for who comes after that.
//!
//! A counter is the time at which it is *fresh*, that is as good as none. Subjects are known by a keyed hash
//! of 64 bits: no name or address is kept, and a long one costs no more than a short one.
//!
//! **When it is full.** Fresh counters are dropped; that changes no answer. Where all are in use, a new subject
//! is counted in one of [`SHARED`] counters that it shares with others like it. So nobody gets rid of a count
//! by bringing many subjects: counters in use stay, and newcomers have less room, not more. They are hurt only
//! when more newcomers come than the shared counters let pass together: thousands of times the rate.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use governor::{
    Quota,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use parking_lot::Mutex;

const SHARDS: usize = 16;
/// Counters of a shard: what a table of 4,096 slots takes. 57,344 in all, 1.2 MB.
const SHARD_CAPACITY: usize = 3_584;
/// Counters for those who come when all others are in use.
const SHARED: usize = 4_096;
/// A shard that is full is not searched for fresh counters more often than this.
const SEARCH_PAUSE: u64 = 100_000_000;

/// The counters of one rate.
pub(crate) struct Counters {
    // Short critical sections that never wait; several, so that subjects seldom meet in one lock.
    shards: Box<[Mutex<Shard>]>,
    shared: Box<[InMemoryState]>,
    /// What counting one adds to a counter.
    step: u64,
}

#[derive(Default)]
struct Shard {
    fresh_at: HashMap<u64, Nanos, BuildHasherDefault<Hashed>>,
    search_at: u64,
}

impl Counters {
    pub(crate) fn new(quota: Quota) -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            shared: std::iter::repeat_with(InMemoryState::default).take(SHARED).collect(),
            step: Nanos::from(quota.replenish_interval()).as_u64(),
        }
    }

    /// A part by bits of the key that the shard's own table does not go by.
    fn pick<T>(parts: &[T], key: u64) -> Option<&T> {
        parts.get(usize::try_from(key >> 32).unwrap_or(0) % parts.len().max(1))
    }

    /// How many counters stand in memory, the shared ones left out.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().fresh_at.len()).sum()
    }
}

impl StateStore for Counters {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let Some(shard) = Self::pick(&self.shards, *key) else {
            return measure(None).map(|(passed, _)| passed);
        };
        let mut shard = shard.lock();
        if let Some(fresh_at) = shard.fresh_at.get_mut(key) {
            let (passed, next) = measure(Some(*fresh_at))?;
            *fresh_at = next;
            return Ok(passed);
        }
        let (passed, next) = measure(None)?;
        if shard.has_room(next.as_u64().saturating_sub(self.step)) {
            shard.fresh_at.insert(*key, next);
            return Ok(passed);
        }
        drop(shard);
        match Self::pick(&self.shared, *key) {
            Some(counter) => counter.measure_and_replace(&NotKeyed::NonKey, measure),
            None => Ok(passed),
        }
    }
}

impl Shard {
    /// Whether one more counter fits, now or when the fresh ones are dropped.
    fn has_room(&mut self, now: u64) -> bool {
        if self.fresh_at.len() >= SHARD_CAPACITY && self.search_at <= now {
            self.search_at = now + SEARCH_PAUSE;
            self.fresh_at.retain(|_, fresh_at| fresh_at.as_u64() > now);
        }
        self.fresh_at.len() < SHARD_CAPACITY
    }
}

/// The hash of what is a hash already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
