//! Who may know of whose presence.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chat_ports::{
    Blocks, Conversations,
    model::{Timestamp, User, UserId},
};

use crate::{ChatError, Deps, Presence, UserView};

/// Who hears of a user's presence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresenceAudience {
    /// Everybody, but where one blocks the other.
    #[default]
    Everyone,
    /// Those with whom the user has a conversation, but where one blocks the other.
    Contacts,
}

/// Around a user: whom the user blocks, and of whom presence is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circle {
    /// Whom the user blocks.
    pub blocked: Arc<[UserId]>,
    /// With whom the user has a conversation, where only they hear of each other; `None` where everybody does.
    pub contacts: Option<Arc<[UserId]>>,
}

/// Finds out who may know of whom.
pub struct Circles {
    blocks: Arc<dyn Blocks>,
    conversations: Arc<dyn Conversations>,
    presence: Presence,
    audience: PresenceAudience,
    most_contacts: u32,
}

impl Circles {
    pub(crate) fn new(deps: &Deps, presence: Presence) -> Self {
        Self {
            blocks: Arc::clone(&deps.blocks),
            conversations: Arc::clone(&deps.conversations),
            presence,
            audience: deps.settings.presence_audience,
            most_contacts: deps.settings.max_contacts,
        }
    }

    /// The circle of a user who comes.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn around(&self, user: UserId) -> Result<Circle, ChatError> {
        let blocks = self.blocks.blocked_by(user).await?;
        let contacts = match self.audience {
            PresenceAudience::Everyone => None,
            PresenceAudience::Contacts => {
                Some(self.conversations.partners(user, self.most_contacts).await?.into())
            }
        };
        Ok(Circle { blocked: blocks.into_iter().map(|block| block.blocked).collect(), contacts })
    }

    /// Shows stored users to somebody, with live presence laid over those of whom it is shown. Who is kept from it sees the other as offline
    /// since the block, or as never seen where the two have no conversation.
    pub(crate) async fn views(&self, viewer: UserId, stored: Vec<User>) -> Result<Vec<UserView>, ChatError> {
        let ids: Vec<UserId> = stored.iter().map(|user| user.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let blocked = self.blocked(viewer, &ids).await?;
        let known: Option<HashSet<UserId>> = match self.audience {
            PresenceAudience::Everyone => None,
            PresenceAudience::Contacts => {
                Some(self.conversations.partners_among(viewer, ids).await?.into_iter().collect())
            }
        };
        let mut views = self.presence.views(stored);
        for view in &mut views {
            if known.as_ref().is_some_and(|known| !known.contains(&view.id)) {
                (view.is_online, view.last_seen) = (false, None);
            } else if let Some(since) = blocked.get(&view.id) {
                view.is_online = false;
                view.last_seen = view.last_seen.map(|seen| seen.min(*since));
            }
        }
        Ok(views)
    }

    /// Since when there has been a block between the viewer and each of the others who has one.
    async fn blocked(
        &self,
        viewer: UserId,
        others: &[UserId],
    ) -> Result<HashMap<UserId, Timestamp>, ChatError> {
        let mut since: HashMap<UserId, Timestamp> = HashMap::new();
        for block in self.blocks.between(viewer, others.to_vec()).await? {
            let other = if block.blocker == viewer { block.blocked } else { block.blocker };
            let first = since.entry(other).or_insert(block.since);
            *first = block.since.min(*first);
        }
        Ok(since)
    }
}

#[cfg(test)]
mod tests;
