//! The promises of the ports, on this store: in its everyday shape, and with queues, caches and batches so
//! small that all their edges meet.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

#[expect(dead_code, reason = "each of the tests uses a part of it")]
#[path = "support/node.rs"]
mod support;

use std::sync::Arc;

use chat_mongo_adapter::{Options, Store};
use chat_mongo_testkit::TestDatabase;
use chat_ports::Clock;
use chat_testkit::{Fixture, RecordingListener, Reopen, StorePorts};
use futures_executor::block_on;
use parking_lot::Mutex;
use support::{SystemClock, options};

/// A store on a database of its own, which is closed and opened through its ports.
fn fixture(shape: impl Fn(&mut Options)) -> Fixture {
    let database = TestDatabase::new();
    let mut options = options(database.uri());
    shape(&mut options);
    // The machine's clock: what a store on this server goes by has to be near the server's.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock(0));
    let commits = RecordingListener::new();
    let open = {
        let (clock, commits) = (clock.clone(), commits.clone());
        move || {
            let store = Store::open(options.clone(), clock.clone(), commits.clone()).unwrap();
            block_on(store.ready()).unwrap();
            store
        }
    };
    let store = open();
    let ports = StorePorts::of(&store);
    let current = Mutex::new((store, database));
    let reopen: Reopen = Box::new(move |ports| {
        drop(ports);
        let mut current = current.lock();
        current.0.close();
        current.0 = open();
        StorePorts::of(&current.0)
    });
    Fixture { ports, commits, clock, reopen: Some(reopen) }
}

mod everyday {
    use super::*;

    fn store() -> Fixture {
        fixture(|_| {})
    }

    chat_testkit::conformance!(store);
}

mod very_small {
    use super::*;

    fn store() -> Fixture {
        fixture(|options| {
            options.batch_entries = 3;
            options.batch_bytes = 1_000;
            options.cached_conversations = 2;
            options.lanes = 1;
            options.worker_threads = 1;
        })
    }

    chat_testkit::conformance!(store);
}
