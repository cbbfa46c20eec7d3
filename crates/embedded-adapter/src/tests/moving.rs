//! What is moved in: any set of readings, whatever is swept when, and what is derived from it again.

use std::sync::Arc;

use chat_ports::{
    Archive, ArchiveError, ArchiveQuery,
    model::{ConversationId, Message, MessageId, TextDigest, Timestamp},
};
use chat_testkit::{ManualClock, RecordingListener};
use futures_executor::block_on;
use proptest::prelude::*;

use super::world::{World, user};
use crate::{Options, Store, restore, verify};

/// What stood in another store: in turns of any length, read at any time or not.
fn messages() -> impl Strategy<Value = Vec<Message>> {
    let one = (any::<bool>(), prop::array::uniform3(proptest::option::weighted(0.4, 0..3_i64)));
    prop::collection::vec(one, 1..40).prop_map(|ones| {
        let message = |(number, (forth, [delivered, read, changed])): (usize, (bool, [Option<i64>; 3]))| {
            let seq = number as u64 + 1;
            let mut id = [7; 12];
            id[4..].copy_from_slice(&seq.to_be_bytes());
            let (sender, receiver) = if forth { (user(1), user(2)) } else { (user(2), user(1)) };
            Message {
                id: MessageId::from_bytes(id),
                seq,
                sender,
                receiver,
                text: if changed == Some(0) { String::new() } else { format!("number {seq}") },
                timestamp: Timestamp::from_millis(9_000),
                delivered_at: delivered.or(read).map(Timestamp::from_millis),
                read_at: read.map(Timestamp::from_millis),
                edited_at: changed.filter(|at| *at > 0).map(Timestamp::from_millis),
                deleted_at: changed.filter(|at| *at == 0).map(Timestamp::from_millis),
                first_text: changed.filter(|at| *at > 1).map(|_| TextDigest::from_bytes([3; 16])),
                client_id: (number % 5 == 0).then(|| format!("c{seq}")),
            }
        };
        ones.into_iter().enumerate().map(message).collect()
    })
}

fn put(store: &Store, messages: &[Message]) -> Result<(), ArchiveError> {
    block_on(store.put_messages(messages.to_vec()))
}

fn walk(store: &Store) -> Vec<Message> {
    let query = ArchiveQuery { after: None, limit: u32::MAX, max_bytes: usize::MAX };
    block_on(store.messages(query)).unwrap().iter().map(|message| Message::clone(message)).collect()
}

/// What a reading up to a message makes of messages, and how many it reads.
fn read(messages: &mut [Message], reader: u8, seq: u64, at: i64) -> u64 {
    let unread = messages
        .iter_mut()
        .filter(|message| message.receiver == user(reader) && message.seq <= seq && !message.is_read());
    let read = unread.map(|message| {
        message.read_at = Some(Timestamp::from_millis(at));
        message.delivered_at = message.delivered_at.or(message.read_at);
    });
    read.count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn readings_of_what_was_moved_in_agree_in_memory_in_the_tables_and_in_a_restored_backup(
        given in messages(),
        sweep_entries in prop_oneof![Just(1_usize), Just(3), Just(1_000)],
        page in 1..20_usize,
        readings in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        restart: bool,
    ) {
        let mut world = World::new(|options| options.sweep_entries = sweep_entries);
        given.chunks(page).for_each(|page| put(&world.store, page).unwrap());
        if restart {
            world = world.reopened();
        }
        let mut expected = given;
        for (number, which) in readings.iter().enumerate() {
            let message = which.get(&expected).clone();
            let (reader, at) = (message.receiver.bytes()[0], 50_000 + number as i64);
            let count = world.read_at(reader, &message, at).unwrap().count;
            prop_assert_eq!(count, read(&mut expected, reader, message.seq, at));
            let all: Vec<Message> = world.all(1, 2).iter().map(|message| Message::clone(message)).collect();
            prop_assert_eq!(&all, &expected);
        }
        let backup = world.file("backup");
        block_on(world.store.backup(backup.clone())).unwrap();
        let unread = |world: &World, me| world.list(me)[0].unread;
        let lists = (unread(&world, 1), unread(&world, 2));
        prop_assert_eq!(walk(&world.store), expected.clone());
        world.assert_consistent();

        let dir = world.file("restored");
        restore(&backup, &dir).unwrap();
        prop_assert_eq!(verify(&dir).unwrap(), Vec::<String>::new());
        let restored = open(&dir);
        prop_assert_eq!(walk(&restored), expected.clone());
        let count = |me| expected.iter().filter(|message| message.receiver == user(me) && !message.is_read()).count();
        prop_assert_eq!(lists, (count(1) as u32, count(2) as u32));
    }
}

fn open(dir: &std::path::Path) -> Store {
    Store::open(Options::new(dir), Arc::new(ManualClock::new()), RecordingListener::new()).unwrap()
}

#[test]
fn a_page_that_can_not_be_put_leaves_nothing_and_gives_its_numbers_back() {
    let world = World::new(|_| {});
    let first = world.send(1, 2);
    let fresh = Message { seq: 2, id: MessageId::from_bytes([9; 12]), ..Message::clone(&first) };
    let twin = Message { seq: 3, ..fresh.clone() };
    let refused = put(&world.store, &[fresh.clone(), twin]).unwrap_err();
    assert!(matches!(refused, ArchiveError::Differs { field: "seq", .. }), "{refused}");
    assert_eq!(world.send(2, 1).seq, 2);
    assert!(put(&world.store, &[fresh]).is_err());
    world.assert_consistent();
}

#[test]
fn what_this_store_has_no_form_for_is_refused_by_its_field() {
    let world = World::new(|_| {});
    let message = Message {
        id: MessageId::from_bytes([9; 12]),
        seq: 1,
        sender: user(1),
        receiver: user(2),
        text: "text".to_owned(),
        timestamp: Timestamp::from_millis(1),
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        first_text: None,
        client_id: None,
    };
    for (unfit, field) in [
        (Message { client_id: Some(String::new()), ..message.clone() }, "client_id"),
        (Message { read_at: Some(Timestamp::from_millis(i64::MIN)), ..message.clone() }, "read_at"),
        (Message { read_at: Some(Timestamp::from_millis(5)), ..message.clone() }, "delivered_at"),
        (Message { seq: 1 << 32, ..message.clone() }, "seq"),
    ] {
        let refused = put(&world.store, &[unfit]).unwrap_err();
        assert!(matches!(&refused, ArchiveError::Unfit { field: found, .. } if *found == field), "{refused}");
    }
    assert_eq!(world.page(1, 2, chat_ports::HistoryAnchor::After(0), 10).0, []);
}

#[test]
fn a_conversation_with_oneself_is_consistent() {
    let world = World::new(|options| options.sweep_entries = 2);
    let alone = |seq: u64, read_at: Option<i64>| Message {
        id: MessageId::from_bytes([seq as u8; 12]),
        seq,
        sender: user(3),
        receiver: user(3),
        text: format!("note {seq}"),
        timestamp: Timestamp::from_millis(1),
        delivered_at: read_at.map(Timestamp::from_millis),
        read_at: read_at.map(Timestamp::from_millis),
        edited_at: None,
        deleted_at: None,
        first_text: None,
        client_id: None,
    };
    let given = [alone(1, Some(5)), alone(2, None), alone(3, Some(6)), alone(4, None)];
    put(&world.store, &given).unwrap();
    assert_eq!(world.list(3)[0].unread, 2);
    assert_eq!(world.read_at(3, &given[2], 70).unwrap().count, 1);
    let world = world.reopened();
    assert_eq!(world.read_at(3, &given[3], 80).unwrap().count, 1);
    assert_eq!(world.list(3)[0].unread, 0);
    let conversation = ConversationId::between(user(3), user(3));
    assert!(
        walk(&world.store).iter().all(|message| message.conversation() == conversation && message.is_read())
    );
    world.assert_consistent();
}
