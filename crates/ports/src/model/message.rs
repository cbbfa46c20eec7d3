//! A message as it is stored.

use super::{ConversationId, MessageId, Timestamp, UserId};

/// A stored message. `seq` is its place in the conversation: 1, 2, 3 … without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// Its place in the conversation, from 1, without gaps: the order that everybody agrees on.
    pub seq: u64,
    /// Who wrote it.
    pub sender: UserId,
    /// To whom.
    pub receiver: UserId,
    /// The text, byte for byte as it was sent.
    pub text: String,
    /// When the server took it, by its wall clock.
    pub timestamp: Timestamp,
    /// When the receiver read it; `None` while unread.
    pub read_at: Option<Timestamp>,
    /// The sender's own name for it, if there was one.
    pub client_id: Option<String>,
}

impl Message {
    /// Whether the receiver has read it.
    pub const fn is_read(&self) -> bool {
        self.read_at.is_some()
    }

    /// The conversation it stands in.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::between(self.sender, self.receiver)
    }
}
