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

/// In turns, so that what else the machine does falls on both.
const ROUNDS: usize = 5;

fn main() {
    let rounds: Vec<_> = (0..ROUNDS).map(|_| (batched(), single())).collect();
    let messages = u32::from(IN_FLIGHT) * u32::from(EACH);
    println!("{IN_FLIGHT} in flight, {messages} messages a round, {CONVERSATIONS} conversations");
    let ratio = |(batched, single): &(Duration, Duration)| single.as_secs_f64() / batched.as_secs_f64();
    let each: Vec<_> = rounds.iter().map(|round| format!("{:.1}", ratio(round))).collect();
    println!("batched, in sends a second, of one insertOne each: {} times", each.join(", "));
    let (batched, single) = rounds.iter().fold(Default::default(), |(a, b), (c, d)| (a + *c, b + *d));
    println!("all rounds: {:.1} times", ratio(&(batched, single)));
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
