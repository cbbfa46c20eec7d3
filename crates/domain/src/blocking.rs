//! Blocking: wanting nothing of somebody.

use std::sync::Arc;

use chat_ports::{
    BlockChange, Blocks, Clock, EventBus,
    model::{Block, Event, InvalidInput, UserId},
};

use crate::{ChatError, Deps, Typing, people::People, relations::Relations};

/// The use case of blocking. Between two users of whom one blocks the other no message, no typing and no
/// presence goes, in either direction.
pub struct Blocking {
    blocks: Arc<dyn Blocks>,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    people: Arc<People>,
    relations: Arc<Relations>,
    typing: Arc<Typing>,
    most: u32,
}

impl Blocking {
    pub(crate) fn new(
        deps: &Deps,
        people: Arc<People>,
        relations: Arc<Relations>,
        typing: Arc<Typing>,
    ) -> Self {
        Self {
            blocks: Arc::clone(&deps.blocks),
            bus: Arc::clone(&deps.bus),
            clock: Arc::clone(&deps.clock),
            people,
            relations,
            typing,
            most: deps.limits.max_blocked_users,
        }
    }

    /// Blocks a user, or no longer. What stands already stays as it is.
    ///
    /// # Errors
    /// `invalid_input` for oneself, `not_found` for an unknown user who is to be blocked, `forbidden` where as many are blocked as may
    /// be; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%blocker, %blocked, blocks))]
    pub async fn set(&self, blocker: UserId, blocked: UserId, blocks: bool) -> Result<(), ChatError> {
        if blocker == blocked {
            return Err(InvalidInput::new("userId", "must be somebody else").into());
        }
        if blocks {
            self.people.require(blocked).await?;
        }
        let (at, most) = (self.clock.now(), self.most);
        if !self.blocks.change(BlockChange { blocker, blocked, blocks, at, most }).await? {
            return Ok(());
        }
        let block = Block { blocker, blocked, since: at };
        self.relations.forget(&block);
        if blocks {
            self.typing.part(blocker, blocked);
        }
        self.bus.publish(Event::Blocking { block, blocks });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
