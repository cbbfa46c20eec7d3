//! Changes that were given up while nobody knew whether they are stored. They are looked for by the numbers under which they
//! were tried, and told where they are found.
//!
//! A lane looks between its changes, so what follows in a conversation never meets a look halfway. A repeat has nothing to do with
//! it: what it finds done bears the number of the first try, and is told for that; what it does itself bears its own.

use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    slice,
    sync::Arc,
    time::{Duration, Instant},
};

use bson::{Document, RawDocumentBuf, doc};
use chat_ports::{
    Commit, ReceiptKind, ReceiptSpan,
    model::{ConversationId, Message, MessageId, UserId},
};

use super::marking::newest;
use crate::{
    commits::Stamp,
    connection::Collections,
    documents::{Numbers, long, object_id, read_message, receipt_number},
    error::Fault,
    late,
    store::Inner,
};

/// How often they are looked for.
const PERIOD: Duration = Duration::from_secs(1);
/// For how long at least: an update that was sent comes earlier or never. Past it one look more decides, when MongoDB answers.
const KEPT: Duration = Duration::from_secs(60);
/// Most of one lane. Each has held its lane for as long as one operation may take, so there are hardly ever more than a few;
/// past it the lane refuses changes, because nobody would be told of another one.
const MOST: usize = 64;

/// The numbers under which a change was tried without its outcome becoming known: from the first to the last.
#[derive(Debug, Default)]
pub(super) struct Tried(Option<RangeInclusive<u64>>);

impl Tried {
    pub(super) fn add(&mut self, number: u64) {
        let first = self.0.as_ref().map_or(number, |tried| *tried.start());
        self.0 = Some(first..=number);
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.0.as_ref().map(|tried| *tried.end())
    }

    /// What is to be looked for, unless the outcome of every try is known.
    pub(super) fn doubtful(self, change: impl FnOnce() -> Change) -> Option<Doubtful> {
        Some(Doubtful { numbers: self.0?, change: change(), renewed: None })
    }
}

/// What may be stored.
pub(super) enum Change {
    Receipt {
        kind: ReceiptKind,
        receiver: UserId,
        conversation: ConversationId,
        /// Finds the messages that have the mark of this time.
        marked: Document,
        max_ids: u32,
        /// Those that are found and not told yet.
        found: Vec<MessageId>,
    },
    Edit(MessageId),
    Delete(MessageId),
}

/// A change that may be stored, or become so.
pub(super) struct Doubtful {
    change: Change,
    numbers: RangeInclusive<u64>,
    /// The number under which it is to be told. Documents may bear it already.
    renewed: Option<u64>,
}

/// Those of one lane.
#[derive(Default)]
pub(super) struct Doubts {
    entries: VecDeque<(Doubtful, Instant)>,
    next: Option<Instant>,
}

impl Doubts {
    pub(super) fn keep(&mut self, doubtful: Option<Doubtful>, now: Instant) {
        if let Some(doubtful) = doubtful {
            self.entries.push_back((doubtful, now + KEPT));
            self.next.get_or_insert(now + PERIOD);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= MOST
    }

    /// When they are to be looked for; never while there are none.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.next
    }

    /// Looks for each of them.
    pub(super) async fn look(&mut self, inner: &Inner) {
        match inner.gate.pass().cloned() {
            Ok(collections) => self.look_in(inner, &collections).await,
            Err(_away) => self.prolong(inner),
        }
        self.next = (!self.entries.is_empty()).then(|| inner.clock.instant() + PERIOD);
    }

    async fn look_in(&mut self, inner: &Inner, collections: &Collections) {
        for _ in 0..self.entries.len() {
            let Some((mut doubtful, until)) = self.entries.pop_front() else { return };
            let may_come = inner.clock.instant() < until;
            match doubtful.look(inner, collections).await {
                Ok(is_settled) if is_settled || !may_come => {}
                Ok(_) => self.entries.push_back((doubtful, until)),
                Err(fault) if is_lasting(&fault) && !may_come => {
                    tracing::warn!("it stays unknown what became of a change: {fault}");
                }
                Err(fault) => {
                    inner.observe(&fault);
                    tracing::debug!("it was not found out what became of a change: {fault}");
                    self.entries.push_back((doubtful, until));
                    return self.prolong(inner);
                }
            }
        }
    }

    /// As long as it can't be looked for, no number is exact.
    fn prolong(&self, inner: &Inner) {
        if !self.entries.is_empty() {
            inner.commits.prolong(inner.clock.instant());
        }
    }
}

/// Whether another look would fail as well.
fn is_lasting(fault: &Fault) -> bool {
    fault.is_refusal() || matches!(fault, Fault::Store(_) | Fault::Answer(_))
}

impl Doubtful {
    /// Tells what is found, at read concern majority. Whether nothing more can come.
    async fn look(&mut self, inner: &Inner, collections: &Collections) -> Result<bool, Fault> {
        match self.change {
            Change::Receipt { .. } => {
                while let Some(commit) = self.marked(collections).await? {
                    self.tell(inner, collections, commit).await?;
                }
                // An update of many may be halfway.
                Ok(false)
            }
            Change::Edit(id) | Change::Delete(id) => {
                let Some((message, number)) = self.revised(collections, id).await? else { return Ok(true) };
                let is_deleted = message.is_deleted();
                let is_ours = number
                    .is_some_and(|number| self.numbers.contains(&number) || self.renewed == Some(number));
                let message = Arc::new(message);
                let commit = if !is_ours {
                    None
                } else if matches!(self.change, Change::Delete(_)) {
                    Some(Commit::Deleted { message })
                } else {
                    (!is_deleted).then_some(Commit::Edited { message })
                };
                // What is deleted changes no more.
                let Some(commit) = commit else { return Ok(is_deleted) };
                self.tell(inner, collections, commit).await.map(|()| true)
            }
        }
    }

    /// The next messages that have the mark under one of the numbers and are not told yet.
    async fn marked(&mut self, collections: &Collections) -> Result<Option<Commit>, Fault> {
        let Change::Receipt { kind, receiver, conversation, marked, max_ids, found } = &mut self.change
        else {
            return Ok(None);
        };
        if found.is_empty() {
            let (first, last) = (long(*self.numbers.start()), long(*self.numbers.end()));
            let mut ours = marked.clone();
            ours.insert(receipt_number(*kind), doc! { "$gte": first, "$lte": last });
            *found = newest(collections, &ours, (*max_ids).max(1)).await?;
        }
        if found.is_empty() {
            return Ok(None);
        }
        let (conversation, sender) = (*conversation, conversation.other(*receiver));
        let span = ReceiptSpan { conversation, sender, count: found.len() as u64, messages: found.clone() };
        // Who asked was answered with an error, and is told like everybody.
        Ok(Some(Commit::Receipt { kind: *kind, receiver: *receiver, span, except: None }))
    }

    /// A message, and the number of its last change of this kind.
    async fn revised(
        &self,
        collections: &Collections,
        id: MessageId,
    ) -> Result<Option<(Message, Option<u64>)>, Fault> {
        let filter = doc! { "_id": object_id(id.0), "seq": { "$gt": 0 } };
        let found = collections.messages.find_one(filter).max_time(collections.operation_timeout);
        let document: Option<RawDocumentBuf> = collections.limit(found).await?;
        let Some(document) = document else { return Ok(None) };
        let Numbers { edited, deleted, .. } = Numbers::of(&document);
        let number = if matches!(self.change, Change::Delete(_)) { deleted } else { edited };
        Ok(Some((read_message(&document)?.message, number)))
    }

    /// Tells a commit, once its documents bear the number and the time of now: readers may have passed their own.
    async fn tell(&mut self, inner: &Inner, collections: &Collections, commit: Commit) -> Result<(), Fault> {
        let Stamp { number, changed_at } = inner.stamp_in_doubt();
        let number = *self.renewed.get_or_insert(number);
        late::renew(collections, slice::from_ref(&commit), Stamp { number, changed_at }).await?;
        self.renewed = None;
        if let Change::Receipt { found, .. } = &mut self.change {
            found.clear();
        }
        inner.tell(vec![(commit, number)]);
        Ok(())
    }
}
