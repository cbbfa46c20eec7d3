//! The port for the list of conversations.

use async_trait::async_trait;

use crate::{
    StoreError,
    model::{ConversationCursor, ConversationEntry, Page, UserId},
};

/// Which conversations to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationQuery {
    /// Whose.
    pub user: UserId,
    /// The last conversation of the page before.
    pub after: Option<ConversationCursor>,
    /// Most items.
    pub limit: u32,
    /// Where counting unread messages stops.
    pub max_unread: u32,
}

/// Lists conversations. Everything acknowledged before a call MUST be in its answer.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// A page of a user's conversations that have a message: by the last message's `(timestamp, id)`,
    /// newest first.
    ///
    /// # Errors
    /// The store failed.
    async fn list(&self, query: ConversationQuery) -> Result<Page<ConversationEntry>, StoreError>;

    /// With whom a user has a conversation that has a message: the `most` most recent ones, in any order.
    ///
    /// # Errors
    /// The store failed.
    async fn partners(&self, user: UserId, most: u32) -> Result<Vec<UserId>, StoreError>;

    /// Those of these others with whom a user has a conversation that has a message, in any order.
    ///
    /// # Errors
    /// The store failed.
    async fn partners_among(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<UserId>, StoreError>;
}
