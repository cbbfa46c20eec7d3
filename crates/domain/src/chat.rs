//! The chat: all use cases on one set of ports.

use std::sync::Arc;

use crate::{
    Accounts, Blocking, Circles, Deps, Directory, History, Messaging, Presence, Recovery, Sync, Typing,
    people::People, relations::Relations,
};

/// The use cases of the chat. Shared as `Arc<Chat>` by everything that serves clients.
pub struct Chat {
    /// Register, log in, authenticate, profile.
    pub accounts: Accounts,
    /// The list of users.
    pub directory: Directory,
    /// Send, edit, delete, and mark as delivered or read.
    pub messaging: Messaging,
    /// Pages of messages, and the list of conversations.
    pub history: History,
    /// What a device missed.
    pub sync: Sync,
    /// Which session a device had.
    pub recovery: Recovery,
    /// Who wants nothing of whom.
    pub blocking: Blocking,
    /// Who is online.
    pub presence: Presence,
    /// Who may know of it.
    pub circles: Arc<Circles>,
    /// Who types.
    pub typing: Arc<Typing>,
}

impl Chat {
    /// Builds the use cases on these ports.
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let people = Arc::new(People::new(Arc::clone(&deps.users), deps.settings.cached_users));
        let relations = Arc::new(Relations::new(&deps));
        let presence = Presence::new(&deps);
        let circles = Arc::new(Circles::new(&deps, presence.clone()));
        let typing = Arc::new(Typing::new(&deps, Arc::clone(&people), Arc::clone(&relations)));
        Self {
            accounts: Accounts::new(&deps, Arc::clone(&people), presence.clone()),
            directory: Directory::new(&deps, Arc::clone(&circles)),
            messaging: Messaging::new(&deps, Arc::clone(&people), Arc::clone(&relations)),
            history: History::new(&deps, Arc::clone(&people), Arc::clone(&circles)),
            sync: Sync::new(&deps),
            recovery: Recovery::new(&deps),
            blocking: Blocking::new(&deps, people, relations, Arc::clone(&typing)),
            presence,
            circles,
            typing,
        }
    }
}
