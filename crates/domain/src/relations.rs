//! A bounded memory of who may write to whom, so that a send costs no read.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chat_ports::{
    Blocks, Clock,
    model::{Block, ConversationId, UserId},
};
use parking_lot::Mutex;

use crate::{
    ChatError, Deps,
    memory::{Memory, memory},
};

/// Whether there is a block between two users. What is not in memory, or was read too long ago where other
/// nodes write as well, is read from the store. Full, it forgets pairs that were not asked for lately.
pub(crate) struct Relations {
    blocks: Arc<dyn Blocks>,
    clock: Arc<dyn Clock>,
    fresh_for: Option<Duration>,
    pairs: Memory<ConversationId, Fact>,
    /// Counts changes: what was read before one is not remembered after it. Short, never held across an await.
    changes: Mutex<u64>,
}

#[derive(Clone, Copy)]
struct Fact {
    blocked: bool,
    read_at: Instant,
}

impl Relations {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self {
            blocks: Arc::clone(&deps.blocks),
            clock: Arc::clone(&deps.clock),
            fresh_for: deps.settings.blocks_fresh_for,
            pairs: memory(deps.settings.cached_users),
            changes: Mutex::new(0),
        }
    }

    /// Whether one of the two blocks the other.
    pub(crate) async fn is_blocked(&self, a: UserId, b: UserId) -> Result<bool, ChatError> {
        if let Some(blocked) = self.remembered(a, b) {
            return Ok(blocked);
        }
        let pair = ConversationId::between(a, b);
        let read_at = self.clock.instant();
        let before = *self.changes.lock();
        let blocked = !self.blocks.between(a, vec![b]).await?.is_empty();
        let changes = self.changes.lock();
        if *changes == before {
            self.pairs.insert(pair, Fact { blocked, read_at });
        }
        Ok(blocked)
    }

    /// The same, where it is in memory.
    pub(crate) fn remembered(&self, a: UserId, b: UserId) -> Option<bool> {
        let fact = self.pairs.get(&ConversationId::between(a, b))?;
        let is_fresh = self.fresh_for.is_none_or(|fresh| self.clock.instant() < fact.read_at + fresh);
        is_fresh.then_some(fact.blocked)
    }

    /// A block between them may come or go until the guard is dropped: from then on what is remembered of them is read again.
    pub(crate) const fn forget_after(&self, block: Block) -> Forgets<'_> {
        Forgets { relations: self, block }
    }

    fn forget(&self, block: &Block) {
        let mut changes = self.changes.lock();
        *changes += 1;
        self.pairs.remove(&ConversationId::between(block.blocker, block.blocked));
    }
}

/// Forgets when it is dropped, however that comes.
#[must_use]
pub(crate) struct Forgets<'a> {
    relations: &'a Relations,
    block: Block,
}

impl Drop for Forgets<'_> {
    fn drop(&mut self) {
        self.relations.forget(&self.block);
    }
}
