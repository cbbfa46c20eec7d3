//! Every repository port in memory.

mod archive;
mod blocks;
mod changes;
mod conversations;
mod log;
mod messages;
mod users;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chat_ports::{
    Clock, CommitListener, StoreError, StoreHealth,
    model::{ConversationId, Message, MessageId, Timestamp, User, UserId},
};
use parking_lot::{Mutex, MutexGuard};

/// A store that keeps its promises as long as the process lives: [`Users`](chat_ports::Users),
/// [`MessageLog`](chat_ports::MessageLog), [`Messages`](chat_ports::Messages),
/// [`Conversations`](chat_ports::Conversations), [`Changes`](chat_ports::Changes), [`Blocks`](chat_ports::Blocks), [`Archive`](chat_ports::Archive) and [`StoreHealth`].
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    listener: Arc<dyn CommitListener>,
    away: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, User>,
    by_name: BTreeMap<String, UserId>,
    by_email: HashMap<String, UserId>,
    /// Each in the order of `seq`, which is its place counted from 1.
    conversations: BTreeMap<ConversationId, Vec<Arc<Message>>>,
    places: HashMap<MessageId, (ConversationId, usize)>,
    /// Sender, receiver and client id of messages that had one.
    client_ids: HashMap<(UserId, UserId, String), MessageId>,
    /// How many changes there were, and all of them, both ways: what changes during a walk must not leave it.
    change: u64,
    changed: HashMap<MessageId, Vec<u64>>,
    changes: BTreeMap<u64, MessageId>,
    /// Blocker, blocked, since when.
    blocks: BTreeMap<(UserId, UserId), Timestamp>,
    /// How often something was moved in: positions from before are foreign.
    life: u64,
}

impl MemoryStore {
    /// An empty store that goes by this clock, and tells this listener of its commits.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Arc<Self> {
        Arc::new(Self { clock, listener, away: AtomicBool::new(false), state: Mutex::default() })
    }

    /// Goes away, or comes back. Away it answers everything with [`StoreError::Unavailable`].
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("the fake is away".into()));
        }
        Ok(self.state.lock())
    }
}

impl State {
    fn message(&self, id: MessageId) -> Option<&Arc<Message>> {
        let (conversation, place) = self.places.get(&id)?;
        self.conversations.get(conversation)?.get(*place)
    }
}

#[async_trait]
impl StoreHealth for MemoryStore {
    async fn check(&self) -> Result<(), StoreError> {
        self.state().map(drop)
    }
}

#[cfg(test)]
mod tests;
