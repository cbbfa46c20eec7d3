//! The fake keeps every promise of the ports.

use std::sync::Arc;

use super::*;
use crate::{Fixture, ManualClock, RecordingListener, StorePorts};

fn fixture() -> Fixture {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let commits = RecordingListener::new();
    let store = MemoryStore::new(Arc::clone(&clock), commits.clone());
    // Its memory is its disk: closed and opened again it is the same.
    Fixture { ports: StorePorts::movable(&store), commits, clock, reopen: Some(Box::new(|ports| ports)) }
}

crate::conformance!(fixture);
crate::archive_conformance!(fixture);

#[test]
fn a_store_that_is_away_says_so_until_it_is_back() {
    let store = MemoryStore::new(Arc::new(ManualClock::new()), RecordingListener::new());
    store.set_away(true);
    let refusal = futures_executor::block_on(store.check()).unwrap_err();
    assert!(matches!(refusal, StoreError::Unavailable(_)), "{refusal}");
    store.set_away(false);
    futures_executor::block_on(store.check()).unwrap();
}
