//! Moving: any set of messages may have been read, and reading goes on from there.

use chat_ports::model::{Message, Timestamp, UserId};

use super::{archive::foreign_messages, world::World};
use crate::Fixture;

/// A conversation of `count` messages, of which those were read that the bits name.
fn put_with(world: &World, a: UserId, b: UserId, count: u64, bits: u64) -> Vec<Message> {
    let mut given = foreign_messages(world, a, b, count);
    for message in &mut given {
        let is_read = bits >> (message.seq - 1) & 1 == 1;
        // Some in a row at the same time, as one reading leaves them.
        message.read_at = is_read.then(|| Timestamp::from_millis(80_000 + (message.seq / 4).cast_signed()));
        message.delivered_at = message.read_at;
    }
    world.put(&given).unwrap();
    given
}

/// Patterns of bits without any order, always the same ones.
fn patterns(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
    .take(count)
}

fn unread(messages: &[Message], reader: UserId) -> usize {
    messages.iter().filter(|message| message.receiver == reader && !message.is_read()).count()
}

fn assert_stands(world: &World, a: UserId, b: UserId, expected: &[Message]) {
    assert!(world.all(a, b).iter().map(|message| &**message).eq(expected.iter()), "as history");
    assert_eq!(world.walk(5), expected);
    for me in [a, b] {
        let entry = &world.conversations(me, None, 10).items[0];
        assert_eq!(entry.unread as usize, unread(expected, me), "{me}");
        assert_eq!(Some(&*entry.last_message), expected.last());
    }
}

/// Reads up to a message, in the store and in what is expected of it.
fn read(world: &World, reader: UserId, upto: usize, expected: &mut [Message]) {
    let read = world.read(reader, &expected[upto].clone(), 90_000);
    let mut ids = Vec::new();
    for message in expected.iter_mut().take(upto + 1) {
        if message.receiver == reader && message.read_at.is_none() {
            message.read_at = Some(Timestamp::from_millis(90_000));
            message.delivered_at = message.delivered_at.or(message.read_at);
            ids.push(message.id);
        }
    }
    assert_eq!((read.count, read.messages), (ids.len() as u64, ids));
}

pub fn any_set_of_messages_may_have_been_read(fixture: Fixture) {
    let world = World::new(fixture);
    let mut all = Vec::new();
    for bits in patterns(12).chain([0, u64::MAX, 1, 1 << 19]) {
        let (a, b) = (world.ids.user(), world.ids.user());
        let given = put_with(&world, a, b, 20, bits);
        for me in [a, b] {
            let entry = &world.conversations(me, None, 10).items[0];
            assert_eq!(entry.unread as usize, unread(&given, me), "{bits:b}");
        }
        all.extend(given);
    }
    assert_eq!(world.walk(50), all);
}

pub fn reading_up_to_a_message_reads_the_unread_ones_before_it_and_no_others(fixture: Fixture) {
    let world = World::new(fixture);
    for (number, bits) in patterns(16).enumerate() {
        let (a, b) = (world.ids.user(), world.ids.user());
        let mut expected = put_with(&world, a, b, 24, bits);
        // Odd places were sent to b, even ones to a; places count from 0 here.
        for upto in [number % 8 * 2, 6 + number % 4 * 2, 22] {
            read(&world, b, upto, &mut expected);
        }
        read(&world, a, 1 + number % 11 * 2, &mut expected);
        let all = world.all(a, b);
        assert!(all.iter().map(|message| &**message).eq(expected.iter()), "{bits:b}");
        let entry = &world.conversations(a, None, 10).items[0];
        assert_eq!(entry.unread as usize, unread(&expected, a), "{bits:b}");
    }
}

pub fn at_most_the_newest_ids_are_answered_among_what_was_put(fixture: Fixture) {
    let world = World::new(fixture);
    let (a, b) = (world.ids.user(), world.ids.user());
    // Of those sent to b (1, 3, 5 …) 5 and 9 were read.
    let given = put_with(&world, a, b, 15, 1 << 4 | 1 << 8);
    let reading = chat_ports::Receipt { max_ids: 3, ..world.reading(b, &given[12], 90_000) };
    let read = world.mark_read(reading).unwrap();
    assert_eq!((read.count, read.messages), (5, [6, 10, 12].map(|place| given[place].id).to_vec()));
    assert_eq!(world.find(&given[8]).read_at, given[8].read_at, "what was read stays as it was");
    assert_eq!(world.read(b, &given[12], 91_000).count, 0);
    assert_eq!(world.read(b, &given[14], 91_000).count, 1);
}

pub fn reading_and_sending_go_on_across_restarts(fixture: Fixture) {
    let mut world = World::new(fixture);
    let (a, b) = (world.ids.user(), world.ids.user());
    let mut expected = put_with(&world, a, b, 20, 0b1010_0110_1100_1011_0101);
    for upto in [4, 10, 16] {
        read(&world, b, upto, &mut expected);
        let sent = world.send(a, b, "after");
        expected.push(Message::clone(&sent));
        assert_stands(&world, a, b, &expected);
        let Some(again) = world.restarted() else { return };
        world = again;
        assert_stands(&world, a, b, &expected);
    }
    let last = expected.len() - 1;
    read(&world, b, last, &mut expected);
    assert_stands(&world, a, b, &expected);
}
