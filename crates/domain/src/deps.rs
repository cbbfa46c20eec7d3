//! What the chat is built of, and its settings.

use std::{sync::Arc, time::Duration};

use chat_ports::{
    Clock, Conversations, EventBus, IdSource, MessageLog, Messages, PasswordHasher, Tokens, Users,
    model::Limits,
};

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
    /// Hashes passwords.
    pub passwords: Arc<dyn PasswordHasher>,
    /// Issues and verifies access tokens.
    pub tokens: Arc<dyn Tokens>,
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
    /// How many users' names are kept in memory. Default 100,000.
    pub cached_users: usize,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            send_timeout: Duration::from_secs(5),
            presence_grace: Duration::from_secs(3),
            typing_timeout: Duration::from_secs(6),
            cached_users: 100_000,
        }
    }
}
