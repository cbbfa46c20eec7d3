//! Numbers one conversation: step by step, each bounded, in the order of timestamp, then `_id`, after what
//! is numbered already.

use bson::{DateTime, Document, doc, oid::ObjectId};
use chat_ports::model::{ConversationId, MessageId, ObjectId as Id, Timestamp};
use mongodb::options::Hint;

use super::{
    judge::{Unnumbered, Verdict, judge},
    messages::fit,
};
use crate::{
    bulk::{self, Durability, Outcome},
    connection::Collections,
    conversations::{Last, primary_clock},
    documents::binary_key,
    error::Fault,
};

/// Messages that are in memory at once, of one conversation.
const CHUNK: i64 = 100;
/// How often a step may come to nothing because others write, before the rest is left for the next run.
const ATTEMPTS: u32 = 10;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) numbered: u64,
    /// How many got a timestamp before.
    pub(super) dated: u64,
}

impl Tally {
    pub(super) const fn add(&mut self, other: Self) {
        self.numbered += other.numbered;
        self.dated += other.dated;
    }
}

/// A conversation that is being numbered.
pub(super) struct Numbering {
    collections: Collections,
    keys: Document,
    conversation: ConversationId,
    /// Only what has a date is looked at: something else stands in its way.
    dated_only: bool,
    attempts: u32,
    last: Option<Last>,
    tally: Tally,
}

impl Numbering {
    /// `keys` are those of an index that begins with `conversation`.
    pub(super) const fn new(collections: Collections, keys: Document, conversation: ConversationId) -> Self {
        let tally = Tally { numbered: 0, dated: 0 };
        Self { collections, keys, conversation, dated_only: false, attempts: 0, last: None, tally }
    }

    /// What was done since this was asked before.
    pub(super) const fn take_tally(&mut self) -> Tally {
        let tally = self.tally;
        self.tally = Tally { numbered: 0, dated: 0 };
        tally
    }

    /// The conversation's last message, if it was numbered here.
    pub(super) fn last(&self) -> Option<(ConversationId, Last)> {
        self.last.map(|last| (self.conversation, last))
    }

    /// Numbers some messages. Whether there may be more.
    pub(super) async fn step(&mut self) -> Result<bool, Fault> {
        let Chunk { fit, undated, odd } = self.chunk().await?;
        if !undated.is_empty() {
            // They stand first, and not where their dates will put them.
            self.tally.dated += self.date(undated).await?;
            return Ok(true);
        }
        if odd && !self.dated_only {
            self.dated_only = true;
            return Ok(true);
        }
        if fit.is_empty() {
            return Ok(false);
        }
        let before = highest(&self.collections, &self.conversation).await?;
        let now = primary_clock(&self.collections).await?;
        let numbered: Vec<_> = fit.into_iter().zip(before + 1..).collect();
        let statements = numbered.iter().map(|(message, seq)| self.statement(message, *seq, now)).collect();
        let outcome =
            bulk::update(&self.collections, "messages", statements, true, Durability::Majority).await?;
        self.settle(&numbered, &outcome).await
    }

    /// The first ones without a number.
    async fn chunk(&self) -> Result<Chunk, Fault> {
        let (low, high) = self.conversation.users();
        let [low, high] = [low, high].map(|user| ObjectId::from_bytes(user.bytes()));
        let mut branches = vec![self.branch(low, high)];
        if low != high {
            branches.push(self.branch(high, low));
        }
        let messages = self
            .collections
            .messages
            .find(doc! { "$or": branches })
            .hint(Hint::Keys(self.keys.clone()))
            .sort(doc! { "timestamp": 1, "_id": 1 })
            .projection(doc! { "sender": 1, "receiver": 1, "timestamp": 1, "isRead": 1 })
            .limit(CHUNK);
        let mut cursor = messages.await?;
        let mut chunk = Chunk::default();
        while cursor.advance().await? {
            match judge(cursor.current()) {
                Verdict::Fit(message) => chunk.fit.push(message),
                Verdict::Undated(id) => chunk.undated.push(id),
                Verdict::Odd(_) => chunk.odd = true,
            }
        }
        Ok(chunk)
    }

    fn branch(&self, sender: ObjectId, receiver: ObjectId) -> Document {
        let mut branch = fit();
        branch.insert("conversation", bson::Bson::Null);
        branch.insert("sender", sender);
        branch.insert("receiver", receiver);
        if self.dated_only {
            branch.insert("timestamp", doc! { "$type": "date" });
        }
        branch
    }

    /// Gives messages the time that their ids tell.
    async fn date(&self, undated: Vec<ObjectId>) -> Result<u64, Fault> {
        let statements = undated.into_iter().map(|id| {
            let set = doc! { "$set": { "timestamp": id.timestamp() } };
            bulk::statement(doc! { "_id": id, "timestamp": null }, set)
        });
        let statements = statements.collect();
        let outcome =
            bulk::update(&self.collections, "messages", statements, true, Durability::Majority).await?;
        Ok(outcome.matched as u64)
    }

    fn statement(&self, message: &Unnumbered, seq: i64, now: DateTime) -> Document {
        let dedup = format!("{}:i:{}", message.sender, message.id);
        let mut set = doc! {
            "conversation": binary_key(&self.conversation),
            "seq": seq,
            "dedup": dedup,
            "changedAt": now,
        };
        if !message.has_is_read {
            set.insert("isRead", false);
        }
        bulk::statement(doc! { "_id": message.id, "conversation": null }, doc! { "$set": set })
    }

    /// Sees what came of a step. Where somebody else wrote meanwhile, the next one begins from what stands
    /// there then.
    async fn settle(&mut self, numbered: &[(Unnumbered, i64)], outcome: &Outcome) -> Result<bool, Fault> {
        self.tally.numbered += outcome.matched as u64;
        if outcome.errors.is_empty() && outcome.matched == numbered.len() {
            self.attempts = 0;
            self.last = numbered.last().map(|(message, seq)| last(message, *seq));
            return Ok(true);
        }
        if outcome.errors.is_empty() {
            close_gaps(&self.collections, &self.conversation, numbered).await?;
        }
        self.attempts += 1;
        Ok(self.attempts < ATTEMPTS)
    }
}

#[derive(Default)]
struct Chunk {
    fit: Vec<Unnumbered>,
    undated: Vec<ObjectId>,
    odd: bool,
}

fn last(message: &Unnumbered, seq: i64) -> Last {
    Last {
        seq: u64::try_from(seq).unwrap_or_default(),
        id: MessageId(Id::from_bytes(message.id.bytes())),
        at: Timestamp::from_millis(message.timestamp),
    }
}

/// The highest number of a conversation; 0 in one without.
async fn highest(collections: &Collections, conversation: &ConversationId) -> Result<i64, Fault> {
    let newest = collections
        .messages
        .find_one(doc! { "conversation": binary_key(conversation), "seq": { "$gt": 0 } })
        .sort(doc! { "seq": -1 })
        .projection(doc! { "_id": 0, "seq": 1 });
    let newest = collections.limit(newest).await?;
    Ok(newest.and_then(|document| document.get_i64("seq").ok()).unwrap_or_default())
}

/// Moves up what stands behind messages that vanished while they were being numbered (the older
/// application deleted them, or another process was faster), unless newer ones follow already.
async fn close_gaps(
    collections: &Collections,
    conversation: &ConversationId,
    numbered: &[(Unnumbered, i64)],
) -> Result<(), Fault> {
    let (Some((_, first)), Some((_, end))) = (numbered.first(), numbered.last()) else { return Ok(()) };
    if highest(collections, conversation).await? > *end {
        return Ok(());
    }
    let filter = doc! { "conversation": binary_key(conversation), "seq": { "$gte": *first } };
    let standing = collections.messages.find(filter).sort(doc! { "seq": 1 });
    let mut cursor = collections.limit(standing.projection(doc! { "seq": 1 })).await?;
    let (mut moves, mut next) = (Vec::new(), *first);
    while collections.limit(cursor.advance()).await? {
        let message = cursor.current();
        let (Ok(id), Ok(seq)) = (message.get_object_id("_id"), message.get_i64("seq")) else { continue };
        if seq != next {
            moves.push(bulk::statement(doc! { "_id": id, "seq": seq }, doc! { "$set": { "seq": next } }));
        }
        next += 1;
    }
    if !moves.is_empty() {
        bulk::update(collections, "messages", moves, true, Durability::Majority).await?;
    }
    Ok(())
}
