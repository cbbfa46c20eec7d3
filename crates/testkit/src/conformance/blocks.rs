//! Who blocks whom.

use chat_ports::{
    BlockChange, BlockError,
    model::{Block, Timestamp, UserId},
};
use futures_executor::block_on;

use super::world::World;
use crate::Fixture;

impl World {
    fn change(&self, blocker: UserId, blocked: UserId, blocks: bool, at: i64) -> Result<bool, BlockError> {
        let at = Timestamp::from_millis(at);
        block_on(self.fixture.ports.blocks.change(BlockChange { blocker, blocked, blocks, at, most: 3 }))
    }

    fn between(&self, user: UserId, others: &[UserId]) -> Vec<Block> {
        sorted(block_on(self.fixture.ports.blocks.between(user, others.to_vec())).unwrap())
    }

    fn blocked_by(&self, blocker: UserId) -> Vec<Block> {
        sorted(block_on(self.fixture.ports.blocks.blocked_by(blocker)).unwrap())
    }
}

fn sorted(mut blocks: Vec<Block>) -> Vec<Block> {
    blocks.sort_by_key(|block| (block.blocker, block.blocked));
    blocks
}

fn block(blocker: UserId, blocked: UserId, since: i64) -> Block {
    Block { blocker, blocked, since: Timestamp::from_millis(since) }
}

pub fn a_block_stands_until_it_is_taken_back_and_keeps_its_time(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    assert!(world.change(a, b, true, 1_000).unwrap());
    assert!(!world.change(a, b, true, 2_000).unwrap());
    assert_eq!(world.blocked_by(a), [block(a, b, 1_000)]);
    assert!(world.change(a, b, false, 3_000).unwrap());
    assert!(!world.change(a, b, false, 4_000).unwrap());
    assert_eq!(world.blocked_by(a), []);
    assert!(world.change(a, b, true, 5_000).unwrap());
    assert_eq!(world.blocked_by(a), [block(a, b, 5_000)]);
}

pub fn blocks_are_told_in_both_directions_and_of_those_who_were_asked_for(fixture: Fixture) {
    let (world, [a, b, c, d]) = World::with_users(fixture);
    for (blocker, blocked, at) in [(a, b, 1_000), (c, a, 2_000), (a, c, 3_000), (d, b, 4_000)] {
        assert!(world.change(blocker, blocked, true, at).unwrap());
    }
    assert_eq!(world.between(a, &[b, c, d]), [block(a, b, 1_000), block(a, c, 3_000), block(c, a, 2_000)]);
    assert_eq!(world.between(b, &[a]), [block(a, b, 1_000)]);
    assert_eq!(world.between(d, &[a, c]), []);
    assert_eq!(world.between(a, &[]), []);
    assert_eq!(world.blocked_by(b), []);
    assert_eq!(world.blocked_by(a), [block(a, b, 1_000), block(a, c, 3_000)]);
}

pub fn nobody_blocks_more_than_one_may(fixture: Fixture) {
    let (world, [a, b, c, d, e]) = World::with_users(fixture);
    for other in [b, c, d] {
        assert!(world.change(a, other, true, 1_000).unwrap());
    }
    assert!(matches!(world.change(a, e, true, 2_000), Err(BlockError::TooMany)));
    assert!(!world.change(a, b, true, 2_000).unwrap(), "one that stands is no new one");
    assert!(world.change(e, a, true, 2_000).unwrap(), "others may");
    assert!(world.change(a, c, false, 3_000).unwrap());
    assert!(world.change(a, e, true, 4_000).unwrap());
}

pub fn after_a_restart_blocks_stand(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    world.change(a, b, true, 1_000).unwrap();
    world.change(a, c, true, 1_000).unwrap();
    world.change(a, c, false, 2_000).unwrap();
    let Some(world) = world.restarted() else { return };
    assert_eq!(world.blocked_by(a), [block(a, b, 1_000)]);
    assert_eq!(world.between(b, &[a, c]), [block(a, b, 1_000)]);
}

pub fn partners_are_those_with_whom_something_was_written(fixture: Fixture) {
    let (world, [a, b, c, d, e]) = World::with_users(fixture);
    let ports = world.fixture.ports.clone();
    let partners = |user, most| {
        let mut found = block_on(ports.conversations.partners(user, most)).unwrap();
        found.sort();
        found
    };
    let among = |user, others: &[UserId]| {
        let mut found = block_on(ports.conversations.partners_among(user, others.to_vec())).unwrap();
        found.sort();
        found
    };
    assert_eq!(partners(a, 10), []);
    world.send(a, b, "hello");
    world.send(c, a, "hello");
    world.send(d, e, "hello");
    assert_eq!((partners(a, 10), partners(b, 10), partners(e, 10)), (vec![b, c], vec![a], vec![d]));
    assert_eq!(partners(a, 1).len(), 1);
    assert_eq!(among(a, &[b, d, c]), [b, c]);
    assert_eq!((among(a, &[]), among(e, &[a, b, c])), (vec![], vec![]));
    let Some(world) = world.restarted() else { return };
    let found = block_on(world.fixture.ports.conversations.partners(a, 10)).unwrap();
    assert_eq!(found.len(), 2);
}
