//! What is kept in memory of the store. Full, it forgets what was not asked for lately.

use std::hash::Hash;

use foldhash::fast::RandomState;
use quick_cache::{
    UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

/// By ids that nobody can choose so that they meet in one place.
pub(crate) type Memory<K, V> = Cache<K, V, UnitWeighter, RandomState>;

/// A memory of so many entries.
pub(crate) fn memory<K: Eq + Hash, V: Clone>(capacity: usize) -> Memory<K, V> {
    let capacity = capacity.max(1);
    let lifecycle = DefaultLifecycle::default();
    Cache::with(capacity, capacity as u64, UnitWeighter, RandomState::default(), lifecycle)
}
