//! The list of conversations after crashes and losses: it is derived from the messages again.

#![expect(clippy::unwrap_used, reason = "what a test can't do fails it")]

#[expect(dead_code, reason = "each of the tests uses a part of it")]
#[path = "support/node.rs"]
mod support;

use std::{sync::Arc, time::Duration};

use bson::{DateTime, Document, doc};
use chat_mongo_testkit::{Proxy, TestDatabase, block_on as drive, server_address, until};
use chat_ports::{
    ConversationQuery, Conversations, MessageLog,
    model::{ConversationEntry, ConversationId, UserId},
};
use chat_testkit::SequentialIds;
use futures_executor::block_on;
use support::{Node, PATIENCE, options, pair};

fn list(node: &Node, user: UserId) -> Vec<ConversationEntry> {
    let query = ConversationQuery { user, after: None, limit: 50, max_unread: 100 };
    block_on(Conversations::list(&*node.store, query)).unwrap().items
}

fn lasts(node: &Node, user: UserId) -> Vec<String> {
    list(node, user).iter().map(|entry| entry.last_message.text.clone()).collect()
}

fn stranger(number: u8) -> UserId {
    UserId::from_bytes([100 + number; 12])
}

/// Runs something on a collection, as somebody else would.
fn on<T: Send + 'static, F>(database: &TestDatabase, work: impl FnOnce(mongodb::Database) -> F) -> T
where
    F: Future<Output = mongodb::error::Result<T>> + Send + 'static,
{
    drive(work(database.driver())).unwrap()
}

fn documents(database: &TestDatabase) -> u64 {
    on(database, |driver| async move {
        driver.collection::<Document>("conversations").count_documents(doc! {}).await
    })
}

fn key(a: UserId, b: UserId) -> bson::Binary {
    let bytes = ConversationId::between(a, b).key().to_vec();
    bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes }
}

#[test]
fn a_list_that_was_dropped_is_rebuilt_at_the_next_start() {
    let (database, ids, (me, _)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let node = Node::open(options(database.uri()), &ids);
    for number in 0..20 {
        node.send(me, stranger(number), "first");
        node.send(stranger(number), me, &number.to_string());
    }
    let before = list(&node, me);
    drop(node);
    on(&database, |driver| async move { driver.collection::<Document>("conversations").drop().await });
    let node = Node::open(options(database.uri()), &ids);
    assert_eq!(list(&node, me), before);
    assert_eq!(documents(&database), 20);
}

#[test]
fn a_rebuild_that_was_interrupted_begins_anew() {
    let (database, ids, (a, b)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let node = Node::open(options(database.uri()), &ids);
    node.send(a, b, "one");
    node.send(a, stranger(1), "two");
    drop(node);
    let half = key(a, b);
    on(&database, |driver| async move {
        driver.collection::<Document>("conversations").delete_one(doc! { "_id": half }).await?;
        driver.collection("meta").insert_one(doc! { "_id": "conversations:rebuild", "is": true }).await
    });
    let node = Node::open(options(database.uri()), &ids);
    assert_eq!(lasts(&node, a), ["two", "one"]);
    drop(node);
    let left = on(&database, |driver| async move {
        let stays = doc! { "_id": { "$nin": ["life", "commits"] } };
        driver.collection::<Document>("meta").count_documents(stays).await
    });
    assert_eq!(left, 0, "marks and notes are gone when the last node has closed");
}

#[test]
fn what_a_crash_left_unwritten_is_derived_at_the_next_start() {
    let (database, ids, (a, b)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let node = Node::open(options(database.uri()), &ids);
    node.send(a, b, "written");
    node.send(a, stranger(1), "beside");
    drop(node);
    // As a crash leaves it: an older last message in the list, and a mark from before.
    let (filter, stale) = (doc! { "_id": key(a, b) }, DateTime::from_millis(1));
    on(&database, |driver| async move {
        let conversations = driver.collection::<Document>("conversations");
        conversations.delete_one(filter).await?;
        driver.collection("meta").insert_one(doc! { "_id": "upkeep:dead", "at": stale }).await
    });
    let node = Node::open(options(database.uri()), &ids);
    assert_eq!(lasts(&node, a), ["beside", "written"]);
    let dead = on(&database, |driver| async move {
        driver.collection::<Document>("meta").find_one(doc! { "_id": "upkeep:dead" }).await
    });
    assert_eq!(dead, None, "the dead node's mark is buried");
}

#[test]
fn another_nodes_newer_message_stays_and_a_list_that_names_a_lost_message_shows_the_last_one() {
    let (database, ids, (a, b)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let node = Node::open(options(database.uri()), &ids);
    node.send(a, b, "one");
    assert!(until(PATIENCE, || documents(&database) == 1));
    // Another node is ahead of this one.
    let (filter, ahead) = (doc! { "_id": key(a, b) }, doc! { "$set": { "lastSeq": 9_i64 } });
    on(&database, |driver| async move {
        driver.collection::<Document>("conversations").update_one(filter, ahead).await
    });
    let sent = node.send(a, b, "two");
    node.send(a, stranger(1), "written after it");
    assert!(until(PATIENCE, || documents(&database) == 2));
    let filter = doc! { "_id": key(a, b) };
    let document = on(&database, |driver| async move {
        driver.collection::<Document>("conversations").find_one(filter).await
    });
    assert_eq!(document.unwrap().get_i64("lastSeq").unwrap(), 9);
    let lost = bson::oid::ObjectId::from_bytes(list(&node, b)[0].last_message.id.bytes());
    assert_ne!(lost.bytes(), sent.id.bytes());
    on(&database, |driver| async move {
        driver.collection::<Document>("messages").delete_one(doc! { "_id": lost }).await
    });
    assert_eq!(lasts(&node, b), ["two"]);
}

#[test]
fn nothing_is_counted_where_the_last_message_was_read() {
    let (database, ids, (me, a)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let proxy = Proxy::before(server_address());
    let node = Node::open(options(&proxy.uri(database.name())), &ids);
    node.send(a, me, "one");
    let last = node.send(a, me, "two");
    let before = proxy.seen("aggregate");
    assert_eq!(list(&node, me)[0].unread, 2);
    assert_eq!(proxy.seen("aggregate"), before + 1);
    block_on(node.store.receipt(node.reading(me, &last))).unwrap();
    assert_eq!(list(&node, me)[0].unread, 0);
    assert_eq!(proxy.seen("aggregate"), before + 1);
}

#[test]
fn many_conversations_that_change_at_once_are_written_in_one_bulk_and_listed_before() {
    let (database, ids, (me, _)) = (TestDatabase::new(), Arc::new(SequentialIds::new()), pair());
    let proxy = Proxy::before(server_address());
    let mut slow = options(&proxy.uri(database.name()));
    slow.upkeep_interval = Duration::from_secs(2);
    let node = Node::open(slow, &ids);
    let before = proxy.seen("update");
    for number in 0..30 {
        node.send(me, stranger(number % 10), &number.to_string());
    }
    assert_eq!(list(&node, me).len(), 10, "all of them, written or not");
    assert_eq!(lasts(&node, me)[0], "29");
    assert!(until(PATIENCE, || documents(&database) == 10));
    assert!(proxy.seen("update") - before <= 2, "{}", proxy.seen("update") - before);
}
