//! One receipt: which messages it concerns, one update, and what became of it.

use std::{sync::Arc, time::Duration};

use bson::{DateTime, Document, RawDocumentBuf, doc};
use chat_ports::{
    Commit, Receipt, ReceiptKind, ReceiptSpan, StoreError,
    model::{ConversationId, MessageId, ObjectId, UserId},
};
use futures_util::TryStreamExt;
use tokio::sync::oneshot;

use super::doubtful::{Change, Doubtful, Tried};
use crate::{
    commits::Stamp,
    connection::Collections,
    documents::{binary_key, date, long, object_id, receipt_number},
    error::Fault,
    store::Inner,
};

/// Between attempts, while an outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries a receipt out, tells it, and answers. What is to be looked for where that is not known to be done.
pub(super) async fn carry_out(
    inner: &Inner,
    receipt: Receipt,
    conversation: ConversationId,
    seq: u64,
    reply: oneshot::Sender<Result<ReceiptSpan, StoreError>>,
) -> Option<Doubtful> {
    let sender = conversation.other(receipt.receiver);
    let scope = scope_of(&receipt, &conversation, seq);
    let mut tried = Tried::default();
    let outcome = attempt(inner, &receipt, &scope, sender, &mut tried).await;
    let Receipt { kind, receiver, at, max_ids, except, .. } = receipt;
    let mut doubtful = tried.doubtful(|| Change::Receipt {
        kind,
        receiver,
        conversation,
        marked: with(&scope, marked(kind, date(at))),
        max_ids,
        found: Vec::new(),
    });
    let answer = outcome.map(|Marked { count, messages, number }| {
        let span = ReceiptSpan { conversation, sender, count, messages };
        if let Some(number) = number {
            doubtful = None;
            inner.tell(vec![(Commit::Receipt { kind, receiver, span: span.clone(), except }, number)]);
        }
        span
    });
    // Who asked may have gone; what has the mark keeps it.
    drop(reply.send(answer));
    doubtful
}

/// What a receipt changed.
#[derive(Default)]
struct Marked {
    count: u64,
    messages: Vec<MessageId>,
    /// Under which number it is told; none where there is nothing to tell.
    number: Option<u64>,
}

fn scope_of(receipt: &Receipt, conversation: &ConversationId, seq: u64) -> Document {
    doc! {
        "conversation": binary_key(conversation),
        "receiver": object_id(receipt.receiver.0),
        "seq": { "$lte": i64::try_from(seq).unwrap_or(i64::MAX) },
    }
}

/// What tells that a message does not have the mark.
fn unmarked(kind: ReceiptKind) -> Document {
    match kind {
        ReceiptKind::Delivered => doc! { "isRead": false, "deliveredAt": { "$exists": false } },
        ReceiptKind::Read => doc! { "isRead": false },
    }
}

/// What tells that a message got the mark at this time.
fn marked(kind: ReceiptKind, at: DateTime) -> Document {
    match kind {
        ReceiptKind::Delivered => doc! { "deliveredAt": at },
        ReceiptKind::Read => doc! { "isRead": true, "readAt": at },
    }
}

/// Tries until the outcome is known, at most a while past the deadline: what is stored late is told late.
async fn attempt(
    inner: &Inner,
    receipt: &Receipt,
    scope: &Document,
    sender: UserId,
    tried: &mut Tried,
) -> Result<Marked, StoreError> {
    let collections = inner.gate.pass()?.clone();
    if receipt.deadline <= inner.clock.instant() {
        return Err(StoreError::Timeout);
    }
    let unmarked = with(scope, unmarked(receipt.kind));
    let messages = newest(&collections, &unmarked, receipt.max_ids.max(1)).await?;
    if messages.is_empty() {
        return Ok(Marked::default());
    }
    let until = receipt.deadline + inner.options.operation_timeout;
    let mut stamp = inner.stamp([sender, receipt.receiver]);
    let mut count = update(&collections, receipt, &unmarked, stamp).await;
    while let Err(fault) = &count
        && !fault.is_refusal()
        && inner.clock.instant() < until
    {
        inner.observe(fault);
        tried.add(stamp.number);
        inner.commits.doubt(stamp.number, inner.clock.instant());
        tokio::time::sleep(PAUSE).await;
        stamp = inner.stamp([sender, receipt.receiver]);
        count = settle(&collections, receipt, scope, &unmarked, stamp).await;
    }
    inner.end(stamp, &count, |count| *count > 0);
    if count.as_ref().is_err_and(|fault| !fault.is_refusal()) {
        tried.add(stamp.number);
    }
    let (count, most) = (count?, receipt.max_ids as usize);
    if count == 0 {
        // Somebody on another node marked them in between, or an earlier attempt that a majority does not have yet.
        return Ok(Marked::default());
    }
    let messages = messages.into_iter().rev().take(most).rev().collect();
    Ok(Marked { count, messages, number: Some(stamp.number) })
}

/// The newest ones that a filter finds, oldest first.
pub(super) async fn newest(
    collections: &Collections,
    filter: &Document,
    most: u32,
) -> Result<Vec<MessageId>, Fault> {
    let found = async {
        let cursor = collections
            .messages
            .find(filter.clone())
            .sort(doc! { "seq": -1 })
            .limit(i64::from(most))
            .projection(doc! { "_id": 1 })
            .max_time(collections.operation_timeout)
            .await?;
        cursor.try_collect::<Vec<RawDocumentBuf>>().await
    };
    let documents = collections.limit(found).await?;
    let id = |document: &RawDocumentBuf| document.get_object_id("_id");
    let ids = documents.iter().rev().map(|document| {
        let id = id(document).map_err(|_other_type| Fault::Answer("_id"))?;
        Ok(MessageId(ObjectId::from_bytes(id.bytes())))
    });
    ids.collect()
}

async fn update(
    collections: &Collections,
    receipt: &Receipt,
    unmarked: &Document,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let commit = doc! { receipt_number(receipt.kind): long(stamp.number) };
    let change = doc! {
        "$set": with(&marked(receipt.kind, date(receipt.at)), commit),
        "$max": { "changedAt": date(stamp.changed_at) },
    };
    let updated = collections.limit(collections.messages.update_many(unmarked.clone(), change)).await?;
    Ok(updated.modified_count)
}

/// After an unknown outcome: finds out, at read concern majority, and updates what is unmarked still.
async fn settle(
    collections: &Arc<Collections>,
    receipt: &Receipt,
    scope: &Document,
    unmarked: &Document,
    stamp: Stamp,
) -> Result<u64, Fault> {
    let ours = with(scope, marked(receipt.kind, date(receipt.at)));
    let counted = collections.messages.count_documents(ours).max_time(collections.operation_timeout);
    let before = collections.limit(counted).await?;
    Ok(before + update(collections, receipt, unmarked, stamp).await?)
}

fn with(scope: &Document, more: Document) -> Document {
    scope.clone().into_iter().chain(more).collect()
}
