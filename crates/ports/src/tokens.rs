//! The port for access tokens.

use crate::model::{Timestamp, UserId};

/// What a valid token says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// Whose it is.
    pub user: UserId,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was issued, if it says so.
    pub issued_at: Option<Timestamp>,
    /// Its own name, if it has one.
    pub token_id: Option<String>,
}

impl Claims {
    /// Claims with nothing but the necessary.
    pub const fn new(user: UserId, expires_at: Timestamp) -> Self {
        Self { user, expires_at, issued_at: None, token_id: None }
    }
}

/// A new token.
#[derive(Clone)]
pub struct IssuedToken {
    /// What the client sends as `Authorization: Bearer …`. A secret.
    pub token: String,
    /// How long it is good for, in seconds.
    pub expires_in: u64,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// A token that is not accepted. The reason is for the log; clients hear `unauthorized`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a token, another algorithm, a wrong signature or claims of wrong types.
    #[error("not a valid token")]
    Invalid,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// A new token could not be signed.
    #[error("the token could not be signed")]
    Signing,
}

/// Issues and verifies access tokens.
pub trait Tokens: Send + Sync {
    /// Issues a token for a user, as of `now`.
    ///
    /// # Errors
    /// [`TokenError::Signing`] where the signature function fails.
    fn issue(&self, user: UserId, username: &str, now: Timestamp) -> Result<IssuedToken, TokenError>;

    /// Verifies a token as of `now`, with ten seconds of leeway. MUST refuse another algorithm, a missing
    /// or non-numeric `exp`, a future `nbf`, and a critical header extension.
    ///
    /// # Errors
    /// Why it is refused.
    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError>;
}
