//! Receipts, edits and deletions that MongoDB has carried out, and nobody learned so in time.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use bson::{doc, oid::ObjectId};
use chat_mongo_testkit::{Answer, block_on as on_driver, until};
use chat_ports::{
    Clock, Commit, Delete, Edit, MessageLog, Receipt, ReceiptKind, ReplayQuery, Replays, StoreError,
    StoreHealth,
    model::{ConversationId, Message, UserId},
};
use chat_testkit::build;
use futures_executor::block_on;

use super::{
    World,
    support::{Node, PATIENCE, SystemClock},
};

const OPERATION: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_millis(500);

/// In which what was given up is looked for more than once.
const LOOKS: Duration = Duration::from_secs(3);

/// Whether it holds for so long.
fn stays(time: Duration, holds: impl Fn() -> bool) -> bool {
    !until(time, || !holds())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Delivered,
    Read,
    Edited,
    Deleted,
}

const KINDS: [Kind; 4] = [Kind::Delivered, Kind::Read, Kind::Edited, Kind::Deleted];

impl Kind {
    fn users(self) -> (UserId, UserId) {
        (UserId::from_bytes([10 + self as u8; 12]), UserId::from_bytes([20; 12]))
    }

    /// What tells in a document that it is done.
    const fn field(self) -> &'static str {
        match self {
            Self::Delivered => "deliveredAt",
            Self::Read => "readAt",
            Self::Edited => "editedAt",
            Self::Deleted => "deletedAt",
        }
    }

    fn carry_out(self, node: &Node, message: &Message, deadline: Instant) -> Result<(), StoreError> {
        let reading = Receipt { deadline, ..node.reading(message.receiver, message) };
        let (message, at) = (message.id, reading.at);
        match self {
            Self::Delivered => {
                let delivery = Receipt { kind: ReceiptKind::Delivered, ..reading };
                block_on(node.store.receipt(delivery)).map(drop)
            }
            Self::Read => block_on(node.store.receipt(reading)).map(drop),
            Self::Edited => {
                let edit = Edit { message, text: build::text("other"), at, deadline };
                block_on(node.store.edit(edit)).map(drop)
            }
            Self::Deleted => block_on(node.store.delete(Delete { message, at, deadline })).map(drop),
        }
    }

    /// Of how many of these messages a commit tells so.
    fn told(self, commit: &Commit, sent: &[Arc<Message>]) -> usize {
        let is_ours = |id| sent.iter().any(|message| message.id == id);
        match (self, commit) {
            (Self::Delivered, Commit::Receipt { kind: ReceiptKind::Delivered, span, .. })
            | (Self::Read, Commit::Receipt { kind: ReceiptKind::Read, span, .. }) => {
                assert_eq!(span.count, span.messages.len() as u64);
                span.messages.iter().filter(|id| is_ours(**id)).count()
            }
            (Self::Edited, Commit::Edited { message }) if is_ours(message.id) => {
                assert_eq!(message.text, "other");
                1
            }
            (Self::Deleted, Commit::Deleted { message }) if is_ours(message.id) => {
                assert!(message.is_deleted());
                1
            }
            (Self::Delivered | Self::Read | Self::Edited | Self::Deleted, _) => 0,
        }
    }
}

impl World {
    fn has(&self, message: &Message, field: &str) -> bool {
        let messages = self.database.driver().collection::<bson::Document>("messages");
        let filter = doc! { "_id": ObjectId::from_bytes(message.id.bytes()), field: { "$exists": true } };
        on_driver(async move { messages.find_one(filter).await }).unwrap().is_some()
    }

    /// How often each kind was told.
    fn told(&self, sent: &[[Arc<Message>; 2]]) -> Vec<usize> {
        let commits = self.node.commits.commits();
        let told =
            |(kind, sent): (&Kind, &[_; 2])| commits.iter().map(|commit| kind.told(commit, sent)).sum();
        KINDS.iter().zip(sent).map(told).collect()
    }

    /// Two messages of each kind's conversation of which the lanes have given up a change that MongoDB has carried out.
    fn give_up(&self) -> Vec<[Arc<Message>; 2]> {
        let send = |kind: Kind| {
            let (a, b) = kind.users();
            ["one", "two"].map(|text| self.node.send(a, b, text))
        };
        let sent: Vec<_> = KINDS.into_iter().map(send).collect();
        self.node.commits.take();
        self.proxy.answer("update messages", KINDS.len(), Answer::Swallow);
        thread::scope(|threads| {
            for (kind, sent) in KINDS.into_iter().zip(&sent) {
                threads.spawn(move || {
                    let deadline = SystemClock(0).instant() + DEADLINE;
                    let error = kind.carry_out(&self.node, &sent[1], deadline).unwrap_err();
                    assert!(matches!(error, StoreError::Timeout), "{kind:?}: {error}");
                });
            }
        });
        self.proxy.refuse();
        for (kind, sent) in KINDS.into_iter().zip(&sent) {
            assert!(until(PATIENCE, || self.has(&sent[1], kind.field())), "{kind:?}");
        }
        // Each lane goes on until its deadline and one operation more, and its last operation until then.
        assert!(stays(DEADLINE + OPERATION * 3, || self.told(&sent) == [0; 4]), "nobody knows yet");
        self.proxy.resume();
        assert!(until(PATIENCE, || block_on(self.node.store.check()).is_ok()));
        sent
    }
}

fn world() -> World {
    World::new(|options| {
        options.operation_timeout = OPERATION;
        // So that none waits for another.
        options.lanes = 64;
    })
}

#[test]
fn what_was_given_up_and_is_stored_is_told_once_when_the_store_answers_again() {
    let world = world();
    let before = world.node.store.numbering().unwrap().last;
    let sent = world.give_up();
    assert!(until(PATIENCE, || world.told(&sent) == [2, 2, 1, 1]), "{:?}", world.told(&sent));
    for (kind, sent) in KINDS.into_iter().zip(&sent) {
        let repeated = kind.carry_out(&world.node, &sent[1], SystemClock(0).instant() + PATIENCE);
        repeated.unwrap();
    }
    // Editing again is another edit.
    assert!(until(PATIENCE, || world.told(&sent) == [2, 2, 2, 1]), "{:?}", world.told(&sent));
    assert!(stays(LOOKS, || world.told(&sent) == [2, 2, 2, 1]), "{:?}", world.told(&sent));
    let told = world.node.commits.numbered();
    assert!(told.iter().all(|told| told.number.unwrap().0 & 1 == 1), "none is exact: {told:?}");
    let upto = world.node.store.numbering().unwrap().last;
    let query = ReplayQuery { user: Kind::Read.users().0, after: before, upto, most: 100, max_ids: 100 };
    assert_eq!(block_on(world.node.store.replay(query)).unwrap(), None);
}

#[test]
fn a_repeat_of_what_was_given_up_neither_doubles_nor_swallows_it() {
    let world = world();
    let sent = world.give_up();
    for (kind, sent) in KINDS.into_iter().zip(&sent) {
        let repeated = kind.carry_out(&world.node, &sent[1], SystemClock(0).instant() + PATIENCE);
        repeated.unwrap();
    }
    let is_told = |told: Vec<usize>| told[0] == 2 && told[1] == 2 && told[2] > 0 && told[3] == 1;
    assert!(until(PATIENCE, || is_told(world.told(&sent))), "{:?}", world.told(&sent));
    assert!(stays(LOOKS, || is_told(world.told(&sent))), "{:?}", world.told(&sent));
    let edits: Vec<_> = world.node.commits.take().into_iter().filter_map(edited_at).collect();
    assert!(edits.is_sorted_by(|one, two| one < two), "each edit once: {edits:?}");
}

fn edited_at(commit: Commit) -> Option<i64> {
    let Commit::Edited { message } = commit else { return None };
    let (a, b) = Kind::Edited.users();
    assert_eq!(message.conversation(), ConversationId::between(a, b));
    message.edited_at.map(|at| at.millis())
}

#[test]
fn what_was_given_up_and_is_not_stored_is_not_told_until_a_repeat_does_it() {
    let world = world();
    let (a, b) = Kind::Read.users();
    let sent = world.node.send(a, b, "hello");
    world.node.commits.take();
    world.proxy.answer("update messages", 1, Answer::CutBefore);
    let refused = doc! { "ok": 0.0, "code": 2, "codeName": "BadValue", "errmsg": "test" };
    world.proxy.answer("aggregate messages", 1, Answer::Instead(refused));
    block_on(world.node.store.receipt(world.node.reading(b, &sent))).unwrap_err();
    assert!(stays(LOOKS, || world.node.commits.commits().is_empty()));
    let read = block_on(world.node.store.receipt(world.node.reading(b, &sent))).unwrap().unwrap();
    assert_eq!(read.messages, [sent.id]);
    assert!(until(PATIENCE, || world.node.commits.commits().len() == 1));
    assert!(stays(LOOKS, || world.node.commits.commits().len() == 1));
}
