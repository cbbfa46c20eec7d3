//! Tickets by which a client proves which session it had, for Socket.IO's connection state recovery.

use std::sync::Arc;

use chat_ports::{
    SealPurpose, Seals,
    model::{SocketId, UserId},
};

use crate::Deps;

/// A session that may be recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryTicket {
    /// Whose.
    pub user: UserId,
    /// Its public id.
    pub socket: SocketId,
    /// The life of the server, by a number of chance, in which `since` means something.
    pub life: u64,
    /// The number of the last event before the session began.
    pub since: u64,
}

/// Writes tickets and reads them back. Nothing is kept: whoever has the secret reads them.
pub struct Recovery {
    seals: Arc<dyn Seals>,
}

impl Recovery {
    pub(crate) fn new(deps: &Deps) -> Self {
        Self { seals: Arc::clone(&deps.seals) }
    }

    /// Writes a ticket: a text that the client can't change.
    #[must_use]
    pub fn write(&self, ticket: &RecoveryTicket) -> String {
        let RecoveryTicket { user, socket, life, since } = ticket;
        let numbers = [life.to_be_bytes(), since.to_be_bytes()].concat();
        let payload = [&user.bytes(), &*numbers, socket.as_str().as_bytes()].concat();
        self.seals.seal(SealPurpose::Session, &payload)
    }

    /// Reads a ticket of this user; `None` for any other text, and for the ticket of somebody else.
    #[must_use]
    pub fn read(&self, user: UserId, text: &str) -> Option<RecoveryTicket> {
        let payload = self.seals.open(SealPurpose::Session, text)?;
        let (owner, rest) = payload.split_first_chunk::<12>()?;
        let (life, rest) = rest.split_first_chunk()?;
        let (since, socket) = rest.split_first_chunk()?;
        (*owner == user.bytes()).then_some(())?;
        Some(RecoveryTicket {
            user,
            socket: SocketId::new(std::str::from_utf8(socket).ok()?),
            life: u64::from_be_bytes(*life),
            since: u64::from_be_bytes(*since),
        })
    }
}

#[cfg(test)]
mod tests {
    use chat_testkit::FakeSeals;

    use super::*;

    #[test]
    fn a_ticket_is_read_by_its_user_only() {
        let recovery = Recovery { seals: Arc::new(FakeSeals) };
        let user = UserId::from_bytes([1; 12]);
        let ticket = RecoveryTicket { user, socket: SocketId::new("abc"), life: 7, since: 1 << 40 };
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
