//! Blocking: wanting nothing of somebody.

use std::{collections::HashMap, sync::Arc};

use chat_ports::{
    BlockChange, Blocks, Clock, EventBus, Users,
    model::{Block, Event, InvalidInput, Limits, UserId},
};

use crate::{ChatError, Deps, Typing, people::People, policy, relations::Relations, view::ERASED};

/// Somebody whom a user blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedUser {
    /// The id.
    pub id: UserId,
    /// The displayed name.
    pub username: String,
}

/// A page of those whom a user blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockPage {
    /// The blocked users, by id.
    pub items: Vec<BlockedUser>,
    /// After whom the following page begins; `None` at the end.
    pub next: Option<UserId>,
}

/// The use case of blocking. Between two users of whom one blocks the other no message, no typing and no
/// presence goes, in either direction.
pub struct Blocking {
    blocks: Arc<dyn Blocks>,
    users: Arc<dyn Users>,
    bus: Arc<dyn EventBus>,
    clock: Arc<dyn Clock>,
    people: Arc<People>,
    relations: Arc<Relations>,
    typing: Arc<Typing>,
    limits: Limits,
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
            users: Arc::clone(&deps.users),
            bus: Arc::clone(&deps.bus),
            clock: Arc::clone(&deps.clock),
            people,
            relations,
            typing,
            limits: deps.limits.clone(),
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
        let (at, most) = (self.clock.now(), self.limits.max_blocked_users);
        let block = Block { blocker, blocked, since: at };
        let changed = {
            // Forgets also where nothing changes: who changed it may not have come to that yet, or was given up before.
            let _forgets = self.relations.forget_after(block);
            self.blocks.change(BlockChange { blocker, blocked, blocks, at, most }).await?
        };
        if !changed {
            return Ok(());
        }
        if blocks {
            self.typing.part(blocker, blocked);
        }
        self.bus.publish(Event::Blocking { block, blocks });
        Ok(())
    }

    /// A page of those whom a user blocks: `limit` of them, past `after`. All are read, as no more of them are stored than
    /// [`Limits::max_blocked_users`].
    ///
    /// # Errors
    /// `invalid_input` names `limit`; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me))]
    pub async fn list(
        &self,
        me: UserId,
        after: Option<UserId>,
        limit: Option<u32>,
    ) -> Result<BlockPage, ChatError> {
        let limit = policy::page_items(limit, &self.limits)? as usize;
        let blocks = self.blocks.blocked_by(me).await?.into_iter().map(|block| block.blocked);
        let mut ids: Vec<UserId> = blocks.filter(|id| after.is_none_or(|after| *id > after)).collect();
        ids.sort_unstable();
        let more = ids.len() > limit;
        ids.truncate(limit);
        let next = ids.last().copied().filter(|_| more);
        let found = self.users.find_many(ids.clone()).await?;
        let mut names: HashMap<_, _> = found.into_iter().map(|user| (user.id, user.username)).collect();
        let items = ids.into_iter().map(|id| {
            let username = names.remove(&id).unwrap_or_else(|| ERASED.to_owned());
            BlockedUser { id, username }
        });
        Ok(BlockPage { items: items.collect(), next })
    }
}

#[cfg(test)]
mod tests;
