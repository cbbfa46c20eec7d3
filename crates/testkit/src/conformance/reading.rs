//! Readings: up to a message, once.

use chat_ports::{
    Receipt, ReceiptSpan,
    model::{ConversationId, Timestamp, UserId},
};

use super::world::{World, at_once, ids};
use crate::Fixture;

pub fn everything_up_to_the_message_becomes_read(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..5).map(|_| world.send(a, b, "hello")).collect();
    let expected = ReceiptSpan {
        conversation: ConversationId::between(a, b),
        sender: a,
        count: 3,
        messages: ids(&sent[..3]),
    };
    assert_eq!(world.read(b, &sent[2], 20_000), expected);
    assert_eq!(read_at(&world, a, b), [Some(20_000), Some(20_000), Some(20_000), None, None]);
    assert_eq!(world.find(&sent[0]).read_at, Some(Timestamp::from_millis(20_000)));
    assert_eq!(world.find(&sent[4]).read_at, None);
}

pub fn only_what_the_other_side_sent_becomes_read(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let pairs = [(a, b), (b, a), (a, b), (b, a), (a, b)];
    let sent = pairs.map(|(from, to)| world.send(from, to, "hello"));
    let read = world.read(b, &sent[4], 20_000);
    assert_eq!((read.count, read.messages), (3, vec![sent[0].id, sent[2].id, sent[4].id]));
    assert_eq!(read_at(&world, a, b), [Some(20_000), None, Some(20_000), None, Some(20_000)]);
    let back = world.read(a, &sent[1], 21_000);
    assert_eq!((back.sender, back.messages), (b, vec![sent[1].id]));
}

pub fn reading_again_changes_nothing(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..3).map(|_| world.send(a, b, "hello")).collect();
    world.read(b, &sent[2], 20_000);
    for message in &sent {
        let again = world.read(b, message, 30_000);
        assert_eq!((again.count, again.messages, again.sender), (0, Vec::new(), a));
    }
    assert_eq!(read_at(&world, a, b), [Some(20_000); 3]);
}

pub fn reading_further_counts_what_is_new_and_keeps_what_was_read(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..5).map(|_| world.send(a, b, "hello")).collect();
    world.read(b, &sent[1], 20_000);
    let further = world.read(b, &sent[3], 30_000);
    assert_eq!((further.count, further.messages), (2, ids(&sent[2..4])));
    assert_eq!(read_at(&world, a, b), [Some(20_000), Some(20_000), Some(30_000), Some(30_000), None]);
}

pub fn at_most_the_newest_ids_are_answered_and_all_are_counted(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..10).map(|_| world.send(a, b, "hello")).collect();
    let read = world.mark_read(Receipt { max_ids: 3, ..world.reading(b, &sent[8], 20_000) }).unwrap();
    assert_eq!((read.count, read.messages), (9, ids(&sent[6..9])));
    let none = world.mark_read(Receipt { max_ids: 0, ..world.reading(b, &sent[9], 20_000) }).unwrap();
    assert_eq!((none.count, none.messages), (1, Vec::new()));
}

pub fn a_message_that_was_not_sent_to_the_reader_is_none(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let sent = world.send(a, b, "hello");
    assert_eq!(world.mark_read(world.reading(a, &sent, 20_000)), None, "one's own");
    assert_eq!(world.mark_read(world.reading(c, &sent, 20_000)), None, "a stranger's");
    let unknown = Receipt { message: world.ids.message(), ..world.reading(b, &sent, 20_000) };
    assert_eq!(world.mark_read(unknown), None, "an unknown one");
    assert_eq!(read_at(&world, a, b), [None]);
}

pub fn what_comes_later_and_other_conversations_are_untouched(fixture: Fixture) {
    let (world, [a, b, c]) = World::with_users(fixture);
    let elsewhere = world.send(c, b, "hello");
    let sent = world.send(a, b, "hello");
    world.read(b, &sent, 20_000);
    let later = world.send(a, b, "hello");
    assert_eq!(later.read_at, None);
    assert_eq!(read_at(&world, a, b), [Some(20_000), None]);
    assert_eq!(world.find(&elsewhere).read_at, None);
}

pub fn parallel_readings_count_each_message_once(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let sent: Vec<_> = (0..40).map(|_| world.send(a, b, "hello")).collect();
    let read = at_once(8, |thread| world.read(b, &sent[39 - thread], 20_000 + thread as i64));
    assert_eq!(read.iter().map(|read| read.count).sum::<u64>(), 40);
    let mut told: Vec<_> = read.into_iter().flat_map(|read| read.messages).collect();
    told.sort();
    assert_eq!(told, ids(&sent));
}

pub fn reading_while_others_send_reads_up_to_the_message(fixture: Fixture) {
    let (world, [a, b]) = World::with_users(fixture);
    let counts = at_once(2, |thread| {
        let mut count = 0;
        for _ in 0..50 {
            let sent = world.send(a, b, "hello");
            if thread == 0 {
                count += world.read(b, &sent, 20_000).count;
                assert!(world.find(&sent).is_read());
            }
        }
        count
    });
    let all = world.all(a, b);
    let read = all.iter().filter(|message| message.is_read()).count() as u64;
    assert_eq!(read, counts[0]);
    assert!(all.is_sorted_by_key(|message| !message.is_read()), "no unread one before a read one");
}

fn read_at(world: &World, a: UserId, b: UserId) -> Vec<Option<i64>> {
    world.all(a, b).iter().map(|message| message.read_at.map(Timestamp::millis)).collect()
}
