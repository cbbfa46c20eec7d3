//! The port for reading messages.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    StoreError,
    model::{ClientId, ConversationId, Message, MessageId, Page, UserId},
};

/// Where a page of history stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryAnchor {
    /// Just before the newest `skip` messages.
    Newest {
        /// How many to pass over.
        skip: u64,
    },
    /// Just before this `seq`.
    Before(u64),
    /// Just after this `seq`.
    After(u64),
}

/// Which page of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The conversation.
    pub conversation: ConversationId,
    /// Where the page stands.
    pub anchor: HistoryAnchor,
    /// Most messages.
    pub limit: u32,
    /// Bytes of text after which the page ends early, on the side away from the anchor; it has at least
    /// one message all the same.
    pub max_bytes: usize,
}

/// Reads messages. Everything acknowledged before a call MUST be in its answer.
#[async_trait]
pub trait Messages: Send + Sync {
    /// The message with this id.
    ///
    /// # Errors
    /// The store failed.
    async fn find(&self, id: MessageId) -> Result<Option<Arc<Message>>, StoreError>;

    /// The message that this sender has sent to this receiver under this client id, as it is now: deleted ones as well.
    ///
    /// # Errors
    /// The store failed.
    async fn sent_as(
        &self,
        sender: UserId,
        receiver: UserId,
        client_id: ClientId,
    ) -> Result<Option<Arc<Message>>, StoreError>;

    /// A page of a conversation, oldest first. `more` tells whether messages go on beyond the page, away
    /// from the anchor (older ones; newer ones for [`HistoryAnchor::After`]).
    ///
    /// # Errors
    /// The store failed.
    async fn history(&self, query: HistoryQuery) -> Result<Page<Arc<Message>>, StoreError>;
}
