//! Two nodes on one database.

use std::sync::Arc;

use chat_mongo_testkit::TestDatabase;
use chat_ports::{
    Delete, Edit, HistoryAnchor, HistoryQuery, MessageLog, Messages, NewMessage, Receipt,
    model::ConversationId,
};
use chat_testkit::{SequentialIds, build};
use futures_executor::block_on;

use super::support::{Node, PATIENCE, options, pair};

fn nodes(database: &TestDatabase) -> [Node; 2] {
    let ids = Arc::new(SequentialIds::new());
    [(); 2].map(|()| Node::open(options(database.uri()), &ids))
}

#[test]
fn two_nodes_that_write_to_one_conversation_leave_no_gap_and_keep_each_nodes_order() {
    const EACH: usize = 40;
    let database = TestDatabase::new();
    let nodes = nodes(&database);
    let (a, b) = pair();
    let [one, two] = &nodes;
    let send = |node: &Node, from, to| (0..EACH).map(|_| node.send(from, to, "hello").seq).collect();
    let answered: Vec<Vec<u64>> = std::thread::scope(|threads| {
        let (first, second) = (threads.spawn(|| send(one, a, b)), threads.spawn(|| send(two, b, a)));
        vec![first.join().unwrap(), second.join().unwrap()]
    });
    assert!(answered.iter().all(|seqs| seqs.is_sorted_by(|a, b| a < b)), "each node's order");
    let query = HistoryQuery {
        conversation: ConversationId::between(a, b),
        anchor: HistoryAnchor::After(0),
        limit: 1_000,
        max_bytes: usize::MAX,
    };
    let stored = block_on(nodes[1].store.history(query)).unwrap().items;
    assert_eq!(
        stored.iter().map(|message| message.seq).collect::<Vec<_>>(),
        (1..=2 * EACH as u64).collect::<Vec<_>>()
    );
    for (node, seqs) in nodes.iter().zip(&answered) {
        let told: Vec<u64> = node.told(a, b).iter().map(|message| message.seq).collect();
        assert_eq!(told, *seqs, "each node tells what it stored, once and in order");
    }
}

#[test]
fn a_repeat_on_another_node_is_answered_with_the_stored_message() {
    let database = TestDatabase::new();
    let [one, two] = nodes(&database);
    let (a, b) = pair();
    let named = |node: &Node| NewMessage {
        client_id: Some(build::client_id("n1")),
        ..node.message(a, b, "hello", PATIENCE)
    };
    two.send(a, b, "warm");
    let first = one.append(named(&one)).unwrap();
    let repeat = two.append(named(&two)).unwrap();
    assert!(!first.repeated && repeat.repeated);
    assert_eq!(first.message, repeat.message);
    assert_eq!(two.told(a, b).len(), 1, "a repeat is not told");
    assert_eq!(two.send(a, b, "next").seq, 3);
}

#[test]
fn the_same_message_sent_to_two_nodes_at_once_is_stored_once() {
    let database = TestDatabase::new();
    let nodes = nodes(&database);
    let (a, b) = pair();
    for round in 0..10 {
        let name = format!("n{round}");
        let answers: Vec<_> = std::thread::scope(|threads| {
            let send = |node: &Node| {
                let message = node.message(a, b, "hello", PATIENCE);
                node.append(NewMessage { client_id: Some(build::client_id(&name)), ..message }).unwrap()
            };
            let begun: Vec<_> = nodes.iter().map(|node| threads.spawn(move || send(node))).collect();
            begun.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(answers[0].message, answers[1].message);
        assert_eq!(answers.iter().filter(|answer| answer.repeated).count(), 1);
    }
    assert_eq!(nodes.iter().map(|node| node.told(a, b).len()).sum::<usize>(), 10);
}

#[test]
fn what_one_node_deleted_the_other_edits_no_more() {
    let database = TestDatabase::new();
    let [one, two] = nodes(&database);
    let (a, b) = pair();
    let sent = one.send(a, b, "hello");
    let Receipt { message, at, deadline, .. } = one.reading(b, &sent);
    let edit = |node: &Node, text| {
        block_on(node.store.edit(Edit { message, text: build::text(text), at, deadline })).unwrap()
    };
    assert_eq!(edit(&two, "other").unwrap().text, "other");
    let deleted = block_on(two.store.delete(Delete { message, at, deadline })).unwrap().unwrap();
    assert_eq!(edit(&one, "too late"), None);
    let again = block_on(one.store.delete(Delete { message, at, deadline })).unwrap().unwrap();
    assert_eq!(again, deleted);
    assert_eq!(block_on(Messages::find(&*one.store, message)).unwrap(), Some(deleted));
}
