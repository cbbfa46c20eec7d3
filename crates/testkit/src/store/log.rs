//! Writes to conversations, in memory.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use chat_ports::{
    AppendError, Appended, Commit, MarkRead, MessageLog, NewMessage, ReadUpTo, StoreError,
    model::{ConversationId, Message},
};

use super::{MemoryStore, State};

#[async_trait]
impl MessageLog for MemoryStore {
    async fn append(&self, message: NewMessage) -> Result<Appended, AppendError> {
        // The listener is called under the lock: commits leave in the order of the numbers.
        let mut state = self.state()?;
        self.in_time(message.deadline)?;
        if let Some(first) = state.first_copy(&message) {
            if first.text != message.text.as_str() {
                return Err(AppendError::ClientIdTaken);
            }
            return Ok(Appended { message: Arc::clone(first), repeated: true });
        }
        let except = message.except.clone();
        let message = state.push(message);
        self.listener.committed(vec![Commit::Sent { message: Arc::clone(&message), except }]);
        Ok(Appended { message, repeated: false })
    }

    async fn mark_read(&self, reading: MarkRead) -> Result<Option<ReadUpTo>, StoreError> {
        let mut state = self.state()?;
        self.in_time(reading.deadline)?;
        let Some(read) = state.read(&reading) else { return Ok(None) };
        if read.count > 0 {
            let MarkRead { reader, except, .. } = reading;
            self.listener.committed(vec![Commit::Read { reader, read: read.clone(), except }]);
        }
        Ok(Some(read))
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
        let NewMessage { id, sender, receiver, text, timestamp, client_id, deadline: _, except: _ } = message;
        let conversation = ConversationId::between(sender, receiver);
        let messages = self.conversations.entry(conversation).or_default();
        let place = messages.len();
        let client_id = client_id.map(|id| id.into_string());
        if let Some(client_id) = client_id.clone() {
            self.client_ids.insert((sender, receiver, client_id), id);
        }
        let message = Arc::new(Message {
            id,
            seq: place as u64 + 1,
            sender,
            receiver,
            text: text.into_string(),
            timestamp,
            read_at: None,
            client_id,
        });
        messages.push(Arc::clone(&message));
        self.places.insert(id, (conversation, place));
        message
    }

    fn read(&mut self, reading: &MarkRead) -> Option<ReadUpTo> {
        let message = self.message(reading.message).filter(|message| message.receiver == reading.reader)?;
        let (sender, conversation, last) = (message.sender, message.conversation(), message.seq);
        let mut read = Vec::new();
        for message in self.conversations.get_mut(&conversation)?.iter_mut() {
            if message.seq <= last && message.receiver == reading.reader && message.read_at.is_none() {
                Arc::make_mut(message).read_at = Some(reading.at);
                read.push(message.id);
            }
        }
        let count = read.len() as u64;
        let passed_over = read.len().saturating_sub(usize::try_from(reading.max_ids).unwrap_or(usize::MAX));
        read.drain(..passed_over);
        Some(ReadUpTo { conversation, sender, count, messages: read })
    }
}
