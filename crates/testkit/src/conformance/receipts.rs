//! Receipts: delivered and read, each up to a message, each once, never backwards.

use chat_ports::{
    Commit, Receipt, ReceiptKind, ReceiptSpan,
    model::{ConversationId, Message, SocketId, Timestamp, UserId},
};

use super::world::{World, at_once, ids};
use crate::Fixture;

impl World {
    /// Delivers up to a message of the other side.
    pub(super) fn deliver(&self, receiver: UserId, message: &Message, at: i64) -> ReceiptSpan {
        let receipt = Receipt { kind: ReceiptKind::Delivered, ..self.reading(receiver, message, at) };
        self.mark_read(receipt).unwrap()
    }
}

/// Delivered and read: when.
fn marks(world: &World, a: UserId, b: UserId) -> Vec<(Option<i64>, Option<i64>)> {
    let times = |message: &Message| (message.delivered_at, message.read_at);
    let millis = |time: Option<Timestamp>| time.map(Timestamp::millis);
    world.all(a, b).iter().map(|message| times(message)).map(|(d, r)| (millis(d), millis(r))).collect()
}

pub fn everything_up_to_the_message_becomes_delivered(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, b), (a, b)];
    let sent = pairs.map(|(from, to)| world.send(from, to, "hello"));
    let span = world.deliver(b, &sent[2], 20_000);
    let conversation = ConversationId::between(a, b);
    let messages = vec![sent[0].id, sent[2].id];
    assert_eq!(span, ReceiptSpan { conversation, sender: a, count: 2, messages });
    let delivered = (Some(20_000), None);
    assert_eq!(marks(&world, a, b), [delivered, (None, None), delivered, (None, None)]);
    assert_eq!(world.find(&sent[0]).delivered_at, Some(Timestamp::from_millis(20_000)));
    assert_eq!(world.conversations(b, None, 1).items[0].unread, 3, "what is delivered is not read");
}

pub fn delivering_again_changes_nothing_and_further_keeps_what_was(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..4).map(|_| world.send(a, b, "hello")).collect();
    world.deliver(b, &sent[1], 20_000);
    for message in &sent[..2] {
        assert_eq!(world.deliver(b, message, 21_000).count, 0);
    }
    let further = world.deliver(b, &sent[2], 30_000);
    assert_eq!((further.count, further.messages), (1, vec![sent[2].id]));
    let at = |time| (Some(time), None);
    assert_eq!(marks(&world, a, b), [at(20_000), at(20_000), at(30_000), (None, None)]);
}

pub fn what_is_read_is_delivered_with_the_reading(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..4).map(|_| world.send(a, b, "hello")).collect();
    world.deliver(b, &sent[0], 20_000);
    assert_eq!(world.read(b, &sent[2], 30_000).count, 3);
    world.fixture.commits.take();
    assert_eq!(world.deliver(b, &sent[2], 40_000).count, 0);
    assert_eq!(world.fixture.commits.take(), []);
    let last = world.deliver(b, &sent[3], 50_000);
    assert_eq!((last.count, last.messages), (1, vec![sent[3].id]));
    let read = (Some(30_000), Some(30_000));
    let expected = [(Some(20_000), Some(30_000)), read, read, (Some(50_000), None)];
    assert_eq!(marks(&world, a, b), expected);
    assert_eq!(world.conversations(a, None, 1).items[0].last_message, world.find(&sent[3]));
}

pub fn at_most_the_newest_delivered_ids_are_answered_and_all_are_counted(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..8).map(|_| world.send(a, b, "hello")).collect();
    world.read(b, &sent[1], 20_000);
    let receipt = world.reading(b, &sent[6], 30_000);
    let span = world.mark_read(Receipt { kind: ReceiptKind::Delivered, max_ids: 2, ..receipt }).unwrap();
    assert_eq!((span.count, span.messages), (5, ids(&sent[5..7])));
}

pub fn nobody_delivers_what_was_sent_to_somebody_else(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    for who in [a, c] {
        let receipt = Receipt { kind: ReceiptKind::Delivered, ..world.reading(who, &sent, 20_000) };
        assert_eq!(world.mark_read(receipt), None);
    }
    assert_eq!(marks(&world, a, b), [(None, None)]);
}

pub fn a_receipt_is_one_commit_with_its_kind(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    world.fixture.commits.take();
    for kind in [ReceiptKind::Delivered, ReceiptKind::Read] {
        let except = Some(SocketId::new("s1"));
        let receipt = Receipt { kind, except: except.clone(), ..world.reading(b, &sent, 20_000) };
        let span = world.mark_read(receipt.clone()).unwrap();
        assert_eq!(world.fixture.commits.take(), [Commit::Receipt { kind, receiver: b, span, except }]);
        assert_eq!(world.mark_read(receipt).unwrap().count, 0);
        assert_eq!(world.fixture.commits.take(), []);
    }
}

pub fn parallel_receipts_mark_each_message_once_of_each_kind(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..30).map(|_| world.send(a, b, "hello")).collect();
    let spans = at_once(8, |thread| {
        let message = &sent[29 - thread];
        if thread % 2 == 0 { world.deliver(b, message, 20_000) } else { world.read(b, message, 20_000) }
    });
    let read: u64 = spans.iter().skip(1).step_by(2).map(|span| span.count).sum();
    assert_eq!(read, 29);
    assert!(spans.iter().step_by(2).map(|span| span.count).sum::<u64>() <= 30);
    let marks = marks(&world, a, b);
    assert!(marks.iter().all(|(delivered, _)| *delivered == Some(20_000)));
    assert_eq!(marks.iter().filter(|(_, read)| read.is_some()).count(), 29);
}

pub fn after_a_restart_what_was_delivered_is_delivered(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..4).map(|_| world.send(a, b, "hello")).collect();
    world.deliver(b, &sent[2], 20_000);
    world.read(b, &sent[0], 30_000);
    let before = marks(&world, a, b);
    let Some(world) = world.restarted() else { return };
    assert_eq!(marks(&world, a, b), before);
    assert_eq!(world.deliver(b, &sent[3], 40_000).count, 1);
}
