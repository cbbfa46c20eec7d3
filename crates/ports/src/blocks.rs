//! The port for who wants nothing of whom.

use async_trait::async_trait;

use crate::{
    StoreError,
    model::{Block, Timestamp, UserId},
};

/// Blocks somebody, or no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockChange {
    /// Who wants nothing of the other.
    pub blocker: UserId,
    /// The other.
    pub blocked: UserId,
    /// Whether it is so from now on.
    pub blocks: bool,
    /// When.
    pub at: Timestamp,
    /// Most users that one may block.
    pub most: u32,
}

/// A block that was not changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The blocker blocks as many as one may.
    #[error("as many are blocked as may be")]
    TooMany,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Who blocks whom. Everything acknowledged before a call MUST be in its answer.
#[async_trait]
pub trait Blocks: Send + Sync {
    /// Blocks or unblocks, durably; tells whether that changed something. A block that stands keeps its time.
    ///
    /// # Errors
    /// [`BlockError::TooMany`] for one more than `most`, save that changes made at once may pass it by as many; else the store failed.
    async fn change(&self, change: BlockChange) -> Result<bool, BlockError>;

    /// Everybody whom a user blocks, in any order.
    ///
    /// # Errors
    /// The store failed.
    async fn blocked_by(&self, blocker: UserId) -> Result<Vec<Block>, StoreError>;

    /// The blocks between a user and each of these others, in either direction, in any order.
    ///
    /// # Errors
    /// The store failed.
    async fn between(&self, user: UserId, others: Vec<UserId>) -> Result<Vec<Block>, StoreError>;
}
