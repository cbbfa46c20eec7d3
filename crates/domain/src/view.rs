//! What is shown of users: stored facts with live presence laid over them.

use chat_ports::model::{Timestamp, User, UserId};

/// A user as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// The id.
    pub id: UserId,
    /// The displayed name.
    pub username: String,
    /// Whether a device is connected just now.
    pub is_online: bool,
    /// When last seen; `None` until a first visit.
    pub last_seen: Option<Timestamp>,
}

/// A user as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// What others see.
    pub user: UserView,
    /// The address.
    pub email: String,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What stands in the place of a user who was erased.
pub(crate) const ERASED: &str = "deleted";

impl UserView {
    /// What is shown of somebody whose account is gone and whose messages are still there.
    pub(crate) fn erased(id: UserId) -> Self {
        Self { id, username: ERASED.to_owned(), is_online: false, last_seen: None }
    }
}

impl UserProfile {
    /// Splits a stored user into what others see and the rest; the password's hash ends here.
    pub(crate) fn new(stored: User, live: impl FnOnce(UserId, Option<Timestamp>) -> Live) -> Self {
        let User { id, username, email, password: _, is_online: _, last_seen, created_at, updated_at } =
            stored;
        let Live { is_online, last_seen } = live(id, last_seen);
        Self { user: UserView { id, username, is_online, last_seen }, email, created_at, updated_at }
    }
}

/// Presence as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Live {
    pub(crate) is_online: bool,
    pub(crate) last_seen: Option<Timestamp>,
}
