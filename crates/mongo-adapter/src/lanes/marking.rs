//! One receipt: which messages it concerns, one update, and what became of it.

use std::{sync::Arc, time::Duration};

use bson::{DateTime, Document, RawDocumentBuf, doc};
use chat_ports::{
    Commit, Receipt, ReceiptKind, ReceiptSpan, StoreError,
    model::{ConversationId, MessageId, ObjectId},
};
use futures_util::TryStreamExt;
use tokio::sync::oneshot;

use crate::{
    connection::Collections,
    documents::{binary_key, date, object_id},
    error::Fault,
    store::Inner,
};

/// Between attempts, while an outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries a receipt out, tells it, and answers.
pub(super) async fn carry_out(
    inner: &Inner,
    receipt: Receipt,
    conversation: ConversationId,
    seq: u64,
    reply: oneshot::Sender<Result<ReceiptSpan, StoreError>>,
) {
    let sender = conversation.other(receipt.receiver);
    let answer = match attempt(inner, &receipt, &scope_of(&receipt, &conversation, seq)).await {
        Ok((count, messages)) => Ok(ReceiptSpan { conversation, sender, count, messages }),
        Err(error) => Err(error),
    };
    if let Ok(span) = &answer
        && span.count > 0
    {
        let Receipt { kind, receiver, except, .. } = receipt;
        inner.listener.committed(vec![Commit::Receipt { kind, receiver, span: span.clone(), except }.into()]);
    }
    // Who asked may have gone; what has the mark keeps it.
    drop(reply.send(answer));
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
) -> Result<(u64, Vec<MessageId>), StoreError> {
    let collections = inner.gate.pass()?.clone();
    if receipt.deadline <= inner.clock.instant() {
        return Err(StoreError::Timeout);
    }
    let unmarked = with(scope, unmarked(receipt.kind));
    let messages = newest(&collections, &unmarked, receipt.max_ids.max(1)).await?;
    if messages.is_empty() {
        return Ok((0, messages));
    }
    let until = receipt.deadline + inner.options.operation_timeout;
    let mut count = update(inner, &collections, receipt, &unmarked).await;
    while let Err(fault) = &count
        && !fault.is_refusal()
        && inner.clock.instant() < until
    {
        inner.observe(fault);
        tokio::time::sleep(PAUSE).await;
        count = settle(inner, &collections, receipt, scope, &unmarked).await;
    }
    let (count, most) = (count?, receipt.max_ids as usize);
    // Somebody on another node may have marked them in between.
    let told = if count == 0 { Vec::new() } else { messages };
    Ok((count, told.into_iter().rev().take(most).rev().collect()))
}

/// The newest ones that a filter finds, oldest first.
async fn newest(collections: &Collections, filter: &Document, most: u32) -> Result<Vec<MessageId>, Fault> {
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
    inner: &Inner,
    collections: &Collections,
    receipt: &Receipt,
    unmarked: &Document,
) -> Result<u64, Fault> {
    let changed_at = date(inner.primary_clock.now(&*inner.clock));
    let change = doc! {
        "$set": marked(receipt.kind, date(receipt.at)),
        "$max": { "changedAt": changed_at },
    };
    let updated = collections.limit(collections.messages.update_many(unmarked.clone(), change)).await?;
    Ok(updated.modified_count)
}

/// After an unknown outcome: finds out, at read concern majority, and updates what is unmarked still.
async fn settle(
    inner: &Inner,
    collections: &Arc<Collections>,
    receipt: &Receipt,
    scope: &Document,
    unmarked: &Document,
) -> Result<u64, Fault> {
    let ours = with(scope, marked(receipt.kind, date(receipt.at)));
    let counted = collections.messages.count_documents(ours).max_time(collections.operation_timeout);
    let before = collections.limit(counted).await?;
    Ok(before + update(inner, collections, receipt, unmarked).await?)
}

fn with(scope: &Document, more: Document) -> Document {
    scope.clone().into_iter().chain(more).collect()
}
