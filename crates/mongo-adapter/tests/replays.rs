//! Commits told again are those that were told past a number, whatever was on its way beside it, also after a restart.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test can't do fails it")]

#[expect(dead_code, reason = "each binary of tests uses another part of it")]
#[path = "support/node.rs"]
mod support;

use std::{collections::BTreeSet, sync::Arc, thread};

use chat_mongo_testkit::TestDatabase;
use chat_ports::{
    Commit, CommitNumber, Committed, Delete, Edit, MessageLog, Receipt, ReceiptKind, ReplayQuery, Replays,
    model::{Message, MessageId, UserId},
};
use chat_testkit::{SequentialIds, build};
use futures_executor::block_on;
use futures_util::future::join_all;
use support::{Node, PATIENCE, options};

/// As many bits of a number as its reader may use to count what is told of one commit.
const PARTS: u32 = 20;

fn user(number: u8) -> UserId {
    UserId::from_bytes([number; 12])
}

/// What a device makes of a part of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Heard {
    Sent(MessageId),
    Delivered(MessageId),
    Read(MessageId),
    Edited(MessageId),
    Deleted(MessageId),
}

/// What of a commit a user's devices hear, one after the other.
fn parts(commit: &Commit, user: UserId) -> Vec<Heard> {
    match commit {
        Commit::Sent { message, .. } if concerns(message, user) => vec![Heard::Sent(message.id)],
        Commit::Edited { message } if concerns(message, user) => vec![Heard::Edited(message.id)],
        Commit::Deleted { message } if concerns(message, user) => vec![Heard::Deleted(message.id)],
        Commit::Receipt { kind: ReceiptKind::Delivered, span, .. } if span.sender == user => {
            span.messages.iter().map(|id| Heard::Delivered(*id)).collect()
        }
        Commit::Receipt { kind: ReceiptKind::Read, receiver, span, .. }
            if [span.sender, *receiver].contains(&user) =>
        {
            span.messages.iter().map(|id| Heard::Read(*id)).collect()
        }
        Commit::Sent { .. } | Commit::Receipt { .. } | Commit::Edited { .. } | Commit::Deleted { .. } | _ => {
            Vec::new()
        }
    }
}

fn concerns(message: &Message, user: UserId) -> bool {
    [message.sender, message.receiver].contains(&user)
}

/// What a user's devices heard, each with its number, as whoever delivers commits counts them.
fn heard(told: &[Committed], user: UserId) -> Vec<(u64, Heard)> {
    let (mut last, mut heard) = (0, Vec::new());
    for Committed { commit, number } in told {
        let first = number.unwrap().0 << PARTS;
        let all = match commit {
            Commit::Receipt { span, .. } => span.messages.len() as u64,
            Commit::Sent { .. } | Commit::Edited { .. } | Commit::Deleted { .. } | _ => 1,
        };
        let parts = parts(commit, user);
        let from = first.max(last + 1);
        last = from + all - 1;
        heard.extend((from..).zip(parts));
    }
    heard
}

/// What is still to be told to one who has heard so much.
fn missing(heard: &[(u64, Heard)], known: usize) -> BTreeSet<Heard> {
    let rest: Vec<_> = heard[known..].iter().map(|(_, heard)| *heard).collect();
    let everything: BTreeSet<_> = heard.iter().map(|(_, heard)| *heard).collect();
    let is_overtaken = |heard: &Heard| {
        matches!(heard, Heard::Edited(id)
            if rest.contains(&Heard::Sent(*id)) || everything.contains(&Heard::Deleted(*id)))
    };
    rest.iter().filter(|heard| !is_overtaken(heard)).copied().collect()
}

/// What is told again to one whose last number is this; nothing where that is not known.
fn again(node: &Node, user: UserId, known: u64) -> Option<Vec<Heard>> {
    let query = ReplayQuery {
        user,
        after: CommitNumber(known >> PARTS),
        upto: node.store.numbering().unwrap().last,
        most: 1_000,
        max_ids: 100,
    };
    let replay = block_on(node.store.replay(query)).unwrap()?;
    let parts = replay.commits.iter().flat_map(|Committed { commit, number }| {
        (number.unwrap().0 << PARTS..).zip(parts(commit, user)).collect::<Vec<_>>()
    });
    Some(parts.filter(|(number, _)| *number > known).map(|(_, heard)| heard).collect())
}

/// Things that happen in a conversation, by chance, several at once.
fn live(node: &Node, (a, b): (UserId, UserId), mut chance: u64) {
    let mut pick = move |n: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % n
    };
    let mut sent: Vec<Arc<Message>> = Vec::new();
    for _ in 0..14 {
        let (from, to) = if pick(2) == 0 { (a, b) } else { (b, a) };
        let messages = (0..=pick(4)).map(|_| node.store.append(node.message(from, to, "hello", PATIENCE)));
        sent.extend(block_on(join_all(messages)).into_iter().map(|appended| appended.unwrap().message));
        let message = Arc::clone(&sent[usize::try_from(pick(sent.len() as u64)).unwrap()]);
        let (at, deadline) = (node.reading(a, &message).at, node.reading(a, &message).deadline);
        let kind = if pick(2) == 0 { ReceiptKind::Delivered } else { ReceiptKind::Read };
        match pick(4) {
            0 => drop(block_on(node.store.edit(Edit {
                message: message.id,
                text: build::text("other"),
                at,
                deadline,
            }))),
            1 => drop(block_on(node.store.delete(Delete { message: message.id, at, deadline }))),
            _ => {
                let receipt = Receipt { kind, ..node.reading(message.receiver, &message) };
                block_on(node.store.receipt(receipt)).unwrap();
            }
        }
    }
}

#[test]
fn what_is_told_again_is_what_was_told_past_a_number() {
    let database = TestDatabase::new();
    let ids = Arc::new(SequentialIds::new());
    let node = Node::open(options(database.uri()), &ids);
    let begin = node.store.numbering().unwrap().last;
    thread::scope(|scope| {
        for (pair, chance) in [(1, 2), (2, 3), (3, 1), (1, 4)].into_iter().zip(1..) {
            let node = &node;
            scope.spawn(move || live(node, (user(pair.0), user(pair.1)), chance));
        }
    });
    let told = node.commits.numbered();
    assert!(told.is_sorted_by_key(|committed| committed.number) && told[0].number.unwrap() > begin);

    let check = |node: &Node, step: usize| {
        let (mut exact, mut all) = (0, 0);
        for me in (1..=4).map(user) {
            let heard = heard(&told, me);
            let before = ((begin.0 + 1) << PARTS) - 1;
            let numbers = [before].into_iter().chain(heard.iter().map(|(number, _)| *number));
            for (known, number) in numbers.enumerate().step_by(step) {
                all += 1;
                let Some(again) = again(node, me, number) else { continue };
                exact += 1;
                let set: BTreeSet<_> = again.iter().copied().collect();
                assert_eq!(set.len(), again.len(), "nothing is told twice");
                assert_eq!(set, missing(&heard, known), "user {me} who knows {known} events, up to {number}");
            }
        }
        assert!(exact * 4 > all, "{exact} of {all} numbers are exact");
    };
    check(&node, 1);
    drop(node);
    check(&Node::open(options(database.uri()), &ids), 7);
}

#[test]
fn numbers_of_another_life_or_of_the_future_are_not_known() {
    let database = TestDatabase::new();
    let ids = Arc::new(SequentialIds::new());
    let node = Node::open(options(database.uri()), &ids);
    let first = node.store.numbering().unwrap();
    node.send(user(1), user(2), "hello");
    let last = node.commits.numbered()[0].number.unwrap();
    assert!(node.store.is_settled(user(1), last) && !node.store.is_settled(user(1), first.last));
    let replay = |node: &Node, after, most| {
        let query = ReplayQuery { user: user(2), after, upto: last, most, max_ids: 100 };
        block_on(node.store.replay(query)).unwrap().map(|replay| replay.commits.len())
    };
    assert_eq!(replay(&node, first.last, 10), Some(1));
    assert_eq!(replay(&node, first.last, 0), None, "more than was asked for");
    assert_eq!(replay(&node, CommitNumber(last.0 + 2), 10), None);
    let again = Node::open(options(database.uri()), &ids);
    let numbering = again.store.numbering().unwrap();
    assert_eq!(numbering.life, first.life);
    assert!(numbering.last > last, "no number is given out twice");
    assert_eq!(replay(&again, last, 10), Some(0));
}
