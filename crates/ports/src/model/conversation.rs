//! A conversation: the unordered pair of two users.

use std::{fmt, sync::Arc};

use super::{Message, UserId};

/// Names the conversation of two users, in whichever order they are given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId {
    low: UserId,
    high: UserId,
}

impl ConversationId {
    /// The conversation between two users.
    pub fn between(a: UserId, b: UserId) -> Self {
        Self { low: a.min(b), high: a.max(b) }
    }

    /// Both users, the smaller id first.
    pub const fn users(&self) -> (UserId, UserId) {
        (self.low, self.high)
    }

    /// Whether this user is one of the two.
    pub fn includes(&self, user: UserId) -> bool {
        self.low == user || self.high == user
    }

    /// The other user of the two; the same one when a user is alone with themselves.
    pub fn other(&self, user: UserId) -> UserId {
        if self.low == user { self.high } else { self.low }
    }

    /// The key under which stores keep it: the smaller id's 12 bytes, then the larger one's.
    pub fn key(&self) -> [u8; 24] {
        let mut key = [0; 24];
        let (low, high) = key.split_at_mut(12);
        low.copy_from_slice(&self.low.bytes());
        high.copy_from_slice(&self.high.bytes());
        key
    }

    /// Reads a key back.
    pub fn from_key(key: [u8; 24]) -> Self {
        let (mut low, mut high) = ([0; 12], [0; 12]);
        low.iter_mut().zip(key).for_each(|(to, from)| *to = from);
        high.iter_mut().zip(key.into_iter().skip(12)).for_each(|(to, from)| *to = from);
        Self::between(UserId::from_bytes(low), UserId::from_bytes(high))
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.low, self.high)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One row of a user's list of conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationEntry {
    /// With whom.
    pub other: UserId,
    /// The message with the highest `seq`.
    pub last_message: Arc<Message>,
    /// How many messages to this user are unread; counting stops at
    /// [`Limits::max_unread_count`](super::Limits::max_unread_count).
    pub unread: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_the_same_from_both_sides_and_through_its_key() {
        let (a, b) = (UserId::from_bytes([1; 12]), UserId::from_bytes([2; 12]));
        let conversation = ConversationId::between(b, a);
        assert_eq!(conversation, ConversationId::between(a, b));
        assert_eq!(conversation.other(a), b);
        assert_eq!(ConversationId::from_key(conversation.key()), conversation);
    }
}
