//! What the conformance suite is given of a store.

use std::sync::Arc;

use chat_ports::{Archive, Blocks, Changes, Clock, Conversations, MessageLog, Messages, StoreHealth, Users};

use crate::RecordingListener;

/// The ports of one store.
#[derive(Clone)]
pub struct StorePorts {
    /// The accounts.
    pub users: Arc<dyn Users>,
    /// Writes to conversations.
    pub log: Arc<dyn MessageLog>,
    /// Reads messages.
    pub messages: Arc<dyn Messages>,
    /// Lists conversations.
    pub conversations: Arc<dyn Conversations>,
    /// Reads what changed.
    pub changes: Arc<dyn Changes>,
    /// Who blocks whom.
    pub blocks: Arc<dyn Blocks>,
    /// Tells whether it works.
    pub health: Arc<dyn StoreHealth>,
    /// Moves it; needed by [`archive_conformance!`](crate::archive_conformance) only.
    pub archive: Option<Arc<dyn Archive>>,
}

impl StorePorts {
    /// All ports of a store that implements them in one type.
    #[must_use]
    pub fn of<S>(store: &Arc<S>) -> Self
    where
        S: Users + MessageLog + Messages + Conversations + Changes + Blocks + StoreHealth + 'static,
    {
        Self {
            users: store.clone(),
            log: store.clone(),
            messages: store.clone(),
            conversations: store.clone(),
            changes: store.clone(),
            blocks: store.clone(),
            health: store.clone(),
            archive: None,
        }
    }

    /// The same of a store that can be moved.
    #[must_use]
    pub fn movable<S>(store: &Arc<S>) -> Self
    where
        S: Users + MessageLog + Messages + Conversations + Changes + Blocks + StoreHealth + Archive + 'static,
    {
        Self { archive: Some(store.clone()), ..Self::of(store) }
    }
}

/// Closes the store behind these ports, and opens what it kept: with the same listener and clock.
pub type Reopen = Box<dyn Fn(StorePorts) -> StorePorts + Send + Sync>;

/// One fresh, empty store. Every test of the suite makes its own.
pub struct Fixture {
    /// The store's ports.
    pub ports: StorePorts,
    /// The listener that the store was opened with.
    pub commits: Arc<RecordingListener>,
    /// The clock that the store goes by.
    pub clock: Arc<dyn Clock>,
    /// How it is closed and opened again; `None` for a store that keeps nothing. Dropped after the ports,
    /// so a temporary folder may live in it.
    pub reopen: Option<Reopen>,
}

impl Fixture {
    /// The same store after a restart; `None` where it keeps nothing.
    #[must_use]
    pub fn restarted(self) -> Option<Self> {
        let Self { ports, commits, clock, reopen } = self;
        let reopen = reopen?;
        let ports = reopen(ports);
        Some(Self { ports, commits, clock, reopen: Some(reopen) })
    }
}
