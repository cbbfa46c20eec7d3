//! Secrets, which never show in `Debug` and are wiped from memory.

use std::fmt;

use zeroize::Zeroizing;

use super::{InvalidInput, Limits};

/// A password as somebody typed it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a *new* password.
    ///
    /// # Errors
    /// Shorter or longer (in bytes) than the limits allow, or with a NUL. Longer is refused, never cut.
    pub fn parse(raw: String, limits: &Limits) -> Result<Self, InvalidInput> {
        let raw = Zeroizing::new(raw);
        let range = limits.min_password_bytes..=limits.max_password_bytes;
        if !range.contains(&raw.len()) {
            return Err(InvalidInput::new(
                "password",
                format!("must be {} to {} bytes", range.start(), range.end()),
            ));
        }
        if raw.contains('\0') {
            return Err(InvalidInput::new("password", "must not contain NUL"));
        }
        Ok(Self(raw))
    }

    /// Takes a password that is only to be *compared*: what is stored may have had other rules.
    pub fn attempt(raw: String) -> Self {
        Self(Zeroizing::new(raw))
    }

    /// The secret, for the hasher.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What a password hasher made of a password, in its own notation (bcrypt: `$2b$12$…`).
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a hash.
    pub fn new(hash: impl Into<String>) -> Self {
        Self(hash.into())
    }

    /// The hash, for the hasher and the store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
