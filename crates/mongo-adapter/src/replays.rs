//! Commits told again: what the numbers in a user's messages say became of them in a range.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bson::doc;
use chat_ports::{
    Commit, CommitNumber, Committed, Numbering, ReceiptKind, ReceiptSpan, Replay, ReplayQuery, Replays,
    StoreError,
    model::{ConversationId, Message, UserId},
};

use crate::{
    Store,
    changes::{self, CLOCKS},
    clock::earlier,
    commits::{Cut, behind, exactly, number_of},
    connection::Collections,
    documents::{Numbers, Stored, object_id, read_message},
    error::Fault,
    store::Inner,
};

/// How often it is looked whether what is on its way has come.
const TRIES: u32 = 50;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

#[async_trait]
impl Replays for Store {
    fn numbering(&self) -> Option<Numbering> {
        self.inner.commits.numbering()
    }

    fn is_settled(&self, user: UserId, last: CommitNumber) -> bool {
        self.inner.commits.is_settled(user, last, self.inner.clock.instant())
    }

    async fn replay(&self, query: ReplayQuery) -> Result<Option<Replay>, StoreError> {
        let Some(after) = number_of(query.after) else { return Ok(None) };
        let inner = Arc::clone(&self.inner);
        let work =
            |collections: Arc<Collections>| async move { replay(&inner, &collections, &query, after).await };
        self.inner.run::<_, Fault, _>(work).await
    }
}

/// A message, and which commits made it what it is.
struct Met {
    message: Message,
    numbers: Numbers,
}

/// What was found of a user past a number.
enum Found {
    All(Vec<Met>),
    /// Something among it is not told yet.
    Untold,
    /// More than was asked for.
    TooMuch,
}

async fn replay(
    inner: &Inner,
    collections: &Collections,
    query: &ReplayQuery,
    after: u64,
) -> Result<Option<Replay>, Fault> {
    for _ in 0..TRIES {
        match inner.commits.cut(query.user, inner.clock.instant()) {
            Cut::Unknown => return Ok(None),
            Cut::Soon => {}
            Cut::At(upto) => {
                let life = changes::life(collections).await?;
                if upto < after || inner.commits.life() != Some(life) {
                    return Ok(None);
                }
                match find(inner, collections, query, after).await? {
                    Found::All(met) => {
                        let commits = commits_of(met, query, (after, upto));
                        return Ok(Some(Replay { commits, upto: behind(upto) }));
                    }
                    Found::Untold => inner.queue.wake(),
                    Found::TooMuch => return Ok(None),
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(None)
}

/// A user's messages whose last commit is this one or a later one.
async fn find(
    inner: &Inner,
    collections: &Collections,
    query: &ReplayQuery,
    after: u64,
) -> Result<Found, Fault> {
    let (mut met, mut room) = (Vec::new(), query.most);
    for side in ["receiver", "sender"] {
        // Times rise as numbers do, but for the clocks of two starts: what is older than what came earlier came earlier.
        let mut oldest = None;
        let mut cursor = collections
            .messages
            .find(doc! { side: object_id(query.user.0) })
            .sort(doc! { "changedAt": -1, "seq": -1, "_id": -1 })
            .limit(i64::from(query.most) + 1)
            .max_time(collections.operation_timeout)
            .await?;
        while cursor.advance().await? {
            let Stored { message, changed_at, .. } = read_message(cursor.current())?;
            let Some(changed_at) = changed_at else { break };
            if oldest.is_some_and(|oldest| changed_at < oldest) {
                break;
            }
            if room == 0 {
                return Ok(Found::TooMuch);
            }
            room -= 1;
            if inner.late.is_news(message.id, changed_at) {
                return Ok(Found::Untold);
            }
            let numbers = Numbers::of(cursor.current());
            if numbers.last() < after {
                oldest.get_or_insert(earlier(changed_at, CLOCKS));
            } else if side == "receiver" || message.sender != message.receiver {
                met.push(Met { message, numbers });
            }
        }
    }
    Ok(Found::All(met))
}

/// What is told of these messages after one number, and of a receipt of that number, up to another.
fn commits_of(mut met: Vec<Met>, query: &ReplayQuery, (after, upto): (u64, u64)) -> Vec<Committed> {
    met.sort_unstable_by_key(|met| met.message.seq);
    let is_new = |number: Option<u64>| number.filter(|number| (after + 1..=upto).contains(number));
    let is_receipt = |number: Option<u64>| number.filter(|number| (after..=upto).contains(number));
    let mut receipts: BTreeMap<(u64, ConversationId, ReceiptKind), ReceiptSpan> = BTreeMap::new();
    let mut told = Vec::new();
    for Met { message, numbers } in met {
        let (conversation, sender) = (message.conversation(), message.sender);
        let delivered = numbers.delivered.filter(|_| sender == query.user);
        for (kind, number) in [(ReceiptKind::Delivered, delivered), (ReceiptKind::Read, numbers.read)] {
            if let Some(number) = is_receipt(number) {
                let none = || ReceiptSpan { conversation, sender, count: 0, messages: Vec::new() };
                let span = receipts.entry((number, conversation, kind)).or_insert_with(none);
                span.count += 1;
                span.messages.push(message.id);
            }
        }
        let is_deleted = message.is_deleted();
        let message = Arc::new(message);
        if let Some(number) = is_new(numbers.sent) {
            told.push((number, Commit::Sent { message: Arc::clone(&message), except: None }));
        } else if let Some(number) = is_new(numbers.edited).filter(|_| !is_deleted) {
            told.push((number, Commit::Edited { message: Arc::clone(&message) }));
        }
        if let Some(number) = is_new(numbers.deleted) {
            told.push((number, Commit::Deleted { message }));
        }
    }
    for ((number, conversation, kind), mut span) in receipts {
        let past = span.messages.len().saturating_sub(query.max_ids as usize);
        span.messages.drain(..past);
        let receiver = conversation.other(span.sender);
        told.push((number, Commit::Receipt { kind, receiver, span, except: None }));
    }
    told.sort_by_key(|(number, _)| *number);
    let committed = |(number, commit)| Committed { commit, number: Some(exactly(number)) };
    told.into_iter().map(committed).collect()
}
