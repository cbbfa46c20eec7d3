//! Writes to conversations, in memory.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use chat_ports::{
    AppendError, Appended, Commit, Delete, Edit, MessageLog, NewMessage, Receipt, ReceiptKind, ReceiptSpan,
    StoreError,
    model::{ConversationId, Message, MessageId, Timestamp},
};

use super::{MemoryStore, State};

#[async_trait]
impl MessageLog for MemoryStore {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        // The listener is called under the lock: commits leave in the order of the numbers.
        let mut state = self.state()?;
        self.in_time(message.deadline)?;
        if let Some(first) = state.first_copy(&message) {
            if !first.is_repeated_by(message.text.as_str()) {
                return Err(AppendError::ClientIdTaken);
            }
            return Ok(Appended { message: Arc::clone(first), repeated: true });
        }
        let except = message.except.clone();
        let message = state.push(message);
        self.listener.committed(vec![Commit::Sent { message: Arc::clone(&message), except }.into()]);
        Ok(Appended { message, repeated: false })
    }

    async fn receipt(&self, receipt: Receipt) -> Result<Option<ReceiptSpan>, StoreError> {
        let mut state = self.state()?;
        self.in_time(receipt.deadline)?;
        let Some(span) = state.mark(&receipt) else { return Ok(None) };
        if span.count > 0 {
            let Receipt { kind, receiver, except, .. } = receipt;
            self.listener
                .committed(vec![Commit::Receipt { kind, receiver, span: span.clone(), except }.into()]);
        }
        Ok(Some(span))
    }

    async fn edit(&self, edit: Edit) -> Result<Option<Arc<Message>>, StoreError> {
        let Edit { message, text, at, deadline } = edit;
        let mut state = self.state()?;
        self.in_time(deadline)?;
        let Some(found) = state.message(message).filter(|found| !found.is_deleted()) else { return Ok(None) };
        let message = Arc::new(found.edited(text.into_string(), at));
        state.replace(&message);
        self.listener.committed(vec![Commit::Edited { message: Arc::clone(&message) }.into()]);
        Ok(Some(message))
    }

    async fn delete(&self, delete: Delete) -> Result<Option<Arc<Message>>, StoreError> {
        let Delete { message, at, deadline } = delete;
        let mut state = self.state()?;
        self.in_time(deadline)?;
        let Some(found) = state.message(message) else { return Ok(None) };
        if found.is_deleted() {
            return Ok(Some(Arc::clone(found)));
        }
        let message = Arc::new(found.tombstone(at));
        state.replace(&message);
        self.listener.committed(vec![Commit::Deleted { message: Arc::clone(&message) }.into()]);
        Ok(Some(message))
    }
}

impl MemoryStore {
    fn in_time(&self, deadline: Instant) -> Result<(), StoreError> {
        if self.clock.instant() > deadline { Err(StoreError::Timeout) } else { Ok(()) }
    }
}

impl State {
    fn first_copy(&self, message: &NewMessage) -> Option<&Arc<Message>> {
        let client_id = message.client_id.as_ref()?.as_str().to_owned();
        let id = self.client_ids.get(&(message.sender, message.receiver, client_id))?;
        self.message(*id)
    }

    fn push(&mut self, message: NewMessage) -> Arc<Message> {
        let (id, sender, receiver) = (message.id, message.sender, message.receiver);
        let conversation = ConversationId::between(sender, receiver);
        let messages = self.conversations.entry(conversation).or_default();
        let place = messages.len();
        let message = Arc::new(message.into_message(place as u64 + 1));
        if let Some(client_id) = message.client_id.clone() {
            self.client_ids.insert((sender, receiver, client_id), id);
        }
        messages.push(Arc::clone(&message));
        self.places.insert(id, (conversation, place));
        self.changed(id);
        message
    }

    fn mark(&mut self, receipt: &Receipt) -> Option<ReceiptSpan> {
        let message = self.message(receipt.message).filter(|message| message.receiver == receipt.receiver)?;
        let (sender, conversation, last) = (message.sender, message.conversation(), message.seq);
        let mut marked = Vec::new();
        for message in self.conversations.get_mut(&conversation)?.iter_mut() {
            if message.seq <= last && message.receiver == receipt.receiver && mark(message, receipt) {
                marked.push(message.id);
            }
        }
        marked.iter().for_each(|id| self.changed(*id));
        let count = marked.len() as u64;
        let most = usize::try_from(receipt.max_ids).unwrap_or(usize::MAX);
        marked.drain(..marked.len().saturating_sub(most));
        Some(ReceiptSpan { conversation, sender, count, messages: marked })
    }

    fn replace(&mut self, message: &Arc<Message>) {
        let place = self.places.get(&message.id).copied();
        let slot = place.and_then(|(id, place)| self.conversations.get_mut(&id)?.get_mut(place));
        if let Some(slot) = slot {
            *slot = Arc::clone(message);
        }
        self.changed(message.id);
    }

    /// Notes that a message changed, after everything that changed before it.
    pub(super) fn changed(&mut self, id: MessageId) {
        self.change += 1;
        self.changed.entry(id).or_default().push(self.change);
        self.changes.insert(self.change, id);
    }
}

/// Gives a message a mark that it does not have yet.
fn mark(message: &mut Arc<Message>, receipt: &Receipt) -> bool {
    let earlier = match receipt.kind {
        ReceiptKind::Delivered => message.delivered_at,
        ReceiptKind::Read => message.read_at,
    };
    if earlier.is_some() {
        return false;
    }
    let at: Timestamp = receipt.at;
    let message = Arc::make_mut(message);
    message.delivered_at = message.delivered_at.or(Some(at));
    if receipt.kind == ReceiptKind::Read {
        message.read_at = Some(at);
    }
    true
}
