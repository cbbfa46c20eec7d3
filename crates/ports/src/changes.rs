//! The port for what a user missed.

use std::{fmt, sync::Arc};

use async_trait::async_trait;

use crate::{
    StoreError,
    model::{Message, UserId},
};

/// A point in the history of a store's changes, or a place in a walk from one to another: a store's own
/// notation, of at most [`MAX_BYTES`](Self::MAX_BYTES) bytes. It stays good over restarts, on every node.
#[derive(Clone, PartialEq, Eq)]
pub struct SyncPosition(Box<[u8]>);

impl SyncPosition {
    /// How long it may be.
    pub const MAX_BYTES: usize = 96;

    /// Wraps what a store wrote. What is longer than it may be is no store's, and is refused by every one.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// What the store wrote.
    pub const fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SyncPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SyncPosition({} bytes)", self.0.len())
    }
}

/// What to read of a user's changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesQuery {
    /// Whose.
    pub user: UserId,
    /// Where the user stood, or where the page before ended.
    pub since: SyncPosition,
    /// Most messages.
    pub limit: u32,
    /// Bytes of text after which the page ends early; it has at least one message all the same.
    pub max_bytes: usize,
}

/// A page of a walk through what changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangesPage {
    /// Messages that the user sent or received, in their current state.
    pub messages: Vec<Arc<Message>>,
    /// Where the next page begins; after the last page, where the next walk begins.
    pub position: SyncPosition,
    /// Whether the walk is at its end.
    pub complete: bool,
}

/// Changes that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangesError {
    /// The position is none of this store's, or lies in its future, as after a restore.
    #[error("the position is not one of this store")]
    Foreign,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads what changed since a position: messages that were sent, edited, deleted, delivered or read.
#[async_trait]
pub trait Changes: Send + Sync {
    /// The position of now: everything acknowledged before the call lies behind it.
    ///
    /// # Errors
    /// The store failed.
    async fn position(&self) -> Result<SyncPosition, StoreError>;

    /// A page of a walk. A walk goes from the position with which it began, page by page, to one that is
    /// `complete`: in it MUST be every message of the user that was changed by a call that answered after the walk's first
    /// position was given out and before the walk began, whatever becomes of it meanwhile: each once, but one that changes
    /// meanwhile may come again. It may hold some that changed shortly before or meanwhile. New messages of a
    /// conversation stand in the order of `seq`, also from page to page; those that were changed later may stand apart.
    /// A page may be empty and the walk not complete; a walk ends, however much is sent meanwhile.
    ///
    /// # Errors
    /// [`ChangesError::Foreign`] for a position that this store did not give out, or not in this life of its
    /// (after an import or a restore of a backup).
    async fn changes(&self, query: ChangesQuery) -> Result<ChangesPage, ChangesError>;
}
