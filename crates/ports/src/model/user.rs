//! A user as it is stored.

use super::{PasswordHash, Timestamp, UserId};

/// A stored user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its name.
    pub id: UserId,
    /// The displayed name; unique by [`fold`](super::fold).
    pub username: String,
    /// The address; unique by [`fold`](super::fold).
    pub email: String,
    /// What the password hasher made of the password.
    pub password: PasswordHash,
    /// The presence flag as last written behind; live presence is the hub's.
    pub is_online: bool,
    /// When the user was last seen; `None` until a first visit.
    pub last_seen: Option<Timestamp>,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When the account was last changed (presence does not count).
    pub updated_at: Timestamp,
}
