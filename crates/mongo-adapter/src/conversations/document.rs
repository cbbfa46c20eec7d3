//! What a conversation's document looks like, and how it is written: only forward.

use std::collections::HashMap;

use bson::{Document, RawBsonRef, RawDocument, doc};
use chat_ports::model::{ConversationId, Message, MessageId, Timestamp};

use crate::{
    bulk::{self, Durability},
    connection::Collections,
    documents::{binary_key, date, millis, object_id},
    error::{Fault, corrupt, is_duplicate_code},
};

/// Statements of one bulk: about a megabyte.
pub(super) const MOST_STATEMENTS: usize = 4_000;

/// A conversation's last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Last {
    pub(crate) seq: u64,
    pub(crate) id: MessageId,
    pub(crate) at: Timestamp,
}

impl From<&Message> for Last {
    fn from(message: &Message) -> Self {
        Self { seq: message.seq, id: message.id, at: message.timestamp }
    }
}

/// Writes the last messages of conversations, in one bulk as a rule. What stands there already and is
/// newer stays: a duplicate key means that `lastSeq` kept the filter from finding it.
pub(crate) async fn write(collections: &Collections, lasts: &[(ConversationId, Last)]) -> Result<(), Fault> {
    for chunk in lasts.chunks(MOST_STATEMENTS) {
        let statements = chunk.iter().map(|(conversation, last)| forward(conversation, last)).collect();
        let outcome =
            bulk::update(collections, "conversations", statements, false, Durability::Majority).await?;
        if outcome.errors.iter().any(|(_, code)| !is_duplicate_code(*code)) {
            return Err(Fault::Answer("outcome of an update of conversations"));
        }
    }
    Ok(())
}

fn forward(conversation: &ConversationId, last: &Last) -> Document {
    let seq = i64::try_from(last.seq).unwrap_or(i64::MAX);
    let (low, high) = conversation.users();
    bulk::upsert(
        doc! { "_id": binary_key(conversation), "lastSeq": { "$lt": seq } },
        doc! { "$set": {
            "users": [object_id(low.0), object_id(high.0)],
            "lastSeq": seq,
            "lastId": object_id(last.id.0),
            "lastAt": date(last.at),
        } },
    )
}

/// Writes those last messages that are ahead of what stands there.
pub(super) async fn catch_up(
    collections: &Collections,
    found: &HashMap<ConversationId, Last>,
) -> Result<(), Fault> {
    let keys: Vec<_> = found.keys().map(binary_key).collect();
    let filter = doc! { "_id": { "$in": keys } };
    let mut cursor = collections.conversations.find(filter).max_time(collections.operation_timeout).await?;
    let mut behind = found.clone();
    while collections.limit(cursor.advance()).await? {
        let (conversation, last) = read(cursor.current())?;
        behind.retain(|key, found| *key != conversation || found.seq > last.seq);
    }
    write(collections, &behind.into_iter().collect::<Vec<_>>()).await
}

/// Reads a conversation's document.
pub(super) fn read(document: &RawDocument) -> Result<(ConversationId, Last), Fault> {
    let wrong = |field| Fault::from(corrupt("conversations", "(its key)", field));
    let conversation = document.get("_id").ok().flatten().and_then(key).ok_or_else(|| wrong("_id"))?;
    let seq = document.get("lastSeq").ok().flatten().and_then(whole).ok_or_else(|| wrong("lastSeq"))?;
    let id = document.get_object_id("lastId").map_err(|_missing| wrong("lastId"))?;
    let at = document.get_datetime("lastAt").map_err(|_missing| wrong("lastAt"))?;
    Ok((conversation, Last { seq, id: MessageId::from_bytes(id.bytes()), at: millis(at) }))
}

/// The conversation that a key names.
pub(super) fn key(value: RawBsonRef<'_>) -> Option<ConversationId> {
    let RawBsonRef::Binary(binary) = value else { return None };
    binary.bytes.try_into().ok().map(ConversationId::from_key)
}

/// A number of messages.
pub(super) fn whole(value: RawBsonRef<'_>) -> Option<u64> {
    let number = value.as_i64().or_else(|| value.as_i32().map(i64::from))?;
    u64::try_from(number).ok()
}
