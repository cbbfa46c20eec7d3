//! Bugs below the chat, to be planted one at a time: in the store, and on the way from it to the devices.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chat_domain::{
    model::{ClientId, Limits, Message, MessageId, UserId},
    ports::{Commit, Committed, ReceiptKind},
};
use chat_verify::Kind;
use parking_lot::Mutex;

use crate::disk::Change;

/// What is wrong with a store, a bus or a hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A kill takes what was written last, also where it was acknowledged.
    LostByKill,
    /// A commit is told twice.
    ToldTwice,
    /// What was written as one is told in reverse.
    ToldInReverse,
    /// A commit is not told.
    NotTold,
    /// The sending socket is told as well.
    ToldToSender,
    /// Everybody is told.
    ToldToStrangers,
    /// A name of a message is known for its first copy only.
    NameForgotten,
    /// The same name is taken for another text.
    OtherTextTaken,
    /// `sync` leaves messages out.
    SkippedInSync,
    /// An edit takes the receipts with it.
    MarksLostByEdit,
    /// The text of a deleted message is kept and shown.
    DeletedTextShown,
    /// An edit is shown for what it replaced.
    EditLost,
    /// A block is acknowledged before it holds.
    BlockAnsweredEarly,
    /// A number of a conversation is left out.
    NumberSkipped,
    /// A receipt is given for all messages, also for later ones.
    ReceiptTooFar,
    /// A receipt is kept for its own message only.
    ReceiptTooShort,
}

/// Every bug, and as what it may be found.
pub(crate) const BUGS: [(Bug, &[Kind]); 16] = [
    (Bug::LostByKill, &[Kind::Lost, Kind::Doubled, Kind::Reordered, Kind::Differs]),
    (Bug::ToldTwice, &[Kind::Doubled]),
    (Bug::ToldInReverse, &[Kind::Reordered]),
    (Bug::NotTold, &[Kind::Lost, Kind::Differs, Kind::Backwards]),
    (Bug::ToldToSender, &[Kind::Doubled]),
    (Bug::ToldToStrangers, &[Kind::Answer]),
    (Bug::NameForgotten, &[Kind::Doubled]),
    (Bug::OtherTextTaken, &[Kind::Doubled, Kind::Answer]),
    (Bug::SkippedInSync, &[Kind::Lost, Kind::Differs, Kind::Backwards]),
    (Bug::MarksLostByEdit, &[Kind::Backwards]),
    (Bug::DeletedTextShown, &[Kind::Resurrected]),
    (Bug::EditLost, &[Kind::Lost, Kind::Differs]),
    (Bug::BlockAnsweredEarly, &[Kind::Unblocked]),
    (Bug::NumberSkipped, &[Kind::Reordered]),
    (Bug::ReceiptTooFar, &[Kind::Backwards]),
    (Bug::ReceiptTooShort, &[Kind::Backwards]),
];

/// A bug at work, or none.
pub(crate) struct Flaw {
    bug: Option<Bug>,
    met: AtomicU64,
    // Short, never held across an await.
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// How often each name was used.
    names: BTreeMap<(UserId, UserId, String), u64>,
    /// By whom and to whom each message is, and the newest between two.
    ways: BTreeMap<MessageId, (UserId, UserId)>,
    newest: BTreeMap<(UserId, UserId), MessageId>,
    /// Messages that were named in readings.
    named: BTreeSet<MessageId>,
    /// Texts as they were first.
    texts: BTreeMap<MessageId, String>,
}

/// Between a name and what makes another one of it.
const MARK: char = '#';

impl Flaw {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, met: AtomicU64::new(0), memory: Mutex::default() }
    }

    pub(crate) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// Whether it shows this time: not always, as bugs are.
    pub(crate) fn now(&self) -> bool {
        self.met.fetch_add(1, Ordering::Relaxed) % 4 == 3
    }

    /// What is written instead of a change.
    pub(crate) fn change(&self, mut change: Change) -> Change {
        let mut memory = self.memory.lock();
        match &mut change {
            Change::Append(message) if self.bug.is_some() => {
                let way = (message.sender, message.receiver);
                memory.ways.insert(message.id, way);
                memory.newest.insert(way, message.id);
                memory.texts.insert(message.id, message.text.as_str().to_owned());
                message.client_id = message.client_id.take().map(|name| {
                    let used = memory.names.entry((way.0, way.1, name.as_str().to_owned())).or_default();
                    *used += 1;
                    self.rename(name, *used, message.text.as_str().len())
                });
            }
            Change::Receipt(receipt) if self.is(Bug::ReceiptTooFar) => {
                let newest = memory.ways.get(&receipt.message).and_then(|way| memory.newest.get(way));
                receipt.message = newest.copied().unwrap_or(receipt.message);
            }
            Change::Receipt(receipt) if receipt.kind == ReceiptKind::Read => {
                memory.named.insert(receipt.message);
            }
            Change::Append(_)
            | Change::Receipt(_)
            | Change::Edit(_)
            | Change::Delete(_)
            | Change::Block(_) => {}
        }
        drop(memory);
        change
    }

    fn rename(&self, name: ClientId, used: u64, length: usize) -> ClientId {
        let other = match self.bug {
            Some(Bug::NameForgotten) => format!("{}{MARK}{used}", name.as_str()),
            Some(Bug::OtherTextTaken) => format!("{}{MARK}{length}", name.as_str()),
            _ => return name,
        };
        ClientId::parse(other, &Limits::default()).unwrap()
    }

    /// What is read and told instead of a message.
    pub(crate) fn show(&self, message: Arc<Message>) -> Arc<Message> {
        if self.bug.is_none() {
            return message;
        }
        let memory = self.memory.lock();
        let first = || memory.texts.get(&message.id).cloned().unwrap_or_default();
        let mut shown = Message::clone(&message);
        if self.is(Bug::NameForgotten) || self.is(Bug::OtherTextTaken) {
            let name = message.client_id.as_deref().and_then(|name| name.split(MARK).next());
            shown.client_id = name.map(str::to_owned);
        }
        if self.is(Bug::MarksLostByEdit) && message.edited_at.is_some() {
            (shown.read_at, shown.delivered_at) = (None, None);
        }
        if self.is(Bug::EditLost) && message.edited_at.is_some() {
            (shown.text, shown.edited_at) = (first(), None);
        }
        if self.is(Bug::DeletedTextShown) && message.is_deleted() {
            shown.text = first();
        }
        if self.is(Bug::NumberSkipped) {
            shown.seq += u64::from(message.seq > 3);
        }
        if self.is(Bug::ReceiptTooShort) && !memory.named.contains(&message.id) {
            shown.read_at = None;
        }
        Arc::new(shown)
    }

    /// How commits are told that were written as one: call by call.
    pub(crate) fn tell(&self, commits: Vec<Committed>) -> Vec<Vec<Committed>> {
        let mut commits: Vec<_> = commits.into_iter().map(|committed| self.committed(committed)).collect();
        match self.bug {
            Some(Bug::ToldTwice) if self.now() => vec![commits.clone(), commits],
            Some(Bug::NotTold) if self.now() => Vec::new(),
            Some(Bug::ToldInReverse) => {
                commits.reverse();
                vec![commits]
            }
            _ => vec![commits],
        }
    }

    fn committed(&self, mut committed: Committed) -> Committed {
        match &mut committed.commit {
            Commit::Sent { message, except } => {
                except.take_if(|_| self.is(Bug::ToldToSender));
                *message = self.show(Arc::clone(message));
            }
            Commit::Edited { message } | Commit::Deleted { message } => {
                *message = self.show(Arc::clone(message));
            }
            Commit::Receipt { .. } | _ => {}
        }
        committed
    }
}
