//! The port for what was told before: commits by their numbers.

use async_trait::async_trait;

use crate::{CommitNumber, Committed, StoreError, model::UserId};

/// How far a store's commits are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbering {
    /// The life of the store in which its numbers mean something: another one after an import or a restore.
    pub life: u64,
    /// The number of the last commit.
    pub last: CommitNumber,
}

/// Commits that are told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// In the order in which they became durable, each with the number with which a listener was told of it.
    pub commits: Vec<Committed>,
    /// They are all up to this one, at least to where was asked for: of what is told later of the user none bears this number or a lower one.
    pub upto: CommitNumber,
}

/// Which commits to tell again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplayQuery {
    /// Whom they concern.
    pub user: UserId,
    /// Past this commit. If it is a receipt it is answered as well: of its messages some may not have been told.
    pub after: CommitNumber,
    /// Up to this one, or past it.
    pub upto: CommitNumber,
    /// Most messages to look at: past them nothing is answered.
    pub most: u32,
    /// Most ids of a receipt: the newest.
    pub max_ids: u32,
}

/// Tells commits again, of a store that numbers them: then what a listener was told of a user can be told again after a restart.
#[async_trait]
pub trait Replays: Send + Sync {
    /// How far commits are numbered as of now, in this life of the store: what is told later has greater numbers. `None` before the
    /// store has worked.
    fn numbering(&self) -> Option<Numbering>;

    /// Whether this number, the last that was told, is the place of a user in the order of commits: whatever becomes durable of the user with a
    /// number up to it has been told. False where that is not known.
    fn is_settled(&self, user: UserId, last: CommitNumber) -> bool;

    /// The commits in a range that concern a user; messages are as they are now, so of several edits of a message only the last is
    /// answered, and of one that was sent in the range none. `None` where it is not exactly known any more, or more than was asked for.
    ///
    /// # Errors
    /// The store failed.
    async fn replay(&self, query: ReplayQuery) -> Result<Option<Replay>, StoreError>;
}
