//! What a device missed, from where it stood.

use std::sync::Arc;

use chat_ports::{
    Changes, ChangesError, ChangesQuery, SealPurpose, Seals, SyncPosition,
    model::{InvalidInput, Limits, Message, UserId},
};

use crate::{ChatError, Deps};

/// A page of what a user missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPage {
    /// Messages that were sent, edited, deleted, delivered or read since, as they are now.
    pub messages: Vec<Arc<Message>>,
    /// Where to go on.
    pub cursor: String,
    /// Whether that is all for now.
    pub complete: bool,
}

/// The use case of catching up.
pub struct Sync {
    changes: Arc<dyn Changes>,
    seals: Arc<dyn Seals>,
    limits: Limits,
}

const START_OVER: &str =
    "is no cursor of this user on this server: sync without it, and load the histories again";

impl Sync {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self {
            changes: Arc::clone(&deps.changes),
            seals: Arc::clone(&deps.seals),
            limits: deps.limits.clone(),
        }
    }

    /// A page of what changed for a user since a cursor; without one, the cursor of now.
    ///
    /// # Errors
    /// `invalid_input` names `limit`, or `since` where the cursor is broken, another user's or of another store: the
    /// device starts over without it; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me))]
    pub async fn page(
        &self,
        me: UserId,
        since: Option<&str>,
        limit: Option<u32>,
    ) -> Result<SyncPage, ChatError> {
        let limit = self.limit(limit)?;
        let Some(since) = since else {
            let cursor = self.cursor(me, &self.changes.position().await?);
            return Ok(SyncPage { messages: Vec::new(), cursor, complete: true });
        };
        let since = self.position(me, since).ok_or_else(start_over)?;
        let max_bytes = self.limits.max_page_bytes;
        match self.changes.changes(ChangesQuery { user: me, since, limit, max_bytes }).await {
            Ok(page) => Ok(SyncPage {
                messages: page.messages,
                cursor: self.cursor(me, &page.position),
                complete: page.complete,
            }),
            Err(ChangesError::Foreign) => Err(start_over()),
            Err(ChangesError::Store(error)) => Err(error.into()),
            Err(unknown) => Err(ChatError::internal(unknown)),
        }
    }

    fn limit(&self, asked: Option<u32>) -> Result<u32, InvalidInput> {
        let asked = asked.unwrap_or(self.limits.default_sync_events);
        if !(1..=self.limits.max_sync_events).contains(&asked) {
            let rule = format!("must be 1 to {}", self.limits.max_sync_events);
            return Err(InvalidInput::new("limit", rule));
        }
        Ok(asked)
    }

    /// The user's 12 bytes, then the store's position.
    fn cursor(&self, user: UserId, position: &SyncPosition) -> String {
        let mut payload = Vec::with_capacity(12 + position.bytes().len());
        payload.extend_from_slice(&user.bytes());
        payload.extend_from_slice(position.bytes());
        self.seals.seal(SealPurpose::SyncCursor, &payload)
    }

    fn position(&self, user: UserId, cursor: &str) -> Option<SyncPosition> {
        let payload = self.seals.open(SealPurpose::SyncCursor, cursor)?;
        let (owner, position) = payload.split_first_chunk::<12>()?;
        (*owner == user.bytes()).then(|| SyncPosition::new(position))
    }
}

fn start_over() -> ChatError {
    InvalidInput::new("since", START_OVER).into()
}

#[cfg(test)]
mod tests;
