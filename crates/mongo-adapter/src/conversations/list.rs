//! A page of a user's conversations: the database's order, with memory laid over.

use std::{cmp::Reverse, collections::HashMap};

use bson::{Document, RawDocumentBuf, doc};
use chat_ports::{
    ConversationQuery,
    model::{ConversationEntry, ConversationId, MessageId, Page, Timestamp},
};

use super::document::{Last, read};
use crate::{
    archive::is_moved_in_read,
    connection::Collections,
    documents::{binary_key, date, object_id, read_message},
    error::Fault,
};

/// A conversation at its last message.
pub(super) struct Row {
    pub(super) conversation: ConversationId,
    pub(super) entry: ConversationEntry,
    /// Whether its user has read the last message by our own reading, which covers everything before it.
    pub(super) is_read_through: bool,
}

/// The conversations of a page, newest first; unread messages are not counted yet.
pub(super) async fn page(
    collections: &Collections,
    query: &ConversationQuery,
    mut pending: HashMap<ConversationId, Last>,
) -> Result<Page<Row>, Fault> {
    let most = query.limit as usize + 1;
    let mut candidates = listed(collections, query, &mut pending, most).await?;
    candidates.extend(pending.into_iter().filter(|(_, last)| is_past(query, last)));
    candidates.sort_unstable_by_key(|(_, last)| Reverse(order(last)));
    let more = candidates.len() >= most;
    candidates.truncate(query.limit as usize);
    let items = rows(collections, query, &candidates).await?;
    Ok(Page { items, more })
}

/// The page as the port gives it.
pub(super) fn finish(page: Page<Row>) -> Page<ConversationEntry> {
    Page { items: page.items.into_iter().map(|row| row.entry).collect(), more: page.more }
}

/// The first ones in the database past the cursor, without those that memory knows better. Takes out of
/// memory's what the database knows better: another node wrote it.
async fn listed(
    collections: &Collections,
    query: &ConversationQuery,
    pending: &mut HashMap<ConversationId, Last>,
    most: usize,
) -> Result<Vec<(ConversationId, Last)>, Fault> {
    let mut cursor = collections
        .conversations
        .find(filter(query))
        .sort(doc! { "lastAt": -1, "lastId": -1 })
        .batch_size(query.limit.saturating_add(1))
        .max_time(collections.operation_timeout)
        .await?;
    let mut found = Vec::with_capacity(most);
    while found.len() < most && cursor.advance().await? {
        let (conversation, last) = read(cursor.current())?;
        if pending.get(&conversation).is_none_or(|known| known.seq < last.seq) {
            pending.remove(&conversation);
            found.push((conversation, last));
        }
    }
    Ok(found)
}

fn filter(query: &ConversationQuery) -> Document {
    let mut filter = doc! { "users": object_id(query.user.0) };
    if let Some(after) = query.after {
        let at = date(after.timestamp);
        filter.insert("lastAt", doc! { "$lte": at });
        let same = doc! { "lastAt": at, "lastId": { "$lt": object_id(after.message.0) } };
        filter.insert("$or", [doc! { "lastAt": { "$lt": at } }, same]);
    }
    filter
}

/// Looks the last messages up as they are now.
async fn rows(
    collections: &Collections,
    query: &ConversationQuery,
    candidates: &[(ConversationId, Last)],
) -> Result<Vec<Row>, Fault> {
    let mut messages = messages(collections, candidates).await?;
    let mut rows = Vec::with_capacity(candidates.len());
    for (conversation, last) in candidates {
        let document = match messages.remove(&last.id) {
            Some(document) => Some(document),
            None => newest(collections, conversation).await?,
        };
        if let Some(document) = document {
            rows.push(row(query, *conversation, &document)?);
        }
    }
    Ok(rows)
}

async fn messages(
    collections: &Collections,
    candidates: &[(ConversationId, Last)],
) -> Result<HashMap<MessageId, RawDocumentBuf>, Fault> {
    if candidates.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = candidates.iter().map(|(_, last)| object_id(last.id.0)).collect();
    let filter = doc! { "_id": { "$in": ids } };
    let mut cursor = collections.messages.find(filter).max_time(collections.operation_timeout).await?;
    let mut found = HashMap::with_capacity(candidates.len());
    while cursor.advance().await? {
        let document = cursor.current().to_owned();
        let id = document.get_object_id("_id").map_err(|_other_type| Fault::Answer("message"))?;
        found.insert(MessageId::from_bytes(id.bytes()), document);
    }
    Ok(found)
}

/// The last message of a conversation whose document names one that is gone.
async fn newest(
    collections: &Collections,
    conversation: &ConversationId,
) -> Result<Option<RawDocumentBuf>, Fault> {
    let filter = doc! { "conversation": binary_key(conversation), "seq": { "$gt": 0 } };
    let newest = collections.messages.find_one(filter).sort(doc! { "seq": -1 });
    Ok(newest.max_time(collections.operation_timeout).await?)
}

fn row(
    query: &ConversationQuery,
    conversation: ConversationId,
    document: &RawDocumentBuf,
) -> Result<Row, Fault> {
    let message = read_message(document)?.message;
    // Of messages that were moved in, any may have been read and others before them not.
    let is_ours = document.get_datetime("readAt").is_ok() && !is_moved_in_read(document);
    let is_read_through = message.receiver == query.user && message.is_read() && is_ours;
    let other = conversation.other(query.user);
    let entry = ConversationEntry { other, last_message: message.into(), unread: 0 };
    Ok(Row { conversation, entry, is_read_through })
}

fn is_past(query: &ConversationQuery, last: &Last) -> bool {
    query.after.is_none_or(|after| order(last) < (after.timestamp, after.message))
}

fn order(last: &Last) -> (Timestamp, MessageId) {
    (last.at, last.id)
}
