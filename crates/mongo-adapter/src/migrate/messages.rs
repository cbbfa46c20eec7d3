//! Numbers for messages of an older application: which conversations there are to number.
//!
//! What has no `conversation` stands in the index `unread` under `null`, so what is left to do is found
//! without reading what is done. For more than a few messages an index is made for the time of the
//! work, in which they stand by sender, receiver and timestamp; so no conversation is ever held in
//! memory, and the work goes on where it was interrupted, since what is numbered has left that range.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc, oid::ObjectId};
use chat_ports::model::{ConversationId, UserId};
use tokio::task::JoinSet;

use super::{
    judge::{Oddity, Verdict, judge},
    numbering::{Numbering, Tally},
    progress::Reporter,
};
use crate::{
    connection::Collections,
    conversations::{Last, write},
    error::{Fault, unavailable},
};

/// The index that is made for the time of the work.
const INDEX: &str = "takeover";
/// Up to so many messages are numbered without it.
const FEW: u64 = 1_000;
/// Entries of the index in which conversations are looked for at once.
const PAIRS: i64 = 1_000;
/// Conversations that are numbered beside each other.
const LANES: usize = 8;
/// Odd messages that are named one by one.
const MOST_NAMED: usize = 20;

/// The keys of that index.
pub(super) fn takeover_keys() -> Document {
    doc! { "conversation": 1, "sender": 1, "receiver": 1, "timestamp": 1, "_id": 1 }
}

/// The keys of the index in which what is left always stands.
pub(super) fn unread_keys() -> Document {
    doc! { "conversation": 1, "receiver": 1, "isRead": 1, "seq": 1 }
}

/// Whether there are messages that can be numbered, or leftovers of an interrupted run.
pub(super) async fn has_work(collections: &Collections) -> Result<bool, Fault> {
    let mut fit = fit();
    fit.insert("conversation", bson::Bson::Null);
    fit.insert("sender", from_first());
    fit.insert("receiver", from_first());
    fit.insert("$or", [doc! { "timestamp": null }, doc! { "timestamp": { "$type": "date" } }]);
    let find = collections.messages.find_one(fit).hint(unread_keys_hint()).projection(doc! { "_id": 1 });
    Ok(collections.limit(find).await?.is_some() || is_indexed(collections).await?)
}

/// What would be done.
pub(super) async fn plan(collections: &Collections) -> Result<Vec<String>, Fault> {
    let survey = Survey::make(collections).await?;
    let mut steps = Vec::new();
    if survey.fit + survey.undated > 0 {
        steps.push(format!("number {} messages", survey.fit + survey.undated));
    }
    if survey.undated > 0 {
        steps.push(format!("give {} messages the timestamp that their _id tells", survey.undated));
    }
    steps.extend(survey.odd.iter().map(|(oddity, count)| format!("leave {count} messages alone: {oddity}")));
    Ok(steps)
}

/// Numbers all that can be numbered.
pub(super) async fn number(collections: &Collections, reporter: &mut Reporter<'_>) -> Result<(), Fault> {
    let left = doc! { "conversation": null };
    let few = collections.messages.count_documents(left).hint(unread_keys_hint()).limit(FEW + 1).await?;
    if few == 0 {
        return drop_index(collections).await;
    }
    let keys = if few > FEW {
        reporter.note("making an index for the time of the takeover");
        make_index(collections).await?;
        takeover_keys()
    } else {
        unread_keys()
    };
    walk(collections, &keys, reporter).await?;
    drop_index(collections).await?;
    report_odd(collections, reporter).await
}

/// Goes through the pairs of sender and receiver, many at a time.
async fn walk(collections: &Collections, keys: &Document, reporter: &mut Reporter<'_>) -> Result<(), Fault> {
    let (mut after, mut total) = (None, Tally::default());
    loop {
        let pairs = pairs(collections, keys, after).await?;
        let Some(last) = pairs.last() else { break };
        after = Some(*last);
        let id = |id: ObjectId| UserId::from_bytes(id.bytes());
        let conversations: BTreeSet<_> = pairs
            .iter()
            .map(|(sender, receiver)| ConversationId::between(id(*sender), id(*receiver)))
            .collect();
        number_all(collections, keys, conversations, &mut total, reporter).await?;
    }
    reporter.note(format!("numbered {} messages of an older application", total.numbered));
    if total.dated > 0 {
        reporter.note(format!("{} of them had no timestamp: it was taken from their _id", total.dated));
    }
    Ok(())
}

/// Numbers conversations, a few beside each other, and writes the list of them.
async fn number_all(
    collections: &Collections,
    keys: &Document,
    conversations: BTreeSet<ConversationId>,
    total: &mut Tally,
    reporter: &mut Reporter<'_>,
) -> Result<(), Fault> {
    let (mut lanes, mut lasts) = (JoinSet::new(), Vec::<(ConversationId, Last)>::new());
    let mut waiting = conversations.into_iter();
    loop {
        while lanes.len() < LANES
            && let Some(conversation) = waiting.next()
        {
            let mut numbering = Numbering::new(collections.clone(), keys.clone(), conversation);
            lanes.spawn(async move {
                // A long conversation tells how far it is after each step.
                let moves = numbering.step().await;
                (numbering, moves)
            });
        }
        let Some(done) = lanes.join_next().await else { break };
        let (mut numbering, moves) = done.map_err(|_cancelled| unavailable("the migration was stopped"))?;
        total.add(numbering.take_tally());
        reporter.count("messages are numbered", total.numbered, None);
        if moves? {
            lanes.spawn(async move {
                let moves = numbering.step().await;
                (numbering, moves)
            });
        } else {
            lasts.extend(numbering.last());
        }
    }
    write(collections, &lasts).await
}

/// The pairs of users from an entry of the index on; each pair once, in order.
async fn pairs(
    collections: &Collections,
    keys: &Document,
    after: Option<(ObjectId, ObjectId)>,
) -> Result<Vec<(ObjectId, ObjectId)>, Fault> {
    let branch = |sender: bson::Bson, receiver: Document| {
        let mut branch = fit();
        branch.insert("conversation", bson::Bson::Null);
        branch.insert("sender", sender);
        branch.insert("receiver", receiver);
        branch
    };
    let filter = match after {
        None => branch(from_first().into(), from_first()),
        Some((sender, receiver)) => doc! { "$or": [
            branch(sender.into(), doc! { "$gt": receiver }),
            branch(doc! { "$gt": sender }.into(), from_first()),
        ] },
    };
    let entries = collections
        .messages
        .find(filter)
        .hint(mongodb::options::Hint::Keys(keys.clone()))
        .sort(doc! { "sender": 1, "receiver": 1 })
        .projection(doc! { "_id": 0, "sender": 1, "receiver": 1 })
        .limit(PAIRS);
    let mut cursor = entries.await?;
    let mut pairs = Vec::new();
    while cursor.advance().await? {
        let entry = cursor.current();
        if let (Ok(sender), Ok(receiver)) = (entry.get_object_id("sender"), entry.get_object_id("receiver"))
            && pairs.last() != Some(&(sender, receiver))
        {
            pairs.push((sender, receiver));
        }
    }
    Ok(pairs)
}

/// What a message must have beside sender, receiver and timestamp.
pub(super) fn fit() -> Document {
    doc! { "_id": { "$type": "objectId" }, "message": { "$type": "string" } }
}

/// Every ObjectId.
fn from_first() -> Document {
    doc! { "$gte": ObjectId::from_bytes([0; 12]) }
}

fn unread_keys_hint() -> mongodb::options::Hint {
    mongodb::options::Hint::Keys(unread_keys())
}

async fn make_index(collections: &Collections) -> Result<(), Fault> {
    let specification = doc! { "key": takeover_keys(), "name": INDEX };
    let command = doc! { "createIndexes": "messages", "indexes": [specification] };
    collections.database.run_command(command).await?;
    Ok(())
}

/// The index is not there.
const INDEX_NOT_FOUND: i32 = 27;

async fn drop_index(collections: &Collections) -> Result<(), Fault> {
    let command = doc! { "dropIndexes": "messages", "index": INDEX };
    match collections.database.run_command(command).await.map_err(Fault::from) {
        Ok(_) => Ok(()),
        Err(fault) if fault.is_missing_collection() || fault.code() == Some(INDEX_NOT_FOUND) => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn is_indexed(collections: &Collections) -> Result<bool, Fault> {
    match collections.limit(collections.messages.list_index_names()).await {
        Ok(names) => Ok(names.iter().any(|name| name == INDEX)),
        Err(fault) if fault.is_missing_collection() => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Tells of what was left alone.
async fn report_odd(collections: &Collections, reporter: &mut Reporter<'_>) -> Result<(), Fault> {
    let survey = Survey::make(collections).await?;
    for (oddity, count) in &survey.odd {
        reporter.note(format!("{count} messages are left alone: {oddity}"));
    }
    if !survey.named.is_empty() {
        reporter.note(format!("the first of them: {}", survey.named.join(", ")));
    }
    Ok(())
}

/// What stands without a number.
#[derive(Default)]
struct Survey {
    fit: u64,
    undated: u64,
    odd: BTreeMap<Oddity, u64>,
    named: Vec<String>,
}

impl Survey {
    async fn make(collections: &Collections) -> Result<Self, Fault> {
        let mut survey = Self::default();
        let fields = doc! { "sender": 1, "receiver": 1, "timestamp": 1 };
        let left = doc! { "conversation": null };
        let mut cursor = collections.messages.find(left).projection(fields.clone()).await?;
        while cursor.advance().await? {
            survey.take(judge(cursor.current()), cursor.current().get_object_id("_id").ok());
        }
        let textless = doc! { "conversation": null, "message": { "$not": { "$type": "string" } } };
        let mut cursor = collections.messages.find(textless).projection(fields).await?;
        while cursor.advance().await? {
            survey.retake(&judge(cursor.current()), cursor.current().get_object_id("_id").ok());
        }
        Ok(survey)
    }

    fn take(&mut self, verdict: Verdict, id: Option<ObjectId>) {
        match verdict {
            Verdict::Fit(_) => self.fit += 1,
            Verdict::Undated(_) => self.undated += 1,
            Verdict::Odd(oddity) => self.leave(oddity, id),
        }
    }

    /// One that would be fit turns out to have no text.
    fn retake(&mut self, verdict: &Verdict, id: Option<ObjectId>) {
        match verdict {
            Verdict::Fit(_) => self.fit = self.fit.saturating_sub(1),
            Verdict::Undated(_) => self.undated = self.undated.saturating_sub(1),
            Verdict::Odd(_) => return,
        }
        self.leave(Oddity::Text, id);
    }

    fn leave(&mut self, oddity: Oddity, id: Option<ObjectId>) {
        *self.odd.entry(oddity).or_default() += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(id.map_or_else(|| "(an unusual _id)".to_owned(), |id| id.to_hex()));
        }
    }
}
