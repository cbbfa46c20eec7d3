//! Deadlines: what is late is given up, and never doubled.

use chat_ports::{AppendError, NewMessage, Receipt, StoreError};
use futures_executor::block_on;

use super::world::World;
use crate::Fixture;

pub fn a_send_past_its_deadline_fails_and_its_retry_is_stored_once(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    for round in 0..5 {
        let name = format!("n{round}");
        let late = NewMessage { deadline: world.past(), ..world.named(a, b, "hello", &name) };
        match world.append(late).unwrap_err() {
            AppendError::Store(error) => assert_late(&error),
            other @ (AppendError::ClientIdTaken | _) => unreachable!("{other}"),
        }
        world.append(world.named(a, b, "hello", &name)).unwrap();
    }
    world.assert_gap_free(a, b, 5);
    assert_eq!(world.fixture.commits.take().len(), 5);
}

pub fn a_late_send_leaves_no_gap(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    world.send(a, b, "hello");
    let late = NewMessage { deadline: world.past(), ..world.message(a, b, "late") };
    world.append(late).unwrap_err();
    world.send(b, a, "hello");
    let stored = world.all(a, b).len();
    world.assert_gap_free(a, b, stored);
}

pub fn a_reading_past_its_deadline_fails_and_its_retry_reads(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    let late = Receipt { deadline: world.past(), ..world.reading(b, &sent, 20_000) };
    assert_late(&block_on(world.fixture.ports.log.receipt(late)).unwrap_err());
    world.read(b, &sent, 30_000);
    assert!(world.find(&sent).is_read());
}

fn assert_late(error: &StoreError) {
    assert!(matches!(error, StoreError::Timeout | StoreError::Unavailable(_)), "{error}");
}
