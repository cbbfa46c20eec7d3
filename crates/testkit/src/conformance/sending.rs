//! Sends: numbers without gaps, in the order of first polls.

use chat_ports::{
    NewMessage,
    model::{ConversationId, Message},
};
use futures_executor::block_on;

use super::world::{World, at_once, begin};
use crate::{Fixture, build};

pub fn a_message_is_stored_as_it_was_given(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let text = "  Grüße 👩‍👩‍👧 \"quoted\" \\ '; DROP TABLE\r\n\t\u{202e}e\u{301} ";
    let new = NewMessage { text: build::text(text), ..world.named(a, b, "x", "my-name~1") };
    let stored = world.append(new.clone()).unwrap().message;
    let expected = Message {
        id: new.id,
        seq: 1,
        sender: a,
        receiver: b,
        text: text.to_owned(),
        timestamp: new.timestamp,
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        first_text: None,
        client_id: Some("my-name~1".to_owned()),
    };
    assert_eq!(*stored, expected);
    assert_eq!(*world.find(&stored), expected);
    assert_eq!(*world.all(a, b)[0], expected);
}

pub fn a_message_without_a_client_id_has_none(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let stored = world.send(a, b, "hello");
    assert_eq!(stored.client_id, None);
    assert_eq!(world.find(&stored).client_id, None);
}

pub fn both_directions_are_numbered_in_one_sequence(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let seqs = [(a, b), (b, a), (b, a), (a, b)].map(|(from, to)| world.send(from, to, "hello").seq);
    assert_eq!(seqs, [1, 2, 3, 4]);
}

pub fn each_conversation_is_numbered_for_itself(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let pairs = [(a, b), (a, c), (b, c), (c, b), (b, a), (c, a)];
    assert_eq!(pairs.map(|(from, to)| world.send(from, to, "hello").seq), [1, 1, 1, 2, 2, 2]);
}

pub fn the_clock_does_not_decide_the_order(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let (early, late) = (world.message(a, b, "early"), world.message(b, a, "late"));
    assert!(early.timestamp <= late.timestamp);
    assert_eq!(world.append(late).unwrap().message.seq, 1);
    assert_eq!(world.append(early).unwrap().message.seq, 2);
    assert_eq!(world.all(a, b).iter().map(|message| &*message.text).collect::<Vec<_>>(), ["late", "early"]);
}

pub fn parallel_sends_are_numbered_without_gaps(fixture: Fixture) {
    const EACH: usize = 50;
    let (world, [a, b, c]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, b), (b, a), (a, c), (c, a), (c, b), (b, c)];
    let sent = at_once(pairs.len(), |thread| {
        let (from, to) = pairs[thread];
        (0..EACH).map(|_| world.send(from, to, "hello")).collect::<Vec<_>>()
    });
    for own in &sent {
        assert!(own.is_sorted_by_key(|message| message.seq), "a sender's own order is kept");
    }
    let mut answered: Vec<_> = sent.into_iter().flatten().collect();
    answered.sort_by_key(|message| (message.conversation(), message.seq));
    for (x, y, count) in [(a, b, 4 * EACH), (a, c, 2 * EACH), (b, c, 2 * EACH)] {
        world.assert_gap_free(x, y, count);
        let conversation = ConversationId::between(x, y);
        let here = answered.iter().filter(|message| message.conversation() == conversation);
        assert!(here.eq(world.all(x, y).iter()), "what was answered is what is stored");
    }
}

pub fn the_order_of_first_polls_is_the_order_of_numbers(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, c)];
    let news: Vec<_> =
        (0..300).map(|number| pairs[number % 3]).map(|(from, to)| world.message(from, to, "hello")).collect();
    let begun: Vec<_> = news.iter().map(|new| begin(world.fixture.ports.log.append(new.clone()))).collect();
    // Finished from the last one on: only the first polls count.
    let mut stored: Vec<_> = begun.into_iter().rev().map(|begun| begun.finish().unwrap().message).collect();
    stored.reverse();
    for conversation in [ConversationId::between(a, b), ConversationId::between(a, c)] {
        let here: Vec<_> = stored.iter().filter(|message| message.conversation() == conversation).collect();
        assert!(here.iter().zip(1..).all(|(message, seq)| message.seq == seq), "{here:?}");
    }
    assert!(stored.iter().zip(&news).all(|(message, new)| message.id == new.id));
}

pub fn a_send_that_nobody_waits_for_is_stored_all_the_same(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let unwaited = world.message(a, b, "nobody waits");
    drop(begin(world.fixture.ports.log.append(unwaited.clone())));
    let next = world.send(a, b, "somebody waits");
    assert_eq!(next.seq, 2);
    assert_eq!(world.all(a, b)[0].id, unwaited.id);
}

pub fn what_was_answered_is_in_every_later_read(fixture: Fixture) {
    let (world, users) = World::with_users::<4>(fixture);
    at_once(4, |thread| {
        let (me, other) = (users[thread], users[(thread + 1) % 4]);
        for number in 0..50 {
            let sent = world.send(me, other, &format!("number {number}"));
            assert_eq!(world.find(&sent), sent);
            assert_eq!(world.all(me, other).last(), Some(&sent));
            let entry = world.conversations(me, None, 10).items;
            assert!(entry.iter().any(|entry| entry.other == other && entry.last_message == sent));
        }
    });
}

pub fn an_unknown_message_is_not_found(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    world.send(a, b, "hello");
    assert_eq!(block_on(world.fixture.ports.messages.find(world.ids.message())).unwrap(), None);
}
