//! The promises of the ports, on this store: in its everyday shape; with everything swept at once,
//! so that reads come from the tables; and with memory, caches and sweeps so small that all of them
//! meet.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

use std::{sync::Arc, time::Duration};

use chat_embedded_adapter::{Options, Store};
use chat_ports::Clock;
use chat_testkit::{Fixture, ManualClock, RecordingListener, Reopen, StorePorts};
use parking_lot::Mutex;

/// A store in a folder of its own, which is closed and opened through its ports.
fn fixture(shape: impl Fn(&mut Options)) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    shape(&mut options);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new());
    let commits = RecordingListener::new();
    let open = {
        let (clock, commits) = (clock.clone(), commits.clone());
        move || Arc::new(Store::open(options.clone(), clock.clone(), commits.clone()).unwrap())
    };
    let store = open();
    let ports = StorePorts::movable(&store);
    let current = Mutex::new((store, dir));
    let reopen: Reopen = Box::new(move |ports| {
        drop(ports);
        let mut current = current.lock();
        current.0.close();
        current.0 = open();
        StorePorts::movable(&current.0)
    });
    Fixture { ports, commits, clock, reopen: Some(reopen) }
}

mod everyday {
    use super::*;

    fn store() -> Fixture {
        fixture(|_| {})
    }

    chat_testkit::conformance!(store);
    chat_testkit::archive_conformance!(store);
}

mod swept_at_once {
    use super::*;

    fn store() -> Fixture {
        fixture(|options| {
            options.sweep_entries = 1;
            options.sweep_age = Duration::ZERO;
        })
    }

    chat_testkit::conformance!(store);
    chat_testkit::archive_conformance!(store);
}

mod very_small {
    use super::*;

    fn store() -> Fixture {
        fixture(|options| {
            options.sweep_entries = 3;
            options.overlay_entries = 7;
            options.overlay_bytes = 4_000;
            options.cached_conversations = 2;
            options.readers = 1;
        })
    }

    chat_testkit::conformance!(store);
    chat_testkit::archive_conformance!(store);
}
