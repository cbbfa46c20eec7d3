//! Tokens without a signature.

use chat_ports::{
    Claims, IssuedToken, TokenError, Tokens,
    model::{Timestamp, UserId},
};

/// Tokens `user.expiry` in plain text, good for an hour. Never for anything but tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeTokens;

const LIFETIME_SECONDS: u64 = 3600;
const LEEWAY_MILLIS: i64 = 10_000;

impl Tokens for FakeTokens {
    fn issue(&self, user: UserId, _username: &str, now: Timestamp) -> Result<IssuedToken, TokenError> {
        let expires_at = now.millis() + 3_600_000;
        Ok(IssuedToken { token: format!("{user}.{expires_at}"), expires_in: LIFETIME_SECONDS })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let (user, expires_at) = read(token).ok_or(TokenError::Invalid)?;
        if now.millis() > expires_at + LEEWAY_MILLIS {
            return Err(TokenError::Expired);
        }
        Ok(Claims::new(user, Timestamp::from_millis(expires_at)))
    }
}

fn read(token: &str) -> Option<(UserId, i64)> {
    let (user, expires_at) = token.split_once('.')?;
    Some((user.parse().ok()?, expires_at.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_it_ends() {
        let (user, now) = (UserId::from_bytes([7; 12]), Timestamp::from_millis(1_000));
        let issued = FakeTokens.issue(user, "anna", now).unwrap();
        assert_eq!(FakeTokens.verify(&issued.token, now).unwrap().user, user);
        let late = Timestamp::from_millis(3_700_000);
        assert_eq!(FakeTokens.verify(&issued.token, late), Err(TokenError::Expired));
        assert_eq!(FakeTokens.verify("forged", now), Err(TokenError::Invalid));
    }
}
