//! Sessions that come back, for Socket.IO's connection state recovery: the tickets by which clients prove which one they had, and
//! what such a one missed before the server started.

use std::sync::Arc;

use chat_ports::{
    Commit, CommitNumber, Committed, Numbering, ReplayQuery, Replays, SealPurpose, Seals,
    model::{Event, SocketId, UserId},
};

use crate::{ChatError, Deps, delivery, origin::Origins};

/// Most messages that are looked at for a session that comes back.
const MOST_MESSAGES: u32 = 1_000;

/// A session that may be recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryTicket {
    /// Whose.
    pub user: UserId,
    /// Its public id.
    pub socket: SocketId,
    /// The life in which `since` means something: the store's where it numbers commits, else the server's.
    pub life: u64,
    /// The life of the server, a number of chance.
    pub boot: u64,
    /// The number of the last event before the session began.
    pub since: u64,
}

impl RecoveryTicket {
    /// The user and the numbers, each in its full length, then the socket.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { user, socket, life, boot, since } = self;
        let numbers = [life.to_be_bytes(), boot.to_be_bytes(), since.to_be_bytes()].concat();
        [&user.bytes(), &*numbers, socket.as_str().as_bytes()].concat()
    }

    /// Reads what [`encode`](Self::encode) wrote for this user.
    pub(crate) fn decode(user: UserId, payload: &[u8]) -> Option<Self> {
        let (owner, rest) = payload.split_first_chunk::<12>()?;
        let (life, rest) = rest.split_first_chunk()?;
        let (boot, rest) = rest.split_first_chunk()?;
        let (since, socket) = rest.split_first_chunk()?;
        (*owner == user.bytes()).then_some(())?;
        Some(Self {
            user,
            socket: SocketId::new(std::str::from_utf8(socket).ok()?),
            life: u64::from_be_bytes(*life),
            boot: u64::from_be_bytes(*boot),
            since: u64::from_be_bytes(*since),
        })
    }
}

/// Writes tickets and reads them back, and finds what a session missed. Nothing is kept: whoever has the secret reads them.
pub struct Recovery {
    seals: Arc<dyn Seals>,
    replays: Option<Arc<dyn Replays>>,
    origins: Origins,
    max_receipt_events: u32,
}

impl Recovery {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self {
            seals: Arc::clone(&deps.seals),
            replays: deps.replays.clone(),
            origins: Origins::new(Arc::clone(&deps.seals)),
            max_receipt_events: deps.limits.max_receipt_events,
        }
    }

    /// Writes a ticket: a text that the client can't change.
    #[must_use]
    pub fn write(&self, ticket: &RecoveryTicket) -> String {
        self.seals.seal(SealPurpose::Session, &ticket.encode())
    }

    /// Reads a ticket of this user; `None` for any other text, and for the ticket of somebody else.
    #[must_use]
    pub fn read(&self, user: UserId, text: &str) -> Option<RecoveryTicket> {
        RecoveryTicket::decode(user, &self.seals.open(SealPurpose::Session, text)?)
    }

    /// How far commits are numbered, where the store does that.
    #[must_use]
    pub fn numbering(&self) -> Option<Numbering> {
        self.replays.as_ref().map(|replays| replays.numbering())
    }

    /// What a socket was to be told by the commits after one, which it may have heard in part, up to another; `None` where that is not exactly known.
    ///
    /// # Errors
    /// The store failed.
    #[tracing::instrument(level = "debug", skip_all, fields(%user))]
    pub async fn missed(
        &self,
        (user, socket): (UserId, &SocketId),
        after: CommitNumber,
        upto: CommitNumber,
    ) -> Result<Option<Vec<Event>>, ChatError> {
        let Some(replays) = &self.replays else { return Ok(None) };
        let max_ids = self.max_receipt_events;
        let query = ReplayQuery { user, after, upto, most: MOST_MESSAGES, max_ids };
        let Some(commits) = replays.replay(query).await? else { return Ok(None) };
        let told = commits.into_iter().filter(|committed| !self.is_by(user, socket, committed));
        Ok(Some(told.filter_map(delivery::event).collect()))
    }

    /// Whether the socket knows by an acknowledgement.
    fn is_by(&self, user: UserId, socket: &SocketId, Committed { commit, .. }: &Committed) -> bool {
        matches!(commit, Commit::Sent { message, .. }
            if message.sender == user && self.origins.is_of(message.id, socket))
    }
}

#[cfg(test)]
mod tests {
    use chat_testkit::FakeSeals;

    use super::*;

    #[test]
    fn a_ticket_is_read_by_its_user_only() {
        let recovery = Recovery {
            seals: Arc::new(FakeSeals),
            replays: None,
            origins: Origins::new(Arc::new(FakeSeals)),
            max_receipt_events: 100,
        };
        let user = UserId::from_bytes([1; 12]);
        let ticket = RecoveryTicket { user, socket: SocketId::new("abc"), life: 7, boot: 8, since: 1 << 40 };
        let text = recovery.write(&ticket);
        assert_eq!(recovery.read(user, &text), Some(ticket));
        assert_eq!(recovery.read(UserId::from_bytes([2; 12]), &text), None);
        assert_eq!(recovery.read(user, "rubbish"), None);
        let short = FakeSeals.seal(SealPurpose::Session, &[1; 20]);
        assert_eq!(recovery.read(user, &short), None);
        let cursor = FakeSeals.seal(SealPurpose::SyncCursor, &[1; 40]);
        assert_eq!(recovery.read(user, &cursor), None);
    }
}
