//! Lists conversations, from memory.

use std::{cmp::Reverse, sync::Arc};

use async_trait::async_trait;
use chat_ports::{
    ConversationQuery, Conversations, StoreError,
    model::{ConversationEntry, ConversationId, Message, Page, UserId},
};

use super::MemoryStore;

#[async_trait]
impl Conversations for MemoryStore {
    async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError> {
        let state = self.state()?;
        let mut items: Vec<_> =
            state.conversations.iter().filter_map(|(id, messages)| entry(*id, messages, &query)).collect();
        items.sort_by_key(|entry| Reverse((entry.last_message.timestamp, entry.last_message.id)));
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError> {
        let query = ConversationQuery { user, after: None, limit: most, max_unread: 0 };
        let page = self.list(query).await?;
        Ok(page.items.into_iter().map(|entry| entry.other).collect())
    }

    async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        let state = self.state()?;
        let met = |other: &UserId| {
            let messages = state.conversations.get(&ConversationId::between(user, *other));
            *other != user && messages.is_some_and(|messages| !messages.is_empty())
        };
        Ok(others.into_iter().filter(met).collect())
    }
}

fn entry(
    id: ConversationId,
    messages: &[Arc<Message>],
    query: &ConversationQuery,
) -> Option<ConversationEntry> {
    let last = messages.last().filter(|_| id.includes(query.user))?;
    if query.after.is_some_and(|after| (last.timestamp, last.id) >= (after.timestamp, after.message)) {
        return None;
    }
    let unread = messages.iter().filter(|message| message.receiver == query.user && !message.is_read());
    let unread = u32::try_from(unread.count()).unwrap_or(u32::MAX).min(query.max_unread);
    Some(ConversationEntry { other: id.other(query.user), last_message: Arc::clone(last), unread })
}
