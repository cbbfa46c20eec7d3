//! A bounded memory of who exists and how they are called, so that a send costs no read.

use std::sync::Arc;

use chat_ports::{Users, model::UserId};

use crate::{
    ChatError, Missing,
    memory::{Memory, memory},
};

/// Names of users by id. What is not in memory is read from the store; that a user does *not* exist is
/// never remembered. Full, it forgets who was not asked for lately.
pub(crate) struct People {
    users: Arc<dyn Users>,
    names: Memory<UserId, Arc<str>>,
}

impl People {
    pub(crate) fn new(users: Arc<dyn Users>, capacity: usize) -> Self {
        Self { users, names: memory(capacity) }
    }

    /// The displayed name of a user, if there is such a user.
    pub(crate) async fn name(&self, user: UserId) -> Result<Option<Arc<str>>, ChatError> {
        if let Some(name) = self.names.get(&user) {
            return Ok(Some(name));
        }
        let found = self.users.find(user).await?;
        Ok(found.map(|found| self.remember(user, &found.username)))
    }

    /// Whether it is in memory that there is such a user.
    pub(crate) fn remembers(&self, user: UserId) -> bool {
        self.names.get(&user).is_some()
    }

    /// Fails with `not_found` where there is no such user.
    pub(crate) async fn require(&self, user: UserId) -> Result<Arc<str>, ChatError> {
        self.name(user).await?.ok_or(ChatError::NotFound(Missing::User))
    }

    /// Keeps a name that was just read or made.
    pub(crate) fn remember(&self, user: UserId, name: &str) -> Arc<str> {
        let name: Arc<str> = name.into();
        self.names.insert(user, Arc::clone(&name));
        name
    }
}
