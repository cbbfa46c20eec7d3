//! Reading messages: one by its id, and pages of a conversation.
//!
//! Numbers have no gaps, so a page is a range of keys wherever it is: a deep one costs what the newest
//! one costs. What an older application wrote has no number until it is migrated, and is not shown.

mod page;

use std::sync::Arc;

use async_trait::async_trait;
use bson::{Document, doc};
use chat_ports::{
    HistoryAnchor, HistoryQuery, Messages, StoreError,
    model::{ClientId, ConversationId, Message, MessageId, Page, UserId},
};

use self::page::Filler;
use crate::{
    Store,
    connection::Collections,
    documents::{Dedup, binary_key, object_id, read_message},
    error::Fault,
};

#[async_trait]
impl Messages for Store {
    async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        self.inner.run(move |collections| async move { find(&collections, id).await }).await
    }

    async fn sent_as(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        let (conversation, name) =
            (ConversationId::between(sender, receiver), Dedup::named(sender, &client_id));
        self.inner.run(move |collections| async move { named(&collections, conversation, &name).await }).await
    }

    async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        self.inner.run(move |collections| async move { history(&collections, query).await }).await
    }
}

async fn find(collections: &Collections, id: MessageId) -> Result<Option<Arc<Message>>, Fault> {
    let filter = doc! { "_id": object_id(id.0), "seq": { "$gt": 0 } };
    let found = collections.messages.find_one(filter).max_time(collections.operation_timeout).await?;
    Ok(found.map(|document| read_message(&document)).transpose()?.map(|stored| Arc::new(stored.message)))
}

/// A message by the index of names.
async fn named(
    collections: &Collections,
    conversation: ConversationId,
    name: &Dedup,
) -> Result<Option<Arc<Message>>, Fault> {
    let filter = doc! { "conversation": binary_key(&conversation), "dedup": &*name.0 };
    let found = collections.messages.find_one(filter).max_time(collections.operation_timeout).await?;
    Ok(found.map(|document| read_message(&document)).transpose()?.map(|stored| Arc::new(stored.message)))
}

async fn history(collections: &Collections, query: HistoryQuery) -> Result<Page<Arc<Message>>, Fault> {
    let Some((bounds, order)) = span(collections, &query).await? else {
        return Ok(Page { items: Vec::new(), more: false });
    };
    let filter = doc! { "conversation": binary_key(&query.conversation), "seq": bounds };
    // One further document than the page has tells whether there are newer ones.
    let most = query.limit.saturating_add(1);
    let mut cursor = collections
        .messages
        .find(filter)
        .sort(doc! { "seq": order })
        .limit(most.into())
        .batch_size(most)
        .max_time(collections.operation_timeout)
        .await?;
    let mut filler = Filler::new(&query);
    while cursor.advance().await? {
        if !filler.add(read_message(cursor.current())?.message) {
            break;
        }
    }
    Ok(filler.finish())
}

/// The numbers that a page is taken from, and in which order; `None` if there are none.
async fn span(collections: &Collections, query: &HistoryQuery) -> Result<Option<(Document, i32)>, Fault> {
    let key = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    Ok(match query.anchor {
        HistoryAnchor::After(seq) => Some((doc! { "$gt": key(seq) }, 1)),
        HistoryAnchor::Before(seq) => Some((doc! { "$gt": 0, "$lt": key(seq) }, -1)),
        HistoryAnchor::Newest { skip: 0 } => Some((doc! { "$gt": 0 }, -1)),
        HistoryAnchor::Newest { skip } => {
            let end = last_seq(collections, &query.conversation).await?;
            let last = end.saturating_sub(skip);
            (last > 0).then(|| (doc! { "$gt": 0, "$lte": key(last) }, -1))
        }
    })
}

/// The highest number in a conversation; 0 in one without messages.
async fn last_seq(collections: &Collections, conversation: &ConversationId) -> Result<u64, Fault> {
    let newest = collections
        .messages
        .find_one(doc! { "conversation": binary_key(conversation), "seq": { "$gt": 0 } })
        .sort(doc! { "seq": -1 })
        .projection(doc! { "_id": 0, "seq": 1 })
        .max_time(collections.operation_timeout)
        .await?;
    let seq = newest.and_then(|document| document.get_i64("seq").ok());
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or_default())
}
