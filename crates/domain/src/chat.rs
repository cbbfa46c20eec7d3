//! The chat: all use cases on one set of ports.

use std::sync::Arc;

use crate::{Accounts, Deps, Directory, History, Messaging, Presence, Typing, people::People};

/// The use cases of the chat. Shared as `Arc<Chat>` by everything that serves clients.
pub struct Chat {
    /// Register, log in, authenticate, profile.
    pub accounts: Accounts,
    /// The list of users.
    pub directory: Directory,
    /// Send, and mark as read.
    pub messaging: Messaging,
    /// Pages of messages, and the list of conversations.
    pub history: History,
    /// Who is online.
    pub presence: Presence,
    /// Who types.
    pub typing: Typing,
}

impl Chat {
    /// Builds the use cases on these ports.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let people = Arc::new(People::new(Arc::clone(&deps.users), deps.settings.cached_users));
        let presence = Presence::new(&deps);
        Self {
            accounts: Accounts::new(&deps, Arc::clone(&people), presence.clone()),
            directory: Directory::new(&deps, presence.clone()),
            messaging: Messaging::new(&deps, Arc::clone(&people)),
            history: History::new(&deps, Arc::clone(&people), presence.clone()),
            typing: Typing::new(&deps, people),
            presence,
        }
    }
}
