//! Compares the store's batched path with one `insertOne` for each message, on the server that the tests use:
//! `cargo run --release -p chat-mongo-adapter --example batching`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that prints its result")]

#[path = "../tests/support/node.rs"]
#[expect(dead_code, reason = "it has more than this example needs")]
mod support;

use std::{sync::Arc, time::Duration};

use bson::{DateTime, Document, doc, oid::ObjectId};
use chat_mongo_testkit::{TestDatabase, block_on as on_driver};
use chat_ports::{Clock, MessageLog, model::UserId};
use chat_testkit::SequentialIds;
use futures_executor::block_on;
use futures_util::future::join_all;
use mongodb::{
    Collection, IndexModel,
    options::{Acknowledgment, IndexOptions, InsertOneOptions, WriteConcern},
};
use support::{Node, PATIENCE, SystemClock, options};

const IN_FLIGHT: u8 = 128;
const EACH: u8 = 8;
const CONVERSATIONS: u8 = 16;

fn main() {
    let (batched, single) = (batched(), single());
    let messages = f64::from(IN_FLIGHT) * f64::from(EACH);
    let rate = |spent: Duration| messages / spent.as_secs_f64();
    println!("{IN_FLIGHT} in flight, {messages} messages, {CONVERSATIONS} conversations");
    println!("batched:        {:>8.0} a second", rate(batched));
    println!("one insertOne:  {:>8.0} a second", rate(single));
    println!("ratio:          {:>8.1}", rate(batched) / rate(single));
}

/// Through the store.
fn batched() -> Duration {
    let database = TestDatabase::new();
    let node = Node::open(options(database.uri()), &Arc::new(SequentialIds::new()));
    let pair =
        |number: u8| (UserId::from_bytes([1 + number % CONVERSATIONS; 12]), UserId::from_bytes([100; 12]));
    for number in 0..CONVERSATIONS {
        let (from, to) = pair(number);
        node.send(from, to, "warm");
    }
    let begun = SystemClock(0).instant();
    block_on(join_all((0..IN_FLIGHT).map(|number| {
        let ((from, to), node) = (pair(number), &node);
        async move {
            for _ in 0..EACH {
                node.store.append(node.message(from, to, "hello", PATIENCE)).await.unwrap();
            }
        }
    })));
    SystemClock(0).instant() - begun
}

/// The same documents and indexes, one insert each, acknowledged alike.
fn single() -> Duration {
    let database = TestDatabase::new();
    let messages: Collection<Document> = database.driver().collection("messages");
    on_driver(async move {
        let unique = || IndexOptions::builder().unique(true).sparse(true).build();
        for keys in [doc! { "conversation": 1, "seq": 1 }, doc! { "conversation": 1, "dedup": 1 }] {
            messages.create_index(IndexModel::builder().keys(keys).options(unique()).build()).await.unwrap();
        }
        let begun = SystemClock(0).instant();
        let senders = (0..IN_FLIGHT).map(|number| {
            let messages = &messages;
            async move {
                for round in 0..EACH {
                    messages.insert_one(document(number, round)).with_options(durable()).await.unwrap();
                }
            }
        });
        join_all(senders).await;
        SystemClock(0).instant() - begun
    })
}

fn durable() -> InsertOneOptions {
    let concern = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
    InsertOneOptions::builder().write_concern(concern).build()
}

fn document(number: u8, round: u8) -> Document {
    let now = DateTime::from_millis(SystemClock(0).now().millis());
    let conversation =
        bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![number % CONVERSATIONS; 24] };
    let id = ObjectId::new();
    doc! {
        "_id": id, "sender": ObjectId::from_bytes([number; 12]), "receiver": ObjectId::from_bytes([100; 12]),
        "message": "hello", "isRead": false, "timestamp": now, "conversation": conversation,
        "seq": i64::from(number) * 1_000 + i64::from(round), "dedup": format!("{number}:i:{id}"), "changedAt": now,
    }
}
