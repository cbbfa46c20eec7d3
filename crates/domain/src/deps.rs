//! What the chat is built of, and its settings.

use std::{sync::Arc, time::Duration};

use chat_ports::{
    Blocks, Changes, Clock, Conversations, EventBus, IdSource, MessageLog, Messages, PasswordHasher, Replays,
    Seals, Tokens, Users, model::Limits,
};

use crate::PresenceAudience;

/// The ports that the chat stands on, its limits and its settings.
#[derive(Clone)]
pub struct Deps {
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
    /// Tells commits again, where the store can: then sessions can be recovered after a restart.
    pub replays: Option<Arc<dyn Replays>>,
    /// Who blocks whom.
    pub blocks: Arc<dyn Blocks>,
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Issues and verifies access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// Seals what clients carry.
    pub seals: Arc<dyn Seals>,
    /// Carries events to connected sockets.
    pub bus: Arc<dyn EventBus>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub ids: Arc<dyn IdSource>,
    /// What input may be.
    pub limits: Limits,
    /// How the chat behaves.
    pub settings: ChatSettings,
}

/// How the chat behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatSettings {
    /// How long a send may take from its arrival. Default 5 s.
    pub send_timeout: Duration,
    /// How long a lost link may stay away before its user is offline. Default 3 s.
    pub presence_grace: Duration,
    /// After which silence typing ends by itself. Default 6 s.
    pub typing_timeout: Duration,
    /// How long after it was sent a message may be edited. Default 24 h.
    pub edit_window: Duration,
    /// Who hears of a user's presence. Default everyone.
    pub presence_audience: PresenceAudience,
    /// How many contacts of a user hear of it, the most recent ones, where only contacts do. Default 1,000.
    pub max_contacts: u32,
    /// After which time a block is read again, where other nodes write to the store as well. Default never.
    pub blocks_fresh_for: Option<Duration>,
    /// How many users' names are kept in memory, and of how many pairs whether one blocks the other. Default 100,000.
    pub cached_users: usize,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            send_timeout: Duration::from_secs(5),
            presence_grace: Duration::from_secs(3),
            typing_timeout: Duration::from_secs(6),
            edit_window: Duration::from_hours(24),
            presence_audience: PresenceAudience::default(),
            max_contacts: 1_000,
            blocks_fresh_for: None,
            cached_users: 100_000,
        }
    }
}
