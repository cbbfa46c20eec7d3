//! A block: somebody wants nothing of somebody else.

use super::{Timestamp, UserId};

/// Somebody wants nothing of somebody else, from some time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Who blocks.
    pub blocker: UserId,
    /// Who is blocked.
    pub blocked: UserId,
    /// Since when.
    pub since: Timestamp,
}
