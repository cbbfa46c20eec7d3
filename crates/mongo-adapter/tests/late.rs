//! What a process had on its way when it died is told by the next one, wherever it becomes visible late.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

#[expect(dead_code, reason = "each binary of tests uses another part of it")]
#[path = "support/node.rs"]
mod support;

use std::sync::Arc;

use bson::{Document, doc, oid::ObjectId};
use chat_mongo_testkit::{TestDatabase, block_on as on_driver, until};
use chat_ports::{
    Clock, Commit, ConversationQuery, Conversations, NewMessage, ReceiptKind, ReceiptSpan,
    model::{ConversationId, Message, MessageId, UserId},
};
use chat_testkit::{SequentialIds, build};
use futures_executor::block_on;
use support::{Node, PATIENCE, SystemClock, options, pair};

/// A database that a process served until a moment ago, and the messages that it had stored.
fn left_behind(database: &TestDatabase, messages: &[&str]) -> Vec<Arc<Message>> {
    let (a, b) = pair();
    let node = Node::open(options(database.uri()), &Arc::new(SequentialIds::new()));
    let sent = messages.iter().map(|text| node.send(a, b, text)).collect();
    drop(node);
    // It has closed well; one that dies leaves its mark.
    put(database, "meta", doc! { "_id": "upkeep:0123456789ab0123456789ab", "at": now(0) });
    sent
}

fn now(offset: i64) -> bson::DateTime {
    bson::DateTime::from_millis(SystemClock(0).now().millis() + offset)
}

fn put(database: &TestDatabase, collection: &'static str, document: Document) {
    let driver = database.driver();
    on_driver(async move { driver.collection(collection).insert_one(document).await }).unwrap();
}

/// Has an update of the dead process carried out.
fn change(database: &TestDatabase, message: MessageId, mut set: Document) {
    set.insert("changedAt", now(-2_000));
    let (driver, id) = (database.driver(), ObjectId::from_bytes(message.bytes()));
    on_driver(async move {
        let messages = driver.collection::<Document>("messages");
        messages.update_one(doc! { "_id": id }, doc! { "$set": set }).await
    })
    .unwrap();
}

/// Has an insert of the dead process carried out: a message with this number and client id.
fn arrive(database: &TestDatabase, (from, to): (UserId, UserId), seq: i64, name: &str) -> MessageId {
    let id = MessageId::from_bytes(ObjectId::new().bytes());
    let key = bson::Binary {
        subtype: bson::spec::BinarySubtype::Generic,
        bytes: ConversationId::between(from, to).key().to_vec(),
    };
    let [sender, receiver] = [from, to].map(|user| ObjectId::from_bytes(user.bytes()));
    let message = doc! {
        "_id": ObjectId::from_bytes(id.bytes()), "sender": sender, "receiver": receiver, "message": "late",
        "isRead": false, "timestamp": now(-2_000), "conversation": key, "seq": seq,
        "dedup": format!("{sender}:c:{name}"), "clientId": name, "changedAt": now(-2_000),
    };
    put(database, "messages", message);
    id
}

fn named(node: &Node, (from, to): (UserId, UserId), text: &str) -> NewMessage {
    NewMessage { client_id: Some(build::client_id("n1")), ..node.message(from, to, text, PATIENCE) }
}

#[test]
fn a_message_that_is_stored_late_is_told_once_and_stands_in_the_list() {
    let database = TestDatabase::new();
    left_behind(&database, &["before"]);
    let (a, b) = pair();
    let node = Node::open(options(database.uri()), &Arc::new(SequentialIds::new()));
    let late = arrive(&database, (a, b), 2, "n1");
    assert!(until(PATIENCE, || !node.told(a, b).is_empty()), "without anything happening");
    assert_eq!((node.told(a, b)[0].id, node.told(a, b)[0].seq), (late, 2));
    let query = ConversationQuery { user: b, after: None, limit: 5, max_unread: 100 };
    let page = block_on(Conversations::list(&*node.store, query)).unwrap();
    assert_eq!((page.items[0].last_message.id, page.items[0].unread), (late, 2));
    let repeat = node.append(named(&node, (a, b), "late")).unwrap();
    assert!(repeat.repeated && repeat.message.id == late);
    assert_eq!((node.send(a, b, "after").seq, node.told(a, b).len()), (3, 2));
}

#[test]
fn what_is_stored_late_is_told_before_what_follows_it() {
    let database = TestDatabase::new();
    let ids = Arc::new(SequentialIds::new());
    left_behind(&database, &["before"]);
    let node = Node::open(options(database.uri()), &ids);
    let (a, _) = pair();
    // Each time it is the send that meets the late one: by its number, or by its name.
    for number in 10..20 {
        let other = UserId::from_bytes([number; 12]);
        let late = arrive(&database, (a, other), 1, "n1");
        let text = if number % 2 == 0 { "late" } else { "another" };
        let answer = if number % 2 == 0 {
            named(&node, (a, other), text)
        } else {
            node.message(a, other, text, PATIENCE)
        };
        let repeated = node.append(answer).unwrap().repeated;
        node.send(a, other, "after");
        let told: Vec<_> = node.told(a, other).iter().map(|message| message.seq).collect();
        assert_eq!(node.told(a, other)[0].id, late);
        assert_eq!(told, (1..=if repeated { 2 } else { 3 }).collect::<Vec<_>>());
    }
}

#[test]
fn changes_that_are_carried_out_late_are_told_and_what_was_there_is_not() {
    let database = TestDatabase::new();
    let sent = left_behind(&database, &["edited", "deleted", "read", "delivered", "untouched"]);
    let ids = Arc::new(SequentialIds::new());
    let node = Node::open(options(database.uri()), &ids);
    let at = now(-2_000);
    change(&database, sent[0].id, doc! { "message": "other", "editedAt": at });
    change(&database, sent[1].id, doc! { "message": "", "deletedAt": at });
    change(&database, sent[2].id, doc! { "isRead": true, "readAt": at });
    change(&database, sent[3].id, doc! { "deliveredAt": at });
    let mut told = Vec::new();
    assert!(until(PATIENCE, || {
        told.extend(node.commits.take());
        told.len() >= 4
    }));
    let receipt = |kind, message: &Message| Commit::Receipt {
        kind,
        receiver: message.receiver,
        span: ReceiptSpan {
            conversation: message.conversation(),
            sender: message.sender,
            count: 1,
            messages: vec![message.id],
        },
        except: None,
    };
    assert!(told.contains(&receipt(ReceiptKind::Read, &sent[2])), "{told:?}");
    assert!(told.contains(&receipt(ReceiptKind::Delivered, &sent[3])), "{told:?}");
    let edited = |commit: &Commit| matches!(commit, Commit::Edited { message } if message.text == "other");
    let deleted = |commit: &Commit| matches!(commit, Commit::Deleted { message } if message.id == sent[1].id);
    assert!(told.iter().any(edited) && told.iter().any(deleted), "{told:?}");
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn a_process_that_has_closed_leaves_nothing_to_be_watched() {
    let database = TestDatabase::new();
    let ids = Arc::new(SequentialIds::new());
    drop(Node::open(options(database.uri()), &ids));
    let node = Node::open(options(database.uri()), &ids);
    let (a, b) = pair();
    arrive(&database, (a, b), 1, "n1");
    assert_eq!(node.send(a, b, "after").seq, 2);
    assert_eq!(node.told(a, b).len(), 1);
}
