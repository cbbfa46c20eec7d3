//! Reads messages, from memory.

use std::sync::Arc;

use async_trait::async_trait;
use chat_ports::{
    HistoryAnchor, HistoryQuery, Messages, StoreError,
    model::{ClientId, ConversationId, Message, MessageId, Page, UserId},
};

use super::MemoryStore;

#[async_trait]
impl Messages for MemoryStore {
    async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError> {
        Ok(self.state()?.message(id).cloned())
    }

    async fn sent_as(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<Message>>, StoreError> {
        let state = self.state()?;
        let messages = state.conversations.get(&ConversationId::between(sender, receiver));
        let is_it = |message: &&Arc<Message>| {
            message.sender == sender && message.client_id.as_deref() == Some(client_id.as_str())
        };
        Ok(messages.and_then(|messages| messages.iter().find(is_it)).cloned())
    }

    async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError> {
        let state = self.state()?;
        let messages = state.conversations.get(&query.conversation).map_or(&[][..], Vec::as_slice);
        Ok(match query.anchor {
            HistoryAnchor::Newest { skip } => backwards(messages.iter().rev().skip(place(skip)), &query),
            HistoryAnchor::Before(seq) => {
                backwards(messages.iter().rev().skip_while(|message| message.seq >= seq), &query)
            }
            HistoryAnchor::After(seq) => page(messages.iter().skip(place(seq)), &query),
        })
    }
}

fn place(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn backwards<'a>(
    newest_first: impl Iterator<Item = &'a Arc<Message>>,
    query: &HistoryQuery,
) -> Page<Arc<Message>> {
    let mut page = page(newest_first, query);
    page.items.reverse();
    page
}

/// Takes messages from the anchor on, until the page is full.
fn page<'a>(messages: impl Iterator<Item = &'a Arc<Message>>, query: &HistoryQuery) -> Page<Arc<Message>> {
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let (mut items, mut bytes, mut more) = (Vec::new(), 0_usize, false);
    for message in messages {
        bytes = bytes.saturating_add(message.text.len());
        if items.len() == limit || (bytes > query.max_bytes && !items.is_empty()) {
            more = true;
            break;
        }
        items.push(Arc::clone(message));
    }
    Page { items, more }
}
