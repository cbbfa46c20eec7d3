//! One reading: which messages it concerns, one update, and what became of it.

use std::{sync::Arc, time::Duration};

use bson::{Document, RawDocumentBuf, doc};
use chat_ports::{
    Commit, Receipt, ReceiptSpan, StoreError,
    model::{MessageId, ObjectId},
};
use futures_util::TryStreamExt;

use super::Job;
use crate::{
    connection::Collections,
    documents::{binary_key, date, object_id},
    error::Fault,
    store::Inner,
};

/// Between attempts, while an outcome is unknown.
const PAUSE: Duration = Duration::from_millis(50);

/// Carries a reading out, tells it, and answers.
pub(super) async fn carry_out(inner: &Inner, job: Job) {
    let Job { reading, conversation, seq, reply } = job;
    let sender = conversation.other(reading.receiver);
    let answer = match attempt(inner, &reading, &scope_of(&reading, &conversation, seq)).await {
        Ok((count, messages)) => Ok(ReceiptSpan { conversation, sender, count, messages }),
        Err(error) => Err(error),
    };
    if let Ok(read) = &answer
        && read.count > 0
    {
        let Receipt { kind, receiver, except, .. } = reading;
        inner.listener.committed(vec![Commit::Receipt { kind, receiver, span: read.clone(), except }]);
    }
    // Who asked may have gone; what was read stays read.
    drop(reply.send(answer));
}

fn scope_of(reading: &Receipt, conversation: &chat_ports::model::ConversationId, seq: u64) -> Document {
    doc! {
        "conversation": binary_key(conversation),
        "receiver": object_id(reading.receiver.0),
        "seq": { "$lte": i64::try_from(seq).unwrap_or(i64::MAX) },
    }
}

/// Tries until the outcome is known, at most a while past the deadline: what is stored late is told late.
async fn attempt(
    inner: &Inner,
    reading: &Receipt,
    scope: &Document,
) -> Result<(u64, Vec<MessageId>), StoreError> {
    let collections = inner.gate.pass()?.clone();
    if reading.deadline <= inner.clock.instant() {
        return Err(StoreError::Timeout);
    }
    let unread = with(scope, doc! { "isRead": false });
    let messages = newest(&collections, &unread, reading.max_ids.max(1)).await?;
    if messages.is_empty() {
        return Ok((0, messages));
    }
    let until = reading.deadline + inner.options.operation_timeout;
    let mut count = update(inner, &collections, reading, &unread).await;
    while let Err(fault) = &count
        && !fault.is_refusal()
        && inner.clock.instant() < until
    {
        inner.observe(fault);
        tokio::time::sleep(PAUSE).await;
        count = settle(inner, &collections, reading, scope, &unread).await;
    }
    let (count, most) = (count?, reading.max_ids as usize);
    // Somebody on another node may have read them in between.
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
    reading: &Receipt,
    unread: &Document,
) -> Result<u64, Fault> {
    let changed_at = date(inner.primary_clock.now(&*inner.clock));
    let change = doc! {
        "$set": { "isRead": true, "readAt": date(reading.at) },
        "$max": { "changedAt": changed_at },
    };
    let updated = collections.limit(collections.messages.update_many(unread.clone(), change)).await?;
    Ok(updated.modified_count)
}

/// After an unknown outcome: finds out, at read concern majority, and updates what is unread still.
async fn settle(
    inner: &Inner,
    collections: &Arc<Collections>,
    reading: &Receipt,
    scope: &Document,
    unread: &Document,
) -> Result<u64, Fault> {
    let ours = with(scope, doc! { "isRead": true, "readAt": date(reading.at) });
    let counted = collections.messages.count_documents(ours).max_time(collections.operation_timeout);
    let before = collections.limit(counted).await?;
    Ok(before + update(inner, collections, reading, unread).await?)
}

fn with(scope: &Document, more: Document) -> Document {
    scope.clone().into_iter().chain(more).collect()
}
