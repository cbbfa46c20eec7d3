//! Sessions that come back, for Socket.IO's connection state recovery: the tickets by which clients prove which one they had, and
//! what such a one missed before the server started.

use std::sync::Arc;

use chat_ports::{
    Commit, CommitNumber, Committed, Numbering, Replay, ReplayQuery, Replays, SealPurpose, Seals,
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
    /// Whether that is the user's place in the order of the store as well.
    pub settled: bool,
}

impl RecoveryTicket {
    /// The user and the numbers, each in its full length, then the socket.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { user, socket, life, boot, since, settled } = self;
        let numbers = [life.to_be_bytes(), boot.to_be_bytes(), since.to_be_bytes()].concat();
        [&user.bytes(), &*numbers, &[u8::from(*settled)], socket.as_str().as_bytes()].concat()
    }

    /// Reads what [`encode`](Self::encode) wrote for this user.
    pub(crate) fn decode(user: UserId, payload: &[u8]) -> Option<Self> {
        let (owner, rest) = payload.split_first_chunk::<12>()?;
        let (life, rest) = rest.split_first_chunk()?;
        let (boot, rest) = rest.split_first_chunk()?;
        let (since, rest) = rest.split_first_chunk()?;
        let ([settled @ (0 | 1)], socket) = rest.split_first_chunk()? else { return None };
        (*owner == user.bytes()).then_some(())?;
        Some(Self {
            user,
            socket: SocketId::new(std::str::from_utf8(socket).ok()?),
            life: u64::from_be_bytes(*life),
            boot: u64::from_be_bytes(*boot),
            since: u64::from_be_bytes(*since),
            settled: *settled == 1,
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

    /// How far commits are numbered, where the store does that and has worked.
    #[must_use]
    pub fn numbering(&self) -> Option<Numbering> {
        self.replays.as_ref()?.numbering()
    }

    /// Whether the last number that was told is the user's place in the order of the store ([`Replays::is_settled`]).
    #[must_use]
    pub fn is_settled(&self, user: UserId, last: CommitNumber) -> bool {
        self.replays.as_ref().is_some_and(|replays| replays.is_settled(user, last))
    }

    /// What a socket was to be told by the commits after one, which it may have heard in part, up to another or past it, and up to
    /// which that is; `None` where it is not exactly known.
    ///
    /// # Errors
    /// The store failed.
    #[tracing::instrument(level = "debug", skip_all, fields(%user))]
    pub async fn missed(
        &self,
        (user, socket): (UserId, &SocketId),
        after: CommitNumber,
        upto: CommitNumber,
    ) -> Result<Option<(Vec<Event>, CommitNumber)>, ChatError> {
        let Some(replays) = &self.replays else { return Ok(None) };
        let max_ids = self.max_receipt_events;
        let query = ReplayQuery { user, after, upto, most: MOST_MESSAGES, max_ids };
        let Some(Replay { commits, upto }) = replays.replay(query).await? else { return Ok(None) };
        let told = commits.into_iter().filter(|committed| !self.is_by(user, socket, committed));
        Ok(Some((told.filter_map(delivery::event).collect(), upto)))
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
        let socket = SocketId::new("abc");
        let settled = RecoveryTicket { user, socket, life: 7, boot: 8, since: 1 << 40, settled: true };
        let text = recovery.write(&settled);
        for ticket in [RecoveryTicket { settled: false, ..settled.clone() }, settled] {
            assert_eq!(recovery.read(user, &recovery.write(&ticket)), Some(ticket));
        }
        assert_eq!(recovery.read(UserId::from_bytes([2; 12]), &text), None);
        assert_eq!(recovery.read(user, "rubbish"), None);
        let short = FakeSeals.seal(SealPurpose::Session, &[1; 20]);
        assert_eq!(recovery.read(user, &short), None);
        let cursor = FakeSeals.seal(SealPurpose::SyncCursor, &[1; 40]);
        assert_eq!(recovery.read(user, &cursor), None);
    }
}
