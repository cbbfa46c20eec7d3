//! Lists of conversations.

use std::sync::Arc;

use chat_ports::{
    ConversationQuery, NewMessage,
    model::{ConversationCursor, ConversationEntry, Message, Timestamp, UserId},
};
use futures_executor::block_on;

use super::world::World;
use crate::Fixture;

pub fn conversations_stand_most_recent_first_with_their_last_message(fixture: Fixture) {
    let (world, [me, a, b, c]) = World::with_users(fixture);
    send_at(&world, me, a, 1_000);
    let with_b = send_at(&world, b, me, 2_000);
    let with_c = send_at(&world, me, c, 3_000);
    let with_a = send_at(&world, a, me, 4_000);
    let expected = [
        ConversationEntry { other: a, last_message: world.find(&with_a), unread: 1 },
        ConversationEntry { other: c, last_message: world.find(&with_c), unread: 0 },
        ConversationEntry { other: b, last_message: world.find(&with_b), unread: 1 },
    ];
    let page = world.conversations(me, None, 10);
    assert_eq!(page.items, expected);
    assert!(!page.more);
}

pub fn each_side_has_the_conversation_in_its_list(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let last = world.send(a, b, "hello");
    let [ours] = &world.conversations(a, None, 10).items[..] else { unreachable!("one entry") };
    let [theirs] = &world.conversations(b, None, 10).items[..] else { unreachable!("one entry") };
    assert_eq!((ours.other, &ours.last_message, ours.unread), (b, &last, 0));
    assert_eq!((theirs.other, &theirs.last_message, theirs.unread), (a, &last, 1));
}

pub fn who_never_wrote_has_no_conversation(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    world.send(a, b, "hello");
    for user in [c, world.ids.user()] {
        let page = world.conversations(user, None, 10);
        assert!(page.items.is_empty() && !page.more);
    }
}

pub fn the_last_message_has_the_highest_number_whatever_the_clock_says(fixture: Fixture) {
    let (world, [me, a, b]) = World::with_users(fixture);
    send_at(&world, a, me, 9_000);
    let last = send_at(&world, a, me, 1_000);
    let other = send_at(&world, b, me, 5_000);
    let lasts: Vec<_> =
        world.conversations(me, None, 10).items.iter().map(|entry| entry.last_message.id).collect();
    assert_eq!(lasts, [other.id, last.id], "ordered by the last message's own time");
}

pub fn at_the_same_time_the_larger_id_comes_first(fixture: Fixture) {
    let (world, [me, a, b, c]) = World::with_users(fixture);
    let ids = [b, c, a].map(|other| send_at(&world, me, other, 5_000));
    let others: Vec<_> = world.conversations(me, None, 10).items.iter().map(|entry| entry.other).collect();
    assert!(ids.is_sorted_by_key(|message| message.id));
    assert_eq!(others, [a, c, b]);
}

pub fn a_walk_meets_every_conversation_once(fixture: Fixture) {
    const OTHERS: usize = 12;
    let (world, users) = World::with_users::<{ OTHERS + 1 }>(fixture);
    let [me, others @ ..] = &users;
    for (other, number) in others.iter().zip(0..) {
        // Several at the same time, so that the id has to decide.
        send_at(&world, *other, *me, 1_000 + number / 3);
    }
    let expected: Vec<UserId> = others.iter().rev().copied().collect();
    for limit in [1, 4, 5, 11, 12, 13] {
        let (mut met, mut after) = (Vec::new(), None);
        loop {
            let page = world.conversations(*me, after, limit);
            met.extend(page.items.iter().map(|entry| entry.other));
            after = page.items.last().map(cursor);
            if !page.more {
                break;
            }
            assert_eq!(page.items.len(), limit as usize);
        }
        assert_eq!(met, expected, "{limit}");
    }
}

pub fn a_conversation_cursor_is_a_position_whether_or_not_something_stands_there(fixture: Fixture) {
    let (world, [me, a, b]) = World::with_users(fixture);
    send_at(&world, me, a, 1_000);
    send_at(&world, me, b, 3_000);
    let after = |millis| {
        let cursor =
            ConversationCursor { timestamp: Timestamp::from_millis(millis), message: world.ids.message() };
        let page = world.conversations(me, Some(cursor), 10);
        page.items.iter().map(|entry| entry.other).collect::<Vec<_>>()
    };
    assert_eq!(after(9_000), [b, a]);
    assert_eq!(after(2_000), [a]);
    assert_eq!(after(500), []);
}

pub fn unread_counts_what_was_sent_to_the_user_and_not_read(fixture: Fixture) {
    let (world, [me, a]) = World::with_users(fixture);
    let sent: Vec<_> = (0..4).map(|_| world.send(a, me, "hello")).collect();
    world.send(me, a, "answer");
    let unread = |user| world.conversations(user, None, 10).items[0].unread;
    assert_eq!((unread(me), unread(a)), (4, 1));
    world.read(me, &sent[2], 20_000);
    assert_eq!((unread(me), unread(a)), (1, 1));
    world.read(me, &sent[3], 21_000);
    assert_eq!((unread(me), unread(a)), (0, 1));
}

pub fn counting_unread_stops_where_it_is_told(fixture: Fixture) {
    let (world, [me, a]) = World::with_users(fixture);
    (0..7).for_each(|_| drop(world.send(a, me, "hello")));
    for (max_unread, expected) in [(5, 5), (7, 7), (8, 7), (1, 1)] {
        let query = ConversationQuery { user: me, after: None, limit: 10, max_unread };
        let page = block_on(world.fixture.ports.conversations.list(query)).unwrap();
        assert_eq!(page.items[0].unread, expected);
    }
}

pub fn the_last_message_is_shown_as_it_is_now(fixture: Fixture) {
    let (world, [me, a]) = World::with_users(fixture);
    let last = world.send(me, a, "hello");
    world.read(a, &last, 20_000);
    let shown = &world.conversations(me, None, 10).items[0].last_message;
    assert_eq!(shown.read_at, Some(Timestamp::from_millis(20_000)));
}

fn send_at(world: &World, sender: UserId, receiver: UserId, millis: i64) -> Arc<Message> {
    let timestamp = Timestamp::from_millis(millis);
    world.append(NewMessage { timestamp, ..world.message(sender, receiver, "hello") }).unwrap().message
}

fn cursor(last: &ConversationEntry) -> ConversationCursor {
    ConversationCursor { timestamp: last.last_message.timestamp, message: last.last_message.id }
}
