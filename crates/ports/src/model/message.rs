//! A message as it is stored.

use super::{ConversationId, MessageId, TextDigest, Timestamp, UserId};

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
    /// The text, byte for byte as it was sent or last edited; empty once it is deleted.
    pub text: String,
    /// When the server took it, by its wall clock.
    pub timestamp: Timestamp,
    /// When it reached one of the receiver's devices, as far as they said so; at the latest when it was read.
    pub delivered_at: Option<Timestamp>,
    /// When the receiver read it; `None` while unread. Whatever is read is delivered.
    pub read_at: Option<Timestamp>,
    /// When the text was last edited.
    pub edited_at: Option<Timestamp>,
    /// When the sender deleted it.
    pub deleted_at: Option<Timestamp>,
    /// The sender's own name for it, if there was one.
    pub client_id: Option<String>,
    /// Of the text as it was first sent, where an edit has replaced it; never shown.
    pub first_text: Option<TextDigest>,
}

impl Message {
    /// Whether the receiver has read it.
    pub const fn is_read(&self) -> bool {
        self.read_at.is_some()
    }

    /// Whether the sender has deleted it.
    pub const fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Whether sending this text again, under the same client id, is sending this message again: it is what the
    /// message was first sent with. Of a deleted message nobody knows, so any text is.
    pub fn is_repeated_by(&self, text: &str) -> bool {
        match &self.first_text {
            _ if self.is_deleted() => true,
            Some(first) => *first == TextDigest::of(self.id, text),
            None => self.text == text,
        }
    }

    /// The message with another text.
    #[must_use]
    pub fn edited(&self, text: String, at: Timestamp) -> Self {
        let first_text = self.first_text.unwrap_or_else(|| TextDigest::of(self.id, &self.text));
        Self { text, edited_at: Some(self.edit_time(at)), first_text: Some(first_text), ..self.clone() }
    }

    /// The time of an edit that was made at this one: later than the edit before it, since clients take the later one for the
    /// newer text. Edits that come beside each other may bear the same time, or be stored in the other order.
    #[must_use]
    pub fn edit_time(&self, at: Timestamp) -> Timestamp {
        let least = self.edited_at.map(|before| Timestamp::from_millis(before.millis().saturating_add(1)));
        least.map_or(at, |least| at.max(least))
    }

    /// What is left of the message when it is deleted.
    #[must_use]
    pub fn tombstone(&self, at: Timestamp) -> Self {
        Self {
            text: String::new(),
            edited_at: None,
            deleted_at: Some(at),
            first_text: None,
            client_id: self.client_id.clone(),
            ..*self
        }
    }

    /// The conversation it stands in.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::between(self.sender, self.receiver)
    }
}
