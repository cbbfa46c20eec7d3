//! What a device missed, from where it stood.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use chat_ports::{
    Changes, ChangesError, ChangesPage, ChangesQuery, SealPurpose, Seals, SyncPosition,
    model::{InvalidInput, Limits, Message, SocketId, UserId},
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
    /// A walk ends where it was to end when it began. So one that another socket began, before a link was lost, is not
    /// complete at its end: what came before this socket did is told by another walk.
    ///
    /// # Errors
    /// `invalid_input` names `limit`, or `since` where the cursor is broken, another user's or of another store: the
    /// device starts over without it; `unavailable`.
    #[tracing::instrument(level = "debug", skip_all, fields(%me))]
    pub async fn page(
        &self,
        (me, socket): (UserId, &SocketId),
        since: Option<&str>,
        limit: Option<u32>,
    ) -> Result<SyncPage, ChatError> {
        let limit = self.limit(limit)?;
        let Some(since) = since else {
            let cursor = self.cursor(me, BETWEEN_WALKS, &self.changes.position().await?);
            return Ok(SyncPage { messages: Vec::new(), cursor, complete: true });
        };
        let (walker, since) = self.position(me, since).ok_or_else(start_over)?;
        let ours = walker_of(socket);
        let is_anothers = walker != BETWEEN_WALKS && walker != ours;
        let max_bytes = self.limits.max_page_bytes;
        match self.changes.changes(ChangesQuery { user: me, since, limit, max_bytes }).await {
            Ok(ChangesPage { messages, position, complete }) => {
                let walker = match (complete, is_anothers) {
                    (true, _) => BETWEEN_WALKS,
                    (false, true) => walker,
                    (false, false) => ours,
                };
                let cursor = self.cursor(me, walker, &position);
                Ok(SyncPage { messages, cursor, complete: complete && !is_anothers })
            }
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

    /// The user's 12 bytes, those of whose walk is under way, then the store's position.
    fn cursor(&self, user: UserId, walker: Walker, position: &SyncPosition) -> String {
        let payload = [&user.bytes(), &walker[..], position.bytes()].concat();
        self.seals.seal(SealPurpose::SyncCursor, &payload)
    }

    fn position(&self, user: UserId, cursor: &str) -> Option<(Walker, SyncPosition)> {
        let payload = self.seals.open(SealPurpose::SyncCursor, cursor)?;
        let (owner, rest) = payload.split_first_chunk::<12>()?;
        let (walker, position) = rest.split_first_chunk()?;
        (*owner == user.bytes()).then(|| (*walker, SyncPosition::new(position)))
    }
}

/// Which socket began a walk, by a digest of its id.
type Walker = [u8; 4];

/// No walk is under way.
const BETWEEN_WALKS: Walker = [0; 4];

fn walker_of(socket: &SocketId) -> Walker {
    let mut hasher = DefaultHasher::new();
    socket.as_str().hash(&mut hasher);
    let [first, second, third, fourth, ..] = hasher.finish().to_be_bytes();
    [first | 1, second, third, fourth]
}

fn start_over() -> ChatError {
    InvalidInput::new("since", START_OVER).into()
}

#[cfg(test)]
mod tests;
