//! Positions over restarts, also of a folder that was put back as it was earlier.

use std::fs;

use chat_ports::{Changes, ChangesError, ChangesQuery, SyncPosition};
use futures_executor::block_on;

use super::world::{World, user};

const FILES: [&str; 2] = ["log.db", "tables.db"];

fn is_foreign(world: &World, since: &SyncPosition) -> bool {
    let query = ChangesQuery { user: user(2), since: since.clone(), limit: 10, max_bytes: 10_000 };
    matches!(block_on(world.store.changes(query)), Err(ChangesError::Foreign))
}

fn seqs(world: &World, since: &SyncPosition) -> Vec<u64> {
    world.missed(2, since, 10).iter().map(|message| message.seq).collect()
}

#[test]
fn positions_of_entries_that_a_copy_of_the_folder_lacks_are_refused_for_ever() {
    let world = World::new(|_| {});
    world.send(1, 2);
    let before = world.position();
    let world = world.reopened_after(|dir| {
        for name in FILES {
            fs::copy(dir.join(name), dir.join(format!("{name}.old"))).unwrap();
        }
    });
    let at_the_copy = world.position();
    world.send(1, 2);
    let mid_walk = {
        let query = ChangesQuery { user: user(2), since: before.clone(), limit: 0, max_bytes: 10_000 };
        block_on(world.store.changes(query)).unwrap().position
    };
    let lost = world.position();
    assert_eq!(seqs(&world, &before), [2]);
    let world = world.reopened();
    world.send(1, 2);
    let lost_later = world.position();
    assert_eq!(seqs(&world, &mid_walk), [2], "a walk goes on after a restart");
    let world = world.reopened_after(|dir| {
        FILES.iter().for_each(|name| fs::rename(dir.join(format!("{name}.old")), dir.join(name)).unwrap());
    });
    // Another message has the number of the one that was lost, and there are more than there ever were.
    (0..4).for_each(|_| drop(world.send(1, 2)));
    let world = world.reopened();
    assert_eq!(seqs(&world, &before), [2, 3, 4, 5]);
    for position in [lost, lost_later, mid_walk, at_the_copy] {
        assert!(is_foreign(&world, &position));
    }
}

#[test]
fn positions_of_earlier_starts_and_builds_stay_good() {
    let mut world = World::new(|_| {});
    let mut positions = vec![world.position()];
    for _ in 0..5 {
        world.send(1, 2);
        positions.push(world.position());
        world = world.reopened();
        positions.push(world.position());
    }
    for (nth, position) in positions.iter().enumerate() {
        let all: Vec<u64> = (1..=5).skip(nth.div_ceil(2)).collect();
        assert_eq!(seqs(&world, position), all);
        let of_an_earlier_build = [&position.bytes()[..8], &position.bytes()[16..]].concat();
        assert_eq!(seqs(&world, &SyncPosition::new(of_an_earlier_build)), all);
    }
    let unknown = [&positions[0].bytes()[..8], &[7; 8], &positions[0].bytes()[16..]].concat();
    assert!(is_foreign(&world, &SyncPosition::new(unknown)));
}

#[test]
fn a_start_that_cannot_be_noted_is_one_all_the_same() {
    let world = World::new(|_| {});
    let before = world.position();
    world.send(1, 2);
    world.tamper(|log| {
        log.execute_batch("DROP TABLE starts; CREATE TABLE starts (other INTEGER NOT NULL) STRICT").unwrap();
    });
    let world = world.reopened();
    assert_eq!(seqs(&world, &before), [1]);
    let position = world.position();
    world.send(1, 2);
    assert_eq!(seqs(&world, &position), [2]);
}
