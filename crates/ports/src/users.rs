//! The port for accounts.

use async_trait::async_trait;

use crate::{
    InsertUserError, StoreError,
    model::{Email, Page, PasswordHash, Timestamp, User, UserCursor, UserId, Username},
};

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Its id.
    pub id: UserId,
    /// Its displayed name.
    pub username: Username,
    /// Its address.
    pub email: Email,
    /// Its hashed password.
    pub password: PasswordHash,
    /// When.
    pub created_at: Timestamp,
}

/// How somebody names the account they log in to. Compared by [`fold`](crate::model::fold).
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// By address.
    Email(String),
    /// By username.
    Username(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email(…)",
            Self::Username(_) => "Username(…)",
        })
    }
}

/// Which users to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuery {
    /// Prefix of the folded username; already folded; empty for all.
    pub prefix: String,
    /// Whom to leave out.
    pub except: UserId,
    /// The last user of the page before.
    pub after: Option<UserCursor>,
    /// Most items.
    pub limit: u32,
}

/// A user's presence, to be written behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceRecord {
    /// Whose.
    pub user: UserId,
    /// Whether a device is connected.
    pub is_online: bool,
    /// When last seen.
    pub last_seen: Timestamp,
}

/// The accounts.
#[async_trait]
pub trait Users: Send + Sync {
    /// Makes an account: atomic, durable when it answers, and never two with the same folded name or the
    /// same folded address, however many are made at once. Where both are taken, the username is named.
    ///
    /// # Errors
    /// [`InsertUserError::Taken`] names the field; else the store failed.
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError>;

    /// The user with this id.
    ///
    /// # Errors
    /// The store failed.
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Those of these users that exist, in any order.
    ///
    /// # Errors
    /// The store failed.
    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, StoreError>;

    /// The user whom a login names, ignoring case.
    ///
    /// # Errors
    /// The store failed.
    async fn find_by_login(&self, login: Login) -> Result<Option<User>, StoreError>;

    /// A page of users by folded username, then id. Every user present throughout a walk MUST appear in
    /// it exactly once. `prefix` is literal: no pattern character has a meaning.
    ///
    /// # Errors
    /// The store failed.
    async fn list(&self, query: UserQuery) -> Result<Page<User>, StoreError>;

    /// Writes presence of several users; unknown ones are passed over. It need not be durable.
    ///
    /// # Errors
    /// The store failed.
    async fn record_presence(&self, records: Vec<PresenceRecord>) -> Result<(), StoreError>;

    /// Marks every user as offline: what a start does before the first socket. `last_seen` stays.
    ///
    /// # Errors
    /// The store failed.
    async fn clear_presence(&self) -> Result<(), StoreError>;
}
