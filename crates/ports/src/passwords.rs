//! The port for password hashing.

use async_trait::async_trait;

use crate::model::{Password, PasswordHash};

/// A hasher that could not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Its queue is full; trying again later makes sense.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The hash function failed.
    #[error("the hash function failed: {0}")]
    Failed(String),
}

/// Hashes passwords, off the threads that serve messages.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a new password.
    ///
    /// # Errors
    /// The queue is full, or the function failed.
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError>;

    /// Whether the password belongs to the hash. With `None` (no such user) it MUST do the same work and
    /// answer `false`. A hash that it can't read MUST be `false` too, not an error. A password of more
    /// than 72 bytes is compared by its first 72, as older applications did.
    ///
    /// # Errors
    /// The queue is full, or the function failed.
    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, PasswordError>;
}
