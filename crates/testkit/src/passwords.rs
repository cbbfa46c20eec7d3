//! A hasher that costs nothing.

use async_trait::async_trait;
use chat_ports::{
    PasswordError, PasswordHasher,
    model::{Password, PasswordHash},
};

/// Keeps the password in the "hash", behind a mark. Never for anything but tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeHasher;

const MARK: &str = "fake:";
/// As much as bcrypt compares.
const COMPARED: usize = 72;

#[async_trait]
impl PasswordHasher for FakeHasher {
    async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        Ok(PasswordHash::new(format!("{MARK}{}", password.expose())))
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, PasswordError> {
        let stored = hash.as_ref().and_then(|hash| hash.expose().strip_prefix(MARK));
        Ok(stored.is_some_and(|stored| compared(stored) == compared(password.expose())))
    }
}

fn compared(password: &str) -> &[u8] {
    let bytes = password.as_bytes();
    bytes.get(..COMPARED).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use futures_executor::block_on;

    use super::*;

    #[test]
    fn only_the_password_that_was_hashed_is_accepted() {
        let password = |text: &str| Password::attempt(text.to_owned());
        let verify = |text, hash| block_on(FakeHasher.verify(password(text), hash)).unwrap();
        let hash = block_on(FakeHasher.hash(password("secret"))).unwrap();
        assert!(verify("secret", Some(hash.clone())));
        assert!(!verify("other", Some(hash)));
        assert!(!verify("secret", None));
        assert!(!verify("secret", Some(PasswordHash::new("unreadable"))));
    }
}
