//! What messages cost in operations, by count.

#![expect(clippy::unwrap_used, reason = "a fixture that can't be made fails its test")]

#[expect(dead_code, reason = "each binary of tests uses another part of it")]
#[path = "support/node.rs"]
mod support;

use std::{sync::Arc, time::Duration};

use bson::Document;
use chat_mongo_testkit::{Proxy, TestDatabase, server_address};
use chat_ports::{Clock, MessageLog, model::UserId};
use chat_testkit::SequentialIds;
use futures_executor::block_on;
use futures_util::future::join_all;
use support::{Node, PATIENCE, SystemClock, options};

const IN_FLIGHT: u8 = 128;
const EACH: usize = 8;

#[test]
fn messages_share_inserts_cost_no_read_and_their_list_is_written_in_few_bulks() {
    let database = TestDatabase::new();
    let proxy = Proxy::before(server_address());
    let node = Node::open(options(&proxy.uri(database.name())), &Arc::new(SequentialIds::new()));
    // 16 conversations, each with 8 sends in flight.
    let pair = |number: u8| (UserId::from_bytes([1 + number % 16; 12]), UserId::from_bytes([100; 12]));
    for number in 0..16 {
        let (from, to) = pair(number);
        node.send(from, to, "warm");
    }
    let counts = || ["insert", "find", "aggregate", "count", "update"].map(|command| proxy.seen(command));
    proxy.record();
    let (before, begun) = (counts(), SystemClock(0).instant());
    block_on(join_all((0..IN_FLIGHT).map(|number| {
        let ((from, to), node) = (pair(number), &node);
        async move {
            for _ in 0..EACH {
                node.store.append(node.message(from, to, "hello", PATIENCE)).await.unwrap();
            }
        }
    })));
    let spent = SystemClock(0).instant() - begun;
    let [inserts, finds, aggregates, counted, updates] = {
        let after = counts();
        std::array::from_fn(|command| after[command] - before[command])
    };
    let messages = usize::from(IN_FLIGHT) * EACH;
    // All round trips together but the supervisor's heartbeat and the bulks, which are counted by time.
    let known = inserts + updates + proxy.recorded().iter().filter(|command| is_heartbeat(command)).count();
    let others = proxy.recorded().len() - known.min(proxy.recorded().len());
    assert!((inserts + others) * 20 <= messages, "{inserts} inserts, {others} others, {messages} messages");
    assert_eq!((finds, aggregates, counted), (0, 0, 0), "no reads");
    let most = spent.as_millis() / Duration::from_millis(50).as_millis() + 2;
    assert!(updates as u128 <= most, "{updates} bulks in {spent:?}");
}

fn is_heartbeat(command: &Document) -> bool {
    command.keys().next().is_some_and(|name| ["hello", "isMaster", "ismaster"].contains(&name.as_str()))
}
