//! Moving: what became of messages, and who blocks whom.

use chat_ports::{
    ChangesError,
    model::{Block, Timestamp},
};
use futures_executor::block_on;

use super::{
    archive::{assert_differs, foreign_messages, users},
    world::World,
};
use crate::Fixture;

pub fn blocks_are_walked_and_put_as_they_stand(fixture: Fixture) {
    let world = World::new(fixture);
    let [a, b, c] = users(&world);
    let block = |blocker, blocked, since| Block { blocker, blocked, since: Timestamp::from_millis(since) };
    let given = vec![block(a, b, 3), block(a, c, 1), block(c, a, -2)];
    let (archive, walked) = (world.archive(), |after, limit| block_on(world.archive().blocks(after, limit)));
    for _ in 0..2 {
        block_on(archive.put_blocks(given.clone())).unwrap();
    }
    assert_eq!(walked(None, 10).unwrap(), given);
    assert_eq!(walked(Some((a, b)), 1).unwrap(), given[1..2]);
    assert_eq!(walked(Some((c, a)), 1).unwrap(), []);
    assert_eq!(world.extent().blocks, 3);
    assert_eq!(block_on(world.fixture.ports.blocks.between(a, vec![b])).unwrap(), given[..1]);
    let refused = block_on(archive.put_blocks(vec![block(a, b, 4)]));
    assert_differs(refused, "blocks", format!("{a}:{b}"), "since");
}

pub fn messages_with_all_that_may_have_become_of_them_are_put_exactly(fixture: Fixture) {
    let world = World::new(fixture);
    let [a, b] = users(&world);
    let mut given = foreign_messages(&world, a, b, 12);
    let at = |time| Some(Timestamp::from_millis(60_000 + time));
    for (number, message) in given.iter_mut().enumerate() {
        // What is delivered stands in front of what is not, on each side.
        message.delivered_at = if number < 8 { at(number as i64) } else { None };
        message.read_at = if number < 5 { at(20 + number as i64 / 2) } else { None };
        match number % 3 {
            0 => *message = message.edited("edited".to_owned(), Timestamp::from_millis(70_000)),
            1 => *message = message.tombstone(Timestamp::from_millis(71_000)),
            _ => {}
        }
    }
    let since = world.position();
    world.put(&given).unwrap();
    assert_eq!(world.walk(5), given);
    assert!(world.all(a, b).iter().map(|message| &**message).eq(given.iter()));
    let old = world.changes(a, &since, 10, usize::MAX);
    assert!(matches!(old, Err(ChangesError::Foreign)), "a position from before is of another life: {old:?}");
    let world = match world.restarted() {
        Some(world) => world,
        None => return,
    };
    assert_eq!(world.walk(100), given);
    assert_eq!(world.deliver(b, &given[10], 80_000).count, 2);
}
