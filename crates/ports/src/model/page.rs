//! Pages of lists, and the positions from which they go on.

use super::{MessageId, Timestamp, UserId};

/// Some items of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the order that the query names.
    pub items: Vec<T>,
    /// Whether there are further ones.
    pub more: bool,
}

/// A position in the list of users: that of its last user, by folded username, then id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserCursor {
    /// The folded username.
    pub folded: String,
    /// The id.
    pub id: UserId,
}

/// A position in a list of conversations: that of its last one's last message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationCursor {
    /// The last message's timestamp.
    pub timestamp: Timestamp,
    /// The last message's id.
    pub message: MessageId,
}
