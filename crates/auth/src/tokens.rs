//! JSON Web Tokens signed with HMAC-SHA256 (RFC 7519; RFC 7515).

use std::fmt;

use chat_ports::{
    Claims, IssuedToken, TokenError, Tokens,
    model::{Timestamp, UserId},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto::aws_lc};

use crate::claims::{Issued, Presented};

/// Issues and verifies access tokens with one shared secret.
///
/// The algorithm is pinned to HS256, whatever a token's header says. Times are checked against the
/// caller's `now` with ten seconds of leeway.
pub struct Hs256 {
    sign: EncodingKey,
    verify: DecodingKey,
    validation: Validation,
    ttl_seconds: u64,
}

impl Hs256 {
    /// Keeps the secret; tokens issued are good for `ttl_seconds`.
    pub fn new(secret: &[u8], ttl_seconds: u64) -> Self {
        // The library panics at first use when the build as a whole holds no backend or two, so ours is
        // named. An error says that the embedding program has named one before, which serves as well.
        let _named_before = aws_lc::DEFAULT_PROVIDER.install_default();
        Self {
            sign: EncodingKey::from_secret(secret),
            verify: DecodingKey::from_secret(secret),
            validation: signature_only(),
            ttl_seconds,
        }
    }
}

/// What the library checks: algorithm and signature. The claims are ours to check: the library would
/// read the system's clock.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

impl fmt::Debug for Hs256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hs256").field("ttl_seconds", &self.ttl_seconds).finish_non_exhaustive()
    }
}

impl Tokens for Hs256 {
    fn issue(&self, user: UserId, username: &str, now: Timestamp) -> Result<IssuedToken, TokenError> {
        let iat = now.seconds();
        let claims = Issued {
            sub: user,
            user_id: user,
            username,
            iat,
            exp: iat.saturating_add_unsigned(self.ttl_seconds),
            jti: token_id()?,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.sign)
            .map(|token| IssuedToken { token, expires_in: self.ttl_seconds })
            .map_err(|error| {
                tracing::error!(%error, "a token could not be signed");
                TokenError::Signing
            })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        let token =
            jsonwebtoken::decode::<Presented>(token, &self.verify, &self.validation).map_err(|error| {
                tracing::debug!(%error, "a token was refused");
                TokenError::Invalid
            })?;
        // RFC 7515, section 4.1.11: extensions that are not understood make a token invalid, and we
        // understand none.
        if token.header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        token.claims.check(now)
    }
}

/// 16 random bytes in hex.
fn token_id() -> Result<String, TokenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "the system gave no random bytes");
        TokenError::Signing
    })?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
