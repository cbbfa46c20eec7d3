//! Commits: each told once, before its answer, in the order of numbers.

use chat_ports::{
    Commit, NewMessage, Receipt, ReceiptKind,
    model::{ConversationId, SocketId},
};

use super::world::{World, at_once, begin, seqs};
use crate::Fixture;

pub fn a_stored_message_is_one_commit_before_its_answer(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    for _ in 0..20 {
        let message = world.send(a, b, "hello");
        assert_eq!(world.fixture.commits.take(), [Commit::Sent { message, except: None }]);
    }
}

pub fn the_socket_that_need_not_be_told_is_handed_on(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let except = Some(SocketId::new("socket-1"));
    let new = NewMessage { except: except.clone(), ..world.message(a, b, "hello") };
    let message = world.append(new).unwrap().message;
    let reading = Receipt { except: Some(SocketId::new("socket-2")), ..world.reading(b, &message, 1) };
    let read = world.mark_read(reading).unwrap();
    let expected = [
        Commit::Sent { message, except },
        Commit::Receipt {
            kind: ReceiptKind::Read,
            receiver: b,
            span: read,
            except: Some(SocketId::new("socket-2")),
        },
    ];
    assert_eq!(world.fixture.commits.commits(), expected);
}

pub fn a_reading_that_changes_something_is_one_commit_before_its_answer(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let message = world.send(a, b, "hello");
    world.fixture.commits.take();
    let read = world.read(b, &message, 1);
    assert_eq!(
        world.fixture.commits.take(),
        [Commit::Receipt { kind: ReceiptKind::Read, receiver: b, span: read, except: None }]
    );
}

pub fn what_changes_nothing_is_no_commit(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let message = world.append(world.named(a, b, "hello", "n1")).unwrap().message;
    world.read(b, &message, 1);
    world.fixture.commits.take();
    world.append(world.named(a, b, "hello", "n1")).unwrap();
    world.append(world.named(a, b, "other", "n1")).unwrap_err();
    assert_eq!(world.read(b, &message, 2).count, 0);
    assert_eq!(world.mark_read(world.reading(a, &message, 2)), None);
    assert_eq!(world.mark_read(world.reading(c, &message, 2)), None);
    assert_eq!(world.fixture.commits.take(), []);
}

pub fn copies_that_are_on_their_way_together_are_one_commit(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let log = &world.fixture.ports.log;
    let begun: Vec<_> = (0..10).map(|_| begin(log.append(world.named(a, b, "hello", "n1")))).collect();
    begun.into_iter().for_each(|begun| drop(begun.finish().unwrap()));
    assert_eq!(world.fixture.commits.take().len(), 1);
}

pub fn parallel_sends_are_told_once_each_in_the_order_of_numbers(fixture: Fixture) {
    const EACH: usize = 50;
    let (world, [a, b, c]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, b), (b, a), (a, c), (c, a)];
    at_once(pairs.len(), |thread| {
        let (from, to) = pairs[thread];
        for _ in 0..EACH {
            let sent = world.send(from, to, "hello");
            let told = world.fixture.commits.sent(sent.conversation());
            assert!(told.contains(&sent), "told before it is answered");
        }
    });
    for (x, y, count) in [(a, b, 4 * EACH), (a, c, 2 * EACH)] {
        let told = world.fixture.commits.sent(ConversationId::between(x, y));
        assert_eq!(seqs(&told), (1..=count as u64).collect::<Vec<_>>());
        assert_eq!(told, world.all(x, y));
    }
}
